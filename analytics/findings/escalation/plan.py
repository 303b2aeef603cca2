"""Paths made ready for a catalogue: what each action of a path must be allowed on.

The resource types of the Service Authorization Reference tell: an IAM action on a role is about the identity that the
path leads to, `lambda:CreateFunction` about a function of any name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.findings.escalation.facts import ROLE_KINDS
from analytics.findings.escalation.own import customer_policies, groups_of
from analytics.findings.escalation.paths import ASSUME, PASS_ROLE, EscalationPath, TakesOver, read_paths
from analytics.findings.escalation.trust import providers_of
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from analytics.findings.escalation.facts import Held
    from analytics.findings.estate import Subject
    from analytics.iam.catalogue import Catalogue


class Need(NamedTuple):
    """One required action, and on what of the target it must be allowed; None: on something of any name."""

    action: str
    belongings: Callable[[Subject], tuple[str, ...]] | None


class Plan(NamedTuple):
    """One path over a catalogue."""

    path: EscalationPath
    actions: frozenset[str]  # the required ones
    needs: tuple[Need, ...]  # but for passing a role and assuming one
    passes: bool
    assumes: bool
    is_own: bool  # may lead to the identity itself, or to one that it makes


class Plans:
    """All paths over one catalogue; those within a reach are looked up once."""

    def __init__(self, catalogue: Catalogue, paths: tuple[EscalationPath, ...] | None = None) -> None:
        found = (_plan(path, catalogue) for path in (read_paths() if paths is None else paths))
        self.plans = tuple(plan for plan in found if plan is not None)
        self.assume = next((one for one in self.plans if one.path.takes_over is TakesOver.ASSUMABLE_ROLE), None)
        self._within: dict[int, tuple[Mapping[str, Held], tuple[Plan, ...]]] = {}

    def within(self, held: Mapping[str, Held]) -> tuple[Plan, ...]:
        """The paths whose actions are all held, perhaps, in the order of the file; once for the same mapping."""
        known = self._within.get(id(held))
        if known is None:
            actions = set(held)
            known = held, tuple([plan for plan in self.plans if plan.actions <= actions])
            self._within[id(held)] = known
        return known[1]


def _plan(path: EscalationPath, catalogue: Catalogue) -> Plan | None:
    """None where the catalogue does not know one of the actions: nobody can hold the path there."""
    if any(catalogue.number(action) is None for action in path.required_actions):
        return None
    needs = tuple(
        Need(action, _about(action, path, catalogue))
        for action in path.required_actions
        if action not in (PASS_ROLE, ASSUME)
    )
    actions = path.required_actions
    is_own = path.creates is not None or bool(path.self_for)
    return Plan(path, frozenset(actions), needs, PASS_ROLE in actions, ASSUME in actions, is_own)


def _about(action: str, path: EscalationPath, catalogue: Catalogue) -> Callable[[Subject], tuple[str, ...]] | None:
    if path.takes_over is None or not action.startswith("iam:"):
        return None
    kinds = {kind.name for kind in catalogue.resource_types(action)}
    if "group" in kinds and path.takes_over is TakesOver.USER:
        return None  # the group that a user joins is not the user's yet
    return next((about for kind, about in _ABOUT.items() if kind in kinds), None)


def _role(subject: Subject) -> tuple[str, ...]:
    return (subject.arn,) if subject.kind in ROLE_KINDS else ()


def _user(subject: Subject) -> tuple[str, ...]:
    return (subject.arn,) if subject.kind is PrincipalKind.USER else ()


_ABOUT: Mapping[str, Callable[[Subject], tuple[str, ...]]] = {
    "role": _role,
    "user": _user,
    "policy": customer_policies,
    "group": groups_of,
    "saml-provider": providers_of,
}
