-- identity_groups    grain: one row per principal_arn, source, group_id: IAM groups of a user, Identity Center groups of a role
-- reads: identity_groups_rows
create table identity_groups as
select principal_arn, source, group_id, group_name from identity_groups_rows
