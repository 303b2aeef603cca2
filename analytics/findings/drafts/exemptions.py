"""Who is left out of a drafted deny: roles that were asked for, that the settings name, or that are found by name.

Nothing is invented: a role is proposed only when it exists in the accounts concerned under a name that the usual
exemption is known by, it is said to be proposed, and a usual exemption without a role is said to have none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.findings.drafts.conditions import DraftError
from analytics.iam.match import arn_matches
from analytics.iam.names import PrincipalKind, parse_arn
from analytics.iam.policy import Condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analytics.findings.drafts.rules import DraftRules
    from analytics.findings.estate import Subject

PRINCIPAL_ARN = "aws:PrincipalArn"
_PUNCTUATION = re.compile(r"[^a-z0-9]")
_ACCOUNT = re.compile(r"\*|[0-9]{12}")


class Origin(StrEnum):
    """Why a principal is left out."""

    ASKED = "asked for"
    SETTINGS = "named in the settings"
    FOUND = "proposed: found by name"


@dataclass(frozen=True, slots=True)
class Exemption:
    """A pattern of `aws:PrincipalArn` that a deny leaves out."""

    arn: str
    stands_for: str | None  # the usual exemption of a scenario; None: asked for
    origin: Origin
    principals: int  # identities of the snapshot under the target that it leaves out


@dataclass(frozen=True, slots=True)
class Exempted:
    """What became of the usual exemptions of some scenarios."""

    exemptions: tuple[Exemption, ...] = ()
    nobody_for: tuple[str, ...] = ()  # usual exemptions for which no role is known

    def arns_for(self, usual: Sequence[str]) -> tuple[str, ...]:
        """The patterns that a scenario with these usual exemptions leaves out, and those asked for; each once."""
        return tuple(sorted({one.arn for one in self.exemptions if one.stands_for is None or one.stands_for in usual}))


def exempted(
    usual: Iterable[str],
    subjects: Sequence[Subject],
    rules: DraftRules,
    *,
    asked: Sequence[str] = (),
    settings: Mapping[str, tuple[str, ...]],
    propose: bool = True,
) -> Exempted:
    """The principals to leave out for these usual exemptions; `subjects` are the identities under the target.

    Raises DraftError for an asked or configured text that is no ARN of an IAM role or user.
    """
    found = [_known(arn, None, Origin.ASKED, subjects) for arn in asked]
    nobody = []
    for name in dict.fromkeys(usual):
        if name in rules.spared_requests:
            continue
        configured = settings.get(name, ())
        if configured:
            found += [_known(arn, name, Origin.SETTINGS, subjects) for arn in configured]
            continue
        proposed = _by_name(name, subjects, rules) if propose else []
        found += proposed
        if not proposed:
            nobody.append(name)
    return Exempted(tuple(dict.fromkeys(found)), tuple(nobody))


def except_for(arns: Sequence[str]) -> tuple[Condition, ...]:
    """The condition of a deny that leaves these principals out; none for nobody."""
    return (Condition("ArnNotLike", PRINCIPAL_ARN, tuple(sorted(set(arns)))),) if arns else ()


def checked_arn(arn: str) -> str:
    """The pattern, when `aws:PrincipalArn` can have such a value. DraftError says what it should be."""
    parsed = parse_arn(arn)
    if parsed is not None and parsed.service == "sts":
        raise DraftError(
            f"`{arn}` is a role session; `aws:PrincipalArn` of a session is its role, so name "
            "`arn:aws:iam::111122223333:role/…`"
        )
    fits = (
        parsed is not None
        and parsed.service == "iam"
        and _ACCOUNT.fullmatch(parsed.account_id)
        and parsed.resource.startswith(("role/", "user/"))
        and parsed.resource.partition("/")[2].strip("*?/")
    )
    if not fits:
        raise DraftError(
            f"`{arn}` cannot be exempted: name a role or user, as `arn:aws:iam::111122223333:role/break-glass`, "
            "or with `*` for the account"
        )
    return arn


def _known(arn: str, name: str | None, origin: Origin, subjects: Sequence[Subject]) -> Exemption:
    checked_arn(arn)
    return Exemption(arn, name, origin, sum(arn_matches(arn, subject.arn) for subject in subjects))


def _by_name(name: str, subjects: Sequence[Subject], rules: DraftRules) -> list[Exemption]:
    """Roles under a name that the usual exemption is known by, as one pattern for all accounts that have one."""
    parts = rules.known_names.get(name, ())
    held: defaultdict[tuple[str, str], list[Subject]] = defaultdict(list)
    for subject in subjects:
        if subject.kind is PrincipalKind.ROLE and any(part in _plain(subject.name) for part in parts):
            parsed = parse_arn(subject.arn)
            if parsed is not None and not set("*?$") & set(parsed.resource):
                held[parsed.partition, parsed.resource].append(subject)
    return [
        Exemption(
            roles[0].arn if len(roles) == 1 else f"arn:{partition}:iam::*:{resource}", name, Origin.FOUND, len(roles)
        )
        for (partition, resource), roles in sorted(held.items())
    ]


def _plain(name: str) -> str:
    return _PUNCTUATION.sub("", name.lower())
