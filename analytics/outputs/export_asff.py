"""Remediation items as findings of AWS Security Hub (AWS Security Finding Format), in batches that it takes.

The file is a JSON list of requests of BatchImportFindings. An account may only import findings of its own under the
default product ARN of that account, so each finding then belongs to the account that imports it, and names the identity
or target of whatever account as its resource. Limits: `data/reference/asff.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from analytics.iam.names import account_of, parse_arn
from analytics.outputs.export_values import ExportError, missing
from analytics.settings import REFERENCE

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from analytics.outputs.export_values import Provenance

LIMITS_FILE = REFERENCE / "asff.toml"
_PRODUCT_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):securityhub:(?P<region>[a-z0-9-]{1,16}):(?P<account>[0-9]{12})?:product/[^/\s]+/[^/\s]+"
)
_DEFAULT_PRODUCT = re.compile(r".*:product/(?P<account>[0-9]{12})/default")
GENERATOR = "headroom/remediation"


def asff(rows: pd.DataFrame, origin: Provenance, *, product_arn: str, made_at: datetime) -> bytes:
    """The items (as `queries.remediation` gives them) as requests. ExportError for an ARN that is none of a product.

    `made_at`: UTC, of the build: one build makes the same file every time.
    """
    product = _PRODUCT_ARN.fullmatch(product_arn)
    if product is None:
        raise ExportError(
            f"`{product_arn[:200]}` is not the ARN of a Security Hub product; give one such as "
            "`arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default`, with the Region and the "
            "account that imports the findings"
        )
    made = f"{made_at:%Y-%m-%dT%H:%M:%SZ}"
    findings = [_finding(row, origin, product, made) for row in rows.to_dict("records")]
    return orjson.dumps([{"Findings": batch} for batch in _batches(findings)], option=orjson.OPT_INDENT_2)


@cache
def limits() -> Mapping[str, Any]:
    """The facts of the format, read once."""
    return tomllib.loads(LIMITS_FILE.read_text("utf-8"))


def _finding(row: Mapping[Any, Any], origin: Provenance, product: re.Match[str], made: str) -> dict[str, Any]:
    facts = limits()
    arn = str(row["target"] if missing(row["principal_arn"]) else row["principal_arn"])
    account = account_of(arn) or ("" if missing(row["account_id"]) else row["account_id"])
    importer = _DEFAULT_PRODUCT.fullmatch(product[0])
    band = None if missing(row["band"]) else row["band"]
    severity = {"Label": facts["severity"].get(band, "INFORMATIONAL")}
    if not missing(row["score_before"]):
        severity["Original"] = f"{row['score_before']:.1f}"
    types = [f"{facts['types']['default']}/{row['kind']}"]
    return {
        "SchemaVersion": facts["schema_version"],
        "Id": _fit(f"headroom/{row['item_id']}", "Id"),
        "ProductArn": product[0],
        "ProductFields": _product_fields(row, origin),
        "GeneratorId": _fit(f"{GENERATOR}/{row['kind']}", "GeneratorId"),
        "AwsAccountId": importer["account"] if importer else account,
        "Types": types,
        "CreatedAt": made,
        "UpdatedAt": made,
        "Severity": severity,
        "FindingProviderFields": {"Severity": severity, "Types": types},
        "Title": _fit(f"{row['title']} ({arn.rpartition(':')[2]})", "Title"),
        "Description": _fit(_description(row), "Description"),
        "Remediation": {"Recommendation": {"Text": _fit(_advice(row), "Remediation.Recommendation.Text")}},
        "Resources": [_resource(row, arn, product)],
        "RecordState": "ACTIVE",
    }


def _resource(row: Mapping[Any, Any], arn: str, product: re.Match[str]) -> dict[str, Any]:
    """The identity. Its Region is that of the product: IAM has none."""
    kinds, parsed = limits()["resources"], parse_arn(arn)
    if parsed is None and not missing(row["target"]):
        return _target(row, arn, product)
    kind = kinds.get(row["principal_kind"], kinds["default"])
    name = parsed.resource.rpartition("/")[2] if parsed else arn
    detail = {"UserName": name} if kind == kinds["user"] else {"RoleName": name}
    return {
        "Type": kind,
        "Id": _fit(arn, "Resources.Id"),
        "Partition": parsed.partition if parsed else product["partition"],
        "Region": product["region"],
        "Details": {kind: detail},
    }


def _target(row: Mapping[Any, Any], target: str, product: re.Match[str]) -> dict[str, Any]:
    """A root, OU or account by its id."""
    kind = limits()["resources"]["target"]
    return {
        "Type": kind,
        "Id": _fit(target, "Resources.Id"),
        "Partition": product["partition"],
        "Region": product["region"],
        "Details": {kind: {"kind": str(row["target_kind"]), "name": _fit(str(row["name"]), "Details.Other.value")}},
    }


def _product_fields(row: Mapping[Any, Any], origin: Provenance) -> dict[str, str]:
    broken = "not proven" if missing(row["calls_broken"]) else f"{int(row['calls_broken'])}"
    fields = {
        "headroom/item": row["item_id"],
        "headroom/kind": row["kind"],
        "headroom/rank": row["rank"],
        "headroom/account": row["account_id"],
        "headroom/owner": row["owner"],
        "headroom/target": row["target"],
        "headroom/score_before": _points(row["score_before"]),
        "headroom/score_after": _points(row["score_after"]),
        "headroom/risk_removed": _points(row["risk_removed"]) or "not known",
        "headroom/calls_broken": broken,
        "headroom/blocked_reason": row["blocked_reason"],
        **{f"headroom/source/{name}": value for name, value in origin.document().items()},
    }
    return {
        _fit(name, "ProductFields.key"): _fit(str(value), "ProductFields.value")
        for name, value in fields.items()
        if not missing(value) and str(value).strip()
    }


def _description(row: Mapping[Any, Any]) -> str:
    broken = "not proven" if missing(row["calls_broken"]) else f"{int(row['calls_broken']):,}"
    removed = _points(row["risk_removed"]) or "not known"
    before, after = _points(row["score_before"]), _points(row["score_after"])
    told = f" (score {before} to {after})" if before and after else ""
    numbers = f"Risk removed {removed}{told}; calls broken: {broken}."
    return numbers if missing(row["evidence"]) else f"{numbers} {row['evidence']}"


def _points(value: Any) -> str | None:
    return None if missing(value) else f"{value:.1f}"


def _advice(row: Mapping[Any, Any]) -> str:
    if not missing(row["blocked_reason"]):
        return str(row["blocked_reason"])
    return f"{row['title']}. The commands and the policy: item {row['item_id']} of Headroom's remediation list."


def _fit(text: str, element: str) -> str:
    """The text within the limit of its element; what is cut ends in an ellipsis."""
    most = limits()["characters"][element]
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"


def _batches(findings: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Batches within the limits of number and bytes, each of one account: a request is made by that account."""
    by_account: dict[str, list[dict[str, Any]]] = {}
    for finding in findings:
        by_account.setdefault(finding["AwsAccountId"], []).append(finding)
    most = limits()["batch"]
    for members in by_account.values():
        batch: list[dict[str, Any]] = []
        held = 0
        for finding in members:
            size = len(orjson.dumps(finding))
            if batch and (len(batch) == most["findings"] or held + size > most["bytes"]):
                yield batch
                batch, held = [], 0
            batch.append(finding)
            held += size
        yield batch
