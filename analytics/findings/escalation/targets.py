"""Whom a path may lead to, account by account, the most privileged first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from analytics.findings.escalation.facts import MAYBE, ROLE_KINDS, SURELY, Held
from analytics.findings.escalation.levels import LEVELS, Weighing
from analytics.findings.escalation.own import customer_policies, groups_of
from analytics.findings.escalation.paths import ASSUME, TakesOver
from analytics.findings.escalation.trust import providers_of
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.findings.escalation.paths import EscalationPath
    from analytics.findings.escalation.powers import Powers
    from analytics.findings.escalation.trust import Trusts
    from analytics.findings.estate import Estate, Subject


class Candidate(NamedTuple):
    """One identity that a path may lead to; for a role that a service may take on, which service and how certainly."""

    subject: Subject
    level: str
    service: str | None = None
    trusted: Held = SURELY


class Ranked:
    """Candidates in the order of privilege, found by ARN too."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self.candidates = tuple(candidates)
        self._positions = {one.subject.arn: at for at, one in enumerate(self.candidates)}

    def others(self, arn: str) -> bool:
        """Whether there is anyone but one."""
        return len(self.candidates) > (arn in self._positions)

    def within(self, scopes: Iterable[Collection[str]]) -> Iterator[Candidate]:
        """Those within all of the scopes."""
        limiting = sorted(scopes, key=len)
        if not limiting:
            yield from self.candidates
            return
        smallest, *others = limiting
        if len(smallest) < len(self.candidates):
            found = sorted(self._positions[arn] for arn in smallest if arn in self._positions)
            chosen: Iterable[Candidate] = (self.candidates[at] for at in found)
        else:
            chosen, others = self.candidates, limiting
        for one in chosen:
            if all(one.subject.arn in scope for scope in others):
                yield one


class Targets:
    """The identities of an estate by account and by what takes them over, each list in the order of privilege."""

    def __init__(self, estate: Estate, weighing: Weighing, trusts: Trusts, levels: Mapping[str, str]) -> None:
        self._weighing = weighing
        self._trusts = trusts
        self._levels = levels
        self._by_account: defaultdict[str, list[Subject]] = defaultdict(list)
        for subject in estate.subjects.values():
            self._by_account[subject.account_id].append(subject)
        self._weights: dict[str, float] = {}
        self._taken: dict[tuple[str, TakesOver, bool], Ranked] = {}
        self._serving: dict[tuple[str, tuple[str, ...]], tuple[Candidate, ...]] = {}
        self._admitting: dict[str, tuple[Candidate, ...]] = {}
        self._askers: dict[str, tuple[Subject, ...]] = {}
        self._admitted: dict[str, dict[str, Held]] = {}

    def level(self, subject: Subject) -> str:
        """How privileged an identity of the estate is."""
        return self._levels[subject.arn]

    def order(self, candidate: Candidate) -> tuple[int, float, str]:
        """From the most privileged down, then by weight, then by name."""
        arn = candidate.subject.arn
        weight = self._weights.get(arn)
        if weight is None:
            weight = self._weights[arn] = self._weighing.weight(candidate.subject.reach.maybe)
        return LEVELS.index(candidate.level), -weight, arn

    def serving(self, account_id: str, services: tuple[str, ...]) -> tuple[Candidate, ...]:
        """The roles of an account that one of the services may assume."""
        key = (account_id, services)
        if key not in self._serving:
            found = (
                Candidate(role, self.level(role), service, held)
                for service in services
                for role, held in self._trusts.behind(account_id, service)
            )
            self._serving[key] = tuple(sorted(found, key=self.order))
        return self._serving[key]

    def taken_over(self, account_id: str, path: EscalationPath) -> Ranked:
        """The identities of an account of the kind that a path takes over.

        One that is strengthened on the way counts by what its own limits leave it.
        """
        if path.takes_over is None:
            return NO_CANDIDATES
        key = (account_id, path.takes_over, path.strengthens)
        if key not in self._taken:
            members = filter(_FITS[path.takes_over], self._by_account.get(account_id, ()))
            levels: Callable[[Subject], str] = (
                (lambda one: self._weighing.cap(one.stack)) if path.strengthens else self.level
            )
            found = (Candidate(one, levels(one)) for one in members)
            self._taken[key] = Ranked(sorted(found, key=self.order))
        return self._taken[key]

    def admitting(self, account_id: str) -> tuple[Candidate, ...]:
        """The roles that any identity of an account may assume whose policies let it, whichever it is."""
        if account_id not in self._admitting:
            roles = {role.arn: (role, held) for role, held in self._trusts.by_account(account_id) if held is not None}
            found = (Candidate(role, self.level(role), None, held) for role, held in roles.values())
            self._admitting[account_id] = tuple(sorted(found, key=self.order))
        return self._admitting[account_id]

    def admitted(self, account_id: str) -> dict[str, Held]:
        """The same roles by ARN, with how certain it is."""
        if account_id not in self._admitted:
            self._admitted[account_id] = {one.subject.arn: one.trusted for one in self.admitting(account_id)}
        return self._admitted[account_id]

    def _asking(self, account_id: str) -> tuple[Subject, ...]:
        """The roles that admit an account, but ask which of its identities calls."""
        if account_id not in self._askers:
            by_account = self._trusts.by_account(account_id)
            self._askers[account_id] = tuple(role for role, held in by_account if held is None)
        return self._askers[account_id]

    def assumed(self, powers: Powers) -> tuple[Candidate, ...]:
        """The roles that an identity may assume for what it is, not for its account alone; decided one by one."""
        caller, reach = powers.subject, powers.reach(ASSUME)
        chosen: Iterable[Subject] = self._trusts.naming(caller)
        if reach is SURELY:
            chosen = [*chosen, *self._asking(caller.account_id)]
        elif reach is MAYBE:
            chosen = self._trusts.open_to(powers)
        decided = {
            role.arn: Candidate(role, self.level(role), None, held)
            for role in chosen
            if (held := self._trusts.assumes(powers, role))
        }
        return tuple(sorted(decided.values(), key=self.order))


NO_CANDIDATES = Ranked(())


Best = tuple[Candidate, Held]


def strongest(
    candidates: Iterable[Candidate],
    grade: Callable[[Candidate], Held],
    factor: Mapping[str, float],
    certainty: Mapping[Held, float],
    most: Held,
) -> Best | None:
    """Of candidates in the order of privilege, the one that counts most; `most`: no grade can be more certain."""
    best: Best | None = None
    value = -1.0
    for candidate in candidates:
        if factor[candidate.level] * certainty[most] <= value:
            break
        held = grade(candidate)
        found = factor[candidate.level] * certainty[held]
        if held and found > value:
            best, value = (candidate, held), found
    return best


def _is_user(subject: Subject) -> bool:
    return subject.kind is PrincipalKind.USER


def _is_role(subject: Subject) -> bool:
    return subject.kind in ROLE_KINDS


def _holds_customer_policy(subject: Subject) -> bool:
    return (_is_user(subject) or _is_role(subject)) and bool(customer_policies(subject))


def _trusts_saml(subject: Subject) -> bool:
    return _is_role(subject) and bool(providers_of(subject))


def _nobody(_subject: Subject) -> bool:
    return False


_FITS: Mapping[TakesOver, Callable[[Subject], bool]] = {
    TakesOver.USER: _is_user,
    TakesOver.ROLE: _is_role,
    TakesOver.POLICY_HOLDER: _holds_customer_policy,
    TakesOver.GROUP_MEMBER: lambda subject: _is_user(subject) and bool(groups_of(subject)),
    TakesOver.ASSUMABLE_ROLE: _nobody,  # of any account: by trust, not by account
    TakesOver.FEDERATED_ROLE: _trusts_saml,
    TakesOver.PERMISSION_SET: _nobody,
    TakesOver.MEMBER_ROOT: _nobody,
}


def itself(subject: Subject) -> tuple[str, ...]:
    """The ARN of an identity, as what an action may be on."""
    return (subject.arn,)
