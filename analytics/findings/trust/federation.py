"""Who comes through an identity provider: everybody it signs tokens for, or those that claims single out.

A shared issuer signs for all its customers, strangers included: a stranger is let in unless a claim that it cannot have
(its owner in the subject, the application's id) is compared with a fixed text. A private issuer has one customer.
IAM User Guide, "Identity-provider controls for shared OIDC providers" and "Available keys for AWS OIDC federation".
"""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING

from analytics.findings.trust.callers import Guess
from analytics.findings.trust.entries import ASSUME_WITH_SAML, ASSUME_WITH_WEB_IDENTITY, OIDC_PROVIDER, SAML_PROVIDER
from analytics.findings.trust.facts import provider_of
from analytics.findings.trust.probe import ONLY_OF_SERVICES, Caller
from analytics.findings.trust.values import FEDERATED, OIDC_ANY_SUBJECT, OIDC_PINNED, PartyKind
from analytics.iam.names import account_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.findings.trust.callers import Scene, Values
    from analytics.findings.trust.facts import Provider
    from analytics.iam.policy import Statement

IDENTITY_CENTER_PREFIX = "AWSSSO_"  # IAM Identity Center names its provider so, in every account
_STRANGER = "headroom-any-stranger"
_USUAL_CLAIMS = frozenset({"sub", "aud", "oaud", "amr", "app_id"})
_MOST_STRANGERS = 256  # combinations of claims
_ABSENT = frozenset({*ONLY_OF_SERVICES, "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount"})


def kind_of_provider(text: str) -> PartyKind:
    """SAML, OIDC, or Identity Center by the name that it gives its provider."""
    if SAML_PROVIDER not in text:
        return PartyKind.OIDC
    is_identity_center = text.rpartition("/")[2].startswith(IDENTITY_CENTER_PREFIX)
    return PartyKind.IDENTITY_CENTER if is_identity_center else PartyKind.SAML


def issuer_of(text: str) -> str:
    """Host and path of an OIDC provider, by its ARN or by its name (`cognito-identity.amazonaws.com`)."""
    return text.partition(OIDC_PROVIDER)[2] or text


def federation_guesses(scene: Scene, text: str) -> Iterator[Guess]:
    """Users of one provider: of an OIDC issuer strangers first."""
    if SAML_PROVIDER in text:
        yield Guess(FEDERATED, _caller(text, ASSUME_WITH_SAML))
        return
    provider = provider_of(issuer_of(text))
    found = OIDC_ANY_SUBJECT if provider.is_shared else FEDERATED
    for values in _strangers(scene, issuer_of(text).lower(), provider):
        yield Guess(found, _caller(text, ASSUME_WITH_WEB_IDENTITY, values))
    yield Guess(OIDC_PINNED, _caller(text, ASSUME_WITH_WEB_IDENTITY))


def issuers_named(statement: Statement) -> tuple[str, ...]:
    """The issuers of which a statement's conditions look at the usual claims."""
    parts = (condition.key.rpartition(":") for condition in statement.condition)
    return tuple(dict.fromkeys(issuer for issuer, _, claim in parts if claim in _USUAL_CLAIMS and "." in issuer))


def open_claims(scene: Scene, text: str) -> tuple[str, ...]:
    """Texts with wildcards that fix the owner and leave the rest of the subject open."""
    issuer = issuer_of(text).lower()
    provider = provider_of(issuer)
    subjects = scene.texts(f"{issuer}:sub")
    return tuple(one for one in subjects if any(wild in one for wild in "*?") and provider.names_owner(one))


def has_audience(scene: Scene, text: str) -> bool:
    """Whether a condition looks at the audience of the token."""
    issuer = issuer_of(text).lower()
    return scene.mentions(f"{issuer}:aud", f"{issuer}:oaud", f"{issuer}:app_id")


def is_foreign(scene: Scene, text: str) -> bool:
    """Whether the provider lies in another account, of which IAM makes no use."""
    return (account_of(text) or scene.home) != scene.home


def _strangers(scene: Scene, issuer: str, provider: Provider) -> Iterator[Values]:
    """What a stranger's token may say, for the claims that the documents look at.

    Claims that a stranger may have at will (a branch's name, the audience of a pipeline's token) stay unknown.
    """
    choices: dict[str, list[str]] = {}
    for claim in _claims(scene, issuer):
        wanted = scene.texts(f"{issuer}:{claim}")
        if provider.guest_claim is not None and claim == "aud":
            choices[claim] = [*wanted, _STRANGER]  # a guest's token is of the pool that the trust names
        elif provider.is_pin(claim):
            choices[claim] = [_STRANGER, *(_filled(text) for text in wanted if _is_open(provider, claim, text))]
    guest = provider.guest_claim
    for combination in islice(product(*choices.values()), _MOST_STRANGERS):
        texts = dict(zip(choices, combination, strict=True))
        values: dict[str, tuple[str, ...]] = {f"{issuer}:{claim}": (text,) for claim, text in texts.items()}
        if guest is not None and texts.get("aud", _STRANGER) != _STRANGER:
            values[f"{issuer}:{guest[0]}"] = (guest[1],)
        yield values


def _claims(scene: Scene, issuer: str) -> list[str]:
    """The claims of an issuer that conditions look at."""
    prefix = f"{issuer}:"
    keys = (
        condition.key.lower()
        for document in scene.documents
        for statement in document.statements
        for condition in statement.condition
    )
    return list(dict.fromkeys(key.removeprefix(prefix) for key in keys if key.startswith(prefix)))


def _caller(text: str, action: str, values: Values | None = None) -> Caller:
    known = {"aws:principalisawsservice": ("false",), "aws:federatedprovider": (text,)}
    return Caller(text, action, {**known, **(values or {})}, _ABSENT)


def _is_open(provider: Provider, claim: str, text: str) -> bool:
    """Whether a stranger can have a claim that the text matches: no owner stands in front of the first wildcard."""
    if claim == "sub":
        return not provider.names_owner(text)
    before = text.partition("*")[0].partition("?")[0]
    return before != text and "/" not in before


def _filled(pattern: str) -> str:
    """A text of a stranger that the pattern matches."""
    return pattern.replace("*", _STRANGER).replace("?", "x")
