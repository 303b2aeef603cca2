"""Actual against expected boundaries: who has another one than the team's map says, and the commands that mend it.

INVARIANT: no command is offered that AWS would refuse. A service-linked role cannot have a boundary and is left out; a
role of Identity Center gets its boundary through its permission set; a policy must exist before it is put in place.
IAM API Reference, "PutRolePermissionsBoundary"; IAM Identity Center API Reference,
"PutPermissionsBoundaryToPermissionSet".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.findings.boundaries.boundary_map import Described, Rule, first_fit
from analytics.findings.boundaries.drift_commands import commands_for, creation_of, document_of
from analytics.findings.boundaries.inventory import can_have_boundary
from analytics.sources.group_rows import permission_set_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.findings.boundaries.drift_commands import Documents
    from analytics.findings.estate import Estate, Subject
    from analytics.iam.policy import PolicyDocument


class Drift(StrEnum):
    """How an identity stands to the map."""

    MISSING = "has no boundary"
    DIFFERENT = "has another boundary"
    UNEXPECTED = "has a boundary and should have none"


@dataclass(frozen=True, slots=True)
class Known:
    """What the snapshot knows beside the estate. All by ARN or name; empty where it was not collected."""

    attached: Mapping[str, str] = field(default_factory=dict)  # principal -> boundary ARN
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # principal -> names of its groups
    permission_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # name -> ARNs
    policies: frozenset[str] = frozenset()  # managed policies that exist
    job_family_tags: tuple[str, ...] = ("job-family", "JobFamily", "job_family")


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One identity whose boundary is not the expected one."""

    arn: str
    name: str
    kind: str
    account_id: str
    ou_path: str | None
    environment: str | None
    owner: str | None
    drift: Drift
    expected: str | None  # ARN; None: there should be none
    actual: str | None
    line: int  # of the map
    first: tuple[str, ...]  # commands that several rows may share: the policy is made once
    commands: tuple[str, ...]
    blocked_reason: str | None  # why there are no commands
    document: PolicyDocument | None  # of the expected boundary, where some identity has it or its like


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All of it. The counts add up to the identities that can have a boundary."""

    rows: tuple[DriftRow, ...]
    as_expected: int
    not_in_map: tuple[str, ...]  # ARNs that no line fits


def drift(estate: Estate, rules: tuple[Rule, ...], known: Known) -> DriftReport:
    """The identities with another boundary than the map says, by account and ARN."""
    expected: dict[str, Rule] = {}
    not_in_map = []
    for subject in estate.subjects.values():
        if can_have_boundary(subject):
            rule = first_fit(rules, described(subject, estate, known))
            if rule is None:
                not_in_map.append(subject.arn)
            else:
                expected[subject.arn] = rule
    facts = _Facts(estate, known, _contested(estate, expected), _documents(estate, known))
    found = (_row(estate.subjects[arn], rule, facts) for arn, rule in expected.items())
    rows = sorted((row for row in found if row is not None), key=lambda row: (row.account_id, row.arn))
    return DriftReport(tuple(rows), len(expected) - len(rows), tuple(not_in_map))


def all_commands(rows: Iterable[DriftRow]) -> tuple[tuple[str, str], ...]:
    """Account id and command, each once: first what makes the policies, then what puts them in place, in row order."""
    listed = tuple(rows)
    making = dict.fromkeys((row.account_id, command) for row in listed for command in row.first)
    center = dict.fromkeys(command for row in listed for command in row.commands if command.startswith("aws sso-admin"))
    own = [(row.account_id, command) for row in listed for command in row.commands if command not in center]
    return (*making, *own, *(("", command) for command in center))


def described(subject: Subject, estate: Estate, known: Known) -> Described:
    """An identity in the words of the map."""
    account = estate.accounts.get(subject.account_id)
    tags = dict(subject.tags)
    family = next((tags[key] for key in known.job_family_tags if tags.get(key)), "")
    return Described(
        path=subject.path,
        tags=tuple(subject.tags),
        ou=(account.ou_path if account else None) or "",
        account=subject.account_id,
        environment=subject.environment or "",
        groups=known.groups.get(subject.arn, ()),
        job_family=family,
        kind=str(subject.kind),
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """What every row is judged by."""

    estate: Estate
    known: Known
    contested: frozenset[str]  # permission sets for which the map says different things
    documents: Documents  # boundaries in use


def _row(subject: Subject, rule: Rule, facts: _Facts) -> DriftRow | None:
    expected = rule.arn(subject.account_id, subject.arn.split(":")[1])
    actual = facts.known.attached.get(subject.arn)
    if expected == actual:
        return None
    first: tuple[str, ...] = ()
    blocked: str | None = None
    if expected is not None and _is_absent(expected, subject, facts):
        made = creation_of(expected, facts.documents)
        first, blocked = made, None if made else _absent(expected, subject)
    set_name = permission_set_named(subject.name, subject.kind)
    if set_name is not None and set_name in facts.contested:
        blocked = (
            f"the map expects different boundaries for permission set `{set_name}` in different accounts, "
            "and a permission set has one; make the lines of the map agree"
        )
    commands: tuple[str, ...] = ()
    if blocked is None:
        commands, blocked = commands_for(subject, expected, set_name, facts.known.permission_sets)
    account = facts.estate.accounts.get(subject.account_id)
    return DriftRow(
        arn=subject.arn,
        name=subject.name,
        kind=str(subject.kind),
        account_id=subject.account_id,
        ou_path=account.ou_path if account else None,
        environment=subject.environment,
        owner=subject.owner,
        drift=Drift.UNEXPECTED if expected is None else Drift.MISSING if actual is None else Drift.DIFFERENT,
        expected=expected,
        actual=actual,
        line=rule.line,
        first=first if commands else (),
        commands=commands,
        blocked_reason=blocked,
        document=document_of(expected, facts.documents) if expected else None,
    )


def _is_absent(expected: str, subject: Subject, facts: _Facts) -> bool:
    """Whether the account's managed policies are known, and the expected one is none of them."""
    if ":iam::aws:policy/" in expected or expected in facts.known.policies:
        return False
    account = facts.estate.accounts.get(subject.account_id)
    return account is None or account.collected == "ok"


def _absent(expected: str, subject: Subject) -> str:
    name = expected.partition(":policy/")[2]
    return f"account {subject.account_id} has no managed policy `{name}`; create it, then take a new snapshot"


def _contested(estate: Estate, expected: Mapping[str, Rule]) -> frozenset[str]:
    """The permission sets for which the map expects different boundaries in different accounts."""
    wanted: dict[str, set[str]] = {}
    for arn, rule in expected.items():
        subject = estate.subjects[arn]
        name = permission_set_named(subject.name, subject.kind)
        if name is not None:
            wanted.setdefault(name, set()).add(rule.boundary)
    return frozenset(name for name, boundaries in wanted.items() if len(boundaries) > 1)


def _documents(estate: Estate, known: Known) -> Documents:
    """The boundaries that some identity has, by ARN, and by path and name the first account that has it."""
    found: Documents = {}
    for arn, boundary_arn in sorted(known.attached.items()):
        subject = estate.subjects.get(arn)
        if subject is not None and subject.stack.boundary is not None:
            there = (subject.account_id, subject.stack.boundary.document)
            found.setdefault(boundary_arn, there)
            found.setdefault(boundary_arn.partition(":policy/")[2], there)
    return found
