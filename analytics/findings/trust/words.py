"""Trust in words: the conditions of a statement, and what a reader should know of a party beside its class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.findings.trust.facts import EXTERNAL_ID, provider_of
from analytics.findings.trust.federation import issuer_of, kind_of_provider
from analytics.findings.trust.values import PartyKind

if TYPE_CHECKING:
    from analytics.iam.policy import Condition, Statement

_MOST_VALUES = 3
_SECRETS = frozenset({EXTERNAL_ID})
_VERBS = {
    "StringEquals": "is",
    "StringEqualsIgnoreCase": "is (in any case)",
    "StringNotEquals": "is not",
    "StringNotEqualsIgnoreCase": "is not (in any case)",
    "StringLike": "is like",
    "StringNotLike": "is not like",
    "ArnEquals": "is like",
    "ArnLike": "is like",
    "ArnNotEquals": "is not like",
    "ArnNotLike": "is not like",
    "IpAddress": "is in",
    "NotIpAddress": "is not in",
    "Bool": "is",
    "BinaryEquals": "is",
    "NumericEquals": "=",
    "NumericNotEquals": "≠",
    "NumericLessThan": "<",
    "NumericLessThanEquals": "≤",
    "NumericGreaterThan": ">",
    "NumericGreaterThanEquals": "≥",
    "DateEquals": "is",
    "DateNotEquals": "is not",
    "DateLessThan": "is before",
    "DateLessThanEquals": "is not after",
    "DateGreaterThan": "is after",
    "DateGreaterThanEquals": "is not before",
}
_QUALIFIERS = {"ForAllValues": "every value of ", "ForAnyValue": "some value of "}

CONFUSED_DEPUTY = (
    "confused deputy: the service may be made to act for another account's resource, and no aws:SourceArn or"
    " aws:SourceAccount keeps it out"
)
CHAINED = "role chaining: whoever may become `{arn}` may become this role"
CHAINED_FROM = "role chaining: `{arn}` is open to {whom}"
GONE = "the identity behind this unique id has been deleted: nobody can be it again"
NOT_IN_SNAPSHOT = "the snapshot of its account holds no such identity"
NO_WILDCARDS = "a wildcard inside a principal's ARN matches nobody"
SHUT_OUT = "a Deny or a condition lets nobody in this way"
SHUT_OUT_BY_RCP = "a resource control policy keeps out callers from outside the organisation"
REFUSED_BY_RCP = "a resource control policy refuses it"
NEEDS_EXTERNAL_ID = "needs the ExternalId"
NO_EXTERNAL_ID = "no ExternalId is asked for"
NO_AUDIENCE = "no condition on the audience of the token"
OTHERS = "NotPrincipal: everyone but those whom the statement names"
ANY_GUEST = "guests of the identity pool who have not signed in are let in too"
PROVIDER_ELSEWHERE = "the provider lies in another account, where IAM does not look"
UNREADABLE = "the trust document could not be read, so anyone may be trusted"
OWNER_ONLY = "the subject `{text}` leaves open what of its owner may come"
ANY_SUBJECT = "every customer of {provider} can have a token that is let in"
ANY_OF_ISSUER = "no claim singles out who of the issuer may come"
CHOSEN_BY_CALLER = "its conditions look only at what the caller sets for itself"
LIMITED_BY = "only where {keys} fits"


CLASS_WORDS = {
    "anyone": "anyone",
    "unknown_account": "an account that nobody knows",
    "oidc_any_subject": "every customer of an identity provider",
    "unknown_account_external_id": "an account that nobody knows, with an ExternalId",
    "user_old_key_no_mfa": "whoever holds an old access key, without MFA",
    "anyone_conditional": "anyone under a condition",
    "vendor": "a known vendor without an ExternalId",
    "console_no_mfa": "whoever knows a password, without MFA",
    "user_old_key": "whoever holds an old access key",
    "vendor_external_id": "a known vendor with an ExternalId",
    "user_key": "whoever holds an access key",
    "organization": "another account of the organisation",
    "console_mfa": "whoever knows a password and holds the MFA device",
    "federated": "people signed in by the company",
    "oidc_pinned": "pinned subjects of an identity provider",
    "compute_service": "what runs on an AWS compute service",
    "service": "an AWS service",
    "same_account": "the same account",
    "nobody": "nobody",
}


def readable(condition: Condition) -> str:
    """`aws:PrincipalOrgID is o-example`; secrets are counted, never shown."""
    key = f"{_QUALIFIERS.get(condition.qualifier or '', '')}{condition.key}"
    if condition.operator == "Null":
        return f"{key} is {'absent' if 'true' in (value.lower() for value in condition.values) else 'present'}"
    verb = _VERBS[condition.operator]
    absent = ", or is absent" if condition.if_exists else ""
    return f"{key} {_values(condition, verb)}{absent}"


def readable_conditions(statement: Statement) -> tuple[str, ...]:
    """Every condition of a statement, in the order of their keys."""
    return tuple(sorted(readable(condition) for condition in statement.condition))


def provider_name(text: str) -> str:
    """The family of an OIDC issuer, Identity Center, or the name of a SAML provider."""
    match kind_of_provider(text):
        case PartyKind.IDENTITY_CENTER:
            return "IAM Identity Center"
        case PartyKind.SAML:
            return text.rpartition("/")[2]
        case _:
            return provider_of(issuer_of(text)).name


def limited_by(keys: frozenset[str]) -> str:
    """The note on keys that would decide and that the caller does not set."""
    return LIMITED_BY.format(keys=", ".join(f"`{key}`" for key in sorted(keys)))


def _values(condition: Condition, verb: str) -> str:
    count = len(condition.values)
    if condition.key.lower() in _SECRETS or count > _MOST_VALUES:
        return f"{verb} one of {count} value{'' if count == 1 else 's'}"
    return f"{verb} {' or '.join(condition.values)}" if count else f"{verb} one of 0 values"
