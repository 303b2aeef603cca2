"""How an identity may raise itself: rewrite its own policies, make a new identity, or lift what limits it.

A self-escalation leads to what the identity's own limits leave: its boundary, unless it may surely remove that, and
the SCP levels above it. Without a limit that it may lift, an identity is what it would be without; so a deny or a
boundary that can be removed never makes anyone stronger.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from analytics.findings.escalation.facts import ANY_NAME, MAYBE, NO, SURELY, Held, about_identity, about_new
from analytics.findings.escalation.paths import SELF_ESCALATION, EscalationPath, Lifts
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect, PolicyDocument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.findings.escalation.levels import Weighing
    from analytics.findings.escalation.powers import Powers
    from analytics.findings.estate import Estate, Subject
    from analytics.iam.stack import NamedPolicy, PolicyStack

KIND_WORDS = {PrincipalKind.USER: "user", PrincipalKind.ROLE: "role", PrincipalKind.SSO_ROLE: "role"}
_GROUP = ":group/"


class Lead(NamedTuple):
    """One way in which a path leads somewhere: how certain, to whom, and how privileged they are."""

    category: str
    held: Held
    target_arn: str | None
    target: str  # administrator, privileged, lesser, none
    why: str


@dataclass(frozen=True, slots=True)
class Lifted:
    """A limit that an identity may remove: what it would be without, and how certainly it may."""

    held: Held
    subject: Subject
    what: str


def customer_policies(subject: Subject) -> tuple[str, ...]:
    """The ARNs of the managed policies of its own account that are attached to an identity or to its groups."""
    own = f":iam::{subject.account_id}:policy/"
    return tuple(dict.fromkeys(named.arn for named in subject.stack.identity if named.arn and own in named.arn))


def groups_of(subject: Subject) -> tuple[str, ...]:
    """The ARNs of a user's groups, as far as they hold policies."""
    found = (named.attached_to for named in subject.stack.identity if _GROUP in named.attached_to)
    return tuple(dict.fromkeys(found))


class Ownership:
    """Self-escalation over one estate."""

    def __init__(self, estate: Estate, weighing: Weighing) -> None:
        self._estate = estate
        self._weighing = weighing
        self._denying: dict[int, tuple[PolicyDocument, bool]] = {}
        self._without_denies: dict[int, tuple[NamedPolicy, NamedPolicy]] = {}

    def cap(self, powers: Powers) -> str:
        """How much a self-escalation of the identity leads to."""
        stack = powers.subject.stack
        bounded = stack.boundary is not None or stack.boundary_not_collected
        return self._weighing.cap(stack, bounded=not (bounded and self.drops_boundary(powers) is SURELY))

    def drops_boundary(self, powers: Powers) -> Held:
        """Whether the identity may remove its own boundary."""
        subject = powers.subject
        word = KIND_WORDS.get(subject.kind)
        if word is None:
            return NO
        about = about_identity(subject)
        return powers.on(f"iam:Delete{word.title()}PermissionsBoundary", subject.arn, about)

    def created(self, path: EscalationPath, powers: Powers) -> Lead | None:
        """A new identity of the caller's making: unbounded, or with a boundary where the policies ask for one."""
        subject = powers.subject
        held = powers.shared(path.id, path.required_actions, lambda: self._makes(path, powers))
        if held is NO:
            return None
        cap = self._weighing.cap(subject.stack, bounded=held is not SURELY)
        how = "with any policy" if held is SURELY else "perhaps only with a boundary or under a condition"
        return Lead(SELF_ESCALATION, held, None, cap, f"makes a new {path.creates} {how}")

    def _makes(self, path: EscalationPath, powers: Powers) -> Held:
        subject = powers.subject
        partition = subject.arn.split(":", 2)[1]
        anyone = f"arn:{partition}:iam::{subject.account_id}:{path.creates}/{ANY_NAME}"
        names = dict.fromkeys(
            [anyone, *(name for action in path.required_actions for name in powers.any_names(action))]
        )
        prefix = anyone.removesuffix(ANY_NAME)
        possible = [name for name in names if name.startswith(prefix)]

        def may(*, bounded: bool) -> Held:
            about = about_new(subject, bounded=bounded)
            found = (min(powers.on(action, name, about) for action in path.required_actions) for name in possible)
            return max(found, default=NO)

        return may(bounded=False) or min(may(bounded=True), MAYBE)

    def lifted(self, path: EscalationPath, powers: Powers) -> Iterator[Lifted]:
        """What the identity would be without the limit that the path lifts, if it has one and may."""
        if KIND_WORDS.get(powers.subject.kind) not in path.self_for:
            return
        if path.lifts is Lifts.BOUNDARY:
            yield from self._without_boundary(path.required_actions[0], powers)
        elif path.lifts is Lifts.DENIAL:
            yield from self._without_denials(path.required_actions[0], powers)

    def _without_boundary(self, action: str, powers: Powers) -> Iterator[Lifted]:
        subject, boundary = powers.subject, powers.subject.stack.boundary
        if boundary is None and not subject.stack.boundary_not_collected:
            return
        if action == "iam:CreatePolicyVersion":
            held = powers.on(action, boundary.arn) if boundary is not None and boundary.arn else NO
        else:
            held = powers.on(action, subject.arn, about_identity(subject))
        if held:
            free = self._estate.changed(subject, stack=_bare(subject.stack))
            yield Lifted(held, free, "its permissions boundary")

    def _without_denials(self, action: str, powers: Powers) -> Iterator[Lifted]:
        """Without the policies that only deny; or, perhaps, without all denies of the policies that go away."""
        stack = powers.subject.stack
        removable = {
            at: held
            for at, named in enumerate(stack.identity)
            if self._denies(named) and (held := self._removes(action, named, powers))
        }
        surely = {at for at, held in removable.items() if held is SURELY and _only_denies(stack.identity[at])}
        for held, chosen in ((SURELY, surely), (MAYBE, set(removable))):
            if chosen:
                kept = tuple(self._allows_of(one) if at in chosen else one for at, one in enumerate(stack.identity))
                free = self._estate.changed(powers.subject, stack=replace(stack, identity=kept))
                names = ", ".join(f"`{stack.identity[at].name}`" for at in sorted(chosen))
                yield Lifted(held, free, f"the denies of {names}")

    def _removes(self, action: str, named: NamedPolicy, powers: Powers) -> Held:
        """Whether the action takes a policy away from the identity."""
        subject = powers.subject
        of_group = _GROUP in named.attached_to
        if action == "iam:RemoveUserFromGroup":
            return powers.on(action, named.attached_to) if of_group else NO
        if ("Group" in action) != of_group or ("Detach" in action) != (named.arn is not None):
            return NO
        if of_group:
            return powers.on(action, named.attached_to, choice=named.arn)
        return powers.on(action, subject.arn, about_identity(subject), choice=named.arn)

    def _denies(self, named: NamedPolicy) -> bool:
        known = self._denying.get(id(named.document))
        if known is None:
            denies = any(statement.effect is Effect.DENY for statement in named.document.statements)
            known = self._denying[id(named.document)] = (named.document, denies)
        return known[1]

    def _allows_of(self, named: NamedPolicy) -> NamedPolicy:
        """The policy without its denies; the same object for the same policy, as caches key on documents."""
        known = self._without_denies.get(id(named))
        if known is None:
            kept = tuple(one for one in named.document.statements if one.effect is Effect.ALLOW)
            known = (named, replace(named, document=replace(named.document, statements=kept)))
            self._without_denies[id(named)] = known
        return known[1]


def _bare(stack: PolicyStack) -> PolicyStack:
    """The stack without a permissions boundary."""
    return replace(stack, boundary=None, boundary_not_collected=False)


def _only_denies(named: NamedPolicy) -> bool:
    return all(statement.effect is Effect.DENY for statement in named.document.statements)
