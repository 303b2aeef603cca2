"""The organisation's tree, and the levels of control policies from the root to each account.

Organizations User Guide, "SCP evaluation" and "RCP evaluation". A type that is not enabled has no levels; where it is
enabled, a node without a policy of the type is an empty level, and an empty level denies everything below.
Service control policies do not bind the management account, resource control policies not its resources.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.iam.policy import Condition, Effect, PolicyDocument, PolicyError, Statement
from analytics.iam.stack import ControlLevel, NamedPolicy

if TYPE_CHECKING:
    from analytics.sources.snapshot_documents import Documents
    from analytics.sources.snapshot_reading import Record
    from analytics.sources.snapshot_values import Tags

SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"
ANYTHING = "counts as one that may allow and may deny anything"
_PERHAPS = (Condition("StringEquals", "headroom:DocumentNotCollected", ("unknown",)),)
# Stands for a control policy that cannot be read. To leave it out would be a claim, whichever way: this way all that
# it governs is possible, and nothing is sure.
NOT_COLLECTED = PolicyDocument(
    tuple(
        Statement(effect, sid="DocumentNotCollected", action=("*",), resource=("*",), condition=_PERHAPS)
        for effect in Effect
    ),
    "2012-10-17",
)


def is_not_collected(document: PolicyDocument) -> bool:
    """Whether it stands for a control policy that the snapshot does not hold, as read or as kept in a build."""
    return all(statement.condition == _PERHAPS for statement in document.statements) and bool(document.statements)


# Attached by AWS to every node once the type is enabled, and impossible to detach: there even where a dump omits it.
RCP_FULL_ACCESS = NamedPolicy(
    "RCPFullAWSAccess",
    PolicyDocument((Statement(Effect.ALLOW, action=("*",), resource=("*",)),), "2012-10-17"),
    "arn:aws:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess",
)
_ORGANIZATION_ID = re.compile(r"/(o-[a-z0-9]{10,32})/")


class NodeKind(StrEnum):
    """What a node of the tree is."""

    ROOT = "root"
    OU = "ou"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Node:
    """The root, an OU or an account, with the policies attached directly to it."""

    node_id: str
    kind: NodeKind
    name: str
    parent_id: str | None
    path: str  # names from the root, its own included: "Root/Prod/payments"
    id_path: tuple[str, ...]  # ids from the root, its own included
    status: str | None = None  # of an account
    tags: Tags = ()
    scp: ControlLevel | None = None  # what is attached here, whether or not the type is enabled
    rcp: ControlLevel | None = None

    def level(self, policy_type: str) -> ControlLevel:
        """The policies of one type attached directly here, perhaps none."""
        return (self.scp if policy_type == SCP else self.rcp) or ControlLevel(self.node_id, self.name, ())


@dataclass(frozen=True, slots=True)
class Organization:
    """One organisation as it stood when the snapshot was taken; `nodes` has parents before children."""

    root_id: str
    id: str | None = None
    management_account_id: str | None = None
    nodes: tuple[Node, ...] = ()
    enabled_types: frozenset[str] = frozenset()
    _levels: Mapping[tuple[str, str], tuple[ControlLevel, ...]] = field(default_factory=dict, repr=False, compare=False)
    _paths: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def scp_levels(self, account_id: str) -> tuple[ControlLevel, ...]:
        """The SCPs that bind the principals of an account, root first; none for the management account."""
        return self._levels.get((SCP, account_id), ())

    def rcp_levels(self, account_id: str) -> tuple[ControlLevel, ...]:
        """The RCPs that bind the resources of an account, root first; none for the management account."""
        return self._levels.get((RCP, account_id), ())

    def node(self, node_id: str) -> Node | None:
        """The node of this id."""
        return next((node for node in self.nodes if node.node_id == node_id), None)

    def attached(self, node: Node, policy_type: str) -> ControlLevel:
        """What is attached directly to a node; of an enabled type, with what AWS attaches itself."""
        return _in_force(node, policy_type) if policy_type in self.enabled_types else node.level(policy_type)

    def path_of(self, account_id: str) -> str | None:
        """Its place as `aws:PrincipalOrgPaths` has it, "o-exampleorgid/r-ab12/ou-ab12-11111111/"; None if no member."""
        return self._paths.get(account_id)


def read_organization(tree: Record, documents: Documents) -> Organization | None:
    """The organisation of `organization.json`; None, and a note, where there is no root."""
    root_id = tree.text("Id")
    if root_id is None:
        tree.notes.add(tree.subject, "the root has no `Id`; the organisation is left out, so no SCP applies")
        return None
    nodes = tuple(_Walk(documents).nodes(tree))
    arn = tree.text("Arn") or ""
    management = tree.text("MasterAccountId", "ManagementAccountId") or _owner(arn)
    if management is None:
        tree.notes.add(tree.subject, "does not name the management account, so no account escapes the SCPs")
    enabled = _enabled_types(tree, nodes)
    organization_id = tree.text("OrganizationId") or _organization_id(arn)
    if organization_id is None:
        tree.notes.add(tree.subject, "does not tell the organisation's id; conditions on it cannot be decided")
    return Organization(
        root_id=root_id,
        id=organization_id,
        management_account_id=management,
        nodes=nodes,
        enabled_types=enabled,
        _levels=_levels(nodes, enabled, management),
        _paths=_paths(nodes, organization_id) if organization_id else {},
    )


def _paths(nodes: tuple[Node, ...], organization_id: str) -> dict[str, str]:
    accounts = (node for node in nodes if node.kind is NodeKind.ACCOUNT)
    return {node.node_id: "/".join((organization_id, *node.id_path[:-1], "")) for node in accounts}


def _levels(
    nodes: tuple[Node, ...], enabled: frozenset[str], management: str | None
) -> dict[tuple[str, str], tuple[ControlLevel, ...]]:
    """By policy type and account, the levels from the root down; nodes of one path share their levels."""
    at = {(kind, node.node_id): _in_force(node, kind) for kind in enabled & {SCP, RCP} for node in nodes}
    members = [node for node in nodes if node.kind is NodeKind.ACCOUNT and node.node_id != management]
    return {
        (kind, node.node_id): tuple(at[kind, node_id] for node_id in node.id_path)
        for kind in enabled & {SCP, RCP}
        for node in members
    }


def _in_force(node: Node, kind: str) -> ControlLevel:
    level = node.level(kind)
    if kind == SCP or any(policy.name == RCP_FULL_ACCESS.name for policy in level.policies):
        return level
    return replace(level, policies=(replace(RCP_FULL_ACCESS, attached_to=node.node_id), *level.policies))


class _Walk:
    """Walks the tree from the root, without recursion: a hostile one may be deep."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def nodes(self, tree: Record) -> list[Node]:
        found: dict[str, Node] = {}
        waiting: list[tuple[Record, Node | None]] = [(tree, None)]
        while waiting:
            record, parent = waiting.pop()
            node = self._node(record, parent)
            if node is None:
                continue
            if node.node_id in found:
                where = found[node.node_id].path
                record.notes.add(
                    node.node_id, f"stands twice in the organisation, first as `{where}`; that one is kept"
                )
                continue
            found[node.node_id] = node
            waiting.extend((child, node) for child in reversed(record.records("Children")))
        return list(found.values())

    def _node(self, record: Record, parent: Node | None) -> Node | None:
        node_id = record.text("Id")
        if node_id is None:
            inside = parent.path if parent else "the root"
            record.notes.add(record.subject, f"a node inside `{inside}` has no `Id`; it and all below it are left out")
            return None
        name = record.text("Name") or node_id
        attached = self._attached(record, node_id, name)
        return Node(
            node_id=node_id,
            kind=_kind(record, node_id, parent),
            name=name,
            parent_id=parent.node_id if parent else None,
            path=f"{parent.path}/{name}" if parent else name,
            id_path=(*parent.id_path, node_id) if parent else (node_id,),
            status=record.text("Status", "State"),
            tags=record.tags("Tags"),
            scp=attached[SCP],
            rcp=attached[RCP],
        )

    def _attached(self, record: Record, node_id: str, name: str) -> dict[str, ControlLevel]:
        """The SCPs and the RCPs attached to the node, perhaps none."""
        policies: dict[str, list[NamedPolicy]] = {SCP: [], RCP: []}
        if not isinstance(record.values.get("Policies"), list):
            record.notes.add(node_id, f"has no list `Policies`: what is attached to it {ANYTHING}")
            unknown = NamedPolicy("policies not collected", NOT_COLLECTED, attached_to=node_id)
            policies = {kind: [unknown] for kind in policies}
        for policy in record.records("Policies"):
            named = self._named(policy, node_id)
            kind = policy.text("Type")
            if kind is None:
                record.notes.add(node_id, f"policy `{named.name}` has no `Type`: it {ANYTHING}")
            for listed in policies if kind is None else policies.keys() & {kind}:  # other types do not decide access
                policies[listed].append(named)
        return {kind: ControlLevel(node_id, name, tuple(policies[kind])) for kind in policies}

    def _named(self, policy: Record, node_id: str) -> NamedPolicy:
        name = policy.text("Name", "Id") or "without a name"
        document = NOT_COLLECTED
        if policy.text("Type") in (SCP, RCP):
            try:
                document = self._documents.parse(policy.values.get("Content"), name=name)
            except PolicyError as error:
                policy.notes.add(f"{name} on {node_id}", f"{error}; it {ANYTHING}")
        return NamedPolicy(name, document, policy.text("Arn", "Id"), node_id)


def _kind(record: Record, node_id: str, parent: Node | None) -> NodeKind:
    if parent is None:
        return NodeKind.ROOT
    named = (record.text("Type") or "").upper()
    is_account = named == "ACCOUNT" or (not named and re.fullmatch(r"[0-9]{12}", node_id) is not None)
    return NodeKind.ACCOUNT if is_account else NodeKind.OU


def _enabled_types(tree: Record, nodes: tuple[Node, ...]) -> frozenset[str]:
    """The types that the root says are enabled; where it does not say, those of which policies are attached."""
    if tree.has("PolicyTypes"):
        types = tree.records("PolicyTypes")
        return frozenset(kind for item in types if item.text("Status") == "ENABLED" and (kind := item.text("Type")))
    seen = frozenset(kind for kind in (SCP, RCP) if any(node.level(kind).policies for node in nodes))
    taken = f"{' and '.join(sorted(seen))} are attached and taken as enabled" if seen else "none is taken as enabled"
    tree.notes.add(tree.subject, f"the root has no `PolicyTypes`; {taken}")
    return seen


def _organization_id(arn: str) -> str | None:
    found = _ORGANIZATION_ID.search(arn)
    return found[1] if found else None


def _owner(arn: str) -> str | None:
    """The management account: the owner of every ARN of the organisation."""
    found = re.match(r"arn:[^:]*:organizations::([0-9]{12}):", arn)
    return found[1] if found else None
