-- permission_sets    grain: one row per permission set of IAM Identity Center
-- reads: permission_sets_rows
create table permission_sets as
select permission_set_arn, name from permission_sets_rows
