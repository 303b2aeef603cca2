-- snapshot    grain: one row for the snapshot of the build, none without one
-- reads: snapshot_rows
create table snapshot as
select taken_at, organization_id, root_id, management_account_id, enabled_types from snapshot_rows
