"""The `userIdentity` of every call: sessions of roles, users, root, services, federated callers, other accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analytics.demo.arrow import (
    ATTRIBUTES,
    IDENTITY,
    ISSUER,
    ON_BEHALF_OF,
    SESSION,
    WEB_IDENTITY,
    iso_times,
    join,
    nulls,
    temporary_keys,
    text,
    where,
)
from analytics.demo.model import Entry, Identity, base32

if TYPE_CHECKING:
    from analytics.demo.activity import Sessions
    from analytics.demo.rhythm import Ints

_FIELDS = ("type", "principalid", "arn", "accountid", "accesskeyid", "username", "mfa", "created")
_ISSUER_FIELDS = ("type", "principalid", "arn", "accountid", "username")


@dataclass(slots=True)
class Actors:
    """Columns with one row per distinct caller; the first rows are the sessions, in their order."""

    columns: dict[str, pa.Array]
    issuer: dict[str, pa.Array]
    delivery: pa.Array
    provider: pa.Array

    def identities(self, rows: Ints, invoked_by: pa.Array) -> pa.Array:
        """The `useridentity` column for calls by those actors."""
        take = pa.array(rows)
        flat = {name: column.take(take) for name, column in self.columns.items()}
        issuer = {name: column.take(take) for name, column in self.issuer.items()}
        count = len(rows)
        provider = self.provider.take(take)
        has_issuer = np.asarray(issuer["arn"].is_valid())
        in_session = np.asarray(flat["created"].is_valid())
        federated = np.asarray(provider.is_valid())
        attributes = pa.StructArray.from_arrays([flat["mfa"], flat["created"]], fields=list(ATTRIBUTES))
        issuers = pa.StructArray.from_arrays(
            [issuer[name] for name in _ISSUER_FIELDS], fields=list(ISSUER), mask=pa.array(~has_issuer)
        )
        web = pa.StructArray.from_arrays(
            [provider, nulls(WEB_IDENTITY.field("attributes").type, count)],
            fields=list(WEB_IDENTITY),
            mask=pa.array(~federated),
        )
        session = pa.StructArray.from_arrays(
            [attributes, issuers, self.delivery.take(take), web], fields=list(SESSION), mask=pa.array(~in_session)
        )
        columns = [flat[name] for name in ("type", "principalid", "arn", "accountid")]
        columns += [invoked_by, flat["accesskeyid"], flat["username"], nulls(ON_BEHALF_OF, count), session]
        return pa.StructArray.from_arrays(columns, fields=list(IDENTITY))


@dataclass(slots=True)
class Cast:
    """The actors and where the others than the sessions themselves stand among their rows."""

    actors: Actors
    keys: pa.Array  # access key of each session
    created: pa.Array
    arns: pa.Array  # ARN of each session
    role_ids: pa.Array  # unique id of the identity of each session
    openers: Ints  # row of whoever opens the session; -1: nobody is logged
    mirrors: Ints  # row of the session's identity as another account sees it


def _kind(identity: Identity) -> str:
    if identity.is_service:
        return "AWSService"
    if identity.name == "root":
        return "Root"
    return "IAMUser" if identity.is_user else "AssumedRole"


def unique_id(seed: int, identity: Identity) -> str:
    """AROA… or AIDA…, as IAM gives every role and user."""
    return ("AIDA" if identity.is_user else "AROA") + base32(17, seed, identity.arn)


def access_key(seed: int, user: Identity, number: int = 0) -> str:
    """The id of a user's n-th long-lived key."""
    return "AKIA" + base32(16, seed, user.arn, "key", number)


def cast_of(sessions: Sessions, start: Ints, seed: int, rng: np.random.Generator) -> Cast:
    """All actors of the activity. `start` holds the sessions' starts in seconds since 1970."""
    count = len(sessions)
    plan = pa.array(sessions.plan)
    identities = [identity for identity, _ in sessions.plans]
    plans = [plan for _, plan in sessions.plans]
    by_plan: dict[str, list[str | None]] = {
        "kind": [_kind(i) for i in identities],
        "account": [i.account.account_id for i in identities],
        "name": [i.name for i in identities],
        "arn": [i.arn for i in identities],
        "id": [i.account.account_id if i.name == "root" else unique_id(seed, i) for i in identities],
        "mfa": ["true" if p.mfa else "false" for p in plans],
        "key": [access_key(seed, i) if i.is_user else None for i in identities],
        "delivery": ["2.0" if p.opened_by == "ec2.amazonaws.com" else None for p in plans],
        "provider": [
            f"arn:aws:iam::{i.account.account_id}:oidc-provider/{p.opened_by.split('|')[0]}" if p.entry is Entry.OIDC else None
            for i, p in sessions.plans
        ],
    }  # fmt: skip
    column = {name: text(values).take(plan) for name, values in by_plan.items()}
    labels = labels_of(sessions)
    is_role = np.asarray(pc.equal(column["kind"], "AssumedRole"))
    is_service = np.asarray(pc.equal(column["kind"], "AWSService"))
    has_name = np.asarray(pc.equal(column["kind"], "IAMUser"))
    uses_key = np.array([p.entry is Entry.KEY for p in plans])[sessions.plan] | is_service
    keys = where(~is_service, where(uses_key, column["key"], temporary_keys(rng, count)))
    created = iso_times(start)
    arns = where(
        is_role,
        join("arn:aws:sts::", column["account"], ":assumed-role/", column["name"], "/", labels),
        column["arn"],
    )
    own = {
        "type": column["kind"],
        "principalid": where(~is_service, where(is_role, join(column["id"], ":", labels), column["id"])),
        "arn": where(~is_service, arns),
        "accountid": where(~is_service, column["account"]),
        "accesskeyid": keys,
        "username": where(has_name, column["name"]),
        "mfa": where(~uses_key, column["mfa"]),
        "created": where(~uses_key, created),
    }
    issuer = {
        "type": where(is_role, "Role"),
        "principalid": where(is_role, column["id"]),
        "arn": where(is_role, column["arn"]),
        "accountid": where(is_role, column["account"]),
        "username": where(is_role, column["name"]),
    }
    others, openers = _openers(sessions, count)
    mirrors = np.arange(count) + count + len(others)
    extra = {name: text([row.get(name) for row in others]) for name in _FIELDS}
    blank = nulls(pa.string(), count)
    mirror = {
        "type": pa.array(["AWSAccount"] * count, pa.string()),
        "principalid": own["principalid"],
        "arn": blank,
        "accountid": own["accountid"],
        "accesskeyid": blank,
        "username": blank,
        "mfa": blank,
        "created": blank,
    }
    rest = nulls(pa.string(), len(others) + count)
    actors = Actors(
        {name: pa.concat_arrays([own[name], extra[name], mirror[name]]) for name in _FIELDS},
        {name: pa.concat_arrays([issuer[name], rest]) for name in _ISSUER_FIELDS},
        pa.concat_arrays([column["delivery"], rest]),
        pa.concat_arrays([column["provider"], rest]),
    )
    return Cast(actors, keys, created, arns, column["id"], openers, mirrors)


def labels_of(sessions: Sessions) -> pa.Array:
    """The name of each session."""
    offsets = np.concatenate([[0], np.cumsum([len(plan.labels) for _, plan in sessions.plans])])
    everything = text([label for _, plan in sessions.plans for label in plan.labels])
    return everything.take(pa.array(offsets[sessions.plan] + sessions.label))


def _openers(sessions: Sessions, count: int) -> tuple[list[dict[str, Any]], Ints]:
    """Callers that are no session of ours, and for each session the row of the one who opened it."""
    rows: list[dict[str, Any]] = []
    known: dict[tuple[str, ...], int] = {}
    of_plan = np.full(len(sessions.plans), -1, np.int64)
    for number, (identity, plan) in enumerate(sessions.plans):
        row = _opener(identity, plan.entry, plan.opened_by, plan.labels[0])
        if row is None:
            continue
        key = tuple(str(value) for value in row.values())
        if key not in known:
            known[key] = count + len(rows)
            rows.append(row)
        of_plan[number] = known[key]
    openers = of_plan[sessions.plan]
    chained = sessions.parent >= 0
    openers[chained] = sessions.parent[chained]
    return rows, openers


def _opener(identity: Identity, entry: Entry, opened_by: str, label: str) -> dict[str, Any] | None:
    account = identity.account.account_id
    match entry:
        case Entry.SERVICE:
            return {"type": "AWSService", "service": opened_by}
        case Entry.SAML:
            return {
                "type": "SAMLUser",
                "principalid": f"{base32(27, account, 'saml').capitalize()}=:{opened_by}",
                "username": opened_by,
            }
        case Entry.OIDC:
            issuer, _, subject = opened_by.partition("|")
            name = subject or f"system:serviceaccount:{identity.name}"
            provider = f"arn:aws:iam::{account}:oidc-provider/{issuer}"
            return {"type": "WebIdentityUser", "principalid": f"{provider}:sts.amazonaws.com:{name}", "username": name}
        case Entry.VENDOR:
            vendor = opened_by.split(":", maxsplit=1)[0]
            return {
                "type": "AWSAccount",
                "principalid": f"AIDA{base32(17, vendor)}",
                "accountid": vendor,
                "label": label,
            }
        case _:
            return None
