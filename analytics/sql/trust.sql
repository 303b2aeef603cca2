-- trust    grain: one row per principal_arn, position: a way to become the identity, the most exposed first
-- reads: trust_rows, assumed, call_day, accounts, principals, windows, snapshot, access_keys, credentials
-- seen_calls: assumptions and sign-ins of the build's window that went through. 0: it would have been seen and was not;
-- null: the export could not have shown it, or (keys) nobody counts. Lists are JSON.
create table trust as
with own_window as (select * from windows order by window_days desc limit 1),
became as (  -- paths and sessions fall away: outside the snapshot a caller's path is not known
    select
        *, calls - denied as went_through,
        regexp_replace(caller, '^arn:[^:]*:iam::(\d+):(role|user)/(?:.*/)?([^/]+)$', '\1:\2/\3') as caller_name
    from assumed
),
logging as (  -- accounts whose own log shows AssumeRole and its kin; of a log that never does, silence says nothing
    select account_id from call_day, own_window
    where own_log and event_source = 'sts.amazonaws.com' and day between window_start and window_end
    union
    -- a service, or a caller whose own account has no log here, was logged by the role's account
    select principals.account_id
    from became join principals using (principal_arn) left join accounts on accounts.account_id = caller_account_id
    where coalesce(accounts.days_covered, 0) = 0 and caller <> 'console'
),
signing_in as (  -- accounts that show sign-ins to the console
    select distinct principals.account_id from became join principals using (principal_arn) where caller = 'console'
),
ways as (
    select
        trust_rows.*, accounts.days_covered, least_days,
        trust_rows.account_id in (from logging) as shows_sessions,
        trust_rows.account_id in (from signing_in) as shows_sign_ins,
        regexp_replace(
            regexp_replace(party, '^(arn:[^:]*):sts::(\d+):assumed-role/([^/]+)/.*$', '\1:iam::\2:role/\3'),
            '^arn:[^:]*:iam::(\d+):(role|user)/(?:.*/)?([^/]+)$', '\1:\2/\3'
        ) as party_ref,
        case trust_rows.kind
            when 'access_key' then access_keys.last_used when 'console' then credentials.password_last_used
        end as last_reported,
        -- neither the report, which ends when it was taken, nor the logs after it show a use
        case when access_keys.principal_arn is not null
            or trust_rows.kind = 'console' and credentials.password_enabled
        then
            coalesce(last_reported < window_start, true) and (
                snapshot.taken_at >= window_end + interval 1 day
                or (principals.calls = 0 and accounts.days_covered >= least_days)
            )
        end as never_by_report
    from trust_rows
    cross join own_window
    left join snapshot on true
    left join accounts on accounts.account_id = trust_rows.account_id
    left join principals on principals.principal_arn = trust_rows.principal_arn
    left join credentials on credentials.principal_arn = trust_rows.principal_arn
    left join access_keys
        on access_keys.principal_arn = trust_rows.principal_arn and access_keys.position = trust_rows.key_position
),
seen as (
    select
        ways.principal_arn, ways.position, sum(went_through)::bigint as went_through,
        max(last_time) filter (went_through > 0) as last_time,
        to_json(list(distinct caller_account_id order by caller_account_id)
            filter (caller_account_id is not null and went_through > 0)) as seen_accounts,
        to_json(list(distinct network order by network) filter (network is not null and went_through > 0)) as seen_networks
    from ways
    join became on became.principal_arn = ways.principal_arn and case ways.kind
        when 'anyone' then caller_account_id is not null
        when 'account' then caller_account_id = party_account_id
        -- who of an account outside it was may not be told: then it may have been this one
        when 'principal' then caller_name = party_ref or caller = 'account ' || party_account_id
        when 'console' then caller = 'console'
        else caller = party or ends_with(party, ':oidc-provider/' || caller)
    end
    group by all
)
select
    ways.principal_arn, ways.position, party, kind, party_account_id, party_name, trust_class, exposure,
    conditions::json as conditions, statement_index, sid, surely, notes::json as notes,
    case
        when coalesce(went_through, 0) > 0 then went_through
        when kind = 'access_key' and never_by_report then 0
        when kind = 'console' and never_by_report and shows_sign_ins then 0
        when kind in ('access_key', 'console', 'nobody') then null
        -- a unique id whose identity is not known cannot be told from others of its account
        when kind = 'principal' and not starts_with(party, 'arn:') and trust_class <> 'nobody' then null
        when shows_sessions and days_covered >= least_days then 0
    end::bigint as seen_calls,
    greatest(last_time, last_reported) as seen_last,
    coalesce(seen_accounts, '[]'::json) as seen_accounts,
    coalesce(seen_networks, '[]'::json) as seen_networks
from ways
left join seen using (principal_arn, position)
order by ways.principal_arn, ways.position
