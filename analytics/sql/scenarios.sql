-- scenarios    grain: one row per risk scenario, ours or the team's
-- reads: scenario_rows
-- set: core or extended; position: in the order of the files
create table scenarios as
select
    id, title, category, set, severity, actions::json as actions, principal, resource, guardrail_shape, best_layer,
    other_layers::json as other_layers, mitre::json as mitre, why, usual_exemptions::json as usual_exemptions, note,
    position
from scenario_rows order by position
