"""What the pages and the command line read is right, to the action, on a store that the real pipeline made."""

from datetime import datetime

import numpy as np
import pytest

from analytics.outputs import grants, queries
from analytics.outputs.queries import (
    Filters,
    Grid,
    IdentityOrder,
    Level,
    Measure,
    Order,
    Quick,
    RowKind,
    ServiceSet,
    Topic,
)
from tests.store_builder import (
    ANALYST,
    API,
    DEPLOY,
    DORMANT,
    ELSEWHERE,
    GHOST,
    HOSTILE,
    LINKED,
    LOGS,
    NAMES,
    PROD,
    SANDBOX,
    TRICKY,
    WINDOW_START,
    write_store,
)

ROOT_ARN = f"arn:aws:iam::{PROD}:root"
ALL = Filters(90)
NOW = datetime(2026, 11, 24)  # noqa: DTZ001  UTC without a zone, as a build's times are


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with write_store(tmp_path_factory.mktemp("queries"), builds=2).connect() as con:
        yield con


@pytest.fixture(scope="module")
def usage_only(tmp_path_factory):
    with write_store(tmp_path_factory.mktemp("usage"), snapshot=False).connect() as con:
        yield con


def names(rows):
    return list(rows["name"])


def test_a_build_says_what_it_is(con):
    build = queries.build_info(con)
    assert (build.window_start, build.window_days, build.has_snapshot) == (WINDOW_START, 90, True)
    assert build.document()["window"] == {"start": "2026-08-25", "end": "2026-11-22", "days": 90}
    assert build.document()["created_at"].endswith("Z")
    assert queries.build_windows(con) == (30, 90)


def test_filters_offer_only_what_the_build_holds(con):
    options = queries.filter_options(con)
    assert options.ou_paths == (
        "Root", "Root/Prod", "Root/Prod/Payments", "Root/Sandbox", "Root/Security"
    )  # fmt: skip
    assert dict(options.accounts) == {PROD: "payments-prod", SANDBOX: "sandbox-1", LOGS: NAMES[LOGS]}
    assert set(options.kinds) == {"role", "user", "root", "service-linked role"}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(90, ou_path="Root/Prod"), {DEPLOY, API, DORMANT, ELSEWHERE, LINKED}),  # an OU holds the OUs below it
        (Filters(90, ou_path="Root/Prod", ou_alone=True), set()),
        (Filters(90, ou_path="Root/Pro"), set()),  # a name is whole
        (Filters(90, account_id=SANDBOX), {ANALYST, GHOST, TRICKY}),
        (Filters(90, kind="user"), {ANALYST}),
        (Filters(90, search="  PAYMENTS-API "), {API}),
        (Filters(90, search="platform"), {DEPLOY, ELSEWHERE}),  # by owner
        (Filters(90, search="%"), set()),  # no wildcard
        (Filters(90, search="'; drop table principals; --"), set()),
        (Filters(90, search=HOSTILE[:20]), {TRICKY}),
    ],
)
def test_filters_let_through_what_they_name(con, filters, expected):
    found = set(queries.identities(con, filters=filters)["principal_arn"]) - {ROOT_ARN}
    assert found == {person.arn for person in expected}


def test_a_filter_tells_itself_in_words():
    assert Filters(30, ou_path="Root", search=" x ").sentence == "OU = Root; search = x"
    assert Filters(30).sentence == "none"
    assert not Filters(30, search="  ").narrows


def test_cells_of_the_grid_add_up_and_agree_with_the_action_list(con):
    columns = queries.heatmap_columns(con, filters=ALL, services=ServiceSet.ALL)
    page = queries.heatmap_page(con, filters=ALL, services=columns.services)
    facts = page.facts
    parts = facts["used"] + facts["possible"] + facts["unused"] + facts["unobserved"]
    known = [position for position, key in enumerate(page.row_keys) if key not in {GHOST.arn, ROOT_ARN}]
    assert np.array_equal(parts[known], facts["granted"][known])
    for person, service in ((DEPLOY, "s3"), (API, "kms"), (DORMANT, "ec2"), (ANALYST, "athena"), (GHOST, "ec2")):
        actions = queries.cell_actions(con, principal_arn=person.arn, service=service, window_days=90)
        cell = (page.row_keys.index(person.arn), page.services.index(service))
        granted = actions[actions["reach"] != "none"]
        assert len(granted) == facts["granted"][cell]
        if person is not GHOST:
            for state in queries.STATES:
                assert (granted["state"] == state).sum() == facts[state][cell], (person.name, service, state)


def test_rows_of_the_grid_are_sorted_as_asked(con):
    def labels(**grid):
        return queries.heatmap_page(con, filters=ALL, services=(), grid=Grid(**grid)).row_labels

    assert labels()[:3] == (DORMANT.name, DEPLOY.name, ANALYST.name)
    assert labels(order_service="athena")[:2] == (DORMANT.name, ANALYST.name)
    assert labels(order=Order.NAME) == tuple(sorted(labels(), key=str.lower))
    assert labels()[-1] == LINKED.name  # what AWS alone manages comes last
    assert labels(order=Order.CALLS)[0] == DEPLOY.name
    assert set(labels(order=Order.LEAST_RECENT)[:4]) >= {DORMANT.name, TRICKY.name, ELSEWHERE.name}
    assert labels(measure=Measure.SHARE)[:2] == ("backup", DEPLOY.name)


def test_a_page_of_rows_is_a_slice_of_the_whole_order_and_rank_finds_its_place(con):
    whole = queries.heatmap_page(con, filters=ALL, services=("s3",)).row_keys
    paged = [queries.heatmap_page(con, filters=ALL, services=("s3",), limit=3, offset=at).row_keys for at in (0, 3, 6)]
    assert tuple(key for page in paged for key in page) == whole
    assert len(whole) == queries.heatmap_size(con, filters=ALL)
    assert [queries.heatmap_rank(con, filters=ALL, row_key=key) for key in whole] == list(range(len(whole)))
    assert queries.heatmap_rank(con, filters=ALL, row_key="arn:aws:iam::1:role/none") is None


@pytest.mark.parametrize(
    ("by", "key", "label"), [(RowKind.ACCOUNT, PROD, "payments-prod"), (RowKind.OU, "Root/Sandbox", "Root/Sandbox")]
)
def test_larger_rows_sum_their_identities(con, by, key, label):
    page = queries.heatmap_page(con, filters=ALL, services=("s3", "sqs"), grid=Grid(by=by))
    row = page.row_keys.index(key)
    assert page.row_labels[row] == label
    inside = {"account_id": key} if by is RowKind.ACCOUNT else {"ou_path": key, "ou_alone": True}
    members = queries.heatmap_page(con, filters=Filters(90, **inside), services=("s3", "sqs"))
    for fact, values in members.facts.items():
        assert np.array_equal(page.facts[fact][row], values.sum(axis=0)), fact


def test_columns_in_use_are_those_that_anyone_used(con):
    in_use = queries.heatmap_columns(con, filters=ALL)
    assert set(in_use.services) == {"s3", "lambda", "iam", "kms", "sqs", "athena", "ec2"}
    assert in_use.total_services > 400
    assert 0 < in_use.shown < 1
    nobody = queries.heatmap_columns(con, filters=Filters(90, search=DORMANT.name))
    assert len(nobody.services) == 40  # nothing in use: the heaviest ones instead
    everything = queries.heatmap_columns(con, filters=ALL, services=ServiceSet.ALL)
    assert len(everything.services) == everything.total_services
    assert everything.shown == pytest.approx(1)


def test_one_scale_serves_every_page_and_is_the_largest_cell(con):
    for by in RowKind:
        columns = queries.heatmap_columns(con, filters=ALL, by=by, services=ServiceSet.ALL)
        page = queries.heatmap_page(con, filters=ALL, services=columns.services, grid=Grid(by=by))
        assert columns.largest == pytest.approx(page.facts["unused_weight"].max())


def test_an_export_of_the_grid_has_every_cell(con):
    for by in RowKind:
        rows = queries.heatmap_export(con, filters=ALL, by=by)
        assert len(rows) == queries.heatmap_export_rows(con, filters=ALL, by=by)
        columns = queries.heatmap_columns(con, filters=ALL, by=by, services=ServiceSet.ALL)
        page = queries.heatmap_page(con, filters=ALL, services=columns.services, grid=Grid(by=by))
        assert rows["unused"].sum() == page.facts["unused"].sum()


def test_the_window_decides_what_counts_as_use(con):
    def states(days):
        rows = queries.cell_actions(con, principal_arn=DEPLOY.arn, service="s3", window_days=days)
        return dict(zip(rows["action"], rows["state"].astype(str), strict=True))

    assert states(90)["s3:PutBucketPolicy"] == "used"  # 50 days ago
    assert states(30)["s3:PutBucketPolicy"] != "used"
    assert states(90)["s3:DeleteBucket"] == "unused"  # denied every time
    assert states(90)["s3:CreateBucket"] == "used"
    assert states(90)["s3:GetObject"] == "unobserved"  # data events are not in this export


def test_actions_say_how_they_are_reached_and_when_they_were_used(con):
    rows = queries.cell_actions(con, principal_arn=API.arn, window_days=90).set_index("action")
    assert rows.loc["kms:Decrypt", ["reach", "state", "calls"]].tolist() == ["maybe", "used", 40]
    assert rows.loc["dynamodb:GetItem", "reach"] == "surely"
    assert rows.loc["sqs:GetQueueUrl", ["reach", "state"]].tolist() == ["none", "used"]  # used, and no policy grants it
    assert rows.loc["kms:Decrypt", "last_used"] == datetime(2026, 11, 21, 12, 39)  # noqa: DTZ001  UTC


def test_actions_of_an_unknown_identity_are_none(con):
    assert queries.cell_actions(con, principal_arn="arn:aws:iam::1:role/none", window_days=90).empty


def test_an_action_names_the_statement_that_grants_it_and_the_layers_that_let_it_through(con):
    found = grants.granting_statements(con, principal_arn=API.arn, action="kms:Decrypt")
    assert [(one.ref.layer, one.ref.policy, one.ref.index) for one in found] == [
        ("identity", "work", 1),
        ("boundary", "app-boundary", 0),
        *[("scp", "FullAWSAccess", 0)] * 4,
    ]
    assert found[0].statement["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": ["true"]}}
    assert not found[0].always
    assert grants.granting_statements(con, principal_arn=GHOST.arn, action="ec2:RunInstances") == ()


def test_holders_of_a_service_are_ranked_by_what_they_do_not_use(con):
    assert names(queries.service_holders(con, filters=ALL, service="sqs"))[:2] == [DORMANT.name, TRICKY.name]
    assert len(queries.service_holders(con, filters=ALL, service="sqs", limit=1)) == 1
    assert DEPLOY.name in names(queries.service_holders(con, filters=ALL, service=None))


@pytest.mark.parametrize(
    ("quick", "expected"),
    [
        (Quick.DORMANT, {DORMANT, TRICKY}),
        (Quick.NEW, {ANALYST}),
        (Quick.UNOWNED, {DORMANT, ANALYST}),
        (Quick.NO_BOUNDARY, {DEPLOY, DORMANT, ANALYST, ELSEWHERE, TRICKY}),
        (Quick.OUTSIDE, {API}),
        (Quick.NOT_IN_SNAPSHOT, {GHOST}),
        (Quick.INCOMPLETE, set()),
    ],
)
def test_quick_filters_answer_their_question(con, quick, expected):
    found = set(queries.identities(con, filters=ALL, quick=quick)["principal_arn"])
    assert found - {ROOT_ARN} == {person.arn for person in expected}
    assert queries.identity_counts(con, filters=ALL)[quick] == len(found)


def test_identities_are_ranked_and_paged(con):
    whole = queries.identities(con, filters=ALL)
    assert names(whole)[:3] == [DORMANT.name, DEPLOY.name, ANALYST.name]
    assert names(queries.identities(con, filters=ALL, limit=2, offset=1)) == names(whole)[1:3]
    assert names(queries.identities(con, filters=ALL, order=IdentityOrder.NEWEST))[0] == ANALYST.name
    for order in IdentityOrder:
        assert len(queries.identities(con, filters=ALL, order=order)) == len(whole)


def test_one_identity_with_its_services_and_policies(con):
    known = queries.identity(con, principal_arn=API.arn, window_days=90)
    assert (known["granted"], known["used"], known["boundary_name"]) == (3, 1, "app-boundary")
    assert set(queries.identity_services(con, principal_arn=API.arn, window_days=90)["service"]) == {
        "kms",
        "sqs",
        "dynamodb",
    }
    policies = queries.identity_policies(con, principal_arn=API.arn)
    assert list(policies["layer"]) == ["identity", "boundary", "trust"]
    assert queries.identity(con, principal_arn="arn:aws:iam::1:role/none", window_days=90) is None


def test_figures_of_the_whole_estate_are_those_that_the_build_keeps_as_history(con):
    figures = queries.figures(con, filters=ALL)
    history = queries.history(con)
    assert history["build_id"].nunique() == 2
    kept = history[history["build_id"] == queries.build_info(con).id].set_index("metric")["value"]
    for metric in set(kept.index) & set(figures):
        assert figures[metric] == pytest.approx(kept[metric]), metric
    assert {"identities", "unused_weight", "granted_weight", "dormant", "denied"} <= set(kept.index)


def test_activity_has_every_day_of_the_window_and_counts_a_call_once(con):
    days = queries.activity_by_day(con, filters=ALL)
    assert len(days) == 90
    assert days["calls"].sum() == 86
    assert days["denied"].sum() == 6
    assert len(queries.activity_by_day(con, filters=Filters(30))) == 30


def test_splits_divide_what_is_granted(con):
    for split in (queries.split_by_ou, queries.split_by_account, queries.split_by_service):
        rows = split(con, filters=ALL)
        assert (rows["granted"] == rows[["used", "possible", "unused", "unobserved"]].sum(axis=1)).all()
        assert rows["granted"].sum() == queries.figures(con, filters=ALL)["granted"]


def test_decisions_name_what_was_planted_and_nothing_else(con):
    found = {
        topic: {item.key for item in items} for topic, (_total, items) in queries.decisions(con, filters=ALL).items()
    }
    assert found[Topic.DORMANT] == {DORMANT.arn, TRICKY.arn}
    assert found[Topic.BROADEST] == {DEPLOY.arn, ELSEWHERE.arn}
    assert found[Topic.NEW] == {ANALYST.arn}
    assert found[Topic.OUTSIDE] == {API.arn}
    assert found[Topic.NOT_COLLECTED] == {LOGS}
    total, items = queries.decisions(con, filters=ALL, each=1)[Topic.DORMANT]
    assert (total, len(items)) == (2, 1)
    assert Topic.NOT_COLLECTED not in queries.decisions(con, filters=Filters(90, account_id=PROD))


def test_health_names_what_limits_the_numbers_worst_first(con):
    points = queries.health_points(con, now=NOW)
    assert [point.level for point in points] == sorted((point.level for point in points), reverse=True)
    told = {point.what for point in points}
    assert "1 file of 2 could not be read" in told
    assert "1 account of 3 not collected" in told
    assert "1 account without KMS events" in told
    assert not any("days old" in what for what in told)
    old = queries.health_points(con, now=datetime(2026, 12, 24))  # noqa: DTZ001  UTC
    assert "the snapshot is 33 days old" in {point.what for point in old}


def test_health_tables_show_the_broken_first(con):
    assert queries.health_files(con)["problem"].iloc[0].startswith("is not a Parquet file")
    assert queries.health_accounts(con)["collected"].iloc[0] == "failed"
    assert queries.health_event_names(con)[["event_name", "outcome"]].iloc[0].tolist() == ["Invent", "unresolved"]
    assert list(queries.health_problems(con).columns) == ["source", "subject", "reason"]


def test_without_a_snapshot_there_is_usage_and_nothing_is_called_unused(usage_only):
    assert not queries.build_info(usage_only).has_snapshot
    columns = queries.heatmap_columns(usage_only, filters=ALL, measure=Measure.CALLS)
    page = queries.heatmap_page(usage_only, filters=ALL, services=columns.services, grid=Grid(measure=Measure.CALLS))
    assert page.facts["granted"].sum() == 0
    assert page.facts["unused"].sum() == 0
    assert page.facts["calls"].sum() > 0
    assert queries.figures(usage_only, filters=ALL)["unused_weight"] is None
    assert set(queries.decisions(usage_only, filters=ALL)) <= {Topic.NOT_COLLECTED}
    assert queries.health_points(usage_only, now=NOW)[0].level is Level.BAD
    actions = queries.cell_actions(usage_only, principal_arn=DEPLOY.arn, window_days=90)
    assert set(actions["state"]) <= {"used", "possible"}
    assert set(actions["reach"]) == {"none"}
