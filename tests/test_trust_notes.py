"""Trust beyond one statement: chains, confused deputies, control policies, keys and passwords, and narrowing."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from analytics.findings.trust import credentials as trust_credentials
from analytics.findings.trust import words as trust_words
from analytics.findings.trust.facts import services
from analytics.findings.trust.parties import narrowed_trust, trusted_parties
from analytics.findings.trust.values import EXTERNAL_CLASSES, TrustedParty, exposure_rank
from analytics.sources.snapshot_values import AccessKey, Credentials
from tests import trust_world as world
from tests.trust_world import HOME, MANAGEMENT, STRANGER, VENDOR, allow, only_own_organization, root, trust, when

if TYPE_CHECKING:
    from analytics.findings.estate import Subject

TODAY = datetime.combine(world.estate().window_end, time.max)  # ages are counted to it
OTHER = f"arn:aws:iam::{HOME}:role/other"
USER = f"arn:aws:iam::{HOME}:user/eve"


def ways(one: Subject, *others: Subject) -> tuple[TrustedParty, ...]:
    return trusted_parties(one, world.estate([one, *others]))


def notes(one: Subject, *others: Subject) -> str:
    return " | ".join(note for way in ways(one, *others) for note in way.notes)


# --- a service that others can make act


DEPUTY = next(name for name, fact in services().items() if fact.confused_deputy)


def test_a_service_that_anyone_can_make_act_is_a_confused_deputy_until_a_source_is_asked_for() -> None:
    open_to_all = world.subject(document=trust(allow({"Service": DEPUTY})))
    asked = when(StringEquals={"aws:SourceAccount": HOME})
    pinned = world.subject(document=trust(allow({"Service": DEPUTY}, **asked)))
    assert trust_words.CONFUSED_DEPUTY in notes(open_to_all)
    assert trust_words.CONFUSED_DEPUTY not in notes(pinned)


# --- roles behind roles


def test_a_role_that_trusts_a_role_says_so_and_to_whom_that_one_is_open() -> None:
    first = world.subject(OTHER, trust(allow(root(STRANGER))))
    second = world.subject(document=trust(allow(OTHER)))
    told = notes(second, first)
    assert trust_words.CHAINED.format(arn=OTHER) in told
    assert trust_words.CHAINED_FROM.format(arn=OTHER, whom=trust_words.CLASS_WORDS["unknown_account"]) in told
    assert ways(second, first)[0].trust_class == "same_account"


def test_roles_that_trust_each_other_come_to_an_end() -> None:
    first = world.subject(OTHER, trust(allow(world.ROLE)))
    second = world.subject(document=trust(allow(OTHER)))
    assert [way.trust_class for way in ways(second, first)] == ["same_account"]


# --- accounts and their organisation


def test_the_management_account_is_named_as_such() -> None:
    (way,) = ways(world.subject(document=trust(allow(root(MANAGEMENT)))))
    assert way.trust_class == "organization"
    assert way.name == "headquarters (management account)"


def test_a_vendor_has_its_name() -> None:
    (way,) = ways(world.subject(document=trust(allow(root(VENDOR)))))
    assert (way.trust_class, way.name) == ("vendor", "Datadog")


@pytest.mark.parametrize("outsider", ["*", root(STRANGER), root(VENDOR)])
def test_an_rcp_for_the_organisation_keeps_outsiders_out(outsider: str) -> None:
    document = trust(allow(outsider))
    open_role = world.subject(document=document)
    guarded = world.subject(document=document, levels=world.rcps([only_own_organization()]))
    assert ways(open_role)[0].trust_class in EXTERNAL_CLASSES
    after = ways(guarded)[0]
    assert exposure_rank(after.trust_class) >= exposure_rank("organization")


def test_an_rcp_that_spares_an_account_leaves_that_one_in() -> None:
    spared = only_own_organization() | {
        "Condition": {
            "StringNotEqualsIfExists": {"aws:PrincipalOrgID": world.ORGANIZATION, "aws:PrincipalAccount": VENDOR},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        }
    }
    document = trust(allow([root(VENDOR), root(STRANGER)]))
    found = {
        way.account_id: way.trust_class for way in ways(world.subject(document=document, levels=world.rcps([spared])))
    }
    assert found == {VENDOR: "vendor", STRANGER: "organization"}  # the stranger only while its account is a member


def test_a_trust_policy_that_could_not_be_read_is_open_to_anyone() -> None:
    (way,) = ways(world.subject())
    assert (way.trust_class, way.surely, way.notes) == ("anyone", False, (trust_words.UNREADABLE,))


# --- keys and passwords


def key(days: int | None, *, active: bool = True) -> AccessKey:
    return AccessKey(active, None if days is None else TODAY - timedelta(days=days), None, None, None)


def credentials(*keys: AccessKey, password: bool | None = False, mfa: bool | None = True) -> Credentials:
    return Credentials(password, None, None, mfa, keys)


@pytest.mark.parametrize(
    ("known", "classes"),
    [
        (credentials(key(10)), ["user_key"]),
        (credentials(key(90)), ["user_key"]),
        (credentials(key(91)), ["user_old_key"]),
        (credentials(key(91), mfa=False), ["user_old_key_no_mfa"]),
        (credentials(key(91), mfa=None), ["user_old_key_no_mfa"]),
        (credentials(key(None)), ["user_old_key"]),
        (credentials(key(900, active=False)), ["nobody"]),
        (credentials(key(10), key(400)), ["user_old_key", "user_key"]),
        (credentials(password=True), ["console_mfa"]),
        (credentials(password=True, mfa=False), ["console_no_mfa"]),
        (credentials(password=None, mfa=None), ["console_no_mfa"]),
        (credentials(), ["nobody"]),
        (None, ["user_old_key_no_mfa"]),
    ],
)
def test_keys_and_passwords_at_their_worst_where_the_report_does_not_tell(
    known: Credentials | None, classes: list[str]
) -> None:
    assert [way.trust_class for way in ways(world.subject(USER, credentials=known))] == classes


def test_what_had_to_be_assumed_is_said_and_makes_it_unsure() -> None:
    (way,) = ways(world.subject(USER, credentials=credentials(key(None), mfa=None)))
    assert not way.surely
    assert {trust_credentials.AGE_UNKNOWN, trust_credentials.MFA_UNKNOWN} <= set(way.notes)
    (way,) = ways(world.subject(USER))
    assert (way.surely, way.notes) == (False, (trust_credentials.NOT_COLLECTED,))


# --- the document without some parties


def test_a_narrowed_document_drops_these_parties_and_nothing_else() -> None:
    document = trust(
        allow([root(VENDOR), root(STRANGER)], **when(StringEquals={"sts:ExternalId": "x"})),
        allow({"Service": "ec2.amazonaws.com"}),
    )
    one = world.subject(document=document)
    gone = [way for way in ways(one) if way.account_id == STRANGER]
    left = narrowed_trust(one, gone)
    assert left is not None
    assert left.statements[0].condition == document.statements[0].condition
    after = ways(world.subject(document=left))
    assert {way.party for way in after} == {way.party for way in ways(one)} - {root(STRANGER)}


def test_there_is_nothing_to_narrow_where_nobody_would_be_left_or_nobody_goes() -> None:
    one = world.subject(document=trust(allow(root(STRANGER))))
    assert narrowed_trust(one, ways(one)) is None
    assert narrowed_trust(one, []) is None
    assert narrowed_trust(world.subject(), ways(one)) is None
