"""What the trails record: the same baseline in every account, and the places where it was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.demo.company import HOME, Company

if TYPE_CHECKING:
    from analytics.demo.calls import Call
    from analytics.demo.model import Account

_EVERYWHERE = frozenset({"AWS::S3::Object"})
_MORE = {"payments-prod": frozenset({"AWS::S3::Object", "AWS::DynamoDB::Table", "AWS::Lambda::Function"})}
_NO_KEYS = {"sandbox-engineering"}  # kms events were left out to save money
_WRITES_ONLY = {"parcelkite-production"}  # the start-up's own trail


def data_types(account: Account) -> frozenset[str]:
    """The types of resources whose data events the account's trails record throughout."""
    if account.name in _WRITES_ONLY:
        return frozenset()
    return _MORE.get(account.name, _EVERYWHERE)


def logged(account: Account, call: Call) -> bool:
    """Whether the account's trails record such a call."""
    if call.data_type is not None:
        return call.data_type in data_types(account)
    if account.name in _NO_KEYS and call.source == "kms.amazonaws.com":
        return False
    return not (account.name in _WRITES_ONLY and call.read_only)


def describe(company: Company) -> dict[str, Any]:
    """`describe-trails` with the event selectors of each trail, for the accounts that could be collected."""
    archive = company.account("log-archive")
    trails = []
    for account in company.accounts:
        if account.invited:
            continue
        excluded = ["kms.amazonaws.com"] if account.name in _NO_KEYS else []
        trails.append(_trail(account, "ardenly-baseline", archive, _selectors(_EVERYWHERE, excluded)))
        more = data_types(account) - _EVERYWHERE
        if more:
            trails.append(_trail(account, "ardenly-cardholder-data", archive, _selectors(more, [], management=False)))
    return {"trailList": trails}


def _trail(account: Account, name: str, archive: Account, selectors: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "Name": name,
        "S3BucketName": f"ardenly-cloudtrail-archive-{archive.account_id}",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "HomeRegion": HOME,
        "TrailARN": f"arn:aws:cloudtrail:{HOME}:{account.account_id}:trail/{name}",
        "LogFileValidationEnabled": True,
        "KmsKeyId": f"arn:aws:kms:{HOME}:{archive.account_id}:alias/cloudtrail",
        "HasCustomEventSelectors": True,
        "HasInsightSelectors": False,
        "IsOrganizationTrail": False,
        "AdvancedEventSelectors": selectors,
    }


def _selectors(types: frozenset[str], excluded: list[str], *, management: bool = True) -> list[dict[str, Any]]:
    found = []
    if management:
        fields: list[dict[str, Any]] = [{"Field": "eventCategory", "Equals": ["Management"]}]
        if excluded:
            fields.append({"Field": "eventSource", "NotEquals": excluded})
        found.append({"Name": "Management events", "FieldSelectors": fields})
    for kind in sorted(types):
        fields = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [kind]}]
        found.append({"Name": f"{kind} data events", "FieldSelectors": fields})
    return found
