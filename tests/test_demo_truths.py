"""Everything that was planted in the sample is found in its build, and what was planted clean is not."""

from __future__ import annotations

import functools
import json
from datetime import date, datetime
from typing import Any

import pytest

from analytics.engine.reach import Reachable
from analytics.iam.catalogue import load_catalogue
from analytics.iam.names import PrincipalKind
from analytics.iam.stack import NamedPolicy, PolicyStack, PrincipalFacts
from analytics.outputs.stacks import stack_of
from analytics.settings import REFERENCE
from analytics.sources.snapshot import read_snapshot
from tests.builders import allow, document
from tests.demo_sample import UNTIL, built, sample

Truth = dict[str, Any]
WINDOW = "window_days = (select window_days from build)"


@functools.cache
def con():
    return built().connect()


@functools.cache
def snapshot():
    return read_snapshot(sample().folder / "snapshot")


def query(sql: str, **values: Any) -> list[tuple[Any, ...]]:
    """Rows of the build, or of the events themselves where the text says `{events}`."""
    return con().execute(sql.replace("{events}", f"read_parquet('{sample().events}')"), values or None).fetchall()


def one(sql: str, **values: Any) -> Any:
    ((found,),) = query(sql, **values)
    return found


def identity(truth: Truth):
    return next(found for found in snapshot().identities if found.arn == truth["principal_arn"])


def can(arn: str, actions: list[str]) -> set[str]:
    """Those of the actions that the identity may perhaps do."""
    catalogue = load_catalogue()
    maybe = Reachable(catalogue).of(stack_of(con(), arn)).maybe
    return {action for action in actions if maybe & catalogue.mask([action])}


def gap(truth: Truth, column: str, service: str | None = None) -> int:
    where = f"principal_arn = $arn and {WINDOW} and ($service is null or service = $service)"
    return int(
        one(
            f"select coalesce(sum({column}), 0) from gap_service where {where}",
            arn=truth["principal_arn"],
            service=service,
        )
    )


def over_broad(truth: Truth, expect: Truth) -> bool:
    if truth["clean"]:
        return all(gap(truth, name) == value for name, value in expect.items())
    return gap(truth, "granted") >= expect["granted_at_least"] and gap(truth, "used") <= expect["used_at_most"]


def unobserved(truth: Truth, expect: Truth) -> bool:
    service = expect["service"]
    known = all(gap(truth, name, service) == value for name, value in expect.items() if name != "service")
    return (
        known
        and (gap(truth, "granted", service) > 0)
        and ((gap(truth, "unobserved", service) > 0) is not truth["clean"])
    )


def dormant(truth: Truth, expect: Truth) -> bool:
    last = one("select last_used::date from principals where principal_arn = $arn", arn=truth["principal_arn"])
    everything = gap(truth, "granted") > 15_000
    days = (UNTIL - last).days if last else 10_000
    if ("remove-dormant" in items_of(truth)) is truth["clean"] or risk_of(truth, "administrator") != ("surely",):
        return False
    if truth["clean"]:
        return everything and days <= expect["used_within_days"]
    return everything and days >= expect["last_used_days_ago_at_least"] and gap(truth, "calls") == 0


def items_of(truth: Truth) -> set[str]:
    """Kinds of the identity's items in the remediation list."""
    rows = query("select kind from remediation where principal_arn = $arn", arn=truth["principal_arn"])
    return {kind for (kind,) in rows}


def paths_by(truth: Truth, actions: list[str]) -> set[tuple[str, bool, str]]:
    """Category, certainty and target of the identity's escalation paths that need any of the actions."""
    rows = query(
        "select category, surely, target from escalation"
        " where principal_arn = $arn and list_has_any(actions::varchar[], $actions)",
        arn=truth["principal_arn"],
        actions=actions,
    )
    return set(rows)


def risk_of(truth: Truth, columns: str) -> tuple[Any, ...]:
    """Columns of the identity's row of `risk`."""
    (row,) = query(f"select {columns} from risk where principal_arn = $arn", arn=truth["principal_arn"])
    return row


def parties(truth: Truth, where: str) -> list[tuple[Any, ...]]:
    """Trust class and seen calls of the ways to become the identity that fit."""
    return query(
        f"select trust_class, seen_calls from trust where principal_arn = $arn and {where}", arn=truth["principal_arn"]
    )


def shadow(truth: Truth, expect: Truth) -> bool:
    """Its actions, and that the score calls it an administrator."""
    score, administrator = risk_of(truth, "score, administrator")
    is_one = administrator == "surely" and score >= 50
    escalates = ("self-escalation", True, "administrator") in paths_by(truth, ["iam:PutRolePolicy"])
    return may(truth, expect) and is_one is escalates is not truth["clean"]


def way_out(truth: Truth, expect: Truth) -> bool:
    """It may take off its own boundary, and that leads to everything; for the clean one no path starts so."""
    found = paths_by(truth, ["iam:DeleteRolePermissionsBoundary"])
    bounded = one(
        "select boundary_arn is not null from principals where principal_arn = $arn", arn=truth["principal_arn"]
    )
    leads = ("self-escalation", True, "administrator") in found
    return may(truth, expect) and bounded and leads is bool(found) is not truth["clean"]


def may(truth: Truth, expect: Truth) -> bool:
    if truth["clean"]:
        return can(truth["principal_arn"], expect["missing"]) == set()
    return can(truth["principal_arn"], expect["actions"]) == set(expect["actions"])


def key_age(truth: Truth, expect: Truth) -> bool:
    credentials = identity(truth).credentials
    ages = [(UNTIL - key.created.date()).days for key in credentials.access_keys if key.active]
    classes = {found for found, _seen in parties(truth, "kind = 'access_key'")}
    if bool({"rotate-key", "delete-key"} & items_of(truth)) is truth["clean"]:
        return False
    if truth["clean"]:
        return max(ages) <= expect["key_age_days_at_most"] and classes <= {"user_key", "nobody"}
    if "user_old_key_no_mfa" not in classes or risk_of(truth, "trust_class") != ("user_old_key_no_mfa",):
        return False
    return max(ages) >= expect["key_age_days_at_least"] and credentials.mfa_active is expect["mfa"]


def _trust_of(truth: Truth) -> list[Any]:
    return list(identity(truth).trust.statements)


def unused_trust(truth: Truth, expect: Truth) -> bool:
    trusted = expect["trusted_account"]
    named = any(trusted in entry for statement in _trust_of(truth) for entry in statement.principal.aws)
    assumed = one(
        "select count(*) from {events} where eventname = 'AssumeRole' and errorcode is null"
        " and useridentity.accountid = $account and requestparameters ->> '$.roleArn' = $arn",
        account=trusted, arn=truth["principal_arn"],
    )  # fmt: skip
    seen = [calls for _class, calls in parties(truth, f"party_account_id = '{trusted}'")]
    shown = all(calls >= expect["assumed_at_least"] if truth["clean"] else calls == 0 for calls in seen)
    removed = bool({"narrow-trust", "remove-dormant"} & items_of(truth))
    return (
        named
        and bool(seen)
        and shown
        and removed is not truth["clean"]
        and (assumed >= expect["assumed_at_least"] if truth["clean"] else assumed == expect["assumed"])
    )


def external_id(truth: Truth, expect: Truth) -> bool:
    listed = (REFERENCE / "known_accounts.csv").read_text("utf-8").splitlines()
    vendors = {line.split(",", 1)[0] for line in listed}
    trusted = expect["trusted_account"]
    statements = [one for one in _trust_of(truth) if any(trusted in entry for entry in one.principal.aws)]
    pinned = all(any(c.key.lower() == "sts:externalid" for c in statement.condition) for statement in statements)
    classes = {found for found, _seen in parties(truth, f"party_account_id = '{trusted}'")}
    expected = {"vendor_external_id"} if truth["clean"] else {"unknown_account"}
    return (
        classes == expected
        and bool(statements)
        and pinned is truth["clean"]
        and (trusted in vendors) is expect["known"]
    )


def oidc_subject(truth: Truth, expect: Truth) -> bool:
    subjects = {
        value
        for statement in _trust_of(truth)
        for condition in statement.condition
        if condition.key.endswith(":sub")
        for value in condition.values
    }
    # A shared issuer signs for strangers: who names the owner first has pinned it, whatever the rest leaves open.
    expected, told = LETS_IN[expect["lets_in"]]
    ((trust_class, notes),) = query(
        "select trust_class, notes::varchar from trust where principal_arn = $arn and kind = 'oidc'",
        arn=truth["principal_arn"],
    )
    wild = "*" in expect["subject"]
    return subjects == {expect["subject"]} and wild is not truth["clean"] and (trust_class, told in notes) == (
        expected, True,
    )  # fmt: skip


LETS_IN = {  # class of trust, and what its notes say
    "anyone": ("oidc_any_subject", "every customer of GitHub Actions can have a token that is let in"),
    "all of its owner": ("oidc_pinned", "leaves open what of its owner may come"),
    "one subject": ("oidc_pinned", "[]"),
}


def guarded(truth: Truth, expect: Truth) -> bool:
    """Whether the control policies alone let an administrator below the node do what the truth names."""
    actions = expect.get("open") or expect["closed"]
    below = [
        account.account_id
        for account in snapshot().accounts
        if truth["node_id"] in f"{snapshot().organization_path(account.account_id)}{account.account_id}"
    ]
    able = [_administrator_can(account_id, actions) for account_id in below]
    wanted = set(actions) if "open" in expect else set()
    return (
        bool(able)
        and all(found == wanted for found in able)
        and _missing(truth["node_id"], actions) == wanted & asked()
    )


def _missing(node_id: str, actions: list[str]) -> set[str]:
    """Those of the actions that some scenario of the matrix is open for at the node, in the layer of SCPs."""
    rows = query(
        "select distinct unnest(missing_actions::varchar[]) from coverage where target = $node and layer = 'scp'"
        " and state in ('gap', 'partial')",
        node=node_id,
    )
    return {action for (action,) in rows} & set(actions)


@functools.cache
def asked() -> set[str]:
    """All actions that the scenarios ask about."""
    return {action for (action,) in query("select distinct unnest(actions::varchar[]) from scenarios")}


def _administrator_can(account_id: str, actions: list[str]) -> set[str]:
    arn = f"arn:aws:iam::{account_id}:role/probe"
    everything = NamedPolicy("administrator", document(allow("*")), attached_to=arn)
    facts = PrincipalFacts(arn, account_id, PrincipalKind.ROLE, tags=())
    stack = PolicyStack(facts, (everything,), scp_levels=snapshot().organization.scp_levels(account_id))
    catalogue = load_catalogue()
    maybe = Reachable(catalogue).of(stack).maybe
    return {action for action in actions if maybe & catalogue.mask([action])}


def exemption(truth: Truth, expect: Truth) -> bool:
    level = "select document from control_levels join policies using (policy_id) where node_id = $node and name = $name"
    documents = {text for (text,) in query(level, node=truth["node_id"], name=expect["policy"])}
    cells = query(
        "select state from coverage where target = $node and layer = 'scp'"
        " and contains(exemptions::varchar, $exemption) and contains(exemptions::varchar, $policy)",
        node=truth["node_id"], exemption=expect["exemption"], policy=expect["policy"],
    )  # fmt: skip
    not_closed = bool(cells) and all(state != "covered" for (state,) in cells)
    return not_closed and len(documents) == 1 and expect["exemption"] in json.dumps(json.loads(documents.pop()))


def allow_list(truth: Truth, expect: Truth) -> bool:
    attached = query("select 1 from control_levels join policies using (policy_id) where node_id = $node and name = $name",
                     node=truth["node_id"], name=expect["policy"])  # fmt: skip
    return bool(attached) and guarded(truth, {"closed": expect["closed"]})


def account(truth: Truth, expect: Truth) -> bool:
    names = [name for name in expect if name != "unit"]
    ((*found, ou_path),) = query(
        f"select {', '.join(names)}, ou_path from accounts where account_id = $account", account=truth["account_id"]
    )
    states = query("select distinct state from coverage where target = $account and layer = 'boundary'",
                   account=truth["account_id"])  # fmt: skip
    told = ({state for (state,) in states} - {"not_applicable"} == {"unknown"}) is (expect.get("collected") == "failed")
    if truth["kind"] == "uncollected-account" and not told:
        return False
    return found == [expect[name] for name in names] and expect.get("unit", "") in ou_path


def denied(truth: Truth, expect: Truth) -> bool:
    found = one("select denied from principals where principal_arn = $arn", arn=truth["principal_arn"])
    if truth["clean"] or "layer" not in expect:
        return found == expect["denied"]
    words = {"boundary": "%permissions boundary%"}[expect["layer"]]
    named = one(
        "select count(*) from {events} where useridentity.sessioncontext.sessionissuer.arn = $arn and errormessage like $words",
        arn=truth["principal_arn"], words=words,
    )  # fmt: skip
    return found == expect["denied"] == named


def days_of(truth: Truth, expect: Truth) -> bool:
    rows = query("select distinct day from usage where principal_arn = $arn and action = $action and calls > denied order by 1",
                 arn=truth["principal_arn"], action=expect["action"])  # fmt: skip
    days = [day.isoformat() for (day,) in rows]
    return len(days) >= expect["days_at_least"] if truth["clean"] else days == expect["days"]


def counted_once(truth: Truth, expect: Truth) -> bool:
    counted = one("select sum(calls) from usage where principal_arn = $arn and action = $action",
                  arn=truth["principal_arn"], action=expect["action"])  # fmt: skip
    recorded = one(
        "select count(*) from {events} where sharedeventid in (select sharedeventid from {events}"
        " where useridentity.sessioncontext.sessionissuer.arn = $arn) and eventname = 'GetObject'",
        arn=truth["principal_arn"],
    )
    return counted == expect["calls"] and recorded > expect["calls"]


def seen_on(truth: Truth, expect: Truth) -> bool:
    """Calls on that day, and what else is known of them: denials, the address."""
    days = query("select distinct day from usage where principal_arn = $arn", arn=truth["principal_arn"])
    if truth["clean"]:
        return denied(truth, expect)
    if (date.fromisoformat(expect["day"]),) not in days:
        return False
    if "address" in expect:
        refused = one(
            "select count(*) from {events} where useridentity.arn = $arn and sourceipaddress = $address"
            " and errorcode is not null and date = $day",
            arn=truth["principal_arn"], address=expect["address"], day=date.fromisoformat(expect["day"]),
        )  # fmt: skip
        return denied(truth, {"denied": expect["denied"]}) and refused > 0
    return True


def policy_change(truth: Truth, expect: Truth) -> bool:
    named = truth.get("node_id") or truth["principal_arn"].rpartition("/")[2]
    return one(
        "select count(*) from {events} where eventname = $event and date = $day and errorcode is null"
        " and contains(requestparameters, $named)",
        event=expect["event_name"], day=date.fromisoformat(expect["day"]), named=named,
    ) > 0  # fmt: skip


def new(truth: Truth, expect: Truth) -> bool:
    ((is_new, created),) = query(
        "select is_new, created from principals where principal_arn = $arn", arn=truth["principal_arn"]
    )
    if truth["clean"]:
        return not is_new
    return is_new and isinstance(created, datetime) and created.date().isoformat() == expect["created"]


def deleted(truth: Truth, expect: Truth) -> bool:
    ((in_snapshot, last),) = query("select in_snapshot, last_used::date from principals where principal_arn = $arn",
                                   arn=truth["principal_arn"])  # fmt: skip
    return not in_snapshot and last <= date.fromisoformat(expect["day"])


FOUND = {
    "over-broad-role": over_broad,
    "unobserved-service": unobserved,
    "dormant-administrator": dormant,
    "shadow-administrator": shadow,
    "boundary-permits-its-removal": way_out,
    "old-access-key": key_age,
    "unused-trust": unused_trust,
    "vendor-without-external-id": external_id,
    "wildcard-oidc-subject": oidc_subject,
    "scp-gap": guarded,
    "wildcard-exemption": exemption,
    "allow-list": allow_list,
    "uncollected-account": account,
    "misplaced-account": account,
    "blind-trail": account,
    "boundary-hits": denied,
    "quarterly-call": days_of,
    "cross-account-once": counted_once,
    "root-used": seen_on,
    "probing": seen_on,
    "emergency": seen_on,
    "policy-change": policy_change,
    "new-role": new,
    "deleted-role": deleted,
}


def test_every_kind_of_truth_is_looked_for():
    assert {truth["kind"] for truth in sample().read("truths.json")["truths"]} == set(FOUND)


@pytest.mark.parametrize("kind", FOUND)
def test_what_was_planted_is_found_and_what_was_planted_clean_is_not(kind: str):
    truths = [truth for truth in sample().read("truths.json")["truths"] if truth["kind"] == kind]
    wrong = [truth["id"] for truth in truths if not FOUND[kind](truth, truth["expect"])]
    assert wrong == []
