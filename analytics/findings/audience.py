"""Whether people or programs act as an identity, as far as its kind, its credentials and its trust policy tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.findings.estate import Subject
    from analytics.iam.policy import Principals

PEOPLE, AUTOMATION = "people", "automation"
EITHER = frozenset({PEOPLE, AUTOMATION})
_SIGN_IN = ("cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com")


def audiences(subject: Subject) -> frozenset[str]:
    """Who may be behind the identity; both where nothing tells."""
    if subject.kind is PrincipalKind.SSO_ROLE:
        return frozenset({PEOPLE})
    if subject.kind is PrincipalKind.USER:
        if subject.credentials is None or subject.credentials.password_enabled is None:
            return EITHER
        return frozenset({PEOPLE if subject.credentials.password_enabled else AUTOMATION})
    found = {audience for principals in _trusted(subject) for audience in _behind(principals)}
    return frozenset(found) or EITHER


def _trusted(subject: Subject) -> Iterator[Principals]:
    for statement in subject.trust.statements if subject.trust else ():
        if statement.effect is Effect.ALLOW and statement.principal is not None:
            yield statement.principal


def _behind(principals: Principals) -> Iterator[str]:
    """Services and pipelines are programs, SAML and sign-in providers bring people; another account may be both."""
    if principals.everyone or principals.aws or principals.canonical_user:
        yield from EITHER
    if principals.service:
        yield AUTOMATION
    for provider in principals.federated:
        yield PEOPLE if ":saml-provider/" in provider or provider.endswith(_SIGN_IN) else AUTOMATION
