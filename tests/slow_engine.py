"""A slow, obvious twin of the decision engine: one request at a time, straight from the manual, nothing compiled.

It shares the parsed policy values with the fast engine and no code. It knows no unknown keys: `slow_answers` tries
every way to fill them in from a list of values.
"""

from __future__ import annotations

import re
from itertools import combinations, product

from analytics.iam.policy import Effect

ORDER = ["scp", "rcp", "identity", "boundary", "session", "resource"]
RCP_SERVICES = {"s3", "sts", "kms", "sqs", "secretsmanager"}


def slow_decide(request, policies):
    """`(result, blocked_by)` of a request with a known context."""
    who = request.principal
    account = who.split(":")[4] if who.startswith("arn:") else None
    outside = account is None
    same = account == request.resource_account
    service = request.action.lower().split(":")[0]
    resource = "*" if request.wildcard_only else request.resource

    layers = {
        "identity": [] if outside else statements(policies.identity),
        "boundary": [] if outside else statements(policies.boundary or ()),
        "session": [] if outside else statements(policies.session or ()),
        "resource": statements([policies.resource] if policies.resource else []),
    }
    scps = [] if outside or account == policies.management_account else policies.scp_levels
    rcps = policies.rcp_levels if service in RCP_SERVICES else []
    rcps = [] if request.resource_account == policies.management_account else rcps

    def applies(statement, version):
        return (
            any_action(statement, request.action)
            and any_resource(statement, resource, request.context, version)
            and all(met(condition, request.context, version) for condition in statement.condition)
        )

    def hits(found, effect):
        return [statement for statement, version in found if statement.effect is effect and applies(statement, version)]

    bounded = bool(policies.boundary) and not outside
    named = {"direct": False, "role": False, "account": False}
    for statement in hits(layers["resource"], Effect.ALLOW):
        kind = naming(statement, request, bounded)
        if kind:
            named[kind] = True
    denied = {layer for layer in ("identity", "boundary", "session") if hits(layers[layer], Effect.DENY)}
    if any(naming(statement, request, bounded) for statement in hits(layers["resource"], Effect.DENY)):
        denied.add("resource")
    for layer, levels in (("scp", scps), ("rcp", rcps)):
        if any(hits(statements(level), Effect.DENY) for level in levels):
            denied.add(layer)

    is_root = who.endswith(":root")
    identity = is_root or bool(hits(layers["identity"], Effect.ALLOW))
    boundary = not policies.boundary or bool(hits(layers["boundary"], Effect.ALLOW))
    session = bool(hits(layers["session"], Effect.ALLOW)) if policies.session else ":federated-user/" not in who
    own_policy_rules = (service == "kms" and ":key/" in resource) or (
        request.action.lower().startswith("sts:assumerole") and ":role/" in resource
    )
    missing = set()
    if outside:
        missing |= set() if named["direct"] else {"resource"}
    elif same:
        if not named["direct"]:
            through_identity = identity and (named["account"] or not own_policy_rules)
            if not (identity or named["role"]):
                missing.add("identity")
            if own_policy_rules and not (named["role"] or named["account"]):
                missing.add("resource")
            if not boundary:
                missing.add("boundary")
            if not session:
                missing.add("session")
            assert bool(missing) == (not ((named["role"] or through_identity) and boundary and session))
    else:
        checks = {"identity": identity, "boundary": boundary, "session": session, "resource": any(named.values())}
        missing |= {layer for layer, allows in checks.items() if not allows}
    for layer, levels in (("scp", scps), ("rcp", rcps)):
        if not all(hits(statements(level), Effect.ALLOW) for level in levels):
            missing.add(layer)
    blocked = [layer for layer in ORDER if layer in denied | missing]
    result = "ExplicitlyDenied" if denied else "ImplicitlyDenied" if missing else "Allowed"
    return result, blocked


def slow_answers(request, policies, values):
    """Every way to fill in the unknown keys from `values` (key → texts), with whether the request is then allowed."""
    keys = sorted(request.unknown_keys)
    ways = {key: [(), *((text,) for text in values[key][0]), *sets(values[key])] for key in keys}
    answers = {}
    for choice in product(*(ways[key] for key in keys)):
        context = dict(request.context) | dict(zip(keys, choice, strict=True))
        known = request._replace(context=context, unknown_keys=frozenset())
        answers[choice] = slow_decide(known, policies)[0] == "Allowed"
    return keys, answers


def sets(texts_and_whether_many):
    texts, many = texts_and_whether_many
    return [*combinations(texts, 2), *combinations(texts, 3)] if many else []


def statements(documents):
    return [(statement, document.version) for document in documents for statement in document.statements]


def naming(statement, request, bounded):
    """How a resource policy's statement names the caller: directly, by its role, by its account, or not at all."""
    if statement.principal is not None:
        return named_by(statement.principal, request)
    if statement.not_principal is None:
        return None
    spared = named_by(statement.not_principal, request)
    if statement.effect is Effect.DENY:
        if bounded:
            return "direct"
        is_root = request.principal.endswith(":root")
        return None if spared in ("direct", "role") or (spared == "account" and is_root) else "direct"
    return None if spared else "direct"


def named_by(principals, request):
    who = request.principal
    if principals.everyone or "*" in principals.aws or who in principals.service or who in principals.federated:
        return "direct"
    if not who.startswith("arn:"):
        return None
    account = who.split(":")[4]
    kinds = set()
    for entry in principals.aws:
        if entry in (account, f"arn:aws:iam::{account}:root"):
            kinds.add("account")
        elif entry == who:
            kinds.add("role" if ":role/" in who else "direct")
        elif ":assumed-role/" in who and entry == f"arn:aws:iam::{account}:role/{who.split('/')[1]}":
            kinds.add("role")
        elif ":federated-user/" in who and entry == f"arn:aws:iam::{account}:user/{who.split('/')[1]}":
            kinds.add("role")  # the user who federated
    return next((kind for kind in ("direct", "role", "account") if kind in kinds), None)


def any_action(statement, action):
    def one(pattern):
        if pattern in ("*", "*:*"):
            return True
        service, colon, name = pattern.lower().partition(":")
        wanted_service, _, wanted = action.lower().partition(":")
        return bool(colon) and service == wanted_service and glob(name, wanted)

    if statement.not_action:
        return not any(one(pattern) for pattern in statement.not_action)
    return any(one(pattern) for pattern in statement.action)


def any_resource(statement, resource, context, version):
    def one(pattern):
        regex = fill(pattern, context, version, wild=True)
        if regex is not None and re.fullmatch(regex, resource, re.DOTALL) is not None:
            return True
        is_incomplete = pattern.startswith("arn:") and pattern.count(":") < 5 and "${" not in pattern
        return is_incomplete and one(f"{pattern}:*")

    if statement.not_resource:
        return not any(one(pattern) for pattern in statement.not_resource)
    return not statement.resource or any(one(pattern) for pattern in statement.resource)


def glob(pattern, text):
    """Whether a text matches a pattern, by the definition of `*` and `?`."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return glob(pattern[1:], text) or bool(text and glob(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and glob(pattern[1:], text[1:])


def fill(text, context, version, *, wild):
    """A policy text as a regular expression with its variables replaced; None when one has no value."""
    pieces = re.split(r"(\$\{[^{}]*\})" if version == "2012-10-17" else r"(?!)", text)
    regex = ""
    for piece in pieces:
        if version == "2012-10-17" and re.fullmatch(r"\$\{[^{}]*\}", piece or ""):
            inside = piece[2:-1]
            if inside in ("*", "?", "$"):
                regex += re.escape(inside)
                continue
            key, _, default = inside.partition(",")
            values = context.get(key.strip().lower(), ())
            known = len(values) == 1 and values[0]
            value = known or (default.strip().strip("'") if default else None)
            if value is None:
                return None
            regex += re.escape(value)
        else:
            for letter in piece or "":
                regex += {"*": ".*", "?": "."}.get(letter, re.escape(letter)) if wild else re.escape(letter)
    return regex


def met(condition, context, version):
    """One condition, for the operators that the generated policies use."""
    values = context.get(condition.key.lower(), ())
    operator, qualifier = condition.operator, condition.qualifier
    if operator == "Null":
        return any((value.lower() == "true") == (values in ((), ("",))) for value in condition.values)
    negated = "Not" in operator
    if not values:
        if qualifier is not None:
            return qualifier == "ForAllValues"
        return condition.if_exists or negated
    if qualifier is None:
        return len(values) == 1 and compares(condition, values[0], context, version) != negated
    if values == ("",):
        return qualifier == "ForAllValues"
    answers = [compares(condition, value, context, version) != negated for value in values]
    return all(answers) if qualifier == "ForAllValues" else any(answers)


def compares(condition, value, context, version):
    for wanted in condition.values:
        if condition.operator == "Bool":
            if value and wanted.lower() == ("true" if value.lower() == "true" else "false"):
                return True
            continue
        regex = fill(wanted, context, version, wild="Like" in condition.operator)
        flags = re.DOTALL | (re.IGNORECASE if "IgnoreCase" in condition.operator else 0)
        if regex is not None and re.fullmatch(regex, value, flags):
            return True
    return False
