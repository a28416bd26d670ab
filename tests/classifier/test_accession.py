"""Accession numbers: their form, their check character, and that they are never reused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection, transaction

from classifier import accession


@pytest.mark.parametrize(
    ("number", "expected"),
    # Worked by hand from ISO 7064 mod 37,2 over HV26000001, HV26000123, HV30999999.
    [(1, "HV26-000001"), (123, "HV26-000123")],
)
def test_is_prefix_year_number_and_one_check_character(number: int, expected: str) -> None:
    composed = accession.compose(2026, number)
    assert composed[:-1] == expected
    assert accession.is_well_formed(composed)


def test_accepts_what_a_scanner_or_a_hurried_hand_sends() -> None:
    composed = accession.compose(2026, 123)
    assert accession.is_well_formed(f" {composed.lower()} ")
    assert accession.is_well_formed(composed.replace("-", ""))


def test_catches_every_single_wrong_digit() -> None:
    composed = accession.compose(2026, 4711)
    for place in range(5, 11):
        for digit in "0123456789":
            if digit != composed[place]:
                wrong = composed[:place] + digit + composed[place + 1 :]
                assert not accession.is_well_formed(wrong)


def test_catches_every_swap_of_neighbours() -> None:
    composed = accession.compose(2026, 123456)
    for place in range(5, 10):
        swapped = list(composed)
        swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
        assert not accession.is_well_formed("".join(swapped))


@pytest.mark.django_db(transaction=True)
def test_two_at_once_never_get_the_same_number() -> None:
    def allocate(_: int) -> str:
        try:
            with transaction.atomic():
                return accession.allocate(date(2026, 3, 1))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(allocate, range(12)))
    assert sorted(numbers) == [accession.compose(2026, n) for n in range(1, 13)]


@pytest.mark.django_db
def test_each_year_starts_again_at_one() -> None:
    assert accession.allocate(date(2026, 12, 31)) == accession.compose(2026, 1)
    assert accession.allocate(date(2027, 1, 1)) == accession.compose(2027, 1)
