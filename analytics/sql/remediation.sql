-- remediation    grain: one row per item_id: a change worth making, with the risk that it removes and the calls that it breaks
-- reads: remediation_rows; calls_broken is null where nobody has proven it
-- detail, evidence and commands are JSON text; policy is a policy document as JSON text, or a list of them
create table remediation as
select
    item_id, rank, principal_arn, kind, title, detail, score_before, score_after, risk_removed, calls_broken, owner, evidence,
    commands, policy, blocked_reason, priority
from remediation_rows
