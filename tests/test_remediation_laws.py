"""The laws of the remediation list, over generated policies, names and items.

What right-sizing prints is read back as a shell would read it, put into a small account, and expanded the slow way.
"""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analytics.engine.reach import Reachable
from analytics.findings.drafts.size import characters
from analytics.findings.remediation import commands as remediation_commands
from analytics.findings.remediation import keys as remediation_keys
from analytics.findings.remediation import removal as remediation_removal
from analytics.findings.remediation.documents import documents_of, with_distinct_sids
from analytics.findings.remediation.narrow import Narrower
from analytics.findings.remediation.rightsize import RightSizer
from analytics.findings.remediation.rules import remediation_rules
from analytics.findings.remediation.shell import comment, is_policy_arn, is_policy_name, refused_name
from analytics.findings.remediation.values import Item, Kind, item_id, order_of
from analytics.findings.weights import action_weights
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect, PolicyDocument, parse_policy
from analytics.iam.stack import NamedPolicy
from analytics.sources.snapshot_values import AccessKey
from tests.builders import ROLE, allow, document
from tests.estates import arn, estate, identity, trusts
from tests.slow_reach import slow_reach
from tests.strategies import CONDITIONS, SMALL, WHO, policies, stacks, statements

RULES = remediation_rules()
EVERYTHING = (1 << len(SMALL.actions)) - 1
masks = st.integers(0, EVERYTHING)
OWN = "arn:aws:iam::111122223333:policy/work"
SHARED = "arn:aws:iam::111122223333:policy/shared"
AWS = "arn:aws:iam::aws:policy/Work"
GROUP = "arn:aws:iam::111122223333:group/devs"


def small_estate(*subjects):
    """An estate over the small catalogue."""
    whole = estate(*subjects)
    return replace(whole, catalogue=SMALL, reachable=Reachable(SMALL), weights=action_weights(SMALL))


@st.composite
def subjects(draw):
    """A role with policies of every kind: its own inline and managed ones, a shared one, one of AWS."""
    stack = draw(stacks(WHO))
    held = [
        NamedPolicy(name, document(*draw(policies())), policy_arn, ROLE)
        for name, policy_arn in (("inline", None), ("second", None), ("work", OWN), ("shared", SHARED), ("Work", AWS))
        if draw(st.booleans())
    ]
    held = [one for one in held if one.document.statements]
    assume(held)
    stack = replace(stack, identity=tuple(held))
    subject = replace(identity("app", allow("*")), stack=stack, reach=Reachable(SMALL).of(stack))
    observable = draw(masks)
    return replace(subject, observable=observable, seen=draw(masks) & subject.reach.maybe & observable)


def carried_out(subject, lines):
    """The identity policies after the commands, by nothing but their text."""
    inline = {one.name: one.document for one in subject.stack.identity if one.arn is None}
    managed = {one.arn: one.document for one in subject.stack.identity if one.arn is not None}
    attached = [one.arn for one in subject.stack.identity if one.arn is not None]
    for line in lines:
        if line.startswith(("#", "if ")):  # the quota of versions, which no policy depends on
            continue
        words = shlex.split(line)
        assert words[:2] == ["aws", "iam"]
        options = dict(word.removeprefix("--").split("=", 1) for word in words[3:] if "=" in word)
        assert options.get("role-name", subject.name) == subject.name
        policy = options.get("policy-document")
        parsed = parse_policy(policy, name="printed") if policy else None
        match words[2]:
            case "put-role-policy":
                inline[options["policy-name"]] = parsed
            case "delete-role-policy":
                del inline[options["policy-name"]]
            case "create-policy":
                managed[f"arn:aws:iam::111122223333:policy/{options['policy-name']}"] = parsed
            case "create-policy-version":
                assert ":aws:policy/" not in options["policy-arn"]
                managed[options["policy-arn"]] = parsed
            case "attach-role-policy":
                attached.append(options["policy-arn"])
            case "detach-role-policy":
                attached.remove(options["policy-arn"])
            case other:
                pytest.fail(other)
    documents = [*inline.values(), *(managed[one] for one in attached)]
    return tuple(NamedPolicy("after", one, None, ROLE) for one in documents)


@given(subjects())
@settings(deadline=None)
def test_right_sizing_grants_nothing_anew_and_loses_nothing_that_was_seen(subject):
    twin = replace(identity("twin", policies=[NamedPolicy("shared", document(allow("s3:*")), SHARED, arn("twin"))]))
    sizer = RightSizer(small_estate(subject, twin), RULES)
    found = sizer.of(subject)
    if found is None:
        return
    lines = remediation_commands.right_size(subject, found, (), RULES.quotas)
    after_stack = replace(subject.stack, identity=carried_out(subject, lines))
    before_surely, before_maybe = slow_reach(subject.stack, SMALL, CONDITIONS)
    after_surely, after_maybe = slow_reach(after_stack, SMALL, CONDITIONS)
    seen, unobserved = set(SMALL.names(subject.seen)), set(SMALL.names(EVERYTHING & ~subject.observable))
    assert after_surely <= before_surely
    assert after_maybe <= before_maybe
    assert seen & before_maybe <= after_maybe
    assert seen & before_surely <= after_surely
    assert found.exact
    assert unobserved & before_maybe <= after_maybe
    assert set(SMALL.names(found.dropped)) == before_maybe - after_maybe
    assert not any(word in line for line in lines for word in (SHARED, AWS) if "create-policy-version" in line)


@given(subjects())
@settings(deadline=None)
def test_right_sizing_twice_finds_nothing_more(subject):
    sizer = RightSizer(small_estate(subject), RULES)
    found = sizer.of(subject)
    if found is not None:
        assert RightSizer(small_estate(found.after), RULES).of(found.after) is None


@given(policies(), masks)
def test_a_narrowed_document_keeps_its_denies_and_speaks_of_nothing_else(parts, keep):
    whole = document(*parts)
    narrowed = Narrower(SMALL).document(whole, keep)
    if narrowed is None:
        assert not any(one.effect is Effect.DENY for one in parts)
        return
    denies = [one for one in whole.statements if one.effect is Effect.DENY]
    assert [one for one in narrowed.statements if one.effect is Effect.DENY] == denies


@given(st.lists(statements(), min_size=1, max_size=6), st.integers(220, 700))
@settings(deadline=None)
def test_documents_say_together_what_the_statements_say_and_fit(parts, most):
    found = documents_of([("2012-10-17", one) for one in parts], most, 8)
    if found is None:
        return
    assert all(characters(one) <= most for one in found)
    whole = replace(identity("app", allow("*")).stack, principal=WHO, boundary=None, scp_levels=())
    before = replace(whole, identity=(NamedPolicy("before", document(*parts), None, ROLE),))
    after = replace(whole, identity=tuple(NamedPolicy("after", one, None, ROLE) for one in found))
    assert slow_reach(after, SMALL, CONDITIONS) == slow_reach(before, SMALL, CONDITIONS)


@given(st.lists(st.none() | st.sampled_from(["A", "B", "A2"]), max_size=8))
def test_sids_are_distinct_afterwards(sids):
    found = [one.sid for one in with_distinct_sids([replace(allow("s3:*"), sid=sid) for sid in sids])]
    named = [sid for sid in found if sid]
    assert len(named) == len(set(named))
    assert [sid is None for sid in found] == [sid is None for sid in sids]


# --- names

HOSTILE = st.one_of(
    st.sampled_from(
        ["x; rm -rf ~", "$(id)", "`id`", "--policy-name=y", "a b", "a\nb", "a'b", 'a"b', "a\\b", "é", "x" * 65, "", "-",
         "a/b", "a\u202eb", "*", "..", "@-.,=+_", "${HOME}", "#x", "!!"]
    ),
    st.text(max_size=70),
)  # fmt: skip
good_names = st.text("abcXYZ019_+=,.@-", min_size=1, max_size=64)


def hostile_subject(name, kind="role"):
    subject = identity("app", allow("s3:*", "iam:*"), kind=kind, trust=trusts("ec2.amazonaws.com"))
    return replace(subject, name=name, arn=arn(name, kind=kind))


def scripts(subject):
    """Every script that names the identity."""
    key = AccessKey(active=True, created=None, last_used=None, last_used_region=None, last_used_service=None)
    yield remediation_removal.remove(subject, RULES.quotas)
    yield remediation_commands.add_boundary(subject, "b", OWN, document(allow("s3:*")))
    if subject.kind is PrincipalKind.USER:
        yield remediation_keys.delete_key(subject, key)
        yield remediation_keys.rotate_key(subject, key, [], RULES.quotas)
        yield remediation_keys.add_mfa(subject)
    else:
        yield remediation_commands.narrow_trust(subject, trusts("ec2.amazonaws.com"))


@given(HOSTILE)
def test_a_name_that_iam_would_not_accept_is_refused(name):
    accepted = 1 <= len(name) <= 64 and all(
        letter.isascii() and (letter.isalnum() or letter in "_+=,.@-") for letter in name
    )
    assert (refused_name(hostile_subject(name)) is None) is accepted
    if not (name.isascii() and name.isprintable()):
        assert not is_policy_name(name)
        assert not is_policy_arn(f"arn:aws:iam::111122223333:policy/{name}")


@given(st.one_of(good_names, HOSTILE), st.sampled_from(["role", "user"]))
@settings(deadline=None)
def test_a_shell_reads_every_name_as_one_value_of_its_option(name, kind):
    """Quoted even where it is refused anyway: two walls."""
    subject = hostile_subject(name, kind)
    option = f"--{kind}-name={name}"
    for lines in scripts(subject):
        for line in lines:
            if line.startswith("#"):
                assert "\n" not in line
                assert line.isprintable()
            elif line.startswith("aws iam ") and f"--{kind}-name" in line:
                assert option in shlex.split(line)


@given(st.text(max_size=50))
def test_a_comment_is_one_line(text):
    assert len(comment(text).splitlines()) == 1


@given(st.text(max_size=200))
def test_a_document_comes_out_of_the_shell_as_it_went_in(text):
    policy = PolicyDocument((replace(allow("s3:*"), sid=text),), "2012-10-17")
    line = remediation_commands.narrow_trust(identity("app", allow("s3:*")), policy)[1]
    (option,) = (word for word in shlex.split(line) if word.startswith("--policy-document="))
    assert json.loads(option.partition("=")[2])["Statement"][0]["Sid"] == text


@given(good_names, st.sets(st.integers(1, 4)))
def test_a_new_policy_takes_no_name_that_exists_and_none_too_long(name, taken):
    subject = identity("app", allow("s3:*"))
    subject = replace(subject, name=name, arn=arn(name))
    exists = {remediation_commands.own_policy(subject, "right-sized", (), number)[1] for number in taken}
    found, its_arn = remediation_commands.own_policy(subject, "right-sized", exists)
    assert its_arn not in exists
    assert its_arn.endswith(f"/{found}")
    assert is_policy_name(found)


# --- ids and order


def item(**fields):
    usual = {
        "item_id": "a", "principal_arn": ROLE, "kind": Kind.RIGHT_SIZE, "title": "t", "detail": {}, "owner": None,
        "score_before": 50.0, "score_after": 40.0, "calls_broken": 0, "evidence": {}, "commands": (), "policy": None,
        "blocked_reason": None, "priority": 10.0,
    }  # fmt: skip
    return Item(**usual | fields)


items = st.builds(
    item,
    item_id=st.sampled_from("abc"), principal_arn=st.sampled_from([ROLE, arn("b")]), kind=st.sampled_from(Kind),
    score_before=st.sampled_from([50.0, 60.0]), priority=st.sampled_from([1.0, 2.0]),
)  # fmt: skip


@given(st.lists(items, unique_by=lambda one: (one.item_id, one.principal_arn, one.kind)), st.randoms())
def test_the_order_is_total(found, random):
    shuffled = random.sample(found, len(found))
    assert sorted(found, key=order_of) == sorted(shuffled, key=order_of)


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_ids_are_of_identity_kind_and_detail_alone(one, other):
    assert (item_id(*one) == item_id(*other)) is (one == other) or "\n" in "".join((*one, *other))
    assert len(item_id(*one)) == 12


@given(st.floats(0, 100), st.integers(0, 10**6), st.booleans())
def test_more_calls_broken_never_come_earlier(removed, broken, set_back):
    order = RULES.order
    nothing, unproven = (order.priority(removed, calls, set_back=set_back) for calls in (0, None))
    some, more = (order.priority(removed, broken + extra, set_back=set_back) for extra in (1, 2))
    assert nothing >= unproven >= some >= more >= 0
    assert order.priority(removed, broken, set_back=True) <= order.priority(removed, broken, set_back=False)


def test_the_discount_is_the_documented_one():
    order = RULES.order
    assert order.priority(40.0, 0, set_back=False) == 40.0
    assert order.priority(40.0, None, set_back=False) == 20.0
    assert order.priority(40.0, 9, set_back=False) == round(20 / (1 + math.log(10)), 4)
    assert order.priority(40.0, 0, set_back=True) == 4.0
