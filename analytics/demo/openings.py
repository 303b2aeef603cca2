"""How sessions begin: AssumeRole, AssumeRoleWithSAML, AssumeRoleWithWebIdentity, and sign-in to the console."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.demo.actors import Cast, labels_of
from analytics.demo.arrow import iso_times
from analytics.demo.calls import Call
from analytics.demo.company import HOME
from analytics.demo.model import Account, Calendar, Entry, Identity, Plan
from analytics.demo.rhythm import midnight

if TYPE_CHECKING:
    from analytics.demo.activity import Sessions
    from analytics.demo.events import Bodies, Kind, Rows

_EVENTS = {
    Entry.SERVICE: "AssumeRole",
    Entry.ROLE: "AssumeRole",
    Entry.VENDOR: "AssumeRole",
    Entry.SAML: "AssumeRoleWithSAML",
    Entry.OIDC: "AssumeRoleWithWebIdentity",
}
_CALLS = {
    name: Call(f"sts:{name}", "sts.amazonaws.com", name, True, None, None, None, None, ())
    for name in set(_EVENTS.values())
}
_SIGN_IN = Call("signin:ConsoleLogin", "signin.amazonaws.com", "ConsoleLogin", False, None, None, None, None, ())


def rows(
    sessions: Sessions,
    cast: Cast,
    kinds: list[Kind],
    bodies: Bodies,
    logged: Callable[[Account, Call], bool],
    calendar: Calendar,
) -> Rows:
    """One record per session that somebody opened, one more where it was opened in the console."""
    from analytics.demo.events import Rows as Result

    start = sessions.start.astype(np.int64) + midnight(calendar)
    labels = labels_of(sessions).to_pylist()
    keys, arns, ids = cast.keys.to_pylist(), cast.arns.to_pylist(), cast.role_ids.to_pylist()
    until = iso_times(start + 3600).to_pylist()
    kind_of: dict[tuple[int, str | None, bool], int] = {}
    found: list[tuple[int, int, int, int, int]] = []
    for session in range(len(sessions)):
        number = int(sessions.plan[session])
        identity, plan = sessions.plans[number]
        opener = int(cast.openers[session])
        if opener >= 0:
            parent = int(sessions.parent[session])
            home = sessions.plans[sessions.plan[parent]][0].account if parent >= 0 else identity.account
            call = _CALLS[_EVENTS[plan.entry]]
            if logged(home, call) or logged(identity.account, call):
                key = (number, home.account_id, False)
                if key not in kind_of:
                    kind_of[key] = len(kinds)
                    kinds.append(_kind(identity, plan, call, home))
                facts = (keys[session], labels[session], ids[session], arns[session], until[session])
                _open(bodies, identity, plan, facts)
                at = int(start[session]) - 1
                found.append((kind_of[key], len(bodies.request) - 1, session, opener, at))
        if plan.console and (plan.entry is not Entry.SAML or session % 5):
            key = (number, None, True)
            if key not in kind_of:
                kind_of[key] = len(kinds)
                kinds.append(_kind(identity, plan, _SIGN_IN, identity.account))
            _sign_in(bodies, plan)
            found.append((kind_of[key], len(bodies.request) - 1, session, session, int(start[session]) + 1))
    columns = np.array(found, np.int64).reshape(-1, 5).T
    count = columns.shape[1]
    opening = columns[3] != columns[2]
    kind, body, opened, actor, time = columns
    return Result(kind, body, opened, actor, time, opening, np.zeros(count, bool), np.full(count, -1, np.int64))


def _kind(identity: Identity, plan: Plan, call: Call, home: Account) -> Kind:
    from analytics.demo.events import Kind as Result

    other = identity.account.account_id if home is not identity.account else None
    region = "us-east-1" if call is _SIGN_IN and plan.entry is not Entry.SAML else HOME
    return Result(identity, plan, call, region, home.account_id, shared_with=other)


def _open(bodies: Bodies, identity: Identity, plan: Plan, facts: tuple[str, str, str, str, str]) -> None:
    key, label, role_id, arn, until = facts
    request: dict[str, Any] = {"roleArn": identity.arn, "roleSessionName": label, "durationSeconds": 3600}
    response: dict[str, Any] = {
        "credentials": {"accessKeyId": key, "sessionToken": "<redacted>", "expiration": until},
        "assumedRoleUser": {"assumedRoleId": f"{role_id}:{label}", "arn": arn},
    }
    if plan.entry is Entry.SAML:
        provider = identity.trust["Statement"][0]["Principal"]["Federated"] if identity.trust else ""
        request = {"sAMLAssertionID": f"_{role_id.lower()}", "principalArn": provider, **request}
        response |= {"subject": label, "subjectType": "persistent", "issuer": "https://portal.sso.eu-west-1.amazonaws.com/saml/assertion", "audience": "https://signin.aws.amazon.com/saml"}  # fmt: skip
    if plan.entry is Entry.OIDC:
        issuer, _, subject = plan.opened_by.partition("|")
        response |= {
            "subjectFromWebIdentityToken": subject or label,
            "provider": f"arn:aws:iam::{identity.account.account_id}:oidc-provider/{issuer}",
            "audience": "sts.amazonaws.com",
        }
    if plan.entry is Entry.VENDOR and ":" in plan.opened_by:
        request["externalId"] = plan.opened_by.split(":", 1)[1]
    bodies.request.append(json.dumps(request, separators=(",", ":")))
    bodies.response.append(json.dumps(response, separators=(",", ":")))
    bodies.extra.append(None)
    bodies.details.append(None)
    resource: dict[str, str | None] = {
        "arn": identity.arn,
        "accountid": identity.account.account_id,
        "type": "AWS::IAM::Role",
    }
    bodies.resources.append([resource])
    bodies.named.append(identity.arn)


def _sign_in(bodies: Bodies, plan: Plan) -> None:
    used = "Yes" if plan.mfa and plan.entry is not Entry.SAML else "No"
    extra = {"LoginTo": f"https://{HOME}.console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": used}
    bodies.request.append(None)
    bodies.response.append('{"ConsoleLogin":"Success"}')
    bodies.extra.append(json.dumps(extra, separators=(",", ":")))
    bodies.details.append(None)
    bodies.resources.append(None)
    bodies.named.append("*")
