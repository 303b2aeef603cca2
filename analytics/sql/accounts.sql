-- accounts    grain: one row per account, of the snapshot or seen in the logs
-- reads: account_rows (snapshot), account_coverage, windows, identity_rows; coverage is that of the build's own window
-- collected: ok, failed, not collected; or outside: the organisation is known, and the account is not one of its own
create table accounts as
with own_window as (select max(window_days) as window_days from windows),
covered as (select account_coverage.* from account_coverage join own_window using (window_days)),
identities as (select account_id, count(*)::integer as identities from identity_rows group by all)
select
    coalesce(account_rows.account_id, covered.account_id) as account_id,
    account_rows.name, account_rows.ou_id, account_rows.ou_path, account_rows.organization_path, account_rows.status,
    coalesce(account_rows.is_management, false) as is_management,
    account_rows.environment, account_rows.environment_tag, account_rows.environment_ou,
    case
        when account_rows.account_id is not null then account_rows.collected
        when (select bool_or(organization_path is not null) from account_rows) then 'outside'
        else 'not collected'
    end as collected,
    account_rows.reason,
    covered.calls, covered.first_event, covered.last_event,
    coalesce(covered.days_covered, 0) as days_covered,
    coalesce(covered.sees_read_only, false) as sees_read_only,
    coalesce(covered.sees_kms, false) as sees_kms,
    coalesce(identities.identities, 0) as identities
from account_rows
full join covered on covered.account_id = account_rows.account_id
left join identities on identities.account_id = coalesce(account_rows.account_id, covered.account_id)
order by account_rows.ou_path nulls last, account_rows.name nulls last, 1
