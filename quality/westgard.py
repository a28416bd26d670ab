"""Westgard's control rules: pure functions on how many SD a control lay from its mean.

The rules are those of Westgard, Barry, Hunt and Groth, A multi-rule Shewhart chart for quality
control in clinical chemistry, Clin Chem 27:493 (1981). Values are z = (value - mean) / SD, one a
run, the oldest first, the run that is judged last. A rule is broken by the run that completes its
pattern; beyond a limit means further out than the limit itself.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from quality.enums import Rule

WARNS: Final = Rule.R_1_2S
REJECTS: Final = (Rule.R_1_3S, Rule.R_2_2S, Rule.R_R_4S, Rule.R_4_1S, Rule.R_10_X)


def breaks_1_2s(z: Sequence[float]) -> bool:
    """1-2s, the warning: the run lies beyond 2 SD."""
    return _beyond(z, count=1, limit=2)


def breaks_1_3s(z: Sequence[float]) -> bool:
    """1-3s: the run lies beyond 3 SD."""
    return _beyond(z, count=1, limit=3)


def breaks_2_2s(z: Sequence[float]) -> bool:
    """2-2s: two runs in a row lie beyond 2 SD on the same side."""
    return _beyond(z, count=2, limit=2)


def breaks_4_1s(z: Sequence[float]) -> bool:
    """4-1s: four runs in a row lie beyond 1 SD on the same side."""
    return _beyond(z, count=4, limit=1)


def breaks_10_x(z: Sequence[float]) -> bool:
    """10-x: ten runs in a row lie on the same side of the mean."""
    return _beyond(z, count=10, limit=0)


def breaks_r_4s(z: float, others: Collection[float]) -> bool:
    """R-4s: one measurement lies above 2 SD and another of its group below -2 SD.

    The rule is about scatter within one group of measurements, never from day to day: `others`
    are the same analyte's in other controls, or repeats of this one, of the same round.
    """
    return any(min(z, other) < -2 and max(z, other) > 2 for other in others)


_IN_A_ROW: Final[Mapping[Rule, Callable[[Sequence[float]], bool]]] = {
    Rule.R_1_2S: breaks_1_2s,
    Rule.R_1_3S: breaks_1_3s,
    Rule.R_2_2S: breaks_2_2s,
    Rule.R_4_1S: breaks_4_1s,
    Rule.R_10_X: breaks_10_x,
}


def broken_rules(
    z: Sequence[float], others: Collection[float], *, rules: Collection[str]
) -> list[Rule]:
    """Return which of the laboratory's `rules` the last value breaks, in their customary order.

    The warning is always looked for. `z` holds at least the value that is judged.
    """
    asked = {WARNS, *rules}
    return [
        rule
        for rule in Rule
        if rule in asked
        and (breaks_r_4s(z[-1], others) if rule == Rule.R_R_4S else _IN_A_ROW[rule](z))
    ]


def is_rejection(broken: Collection[str]) -> bool:
    """Whether one of the broken rules is more than the warning."""
    return any(rule != WARNS for rule in broken)


def _beyond(z: Sequence[float], *, count: int, limit: float) -> bool:
    """Whether each of the last `count` values lies beyond the limit, all on one side."""
    last = z[-count:]
    if len(last) < count:
        return False
    return all(value > limit for value in last) or all(value < -limit for value in last)
