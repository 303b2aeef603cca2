-- credentials    grain: one row per principal_arn (user or root) of a credential report; null: the report does not say
-- reads: credentials_rows
create table credentials as
select principal_arn, password_enabled, password_last_used, password_last_changed, mfa_active from credentials_rows
