-- escalation    grain: one row per principal_arn, position: a path that the identity holds, the strongest first
-- reads: escalation_rows
-- target_arn null: nobody, or nobody whom the snapshot names; actions: the path's, as JSON
create table escalation as
select
    principal_arn, position, path_id, title, category, surely, target_arn, target, target_factor, strength,
    actions::json as actions, why
from escalation_rows
order by principal_arn, position
