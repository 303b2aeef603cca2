"""Which boundary template fits which identity: all that it used stays inside, and as little unused privilege as can be.

A template fits surely where every used action is allowed by it on everything, without a condition; perhaps where some
is allowed on some resources or in some requests only. INVARIANT: calls broken are a number only where that is certain:
nothing that was used hangs on a resource or a condition, and nothing is cut of which a call could have gone unseen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from analytics.engine.reach_facts import about_principal
from analytics.engine.reach_layers import on_resources, spoken_of
from analytics.findings.audience import audiences
from analytics.findings.boundaries.inventory import can_have_boundary, has_boundary
from analytics.findings.boundaries.templates import Template, read_templates, render
from analytics.findings.organization.caller import ordinary_role
from analytics.findings.organization.view import EVERYTHING
from analytics.findings.weights import action_weights
from analytics.iam.policy import Effect
from analytics.iam.stack import NamedPolicy, PolicyStack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.engine.reach import Reachable
    from analytics.findings.estate import Estate, Subject
    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import PolicyDocument

MOST_ACCOUNTS = 60  # that fit into a boundary as a list; beyond it the tag and the bucket names must do
WORTH_IT = 0.1  # of the unused weight: less is not worth a boundary
GUARDED = (
    *("iam:CreateRole", "iam:CreateUser", "iam:PutRolePolicy", "iam:PutUserPolicy", "iam:AttachRolePolicy"),
    *("iam:AttachUserPolicy", "iam:CreatePolicyVersion", "iam:UpdateAssumeRolePolicy"),
)
_SOME_ACCOUNT = "000000000000"  # sets of actions do not depend on the account


class Fits(StrEnum):
    """Whether all that an identity used stays inside a template."""

    SURELY = "surely"
    PERHAPS = "perhaps"  # some of it on some resources or in some requests only
    NO = "no"


@dataclass(frozen=True, slots=True)
class Fit:
    """One identity under one template."""

    template: str
    arn: str
    fits: Fits
    lost: int  # bits: used actions that the template stops
    at_risk: int  # bits: used actions that it lets through in part, or stops where they may not have been needed
    cut: int  # actions that it takes away
    unseen_cut: int  # of those, actions of which a call would not have been seen
    weight_before: float  # of the unused privilege, the present boundary left out
    weight_left: float
    worth_it: bool  # takes away a tenth of that, or limits how identities and their policies are made
    calls_lost: int = 0  # calls of the window that it would have stopped
    calls_at_risk: int = 0  # calls that it may have stopped

    @property
    def calls_broken(self) -> int | None:
        """Calls of the window that break; None where that is not proven, and `calls_lost` is a lower bound."""
        return None if self.at_risk or self.unseen_cut or self.calls_at_risk else self.calls_lost


@dataclass(frozen=True, slots=True)
class _Limit:
    """One boundary as sets: what it lets through to anybody in some request, and on everything without a condition."""

    policy: NamedPolicy
    maybe: int | None  # None: it depends on who the principal is
    always: int


class Fitter:
    """The templates compiled once, and put to any number of identities."""

    def __init__(self, reachable: Reachable, parameters: Mapping[str, str | tuple[str, ...]] | None = None) -> None:
        self._reachable = reachable
        self.catalogue = reachable.catalogue
        self._parameters = parameters or {}
        self._guarded = self.catalogue.mask(GUARDED)
        self._classes = _weight_classes(reachable.catalogue)
        self._limits = tuple(
            self._limit(NamedPolicy(template.id, self.document(template, _SOME_ACCOUNT)))
            for template in read_templates()
        )
        self._others: dict[int, _Limit] = {}  # by the identity of the document, which the limit keeps
        self._kept: dict[tuple[int, int, int, int, int, int], tuple[Fits, int, int, int, int, float, float, bool]] = {}

    def under(self, subject: Subject, policy: NamedPolicy, needed: int | None = None) -> Fit:
        """The identity under any boundary in the place of its own; as `of`, calls are not counted here."""
        limit = self._others.get(id(policy.document))
        if limit is None:
            limit = self._others[id(policy.document)] = self._limit(policy)
        sure = subject.seen if needed is None else needed
        return self._fit(subject, free_maybe=self._unbounded(subject), sure=sure, limit=limit)

    def _unbounded(self, subject: Subject) -> int:
        """What is possible for the identity without its boundary."""
        if not has_boundary(subject):
            return subject.reach.maybe
        return self._reachable.of(replace(subject.stack, boundary=None, boundary_not_collected=False)).maybe

    def _limit(self, policy: NamedPolicy) -> _Limit:
        document = policy.document
        anybody = PolicyStack(ordinary_role(None, None, None), identity=(EVERYTHING,), boundary=policy)
        maybe = None if _asks_who(document) else self._reachable.of(anybody).maybe
        return _Limit(policy, maybe, unconditional(document, self.catalogue))

    def document(self, template: Template, account_id: str, partition: str = "aws") -> PolicyDocument:
        """The template for one account, with the parameters that are given and the defaults of the rest."""
        known = {parameter.name for parameter in template.parameters}
        given = {name: value for name, value in self._parameters.items() if name in known}
        return render(template, {**given, "account_id": account_id, "partition": partition})

    def of(self, subject: Subject, needed: int | None = None) -> tuple[Fit, ...]:
        """The identity under every template, in the order of the templates; calls are not counted here.

        `needed`: the used actions of which it is sure that a call needed them; None: all that were seen.
        """
        before = self._unbounded(subject)
        sure = subject.seen if needed is None else needed
        return tuple(self._fit(subject, free_maybe=before, sure=sure, limit=limit) for limit in self._limits)

    def _fit(self, subject: Subject, *, free_maybe: int, sure: int, limit: _Limit) -> Fit:
        after = self._after(subject, free_maybe, limit)
        key = (limit.always, free_maybe, after, subject.seen, sure, subject.observable)
        known = self._kept.get(key)
        if known is None:
            used = subject.seen & free_maybe
            lost = used & sure & ~after
            at_risk = used & ~limit.always & ~lost
            cut = free_maybe & ~after
            fits = Fits.NO if lost else Fits.PERHAPS if at_risk else Fits.SURELY
            unseen = (cut & ~subject.observable).bit_count()
            before_weight = self._weight(free_maybe & ~subject.seen)
            left = self._weight(after & ~subject.seen)
            much = bool(cut) and left <= before_weight * (1 - WORTH_IT)
            worth = much or bool(free_maybe & self._guarded & ~limit.always)
            known = self._kept[key] = (fits, lost, at_risk, cut.bit_count(), unseen, before_weight, left, worth)
        return Fit(limit.policy.name, subject.arn, *known)

    def _after(self, subject: Subject, free_maybe: int, limit: _Limit) -> int:
        """What is possible under the template: a boundary intersects, as `Reachable.of` has it."""
        if limit.maybe is not None:
            return free_maybe & limit.maybe
        stack = replace(subject.stack, boundary=limit.policy, boundary_not_collected=False)
        return self._reachable.of(stack).maybe

    def _weight(self, mask: int) -> float:
        return round(sum((mask & actions).bit_count() * weight for weight, actions in self._classes), 1)

    def best(self, subject: Subject) -> Fit | None:
        """The template under which all that was used stays inside and least unused privilege is left.

        None where nothing was seen used (nothing speaks for any), where none fits the kind of identity, and where none
        takes away enough to be worth it.
        """
        welcome = _welcome(subject)
        if not welcome:
            return None
        before = self._unbounded(subject)
        used = subject.seen & before
        fits = [
            self._fit(subject, free_maybe=before, sure=subject.seen, limit=limit)
            for limit in self._limits
            if limit.policy.name in welcome and not used & ~self._after(subject, before, limit)
        ]
        return _best(fits, welcome)


def best_of(fits: Iterable[Fit], subject: Subject) -> Fit | None:
    """The best of an identity's fits; templates for others, or for other accounts, are not suggested."""
    return _best(fits, _welcome(subject))


def _best(fits: Iterable[Fit], welcome: frozenset[str]) -> Fit | None:
    fitting = [fit for fit in fits if fit.fits is not Fits.NO and fit.worth_it and fit.template in welcome]
    return min(fitting, key=lambda fit: (fit.weight_left, fit.at_risk.bit_count(), fit.template), default=None)


def _welcome(subject: Subject) -> frozenset[str]:
    """The templates that could be suggested for an identity; none where nothing speaks for any."""
    if not subject.seen or not can_have_boundary(subject) or subject.policies_not_collected:
        return frozenset()
    behind = audiences(subject)
    return frozenset(
        one.id for one in read_templates() if one.audience in behind and one.belongs_in(subject.environment)
    )


def best_template(subject: Subject, estate: Estate) -> tuple[Template, PolicyDocument] | None:
    """The template that fits an identity best, rendered for its account; None where none is to be suggested."""
    fitter = fitter_of(estate)
    best = fitter.best(subject)
    if best is None:
        return None
    found = next(template for template in read_templates() if template.id == best.template)
    return found, fitter.document(found, subject.account_id, subject.arn.split(":")[1])


def fitter_of(estate: Estate) -> Fitter:
    """The fitter of an estate: its production accounts are known to the templates that ask for them."""
    production = tuple(
        account.account_id for account in estate.accounts.values() if account.environment in ("production", "prod")
    )
    return _fitter(estate.reachable, production if len(production) <= MOST_ACCOUNTS else ())


@lru_cache(maxsize=4)
def _fitter(reachable: Reachable, production_accounts: tuple[str, ...]) -> Fitter:
    return Fitter(reachable, {"production_accounts": production_accounts})


def unconditional(document: PolicyDocument, catalogue: Catalogue) -> int:
    """The actions that a document allows on everything in every request: what no condition or resource can spoil."""
    allowed = denied = 0
    for statement in document.statements:
        actions = on_resources(statement, spoken_of(statement, catalogue), catalogue)
        if statement.effect is Effect.DENY:
            denied |= actions.maybe
        elif not statement.condition:
            allowed |= actions.surely
    return allowed & ~denied


@lru_cache(maxsize=2)
def _weight_classes(catalogue: Catalogue) -> tuple[tuple[float, int], ...]:
    """The actions of each weight, as a set."""
    by_weight: dict[float, bytearray] = {}
    for number, weight in enumerate(action_weights(catalogue).weights):
        if weight:
            octets = by_weight.setdefault(weight, bytearray(len(catalogue.actions) // 8 + 1))
            octets[number >> 3] |= 1 << (number & 7)
    return tuple((weight, int.from_bytes(octets, "little")) for weight, octets in sorted(by_weight.items()))


def _asks_who(document: PolicyDocument) -> bool:
    """Whether a condition or a variable of the document asks who the principal is."""
    return any(
        about_principal(condition.key.lower()) or any("${" in value for value in condition.values)
        for statement in document.statements
        for condition in statement.condition
    )
