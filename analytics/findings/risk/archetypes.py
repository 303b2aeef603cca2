"""Identities that everybody in security knows, as the score sees them: whether its order is the right one.

A page draws them beside the weights, and a test holds their order and their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from analytics.engine.reach import Reach
from analytics.findings.escalation.values import Certainty
from analytics.findings.risk.facts import ActionCounter, PathFact, RiskFacts
from analytics.findings.risk.score import Risk, score
from analytics.findings.weights import action_weights
from analytics.iam.catalogue import AccessLevel, bit_numbers, load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.findings.risk.weights import RiskWeights
    from analytics.iam.catalogue import Catalogue

SHADOW_ADMINISTRATOR = "service role that may only rewrite its own policies"
_PIPELINE = (
    *("cloudformation", "lambda", "ecs", "ecr", "s3", "logs", "iam", "apigateway", "dynamodb", "sqs", "sns"),
    "events",
)
_WITHOUT = ("iam", "sts", "organizations", "account", "kms")
_APPLICATION = ("s3:GetObject", "sqs:SendMessage", "sns:Publish")
_SHADOW = ("iam:PutRolePolicy", "iam:AttachRolePolicy")
_ITSELF = PathFact("self-escalation", surely=True, target="administrator")
_THROUGH_A_SERVICE = PathFact("existing-passrole", surely=True, target="administrator")


@dataclass(frozen=True, slots=True)
class _Archetype:
    name: str
    actions: int
    trust_class: str
    used: int = 0  # evenly over its actions
    path: PathFact | None = None
    environment: str = "production"


def archetypes(weights: RiskWeights) -> tuple[tuple[str, Risk], ...]:
    """Name and risk of each, in the order in which they come out with the weights of the reference file."""
    return tuple((name, score(facts, weights)) for name, facts in archetype_facts(load_catalogue()))


@cache
def archetype_facts(catalogue: Catalogue) -> tuple[tuple[str, RiskFacts], ...]:
    """Name and facts of each."""
    counter = ActionCounter(catalogue, action_weights(catalogue))
    return tuple((one.name, _facts(one, catalogue, counter)) for one in _archetypes(catalogue))


def _archetypes(catalogue: Catalogue) -> tuple[_Archetype, ...]:
    everything = catalogue.full
    pipeline = _services(catalogue, _PIPELINE)
    reading = _reads(catalogue)
    application = catalogue.mask(_APPLICATION)
    return (
        _Archetype("administrator for an unknown account, unused", everything, "unknown_account", path=_ITSELF),
        _Archetype("administrator user, old key, no MFA", everything, "user_old_key_no_mfa", path=_ITSELF),
        _Archetype("pipeline of twelve services, any OIDC subject", pipeline, "oidc_any_subject", 120, _ITSELF),
        _Archetype("administrator by single sign-on", everything, "federated", 300, _ITSELF),
        _Archetype(
            "the same under a boundary without iam, sts, organizations, account, kms",
            everything & ~_services(catalogue, _WITHOUT),
            "federated",
            300,
            _THROUGH_A_SERVICE,
        ),
        _Archetype("the same pipeline, OIDC subject pinned", pipeline, "oidc_pinned", 120, _ITSELF),
        _Archetype(SHADOW_ADMINISTRATOR, catalogue.mask(_SHADOW), "service", path=_ITSELF),
        _Archetype("read-only for an unknown account, no ExternalId", reading, "unknown_account"),
        _Archetype("read-only for a known vendor with ExternalId", reading, "vendor_external_id", 120),
        _Archetype("anyone may assume it, no permissions, sandbox", 0, "anyone", environment="sandbox"),
        _Archetype("tight application role, all of it used", application, "service", len(_APPLICATION)),
    )


def _facts(one: _Archetype, catalogue: Catalogue, counter: ActionCounter) -> RiskFacts:
    reach = Reach(one.actions, one.actions)
    return RiskFacts(
        reach=counter.counts(reach),
        unused=counter.unused(reach, _evenly(catalogue, one.actions, one.used)),
        reveals=counter.reveals(reach),
        paths=frozenset([one.path] if one.path else []),
        administrator=Certainty.SURELY if one.path is _ITSELF else None,
        trust_classes=frozenset([one.trust_class]),
        environment=one.environment,
    )


def _services(catalogue: Catalogue, names: Iterable[str]) -> int:
    mask = 0
    for name in names:
        mask |= catalogue.expand(f"{name}:*")
    return mask


def _reads(catalogue: Catalogue) -> int:
    """What only reads or lists, but for credentials."""
    facts = zip(catalogue.actions, catalogue.levels, action_weights(catalogue).classes, strict=True)
    reading = (AccessLevel.READ, AccessLevel.LIST)
    return catalogue.mask(action for action, level, name in facts if level in reading and name != "credential")


def _evenly(catalogue: Catalogue, actions: int, count: int) -> int:
    """So many of the actions, at equal distances."""
    numbers = list(bit_numbers(actions))
    return catalogue.mask(catalogue.actions[numbers[at * len(numbers) // count]] for at in range(count))
