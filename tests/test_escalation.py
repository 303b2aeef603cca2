"""Which ways to more permissions identities hold, and whom they reach: examples, category by category."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from analytics.findings.escalation.escalations import Escalations
from analytics.findings.escalation.paths import TakesOver, read_paths
from analytics.findings.escalation.plan import Plans
from analytics.iam.catalogue import load_catalogue
from analytics.iam.stack import NamedPolicy
from tests.builders import ACCOUNT, MFA, allow, condition, deny, document
from tests.estates import MANAGEMENT, arn, estate, identity, trusts

if TYPE_CHECKING:
    from analytics.findings.escalation.values import HeldPath
    from analytics.findings.estate import Subject

OTHER = "444455556666"
LAMBDA = "lambda.amazonaws.com"
RUN = ("lambda:CreateFunction", "lambda:InvokeFunction")
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ADMIN = identity("admin", allow("*"), trust=trusts(LAMBDA))
READER = identity("reader", allow("s3:GetObject"), trust=trusts(LAMBDA))
NOBODY = identity("nobody", allow("sqs:SendMessage"), trust=trusts("glue.amazonaws.com"))
PASSED_TO_EC2 = condition("StringEquals", "iam:PassedToService", "ec2.amazonaws.com")
PASSED_TO_LAMBDA = condition("StringEquals", "iam:PassedToService", LAMBDA)
HALF = [f"{service}:*" for service in sorted(load_catalogue().services)[::2] if service != "iam"]


def me(*statements: Any, kind: str = "role", **more: Any) -> Subject:
    return identity("me", *statements, kind=kind, **more)


def managed(name: str, *statements: Any, to: str = "me", kind: str = "role") -> NamedPolicy:
    its_arn = f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    return NamedPolicy(name, document(*statements), its_arn, arn(to, kind=kind))


def held(subject: Subject, *others: Subject, **about: Any) -> dict[str, HeldPath]:
    """The paths of an identity among others, by their ids."""
    return {path.path_id: path for path in Escalations(estate(subject, *others, **about)).of(subject)}


def told(path: HeldPath | None) -> tuple[bool, str, str | None] | None:
    """Sure or not, how privileged the target is, and its name."""
    if path is None:
        return None
    return path.surely, path.target, path.target_arn.rpartition("/")[2] if path.target_arn else None


SURE, MAYBE = True, False
ROLE = arn("me")
USER = arn("me", kind="user")

# What the identity may do (beside what the name says), the path, and what must come out of it among ADMIN, READER,
# NOBODY and the user `boss`, an administrator: sure, target, its name; None: it does not hold the path.
BOSS = identity("boss", allow("*"), kind="user")
SELF: dict[str, tuple[Subject, str, tuple[bool, str, str | None] | None]] = {
    "a role writes its own policy": (me(allow("iam:PutRolePolicy")), "iam-005", (SURE, "administrator", "me")),
    "only on itself": (me(allow("iam:PutRolePolicy", on=ROLE)), "iam-005", (SURE, "administrator", "me")),
    "its name by a variable": (
        me(allow("iam:PutUserPolicy", on=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"), kind="user"),
        "iam-007", (SURE, "administrator", "me")),
    "only on another name": (me(allow("iam:PutRolePolicy", on=arn("else*"))), "iam-005", None),
    "under MFA": (me(allow("iam:PutRolePolicy", condition=(MFA,))), "iam-005", (MAYBE, "administrator", "me")),
    "an SCP denies": (me(allow("iam:PutRolePolicy"), scps=[[allow("*"), deny("iam:*")]]), "iam-005", None),
    "an SCP does not allow": (me(allow("iam:PutRolePolicy"), scps=[[allow("s3:*")]]), "iam-005", None),
    "an SCP spares it by its name": (
        me(allow("iam:PutRolePolicy"),
           scps=[[allow("*"), deny("iam:*", condition=(condition("ArnNotLike", "aws:PrincipalArn", ROLE),))]]),
        "iam-005", (SURE, "administrator", "me")),
    "an SCP spares another": (
        me(allow("iam:PutRolePolicy"),
           scps=[[allow("*"), deny("iam:*", condition=(condition("ArnNotLike", "aws:PrincipalArn", arn("x")),))]]),
        "iam-005", None),
    "an identity deny": (me(allow("*"), deny("iam:PutRolePolicy")), "iam-005", None),
    "a deny on itself alone leaves the others": (
        me(allow("iam:PutRolePolicy"), deny("iam:PutRolePolicy", on=ROLE)),
        "iam-005", (SURE, "administrator", "admin")),
    "a boundary does not allow": (me(allow("*"), boundary=[allow("s3:*")]), "iam-005", None),
    "a boundary allows it and little else": (
        me(allow("*"), boundary=[allow("iam:PutRolePolicy", on=ROLE)]), "iam-005", (SURE, "lesser", "me")),
    "a boundary allows every second service": (
        me(allow("*"), boundary=[allow(*HALF), allow("iam:PutRolePolicy", on=ROLE)]),
        "iam-005", (SURE, "privileged", "me")),
    "a policy of its own may be rewritten": (
        me(allow("iam:CreatePolicyVersion"), policies=[managed("mine", allow("s3:GetObject"))]),
        "iam-001", (SURE, "administrator", "me")),
    "it has no managed policy, but it is told that nobody has": (
        me(allow("iam:CreatePolicyVersion")), "iam-001", (SURE, "none", None)),
    "an older version": (
        me(allow("iam:SetDefaultPolicyVersion"), policies=[managed("mine", allow("s3:GetObject"))]),
        "own-iam-001", (MAYBE, "administrator", "me")),
    "any policy may be attached": (
        me(allow("iam:AttachRolePolicy", on=ROLE)), "iam-009", (SURE, "administrator", "me")),
    "only a named policy may be attached": (
        me(allow("iam:AttachRolePolicy", on=ROLE, condition=(
            condition("ArnEquals", "iam:PolicyARN", "arn:aws:iam::aws:policy/ReadOnlyAccess"),))),
        "iam-009", (MAYBE, "administrator", "me")),
    "a user joins a group": (me(allow("iam:AddUserToGroup"), kind="user"), "iam-013", (MAYBE, "administrator", "me")),
    "a new role": (
        me(allow("iam:CreateRole", "iam:PutRolePolicy")), "own-iam-015", (SURE, "administrator", None)),
    "a new role only with a boundary": (
        me(allow("iam:PutRolePolicy"), allow("iam:CreateRole", condition=(
            condition("StringEquals", "iam:PermissionsBoundary", f"arn:aws:iam::{ACCOUNT}:policy/limit"),))),
        "own-iam-015", (MAYBE, "administrator", None)),
    "a new role of certain names": (
        me(allow("iam:CreateRole", "iam:PutRolePolicy", on=arn("app-*"))), "own-iam-015",
        (SURE, "administrator", None)),
    "a new role whose name takes no policy": (
        me(allow("iam:CreateRole", on=arn("app-*")), allow("iam:PutRolePolicy", on=arn("web-*"))), "own-iam-015", None),
    "a new user with a key": (
        me(allow("iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"), kind="user"),
        "own-iam-018", (SURE, "administrator", None)),
}  # fmt: skip


@pytest.mark.parametrize("name", SELF)
def test_an_identity_raises_itself(name: str) -> None:
    subject, path_id, expected = SELF[name]
    assert told(held(subject, ADMIN, READER, NOBODY, BOSS).get(path_id)) == expected


PASS: dict[str, tuple[tuple[Any, ...], tuple[bool, str, str | None] | None]] = {
    "any role": ((allow("iam:PassRole", *RUN),), (SURE, "administrator", "admin")),
    "to this service": (
        (allow(*RUN), allow("iam:PassRole", condition=(PASSED_TO_LAMBDA,))), (SURE, "administrator", "admin")),
    "to another service": ((allow(*RUN), allow("iam:PassRole", condition=(PASSED_TO_EC2,))), None),
    "under MFA": ((allow(*RUN), allow("iam:PassRole", condition=(MFA,))), (MAYBE, "administrator", "admin")),
    "a scope without the administrator": (
        (allow(*RUN), allow("iam:PassRole", on=arn("rea*"))), (SURE, "privileged", "reader")),
    "the administrator is denied": (
        (allow(*RUN), allow("iam:PassRole"), deny("iam:PassRole", on=ADMIN.arn)), (SURE, "privileged", "reader")),
    "a role that does not trust the service": (
        (allow(*RUN), allow("iam:PassRole", on=NOBODY.arn)), (SURE, "none", None)),
    "roles of another account": ((allow(*RUN), allow("iam:PassRole", on=arn("admin", account=OTHER))), None),
    "functions of one name": (
        (allow("iam:PassRole"), allow(*RUN, on=f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:mine")),
        (SURE, "administrator", "admin")),
    "without the call of the function": ((allow("iam:PassRole", "lambda:CreateFunction"),), None),
}  # fmt: skip


@pytest.mark.parametrize("name", PASS)
def test_a_role_is_passed_to_a_new_function(name: str) -> None:
    statements, expected = PASS[name]
    assert told(held(me(*statements), ADMIN, READER, NOBODY).get("lambda-001")) == expected


def test_a_role_gains_nothing_by_passing_itself() -> None:
    subject = me(allow("iam:PassRole", *RUN), trust=trusts(LAMBDA))
    assert told(held(subject)["lambda-001"]) == (SURE, "none", None)


def test_a_service_that_the_trust_admits_under_a_condition_is_a_maybe() -> None:
    source = condition("ArnLike", "aws:SourceArn", f"arn:aws:lambda:*:{ACCOUNT}:function:known")
    careful = identity("careful", allow("*"), trust=trusts(LAMBDA, conditions=[source]))
    assert told(held(me(allow("iam:PassRole", *RUN)), careful)["lambda-001"]) == (MAYBE, "administrator", "careful")


def test_of_a_sure_lesser_and_a_doubtful_stronger_target_the_one_that_counts_more_is_taken() -> None:
    source = condition("ArnLike", "aws:SourceArn", f"arn:aws:lambda:*:{ACCOUNT}:function:known")
    careful = identity("careful", allow("*"), trust=trusts(LAMBDA, conditions=[source]))
    path = held(me(allow("iam:PassRole", *RUN)), careful, READER)["lambda-001"]
    assert told(path) == (SURE, "privileged", "reader")  # 0.7 sure against 1.0 maybe


EXISTING: dict[str, tuple[tuple[Any, ...], str, tuple[bool, str, str | None] | None]] = {
    "the code of any function": (
        (allow("lambda:UpdateFunctionCode"),), "lambda-003", (SURE, "administrator", "admin")),
    "of one function": (
        (allow("lambda:UpdateFunctionCode", on=f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:mine"),),
        "lambda-003", (MAYBE, "administrator", "admin")),
    "an instance, but no role trusts EC2": ((allow("ssm:StartSession"),), "ssm-001", (SURE, "none", None)),
    "a Glue endpoint": ((allow("glue:UpdateDevEndpoint"),), "glue-002", (SURE, "lesser", "nobody")),
    "one of two actions": ((allow("ecs:ExecuteCommand"),), "ecs-006", None),
}  # fmt: skip


@pytest.mark.parametrize("name", EXISTING)
def test_a_resource_that_has_a_role_already(name: str) -> None:
    statements, path_id, expected = EXISTING[name]
    assert told(held(me(*statements), ADMIN, READER, NOBODY).get(path_id)) == expected


OTHERS: dict[str, tuple[Subject, str, tuple[bool, str, str | None] | None]] = {
    "a key of any user": (me(allow("iam:CreateAccessKey")), "iam-002", (SURE, "administrator", "boss")),
    "a key of a lesser user": (
        me(allow("iam:CreateAccessKey", on=arn("clerk", kind="user"))), "iam-002", (SURE, "lesser", "clerk")),
    "a key of nobody": (me(allow("iam:CreateAccessKey", on=arn("x", kind="user"))), "iam-002", None),
    "one's own key is no way to others": (
        me(allow("iam:CreateAccessKey", on=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"), kind="user"),
        "iam-002", None),
    "a key of users with a tag": (
        me(allow("iam:CreateAccessKey", condition=(condition("StringEquals", "aws:ResourceTag/team", "web"),))),
        "iam-002", (SURE, "lesser", "clerk")),
    "the trust of a role": (me(allow("iam:UpdateAssumeRolePolicy")), "iam-012", (SURE, "administrator", "admin")),
    "the trust of one role": (
        me(allow("iam:UpdateAssumeRolePolicy", on=NOBODY.arn)), "iam-012", (SURE, "lesser", "nobody")),
    "a lesser role, first made stronger": (
        me(allow("iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", on=NOBODY.arn)), "iam-021",
        (SURE, "administrator", "nobody")),
    "a role that does not trust it is not assumed once it is stronger": (
        me(allow("sts:AssumeRole", "iam:PutRolePolicy", on=NOBODY.arn)), "iam-017", None),
    "a role for a user is somebody else": (
        me(allow("iam:PutRolePolicy"), kind="user"), "iam-005", (SURE, "administrator", "admin")),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_another_identity_is_taken_over(name: str) -> None:
    subject, path_id, expected = OTHERS[name]
    clerk = identity("clerk", allow("sqs:SendMessage"), kind="user", tags=(("team", "web"),))
    found = held(subject, ADMIN, NOBODY, BOSS, clerk).get(path_id)
    assert told(found) == expected
    assert found is None or found.category == "principal-access"


def test_a_saml_provider_whose_keys_it_replaces_leads_to_the_roles_that_trust_it() -> None:
    provider = f"arn:aws:iam::{ACCOUNT}:saml-provider/corporate"
    federated = identity("federated", allow("*"), trust=trusts(provider, action="sts:AssumeRoleWithSAML"))
    assert told(held(me(allow("iam:UpdateSAMLProvider")), federated)["own-iam-014"]) == (
        SURE,
        "administrator",
        "federated",
    )
    assert "own-iam-014" not in held(me(allow("iam:UpdateSAMLProvider", on=f"{provider}-2")), federated)


@pytest.mark.parametrize(("account", "surely"), [(MANAGEMENT, True), (ACCOUNT, False)])
@pytest.mark.parametrize("action", ["sso:PutInlinePolicyToPermissionSet", "sso:CreateAccountAssignment"])
def test_a_permission_set_is_sure_from_the_management_account_and_elsewhere_only_if_delegated(
    account: str, *, surely: bool, action: str
) -> None:
    subject = me(allow(action), account=account)
    (path,) = held(subject).values()
    assert told(path) == (surely, "administrator", None)
    (step,) = Escalations(estate(subject)).route(subject.arn)
    assert (step.to_arn, step.surely) == (None, surely)


def test_root_of_a_member_account_is_never_sure() -> None:
    path = held(me(allow("sts:AssumeRoot"), account=MANAGEMENT))["own-sts-001"]
    assert told(path) == (MAYBE, "administrator", None)
    assert "not known" in path.why


LIMIT = f"arn:aws:iam::{ACCOUNT}:policy/limit"
LITTLE = [allow("iam:*", "s3:GetObject")]
LIFTS: dict[str, tuple[Subject, str, tuple[bool, str] | None]] = {
    "a role removes its boundary": (
        me(allow("iam:DeleteRolePermissionsBoundary"), allow("iam:PutRolePolicy"), boundary=LITTLE),
        "own-iam-002", (SURE, "administrator")),
    "a role puts a wider boundary": (
        me(allow("iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"), boundary=LITTLE),
        "own-iam-004", (SURE, "administrator")),
    "a role rewrites its boundary": (
        me(allow("iam:CreatePolicyVersion", on=LIMIT), allow("iam:PutRolePolicy"), boundary=LITTLE),
        "own-iam-006", (SURE, "administrator")),
    "the boundary is not among what it may rewrite": (
        me(allow("iam:CreatePolicyVersion", on=f"{LIMIT}-2"), allow("iam:PutRolePolicy"), boundary=LITTLE),
        "own-iam-006", None),
    "the boundary does not allow its removal": (
        me(allow("*"), boundary=[allow("iam:PutRolePolicy")]), "own-iam-002", None),
    "there is no boundary": (me(allow("*")), "own-iam-002", None),
    "there is nothing to gain without": (
        me(allow("iam:DeleteRolePermissionsBoundary"), boundary=LITTLE), "own-iam-002", (SURE, "none")),
    "a role deletes the inline policy that denies": (
        me(deny("iam:PutRolePolicy"), policies=[managed("all", allow("iam:DeleteRolePolicy", "iam:PutRolePolicy"))]),
        "own-iam-007", (SURE, "administrator")),
    "the policy that denies also allows": (
        me(deny("iam:PutRolePolicy"), allow("iam:PutRolePolicy", "iam:DeleteRolePolicy")),
        "own-iam-007", (MAYBE, "administrator")),
    "a role detaches the policy that denies": (
        me(allow("iam:DetachRolePolicy", "iam:PutRolePolicy"), policies=[managed("no", deny("iam:PutRolePolicy"))]),
        "own-iam-008", (SURE, "administrator")),
    "the one that denies is inline, and only detaching is allowed": (
        me(allow("iam:DetachRolePolicy", "iam:PutRolePolicy"), deny("iam:PutRolePolicy")), "own-iam-008", None),
}  # fmt: skip


@pytest.mark.parametrize("name", LIFTS)
def test_an_identity_lifts_what_limits_it(name: str) -> None:
    subject, path_id, expected = LIFTS[name]
    path = held(subject).get(path_id)
    assert (None if path is None else (path.surely, path.target)) == expected


def test_a_boundary_that_stays_limits_what_self_escalation_leads_to() -> None:
    kept = me(allow("*"), boundary=[allow("iam:PutRolePolicy", "s3:*")])
    freed = me(allow("*"), boundary=[allow("iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary", "s3:*")])
    assert [told(held(one)["iam-005"]) for one in (kept, freed)] == [
        (SURE, "lesser", "me"),
        (SURE, "administrator", "me"),
    ]


def test_an_administrator_is_one_whom_a_sure_self_escalation_leads_to_everything() -> None:
    kept = identity("kept", allow("*"), boundary=[allow("iam:PutRolePolicy", "s3:*")])
    perhaps = identity("perhaps", allow("iam:PutRolePolicy", condition=(MFA,)))
    found = Escalations(estate(ADMIN, READER, kept, perhaps))
    known = {one.name: found.administrator(one) for one in (ADMIN, READER, kept, perhaps)}
    assert known == {"admin": "surely", "reader": None, "kept": None, "perhaps": "maybe"}


def test_the_session_of_a_service_linked_role_is_nobodys_way() -> None:
    linked = identity("linked", allow("*"), path="/aws-service-role/x.amazonaws.com/")
    assert held(linked, ADMIN) == {}


def chain(*subjects: Subject) -> list[tuple[str, str, bool]]:
    """The steps of `me` to an administrator."""
    found = Escalations(estate(*subjects))
    names = {one.arn: one.name for one in subjects}
    steps = found.route(subjects[0].arn)
    return [(names[step.from_arn], names[step.to_arn or ""], step.surely) for step in steps]


def test_roles_are_assumed_across_accounts_step_by_step() -> None:
    middle = identity("middle", allow("sts:AssumeRole"), account=OTHER, trust=trusts(ROLE))
    boss = identity("chief", allow("*"), account=MANAGEMENT, trust=trusts(f"arn:aws:iam::{OTHER}:root"))
    start = me(allow("sts:AssumeRole", on=middle.arn))
    assert chain(start, middle, boss) == [("me", "middle", True), ("middle", "chief", True)]


@pytest.mark.parametrize(
    ("trust", "statements", "expected"),
    [
        (trusts(ROLE), (), None),  # another account: its own policies must allow it as well
        (trusts(ROLE), (allow("sts:AssumeRole"),), True),
        (trusts(ROOT), (allow("sts:AssumeRole"),), True),
        (trusts(ROOT), (allow("sts:AssumeRole", on=arn("else", account=OTHER)),), None),
        (trusts(ROOT), (allow("sts:AssumeRole", condition=(MFA,)),), False),
        (trusts(ROOT, conditions=[MFA]), (allow("sts:AssumeRole"),), False),
        (trusts(ROOT, conditions=[condition("ArnLike", "aws:PrincipalArn", ROLE)]), (allow("sts:AssumeRole"),), True),
        (trusts(ROOT, conditions=[condition("ArnLike", "aws:PrincipalArn", "*/x")]), (allow("sts:AssumeRole"),), None),
        (trusts(arn("else")), (allow("sts:AssumeRole"),), None),
        (trusts("*", conditions=[condition("StringEquals", "aws:PrincipalOrgID", "o-exampleorg")]),
         (allow("sts:AssumeRole"),), True),
        (trusts("*", conditions=[condition("StringEquals", "aws:PrincipalOrgID", "o-another")]),
         (allow("sts:AssumeRole"),), None),
        (trusts(ROOT), (allow("sts:AssumeRole"), deny("sts:AssumeRole", on="*")), None),
    ],
)  # fmt: skip
def test_a_role_of_another_account_must_trust_and_policies_must_allow(
    trust: Any, statements: tuple[Any, ...], *, expected: bool | None
) -> None:
    far = identity("far", allow("*"), account=OTHER, trust=trust)
    steps = chain(me(*statements), far)
    assert steps == ([] if expected is None else [("me", "far", expected)])


def test_a_role_of_the_same_account_that_names_the_identity_asks_no_policy_of_its_own() -> None:
    assert chain(me(), identity("near", allow("*"), trust=trusts(ROLE))) == [("me", "near", True)]
    denied = me(allow("s3:*"), deny("sts:AssumeRole"))
    assert chain(denied, identity("near", allow("*"), trust=trusts(ROLE))) == []


def test_an_rcp_of_the_roles_account_stops_the_chain() -> None:
    rcp = [allow("*"), deny("sts:AssumeRole", condition=(condition("StringNotEquals", "aws:PrincipalAccount", OTHER),))]
    far = identity("far", allow("*"), account=OTHER, trust=trusts(ROOT), rcps=[rcp])
    assert chain(me(allow("sts:AssumeRole")), far) == []


def test_an_rcp_about_one_role_does_not_speak_for_another_of_the_same_trust() -> None:
    names = ("one", "two")
    trust = trusts(ROOT)
    rcp = [allow("*"), deny("sts:AssumeRole", on=arn("one", account=OTHER))]
    levels = identity("x", account=OTHER, rcps=[rcp]).stack.rcp_levels
    far = [identity(name, allow("*"), account=OTHER, trust=trust) for name in names]
    shared = [estate(one).changed(one, stack=replace(one.stack, rcp_levels=levels)) for one in far]
    found = Escalations(estate(me(allow("sts:AssumeRole")), *shared))
    assert [step.to_arn for step in found.route(ROLE)] == [arn("two", account=OTHER)]


def test_a_role_of_an_account_that_was_not_collected_counts_as_an_administrator_perhaps() -> None:
    subject = me(allow("sts:AssumeRole", on="arn:aws:iam::222233334444:role/deploy-*"))
    assert told(held(subject)["sts-001"]) == (MAYBE, "administrator", "deploy-*")
    under = me(
        allow("sts:AssumeRole", on="arn:aws:iam::222233334444:role/deploy-*"), deny("sts:*", on="*role/deploy-*")
    )
    assert told(held(under)["sts-001"]) == (MAYBE, "none", None)


def test_every_path_has_one_kind_of_target_and_actions_that_exist() -> None:
    paths, catalogue = read_paths(), load_catalogue()
    unknown = {action for path in paths for action in path.required_actions if catalogue.number(action) is None}
    assert unknown == set()
    for path in paths:
        kinds = (bool(path.services), path.takes_over is not None, path.creates is not None, path.lifts is not None)
        assert sum(kinds) == 1, path.id
        assert path.self_for <= {"user", "role"}, path.id
        assert path.creates in (None, "user", "role"), path.id
        assert (path.source is not None) == path.id.startswith("own-"), path.id
    assert len([path for path in paths if not path.id.startswith("own-")]) == 66


def test_every_service_of_a_path_is_a_service_principal_and_passes_a_role_only_where_it_says_so() -> None:
    for path in read_paths():
        assert all(service.endswith(".amazonaws.com") for service in path.services), path.id
        assert ("iam:PassRole" in path.required_actions) == (path.category == "new-passrole"), path.id


def test_an_action_on_an_identity_is_about_the_identity_that_is_taken_over() -> None:
    plans = {plan.path.id: plan for plan in Plans(load_catalogue()).plans}
    assert len(plans) == len(read_paths())
    for plan in plans.values():
        if plan.path.takes_over in (TakesOver.ROLE, TakesOver.POLICY_HOLDER, TakesOver.FEDERATED_ROLE):
            assert all(need.belongings is not None for need in plan.needs), plan.path.id


def test_a_statement_that_does_not_bear_on_its_caller_stays_out_of_the_decision() -> None:
    """A negated condition on the caller must not hold because the caller is left out of what is asked."""
    not_me = condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/me")
    limits = [[allow("*"), deny("iam:PutRolePolicy", on=arn("someone-else"))]]
    denied_to_others = me(allow("iam:PutRolePolicy"), deny("iam:PutRolePolicy", condition=(not_me,)), scps=limits)
    for_others = me(allow("iam:PutRolePolicy", on=ROLE), allow("iam:PutRolePolicy", condition=(not_me,)))
    assert told(held(denied_to_others)["iam-005"]) == (SURE, "administrator", "me")
    assert told(held(for_others)["iam-005"]) == (SURE, "administrator", "me")
    elsewhere = me(allow("iam:PutRolePolicy", on=arn("other")), allow("iam:PutRolePolicy", condition=(not_me,)))
    assert told(held(elsewhere, ADMIN).get("iam-005")) is None


def test_one_policy_leads_each_identity_where_its_own_tag_points() -> None:
    """Identities that share all policies share what is said of them only as far as no policy asks who they are."""
    tagged = arn("${aws:PrincipalTag/team}", kind="user")
    own = (NamedPolicy("own", document(allow("iam:CreateAccessKey", resource=(tagged,)))),)
    roles = [identity(name, tags=(("team", name),)) for name in ("one", "two")]
    users = [identity("one", allow("*"), kind="user"), identity("two", allow("sqs:SendMessage"), kind="user")]
    found = estate(*roles, *users)
    found = found.replaced([found.changed(one, stack=replace(one.stack, identity=own)) for one in roles])
    together = Escalations(found)
    for role in roles:
        (path,) = together.of(found.subjects[role.arn])
        assert (path.target_arn, path.surely) == (arn(role.name, kind="user"), True)
