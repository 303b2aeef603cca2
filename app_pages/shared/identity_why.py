"""Why an identity scores as it does: six bars with the evidence of each, and what would lower the sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from analytics.findings.risk.weights import risk_weights
from analytics.outputs import queries
from app_pages.shared import data, factors, identity_access, identity_routes, identity_trust, widgets
from app_pages.shared.text import counted, number, plain, span

if TYPE_CHECKING:
    from collections.abc import Mapping

TAB = "Why this score"
_NAMED = 3  # actions
FLOORS = "An administrator counts at least {administrator:g}, one that a stranger may become {open_administrator:g}."


def show(known: Mapping[str, Any], risk: Mapping[str, Any] | None) -> None:
    """Factors and evidence to the left, what would lower the score to the right."""
    if risk is None:
        widgets.nothing("There is no score to explain.", "A snapshot that holds this identity's policies gives it one.")
        return
    left, right = st.columns([1.9, 1], gap="medium")
    with left, st.container(border=True, height="stretch", key="why_score"):
        _factors(known, risk)
    with right, st.container(border=True, height="stretch"):
        _would_lower(known["principal_arn"], risk["score"])


def _factors(known: Mapping[str, Any], risk: Mapping[str, Any]) -> None:
    evidence = _evidence(known, risk)
    for factor in factors.FACTORS:
        points = float(risk[factor.name])
        said, tab = evidence[factor.name]
        name, picture, words, more = st.columns([0.68, 1.2, 2.9, 0.42], gap="small", vertical_alignment="center")
        name.markdown(f"**{factor.label.capitalize()}**", help=factor.meaning)
        picture.html(factors.single(factor, points))
        words.markdown(said)
        if tab:
            more.button("Open", key=f"open_{factor.name}", type="tertiary", on_click=_open, args=(tab,), help=tab)
    if risk["floor_points"]:
        floors = FLOORS.format(**risk_weights().table("floors"))
        st.markdown(f"**Floor** +{risk['floor_points']:.1f}: {floors}")
    st.caption(f"Together {risk['score']:.1f} of 100: what is rounded adds up.")


def _open(tab: str) -> None:
    st.session_state["tab"] = tab


def _evidence(known: Mapping[str, Any], risk: Mapping[str, Any]) -> dict[str, tuple[str, str | None]]:
    """By factor: one line of Markdown, and the tab that holds its rows."""
    arn = known["principal_arn"]
    breadth = (
        f"{counted(known['granted'] or 0, 'action')} in {counted(known['services'] or 0, 'service')}, "
        f"{number(known['surely'])} of them surely; high-risk weight {number(known['granted_weight'])}."
    )
    unused = (
        f"High-risk weight {number(known['unused_weight'])} unused and {number(known['unobserved_weight'])} that "
        f"this export could not show; {counted(known['used'] or 0, 'action')} used."
    )
    environment = (
        span(plain(known["environment"], 30)) if known["environment"] else "not known, which counts as production"
    )
    asset = f"Account {span(plain(known['account_name'] or known['account_id'], 40))}, environment {environment}."
    return {
        "control_reach": (_control(arn), identity_routes.TAB),
        "data_reach": (_sensitive(arn), identity_access.TAB),
        "breadth": (breadth, identity_access.TAB),
        "unused": (unused, identity_access.TAB),
        "exposure": (_exposure(arn, risk), identity_trust.TAB),
        "asset": (asset, None),
    }


def _control(arn: str) -> str:
    paths = data.read(queries.identity_paths, principal_arn=arn)
    if not paths:
        return "No escalation path is in its reach."
    first = paths[0]
    if not first["strength"]:
        return f"{counted(len(paths), 'path')} in its reach, and none leads to anybody with more privilege."
    sure = "surely" if first["surely"] else "maybe"
    rest = f", and {counted(len(paths) - 1, 'path')} more" if len(paths) > 1 else ""
    return f"{span(first['path_id'])} {first['category']}, {sure}, to: {first['target']}{rest}."


def _sensitive(arn: str) -> str:
    rows = data.read(queries.sensitive_actions, principal_arn=arn)
    if rows.empty:
        return "It reaches no secret and no sensitive data."
    first = ", ".join(span(action) for action in rows["action"].head(_NAMED))
    maybe = int((rows["reach"] == "maybe").sum())
    more = " …" if len(rows) > _NAMED else "."
    return f"{counted(len(rows), 'action')} on secrets and data ({maybe:,} only maybe): {first}{more}"


def _exposure(arn: str, risk: Mapping[str, Any]) -> str:
    ways = data.read(queries.identity_trust, principal_arn=arn)
    said = identity_trust.CLASSES.get(risk["trust_class"], risk["trust_class"].replace("_", " "))
    if not ways:
        return f"{said[0].upper()}{said[1:]}."
    rest = f", and {counted(len(ways) - 1, 'way')} more" if len(ways) > 1 else ""
    return f"{said[0].upper()}{said[1:]}: {span(plain(ways[0]['party'], 48))}{rest}."


def broken(change: Mapping[str, Any]) -> str:
    """The other half of every promise: what the change would break, as far as this export can tell."""
    if change["calls_broken"] is not None:
        return f"Calls broken: {change['calls_broken']:,}."
    unobserved = change["detail"].get("unobserved")
    if unobserved:
        return f"Calls broken: not proven. {unobserved:,} of these actions could not have been seen in this export."
    return "Calls broken: not proven."


def _would_lower(arn: str, score: float) -> None:
    st.markdown("**What would lower it**")
    changes = data.read(queries.identity_would_lower, principal_arn=arn)
    if not changes:
        st.caption("No single change of policy, trust or key that is known here lowers this score.")
        return
    for change in changes:
        after, less, what = st.columns([0.5, 0.55, 2.6], gap="xsmall")
        after.markdown(f"**{change['score_after']:.1f}**")
        less.markdown(f":blue[−{score - change['score_after']:.1f}]")
        with what.container(gap=None):
            st.text(plain(change["title"], 110))
            st.caption(broken(change))
    st.caption("Each alone, computed with the score's own function.")
    widgets.link("remediation", "Commands and policy to do it", icon=":material/build:", q=arn)
