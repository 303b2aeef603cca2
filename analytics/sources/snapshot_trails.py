"""What the trails of `trails.json` log throughout an account.

    {"trailList": [{…as `describe-trails` prints a trail…,
                    "EventSelectors": […] or "AdvancedEventSelectors": […],   as `get-event-selectors` prints them
                    "IsLogging": true}]}                                       as `get-trail-status`; optional

Only what a trail logs for every resource of every Region counts: one bucket, one event name or one Region says nothing
about the rest. CloudTrail User Guide, "Logging management events", "Logging data events", "Advanced event selectors".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from analytics.iam.names import account_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.sources.snapshot_reading import Record

MANAGEMENT = "management"
KMS = "kms.amazonaws.com"  # management events, of which a trail may leave out those of some sources
READ, WRITE = "read", "write"
# `arn:aws:s3`, `arn:aws:s3:::` and `arn:aws:lambda` mean every bucket and every function.
_EVERY_RESOURCE = re.compile(r"arn:aws[a-z-]*:(?:s3|lambda|dynamodb):{0,3}")
_ACCESS = {"All": (READ, WRITE), "ReadOnly": (READ,), "WriteOnly": (WRITE,), None: (READ, WRITE)}
_NOT_RESTRICTING = {"eventCategory", "resources.type", "readOnly"}


class Logged(NamedTuple):
    """One kind of event that is logged without exception: `management`, a source left in, or a resource type."""

    what: str
    access: str  # read or write


@dataclass(frozen=True, slots=True)
class Trail:
    """One trail, and what it logs throughout."""

    name: str
    arn: str
    account_id: str  # its owner
    bucket: str | None
    of_organization: bool
    all_regions: bool
    logging: bool | None  # None: the file does not say
    logged: frozenset[Logged] | None  # None: its event selectors are not collected


@dataclass(frozen=True, slots=True)
class AccountLogging:
    """What the trails together log throughout one account."""

    account_id: str
    trails: tuple[str, ...]  # names of the trails that bear on it
    logged: frozenset[Logged]
    selectors_collected: bool  # False: some trail may log more than is known

    @property
    def data_event_types(self) -> tuple[str, ...]:
        """Resource types whose data events are logged, reads and writes, for every resource."""
        types = {entry.what for entry in self.logged} - {MANAGEMENT, KMS}
        return tuple(sorted(kind for kind in types if self._both(kind)))

    @property
    def read_only_events(self) -> bool:
        """Whether management events that only read are logged."""
        return Logged(MANAGEMENT, READ) in self.logged

    @property
    def kms_events(self) -> bool:
        """Whether the events of KMS are logged, reads and writes."""
        return self._both(KMS)

    def _both(self, what: str) -> bool:
        return {Logged(what, READ), Logged(what, WRITE)} <= self.logged


def read_trails(document: Record) -> tuple[Trail, ...]:
    """The trails of the file; a trail shown in several accounts and Regions stands once."""
    key = next((key for key in ("trailList", "trails", "Trails") if document.has(key)), "trailList")
    if not document.has(key):
        document.notes.add(document.subject, "has no `trailList`; what the trails log is not collected")
    trails: dict[str, Trail] = {}
    for record in document.records(key):
        arn = record.text("TrailARN", "TrailArn")
        owner = account_of(arn) if arn else None
        if arn is None or owner is None:
            document.notes.add(document.subject, f"trail `{record.text('Name') or ''}` has no `TrailARN`; left out")
        else:
            trails.setdefault(arn, _trail(record.about(arn), arn, owner))
    return tuple(trails.values())


def logging_of(account_id: str, trails: tuple[Trail, ...], members: frozenset[str]) -> AccountLogging | None:
    """What is logged throughout an account; None where no trail is known to bear on it.

    `members` are the accounts that an organisation's trail covers.
    """
    own = [
        trail
        for trail in trails
        if trail.logging is not False
        and trail.all_regions
        and (trail.account_id == account_id or (trail.of_organization and account_id in members))
    ]
    if not own:
        return None
    return AccountLogging(
        account_id,
        tuple(trail.name for trail in own),
        frozenset().union(*(trail.logged or () for trail in own)),
        all(trail.logged is not None for trail in own),
    )


def _trail(record: Record, arn: str, owner: str) -> Trail:
    return Trail(
        name=record.text("Name") or arn.rpartition("/")[2],
        arn=arn,
        account_id=owner,
        bucket=record.text("S3BucketName"),
        of_organization=record.flag("IsOrganizationTrail") or False,
        all_regions=record.flag("IsMultiRegionTrail") or False,
        logging=record.flag("IsLogging"),
        logged=_logged(record),
    )


def _logged(trail: Record) -> frozenset[Logged] | None:
    """Everything that the selectors log without exception; None where the file holds no selectors."""
    if trail.has("EventSelectors") or trail.has("AdvancedEventSelectors"):
        classic = (entry for selector in trail.records("EventSelectors") for entry in _classic(selector))
        advanced = (entry for selector in trail.records("AdvancedEventSelectors") for entry in _advanced(selector))
        return frozenset((*classic, *advanced))
    if trail.flag("HasCustomEventSelectors") is False:  # the default: all management events, no data events
        return frozenset(Logged(what, access) for what in (MANAGEMENT, KMS) for access in (READ, WRITE))
    trail.notes.add(trail.subject, "has no event selectors in the file; which events it logs is not collected")
    return None


def _classic(selector: Record) -> Iterator[Logged]:
    kind = selector.text("ReadWriteType")
    accesses = _ACCESS.get(kind, ())
    if not accesses:
        selector.notes.add(selector.subject, f"`ReadWriteType` is `{kind}`; this selector counts for nothing")
    for access in accesses:
        if selector.flag("IncludeManagementEvents") is not False:
            yield Logged(MANAGEMENT, access)
            if KMS not in selector.texts("ExcludeManagementEventSources"):
                yield Logged(KMS, access)
        for resource in selector.records("DataResources"):
            name = resource.text("Type")
            if name and any(_EVERY_RESOURCE.fullmatch(value) for value in resource.texts("Values")):
                yield Logged(name, access)


def _advanced(selector: Record) -> Iterator[Logged]:
    """The fields of one selector must all fit, so any further field narrows it to part of its events."""
    fields = {name: field for field in selector.records("FieldSelectors") if (name := field.text("Field"))}
    category = fields["eventCategory"].texts("Equals") if "eventCategory" in fields else ()
    accesses = _accesses(fields.get("readOnly"))
    narrowing = {name for name, field in fields.items() if name not in _NOT_RESTRICTING and not _fits_all(name, field)}
    if category == ("Management",):
        excluded = _excluded_sources(fields["eventSource"]) if "eventSource" in fields else ()
        if not narrowing - ({"eventSource"} if excluded is not None else set()):
            yield from (Logged(MANAGEMENT, access) for access in accesses)
            yield from (Logged(KMS, access) for access in accesses if KMS not in (excluded or ()))
    elif category == ("Data",) and not narrowing and "resources.type" in fields:
        for name in fields["resources.type"].texts("Equals"):
            yield from (Logged(name, access) for access in accesses)


def _accesses(read_only: Record | None) -> tuple[str, ...]:
    if read_only is None:
        return (READ, WRITE)
    wanted = read_only.texts("Equals")
    return tuple(access for access, text in ((READ, "true"), (WRITE, "false")) if text in wanted)


def _excluded_sources(event_source: Record) -> tuple[str, ...] | None:
    """Sources left out by `NotEquals`; None when the field does something else (then it narrows)."""
    if set(event_source.values) - {"Field", "NotEquals"}:
        return None
    return event_source.texts("NotEquals")


def _fits_all(name: str, field: Record) -> bool:
    """Whether a condition on the resource's ARN fits every resource (`StartsWith arn:aws:s3:::`)."""
    only = set(field.values) <= {"Field", "StartsWith"}
    return name == "resources.ARN" and only and any(map(_EVERY_RESOURCE.fullmatch, field.texts("StartsWith")))
