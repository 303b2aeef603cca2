"""Reach, the slow and obvious way: sets of names, one action and one statement at a time.

It knows nothing of bits, caches or prefixes. A condition here only makes a statement uncertain.
"""

from __future__ import annotations

from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect


def slow_reach(stack, catalogue):
    """The pair of sets of action names that the principal reaches, surely and maybe."""
    surely, maybe = layer_reach(stack.identity, catalogue, root=stack.principal.kind is PrincipalKind.ROOT)
    limits = [(stack.boundary,)] if stack.boundary else []
    limits += [level.policies for level in stack.scp_levels]
    for policies in limits:
        allowed_surely, allowed_maybe = layer_reach(policies, catalogue)
        surely, maybe = surely & allowed_surely, maybe & allowed_maybe
    if stack.boundary_not_collected and stack.boundary is None:
        surely = set()
    return surely, maybe


def layer_reach(policies, catalogue, *, root=False):
    statements = [statement for named in policies for statement in named.document.statements]
    surely, maybe = set(), set()
    for number, action in enumerate(catalogue.actions):
        wildcard_only = bool(catalogue.wildcard_only >> number & 1)
        verdicts = [(statement.effect, bears(statement, action, wildcard_only)) for statement in statements]
        allows = [verdict for effect, verdict in verdicts if effect is Effect.ALLOW] + ["always"] * root
        denies = [verdict for effect, verdict in verdicts if effect is Effect.DENY]
        if "always" in allows and set(denies) <= {"never"}:
            surely.add(action)
        if set(allows) & {"always", "sometimes"} and "always" not in denies:
            maybe.add(action)
    return surely, maybe


def bears(statement, action, wildcard_only):
    """Whether a statement speaks of an action always, sometimes (by resource or condition) or never."""
    if statement.not_action:
        named = not any(glob(pattern.lower(), action.lower()) for pattern in statement.not_action)
    else:
        named = any(glob(pattern.lower(), action.lower()) for pattern in statement.action)
    if not named:
        return "never"
    scope = scope_of(statement, wildcard_only)
    return "sometimes" if scope == "always" and statement.condition else scope


def scope_of(statement, wildcard_only):
    if statement.not_resource:
        if any(set(pattern) == {"*"} for pattern in statement.not_resource):
            return "never"
        spared = wildcard_only and not any(could_be_star(pattern) for pattern in statement.not_resource)
        return "always" if spared else "sometimes"
    if not statement.resource or any(set(pattern) == {"*"} for pattern in statement.resource):
        return "always"
    if wildcard_only and not any(could_be_star(pattern) for pattern in statement.resource):
        return "never"
    return "sometimes"


def could_be_star(pattern):
    return "${" in pattern or glob(pattern, "*")


def glob(pattern, text):
    """`*` is any run of characters, `?` any one: the definition, character by character."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(glob(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and glob(pattern[1:], text[1:])
