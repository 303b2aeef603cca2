-- coverage    grain: one row per scenario, target, layer
-- reads: coverage_rows
-- layer: scp, rcp, boundary, identity, or best of these; principals, stopped: "n of m", null where the layer is not asked
-- identity by identity; can_act: identities that could act through the gap today; did_act: those that did in the
-- window, null where it would not have been seen; best_layer_of: of a best row, the layer that gives it
-- missing_actions: not stopped for somebody in scope; open_actions: not surely stopped, what the counts are about
create table coverage as
select
    scenario, severity, category, target, target_kind, target_name, target_path, layer, state, single_layer,
    best_layer_of, principals, stopped, statements::json as statements, missing_actions::json as missing_actions,
    open_actions::json as open_actions, exemptions::json as exemptions, note, can_act, did_act
from coverage_rows order by target_path, target, scenario, layer
