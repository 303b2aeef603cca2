"""One request decided as its caller would make it: what the caller may choose freely is chosen well.

INVARIANT: SURELY is claimed only where AWS would allow the request, with some choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.engine.decide import Result
from analytics.engine.reach_choice import candidates
from analytics.findings.escalation.facts import MAYBE, NO, SURELY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analytics.engine.decide import Decider, Request
    from analytics.findings.escalation.facts import Held
    from analytics.iam.policy import Condition


def decided(
    decider: Decider, request: Request, conditions: Iterable[Condition], may_choose: Callable[[str, str], bool]
) -> Held:
    """`conditions`: those that bear on the request; `may_choose`: whether a key is a choice for an action."""
    free = [key for key in request.unknown_keys if may_choose(key, request.action)]
    if len(free) == 1 and _chooses(decider, request, free[0], conditions):
        return SURELY
    decision = decider.decide(request)
    if decision.result is Result.ALLOWED:
        return SURELY
    if decision.result is Result.UNDECIDABLE:  # were no choice allowed, nothing would be open
        undecided = set(decision.unknown_keys)
        return SURELY if undecided and undecided <= set(free) else MAYBE
    return NO


def _chooses(decider: Decider, request: Request, key: str, conditions: Iterable[Condition]) -> bool:
    """Whether some value of an open key, which the caller chooses, is surely allowed."""
    tried = (
        request._replace(context={**request.context, key: (value,)}, unknown_keys=request.unknown_keys - {key})
        for value in candidates([one for one in conditions if one.key.lower() == key])
    )
    return any(decider.decide(one).result is Result.ALLOWED for one in tried)


def untold(decider: Decider, request: Request) -> Held:
    """Nothing is chosen: an open key leaves it open."""
    result = decider.decide(request).result
    if result is Result.ALLOWED:
        return SURELY
    return MAYBE if result is Result.UNDECIDABLE else NO
