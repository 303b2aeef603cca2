-- managed_policies    grain: one row per managed policy that the snapshot holds, attached or not
-- reads: managed_policies_rows
create table managed_policies as
select policy_arn from managed_policies_rows
