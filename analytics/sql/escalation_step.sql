-- escalation_step    grain: one row per principal_arn, step: the shortest way of an identity to an administrator
-- reads: escalation_step_rows
-- to_arn null: an administrator whom the snapshot does not name.
-- Administrators themselves, and identities without a way, have no rows.
create table escalation_step as
select principal_arn, step, from_arn, to_arn, path_id, actions::json as actions, surely
from escalation_step_rows
order by principal_arn, step
