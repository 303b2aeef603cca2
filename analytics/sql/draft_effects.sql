-- draft_effects    grain: one row per draft kept in the store, as it would act on this build
-- reads: draft_effect_rows
-- name: null for a file that is no draft; cells_closed: cells that it turns from open to stopped, of all that it touches;
-- cells_open, open_scenarios: those that it was drafted for and does not close; null: could not be evaluated;
-- risk_removed: points of the score over the identities changed; calls_broken: null, not proven; problem: null, none
create table draft_effects as
select
    name, file, layer, target, target_name, scenarios::json as scenarios, policies, characters, cells_closed, cells_open,
    open_scenarios::json as open_scenarios, risk_removed, identities_changed, calls_broken, evaluated, problem
from draft_effect_rows
