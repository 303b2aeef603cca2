"""The list: what is worth an item, what is not, in which order, and who else may have a say in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from analytics.findings.assess import Assessor
from analytics.findings.remediation.items import remediation
from analytics.findings.remediation.rules import remediation_rules
from analytics.findings.remediation.values import Item, Surroundings, UnusedTrust
from analytics.findings.remediation.words import counted
from analytics.iam.names import PrincipalKind
from analytics.iam.stack import NamedPolicy
from analytics.sources.snapshot_values import AccessKey, Credentials
from tests.builders import allow
from tests.estates import arn, estate, identity, trusts

if TYPE_CHECKING:
    from analytics.findings.estate import Subject

CATALOGUE = estate().catalogue
EVERYTHING = (1 << len(CATALOGUE.actions)) - 1
END = datetime(2026, 11, 22, 23, 59)  # noqa: DTZ001  of the estate's window, naive UTC as all times of a build
SSO = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
LAMBDA = trusts("lambda.amazonaws.com")


def used(*actions: str) -> dict[str, Any]:
    """Seen using these lately, in an account whose log shows everything."""
    return {
        "seen": CATALOGUE.mask(actions), "observable": EVERYTHING, "calls": 9, "created": END - timedelta(days=900),
        "last_used": END - timedelta(days=1),
    }  # fmt: skip


def idle(days: int = 400) -> dict[str, Any]:
    """Without any use for so long."""
    return {"observable": EVERYTHING, "created": END - timedelta(days=900), "last_used": END - timedelta(days=days)}


def wide(name: str = "app", **facts: Any) -> Subject:
    return identity(name, allow("s3:*", "sqs:*", "sns:*"), **{"trust": LAMBDA, **used("s3:PutObject"), **facts})


def listed(*subjects: Subject, **around: Any) -> list[Item]:
    whole = estate(*subjects)
    return remediation(Assessor(whole), whole, Surroundings(**around))


def kinds(found: Sequence[Item]) -> list[str]:
    return [str(one.kind) for one in found]


def credentials(*keys: AccessKey, password: bool = False, mfa: bool | None = True) -> Credentials:
    return Credentials(
        password_enabled=password, password_last_used=None, password_last_changed=None, mfa_active=mfa, access_keys=keys
    )


def key(age: int, *, unused_days: int | None = 1, active: bool = True) -> AccessKey:
    last = None if unused_days is None else END - timedelta(days=unused_days)
    return AccessKey(
        active=active, created=END - timedelta(days=age), last_used=last, last_used_region=None, last_used_service=None
    )


def test_what_it_did_not_use_goes_and_nothing_breaks() -> None:
    (found,) = listed(wide())
    assert (found.kind, found.calls_broken, found.blocked_reason) == ("right-size", 0, None)
    assert found.risk_removed > 0
    assert found.policy["Statement"] == [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]
    assert found.detail["rewritten"] == ["inline"]


def test_a_role_that_uses_all_it_has_is_left_alone() -> None:
    assert listed(identity("tight", allow("s3:PutObject"), trust=LAMBDA, **used("s3:PutObject"))) == []


def test_what_nobody_could_have_seen_is_not_called_unused() -> None:
    assert "right-size" not in kinds(listed(wide(observable=0)))


def test_where_right_sizing_is_not_possible_a_boundary_is_not_proven() -> None:
    (found,) = listed(wide(observable=0))
    assert (found.kind, found.calls_broken) == ("add-boundary", None)
    assert found.detail["services"] == ["s3"]


def test_a_call_of_which_the_action_is_not_known_leaves_it_not_proven() -> None:
    (found,) = listed(wide(), unresolved={arn("app"): 3})
    assert found.calls_broken is None
    assert "3 of its calls are of events whose action is not known" in " ".join(found.evidence["sentences"])


def test_a_young_identity_is_not_right_sized() -> None:
    assert listed(wide(created=END - timedelta(days=29))) == []
    assert kinds(listed(wide(created=END - timedelta(days=31)))) == ["right-size"]


def test_a_dormant_identity_is_removed_and_nothing_else_is_said_of_it() -> None:
    (found,) = listed(identity("old", allow("*"), trust=LAMBDA, **idle()))
    assert (found.kind, found.score_after, found.calls_broken) == ("remove-dormant", 0.0, 0)


@pytest.mark.parametrize("facts", [idle(89), idle() | {"calls": 1}, idle() | {"created": END - timedelta(days=5)}])
def test_what_was_used_or_made_lately_is_not_dormant(facts: dict[str, Any]) -> None:
    assert "remove-dormant" not in kinds(listed(identity("app", allow("s3:*"), trust=LAMBDA, **facts)))


def test_a_boundary_is_for_what_right_sizing_leaves_with_a_way_up() -> None:
    deployer = identity(
        "deployer", allow("iam:*", "s3:*", "sqs:*"), trust=LAMBDA, **used("iam:PutRolePolicy", "iam:CreateRole")
    )
    found = {one.kind: one for one in listed(deployer)}
    assert set(found) == {"right-size", "add-boundary"}
    boundary = found["add-boundary"].policy
    assert boundary["Statement"][0]["Action"] == "iam:*"
    assert {one["Sid"] for one in boundary["Statement"]} == {"ServicesInUse", "StaysBounded", "StaysAsItIs"}


def test_trust_that_nobody_used_is_taken_away() -> None:
    trust = trusts("lambda.amazonaws.com", "arn:aws:iam::444455556666:root")
    role = identity("app", allow("s3:PutObject"), trust=trust, **used("s3:PutObject"))
    unused = UnusedTrust(("arn:aws:iam::444455556666:root",), LAMBDA)
    (found,) = listed(role, unused_trust={role.arn: unused})
    assert (found.kind, found.calls_broken) == ("narrow-trust", 0)
    assert found.score_after < found.score_before
    assert found.policy["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (credentials(key(91)), ["rotate-key"]),
        (credentials(key(90)), []),
        (credentials(key(400, unused_days=91)), ["delete-key"]),
        (credentials(key(400, unused_days=None)), ["delete-key"]),
        (credentials(key(400, active=False)), []),
        (credentials(password=True, mfa=False), ["add-mfa"]),
        (credentials(password=True, mfa=None), []),
        (credentials(password=False, mfa=False), []),
    ],
)
def test_keys_and_passwords(known: Credentials, expected: list[str]) -> None:
    user = identity("ann", allow("s3:PutObject"), kind="user", credentials=known, **used("s3:PutObject"))
    assert kinds(listed(user)) == expected


def test_the_root_user_is_told_and_not_scripted() -> None:
    root = replace(
        identity("x", kind="user"), arn="arn:aws:iam::111122223333:root", name="root", kind=PrincipalKind.ROOT,
        credentials=credentials(key(400), password=True, mfa=False),
    )  # fmt: skip
    found = listed(root)
    assert sorted(kinds(found)) == ["add-mfa", "delete-key"]
    assert all(one.commands == () and "root user itself" in (one.blocked_reason or "") for one in found)


def test_a_service_linked_role_has_no_item() -> None:
    role = identity("AWSServiceRoleForX", allow("*"), path="/aws-service-role/x.amazonaws.com/", **idle())
    assert listed(role) == []


@pytest.mark.parametrize(
    "name",
    [
        "AWSControlTowerExecution",
        "aws-controltower-ConfigRecorderRole",
        "stacksets-exec-0123",
        "AWSCloudFormationStackSetExecutionRole",
    ],
)
def test_what_another_service_makes_is_marked_and_gets_no_command(name: str) -> None:
    for role in (wide(name), identity(name, allow("*"), trust=LAMBDA, **idle())):
        found = listed(role)
        assert found
        for one in found:
            assert one.blocked_reason is not None
            assert one.blocked_reason.startswith("Managed by ")
            assert one.commands == ()
            assert one.priority == round(one.risk_removed * 0.1, 4)


@pytest.mark.parametrize("name", ["OrganizationAccountAccessRole", "Acme-Break-Glass-Admin", "emergency"])
def test_what_is_meant_to_lie_idle_comes_later_and_says_so(name: str) -> None:
    (found,) = listed(identity(name, allow("*"), trust=LAMBDA, **idle()))
    assert found.commands
    assert found.evidence["sentences"][0].startswith("Managed by ")
    assert found.priority == round(found.risk_removed * 0.1, 4)


def test_a_name_that_iam_would_not_accept_gets_no_command() -> None:
    for role in (wide("a b"), identity("$(id)", allow("*"), trust=LAMBDA, **idle())):
        found = listed(role)
        assert found
        assert all(one.commands == () and one.blocked_reason for one in found)


def test_a_policy_name_that_iam_would_not_accept_gets_no_command() -> None:
    policy = NamedPolicy("a b", replace(wide().stack.identity[0].document), None, arn("app"))
    role = identity("app", policies=[policy, replace(policy, name="c; d")], trust=LAMBDA, **used("s3:PutObject"))
    (found,) = (one for one in listed(role) if one.kind == "right-size")
    assert (found.commands, found.blocked_reason is not None) == ((), True)


def sso(name: str, account: str = "111122223333", **facts: Any) -> Subject:
    return wide(f"AWSReservedSSO_{name}_0123456789abcdef", path=SSO, account=account, **facts)


def test_a_permission_set_is_one_item_for_all_its_roles_and_keeps_what_any_of_them_used() -> None:
    first = sso("Ops", **used("s3:PutObject"))
    second = sso("Ops", "444455556666", **used("sqs:SendMessage"))
    (found,) = listed(first, second)
    assert found.policy["Statement"][0]["Action"] == ["s3:PutObject", "sqs:SendMessage"]
    assert all("sso" in line for line in found.commands if line.startswith("aws "))
    assert not any(line.startswith("aws iam") for line in found.commands)


def test_a_dormant_role_of_a_set_loses_its_assignment_only() -> None:
    found = listed(sso("Ops"), sso("Ops", "444455556666", seen=0, calls=0, last_used=END - timedelta(days=300)))
    removed = next(one for one in found if one.kind == "remove-dormant")
    assert removed.principal_arn.startswith("arn:aws:iam::444455556666:")
    assert any("delete-account-assignment" in line for line in removed.commands)


# --- ids


@dataclass(frozen=True)
class Ids:
    """The ids by identity and kind."""

    found: dict[tuple[str, str], str]

    @classmethod
    def of(cls, items: Sequence[Item]) -> Ids:
        return cls({(one.principal_arn, str(one.kind)): one.item_id for one in items})


def world(**facts: Any) -> list[Subject]:
    old = identity("old", allow("*"), trust=LAMBDA, **idle())
    user = identity("ann", allow("s3:*"), kind="user", credentials=credentials(key(400)), **used("s3:PutObject"))
    return [wide(**facts), old, user]


def test_ids_stay_whatever_the_rest_of_the_list_is() -> None:
    before = Ids.of(listed(*world()))
    assert len(before.found) == len(set(before.found.values())) == 4
    assert Ids.of(listed(*reversed(world()))) == before
    more = Ids.of(listed(*world(), wide("another"), wide("zebra")))
    assert before.found.items() <= more.found.items()
    renamed = [replace(one, name="new", arn=arn("new")) if one.name == "old" else one for one in world()]
    after = Ids.of(listed(*renamed)).found
    assert {k: v for k, v in before.found.items() if k[0] != arn("old")}.items() <= after.items()


def test_ids_stay_while_use_and_scores_change() -> None:
    before = Ids.of(listed(*world()))
    assert Ids.of(listed(*world(**used("s3:GetObject", "sqs:SendMessage")))) == before
    assert Ids.of(listed(*[replace(one, environment="production") for one in world()])) == before


def test_two_keys_have_two_ids_and_keep_them_when_the_other_goes() -> None:
    def ids(*keys: AccessKey) -> set[str]:
        user = identity(
            "ann", allow("s3:PutObject"), kind="user", credentials=credentials(*keys), **used("s3:PutObject")
        )
        return {one.item_id for one in listed(user)}

    both = ids(key(100), key(200))
    assert len(both) == 2
    assert ids(key(200)) < both


def test_the_list_is_in_order_and_the_same_for_every_order_of_input() -> None:
    found = listed(*world(), wide("b"), wide("c"))
    assert [one.priority for one in found] == sorted((one.priority for one in found), reverse=True)
    assert listed(*reversed([*world(), wide("b"), wide("c")])) == found


def test_every_item_is_worth_its_line() -> None:
    least = remediation_rules().limits.least_risk_removed
    assert all(one.risk_removed >= least for one in listed(*world()))


def test_one_of_a_thing_is_not_several() -> None:
    several = ((1, "action"), (0, "action"), (1_200, "identity"), (1, "day"), (90, "day"))
    assert [counted(number, noun) for number, noun in several] == [
        "1 action", "0 actions", "1,200 identities", "1 day", "90 days",
    ]  # fmt: skip
    one = identity("app", allow("s3:PutObject", "s3:GetObject"), trust=LAMBDA, **used("s3:PutObject"))
    assert listed(one)[0].title == "Drop 1 action that it did not use"
    assert [item.title for item in listed(wide(observable=0))] == ["Bound it to the 1 service that it used"]
