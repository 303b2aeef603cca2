"""The matrix of the sample organisation: every count of a cell has its rows."""

from analytics.outputs import queries
from tests.demo_sample import built

CELLS = """
select scenario, target, can_act, did_act, open_actions::varchar[] from coverage
where layer = 'best' and state in ('gap', 'partial', 'conditional')"""


def test_who_can_act_and_who_did_are_as_many_as_each_cell_says():
    found: dict[tuple[str, tuple[str, ...]], tuple[int, int]] = {}
    with built().connect() as con:
        cells = con.execute(CELLS).fetchall()
        assert {"partial", "conditional", "gap"} == {
            state for (state,) in con.execute("select distinct state from coverage where layer = 'best'").fetchall()
        } - {"covered", "unknown", "not_applicable"}
        for scenario, target, can_act, did_act, actions in cells:
            asked = (target, tuple(actions))
            if asked not in found:
                rows = queries.guardrail_actors(con, target=target, actions=asked[1])
                found[asked] = int((rows["can"] != "no").sum()), int((rows["calls_seen"] > 0).sum())
            can, did = found[asked]
            assert can_act in (can, None), (scenario, target)
            assert did_act in (did, None), (scenario, target)
