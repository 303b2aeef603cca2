"""From plans to sessions to calls, as arrays: who called what, when, and how it ended.

Sessions come first, calls happen inside them; so a call's key, address and creation date are those of a session that
really began. Everything is drawn in one fixed order from one generator: the same seed gives the same activity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from analytics.demo.calls import Call, load_calls
from analytics.demo.model import DAYS, Account, Calendar, Entry, Identity, Plan, Use
from analytics.demo.rhythm import (
    DAY,
    RHYTHMS,
    Floats,
    Ints,
    growth,
    midnight,
    quarter_starts,
    seconds_at,
    share_before,
)


@dataclass(slots=True)
class Sessions:
    """One entry per session in every array; `plan` indexes `plans`, times are seconds since the first midnight."""

    plans: list[tuple[Identity, Plan]]
    plan: Ints
    start: Floats
    end: Floats
    weight: Floats
    label: Ints  # index into the plan's labels
    parent: Ints  # session that opened this one, or -1

    def __len__(self) -> int:
        return len(self.plan)


@dataclass(slots=True)
class Calls:
    """One entry per call in every array; `use` indexes `uses`."""

    uses: list[tuple[Identity, Plan, Use, Call]]
    use: Ints
    session: Ints
    time: Ints  # seconds since 1970


@dataclass(slots=True)
class _Draft:
    plan: list[Ints] = field(default_factory=list)
    start: list[Floats] = field(default_factory=list)
    end: list[Floats] = field(default_factory=list)
    weight: list[Floats] = field(default_factory=list)
    label: list[Ints] = field(default_factory=list)
    parent: list[Ints] = field(default_factory=list)
    of: dict[str, list[tuple[int, int]]] = field(default_factory=dict)  # identity ARN: ranges of its sessions
    count: int = 0


def draw_sessions(identities: Sequence[Identity], calendar: Calendar, rng: np.random.Generator) -> Sessions:
    """All sessions of all identities; those that another identity opens come after it."""
    plans = [(identity, plan) for identity in identities for plan in identity.plans]
    draft = _Draft()
    pending = list(range(len(plans)))
    while pending:
        left = []
        for number in pending:
            identity, plan = plans[number]
            if plan.entry is Entry.ROLE and any(
                plans[other][0].arn == plan.opened_by for other in pending if other != number
            ):
                left.append(number)
                continue
            _add(draft, number, identity, plan, calendar, rng)
        if len(left) == len(pending):
            names = sorted({plans[number][0].arn for number in left})
            msg = f"these identities wait for each other's sessions: {', '.join(names)}"
            raise ValueError(msg)
        pending = left
    return Sessions(
        plans,
        np.concatenate(draft.plan),
        np.concatenate(draft.start),
        np.concatenate(draft.end),
        np.concatenate(draft.weight),
        np.concatenate(draft.label),
        np.concatenate(draft.parent),
    )


def _add(
    draft: _Draft, number: int, identity: Identity, plan: Plan, calendar: Calendar, rng: np.random.Generator
) -> None:
    parent: Ints | None = None
    if plan.entry is Entry.ROLE:
        start, parent = _opened_by_another(draft, plan, calendar, rng)
        end, weight = start + plan.minutes * 60, np.ones(len(start))
    else:
        start, end, weight = _own(plan, calendar, rng)
    alive = _alive(identity, start, calendar)
    start, end, weight = start[alive], end[alive], weight[alive]
    count = len(start)
    every = len(plan.labels) >= 100
    label = np.arange(count) % len(plan.labels) if every else rng.integers(0, len(plan.labels), count)
    draft.plan.append(np.full(count, number, np.int64))
    draft.start.append(start)
    draft.end.append(end)
    draft.weight.append(weight)
    draft.label.append(label.astype(np.int64))
    draft.parent.append(np.full(count, -1, np.int64) if parent is None else parent[alive])
    draft.of.setdefault(identity.arn, []).append((draft.count, draft.count + count))
    draft.count += count


def _alive(identity: Identity, start: Floats, calendar: Calendar) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Sessions after the identity was made and before it was deleted."""
    born = (identity.created - calendar.first).days * DAY + 9.5 * 3600
    gone = DAYS * DAY if identity.deleted is None else (identity.deleted - calendar.first).days * DAY
    return (start >= born) & (start < gone)


def _own(plan: Plan, calendar: Calendar, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    if plan.moments:
        start = np.array([moment.timestamp() for moment in plan.moments]) - midnight(calendar)
        return start, start + plan.minutes * 60, np.ones(len(start))
    rhythm = RHYTHMS[plan.rhythm]
    factor = rhythm.day_factors(calendar)
    factor[: plan.first] = 0
    factor[plan.last :] = 0
    if plan.rhythm == "quarterly":
        mask = np.zeros(DAYS)
        mask[quarter_starts(calendar)] = 1
        factor = factor * mask
    if plan.minutes == 0:
        return _tiled(plan, factor * growth(rng), rng)
    if rhythm.scheduled:
        count = np.where(factor > 0, max(1, round(plan.per_day)), 0)
        if plan.per_day < 1:
            count = count * (rng.random(DAYS) < plan.per_day)
        of_day = seconds_at(plan.rhythm, np.full(int(count.sum()), rng.random()))
        of_day = of_day + rng.random(len(of_day)) * 40
    else:
        count = rng.poisson(plan.per_day * factor)
        of_day = seconds_at(plan.rhythm, rng.random(int(count.sum())))
    start = np.sort(np.repeat(np.arange(DAYS), count) * DAY + of_day)
    length = plan.minutes * 60 * (1.0 if rhythm.scheduled else rng.uniform(0.5, 1.6, len(start)))
    return start, start + length, np.ones(len(start))


def _tiled(plan: Plan, factor: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Sessions that fill the day one after the other, as those of services do."""
    tiles = max(1, round(plan.per_day))
    days = np.flatnonzero(factor > 0)
    if plan.per_day < 1:
        days = days[rng.random(len(days)) < plan.per_day]
    length = DAY / tiles
    within = (np.arange(tiles) * length).astype(np.float64)
    start = (days[:, None] * DAY + within[None, :]).ravel()
    share = share_before(plan.rhythm, within + length) - share_before(plan.rhythm, within)
    weight = (factor[days][:, None] * (share * tiles)[None, :]).ravel()
    keep = weight > 0.03
    start, weight = start[keep], weight[keep]
    lead = rng.random(len(start)) * min(900.0, length / 8)
    return start + lead, start + length, weight


def _opened_by_another(draft: _Draft, plan: Plan, calendar: Calendar, rng: np.random.Generator) -> tuple[Floats, Ints]:
    ranges = draft.of.get(plan.opened_by, [])
    if not ranges:
        return np.empty(0), np.empty(0, np.int64)
    numbers = np.concatenate([np.arange(first, last) for first, last in ranges])
    starts, ends = np.concatenate(draft.start), np.concatenate(draft.end)
    if plan.moments:
        wanted = np.array([moment.timestamp() for moment in plan.moments]) - midnight(calendar)
        order = numbers[np.argsort(starts[numbers], kind="stable")]
        at = np.searchsorted(starts[order], wanted, side="right") - 1
        return wanted, order[np.maximum(at, 0)]
    days = starts[numbers] // DAY
    numbers = numbers[(days >= plan.first) & (days < plan.last)]
    chance = min(1.0, plan.per_day * (plan.last - plan.first) / max(1, len(numbers)))
    chosen = numbers[rng.random(len(numbers)) < chance]
    room = np.maximum(ends[chosen] - starts[chosen], 60.0)
    return starts[chosen] + 20 + rng.random(len(chosen)) * room * 0.7, chosen


def draw_calls(
    sessions: Sessions, logged: Callable[[Account, Call], bool], calendar: Calendar, rng: np.random.Generator
) -> Calls:
    """All calls inside the sessions that the account's trail records."""
    table = load_calls()
    uses: list[tuple[Identity, Plan, Use, Call]] = []
    use_numbers, session_numbers, times = [], [], []
    order = np.argsort(sessions.plan, kind="stable")
    bounds = np.searchsorted(sessions.plan[order], np.arange(len(sessions.plans) + 1))
    for number, (identity, plan) in enumerate(sessions.plans):
        mine = order[bounds[number] : bounds[number + 1]]
        for place, use in enumerate(plan.uses):
            call = table[use.call]
            if not len(mine) or not logged(identity.account, call):
                continue
            count = _counts(plan, use, sessions, mine, rng)
            chosen = np.repeat(mine, count)
            if not len(chosen):
                continue
            use_numbers.append(np.full(len(chosen), len(uses)))
            session_numbers.append(chosen)
            times.append(_times(plan, place, sessions, chosen, count, rng))
            uses.append((identity, plan, use, call))
    time = np.concatenate(times)
    last = DAYS * DAY - 1
    return Calls(
        uses,
        np.concatenate(use_numbers).astype(np.int64),
        np.concatenate(session_numbers),
        np.minimum(time, last).astype(np.int64) + midnight(calendar),
    )


def _counts(plan: Plan, use: Use, sessions: Sessions, mine: Ints, rng: np.random.Generator) -> Ints:
    if plan.moments:
        return np.full(len(mine), int(use.mean), np.int64)
    day = sessions.start[mine] // DAY
    inside = (day >= use.first) & (day < use.last)
    return rng.poisson(use.mean * sessions.weight[mine] * inside)


def _times(plan: Plan, place: int, sessions: Sessions, chosen: Ints, count: Ints, rng: np.random.Generator) -> Floats:
    start, end = sessions.start[chosen], sessions.end[chosen]
    if plan.moments:
        before = np.concatenate([np.arange(n) for n in count]) if len(count) else np.empty(0)
        return start + 25 + place * 41 + before * 7
    drawn = rng.random(len(chosen))
    if plan.minutes or plan.entry is Entry.ROLE:
        return start + 3 + drawn * np.maximum(end - start - 3, 1)
    day = np.floor(start / DAY) * DAY
    low, high = share_before(plan.rhythm, start - day), share_before(plan.rhythm, end - day)
    return day + seconds_at(plan.rhythm, low + drawn * (high - low))
