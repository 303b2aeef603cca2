"""The reads behind an identity's page and the remediation list."""

import json

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.outputs import queries
from analytics.outputs.queries import Filters, Proof, Quick
from app_pages.shared import factors
from app_pages.shared.policy_reader import pieces
from tests.store_builder import API, DEPLOY, DORMANT, GHOST, PROD, write_store

ALL = Filters(90)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_store(tmp_path_factory.mktemp("risk"))


@pytest.fixture(scope="module")
def con(store):
    with store.connect() as con:
        yield con


def test_points_are_the_highest_scores_and_the_highest_is_drawn_last(con):
    points = queries.identity_points(con, filters=ALL, limit=3)
    everyone = queries.identities(con, filters=ALL)
    assert list(points["principal_arn"])[::-1] == list(everyone["principal_arn"][:3])
    assert set(points["beside"]) <= {0, 1, 2}


def test_bands_count_every_identity_with_a_score_once(con):
    bands = queries.band_counts(con, filters=ALL)
    scores = queries.identities(con, filters=ALL)["score"].dropna()
    assert sum(bands.values()) == len(scores)
    assert bands["critical"] == (scores >= 75).sum()
    assert tuple(bands) == queries.BANDS


@pytest.mark.parametrize("quick", list(Quick))
def test_a_quick_filter_finds_as_many_as_it_counts_and_draws_only_those(con, quick):
    counts = queries.identity_counts(con, filters=ALL)
    found = queries.identities(con, filters=ALL, quick=quick)
    assert len(found) == counts[quick]
    drawn = queries.identity_points(con, filters=ALL, quick=quick)
    assert set(drawn["principal_arn"]) == set(found.dropna(subset=["score"])["principal_arn"])


def test_on_an_escalation_path_is_who_holds_one_that_leads_somewhere(con):
    found = queries.identities(con, filters=ALL, quick=Quick.ESCALATING)
    leading = {
        arn
        for arn in queries.identities(con, filters=ALL)["principal_arn"]
        if any(path["strength"] > 0 for path in queries.identity_paths(con, principal_arn=arn))
    }
    to_administrator = found["administrator"].notna() | found["steps_to_administrator"].notna()
    assert set(found["principal_arn"]) == leading | set(found["principal_arn"][to_administrator])


@pytest.mark.parametrize("word", ["Dev", "qa", "UAT ", "Playground", "pre-prod", "staging"])
def test_a_sensitive_account_is_what_the_score_counts_as_production(store, word):
    """Whatever word the account has, in any case: the list and the score read the same ones."""
    con = duckdb.connect()
    con.execute(f"attach '{store.path(store.current())}' as build (read_only)")
    for (table,) in con.execute("select table_name from duckdb_tables() where database_name = 'build'").fetchall():
        con.execute(f"create table {table} as from build.{table}")

    def privileged():
        return set(queries.identities(con, filters=ALL, quick=Quick.PRIVILEGED)["principal_arn"])

    con.execute("update principals set environment = 'Prod-EU'")
    assert DORMANT.arn in privileged()
    con.execute("update principals set environment = $1 where principal_arn = $2", [word, DORMANT.arn])
    assert DORMANT.arn not in privileged()
    assert queries.identity_counts(con, filters=ALL)[Quick.PRIVILEGED] == len(privileged())


def test_a_refusal_is_told_of_the_action_that_was_refused_alone(con):
    """s3:CreateBucket may need s3:PutBucketTagging and others too: nobody refused those."""
    rows = queries.identity_denied(con, principal_arn=DEPLOY.arn, window_days=90)
    assert rows.set_index("action")["denied"].to_dict() == {"s3:DeleteBucket": 4, "s3:CreateBucket": 2}


def test_sensitive_actions_are_those_of_its_reach(con):
    rows = queries.sensitive_actions(con, principal_arn=API.arn).set_index("action")
    assert rows["reach"].to_dict() == {"dynamodb:GetItem": "surely", "kms:Decrypt": "maybe"}
    assert queries.sensitive_actions(con, principal_arn=GHOST.arn).empty


def test_days_are_the_window_and_their_calls_are_those_of_the_identity(con):
    days = queries.identity_days(con, principal_arn=DEPLOY.arn, window_days=90)
    assert len(days) == 90
    assert days["calls"].sum() == sum(calls.count for calls in DEPLOY.calls)
    assert days["denied"].sum() == 6


def test_an_identity_without_a_score_has_none(con):
    assert queries.identity_risk(con, principal_arn=GHOST.arn) is None
    assert queries.identity_trust(con, principal_arn=GHOST.arn) == []
    assert queries.identity_would_lower(con, principal_arn=GHOST.arn) == []


def test_documents_stand_in_the_order_of_a_reader(con):
    documents = queries.policy_documents(con, principal_arn=API.arn)
    assert [document.layer for document in documents][:3] == ["identity", "boundary", "trust"]
    assert [document.name for document in documents][:2] == ["work", "app-boundary"]
    of_its_account = queries.policy_documents(con, principal_arn=GHOST.arn)
    assert {document.layer for document in of_its_account} == {"scp"}


@pytest.mark.parametrize(
    ("mark", "layers"),
    [
        ("kms:Decrypt", {"identity": {1}, "boundary": {0}}),
        ("dynamodb:GetItem", {"identity": {0}, "boundary": {0}}),
        ("trust:0", {"trust": {0}}),
        ("trust:9", {}),
        ("ec2:RunInstances", {}),
        ("no such", {}),
    ],
)
def test_a_mark_finds_the_deciding_statements_of_every_layer(con, mark, layers):
    marks = queries.marked_statements(con, principal_arn=API.arn, mark=mark)
    found = {key.split()[0]: set(numbers) for key, numbers in marks.items() if not key.startswith("scp")}
    assert found == layers


def test_items_come_in_the_order_of_the_list_and_are_counted_by_kind_and_proof(con):
    counts = queries.item_counts(con, filters=ALL)
    rows = queries.items(con, filters=ALL)
    assert len(rows) == counts.everything == sum(counts.kinds.values())
    assert list(rows["rank"]) == sorted(rows["rank"])
    for proof, count in counts.proofs.items():
        assert len(queries.items(con, filters=ALL, proof=proof)) == count
    for kind, count in counts.kinds.items():
        assert (
            len(queries.items(con, filters=ALL, kind=kind))
            == count
            == queries.item_counts(con, filters=ALL, kind=kind).everything
        )


def test_items_follow_account_owner_and_words(con):
    assert set(queries.items(con, filters=Filters(90, account_id=PROD))["account_id"]) == {PROD}
    assert set(queries.items(con, filters=Filters(90, search="platform"))["owner"]) == {"platform"}
    found = queries.items(con, filters=Filters(90, search="dormant-admin"))
    assert set(found["principal_arn"]) == {DORMANT.arn}
    assert queries.items(con, filters=Filters(90, search="%")).empty


def test_an_item_is_found_by_its_id_alone(con):
    first = queries.items(con, filters=ALL, limit=1).iloc[0]
    item = queries.item(con, item_id=first["item_id"])
    assert item["title"] == first["title"]
    assert any(line.startswith("aws iam ") for line in item["commands"])
    assert queries.item(con, item_id="none") is None


def test_nothing_proven_is_not_the_same_as_nothing_broken(con):
    proven = queries.items(con, filters=Filters(90, account_id=PROD), proof=Proof.BREAKS_NOTHING)
    unknown = queries.items(con, filters=Filters(90, account_id=PROD), proof=Proof.NOT_PROVEN)
    assert set(proven["calls_broken"]) == {0}
    assert unknown["calls_broken"].isna().all()
    assert not set(proven["item_id"]) & set(unknown["item_id"])


statements = st.lists(
    st.fixed_dictionaries({"Effect": st.sampled_from(["Allow", "Deny"]), "Action": st.text(max_size=9)}), max_size=6
)
documents = st.one_of(
    st.fixed_dictionaries({"Version": st.just("2012-10-17"), "Statement": statements}),
    st.fixed_dictionaries({"Statement": statements.filter(len).map(lambda found: found[0]), "Id": st.text(max_size=5)}),
)


@given(documents, st.sets(st.integers(0, 7)))
def test_the_pieces_of_a_document_in_a_row_are_the_document(document, marked):
    cut = pieces(document, marked)
    whole = json.loads("\n".join(lines for _number, lines in cut))
    listed = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    assert whole == document | {"Statement": listed}
    assert [number for number, _lines in cut if number is not None] == sorted(marked & set(range(len(listed))))
    for number, lines in cut:
        if number is not None:
            assert json.loads(lines.rstrip(",")) == listed[number]


points = st.fixed_dictionaries({factor.name: st.floats(0, factor.most) for factor in factors.FACTORS})


@given(points, st.floats(0, 40))
def test_the_bar_is_as_long_as_the_score(points, floor):
    import base64
    import re

    svg = base64.b64decode(factors.bar(points, floor).partition(",")[2]).decode()
    parts = [
        (float(x), float(width)) for x, width in re.findall(r'<rect x="([\d.]+)" y="2(?:\.5)?" width="([\d.]+)"', svg)
    ]
    end = max((x + width for x, width in parts), default=0.0)
    length = (sum(points.values()) + floor) * factors.WIDTH / 100
    assert end == pytest.approx(length, abs=1.6)
    assert all(width >= 0 for _x, width in parts)
