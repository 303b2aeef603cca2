-- nodes    grain: one row per node of the organisation: root, organisational unit or account
-- reads: node_rows
create table nodes as
select node_id, kind, name, parent_id, path from node_rows
