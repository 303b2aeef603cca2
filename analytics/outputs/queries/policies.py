"""Every policy document that bears on one identity, and which of its statements decide an action."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.engine.reach import Reachable
from analytics.iam.catalogue import load_catalogue
from analytics.iam.policy import Effect
from analytics.outputs.queries.build import records
from analytics.outputs.stacks import document_of, stack_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What binds by attachment, then what binds by the account; AWS's service-linked roles escape control policies.
DOCUMENTS = """
with own as (
    select layer, position, policy_id, attached_to, null as place, -1 as level
    from attachments where principal_arn = $principal_arn
), inherited as (
    select control_levels.layer, position, policy_id, node_id, node_name, level
    from principals join control_levels using (account_id)
    where principal_arn = $principal_arn and kind <> 'service-linked role' and policy_id is not null
)
select layer, attached_to, place, name, arn, aws_managed, document
from (from own union all from inherited) join policies using (policy_id)
order by case layer when 'identity' then 0 when 'boundary' then 1 when 'trust' then 2 when 'scp' then 3 else 4 end,
    level, position, name"""


@dataclass(frozen=True, slots=True)
class PolicyText:
    """One document as it stands; names and text are untrusted."""

    key: str  # stable within the build and identity
    layer: str  # identity, boundary, trust, scp, rcp
    name: str
    arn: str | None
    aws_managed: bool
    attached_to: str  # ARN of the principal or group, or id of the node
    place: str | None  # name of the node
    statements: int
    document: str  # JSON


def policy_documents(con: DuckDBPyConnection, *, principal_arn: str) -> tuple[PolicyText, ...]:
    """What grants, what limits, who may, what the organisation allows; without a snapshot only the last."""
    return tuple(
        PolicyText(
            key=f"{row['layer']} {number}",
            layer=row["layer"],
            name=row["name"],
            arn=row["arn"],
            aws_managed=bool(row["aws_managed"]),
            attached_to=row["attached_to"],
            place=row["place"],
            statements=len(document_of(row["document"]).statements),
            document=row["document"],
        )
        for number, row in enumerate(records(con, DOCUMENTS, {"principal_arn": principal_arn}))
    )


def marked_statements(con: DuckDBPyConnection, *, principal_arn: str, mark: str) -> dict[str, dict[int, str]]:
    """By key of the document: the statements that a mark means, with what each does.

    A mark is an action (`iam:PassRole`), or `trust:N` for statement N (from 0) of the trust policy.
    """
    documents = policy_documents(con, principal_arn=principal_arn)
    layer, _, number = mark.partition(":")
    if layer == "trust" and number.isdecimal():
        return {
            document.key: {int(number): "lets it in"}
            for document in documents
            if document.layer == "trust" and int(number) < document.statements
        }
    return _deciding(con, principal_arn, mark, documents)


def _deciding(
    con: DuckDBPyConnection, principal_arn: str, action: str, documents: tuple[PolicyText, ...]
) -> dict[str, dict[int, str]]:
    stack = stack_of(con, principal_arn)
    if stack is None:
        return {}
    keys = {(document.layer, document.name, document.attached_to): document.key for document in documents}
    found: defaultdict[str, dict[int, str]] = defaultdict(dict)
    reachable = Reachable(load_catalogue())
    for effect, does in ((Effect.ALLOW, "allows"), (Effect.DENY, "denies")):
        for bearing in reachable.bearing(stack, action, effect):
            key = keys.get((bearing.ref.layer, bearing.ref.policy, bearing.ref.attached_to))
            if key is not None:
                certain = "" if bearing.always else ", on some requests"
                found[key][bearing.ref.index] = f"{does} it{certain}"
    return dict(found)
