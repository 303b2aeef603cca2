"""Boundary templates as rows: the gallery with its proof, and which identities each would fit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from analytics.findings.boundaries.fit import Fit, best_of, fitter_of
from analytics.findings.boundaries.fit_calls import UsedCalls, fit_all
from analytics.findings.boundaries.templates import MOST_CHARACTERS, prove, read_templates, render, template
from analytics.findings.organization.quota import characters
from analytics.iam.policy import to_json
from analytics.outputs.queries.frames import IDENTITY, frame, identity_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from duckdb import DuckDBPyConnection

    from analytics.findings.estate import Estate

USED = """
with own as (select * from windows order by window_days desc limit 1)
select principal_arn, number, match = 'all' as needed, sum(calls - denied)::bigint as calls
from usage join actions using (action), own
where day between own.window_start and own.window_end and calls > denied
group by all order by principal_arn, number, needed"""


def boundary_templates() -> pd.DataFrame:
    """The gallery: one row per template, in the order of the file."""
    rows = [
        {
            "template": one.id,
            "title": one.title,
            "about": one.about,
            "audience": one.audience,
            "characters": characters(render(one, one.example)),
            "limit": MOST_CHARACTERS,
            "allowed": sum(probe.allowed for probe in one.probes),
            "stopped": sum(not probe.allowed for probe in one.probes),
            "proven": all(proof.holds for proof in prove(one)),
        }
        for one in read_templates()
    ]
    columns = ("template", "title", "about", "audience", "characters", "limit", "allowed", "stopped", "proven")
    return frame(rows, columns)


def template_document(template_id: str, parameters: Mapping[str, str | tuple[str, ...]]) -> dict[str, Any]:
    """A template with its parameters as a policy; TemplateError says which parameter is wrong."""
    return to_json(render(template(template_id), parameters))


def template_proof(template_id: str) -> pd.DataFrame:
    """The requests of a template with its decision on each, for its example."""
    rows = [
        {
            "action": proof.probe.action,
            "resource": proof.probe.resource,
            "context": ", ".join(f"{key}={value}" for key, value in proof.probe.context),
            "promised": "allowed" if proof.probe.allowed else "stopped",
            "decision": str(proof.decision.result),
            "holds": proof.holds,
        }
        for proof in prove(template(template_id))
    ]
    return frame(rows, ("action", "resource", "context", "promised", "decision", "holds"))


def used_calls(con: DuckDBPyConnection) -> UsedCalls:
    """Calls of the build's window that were not denied, by identity and action."""
    found = con.execute(USED).fetchnumpy()
    arns, principal = np.unique(np.asarray(found["principal_arn"], str), return_inverse=True)
    return UsedCalls(
        tuple(arns.tolist()),
        principal.astype(np.int64),
        np.asarray(found["number"], np.int64),
        np.asarray(found["calls"], np.int64),
        np.asarray(found["needed"], np.bool_),
    )


def template_fit(con: DuckDBPyConnection, estate: Estate) -> pd.DataFrame:
    """One row per identity and template: whether all that it used stays inside, what is left, what would break.

    `calls_broken` is missing where it is not proven; `calls_lost` is then a lower bound. `best` marks the suggestion.
    """
    fits = fit_all(fitter_of(estate), tuple(estate.subjects.values()), used_calls(con))
    by_arn: dict[str, list[Fit]] = {}
    for fit in fits:
        by_arn.setdefault(fit.arn, []).append(fit)
    best = {arn: best_of(found, estate.subjects[arn]) for arn, found in by_arn.items()}
    rows = [
        {
            **identity_columns(estate, fit.arn),
            "template": fit.template,
            "fits": str(fit.fits),
            "best": best[fit.arn] == fit,
            "weight_before": fit.weight_before,
            "weight_left": fit.weight_left,
            "actions_cut": fit.cut,
            "actions_cut_unseen": fit.unseen_cut,
            "used_lost": fit.lost.bit_count(),
            "used_at_risk": fit.at_risk.bit_count(),
            "calls_lost": fit.calls_lost,
            "calls_at_risk": fit.calls_at_risk,
            "calls_broken": fit.calls_broken,
        }
        for fit in fits
    ]
    columns = ("template", "fits", "best", "weight_before", "weight_left", "actions_cut", "actions_cut_unseen")
    calls = ("used_lost", "used_at_risk", "calls_lost", "calls_at_risk", "calls_broken")
    return frame(rows, IDENTITY, *columns, *calls).astype({"calls_broken": "Int64"})


def template_takers(fit: pd.DataFrame) -> pd.DataFrame:
    """Per template: how many identities it fits, for how many it is the best, and the weight that these would lose."""
    taken = Counter(fit.loc[fit["best"], "template"])
    rows = [
        {
            "template": one.id,
            "title": one.title,
            "fits_surely": int(((fit["template"] == one.id) & (fit["fits"] == "surely")).sum()),
            "fits_perhaps": int(((fit["template"] == one.id) & (fit["fits"] == "perhaps")).sum()),
            "best_for": taken.get(one.id, 0),
            "weight_removed": _removed(fit[fit["best"] & (fit["template"] == one.id)]),
        }
        for one in read_templates()
    ]
    return frame(rows, ("template", "title", "fits_surely", "fits_perhaps", "best_for", "weight_removed"))


def _removed(fit: pd.DataFrame) -> float:
    return round(float((fit["weight_before"] - fit["weight_left"]).sum()), 1)
