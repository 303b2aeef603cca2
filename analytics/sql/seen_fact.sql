-- seen_fact (temporary)    grain: one row per seen_action: what reach says of the action that was seen
-- reads: seen_action, known_facts. Of a principal outside the snapshot nothing is known: null, and no weight.
create or replace temp table seen_fact as
select seen_id, in_reach, observable, weight, observable_weight from known_facts
union all by name
select seen_id, null::boolean as in_reach, false as observable, 0.0::double as weight, 0.0::double as observable_weight
from seen_action
where reach_id is null
