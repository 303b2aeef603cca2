"""The cards of what needs a decision: the first few of each topic, each with a link to the evidence.

Amounts are scores, high-risk weight (of what the topic is about), or for OUTSIDE the number of actions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from analytics.outputs.queries import Quick, Topic
from app_pages.shared import widgets
from app_pages.shared.text import counted, number, plain, span

if TYPE_CHECKING:
    from analytics.outputs.queries import Build, Decision, Filters


class Card(NamedTuple):
    """How a topic is told, and where its links lead."""

    icon: str
    title: str
    why: str
    unit: str
    page: str
    parameter: str
    all_of_them: dict[str, str]


CARDS = {
    Topic.CRITICAL: Card(
        ":material/priority_high:", "Critical",
        "The highest scores: what an attacker would want, and could get. Open one to see what would lower it.",
        "of 100", "identities", "arn", {"only": Quick.CRITICAL},
    ),
    Topic.OPEN: Card(
        ":material/door_open:", "Open to strangers",
        "Anyone, an account that nobody knows, or a web identity of any subject may become it. Is that meant?",
        "of 100", "identities", "arn", {"only": Quick.OPEN},
    ),
    Topic.STEPS: Card(
        ":material/stairs_2:", "A few steps from administrator",
        "No administrator by its policies, but it can become one. Each page draws the way, step by step.",
        "of 100", "identities", "arn", {"only": Quick.ESCALATING},
    ),
    Topic.DORMANT: Card(
        ":material/hotel:", "Dormant, still privileged",
        "No use in the window, by logs or by IAM's last-used date. Confirm with the owner, then remove.",
        "weight", "identities", "arn", {"only": Quick.DORMANT},
    ),
    Topic.BROADEST: Card(
        ":material/expand:", "Broadest gaps",
        "Active identities with the most high-risk privilege that they did not use. Right-size these first.",
        "weight", "heatmap", "arn", {},
    ),
    Topic.NEW: Card(
        ":material/fiber_new:", "New with high-risk privilege",
        "Created inside the window, so judged over a shorter life. Is this much privilege meant?",
        "weight", "identities", "arn", {"only": Quick.NEW},
    ),
    Topic.OUTSIDE: Card(
        ":material/rule:", "Used, but no policy grants it",
        "A resource policy allows it, or the policy changed since. Worth knowing before anything is removed.",
        "actions used", "identities", "arn", {"only": Quick.OUTSIDE},
    ),
    Topic.UNJUDGED: Card(
        ":material/visibility_off:", "Services that cannot be judged",
        "Most of what is granted leaves no trace in this export. Log their data events, or accept the blind spot.",
        "weight", "heatmap", "service", {"by": "Accounts"},
    ),
    Topic.NOT_COLLECTED: Card(
        ":material/cloud_off:", "Accounts not collected",
        "Their identities are known from logs only: grants there are not known. Collect again.",
        "", "health", "", {},
    ),
}  # fmt: skip


def show(found: dict[Topic, tuple[int, list[Decision]]], build: Build, filters: Filters) -> None:
    """Cards in the order of CARDS; one more names the topics without anything to decide."""
    cards = [(topic, card) for topic, card in CARDS.items() if topic in found]
    if not cards:
        widgets.nothing(
            "Nothing here needs a decision.",
            "No dormant, new or over-broad identity in these filters." if filters.narrows else "Well done.",
            icon=":material/task_alt:",
        )
        return
    clear = [card.title for topic, card in CARDS.items() if topic not in found]
    with st.grid(3, gap="small"):
        for topic, card in cards:
            total, items = found[topic]
            with st.container(border=True, height="stretch", gap="xsmall"):
                _card(card, total, items)
        if clear:
            with st.container(border=True, height="stretch", gap="xsmall"):
                if build.has_snapshot:
                    st.markdown(":material/task_alt: **Nothing to decide**")
                else:
                    st.markdown(":material/visibility_off: **Cannot be told without a snapshot**")
                for title in clear:
                    st.caption(title)


def _card(card: Card, total: int, items: list[Decision]) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"{card.icon} **{card.title}**", width="content")
        widgets.link(card.page, f"See all {total:,}", **card.all_of_them)
    st.caption(card.why)
    for item in items:
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="xsmall"
        ):
            if card.parameter == "arn":
                widgets.identity_link(item.key, item.subject, length=26)
            else:
                target = {card.parameter: item.key} if card.parameter else {}
                widgets.link(card.page, span(plain(item.subject, 30)), **target)
            st.caption(_place_and_amount(card, item), width="content")


def _place_and_amount(card: Card, item: Decision) -> str:
    place = counted(item.identities, "identity", "identities") if item.identities else span(plain(item.place, 16))
    amount = "" if item.amount is None else f" · {number(item.amount)} {card.unit}"
    return f"{place}{amount}"
