"""How much of the quotas the control policies use: attachments of each node, characters of each policy.

The sizes are those of the documents without white space, as the console saves them; a document that was stored through
the API keeps its white space, and may be longer. Organizations User Guide, "Quotas and service limits"; SCPs may be ten
and 10,240 characters since 2026-05-15 (`data/reference/guardrail_scenarios.yaml`, layer_facts). FullAWSAccess counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.findings.organization.view import LAYERS
from analytics.iam.policy import to_json

if TYPE_CHECKING:
    from analytics.findings.estate import Estate
    from analytics.iam.policy import PolicyDocument

_LISTS = ("Action", "NotAction", "Resource", "NotResource")


@dataclass(frozen=True, slots=True)
class Quotas:
    """Policies attached directly to one node, and characters of one policy."""

    scp_attached: int = 10
    scp_characters: int = 10_240
    rcp_attached: int = 5
    rcp_characters: int = 5_120

    def attached(self, layer: str) -> int:
        """The most policies of a layer on one node."""
        return self.scp_attached if layer == "scp" else self.rcp_attached

    def characters(self, layer: str) -> int:
        """The most characters of a policy of a layer."""
        return self.scp_characters if layer == "scp" else self.rcp_characters


@dataclass(frozen=True, slots=True)
class AttachmentUse:
    """The attachments of one layer at one node."""

    node_id: str
    node_name: str
    path: str
    layer: str
    attached: int
    limit: int


@dataclass(frozen=True, slots=True)
class CharacterUse:
    """The size of one control policy."""

    layer: str
    name: str
    arn: str | None
    characters: int
    limit: int
    nodes: int  # that it is attached to


def attachment_use(estate: Estate, quotas: Quotas) -> tuple[AttachmentUse, ...]:
    """Every node with policies attached, the fullest first."""
    found = [
        AttachmentUse(node.node_id, node.name, node.path, layer, len(policies), quotas.attached(layer))
        for node in estate.nodes.values()
        for layer in LAYERS
        if (policies := node.attached(layer).policies)
    ]
    return tuple(sorted(found, key=lambda use: (-use.attached / use.limit, use.path, use.layer)))


def character_use(estate: Estate, quotas: Quotas) -> tuple[CharacterUse, ...]:
    """Every attached control policy, the longest for its layer first."""
    nodes: dict[tuple[str, str, str | None], list[PolicyDocument]] = {}
    for node in estate.nodes.values():
        for layer in LAYERS:
            for policy in node.attached(layer).policies:
                nodes.setdefault((layer, policy.name, policy.arn), []).append(policy.document)
    found = [
        CharacterUse(layer, name, arn, characters(documents[0]), quotas.characters(layer), len(documents))
        for (layer, name, arn), documents in nodes.items()
    ]
    return tuple(sorted(found, key=lambda use: (-use.characters / use.limit, use.layer, use.name)))


def characters(document: PolicyDocument) -> int:
    """The length of a document without white space, lists of one value written as the value."""
    return len(minified(document))


def minified(document: PolicyDocument) -> str:
    """The document as JSON without white space, lists of one value written as the value."""
    printed = to_json(document)
    printed["Statement"] = [_short(statement) for statement in printed["Statement"]]
    return json.dumps(printed, separators=(",", ":"), ensure_ascii=False)


def _short(statement: dict[str, Any]) -> dict[str, Any]:
    short: dict[str, Any] = {key: _one(value) if key in _LISTS else value for key, value in statement.items()}
    for operator, keys in statement.get("Condition", {}).items():
        short["Condition"] = short["Condition"] | {operator: {key: _one(values) for key, values in keys.items()}}
    return short


def _one(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
