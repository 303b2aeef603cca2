"""A small organisation for drafts: FullAWSAccess everywhere, a few identities, and what a test attaches."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from analytics.engine.reach import Reachable
from analytics.findings.estate import POLICY_TYPES, AccountFacts, Estate, NodeFacts, Subject
from analytics.findings.weights import action_weights
from analytics.iam.catalogue import load_catalogue
from analytics.iam.names import PrincipalKind, kind_of_arn, parse_arn
from analytics.iam.policy import PolicyDocument, Principals, Statement, parse_policy
from analytics.iam.stack import ControlLevel, NamedPolicy, PolicyStack, PrincipalFacts
from tests.builders import allow, document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MANAGEMENT, PROD, DEV, AUDIT = "999999999999", "111122223333", "444455556666", "777788889999"
ROOT, OU_PROD, OU_DEV = "r-ab12", "ou-ab12-prod0001", "ou-ab12-dev00001"
ORGANIZATION = "o-exampleorg"
TREE = (
    (ROOT, "root", "Root", None, "Root"),
    (OU_PROD, "ou", "Prod", ROOT, "Root/Prod"),
    (PROD, "account", "payments", OU_PROD, "Root/Prod/payments"),
    (OU_DEV, "ou", "Dev", ROOT, "Root/Dev"),
    (DEV, "account", "dev", OU_DEV, "Root/Dev/dev"),
    (MANAGEMENT, "account", "management", ROOT, "Root/management"),
)
FULL_SCP = NamedPolicy(
    "FullAWSAccess", document(allow("*")), "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"
)
FULL_RCP = NamedPolicy(
    "RCPFullAWSAccess",
    document(allow("*", principal=Principals(everyone=True))),
    "arn:aws:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess",
)
LISTS = {
    "approved_regions": ("eu-west-1", "eu-central-1"),
    "approved_boundaries": ("arn:aws:iam::*:policy/boundary/workload",),
    "approved_vendor_accounts": ("464622532012",),
    "approved_instance_types": ("t3.*", "m5.large"),
    "production_ou_paths": (f"{ORGANIZATION}/{ROOT}/{OU_PROD}/*",),
    "development_ou_paths": (f"{ORGANIZATION}/{ROOT}/{OU_DEV}/*",),
    "own_organization_id": (ORGANIZATION,),
}


def role(name: str, account_id: str = PROD) -> str:
    return f"arn:aws:iam::{account_id}:role/{name}"


def customer_scp(name: str, *statements: Statement, kind: str = "service_control_policy") -> NamedPolicy:
    arn = f"arn:aws:organizations::{MANAGEMENT}:policy/{ORGANIZATION}/{kind}/p-{name.replace('-', '')[:8]}"
    return NamedPolicy(name, document(*statements), arn)


def customer_boundary(name: str, content: PolicyDocument, account_id: str = PROD) -> NamedPolicy:
    return NamedPolicy(name, content, f"arn:aws:iam::{account_id}:policy/{name}")


def parsed(text: str, name: str = "policy") -> PolicyDocument:
    return parse_policy(text, name=name)


@cache
def _reachable() -> Reachable:
    return Reachable(load_catalogue())


def world(
    *arns: str,
    scps: Mapping[str, Sequence[NamedPolicy]] | None = None,
    rcps: Mapping[str, Sequence[NamedPolicy]] | None = None,
    boundaries: Mapping[str, NamedPolicy] | None = None,
    enabled: frozenset[str] = frozenset(POLICY_TYPES.values()),
    organization: bool = True,
) -> Estate:
    """An estate of administrators with these ARNs; policies are attached beside FullAWSAccess, by node id."""
    everyone = arns or (role("app"), role("ci"), role("app", DEV))
    nodes = {
        node_id: NodeFacts(
            node_id, kind, name, parent, path,
            _level(node_id, name, FULL_SCP, scps), _level(node_id, name, FULL_RCP, rcps),
        )
        for node_id, kind, name, parent, path in TREE
    } if organization else {}  # fmt: skip
    catalogue = load_catalogue()
    empty = Estate(
        catalogue=catalogue,
        reachable=_reachable(),
        weights=action_weights(catalogue),
        subjects={},
        accounts={
            row[0]: _account(row[0], row[2], row[4], organization=organization) for row in TREE if row[1] == "account"
        },
        nodes=nodes,
        enabled_types=enabled,
        organization_id=ORGANIZATION if organization else None,
        management_account_id=MANAGEMENT if organization else None,
        window_start=date(2026, 8, 25),
        window_end=date(2026, 11, 22),
        window_days=90,
        taken_at=None,
    )
    return replace(empty, subjects={arn: _subject(arn, empty, boundaries or {}) for arn in sorted(everyone)})


def _level(
    node_id: str, name: str, full: NamedPolicy, attached: Mapping[str, Sequence[NamedPolicy]] | None
) -> ControlLevel:
    policies = (full, *(attached or {}).get(node_id, ()))
    return ControlLevel(node_id, name, tuple(replace(policy, attached_to=node_id) for policy in policies))


def _account(account_id: str, name: str, path: str, *, organization: bool) -> AccountFacts:
    management = organization and account_id == MANAGEMENT
    return AccountFacts(account_id, name, path.rpartition("/")[0], None, management, organization, "ok", 90)


def _subject(arn: str, estate: Estate, boundaries: Mapping[str, NamedPolicy]) -> Subject:
    parts = parse_arn(arn)
    assert parts is not None
    kind = kind_of_arn(arn)
    bound = kind is not PrincipalKind.SERVICE_LINKED_ROLE
    boundary = boundaries.get(arn)
    stack = PolicyStack(
        PrincipalFacts(arn, parts.account_id, kind, (), estate.organization_id),
        identity=(NamedPolicy("admin", document(allow("*")), None, arn),),
        boundary=replace(boundary, attached_to=arn) if boundary else None,
        scp_levels=estate.levels(parts.account_id, "scp") if bound else (),
        rcp_levels=estate.levels(parts.account_id, "rcp") if bound else (),
    )
    name = parts.resource.rpartition("/")[2]
    return Subject(arn, name, kind, parts.account_id, "/", None, None, stack, estate.reachable.of(stack))


def scenario(scenario_id: str = "X-01", *actions: str, **fields: object) -> Any:
    """A scenario that names only what a test is about."""
    defaults = {
        "title": "Something happens",
        "principal": "any",
        "resource": "any",
        "guardrail_shape": "deny_except_named_principals",
        "probe_context": None,
        "best_layer": "scp",
        "other_layers": (),
        "usual_exemptions": (),
    }
    return SimpleNamespace(id=scenario_id, actions=actions or ("cloudtrail:StopLogging",), **(defaults | fields))
