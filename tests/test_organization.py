"""The organisation's tree: which levels of control policies bear on which account."""

from pathlib import Path

import pytest

from analytics.engine.reach import Reachable
from analytics.iam.catalogue import load_catalogue
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import parse_policy
from analytics.iam.stack import NamedPolicy, PolicyStack, PrincipalFacts
from analytics.sources.organization import RCP, SCP, NodeKind, read_organization
from analytics.sources.snapshot_documents import Documents
from analytics.sources.snapshot_reading import Notes, Record, read_json
from tests.snapshot_files import ACCOUNT, FULL_ACCESS, account, document, ou, root, scp

ORG = Path(__file__).parent / "data" / "org"
MANAGEMENT = "999988887777"


def read(tree):
    notes = Notes()
    return read_organization(Record(tree, "organization.json", notes), Documents()), notes.problems()


def names(levels):
    return [[policy.name for policy in level.policies] for level in levels]


def test_levels_run_from_the_root_to_the_account():
    tree = root(ou("Prod", ou("Pay", account(policies=[scp("D", "d:*")]), policies=[FULL_ACCESS, scp("C", "c:*")])))
    organization, problems = read(tree)
    levels = organization.scp_levels(ACCOUNT)
    assert [level.node_name for level in levels] == ["Root", "Prod", "Pay", "payments"]
    assert names(levels) == [["FullAWSAccess"], ["FullAWSAccess"], ["FullAWSAccess", "C"], ["D"]]
    assert problems == ()


def test_nodes_know_their_path_in_names_and_in_ids():
    organization, _ = read(root(ou("Prod", account())))
    node = organization.node(ACCOUNT)
    assert (node.kind, node.path, node.parent_id) == (NodeKind.ACCOUNT, "Root/Prod/payments", "ou-ab12-0000prod")
    assert node.id_path == ("r-ab12", "ou-ab12-0000prod", ACCOUNT)
    assert [node.kind for node in organization.nodes] == [NodeKind.ROOT, NodeKind.OU, NodeKind.ACCOUNT]
    assert organization.path_of(ACCOUNT) == "o-exampleorgid/r-ab12/ou-ab12-0000prod/"  # as aws:PrincipalOrgPaths


def test_accounts_of_one_ou_share_its_levels():
    organization, _ = read(root(ou("Prod", account("111111111111"), account("222222222222"))))
    first, second = organization.scp_levels("111111111111"), organization.scp_levels("222222222222")
    assert first[0] is second[0]
    assert first[1] is second[1]


def test_the_management_account_has_no_levels():
    organization, _ = read(root(account(MANAGEMENT, policies=[scp("Deny", "*")]), types=[SCP, RCP]))
    assert organization.management_account_id == MANAGEMENT
    assert organization.scp_levels(MANAGEMENT) == ()
    assert organization.rcp_levels(MANAGEMENT) == ()
    assert organization.node(MANAGEMENT).scp.policies[0].name == "Deny"  # attached, although it binds nobody


def test_a_type_that_is_not_enabled_has_no_levels():
    organization, problems = read(root(account(policies=[scp("Deny", "*")]), types=[]))
    assert organization.scp_levels(ACCOUNT) == ()
    assert problems == ()


def test_a_type_that_is_only_about_to_be_enabled_has_no_levels():
    tree = root(account()) | {"PolicyTypes": [{"Type": SCP, "Status": "PENDING_ENABLE"}]}
    organization, _ = read(tree)
    assert organization.scp_levels(ACCOUNT) == ()


def test_an_enabled_type_without_policies_is_an_empty_level():
    organization, _ = read(root(account(policies=[])))
    assert names(organization.scp_levels(ACCOUNT)) == [["FullAWSAccess"], []]


def test_resource_control_policies_are_levels_of_their_own_and_rcp_full_access_is_always_there():
    guard = scp("OnlyOrg", "s3:*", Type=RCP)
    organization, _ = read(root(account(policies=[FULL_ACCESS, guard]), types=[SCP, RCP]))
    assert names(organization.scp_levels(ACCOUNT)) == [["FullAWSAccess"], ["FullAWSAccess"]]
    assert names(organization.rcp_levels(ACCOUNT)) == [["RCPFullAWSAccess"], ["RCPFullAWSAccess", "OnlyOrg"]]


def test_policies_of_other_types_do_not_bear_on_access():
    tags = scp("Tags", "x:y", Type="TAG_POLICY", Content={"tags": {}})
    organization, problems = read(root(account(policies=[FULL_ACCESS, tags])))
    assert names(organization.scp_levels(ACCOUNT)) == [["FullAWSAccess"], ["FullAWSAccess"]]
    assert problems == ()


def test_without_policy_types_attached_scps_show_that_they_are_enabled():
    tree = root(account())
    del tree["PolicyTypes"]
    organization, problems = read(tree)
    assert organization.enabled_types == {SCP}
    assert "PolicyTypes" in problems[0].reason


@pytest.mark.parametrize(
    "node",
    [
        account(policies=[FULL_ACCESS, scp("Broken", Content={"Statement": [{"Effect": "Maybe"}]})]),
        {"Type": "Account", "Id": ACCOUNT, "Name": "payments"},  # no `Policies`: not collected, which is not none
    ],
)
def test_what_cannot_be_read_may_allow_and_may_deny_anything(node):
    organization, problems = read(root(node))
    assert "may allow and may deny anything" in problems[0].reason
    catalogue = load_catalogue()
    identity = NamedPolicy("own", parse_policy(document("s3:*"), name="own"))
    facts = PrincipalFacts("arn:aws:iam::111122223333:role/app", ACCOUNT, PrincipalKind.ROLE)
    stack = PolicyStack(facts, (identity,), scp_levels=organization.scp_levels(ACCOUNT))
    reach = Reachable(catalogue).of(stack)
    assert (reach.surely, reach.maybe) == (0, catalogue.expand("s3:*"))


def test_content_may_be_json_text():
    text = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}}'
    organization, _ = read(root(account(policies=[scp("Text", Content=text)])))
    assert organization.scp_levels(ACCOUNT)[1].policies[0].document.statements[0].action == ("s3:*",)


def test_an_account_that_stands_twice_keeps_its_first_place():
    organization, problems = read(root(ou("Prod", account()), ou("Dev", account(name="again"))))
    assert organization.node(ACCOUNT).path == "Root/Prod/payments"
    assert [(problem.subject, "twice" in problem.reason) for problem in problems] == [(ACCOUNT, True)]


def test_a_node_without_an_id_takes_its_children_with_it_and_is_named():
    lost = ou("Lost", account())
    del lost["Id"]
    organization, problems = read(root(lost, account("222222222222")))
    assert [node.node_id for node in organization.nodes] == ["r-ab12", "222222222222"]
    assert "`Root`" in problems[0].reason


def test_a_tree_without_a_root_id_is_no_organisation():
    organization, problems = read({"Children": []})
    assert organization is None
    assert "no SCP applies" in problems[0].reason


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("iamspy-scp-basic.json", [["FullAWSAccess"], ["FullAWSAccess"]]),
        ("iamspy-scp-deny-lambda.json", [["FullAWSAccess", "block lambda"], ["FullAWSAccess"]]),
    ],
)
def test_public_dumps_read_whole(file, expected):
    organization, problems = read(read_json(ORG / file))
    assert problems == ()
    assert organization.id == "o-abcdefghij"
    assert names(organization.scp_levels("123456789012")) == expected
    assert organization.scp_levels("023456789012") == ()  # the management account, from the root's ARN
