"""The policies of one identity without what it does not use, as documents that AWS stores.

Only what this export would have shown, and did not show, goes: used, possibly used and unobserved actions stay. Where
there is such, and what stays is too long to store and to read, unobserved actions of services without any use go too
(`exact` is False: not proven), and then services that are used are taken whole, the cheapest risk for the most room
first.
INVARIANT: verified with the engine before it is returned: nothing is granted anew, nothing that was seen is lost.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.findings.action_parts import PartWeights
from analytics.findings.drafts.size import characters
from analytics.findings.remediation.documents import documents_of
from analytics.findings.remediation.narrow import Narrower, joined
from analytics.findings.remediation.shell import is_policy_arn, is_policy_name, is_user
from analytics.iam.names import PrincipalKind
from analytics.iam.stack import NamedPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.findings.estate import Estate, Subject
    from analytics.findings.remediation.rules import Rules
    from analytics.iam.policy import PolicyDocument, Statement

AWS_MANAGED = ":iam::aws:policy/"
_WIDENINGS = 60  # services taken whole before the proposal is given up


class RemediationError(RuntimeError):
    """A proposal that grants something anew, or takes what was seen: a fault of Headroom, never of the user."""


@dataclass(frozen=True, slots=True)
class RightSized:
    """The identity policies afterwards, and what becomes of each that there was."""

    rewritten: tuple[tuple[NamedPolicy, PolicyDocument], ...]  # in their places
    removed: tuple[NamedPolicy, ...]  # detached, or deleted where inline; nothing of them, or another policy, remains
    left_groups: tuple[str, ...]  # ARNs of groups that a user leaves
    own: tuple[PolicyDocument, ...]  # new policies of this identity alone
    after: Subject  # under them
    dropped: int  # actions that go
    exact: bool  # everything unobserved stays


class RightSizer:
    """Right-sizes the identities of one estate; what they share is worked out once."""

    def __init__(self, estate: Estate, rules: Rules) -> None:
        self.estate = estate
        self.rules = rules
        self.narrower = Narrower(estate.catalogue)
        self.weights = PartWeights(self.narrower.parts, estate.weights.weights)
        self._holders = Counter(
            arn for subject in estate.subjects.values() for arn in {policy.arn for policy in _attached(subject)} if arn
        )
        self._sizes: dict[int, tuple[PolicyDocument, int]] = {}
        self._splits: dict[object, tuple[PolicyDocument, ...] | None] = {}

    def of(self, subject: Subject, *, keep: int | None = None, seen: int | None = None) -> RightSized | None:
        """The proposal for an identity; None where nothing can go, or what stays is too long to be stored.

        `keep` and `seen`: what must stay and what was seen, where other identities share the policies.
        """
        seen = subject.seen if seen is None else seen
        keep = self.estate.catalogue.full & ~subject.observable | seen if keep is None else keep | seen
        if not self._changed(subject, keep):
            return None
        exact = self._fitting(subject, keep, keep_exact=True)
        if exact is not None:
            return self._verified(subject, exact, seen)
        lean = keep & self.narrower.whole_services(seen) | seen
        return self._verified(subject, self._widened(subject, lean), seen)

    def forget(self) -> None:
        """Drop what was worked out for identities that are done with."""
        self.narrower.forget()
        self._sizes.clear()
        self._splits.clear()

    def _widened(self, subject: Subject, keep: int) -> RightSized | None:
        """The proposal with as many services taken whole as it takes to fit."""
        order = self._worth_widening(subject, keep)
        for service in (None, *order[: _WIDENINGS - 1]):
            keep |= self.narrower.services[service] if service else 0
            found = self._fitting(subject, keep, keep_exact=False)
            if found is not None:
                return found
        return None

    def _worth_widening(self, subject: Subject, keep: int) -> list[str]:
        """The services that give room when all of them stays, those of the most room for the least weight first."""
        parts, found = self.narrower.parts, []
        kept = parts.split(keep & self.estate.catalogue.full)
        for service, reach in parts.split(subject.reach.maybe).items():
            staying = reach & kept.get(service, 0)
            if staying not in (0, reach):
                room = sum(map(len, parts.words(service, staying))) - len(service)
                if room > len(service):
                    found.append((self.weights.of(service, reach & ~staying).weight / room, service))
        return [service for _, service in sorted(found)]

    def _fitting(self, subject: Subject, keep: int, *, keep_exact: bool) -> RightSized | None:
        """The proposal that keeps exactly these actions; None where nothing goes or its documents are too many."""
        if subject.kind is PrincipalKind.SSO_ROLE:
            return self._permission_set(subject, keep, exact=keep_exact)
        changed = self._changed(subject, keep)
        if not changed:
            return None
        left = tuple(dict.fromkeys(one.attached_to for one in changed if one.attached_to != subject.arn))
        rewritten: list[tuple[NamedPolicy, PolicyDocument]] = []
        removed: list[NamedPolicy] = []
        own: list[tuple[str, Statement]] = []
        for one in subject.stack.identity:
            document = self._narrowed(one, keep)
            if one.attached_to in left:
                own += _statements(document)
            elif document is one.document:
                continue
            elif document is None:
                removed.append(one)
            elif self._may_be_rewritten(subject, one, document):
                rewritten.append((one, document))
            else:
                removed.append(one)
                own += _statements(document)
        if self._inline_size(subject, rewritten, removed) > self._inline_limit(subject):
            inline = [one for one, _ in rewritten if one.arn is None]
            own += [part for one, document in rewritten if one.arn is None for part in _statements(document)]
            rewritten = [(one, document) for one, document in rewritten if one.arn is not None]
            removed += inline
        documents = self._split(own, self.rules.quotas.managed_policy_characters, self.rules.limits.most_documents)
        if documents is None:
            return None
        return self._put_together(subject, rewritten, removed, left, documents, exact=keep_exact)

    def _permission_set(self, subject: Subject, keep: int, *, exact: bool) -> RightSized | None:
        """All that stays of the changed policies goes into the one inline policy that a permission set has."""
        changed = self._changed(subject, keep)
        if not changed:
            return None
        going = {id(one) for one in changed}
        into_inline = [one for one in subject.stack.identity if one.arn is None or id(one) in going]
        statements = [part for one in into_inline for part in _statements(self._narrowed(one, keep))]
        documents = self._split(statements, self.rules.quotas.permission_set_characters, 1)
        if documents is None:
            return None
        return self._put_together(subject, [], into_inline, (), documents, exact=exact)

    def _put_together(
        self,
        subject: Subject,
        rewritten: Sequence[tuple[NamedPolicy, PolicyDocument]],
        removed: Sequence[NamedPolicy],
        left: tuple[str, ...],
        own: tuple[PolicyDocument, ...],
        *,
        exact: bool,
    ) -> RightSized:
        new = {id(one): replace(one, document=document) for one, document in rewritten}
        gone = {id(one) for one in removed}
        kept = [
            new.get(id(one), one)
            for one in subject.stack.identity
            if id(one) not in gone and one.attached_to not in left
        ]
        kept += [NamedPolicy(f"own {number}", document, None, subject.arn) for number, document in enumerate(own, 1)]
        stack = replace(subject.stack, identity=tuple(kept))
        return RightSized(tuple(rewritten), tuple(removed), left, own, replace(subject, stack=stack), 0, exact)

    def _verified(self, subject: Subject, found: RightSized | None, seen: int) -> RightSized | None:
        """The proposal when the engine agrees with it; RemediationError when it does not."""
        if found is None:
            return None
        before, after = subject.reach, self.estate.reachable.of(found.after.stack)
        gained = after.maybe & ~before.maybe | after.surely & ~before.surely
        lost = seen & (before.maybe & ~after.maybe | before.surely & ~after.surely)
        if gained or lost:
            names = ", ".join(self.estate.catalogue.names(gained | lost)[:5])
            raise RemediationError(
                f"the right-sized policies of `{subject.arn}` grant anew or take away what was seen ({names}); "
                "this is a fault of Headroom: please report it"
            )
        dropped = before.maybe & ~after.maybe
        return replace(found, after=replace(found.after, reach=after), dropped=dropped) if dropped else None

    def _changed(self, subject: Subject, keep: int) -> list[NamedPolicy]:
        """The policies that say more than what is kept."""
        return [one for one in subject.stack.identity if self._narrowed(one, keep) is not one.document]

    def _narrowed(self, policy: NamedPolicy, keep: int) -> PolicyDocument | None:
        return self.narrower.document(policy.document, keep)

    def _may_be_rewritten(self, subject: Subject, policy: NamedPolicy, document: PolicyDocument) -> bool:
        """An inline policy, or a managed one of the account that this identity alone has, while it stays in size."""
        if policy.arn is None:
            return is_policy_name(policy.name)
        fits = self._size(document) <= self.rules.quotas.managed_policy_characters
        is_its_own = AWS_MANAGED not in policy.arn and self._holders[policy.arn] == 1
        return is_its_own and fits and is_policy_arn(policy.arn) and policy.attached_to == subject.arn

    def _inline_limit(self, subject: Subject) -> int:
        quotas = self.rules.quotas
        return quotas.inline_user_characters if is_user(subject) else quotas.inline_role_characters

    def _inline_size(
        self,
        subject: Subject,
        rewritten: Iterable[tuple[NamedPolicy, PolicyDocument]],
        removed: Sequence[NamedPolicy],
    ) -> int:
        """Characters of the inline policies afterwards; 0 where none is rewritten, for then nothing is stored anew."""
        new = {id(one): document for one, document in rewritten if one.arn is None}
        if not new:
            return 0
        gone = {id(one) for one in removed}
        inline = [one for one in subject.stack.identity if one.arn is None and one.attached_to == subject.arn]
        return sum(self._size(new.get(id(one), one.document)) for one in inline if id(one) not in gone)

    def _size(self, document: PolicyDocument) -> int:
        """Characters of a document, counted once."""
        if id(document) not in self._sizes:
            self._sizes[id(document)] = (document, characters(document))
        return self._sizes[id(document)][1]

    def _split(
        self, statements: Sequence[tuple[str, Statement]], most_characters: int, most_documents: int
    ) -> tuple[PolicyDocument, ...] | None:
        """As `documents_of`, after joining; equal lists of statements give the same objects."""
        versions = dict.fromkeys(version for version, _ in statements)
        pieces = tuple(
            (version, statement)
            for version in versions
            for statement in joined(statement for of, statement in statements if of == version)
        )
        key = (pieces, most_characters, most_documents)
        if key not in self._splits:
            self._splits[key] = documents_of(pieces, most_characters, most_documents)
        return self._splits[key]


def _statements(document: PolicyDocument | None) -> list[tuple[str, Statement]]:
    return [(document.version, statement) for statement in document.statements] if document else []


def _attached(subject: Subject) -> Iterable[NamedPolicy]:
    yield from subject.stack.identity
    if subject.stack.boundary is not None:
        yield subject.stack.boundary
