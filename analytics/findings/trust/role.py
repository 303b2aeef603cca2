"""The parties of one role of an estate; roles that share a trust document and what bears on it share the work."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from analytics.engine.reach_facts import known_context
from analytics.findings.same import Same
from analytics.findings.trust.document import Reading
from analytics.findings.trust.entries import Field, entries
from analytics.findings.trust.probe import Role
from analytics.findings.trust.world import world_of
from analytics.iam.condition import VARIABLES_SINCE, compile_condition
from analytics.iam.names import PrincipalKind, account_of, kind_of_arn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.findings.estate import Estate, Subject
    from analytics.findings.trust.values import TrustedParty
    from analytics.findings.trust.world import World
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import ControlLevel

Levels = tuple["ControlLevel", ...]
Pairs = tuple[tuple[str, tuple[str, ...]], ...]  # condition keys and their values, as a key of a cache

_ANY_ROLE = "headroom-any-role"
_TAG_KEYS = ("aws:resourcetag/", "iam:resourcetag/")
_USERS_AND_ROLES = frozenset({PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.SSO_ROLE})


def parties_of_role(subject: Subject, estate: Estate) -> tuple[TrustedParty, ...]:
    """The parties of a role whose trust document could be read; chains are not followed."""
    trust, levels = subject.trust, subject.stack.rcp_levels
    if trust is None:
        msg = f"`{subject.arn}` has no trust document"
        raise ValueError(msg)
    world = world_of(estate)
    texts = [entry.text for entry in entries(trust) if entry.field is Field.AWS]
    keys = _keys_of(Same(levels)) | _keys([trust])
    return _read(
        _arn(subject, levels),
        Same(trust),
        Same(levels),
        world,
        _properties(subject, world, keys),
        tuple((text, about) for text in texts if (about := _about(text, estate, world, keys))),
        frozenset(text for text in texts if _is_missing(text, estate)),
    )


@lru_cache(maxsize=16_384)
def _read(  # noqa: PLR0917  the parts of a key
    arn: str,
    trust: Same[PolicyDocument],
    levels: Same[Levels],
    world: World,
    properties: Pairs,
    known: tuple[tuple[str, Pairs], ...],
    missing: frozenset[str],
) -> tuple[TrustedParty, ...]:
    documents = tuple(tuple(named.document for named in level.policies) for level in levels.value)
    role = Role(arn, account_of(arn) or "", documents, dict(properties))
    return Reading(role, trust.value, world, {text: dict(about) for text, about in known}, missing).parties()


def _arn(subject: Subject, levels: Levels) -> str:
    """The role's ARN where a control policy may tell roles apart by it, and otherwise one that stands for all."""
    scoped = any(
        statement.not_resource or set(statement.resource) - {"*"}
        for level in levels
        for named in level.policies
        for statement in named.document.statements
    )
    return subject.arn if scoped else f"arn:{subject.arn.split(':', 2)[1]}:iam::{subject.account_id}:role/{_ANY_ROLE}"


def _properties(subject: Subject, world: World, keys: frozenset[str]) -> Pairs:
    """The condition keys that speak of the role itself, as far as the documents look at them. (): absent."""
    facts = world.accounts.get(subject.account_id)
    found: dict[str, tuple[str, ...]] = {"aws:resourceaccount": (subject.account_id,)}
    if facts is not None and facts.in_organization and world.organization_id is not None:
        found["aws:resourceorgid"] = (world.organization_id,)
        path = world.paths.get(subject.account_id)
        found |= {"aws:resourceorgpaths": (path,)} if path else {}
    tags = {name.lower(): value for name, value in subject.tags}
    for key in keys:
        if key.startswith(_TAG_KEYS):
            value = tags.get(key.partition("/")[2])
            found[key] = (value,) if value is not None else ()
    return tuple(sorted((key, values) for key, values in found.items() if key in keys))


def _about(text: str, estate: Estate, world: World, keys: frozenset[str]) -> Pairs:
    """What the snapshot tells of an identity that a document names by ARN or unique id. (): absent."""
    subject = estate.subjects.get(world.unique_ids.get(text, text))
    if subject is None:
        return ()
    facts = subject.stack.principal
    context = known_context(facts)
    found = {key: context.values.get(key, ()) for key in keys if not context.is_unknown(key)}
    found["aws:principalarn"] = (subject.arn,)
    if facts.unique_id is not None:
        is_user = subject.kind is PrincipalKind.USER
        found["aws:userid"] = (facts.unique_id if is_user else f"{facts.unique_id}:{_ANY_ROLE}",)
    return tuple(sorted(found.items()))


def _is_missing(text: str, estate: Estate) -> bool:
    """Whether a user or role is named that its account, which was collected, does not hold."""
    account_id = account_of(text)
    if account_id is None or kind_of_arn(text) not in _USERS_AND_ROLES or text in estate.subjects:
        return False
    facts = estate.accounts.get(account_id)
    return facts is not None and facts.collected == "ok"


@lru_cache(maxsize=4096)
def _keys_of(levels: Same[Levels]) -> frozenset[str]:
    return _keys(named.document for level in levels.value for named in level.policies)


def _keys(documents: Iterable[PolicyDocument]) -> frozenset[str]:
    """The condition keys (lower case) that documents look at, those inside policy variables included."""
    conditions = (
        condition for document in documents for statement in document.statements for condition in statement.condition
    )
    found: set[str] = set()
    for condition in conditions:
        found |= compile_condition(condition, VARIABLES_SINCE).keys
    return frozenset(found)
