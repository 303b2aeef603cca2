"""A naive evaluator of policies, the baseline of the bench: every statement and pattern looked at for every request.

It knows effects, actions, resources, text conditions, boundary and SCP levels, and works on the JSON as it stands.
"""

from __future__ import annotations

import re
from functools import cache


@cache
def _pattern(text):
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def listed(value):
    return value if isinstance(value, list) else [value]


def matches(patterns, text):
    return any(_pattern(pattern).fullmatch(text) for pattern in listed(patterns))


def applies(statement, action, resource, context):
    if "Action" in statement:
        named = matches([pattern.lower() for pattern in listed(statement["Action"])], action)
    else:
        named = not matches([pattern.lower() for pattern in listed(statement["NotAction"])], action)
    if not named or not matches(statement.get("Resource", "*"), resource):
        return False
    for operator, tests in statement.get("Condition", {}).items():
        for key, wanted in tests.items():
            met = any(matches(wanted, value) for value in context.get(key.lower(), ()))
            if met is ("Not" in operator):
                return False
    return True


def effects(policies, request):
    return {
        statement["Effect"]
        for policy in policies
        for statement in listed(policy["Statement"])
        if applies(statement, request.action.lower(), request.resource, request.context)
    }


def decide(request, identity, boundary, scps):
    """Whether the request is allowed: no layer denies, and every layer allows."""
    layers = [identity, *([boundary] if boundary else []), *scps]
    found = [effects(policies, request) for policies in layers]
    return all("Allow" in layer and "Deny" not in layer for layer in found)
