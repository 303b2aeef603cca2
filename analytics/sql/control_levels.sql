-- control_levels    grain: one row per account_id, layer (scp, rcp), level (0 = root), position
-- reads: control_levels_rows; a level without any policy has one row with a null policy_id: it denies everything
create table control_levels as
select account_id, layer, level, node_id, node_name, position, policy_id from control_levels_rows
