-- remediation    grain: one row per item_id: a change worth making, with the risk that it removes and the calls that it breaks
-- reads: remediation_rows; calls_broken is null where nobody has proven it
-- of an identity (principal_arn) or of a target (target: root, OU or account); a target has no score of its own, its
-- risk_removed is over the identities under it, and null where no draft can be made
-- detail, evidence and commands are JSON text; policy is a policy document as JSON text, or a list of them
create table remediation as
select
    item_id, rank, principal_arn, target, target_kind, target_name, kind, title, detail, score_before, score_after,
    risk_removed, calls_broken, owner, evidence, commands, policy, blocked_reason, priority
from remediation_rows
