"""Small estates for findings: identities by name, an organisation of accounts without nodes.

A test says what its identities may do, who may become them and what limits them; the rest has a usual value.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from analytics.engine.reach import Reachable
from analytics.findings.estate import AccountFacts, Estate, Subject
from analytics.findings.weights import action_weights
from analytics.iam.catalogue import load_catalogue
from analytics.iam.names import kind_of_arn
from analytics.iam.policy import Effect, PolicyDocument, Principals, Statement
from analytics.iam.stack import NamedPolicy, PolicyStack
from tests.builders import ACCOUNT, document, level, principal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.iam.policy import Condition

MANAGEMENT = "999988887777"
_REACHABLE = Reachable(load_catalogue())


def arn(name: str, *, kind: str = "role", account: str = ACCOUNT, path: str = "/") -> str:
    """The ARN of an identity."""
    return f"arn:aws:iam::{account}:{kind}{path}{name}"


def trusts(*principals: str, conditions: Sequence[Condition] = (), action: str = "sts:AssumeRole") -> PolicyDocument:
    """A trust document for these: service principals, SAML providers, accounts, ARNs or `*`."""
    services = tuple(one for one in principals if one.endswith(".amazonaws.com"))
    providers = tuple(one for one in principals if ":saml-provider/" in one)
    others = tuple(one for one in principals if one not in services + providers)
    everyone = others == ("*",)
    named = Principals(everyone, () if everyone else others, services, providers)
    return document(Statement(Effect.ALLOW, action=(action,), principal=named, condition=tuple(conditions)))


def identity(
    name: str,
    *statements: Statement,
    kind: str = "role",
    account: str = ACCOUNT,
    path: str = "/",
    trust: PolicyDocument | None = None,
    boundary: Iterable[Statement] | None = None,
    scps: Iterable[Iterable[Statement]] = (),
    rcps: Iterable[Iterable[Statement]] = (),
    policies: Iterable[NamedPolicy] = (),
    tags: tuple[tuple[str, str], ...] = (),
    organization_id: str | None = "o-exampleorg",
    **facts: object,
) -> Subject:
    """One identity; `statements` are an inline policy of its own, `policies` stand beside it."""
    its_arn = arn(name, kind=kind, account=account, path=path)
    own = (NamedPolicy("inline", document(*statements), None, its_arn),) if statements else ()
    limit = f"arn:aws:iam::{account}:policy/limit"
    stack = PolicyStack(
        principal=principal(
            its_arn,
            tags=tags,
            organization_id=organization_id,
            organization_path=f"{organization_id}/r-ab12/" if organization_id else None,
        ),
        identity=(*own, *policies),
        boundary=None if boundary is None else NamedPolicy("limit", document(*boundary), limit, its_arn),
        scp_levels=tuple(level(*one, node=f"scp-{at}") for at, one in enumerate(scps)),
        rcp_levels=tuple(level(*one, node=f"rcp-{at}") for at, one in enumerate(rcps)),
    )
    return Subject(
        arn=its_arn,
        name=name,
        kind=kind_of_arn(its_arn),
        account_id=account,
        path=path,
        environment=None,
        owner=None,
        stack=stack,
        reach=_REACHABLE.of(stack),
        trust=trust,
        tags=tags,
        **facts,
    )


def estate(*subjects: Subject, management: str | None = MANAGEMENT) -> Estate:
    """An estate of these identities; their accounts were collected."""
    catalogue = load_catalogue()
    accounts = {
        one.account_id: AccountFacts(
            account_id=one.account_id,
            name=None,
            ou_path=None,
            environment=None,
            is_management=one.account_id == management,
            in_organization=True,
            collected="ok",
            days_covered=90,
        )
        for one in subjects
    }
    return Estate(
        catalogue=catalogue,
        reachable=_REACHABLE,
        weights=action_weights(catalogue),
        subjects={one.arn: one for one in sorted(subjects, key=lambda one: one.arn)},
        accounts=accounts,
        nodes={},
        enabled_types=frozenset({"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}),
        organization_id="o-exampleorg",
        management_account_id=management,
        window_start=date(2026, 8, 25),
        window_end=date(2026, 11, 22),
        window_days=90,
        taken_at=None,
    )
