"""Policy documents of a snapshot: each distinct text is parsed once, and equal documents are one object.

30,000 roles carry a few thousand distinct documents; everything after this may key its caches on identity.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from analytics.iam.policy import PolicyDocument, parse_policy
from analytics.sources.snapshot_values import ReferencePolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

AWS_MANAGED_PREFIX = "arn:aws:iam::aws:policy/"  # other partitions have documents of their own
AWS_MANAGED = Path(__file__).resolve().parents[2] / "data" / "reference" / "aws_managed_policies.json.gz"


class Documents:
    """The documents met so far, and the copy of AWS's managed policies, which is opened when first asked."""

    def __init__(self, aws_managed: Path = AWS_MANAGED) -> None:
        self._aws_managed_path = aws_managed
        self._aws_managed: Mapping[str, dict[str, object]] | None = None
        self._by_text: dict[str | bytes, PolicyDocument] = {}
        self._distinct: dict[PolicyDocument, PolicyDocument] = {}
        self.from_reference: dict[str, ReferencePolicy] = {}  # by ARN, those that were asked for and found

    def parse(self, document: object, *, name: str) -> PolicyDocument:
        """The parsed document (an object, or JSON text, also percent-encoded); raises PolicyError."""
        text = _key(document)
        known = self._by_text.get(text) if text is not None else None
        if known is None:
            parsed = parse_policy(document, name=name)
            known = self._distinct.setdefault(parsed, parsed)
            if text is not None:
                self._by_text[text] = known
        return known

    def aws_managed(self, arn: str) -> PolicyDocument | None:
        """AWS's policy of this ARN from the reference copy, or None.

        Found by name, which is unique among AWS's: the copy has no ARN for retired policies, which stay attached.
        """
        if not arn.startswith(AWS_MANAGED_PREFIX):
            return None
        if self._aws_managed is None:
            self._aws_managed = orjson.loads(gzip.decompress(self._aws_managed_path.read_bytes()))
        policy = self._aws_managed.get(arn.rpartition("/")[2])
        if policy is None:
            return None
        self.from_reference[arn] = ReferencePolicy(
            arn, str(policy["version"]), str(policy["updatedate"] or policy["createdate"]), bool(policy["deprecated"])
        )
        return self.parse(policy["document"], name=arn)


def _key(document: object) -> str | bytes | None:
    """What equal documents share before they are parsed; None where there is no such thing."""
    if isinstance(document, str):
        return document
    try:
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # nested more deeply than orjson writes: no policy, so parsing it refuses it
        return None
