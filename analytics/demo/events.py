"""The sample's calls as one Arrow table in CloudTrail's layout, ordered by time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from analytics.demo import openings
from analytics.demo.arrow import ADDENDUM, RESOURCE, SCHEMA, TLS, iso_times, nulls, text, uuids, where
from analytics.demo.calls import Call, Fields
from analytics.demo.company import HOME
from analytics.demo.model import Account, Calendar, Identity, Plan, Refusal, Use, encoded
from analytics.demo.refusals import NAMED, ORDINARY
from analytics.demo.rhythm import DAY, Ints, midnight

if TYPE_CHECKING:
    from analytics.demo.activity import Calls, Sessions
    from analytics.demo.actors import Cast

_GLOBAL = {"iam", "organizations", "route53", "cloudfront", "ce", "budgets", "support", "health", "trustedadvisor"}
_THROUGH_ENDPOINT = {f"{name}.amazonaws.com" for name in ("s3", "kms", "secretsmanager", "sqs", "dynamodb", "ssm", "sts")}  # fmt: skip


@dataclass(slots=True)
class Kind:
    """What all calls of one use have in common."""

    identity: Identity
    plan: Plan
    call: Call
    region: str
    account_id: str  # whose log
    via: str | None = None
    refusal: Refusal | None = None
    shared_with: str | None = None


@dataclass(slots=True)
class Bodies:
    """Texts of calls; one row per variant."""

    request: list[str | None] = field(default_factory=list)
    response: list[str | None] = field(default_factory=list)
    extra: list[str | None] = field(default_factory=list)
    details: list[str | None] = field(default_factory=list)
    resources: list[list[dict[str, str | None]] | None] = field(default_factory=list)
    named: list[str] = field(default_factory=list)  # the resource as an error message names it


@dataclass(slots=True)
class Rows:
    """One entry per record in every array."""

    kind: Ints
    body: Ints
    session: Ints
    actor: Ints
    time: Ints
    opening: np.ndarray[Any, np.dtype[np.bool_]]
    mirrored: np.ndarray[Any, np.dtype[np.bool_]]
    pair: Ints  # records of one call have the same number; -1: recorded once


def table_of(
    calls: Calls,
    sessions: Sessions,
    cast: Cast,
    logged: Callable[[Account, Call], bool],
    calendar: Calendar,
    rng: np.random.Generator,
    random: Random,
) -> pa.Table:
    """All records, ordered by time."""
    bodies = Bodies()
    kinds = [_kind(*row) for row in calls.uses]
    body = _bodies(calls, kinds, bodies, rng, random)
    count = len(calls.use)
    own = Rows(
        calls.use,
        body,
        calls.session,
        calls.session,
        calls.time,
        np.zeros(count, bool),
        np.zeros(count, bool),
        np.full(count, -1, np.int64),
    )
    opened = openings.rows(sessions, cast, kinds, bodies, logged, calendar)
    rows = _mirror(_concatenate(own, opened), kinds, sessions, cast)
    ours = np.array([kind.identity.account.unit != "" for kind in kinds])[rows.kind] | rows.mirrored
    rows = _take(rows, np.flatnonzero(ours))
    order = np.lexsort((rows.kind, rows.time))
    rows = _take(rows, order)
    return _assemble(rows, kinds, bodies, sessions, cast, calendar, rng)


def _kind(identity: Identity, plan: Plan, use: Use, call: Call) -> Kind:
    home = identity.account.account_id
    other = use.shared_with if use.shared_with != home else None
    refusal = use.refusal or ORDINARY.get(call.key)
    return Kind(identity, plan, call, region_of(call, use, plan), home, use.via, refusal, other)


def region_of(call: Call, use: Use | None, plan: Plan) -> str:
    """Where a call is recorded: global services in us-east-1."""
    if call.source.split(".")[0] in _GLOBAL:
        return "us-east-1"
    return (use.region if use else None) or plan.region or HOME


def _bodies(calls: Calls, kinds: list[Kind], bodies: Bodies, rng: np.random.Generator, random: Random) -> Ints:
    """Variants of each use's texts, enough that few calls look the same; the variant of each call."""
    count = np.bincount(calls.use, minlength=len(kinds))
    variants = np.where(count <= 8, count, np.minimum(60, 6 + count // 4))
    first = np.concatenate([[0], np.cumsum(variants)])
    for number, kind in enumerate(kinds):
        use = calls.uses[number][2]
        given = {"region": kind.region, "account": kind.identity.account.account_id, **use.of}
        given.setdefault("owner", kind.identity.account.account_id)
        given.setdefault("label", kind.plan.labels[0])
        for _ in range(int(variants[number])):
            add_body(bodies, kind.call, Fields(dict(given), random), use)
    position = np.arange(len(calls.use)) - np.searchsorted(calls.use, calls.use)
    chosen = np.where(count[calls.use] <= 8, position, rng.integers(0, np.maximum(variants[calls.use], 1)))
    return first[calls.use] + chosen


def add_body(bodies: Bodies, call: Call, fields: Fields, use: Use) -> None:
    """One variant of a call's texts."""
    fields.resolve()
    bodies.request.append(call.request % fields if call.request else None)
    bodies.response.append(call.response % fields if call.response else None)
    bodies.extra.append(call.extra % fields if call.extra else None)
    bodies.details.append(call.details % fields if call.details else None)
    found = [_resource(kind, arn % fields, fields) for kind, arn in call.resources]
    bodies.resources.append(found or None)
    named = found[0]["arn"] if found else NAMED[call.key] % fields if call.key in NAMED else "*"
    bodies.named.append(use.of.get("resource") or named or "*")


def _resource(kind: str | None, arn: str, fields: Fields) -> dict[str, str | None]:
    if kind == "AWS::S3::Object":  # CloudTrail gives objects no account
        return {"arn": arn, "accountid": None, "type": kind}
    return {"arn": arn, "accountid": fields["owner"], "type": kind}


def _concatenate(*parts: Rows) -> Rows:
    return Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in Rows.__slots__))


def _take(rows: Rows, index: Ints) -> Rows:
    return Rows(*(getattr(rows, name)[index] for name in Rows.__slots__))


def _mirror(rows: Rows, kinds: list[Kind], sessions: Sessions, cast: Cast) -> Rows:
    """Calls on another account's resources stand in that account's log, too, with the caller's id only."""
    shared = np.array([kind.shared_with is not None for kind in kinds])[rows.kind]
    caller = np.where(rows.opening, sessions.parent[rows.session], rows.session)
    twice = np.flatnonzero(shared & (caller >= 0))
    rows.pair[twice] = np.arange(len(twice))
    other = _take(rows, twice)
    other.actor = cast.mirrors[caller[twice]]
    other.mirrored = np.ones(len(twice), bool)
    return _concatenate(rows, other)


def _assemble(
    rows: Rows,
    kinds: list[Kind],
    bodies: Bodies,
    sessions: Sessions,
    cast: Cast,
    calendar: Calendar,
    rng: np.random.Generator,
) -> pa.Table:
    count = len(rows.kind)
    kind = pa.array(rows.kind)
    of_kind = {name: text(values).take(kind) for name, values in _columns(kinds).items()}
    failed, code, message = _errors(rows, kinds, bodies, cast, calendar, rng)
    by_service = np.asarray(of_kind["via"].is_valid()) | _by_service(rows, kinds)
    service = pa.compute.coalesce(of_kind["via"], where(_by_service(rows, kinds), of_kind["opened_by"]))
    caller = np.where(rows.opening & (sessions.parent[rows.session] >= 0), sessions.parent[rows.session], rows.session)
    address = _chosen(sessions, "addresses").take(pa.array(caller))
    agent = _chosen(sessions, "agents").take(pa.array(caller))
    body = pa.array(rows.body)
    response = text(bodies.response).take(body)
    recipient = where(rows.mirrored, of_kind["shared_with"], of_kind["account"])
    pair_ids = uuids(rng, int(rows.pair.max(initial=0)) + 1)
    shared = pair_ids.take(pa.array(rows.pair, mask=rows.pair < 0))
    service_opened = rows.opening & _by_service(rows, kinds)
    requests = _request_ids(rows, rng)
    host = where(~by_service, of_kind["host"])
    tls = pa.StructArray.from_arrays(
        [
            where(~by_service, pa.repeat(pa.scalar("TLSv1.3"), count)),
            where(~by_service, pa.repeat(pa.scalar("TLS_AES_128_GCM_SHA256"), count)),
            host,
        ],
        fields=list(TLS),
        mask=pa.array(by_service),
    )
    columns: dict[str, Any] = {
        "eventversion": pa.repeat(pa.scalar("1.11"), count),
        "useridentity": cast.actors.identities(rows.actor, service),
        "eventtime": iso_times(rows.time),
        "eventsource": of_kind["source"],
        "eventname": of_kind["event"],
        "awsregion": of_kind["region"],
        "sourceipaddress": where(by_service, service, address),
        "useragent": where(by_service, service, agent),
        "errorcode": code,
        "errormessage": message,
        "requestparameters": text(bodies.request).take(body),
        "responseelements": where(~failed & ~rows.mirrored, response),
        "additionaleventdata": text(bodies.extra).take(body),
        "requestid": requests,
        "eventid": uuids(rng, count),
        "resources": pa.array(bodies.resources, pa.list_(RESOURCE)).take(body),
        "eventtype": of_kind["type"],
        "apiversion": nulls(pa.string(), count),
        "readonly": of_kind["readonly"],
        "recipientaccountid": recipient,
        "serviceeventdetails": text(bodies.details).take(body),
        "sharedeventid": pa.compute.coalesce(shared, where(service_opened, uuids(rng, count))),
        "vpcendpointid": where(~by_service, of_kind["endpoint"]),
        "vpcendpointaccountid": where(~by_service, of_kind["endpoint_account"]),
        "eventcategory": of_kind["category"],
        "addendum": nulls(ADDENDUM, count),
        "sessioncredentialfromconsole": where(~rows.opening & ~rows.mirrored, of_kind["console"]),
        "edgedevicedetails": nulls(pa.string(), count),
        "tlsdetails": tls,
    }
    return pa.Table.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _columns(kinds: list[Kind]) -> dict[str, list[str | None]]:
    """Texts that depend on the kind of call alone."""
    endpoint = [k.plan.vpc_endpoint if k.call.source in _THROUGH_ENDPOINT else None for k in kinds]
    return {
        "source": [k.call.source for k in kinds],
        "event": [k.call.event for k in kinds],
        "region": [k.region for k in kinds],
        "account": [k.account_id for k in kinds],
        "shared_with": [k.shared_with for k in kinds],
        "via": [k.via for k in kinds],
        "opened_by": [k.plan.opened_by for k in kinds],
        "host": [f"{k.call.source.split('.')[0]}.{k.region}.amazonaws.com" for k in kinds],
        "readonly": ["true" if k.call.read_only else "false" for k in kinds],
        "category": ["Data" if k.call.data_type else "Management" for k in kinds],
        "type": [_event_type(k.call) for k in kinds],
        "console": ["true" if k.plan.console and not k.via else None for k in kinds],
        "endpoint": endpoint,
        "endpoint_account": [k.identity.account.account_id if e else None for k, e in zip(kinds, endpoint, strict=True)],
    }  # fmt: skip


def _event_type(call: Call) -> str:
    if call.service_event:
        return "AwsServiceEvent"
    return "AwsConsoleSignIn" if call.source.startswith("signin.") else "AwsApiCall"


def _by_service(rows: Rows, kinds: list[Kind]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Records of an AWS service acting: it opens a role's session, or works with a service-linked role."""
    opens = np.array([k.plan.entry == "service" for k in kinds])[rows.kind] & rows.opening
    linked = np.array([k.plan.entry == "inside" for k in kinds])[rows.kind]
    return np.asarray(opens | linked, np.bool_)


def _chosen(sessions: Sessions, what: str) -> pa.Array:
    """The address or agent of each session: the plan's, one after the other."""
    values = [getattr(plan, what) or ("AWS Internal",) for _, plan in sessions.plans]
    offsets = np.concatenate([[0], np.cumsum([len(v) for v in values])])
    lengths = np.array([len(v) for v in values])[sessions.plan]
    mixed = (sessions.start // 7200).astype(np.int64) * 7 + sessions.label
    return text([item for value in values for item in value]).take(pa.array(offsets[sessions.plan] + mixed % lengths))


def _request_ids(rows: Rows, rng: np.random.Generator) -> pa.Array:
    """Both records of one call have the request's id."""
    paired = uuids(rng, int(rows.pair.max(initial=0)) + 1)
    return pa.compute.coalesce(paired.take(pa.array(rows.pair, mask=rows.pair < 0)), uuids(rng, len(rows.kind)))


def _errors(
    rows: Rows, kinds: list[Kind], bodies: Bodies, cast: Cast, calendar: Calendar, rng: np.random.Generator
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], pa.Array, pa.Array]:
    """Which records failed, their codes and their messages."""
    count = len(rows.kind)
    codes: list[str | None] = [None] * count
    messages: list[str | None] = [None] * count
    drawn = rng.random(count)
    day = (rows.time - midnight(calendar)) // DAY
    may = np.array([k.refusal is not None for k in kinds])[rows.kind]
    arns = cast.arns
    decided: dict[int, int] = {}
    for row in np.flatnonzero(may):
        kind = kinds[rows.kind[row]]
        refusal = kind.refusal
        if refusal is None or not refusal.first <= day[row] < refusal.last:
            continue
        pair = int(rows.pair[row])
        chance = drawn[decided.setdefault(pair, int(row))] if pair >= 0 else drawn[row]
        if chance >= refusal.share:
            continue
        codes[row] = refusal.code
        caller = rows.session[row]
        messages[row] = (
            refusal.message
            % {
                "user": arns[caller].as_py(),
                "action": kind.call.action,
                "resource": bodies.named[rows.body[row]],
                "encoded": encoded(9, row, kind.call.key),
            }
            or None
        )
    code = text(codes)
    return np.asarray(code.is_valid()), code, text(messages)
