"""Reach, the slow and obvious way: sets of names, one action and one statement at a time.

It knows nothing of bits, caches or prefixes; `falls` says of each condition whether it is met always, sometimes or
never for the principal.
"""

from __future__ import annotations

from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect


def slow_reach(stack, catalogue, falls):
    """The pair of sets of action names that the principal reaches, surely and maybe."""
    surely, maybe = layer_reach(stack.identity, catalogue, falls, root=stack.principal.kind is PrincipalKind.ROOT)
    limits = [(stack.boundary,)] if stack.boundary else []
    limits += [level.policies for level in stack.scp_levels]
    for policies in limits:
        allowed_surely, allowed_maybe = layer_reach(policies, catalogue, falls)
        surely, maybe = surely & allowed_surely, maybe & allowed_maybe
    if stack.boundary_not_collected and stack.boundary is None:
        surely = set()
    return surely, maybe


def layer_reach(policies, catalogue, falls, *, root=False):
    statements = [statement for named in policies for statement in named.document.statements]
    surely, maybe = set(), set()
    for number, action in enumerate(catalogue.actions):
        wildcard_only = bool(catalogue.wildcard_only >> number & 1)
        verdicts = [(statement.effect, bears(statement, action, wildcard_only, falls)) for statement in statements]
        allows = [verdict for effect, verdict in verdicts if effect is Effect.ALLOW] + ["always"] * root
        denies = [verdict for effect, verdict in verdicts if effect is Effect.DENY]
        if "always" in allows and set(denies) <= {"never"}:
            surely.add(action)
        if set(allows) & {"always", "sometimes"} and "always" not in denies:
            maybe.add(action)
    return surely, maybe


def bears(statement, action, wildcard_only, falls):
    """Whether a statement speaks of an action always, sometimes (by resource or condition) or never."""
    if statement.not_action:
        named = not any(action_matches(pattern, action) for pattern in statement.not_action)
    else:
        named = any(action_matches(pattern, action) for pattern in statement.action)
    if not named:
        return "never"
    certainties = {scope_of(statement, wildcard_only), *(falls[condition] for condition in statement.condition)}
    return next(certainty for certainty in ("never", "sometimes", "always") if certainty in certainties)


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


def action_matches(pattern, action):
    """IAM ignores the case of actions, and refuses a wildcard in the service unless everything is meant."""
    pattern, action = pattern.lower(), action.lower()
    if pattern == "*:*" or (pattern and set(pattern) == {"*"}):
        return True
    service, colon, name = pattern.partition(":")
    return bool(colon) and not set(service) & set("*?") and glob(f"{service}:{name}", action)


def glob(pattern, text):
    """`*` is any run of characters, `?` any one: the definition, character by character."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(glob(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and glob(pattern[1:], text[1:])
