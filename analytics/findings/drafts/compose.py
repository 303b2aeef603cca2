"""From gaps of the guardrail matrix to policies that close them.

A draft has the denies of its scenarios in one layer, at one target, with the usual exemptions, without what attached
policies deny anyway, inside the quotas. What stands here composes it; `effect` proves it before anyone sees it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analytics.findings.drafts.conditions import DraftError
from analytics.findings.drafts.exemptions import Exempted, Exemption, Origin, exempted
from analytics.findings.drafts.place import DraftPolicy, place_of
from analytics.findings.drafts.policies import boundaries, control_policies
from analytics.findings.drafts.rules import DraftRules, draft_rules
from analytics.findings.drafts.size import Limit
from analytics.findings.drafts.statements import Known, denies_of
from analytics.findings.guardrails.values import known_lists
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from analytics.findings.drafts.place import Place
    from analytics.findings.estate import Estate
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.iam.policy import PolicyDocument

__all__ = ["Draft", "DraftError", "DraftSettings", "compose", "valid_name"]

# What IAM takes for the name of a managed policy, and every file system for the name of a file.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_IDS_IN_A_NAME = 3


@dataclass(frozen=True, slots=True)
class DraftSettings:
    """What a team has said that drafts need; the quotas are those of AWS unless the settings say otherwise."""

    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # `approved_regions` … -> values
    resources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # scenario id -> patterns of its class
    exemptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # usual exemption -> ARNs
    limits: Mapping[str, Limit] = field(
        default_factory=lambda: {"scp": Limit(10_240, 10), "rcp": Limit(5_120, 5), "boundary": Limit(6_144, 1)}
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """Policies that close gaps in one layer at one target, and what a reader must know of them."""

    name: str
    layer: str  # scp, rcp, boundary
    target: str  # id of a root, OU or account, or ARN of a role or user
    target_name: str
    scenarios: tuple[str, ...]
    policies: tuple[DraftPolicy, ...]
    exemptions: tuple[Exemption, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def documents(self) -> tuple[PolicyDocument, ...]:
        """The documents, in the order of the policies."""
        return tuple(policy.document for policy in self.policies)


def compose(
    scenarios: Sequence[Scenario],
    target: str,
    layer: str,
    estate: Estate,
    settings: DraftSettings,
    *,
    exempt: Sequence[str] = (),
    propose: bool = True,
    name: str | None = None,
) -> Draft:
    """The draft, unproven; `propose=False` leaves out the exemptions that were only found by name.

    Raises DraftError where the layer cannot close a scenario there, a list is missing, or the quota is used up.
    """
    if not scenarios:
        raise DraftError("name at least one scenario to draft for")
    chosen = tuple({scenario.id: scenario for scenario in scenarios}.values())
    title = valid_name(name) if name is not None else _name_for(chosen)
    place = place_of(target, layer, estate)
    rules = draft_rules()
    left_out = exempted(
        [usual for scenario in chosen for usual in _exemptions_of(scenario)],
        place.subjects,
        rules,
        asked=exempt,
        settings=settings.exemptions,
        propose=propose,
    )
    lists = known_lists(settings.lists, estate)
    denies = [
        deny
        for scenario in chosen
        for deny in denies_of(
            scenario,
            layer,
            Known(estate.catalogue, rules, lists, settings.resources.get(scenario.id, ())),
            left_out.arns_for(_exemptions_of(scenario)),
        )
    ]
    limit = settings.limits[layer]
    policies = (
        boundaries(denies, place, estate, name=title, limit=limit)
        if layer == "boundary"
        else control_policies(denies, layer, place, estate, name=title, limit=limit)
    )
    if not policies:
        raise DraftError(
            f"the policies attached to `{place.name}` and above deny all of {_ids(chosen)} already; there is nothing "
            f"to add in the layer `{layer}`"
        )
    notes = tuple(_notes(chosen, layer, place, policies=policies, left_out=left_out, settings=settings, rules=rules))
    return Draft(
        title, layer, target, place.name, tuple(one.id for one in chosen), policies, left_out.exemptions, notes
    )


def valid_name(name: str) -> str:
    """The name, when a draft can have it: it names a policy of IAM and a file of the store."""
    if not _NAME.fullmatch(name):
        raise DraftError(
            f"`{name}` cannot name a draft; use up to 64 letters, digits, `.`, `_` and `-`, a letter or digit first"
        )
    return name


def _exemptions_of(scenario: Scenario) -> tuple[str, ...]:
    """The usual exemptions; nobody is left out of a deny that is always to hold, nor of one about the root user."""
    excepts = scenario.guardrail_shape != "deny_always" and scenario.principal != "root_user"
    return tuple(scenario.usual_exemptions) if excepts else ()


def _name_for(scenarios: Sequence[Scenario]) -> str:
    ids = [scenario.id.lower() for scenario in scenarios]
    more = [f"and-{len(ids) - _IDS_IN_A_NAME}-more"] if len(ids) > _IDS_IN_A_NAME else []
    return re.sub(r"[^A-Za-z0-9._-]", "-", "-".join(["headroom", *ids[:_IDS_IN_A_NAME], *more]))[:64]


def _notes(
    scenarios: Sequence[Scenario],
    layer: str,
    place: Place,
    *,
    policies: Sequence[DraftPolicy],
    left_out: Exempted,
    settings: DraftSettings,
    rules: DraftRules,
) -> list[str]:
    notes = [
        f"`{one.arn}` is proposed as the {one.stands_for}, by its name: {one.principals} such "
        f"role{'s' if one.principals != 1 else ''} under the target. Whoever may create a role of that name is exempt."
        for one in left_out.exemptions
        if one.origin is Origin.FOUND
    ]
    if left_out.nobody_for:
        notes.append(
            f"Nobody is exempted as {', '.join(left_out.nobody_for)}: no role of such a name is under the target; name "
            "one in the settings under `guardrail_exemptions`, or to the command `draft` by `--exempt`."
        )
    for scenario in scenarios:
        if scenario.resource != "any" and not scenario.probe_context and not settings.resources.get(scenario.id):
            notes.append(
                f"`{scenario.id}` is about {scenario.resource}, of which no patterns are known: the draft denies its "
                "actions on every resource."
            )
        if scenario.id in rules.blanket:
            notes.append(f"The actions of `{scenario.id}` are probes: the draft denies more than these.")
        notes += [
            f"`{scenario.id}`: {usual} stay allowed, so the deny hangs on the request."
            for usual in _exemptions_of(scenario)
            if usual in rules.spared_requests
        ]
    notes += [
        f"The attached policy `{one.replaces.name}` is changed, nothing new is attached."
        for one in policies
        if one.replaces
    ]
    if layer == "boundary" and any(one.kind is PrincipalKind.SSO_ROLE for one in place.subjects):
        notes.append("The boundary of an Identity Center role is set on its permission set, not on the role.")
    return notes


def _ids(scenarios: Sequence[Scenario]) -> str:
    return ", ".join(f"`{scenario.id}`" for scenario in scenarios)
