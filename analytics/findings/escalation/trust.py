"""Who may become which role: trust documents indexed by whom they name, and decided exactly for those alone.

Roles trusted by a whole account are decided once for the account where no condition asks which of its identities
calls. IAM User Guide, "IAM JSON policy elements: Principal" and "Cross-account policy evaluation logic".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from analytics.engine.decide import Decider, Policies, Request, Result
from analytics.engine.reach_facts import about_principal
from analytics.findings.escalation.facts import ANY_NAME, MAYBE, NO, ROLE_KINDS, SURELY, Held, keys_of
from analytics.findings.escalation.levels import EVERYTHING
from analytics.findings.escalation.paths import ASSUME
from analytics.iam.names import PrincipalKind, account_of
from analytics.iam.policy import Effect, PolicyDocument, Principals, Statement
from analytics.iam.stack import NamedPolicy

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from analytics.findings.escalation.powers import Powers
    from analytics.findings.escalation.workshop import Workshop
    from analytics.findings.estate import Subject

SAML_PROVIDER = ":saml-provider/"
_EVERYONE = "*"
_LOWER = ASSUME.lower()
_TRUSTS_ALL = PolicyDocument(
    (Statement(Effect.ALLOW, action=(ASSUME,), principal=Principals(everyone=True)),), version="2012-10-17"
)


class Trusts:
    """The trust documents of an estate's roles."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._estate = workshop.estate
        self._by_service: defaultdict[tuple[str, str], list[Subject]] = defaultdict(list)
        self._federated: defaultdict[str, list[Subject]] = defaultdict(list)
        self._by_party: defaultdict[str, list[Subject]] = defaultdict(list)  # account id, ARN, unique id or `*`
        self._parties: dict[str, frozenset[str]] = {}
        self._behind: dict[tuple[str, str], tuple[tuple[Subject, Held], ...]] = {}
        self._trusted: dict[Hashable, Held] = {}
        self._admits: dict[Hashable, Held | None] = {}
        self._assumed: dict[Hashable, Held] = {}
        self._trust_keys: dict[tuple[int, int], frozenset[str]] = {}
        self._by_name: dict[int, bool] = {}  # by the RCP levels of a role
        for subject in workshop.estate.subjects.values():
            if subject.trust is not None and subject.kind in ROLE_KINDS:
                self._add(subject, subject.trust)

    def behind(self, account_id: str, service: str) -> tuple[tuple[Subject, Held], ...]:
        """The roles of an account that a service may assume, each with how certain that is."""
        key = (account_id, service)
        if key not in self._behind:
            named = {role.arn: role for role in self._by_service.get(key, ())}
            named |= {role.arn: role for role in self._by_party.get(_EVERYONE, ()) if role.account_id == account_id}
            judged = ((role, self._serves(role, service)) for role in named.values())
            self._behind[key] = tuple((role, held) for role, held in judged if held)
        return self._behind[key]

    def federated(self, account_id: str) -> tuple[Subject, ...]:
        """The roles of an account that trust a SAML provider."""
        return tuple(self._federated.get(account_id, ()))

    def by_account(self, account_id: str) -> Iterator[tuple[Subject, Held | None]]:
        """The roles that admit an account as a whole; None: it depends on which identity calls."""
        for role in self._open_to(account_id):
            held = self._admitted(role, account_id)
            if held is not NO:
                yield role, held

    def naming(self, caller: Subject) -> list[Subject]:
        """The roles that name this identity itself."""
        unique_id = caller.stack.principal.unique_id
        return [*self._by_party.get(caller.arn, ()), *(self._by_party.get(unique_id, ()) if unique_id else ())]

    def open_to(self, powers: Powers) -> Iterator[Subject]:
        """The roles whose trust may admit the identity and whose ARN its policies may mean, each once."""
        caller, means = powers.subject, powers.spoken(ASSUME).means
        named = self.naming(caller)
        seen = {role.arn for role in named} | {caller.arn}
        yield from (role for role in named if role.arn != caller.arn)
        for role in self._open_to(caller.account_id):
            if role.arn not in seen and means(role.arn):
                seen.add(role.arn)
                yield role

    def assumes(self, powers: Powers, role: Subject) -> Held:
        """Whether an identity may assume a role: its own policies, the trust document, SCPs and RCPs together.

        AWS STS, AssumeRole: the root user of an account cannot.
        """
        caller = powers.subject
        if caller.kind is PrincipalKind.ROOT or role.arn == caller.arn or role.trust is None:
            return NO
        parties = self._parties.get(role.arn, frozenset())
        unique_id = caller.stack.principal.unique_id
        if caller.arn not in parties and (unique_id is None or unique_id not in parties):
            if caller.account_id not in parties and _EVERYONE not in parties:
                return NO
            if powers.reach(ASSUME) is SURELY:
                admitted = self._admitted(role, caller.account_id)
                if admitted is not None:
                    return admitted
        return self._decide(powers, role)

    def might_assume(self, powers: Powers, role_arn: str) -> bool:
        """Whether an identity may assume a role of which nothing is known, if only that role trusts it."""
        stack = powers.subject.stack
        known = powers.known
        unknown = frozenset(key for key in powers.spoken(ASSUME).keys if known.is_unknown(key))
        policies = replace(Policies.of(stack, _TRUSTS_ALL), rcp_levels=())
        request = Request(powers.subject.arn, ASSUME, role_arn, context=known.values, unknown_keys=unknown)
        return _held(Decider(policies, self._workshop.compiler), request) is not NO

    def _decide(self, powers: Powers, role: Subject) -> Held:
        """Decided once for all callers and roles for whom all that bears on it is the same."""
        caller, spoken = powers.subject, powers.spoken(ASSUME)
        known = powers.known
        bearing = self._workshop.marks.bearing(spoken, role.arn, known)
        keys = {*bearing.keys, *self._keys(role)}
        values = {key: known.values[key] for key in sorted(keys) if key in known.values}
        unknown = frozenset(key for key in keys if known.is_unknown(key))
        parties = self._parties.get(role.arn, frozenset())
        question = (
            bearing.number,
            self._limited(role),
            caller.account_id if all(map(_is_general, parties)) else caller.arn,
            caller.stack.boundary is None,
            tuple(values.items()),
            unknown,
        )
        held = self._assumed.get(question)
        if held is None:
            stack = caller.stack
            policies = replace(Policies.of(stack, role.trust), rcp_levels=_rcps(role))
            request = Request(caller.arn, ASSUME, role.arn, context=known.values, unknown_keys=unknown)
            held = self._assumed[question] = _held(Decider(policies, self._workshop.compiler), request)
        return min(held, MAYBE) if caller.stack.boundary_not_collected else held

    def _keys(self, role: Subject) -> frozenset[str]:
        """The condition keys at which the role's trust and the RCPs above it look."""
        key = (id(role.trust), id(role.stack.rcp_levels))
        if key not in self._trust_keys:
            self._trust_keys[key] = keys_of(self._workshop.compiler, _bearing(role), ASSUME)
        return self._trust_keys[key]

    def _limited(self, role: Subject) -> Hashable:
        """All that the answers of a role rest on; its name only where an RCP speaks of some roles alone."""
        compiled = self._workshop.compiler.policy
        levels = role.stack.rcp_levels
        if id(levels) not in self._by_name:
            said = (one for level in levels for named in level.policies for one in compiled(named.document).on(_LOWER))
            self._by_name[id(levels)] = not all(one.scope.everywhere for one in said)
        name = role.arn if self._by_name[id(levels)] else ""
        return id(role.trust), id(levels), role.account_id, name

    def _add(self, role: Subject, trust: PolicyDocument) -> None:
        parties: set[str] = set()
        for statement in trust.statements:
            if statement.effect is not Effect.ALLOW:
                continue
            if statement.principal is None:
                parties.add(_EVERYONE)  # NotPrincipal: everyone but some
                continue
            parties |= _parties(statement.principal)
            for service in statement.principal.service:
                known = self._by_service[role.account_id, service]
                if role not in known[-1:]:
                    known.append(role)
            if any(SAML_PROVIDER in provider for provider in statement.principal.federated):
                known = self._federated[role.account_id]
                if role not in known[-1:]:
                    known.append(role)
        self._parties[role.arn] = frozenset(parties)
        for party in parties:
            self._by_party[party].append(role)

    def _open_to(self, account_id: str) -> Iterator[Subject]:
        yield from self._by_party.get(account_id, ())
        yield from self._by_party.get(_EVERYONE, ())

    def _serves(self, role: Subject, service: str) -> Held:
        """The resource for which the service acts is in the role's own account, and otherwise of any name."""
        key = (self._limited(role), service)
        held = self._trusted.get(key)
        if held is None:
            context = {
                "aws:sourceaccount": (role.account_id,),
                "aws:principalisawsservice": ("true",),
                "aws:principalservicename": (service,),
            }
            keys = self._keys(role)
            unknown = frozenset(keys - context.keys())
            request = Request(service, ASSUME, role.arn, context=context, unknown_keys=unknown)
            policies = Policies(rcp_levels=_rcps(role), resource=role.trust)
            held = self._trusted[key] = _held(Decider(policies, self._workshop.compiler), request)
        return held

    def _admitted(self, role: Subject, account_id: str) -> Held | None:
        """Whether the role admits any identity of the account that may ask; None: it depends on which one asks."""
        key = (self._limited(role), account_id)
        if key not in self._admits:
            self._admits[key] = self._decide_account(role, account_id)
        return self._admits[key]

    def _decide_account(self, role: Subject, account_id: str) -> Held | None:
        context = {"aws:principalaccount": (account_id,), "aws:principalisawsservice": ("false",)}
        organization = self._organizations.get(account_id)
        if organization is not None:
            context["aws:principalorgid"], context["aws:principalorgpaths"] = (organization[0],), (organization[1],)
        keys = self._keys(role)
        partition = role.arn.split(":", 2)[1]
        request = Request(
            f"arn:{partition}:iam::{account_id}:role/{ANY_NAME}",
            ASSUME,
            role.arn,
            context=context,
            unknown_keys=frozenset(keys - context.keys()),
        )
        policies = Policies(identity=(EVERYTHING.document,), rcp_levels=_rcps(role), resource=role.trust)
        decision = Decider(policies, self._workshop.compiler).decide(request)
        if decision.result is Result.ALLOWED:
            return SURELY
        if decision.result is not Result.UNDECIDABLE:
            return NO
        return None if any(map(about_principal, decision.unknown_keys)) else MAYBE

    @cached_property
    def _organizations(self) -> dict[str, tuple[str, str]]:
        """By account, the organisation's id and the account's path in it."""
        facts = (subject.stack.principal for subject in self._estate.subjects.values())
        return {
            one.account_id: (one.organization_id, one.organization_path)
            for one in facts
            if one.organization_id and one.organization_path
        }


def providers_of(role: Subject) -> tuple[str, ...]:
    """The SAML providers whose users may become the role."""
    statements = role.trust.statements if role.trust is not None else ()
    found = (
        provider
        for statement in statements
        if statement.effect is Effect.ALLOW and statement.principal is not None
        for provider in statement.principal.federated
        if SAML_PROVIDER in provider
    )
    return tuple(dict.fromkeys(found))


def _held(decider: Decider, request: Request) -> Held:
    result = decider.decide(request).result
    if result is Result.ALLOWED:
        return SURELY
    return MAYBE if result is Result.UNDECIDABLE else NO


def _parties(principals: Principals) -> set[str]:
    """The accounts, ARNs and unique ids that a Principal element names; `*` for everyone."""
    found = {_EVERYONE} if principals.everyone else set()
    for text in principals.aws:
        is_account = text.endswith(":root") and text.startswith("arn:")
        found.add((account_of(text) or text) if is_account else text)
    return found


def _rcps(role: Subject) -> tuple[tuple[PolicyDocument, ...], ...]:
    return tuple(tuple(named.document for named in level.policies) for level in role.stack.rcp_levels)


def _bearing(role: Subject) -> Iterator[NamedPolicy]:
    """What bears on a session's beginning beside the caller's policies: the role's trust and its account's RCPs."""
    for level in role.stack.rcp_levels:
        yield from level.policies
    if role.trust is not None:
        yield NamedPolicy("trust", role.trust)


def _is_general(party: str) -> bool:
    """Whether a party is everyone, or an account as a whole."""
    return party == _EVERYONE or party.isdigit()
