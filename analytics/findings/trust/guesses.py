"""For each kind of entry, the callers to try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.findings.trust.callers import ACCOUNT_DIGITS, Guess, account_guesses, everyone_guesses, principal_guesses
from analytics.findings.trust.entries import (
    ASSUME_ROLE,
    ASSUME_WITH_SAML,
    ASSUME_WITH_WEB_IDENTITY,
    Entry,
    Field,
    speaks_of,
)
from analytics.findings.trust.facts import services
from analytics.findings.trust.federation import federation_guesses, issuers_named
from analytics.findings.trust.probe import Caller
from analytics.findings.trust.values import COMPUTE_SERVICE, SERVICE
from analytics.iam.names import account_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from analytics.findings.trust.callers import Scene, Values
    from analytics.iam.policy import Statement

ANY_SERVICE = "ec2.amazonaws.com"  # stands for all of them where a document names none
ANY_ISSUER = "accounts.google.com"  # IAM knows it without a provider in the account
_OF_NO_PRINCIPAL = frozenset(
    {"aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths"}
)


def guesses_of(scene: Scene, entry: Entry, statement: Statement, known: Mapping[str, Values]) -> Iterable[Guess]:
    """Callers that stand for whoever an entry may mean; none where it can mean nobody."""
    match entry.field:
        case Field.SERVICE:
            return (_service_guess(entry.text),)
        case Field.FEDERATED:
            return federation_guesses(scene, entry.text)
        case Field.AWS:
            return _aws_guesses(scene, entry, known)
        case _:
            return _anyone(scene, statement)


def account_id_of(entry: Entry) -> str | None:
    """The account that an entry names; None for services, everyone and unique ids."""
    if _is_account_id(entry.text):
        return entry.text
    account_id = account_of(entry.text)
    return account_id if account_id is not None and _is_account_id(account_id) else None


def is_whole_account(text: str) -> bool:
    """Whether an AWS entry names an account as a whole, by its id or by the ARN of its root."""
    return _is_account_id(text) or (text.endswith(":root") and account_of(text) is not None)


def is_pattern(text: str) -> bool:
    """Whether an AWS entry has a wildcard inside, to which IAM gives no meaning: it names nobody."""
    return "*" in text or "?" in text


def _aws_guesses(scene: Scene, entry: Entry, known: Mapping[str, Values]) -> Iterator[Guess]:
    about = known.get(entry.text, {})
    account_id = account_id_of(entry)
    if is_pattern(entry.text):
        return
    if account_id is not None and is_whole_account(entry.text):
        yield from account_guesses(scene, account_id)
    elif account_id is not None:
        yield from principal_guesses(scene, entry.text, account_id, about)
    elif "aws:principalarn" in about:  # a unique id that the snapshot knows
        (arn,) = about["aws:principalarn"]
        yield from principal_guesses(scene, arn, account_of(arn) or "", about)


def _anyone(scene: Scene, statement: Statement) -> Iterator[Guess]:
    if speaks_of(statement, ASSUME_ROLE):
        yield from everyone_guesses(scene)
        yield _service_guess(ANY_SERVICE, names=())
    if speaks_of(statement, ASSUME_WITH_WEB_IDENTITY):
        for issuer in issuers_named(statement) or (ANY_ISSUER,):
            yield from federation_guesses(scene, issuer)
    if speaks_of(statement, ASSUME_WITH_SAML):
        yield from federation_guesses(scene, f"arn:{scene.partition}:iam::{scene.home}:saml-provider/any")


def _service_guess(service: str, names: tuple[str, ...] | None = None) -> Guess:
    """An AWS service that calls for itself; it has neither account nor organisation. No `names`: any service."""
    fact = services().get(service)
    values: dict[str, tuple[str, ...]] = {"aws:principalisawsservice": ("true",)}
    if names is None:
        values["aws:principalservicename"] = (service,)
    trust_class = COMPUTE_SERVICE if fact is not None and fact.runs_code else SERVICE
    return Guess(trust_class, Caller(service, ASSUME_ROLE, values, _OF_NO_PRINCIPAL))


def _is_account_id(text: str) -> bool:
    return len(text) == ACCOUNT_DIGITS and text.isdigit()
