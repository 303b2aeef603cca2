-- policies    grain: one row per distinct policy document and name
-- reads: policies_rows
create table policies as
select policy_id, name, arn, aws_managed, document from policies_rows
