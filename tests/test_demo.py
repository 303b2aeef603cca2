"""The sample organisation: as large, as regular and as consistent as a real one."""

import filecmp
import functools
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest

from analytics.demo import days_until
from analytics.demo.calls import load_calls
from analytics.demo.company import Company
from analytics.demo.model import Calendar
from analytics.demo.rhythm import quarter_starts
from analytics.demo.world import make_world
from analytics.engine.reach import Reachable
from analytics.iam.catalogue import load_catalogue
from analytics.iam.names import PrincipalKind
from analytics.sources.resolve import Outcome, Resolver
from analytics.sources.snapshot import read_snapshot
from tests.demo_sample import SEED, UNTIL, sample

PROJECT = Path(__file__).resolve().parent.parent


@functools.cache
def snapshot(name="snapshot"):
    return read_snapshot(sample().folder / name)


def rows(query, **values):
    con = duckdb.connect()
    con.execute(f"create view events as select * from read_parquet('{sample().events}', hive_partitioning = true)")
    return con.execute(query, values or None).fetchall()


def one(query, **values):
    return rows(query, **values)[0][0]


CALLER = "coalesce(useridentity.sessioncontext.sessionissuer.arn, useridentity.arn)"


def test_the_sample_is_as_large_as_the_company():
    identities = Counter(identity.kind for identity in snapshot().identities)
    assert identities[PrincipalKind.ROLE] + identities[PrincipalKind.SSO_ROLE] >= 250
    assert identities[PrincipalKind.USER] == 40
    assert 12 <= len(snapshot().accounts) <= 14
    assert one("select count(*) from events") >= 300_000
    assert one("select count(distinct date) from events") == 120
    assert one("select max(date) from events") == UNTIL


def test_the_snapshot_reads_without_a_problem():
    assert snapshot().problems == ()
    assert snapshot("snapshot-earlier").problems == ()
    assert snapshot().from_reference == ()
    assert {account.name for account in snapshot().accounts if account.collected != "ok"} == {"parcelkite-production"}


def test_every_organisational_unit_has_its_place():
    paths = {account.name: account.ou_path for account in snapshot().accounts}
    assert paths["payments-prod"] == "Root/Prod/Payments"
    assert {path.split("/")[1] for path in paths.values() if "/" in path} == {
        "Prod", "NonProd", "Security", "Sandbox", "Onboarding"
    }  # fmt: skip


def test_another_seed_is_another_company_of_the_same_shape():
    here, there = make_world(1, UNTIL), make_world(2, UNTIL)
    assert {a.account_id for a in here.company.accounts}.isdisjoint({a.account_id for a in there.company.accounts})
    assert len(here.identities) == len(there.identities)


@pytest.mark.slow
def test_seed_and_last_day_decide_every_byte(tmp_path):
    code = (
        "import sys; from pathlib import Path; from datetime import date; from analytics.demo import make_sample\n"
        f"make_sample(Path(sys.argv[1]), seed={SEED}, until=date.fromisoformat({UNTIL.isoformat()!r}))"
    )
    environment = {"PYTHONHASHSEED": "4711", "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=PROJECT, env=environment)
    again = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    known = [p.relative_to(sample().folder) for p in sample().folder.rglob("*") if p.is_file()]
    assert again == sorted(path for path in known if path.parts[0] != "store")
    same, different, failed = filecmp.cmpfiles(sample().folder, tmp_path, map(str, again), shallow=False)
    assert (different, failed) == ([], [])
    assert len(same) == len(again)


def test_a_sample_replaces_the_one_before_it(tmp_path):
    stale = tmp_path / "events" / "date=1999-01-01"
    stale.mkdir(parents=True)
    (stale / "part-00000.parquet").write_bytes(b"old")
    events = sample().folder / "events"
    assert len(days_until(events, date(2026, 10, 21))) == 90
    assert days_until(events, UNTIL)[-1].name == f"date={UNTIL}"


def test_a_quarter_begins_in_every_activity():
    for month in range(1, 13):
        assert quarter_starts(Calendar(date(2026, month, 28)))


# Rhythm


def test_people_work_on_weekdays_and_in_office_hours():
    people = "useridentity.sessioncontext.sessionissuer.arn like '%AWSReservedSSO%'"
    weekday, weekend = rows(f"""
        select count(*) filter (isodow(date) <= 5) / 5, count(*) filter (isodow(date) > 5) / 2
        from events where {people} and errorcode is null
    """)[0]
    assert weekend < weekday / 10
    at_night = one(
        f"select count(*) filter (substr(eventtime, 12, 2)::int not between 6 and 19) / count(*) from events where {people}"
    )
    assert at_night < 0.05


def test_machines_never_sleep_and_shoppers_come_in_the_evening():
    hours = dict(
        rows("""
            select substr(eventtime, 12, 2)::int, count(*) from events
            where useridentity.sessioncontext.sessionissuer.arn like '%:role/workload/storefront-web-frontend-task' group by all
        """)
    )
    assert set(hours) == set(range(24))
    assert hours[20] > 2 * hours[4]


def test_there_are_more_calls_on_a_working_day_than_on_a_sunday():
    by_day = dict(rows("select isodow(date), count(*) / count(distinct date) from events group by all"))
    assert by_day[2] > 1.5 * by_day[7]


# Records


def test_every_text_of_json_is_json():
    for column in ("requestparameters", "responseelements", "additionaleventdata", "serviceeventdetails"):
        assert one(f"select count(*) from events where {column} is not null and not json_valid({column})") == 0


def test_ids_are_unique_and_both_records_of_a_shared_call_have_one_request():
    assert one("select count(*) - count(distinct eventid) from events") == 0
    pairs = rows("""
        select count(*), count(distinct requestid), count(distinct recipientaccountid), count(distinct eventtime)
        from events where sharedeventid is not null group by sharedeventid
    """)
    kinds = Counter(pairs)
    assert set(kinds) <= {(1, 1, 1, 1), (2, 1, 2, 1)}
    assert kinds[2, 1, 2, 1] > 1000


def test_the_resource_owner_sees_the_caller_by_its_unique_id_only():
    assert (
        one("select count(*) from events where useridentity.type = 'AWSAccount' and useridentity.arn is not null") == 0
    )
    unknown = rows("""
        select distinct split_part(useridentity.principalid, ':', 1) from events
        where useridentity.type = 'AWSAccount' and useridentity.accountid in (select distinct recipientaccountid from events)
    """)
    known = {identity.unique_id for identity in snapshot().identities}
    assert {name for (name,) in unknown} <= known


def test_a_session_is_that_of_its_issuer():
    assert (
        one("""
            select count(*) from events where useridentity.type = 'AssumedRole' and not (
                useridentity.sessioncontext.sessionissuer.accountid = useridentity.accountid
                and useridentity.arn = concat(
                    'arn:aws:sts::', useridentity.accountid, ':assumed-role/', useridentity.sessioncontext.sessionissuer.username,
                    '/', split_part(useridentity.principalid, ':', 2))
                and useridentity.sessioncontext.attributes.creationdate <= eventtime)
        """)
        == 0
    )


def test_keys_of_roles_were_handed_out_before_they_are_used():
    """Only service-linked roles, and the account whose trail knows no read-only events, begin without a record."""
    never_given = rows("""
        with given as (
            select distinct responseelements ->> '$.credentials.accessKeyId' as key from events where eventname like 'AssumeRole%'
        )
        select distinct useridentity.sessioncontext.sessionissuer.arn from events
        where useridentity.type = 'AssumedRole' and useridentity.accesskeyid not in (from given where key is not null)
    """)
    assert never_given
    for (arn,) in never_given:
        assert ":role/aws-service-role/" in arn or ":role/pk-" in arn


def test_every_event_is_known_to_the_resolver():
    resolver = Resolver.load(load_catalogue())
    unknown = [
        (source, name)
        for source, name, kind in rows("select distinct eventsource, eventname, eventtype from events")
        if resolver.resolve(source, name, kind).outcome is Outcome.UNRESOLVED
    ]
    assert unknown == []


def test_the_trails_record_what_they_say():
    accounts = {account.account_id: account for account in snapshot().accounts}
    seen = rows("""
        select recipientaccountid, eventcategory, list_distinct(flatten(list([r.type for r in resources])))
        from events where useridentity.type <> 'AWSAccount' group by all
    """)
    for account_id, category, types in seen:
        logging = snapshot().logging_of(account_id)
        if category == "Data" and logging is not None:
            assert set(types) - {"AWS::S3::Bucket"} <= set(logging.data_event_types), accounts[account_id].name
    names = {account.name: account.account_id for account in snapshot().accounts}
    kms = dict(
        rows("select recipientaccountid, count(*) from events where eventsource = 'kms.amazonaws.com' group by all")
    )
    assert names["sandbox-engineering"] not in kms
    assert names["storefront-prod"] in kms
    reads = dict(rows("select recipientaccountid, count(*) from events where readonly = 'true' group by all"))
    assert names["parcelkite-production"] not in reads


def test_last_used_in_the_snapshot_is_the_last_record():
    latest = dict(
        rows(f"""
            select {CALLER}, max(eventtime) from events
            where useridentity.type = 'AssumedRole' and useridentity.sessioncontext.sessionissuer.arn is not null group by all
        """)
    )
    checked = 0
    for identity in snapshot().identities:
        if identity.arn in latest and identity.last_used is not None:
            assert f"{identity.last_used:%Y-%m-%dT%H:%M}" >= latest[identity.arn][:16]
            checked += 1
    assert checked > 200


# Permissions


@functools.cache
def reachable():
    return Reachable(load_catalogue())


def action_numbers(source, name, kind):
    resolution = Resolver.load(load_catalogue()).resolve(source, name, kind)
    catalogue = load_catalogue()
    return [catalogue.number(action) for action in resolution.all], [
        catalogue.number(action) for action in resolution.any
    ]


@pytest.mark.slow
def test_every_call_that_succeeded_was_permitted():
    """By the policies of today; an identity that changed may have acted under the earlier ones."""
    found = rows(f"""
        select {CALLER}, eventsource, eventname, eventtype, count(*) from events
        where useridentity.type in ('AssumedRole', 'IAMUser') and errorcode is null group by all
    """)
    stacks = {}
    for name in ("snapshot", "snapshot-earlier"):
        for identity in snapshot(name).identities:
            stacks.setdefault(identity.arn, []).append(snapshot(name).stack_of(identity))
    beyond, judged = [], 0
    for arn, source, name, kind, calls in found:
        if arn not in stacks:
            assert "/pk-" in arn or arn.endswith(("user/ola.svendsen", "role/lb-order-mailer-fn")), arn
            continue
        every, some = action_numbers(source, name, kind)
        reaches = [reachable().of(stack).maybe for stack in stacks[arn]]
        fits = any(all(r >> n & 1 for n in every) and (not some or any(r >> n & 1 for n in some)) for r in reaches)
        judged += calls
        if not fits:
            beyond.append((arn, source, name, calls))
    assert beyond == []
    assert judged > 250_000


MESSAGE = re.compile(
    r"^(?:You are not authorized to perform this operation\. )?User: (?P<user>\S+) is not authorized to perform: (?P<action>[\w-]+:\w+)"
    r"(?: on resource: (?P<resource>\S+))?"
    r"(?: (?:because no (?P<implicit>[\w -]+?) allows the (?P<again>[\w-]+:\w+) action|with an explicit deny in an? (?P<explicit>[\w -]+)))?"
    r"(?:\. Encoded authorization failure message: (?P<encoded>[\w-]+))?$"
)
LAYERS = {
    "identity-based policy": "identity",
    "permissions boundary": "boundary",
    "service control policy": "scp",
    "resource control policy": "rcp",
    "resource-based policy": "resource",
    "session policy": "session",
    "VPC endpoint policy": "endpoint",
}
REFUSED = "(errorcode like '%AccessDenied%' or errorcode like '%UnauthorizedOperation%')"


def denials():
    """Caller, event, layer, whether explicit, of every distinct refusal."""
    found = Counter()
    for caller, source, event, kind, day, message, calls in rows(f"""
        select {CALLER}, eventsource, eventname, eventtype, date, errormessage, count(*) from events
        where {REFUSED} and useridentity.type <> 'AWSAccount' group by all
    """):
        match = MESSAGE.match(message)
        assert match, message
        layer = LAYERS.get(match["implicit"] or match["explicit"] or "")
        found[caller, match["action"], layer, match["explicit"] is not None, (source, event, kind), day] += calls
    return found


def test_refusals_have_aws_s_words_and_every_layer_refuses_somebody():
    seen = Counter()
    for (_, _, layer, explicit, _, _), calls in denials().items():
        seen[layer, explicit] += calls
    outside = rows(f"select errormessage from events where {REFUSED} and useridentity.type = 'AWSAccount'")
    assert any("resource control policy" in message for (message,) in outside)
    assert set(seen) >= {
        ("identity", False), ("identity", True), ("boundary", False), ("boundary", True), ("scp", False), ("scp", True),
        ("resource", False), ("session", False), ("endpoint", False), (None, False),
    }  # fmt: skip


def test_the_action_in_a_refusal_is_that_of_its_event():
    catalogue = load_catalogue()
    for _, action, _, _, event, _ in denials():
        every, some = action_numbers(*event)
        assert not every + some or catalogue.number(action) in every + some


def test_the_layer_that_a_refusal_names_does_refuse():
    """An implicit deny: the layers before allow, this one does not. An explicit one: a statement of that layer denies."""
    stacks = {}
    for name in ("snapshot", "snapshot-earlier"):
        for identity in snapshot(name).identities:
            stacks.setdefault(identity.arn, []).append(snapshot(name).stack_of(identity))
    wrong, judged = [], Counter()
    for caller, action, layer, explicit, _, day in denials():
        if layer not in {"identity", "boundary", "scp"}:
            continue
        judged[layer, explicit] += 1
        if not any(refuses(stack, action, layer, explicit=explicit) for stack in stacks[caller]):
            wrong.append((caller, action, layer, explicit, day))
    assert wrong == []
    assert min(judged.values()) > 0
    assert len(judged) == 6


def refuses(stack, action, layer, *, explicit):
    if explicit:
        return layer in {ref.layer for ref in reachable().denied_by(stack, action)}
    granting = {ref.layer for ref in reachable().granted_by(stack, action)}
    granted = "identity" in granting
    if layer == "identity":
        return not granted
    number = load_catalogue().number(action)
    return granted and not reachable().of(stack).maybe >> number & 1


# History


def records(event, identity):
    """Request parameters of successful calls of that name that name the identity."""
    found = rows(
        f"select requestparameters, date from events where eventname = '{event}' and errorcode is null order by eventtime"
    )
    parsed = [(json.loads(text), day) for text, day in found]
    return [(request, day) for request, day in parsed if identity in request.values()]


def identity_named(name, which="snapshot"):
    return next(identity for identity in snapshot(which).identities if identity.name == name)


def dump_role(name, which="snapshot"):
    for path in sorted((sample().folder / which / "accounts").glob("*/authorization-details.json")):
        for role in json.loads(path.read_text("utf-8"))["RoleDetailList"]:
            if role["RoleName"] == name:
                return role
    raise AssertionError(name)


def test_a_removed_boundary_is_there_a_month_ago_and_gone_today():
    ((_, day),) = records("DeleteRolePermissionsBoundary", "payments-checkout-api-task")
    assert (UNTIL - day).days < 30
    assert identity_named("payments-checkout-api-task").boundary_arn is None
    assert identity_named("payments-checkout-api-task", "snapshot-earlier").boundary_arn.endswith(
        "ardenly-workload-boundary"
    )


def test_a_trust_policy_in_the_log_is_the_one_in_the_snapshot():
    ((request, _),) = records("UpdateAssumeRolePolicy", "wms-vendor-access")
    assert json.loads(request["policyDocument"]) == dump_role("wms-vendor-access")["AssumeRolePolicyDocument"]
    earlier = dump_role("wms-vendor-access", "snapshot-earlier")["AssumeRolePolicyDocument"]
    assert "sts:ExternalId" in json.dumps(earlier)
    assert "sts:ExternalId" not in request["policyDocument"]


def test_an_inline_policy_in_the_log_is_the_one_in_the_snapshot():
    role = dump_role("promotions-engine-prod-eu-west-1-lambdaRole")
    ((request, _),) = records("PutRolePolicy", role["RoleName"])
    assert json.loads(request["policyDocument"]) == role["RolePolicyList"][0]["PolicyDocument"]
    earlier = reachable().of(
        snapshot("snapshot-earlier").stack_of(identity_named(role["RoleName"], "snapshot-earlier"))
    )
    today = reachable().of(snapshot().stack_of(identity_named(role["RoleName"])))
    assert today.maybe != earlier.maybe
    assert today.maybe | earlier.maybe == earlier.maybe


def test_a_new_role_is_created_in_the_log_and_missing_in_the_earlier_snapshot():
    role = dump_role("payments-instant-refunds-fn")
    ((request, day),) = records("CreateRole", role["RoleName"])
    assert json.loads(request["assumeRolePolicyDocument"]) == role["AssumeRolePolicyDocument"]
    assert request["permissionsBoundary"] == role["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert role["CreateDate"].startswith(day.isoformat())
    assert role["RoleName"] not in {identity.name for identity in snapshot("snapshot-earlier").identities}
    response = one(
        "select responseelements from events where eventname = 'CreateRole' and errorcode is null order by eventtime limit 1"
    )
    assert (
        json.loads(unquote(json.loads(response)["role"]["assumeRolePolicyDocument"]))
        == role["AssumeRolePolicyDocument"]
    )


def test_a_detached_control_policy_is_attached_a_month_ago_only():
    ((request, _),) = records("DetachPolicy", Company.of(SEED).unit_id("NonProd"))
    account_id = Company.of(SEED).account("payments-staging").account_id

    def attached(which):
        levels = snapshot(which).organization.scp_levels(account_id)
        return {policy.name for level in levels for policy in level.policies}

    assert "ardenly-protect-detection" in attached("snapshot-earlier")
    assert "ardenly-protect-detection" not in attached("snapshot")
    assert request["policyId"].startswith("p-")


def test_a_deleted_role_is_in_the_log_until_its_last_day():
    ((_, day),) = records("DeleteRole", "lb-order-mailer-fn")
    last = one(
        "select max(date) from events where useridentity.sessioncontext.sessionissuer.username = 'lb-order-mailer-fn'"
    )
    assert last <= day
    assert "lb-order-mailer-fn" not in {identity.name for identity in snapshot().identities}


def test_every_call_of_the_table_is_made_by_somebody():
    """A line of calls.json that nobody uses is a line that nobody checks."""
    world = make_world(SEED, UNTIL)
    used = {use.call for identity in (*world.identities, *world.others) for plan in identity.plans for use in plan.uses}
    assert used <= set(load_calls())
