"""An item that closes gaps of the guardrail matrix, put together: what it is about, its evidence, what to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.findings.drafts.commands import commands
from analytics.findings.drafts.place import accounts_below
from analytics.findings.drafts.size import compact
from analytics.findings.remediation.values import Item, Kind, Target, item_id
from analytics.findings.remediation.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.findings.drafts.compose import Draft
    from analytics.findings.drafts.drafter import Drafter
    from analytics.findings.drafts.effect import Effect
    from analytics.findings.estate import Estate
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.findings.remediation.gaps import OpenScenario
    from analytics.findings.remediation.rules import Rules

_NAMED = 6  # scenarios in a sentence; the detail has all
_ROWS = 10  # identities of the evidence, the most affected ones
_POLICIES = {"scp": ("an SCP", "SCPs"), "rcp": ("an RCP", "RCPs"), "boundary": ("a boundary", "boundaries")}
UNPROVEN = "Not proven: which observed calls the draft would deny is not known until it is tried on the history."


def drafted_item(
    draft: Draft, effect: Effect, drafter: Drafter, opened: Mapping[str, OpenScenario], rules: Rules
) -> Item:
    """The item of a proven draft. Its risk removed is over all identities that the draft binds."""
    target = _target(draft.target, drafter.estate)
    documents = [compact(document) for document in draft.documents]
    scenarios = [_about(drafter.scenarios[one], draft.target, opened[one]) for one in draft.scenarios]
    lowered = [one for one in effect.scores if one.after < one.before]
    return Item(
        item_id=item_id(draft.target, Kind.CLOSE_GUARDRAIL_GAP, "\n".join((draft.layer, *sorted(draft.scenarios)))),
        principal_arn=None,
        kind=Kind.CLOSE_GUARDRAIL_GAP,
        title=_title([drafter.scenarios[one] for one in draft.scenarios], draft.layer, len(documents)),
        detail={
            "layer": draft.layer,
            "scenarios": scenarios,
            "policies": [policy.name for policy in draft.policies],
            "cells_closed": sum(change.is_closed for change in effect.cells),
            "identities_changed": effect.identities_changed,
            "exempt": [one.arn for one in draft.exemptions],
        },
        score_before=None,
        score_after=None,
        calls_broken=effect.calls_broken,
        owner=None,
        evidence={
            "sentences": _sentences(draft, effect, drafter.estate, scenarios),
            "rows": [
                {"principal_arn": one.principal_arn, "score_before": one.before, "score_after": one.after}
                for one in lowered[:_ROWS]
            ],
        },
        commands=commands(draft),
        policy=documents[0] if len(documents) == 1 else documents,
        blocked_reason=None,
        priority=rules.order.priority(effect.risk_removed, effect.calls_broken, set_back=False),
        target=target,
        removed_below=effect.risk_removed,
    )


def blocked_item(
    ids: list[str], target: str, reason: str, drafter: Drafter, opened: Mapping[str, OpenScenario]
) -> Item:
    """The item of gaps without a draft, for one reason; what closing them would do is not known."""
    scenarios = [drafter.scenarios[one] for one in ids]
    first = scenarios[0]
    return Item(
        item_id=item_id(target, Kind.CLOSE_GUARDRAIL_GAP, "\n".join(sorted(ids))),
        principal_arn=None,
        kind=Kind.CLOSE_GUARDRAIL_GAP,
        title=f"Close the guardrail gap {first.id}: {first.title}"
        if len(scenarios) == 1
        else f"Close {len(scenarios)} guardrail gaps",
        detail={"scenarios": [_about(one, target, opened[one.id]) for one in scenarios]},
        score_before=None,
        score_after=None,
        calls_broken=None,
        owner=None,
        evidence={"sentences": [one.why for one in scenarios[:_NAMED] if one.why], "rows": []},
        commands=(),
        policy=None,
        blocked_reason=f"No draft was made: {reason.rstrip('.')}.",
        priority=0.0,
        target=_target(target, drafter.estate),
    )


def _title(scenarios: list[Scenario], layer: str, policies: int) -> str:
    one, several = _POLICIES[layer]
    by = one if policies == 1 else f"{policies} {several}"
    if len(scenarios) == 1:
        return f"Close the guardrail gap {scenarios[0].id} with {by}: {scenarios[0].title}"
    return f"Close {len(scenarios)} guardrail gaps with {by}"


def _sentences(draft: Draft, effect: Effect, estate: Estate, scenarios: list[dict[str, Any]]) -> list[str]:
    accounts = counted(len(tuple(accounts_below(draft.target, estate))) or 1, "account")
    closed = counted(sum(change.is_closed for change in effect.cells), "cell")
    able = counted(max(one["can_act"] or 0 for one in scenarios), "identity")
    more = f" and {len(scenarios) - _NAMED} more" if len(scenarios) > _NAMED else ""
    ids = ", ".join(one["id"] for one in scenarios[:_NAMED])
    fewer = counted(effect.identities_changed, "identity")
    return [
        f"Open at {draft.target_name}: {ids}{more}. Tried on the matrix, the draft closes {closed}, over {accounts}.",
        f"Through the widest of these gaps {able} can act today; the draft takes permissions from {fewer}.",
        UNPROVEN,
        *draft.notes,
    ]


def _about(scenario: Scenario, target: str, opened: OpenScenario) -> dict[str, Any]:
    return {
        "id": scenario.id,
        "title": scenario.title,
        "severity": scenario.severity,
        "can_act": opened.can_act.get(target),
    }


def _target(target: str, estate: Estate) -> Target:
    node, account = estate.nodes.get(target), estate.accounts.get(target)
    if node is not None:
        return Target(target, node.kind, node.path)
    return Target(target, "account", (account.name if account else None) or target)
