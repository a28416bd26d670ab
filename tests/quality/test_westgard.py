"""Westgard's rules by known sequences, and by what must hold for any."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.enums import Rule
from quality.westgard import (
    REJECTS,
    breaks_1_2s,
    breaks_1_3s,
    breaks_2_2s,
    breaks_4_1s,
    breaks_10_x,
    breaks_r_4s,
    broken_rules,
    is_rejection,
)

Z = st.floats(-6, 6, allow_nan=False)
SEQUENCES = st.lists(Z, min_size=1, max_size=14)


@pytest.mark.parametrize(
    ("rule", "z", "is_broken"),
    [
        (breaks_1_2s, [2.0], False),
        (breaks_1_2s, [2.1], True),
        (breaks_1_2s, [-2.1], True),
        (breaks_1_2s, [2.1, 0.0], False),
        (breaks_1_3s, [3.0], False),
        (breaks_1_3s, [-3.1], True),
        (breaks_1_3s, [3.1, 1.0], False),
        (breaks_2_2s, [2.1], False),
        (breaks_2_2s, [2.1, 2.1], True),
        (breaks_2_2s, [-2.1, -2.6], True),
        (breaks_2_2s, [2.1, -2.1], False),
        (breaks_2_2s, [2.1, 0.3, 2.1], False),
        (breaks_4_1s, [1.1, 1.1, 1.1], False),
        (breaks_4_1s, [1.1, 1.2, 1.1, 1.4], True),
        (breaks_4_1s, [-1.1, -1.2, -1.1, -1.4], True),
        (breaks_4_1s, [1.1, 1.2, -1.1, 1.4], False),
        (breaks_4_1s, [1.1, 1.2, 1.0, 1.4], False),
        (breaks_10_x, [0.1] * 9, False),
        (breaks_10_x, [0.1] * 10, True),
        (breaks_10_x, [-0.1] * 10, True),
        (breaks_10_x, [0.1] * 9 + [0.0], False),
        (breaks_10_x, [-0.1] + [0.1] * 9, False),
    ],
)
def test_known_sequences(rule: object, z: list[float], is_broken: bool) -> None:
    assert callable(rule)
    assert rule(z) is is_broken


@pytest.mark.parametrize(
    ("z", "others", "is_broken"),
    [
        (2.1, [], False),
        (2.1, [-2.1], True),
        (-2.1, [0.0, 2.4], True),
        (2.1, [-1.9], False),
        (2.1, [2.1], False),
        (3.9, [-0.2], False),
    ],
)
def test_r_4s_is_about_one_group_of_measurements(
    z: float, others: list[float], is_broken: bool
) -> None:
    assert breaks_r_4s(z, others) is is_broken


@given(SEQUENCES, st.lists(Z, max_size=4))
def test_both_sides_of_the_mean_are_judged_alike(z: list[float], others: list[float]) -> None:
    mirrored = broken_rules([-each for each in z], [-each for each in others], rules=REJECTS)
    assert broken_rules(z, others, rules=REJECTS) == mirrored


@given(SEQUENCES, SEQUENCES)
def test_what_lies_further_back_than_ten_runs_never_matters(
    z: list[float], earlier: list[float]
) -> None:
    recent = (z * 10)[-10:]
    found = broken_rules(recent, [], rules=REJECTS)
    assert broken_rules([*earlier, *recent], [], rules=REJECTS) == found


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=9), st.lists(st.floats(-2, 2)))
def test_fewer_than_ten_runs_within_one_sd_break_nothing(
    z: list[float], others: list[float]
) -> None:
    assert broken_rules(z, others, rules=REJECTS) == []


@given(SEQUENCES, st.lists(Z, max_size=4))
def test_whatever_breaks_1_3s_or_2_2s_breaks_the_warning_too(
    z: list[float], others: list[float]
) -> None:
    broken = broken_rules(z, others, rules=REJECTS)
    if {Rule.R_1_3S, Rule.R_2_2S, Rule.R_R_4S} & set(broken):
        assert broken[0] == Rule.R_1_2S


@given(SEQUENCES, st.lists(Z, max_size=4), st.sets(st.sampled_from(REJECTS)))
def test_only_the_rules_that_the_laboratory_chose_reject(
    z: list[float], others: list[float], chosen: set[Rule]
) -> None:
    broken = broken_rules(z, others, rules=chosen)
    assert set(broken) - {Rule.R_1_2S} <= chosen
    every = broken_rules(z, others, rules=REJECTS)
    assert [rule for rule in every if rule in {*chosen, Rule.R_1_2S}] == broken
    assert is_rejection(broken) == bool(set(broken) & chosen)
