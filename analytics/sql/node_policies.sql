-- node_policies    grain: one row per node_id, layer (scp, rcp), position: what is attached directly to a node
-- reads: node_policies_rows
create table node_policies as
select node_id, layer, position, policy_id from node_policies_rows
