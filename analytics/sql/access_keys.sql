-- access_keys    grain: one row per principal_arn, position: the keys of a credential report that were ever created
-- reads: access_keys_rows
create table access_keys as
select principal_arn, position, active, created, last_used, last_used_region, last_used_service from access_keys_rows
