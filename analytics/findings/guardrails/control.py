"""The SCP and RCP columns: what the control policies from the root down to a node do about a scenario.

At a root or OU the question is about any account below: what is attached further down does not count, and an account
that the policies name is asked after by itself. So a covered OU covers its accounts. Equal chains are asked once.
Organizations User Guide, "Service control policies (SCPs)", "Resource control policies (RCPs)".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.decide_facts import rcp_services
from analytics.findings.estate import POLICY_TYPES
from analytics.findings.guardrails.ask import Scope
from analytics.findings.guardrails.chain import PART, chain_of, lets_all_pass
from analytics.findings.guardrails.naming import SOME
from analytics.findings.guardrails.probes import Caller, Place, is_about_strangers, ordinary
from analytics.findings.guardrails.scenarios import lists_named
from analytics.findings.guardrails.spared import Others, spared_by
from analytics.findings.guardrails.values import LeftOut, State, Stated
from analytics.findings.organization.caller import ANY_ACCOUNT
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect, PolicyDocument, Statement
from analytics.sources.organization import is_not_collected

if TYPE_CHECKING:
    from analytics.engine.decide_policy import Compiler
    from analytics.findings.estate import Estate, Subject
    from analytics.findings.guardrails.answers import Outcome
    from analytics.findings.guardrails.ask import Asker
    from analytics.findings.guardrails.chain import At, Chain
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.iam.stack import ControlLevel, NamedPolicy


_ALL = PolicyDocument((Statement(Effect.ALLOW, action=("*",), resource=("*",)),), "2012-10-17")
SPARED = "The policies spare this identity."


class Found(NamedTuple):
    """What a layer does about a scenario somewhere, before use is counted."""

    state: State
    statements: tuple[Stated, ...] = ()
    missing: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    exemptions: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    principals: int | None = None
    stopped: int | None = None
    closed: frozenset[str] = frozenset()  # actions that are stopped, surely or perhaps, for everybody in scope


class Placing:
    """Where nodes and accounts stand in the organisation."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self.ancestors: dict[str, tuple[str, ...]] = {}  # of a node, from the root, itself included
        self.accounts: dict[str, list[str]] = {}  # below a node, itself included; without the management account
        for node in estate.nodes.values():  # parents come before children
            above = self.ancestors.get(node.parent_id or "", ())
            self.ancestors[node.node_id] = (*above, node.node_id)
            self.accounts[node.node_id] = []
            if node.kind == "account" and node.node_id != estate.management_account_id:
                for one in self.ancestors[node.node_id]:
                    self.accounts[one].append(node.node_id)

    def place(self, target: str) -> Place:
        """The account, or any account directly in the node."""
        above = self.ancestors.get(target, ())
        node = self._estate.nodes.get(target)
        is_account = node is None or node.kind == "account"
        organization = self._estate.organization_id
        inner = above[:-1] if is_account else above
        path = f"{organization}/{'/'.join(inner)}/" if organization and inner else None
        return Place(target if is_account else ANY_ACCOUNT, organization if above else None, path)


class ControlLayer:
    """One of the two columns of control policies."""

    def __init__(self, estate: Estate, layer: str, placing: Placing, asker: Asker, compiler: Compiler) -> None:
        self._estate = estate
        self._layer = layer
        self._placing = placing
        self._asker = asker
        self._compiler = compiler
        self._chains: dict[tuple[tuple[int, ...], ...], Chain] = {}
        self._outcomes: dict[object, Outcome] = {}

    def found(self, scenario: Scenario, target: str) -> Found:
        """What the policies down to the node do about the scenario."""
        stays_out = self._stays_out(scenario, target)
        if stays_out is not None:
            return stays_out
        levels, unread = self._levels(target)
        chain = self._chain(levels)
        callers, key = self._callers(scenario, target, chain)
        asked = (scenario.id, id(chain), key)
        outcome = self._outcomes.get(asked)
        if outcome is None:
            scope = Scope(lambda named: self._named(named, target), self._binds)
            outcome = self._outcomes[asked] = self._asker.outcome(scenario, chain, callers, scope)
        return self._unless_unread(self._shown(scenario, outcome, levels), unread)

    def found_of(self, scenario: Scenario, subject: Subject) -> Found:
        """What they do about the scenario when one identity tries it."""
        if subject.kind is PrincipalKind.SERVICE_LINKED_ROLE:
            note = "Control policies do not bind service-linked roles."
            return Found(State.NOT_APPLICABLE, open=scenario.actions, notes=(note,))
        if scenario.principal == "root_user" or is_about_strangers(scenario):
            caller = "the root user" if scenario.principal == "root_user" else "callers from outside the organisation"
            return Found(State.NOT_APPLICABLE, notes=(f"The scenario is about {caller}.",))
        stays_out = self._stays_out(scenario, subject.account_id)
        if stays_out is not None:
            return stays_out
        levels, unread = self._levels(subject.account_id)
        chain = self._chain(levels)
        place = self._placing.place(subject.account_id)
        scope = Scope(binds=self._binds)
        outcome = self._asker.outcome(scenario, chain, [Caller(subject.stack.principal, place)], scope)
        found = self._shown(scenario, outcome, levels)
        others = Others(self._asker, place, scope, lambda at: _stated(levels, at))
        spared = spared_by(scenario, subject, outcome, chain, others)
        if spared:
            found = found._replace(exemptions=spared, notes=(*found.notes, SPARED))
        return self._unless_unread(found, unread)

    def _unless_unread(self, found: Found, unread: tuple[str, ...]) -> Found:
        """Unknown where a policy that was not collected may decide; what others stop stays stopped."""
        if not unread or found.state is State.COVERED:
            return found
        note = f"The snapshot does not hold the text of {', '.join(f'`{name}`' for name in unread)}."
        return Found(State.UNKNOWN, open=found.open, notes=(note,))

    def _stays_out(self, scenario: Scenario, target: str) -> Found | None:
        """Where the layer cannot act, or nobody knows whether it does."""
        estate, name = self._estate, self._layer.upper()
        if self._layer == "scp" and is_about_strangers(scenario):
            return Found(State.NOT_APPLICABLE, notes=("SCPs bind the organisation's own principals alone.",))
        if self._layer == "rcp" and not any(self._binds(action.lower()) for action in scenario.actions):
            return Found(State.NOT_APPLICABLE, notes=("No RCP binds the services of these actions.",))
        if not estate.nodes:
            return Found(State.UNKNOWN, open=scenario.actions, notes=("The organisation was not collected.",))
        if target not in estate.nodes or target == estate.management_account_id:
            outside = target not in estate.nodes
            note = "The account is outside the organisation." if outside else f"No {name} binds the management account."
            return Found(State.NOT_APPLICABLE, open=scenario.actions, notes=(note,))
        if POLICY_TYPES[self._layer] not in estate.enabled_types:
            note = f"The policy type {POLICY_TYPES[self._layer]} is not enabled."
            return Found(State.GAP, missing=scenario.actions, open=scenario.actions, notes=(note,))
        return None

    def _binds(self, action: str) -> bool:
        return self._layer == "scp" or (action.partition(":")[0] in rcp_services() and action != "kms:retiregrant")

    def _levels(self, target: str) -> tuple[tuple[ControlLevel, ...], tuple[str, ...]]:
        """The levels that may stop anything, and the names of policies that were not collected.

        What was not collected may allow all and deny nothing: the rest must stop it alone.
        """
        found, unread = [], []
        for level in self._estate.levels(target, self._layer):
            lost = [policy for policy in level.policies if is_not_collected(policy.document)]
            unread += [f"{policy.name} on {level.node_name}" for policy in lost]
            policies = tuple(replace(one, document=_ALL) if one in lost else one for one in level.policies)
            if not policies or not all(lets_all_pass(policy.document) for policy in policies):
                found.append(replace(level, policies=policies))
        return tuple(found), tuple(unread)

    def _chain(self, levels: tuple[ControlLevel, ...]) -> Chain:
        key = tuple(tuple(id(policy.document) for policy in level.policies) for level in levels)
        chain = self._chains.get(key)
        if chain is None:
            held = (level.policies for level in levels)
            chain = self._chains[key] = chain_of(held, self._compiler, omits=True)
        return chain

    def _callers(self, scenario: Scenario, target: str, chain: Chain) -> tuple[list[Caller], object]:
        """Who stands for everybody at the node, and what tells this node from others with the same policies."""
        place = self._placing.place(target)
        callers = [Caller(who, place) for who in ordinary(scenario, place)]
        named = chain.places_named
        if not named:
            return callers, place.account_id == ANY_ACCOUNT
        if SOME in named or any(name.startswith("$") for name in named):
            named_here = {target}
        else:
            named_here = {one for one in self._placing.ancestors[target] if one in named}
        below = [
            account
            for account in self._placing.accounts[target]
            if account != target and (SOME in named or not named.isdisjoint(self._placing.ancestors[account]))
        ]
        for account in below:
            there = self._placing.place(account)
            callers += [Caller(who, there) for who in ordinary(scenario, there)]
        return callers, (frozenset(named_here), tuple(below), place.account_id == ANY_ACCOUNT)

    def _named(self, account_id: str, target: str) -> Place | None:
        """The place of an account that a policy names, where it is in scope."""
        if account_id == target or account_id in self._placing.accounts[target]:
            return self._placing.place(account_id)
        return None

    def _shown(self, scenario: Scenario, outcome: Outcome, levels: tuple[ControlLevel, ...]) -> Found:
        places = outcome.places
        statements = tuple(dict.fromkeys(_stated(levels, at) for at in places))
        exemptions = tuple(
            LeftOut(one.principal, "wildcard" if one.wild else "named", _stated(levels, one.at))
            for one in outcome.spared
        )
        notes = notes_of(scenario, outcome)
        return Found(outcome.state, statements, outcome.missing, outcome.open, exemptions, notes, closed=outcome.closed)


def _stated(levels: tuple[ControlLevel, ...], at: At) -> Stated:
    return stated(levels[at.level].policies[at.policy], at)


def stated(policy: NamedPolicy, at: At) -> Stated:
    """The statement at a place of a chain, as a cell names it."""
    sid = policy.document.statements[at.number].sid if at.number is not None else None
    return Stated(policy.name, policy.arn, policy.attached_to, sid, at.number)


def notes_of(scenario: Scenario, outcome: Outcome) -> tuple[str, ...]:
    """What the team has not told, and the state hangs on."""
    notes = []
    if any(answer.unlisted for answer in outcome.answers):
        missing = ", ".join(f"`{name}`" for name in lists_named(scenario.probe_context or {}))
        notes.append(f"It hangs on a list that the settings do not hold ({missing}, under `guardrail_lists`).")
    if any(answer.capped for answer in outcome.answers):
        notes.append(
            f"The settings name no patterns of {scenario.resource} (`guardrail_resources`, key `{scenario.id}`)."
        )
    hangs = dict.fromkeys(key for answer in outcome.answers for key in answer.hangs)
    keys = ", ".join(f"`{key}`" for key in hangs if key != PART)
    if PART in hangs:
        notes.append("It is stopped on part of the resources.")
    if keys:
        notes.append(f"It hangs on {keys}, which the snapshot cannot tell of a request.")
    if any(one.wild for one in outcome.spared):
        notes.append("An exemption fits more than one name.")
    if any(answer.by_several for answer in outcome.answers):
        notes.append("Denies that each spare names or tags by a pattern stop it together: who fits them all is spared.")
    return tuple(notes)
