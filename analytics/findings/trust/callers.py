"""Those who might ask for a role: for each entry of its trust document, callers that stand for whoever it could mean.

A caller of an account outside chooses everything that its own account gives it, its ARN included; it is of no
organisation of ours. INVARIANT: callers are tried from the most exposed class to the least, so the first that is let in
tells the class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from analytics.findings.trust.entries import ASSUME_ROLE
from analytics.findings.trust.probe import Caller
from analytics.findings.trust.values import ANYONE, ORGANIZATION, UNKNOWN_ACCOUNT, exposure_rank
from analytics.iam.match import text_matches
from analytics.iam.names import account_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analytics.findings.trust.world import World
    from analytics.iam.policy import PolicyDocument

    Values = Mapping[str, tuple[str, ...]]

STRANGER_ACCOUNT = "000000000000"  # AWS gives no such id
ANY_ROLE = "headroom-any-name"  # no policy names it
_FOREIGN_ORGANIZATION = "o-headroomother"
_ORG_ID, _ORG_PATHS = "aws:principalorgid", "aws:principalorgpaths"
_ARN, _ACCOUNT = "aws:principalarn", "aws:principalaccount"
ACCOUNT_DIGITS = 12
_NOT_A_SERVICE = {"aws:principalisawsservice": ("false",)}


class Guess(NamedTuple):
    """A caller and the class that its role has if it is let in."""

    trust_class: str
    caller: Caller
    account_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """One role's surroundings: its account, the accounts around it, and what the documents compare keys with."""

    home: str
    partition: str
    world: World
    documents: tuple[PolicyDocument, ...]  # the trust document and the control policies

    def texts(self, key: str) -> tuple[str, ...]:
        """Every text that a condition of the documents compares a key (lower case) with."""
        found = (
            value
            for document in self.documents
            for statement in document.statements
            for condition in statement.condition
            if condition.key.lower() == key and condition.operator != "Null"
            for value in condition.values
        )
        return tuple(dict.fromkeys(found))

    def mentions(self, *keys: str) -> bool:
        """Whether a condition of the documents, or a variable in one, looks at one of the keys (lower case)."""
        return any(
            key == condition.key.lower() or any(f"${{{key}" in value.lower() for value in condition.values)
            for document in self.documents
            for statement in document.statements
            for condition in statement.condition
            for key in keys
        )


NOT_OF_OURS = "Headroom does not know whether the organisation in its condition is one's own: none was collected"
ONLY_AS_MEMBER = "let in only while its account is of the organisation, which the snapshot does not show"


def account_guesses(scene: Scene, account_id: str) -> Iterator[Guess]:
    """An identity of one account that the document names as a whole."""
    found = scene.world.class_of(account_id, scene.home)
    for organization in _organizations(scene, account_id):
        for arn in _arns(scene, account_id):
            yield _guess(found, organization, arn, account_id)


def principal_guesses(scene: Scene, arn: str, account_id: str, known: Values) -> Iterator[Guess]:
    """One identity by its ARN; `known` are the keys that the snapshot tells of it."""
    found = scene.world.class_of(account_id, scene.home)
    for organization in _organizations(scene, account_id):
        guess = _guess(found, organization, arn, account_id)
        values = {**guess.caller.values, **known}
        yield guess._replace(caller=Caller(arn, ASSUME_ROLE, values))


def everyone_guesses(scene: Scene) -> list[Guess]:
    """Whoever `*` may mean: strangers, accounts and organisations that conditions name, members, one's own account."""
    strangers = [
        _guess(UNKNOWN_ACCOUNT if organization.is_named else ANYONE, organization, arn, None)
        for organization in _organizations(scene, STRANGER_ACCOUNT)
        if not organization.is_own
        for arn in _arns(scene, STRANGER_ACCOUNT)
    ]
    named = [guess for account_id in _accounts_named(scene) for guess in account_guesses(scene, account_id)]
    found = [*strangers, *named, *_member_guesses(scene), *account_guesses(scene, scene.home)]
    return sorted(found, key=lambda guess: exposure_rank(guess.trust_class))


def _member_guesses(scene: Scene) -> Iterator[Guess]:
    """An identity of an account of the organisation that no condition names."""
    if scene.world.organization_id is None:
        return
    named = {scene.home, *_accounts_named(scene)}
    own = sorted(account for account, facts in scene.world.accounts.items() if facts.in_organization)
    account_id = next((account for account in own if account not in named), STRANGER_ACCOUNT)
    path = scene.world.paths.get(account_id)
    organization = _Organization({_ORG_ID: scene.world.organization_id} | ({_ORG_PATHS: path} if path else {}))
    for arn in _arns(scene, account_id):
        yield _guess(ORGANIZATION, organization, arn, None)


@dataclass(frozen=True, slots=True)
class _Organization:
    """What a caller's requests say of its organisation. None: the key is absent; no entry: it may be anything."""

    values: Mapping[str, str | None]
    is_own: bool = False
    is_named: bool = False  # a condition names it, and it is not known to be one's own
    note: str | None = None


def _organizations(scene: Scene, account_id: str) -> list[_Organization]:
    """The organisations that an account may be of, foreign ones first."""
    world = scene.world
    if not scene.mentions(_ORG_ID, _ORG_PATHS):
        return [_Organization({_ORG_ID: None, _ORG_PATHS: None})]
    own = world.organization_id
    facts = world.accounts.get(account_id)
    if world.is_own(account_id):
        if own is None or facts is None or not facts.in_organization:
            return [_Organization({})]
        path = world.paths.get(account_id)
        return [_Organization({_ORG_ID: own} | ({_ORG_PATHS: path} if path else {}), is_own=True)]
    note = NOT_OF_OURS if own is None else None
    foreign = [
        _Organization({_ORG_ID: path.partition("/")[0], _ORG_PATHS: path}, is_named=True, note=note)
        for path in _foreign_paths(scene)
    ]
    nowhere = _Organization({_ORG_ID: None, _ORG_PATHS: None})
    elsewhere = _Organization({_ORG_ID: _FOREIGN_ORGANIZATION, _ORG_PATHS: f"{_FOREIGN_ORGANIZATION}/r-any1/"})
    member = [_Organization({_ORG_ID: own}, is_own=True, note=ONLY_AS_MEMBER)] if own is not None else []
    return [nowhere, elsewhere, *foreign, *member]


def _foreign_paths(scene: Scene) -> list[str]:
    """A path in every organisation that conditions name and that is not known to be one's own."""
    named = [f"{text}/r-any1/" if "/" not in text else text for text in scene.texts(_ORG_ID) + scene.texts(_ORG_PATHS)]
    paths = dict.fromkeys(_filled(text) for text in named if text.startswith("o-"))
    return [path for path in paths if path.partition("/")[0] != scene.world.organization_id]


def _accounts_named(scene: Scene) -> list[str]:
    """The accounts that conditions on the caller name."""
    texts = [*scene.texts(_ACCOUNT), *(account_of(text) or "" for text in scene.texts(_ARN))]
    named = dict.fromkeys(text for text in texts if len(text) == ACCOUNT_DIGITS and text.isdigit())
    return [account_id for account_id in named if account_id != scene.home]


def _arns(scene: Scene, account_id: str) -> list[str]:
    """ARNs that an identity of the account may have: any, and one for each pattern that conditions compare it with."""
    prefix = f"arn:{scene.partition}:iam::{account_id}:"
    found = [f"{prefix}role/{ANY_ROLE}"]
    for pattern in scene.texts(_ARN):
        tail = _filled(pattern.rpartition(":")[2] if pattern.count(":") else pattern.rpartition("*")[2])
        fitting = (f"{prefix}{start}{tail}" for start in ("", "role/", f"role/{ANY_ROLE}"))
        found += [arn for arn in fitting if text_matches(pattern, arn)][:1]
    return list(dict.fromkeys(found))


def _guess(trust_class: str, organization: _Organization, arn: str, account_id: str | None) -> Guess:
    values: dict[str, tuple[str, ...]] = {
        **_NOT_A_SERVICE,
        _ARN: (arn,),
        _ACCOUNT: (account_of(arn) or "",),
        **{key: (value,) if value else () for key, value in organization.values.items()},
    }
    found = ORGANIZATION if organization.note is ONLY_AS_MEMBER else trust_class
    return Guess(found, Caller(arn, ASSUME_ROLE, values), account_id, organization.note)


def _filled(pattern: str) -> str:
    """A text that the pattern matches."""
    return pattern.replace("*", "any").replace("?", "x")
