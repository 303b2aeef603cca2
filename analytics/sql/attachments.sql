-- attachments    grain: one row per principal_arn, layer (identity, boundary, trust), position
-- reads: attachments_rows; attached_to is the group for a group's policy, else the principal
create table attachments as
select principal_arn, layer, position, policy_id, attached_to from attachments_rows
