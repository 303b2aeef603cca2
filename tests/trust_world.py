"""A small organisation for trust: one role of one account, its neighbours, and whoever stands outside."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from analytics.engine.reach import Reachable
from analytics.findings.estate import AccountFacts, Estate, Subject
from analytics.findings.weights import action_weights
from analytics.iam.catalogue import load_catalogue
from analytics.iam.names import kind_of_arn, parse_arn
from analytics.iam.policy import PolicyDocument, parse_policy
from analytics.iam.stack import ControlLevel, NamedPolicy, PolicyStack
from tests.builders import principal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analytics.sources.snapshot_values import Credentials

HOME, MEMBER, MANAGEMENT = "111122223333", "444455556666", "999988887777"
VENDOR, STRANGER = "464622532012", "123456789012"  # Datadog; nobody
ORGANIZATION, PATH = "o-exampleorg", "o-exampleorg/r-ab12/ou-ab12-11111111/"
ROLE = f"arn:aws:iam::{HOME}:role/app"
FULL_RCP = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def root(account_id: str) -> str:
    """The ARN by which a trust document names an account as a whole."""
    return f"arn:aws:iam::{account_id}:root"


def allow(principals: object, action: object = "sts:AssumeRole", **more: object) -> dict[str, Any]:
    """One Allow statement of a trust document; `principals` is the Principal element, text means `AWS`."""
    named = {"AWS": principals} if isinstance(principals, str | list) and principals != "*" else principals
    return {"Effect": "Allow", "Principal": named, "Action": action, **more}


def when(**conditions: Mapping[str, object]) -> dict[str, Any]:
    """A Condition element: `when(StringEquals={"sts:ExternalId": "x"})`."""
    return {"Condition": conditions}


def trust(*statements: Mapping[str, object]) -> PolicyDocument:
    """A trust document."""
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)}, name="trust")


def rcps(*levels: Sequence[Mapping[str, object]]) -> tuple[ControlLevel, ...]:
    """Levels of resource control policies, each beside RCPFullAWSAccess."""
    return tuple(
        ControlLevel(
            f"level-{at}",
            f"level-{at}",
            (NamedPolicy("rcp", trust(FULL_RCP, *statements), None, f"level-{at}"),),
        )
        for at, statements in enumerate(levels)
    )


def only_own_organization(**more: object) -> dict[str, Any]:
    """The usual RCP: nobody but the organisation and AWS services."""
    condition = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION, **more},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    return {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*", "Condition": condition}


def subject(
    arn: str = ROLE,
    document: PolicyDocument | None = None,
    *,
    levels: tuple[ControlLevel, ...] = (),
    credentials: Credentials | None = None,
    organization: bool = True,
    **facts: object,
) -> Subject:
    """One identity that may do nothing, and may be anybody's."""
    parts = parse_arn(arn)
    assert parts is not None
    tags = facts.get("tags", ())
    where = {"organization_id": ORGANIZATION, "organization_path": PATH} if organization else {}
    stack = PolicyStack(principal(arn, tags=tags, unique_id=facts.get("unique_id"), **where), rcp_levels=levels)
    return Subject(
        arn=arn,
        name=parts.resource.rpartition("/")[2],
        kind=kind_of_arn(arn),
        account_id=parts.account_id,
        path="/",
        environment=None,
        owner=None,
        stack=stack,
        reach=_reachable().of(stack),
        trust=document,
        credentials=credentials,
        tags=tags,
    )


def estate(subjects: Iterable[Subject] = (), *, organization: bool = True) -> Estate:
    """The home account, a member and the management account; without an organisation only the home account."""
    catalogue = load_catalogue()
    known = ((HOME, "home"), (MEMBER, "neighbour"), (MANAGEMENT, "headquarters")) if organization else ((HOME, "home"),)
    return Estate(
        catalogue=catalogue,
        reachable=_reachable(),
        weights=action_weights(catalogue),
        subjects={one.arn: one for one in sorted(subjects, key=lambda one: one.arn)},
        accounts={
            account_id: AccountFacts(account_id, name, None, None, account_id == MANAGEMENT, organization, "ok", 90)
            for account_id, name in known
        },
        nodes={},
        enabled_types=frozenset({"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}),
        organization_id=ORGANIZATION if organization else None,
        management_account_id=MANAGEMENT if organization else None,
        window_start=date(2026, 8, 25),
        window_end=date(2026, 11, 22),
        window_days=90,
        taken_at=None,
    )


@cache
def _reachable() -> Reachable:
    return Reachable(load_catalogue())
