"""The agreement board: which cells it takes, whose figures it shows to whom."""

import io
import uuid
from collections.abc import Callable
from datetime import timedelta

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from classifier.enums import ReviewOutcome
from classifier.models import Case, Correction, Review
from classifier.services import corrections, reviews
from quality.enums import Basis
from quality.periods import Period
from quality.selectors.agreement import board
from tests.pages import words_of as words_on
from tests.quality.readings import MakeManyCells, case_of, cells_in_order, count_blind

__all__ = ["case_of"]
ClientFor = Callable[[User], Client]
PAGE = "/quality/agreement/"
TRUTH = ["neutrophil"] * 5 + ["lymphocyte"] * 3 + ["monocyte", "eosinophil"]
SECOND = ["neutrophil"] * 5 + ["lymphocyte"] * 2 + ["monocyte", "monocyte", "eosinophil"]
ANSWERS = ["neutrophil"] * 6 + ["lymphocyte"] * 2 + ["unidentified", "eosinophil"]


@pytest.fixture
def today() -> Period:
    """Yesterday to tomorrow: a test may run over midnight."""
    day = timezone.localdate()
    return Period(day - timedelta(days=1), day + timedelta(days=1))


@pytest.fixture
def readers(people: list[User]) -> list[User]:
    return people


@pytest.fixture
def six_counts(case_of: MakeManyCells, readers: list[User], administrator: User) -> list[Case]:
    """Six cases of ten cells, each read blind by two: one cell differs, a third decides."""
    anna, ben, cleo, _ = readers
    cases = [case_of(ANSWERS) for _ in range(6)]
    for case in cases:
        count_blind(case, administrator, [(anna, TRUTH), (ben, SECOND), (cleo, TRUTH)])
    return cases


def test_blind_readers_are_held_against_each_other_cell_by_cell(
    six_counts: list[Case], administrator: User, today: Period
) -> None:
    found = board(administrator, basis=Basis.BLIND, period=today)
    (pair,) = found.pairs
    assert (pair.first, pair.second) == ("First Reader", "Second Reader")
    assert (pair.cells, pair.cases) == (60, 6)
    assert pair.observed is not None
    assert pair.kappa is not None
    assert pair.observed.value == pytest.approx(0.9)
    assert pair.kappa.value == pytest.approx((0.9 - 0.34) / (1 - 0.34))
    assert pair.kappa.low is None  # every case is alike here
    by_class = {row.name: row for row in pair.by_class()}
    assert (by_class["lymphocyte"].first, by_class["lymphocyte"].second) == (18, 12)
    assert by_class["lymphocyte"].both == 12
    assert found.together is None


def test_three_readers_have_one_alpha_together(
    six_counts: list[Case], case_of: MakeManyCells, readers: list[User], administrator: User,
    today: Period,
) -> None:  # fmt: skip
    anna, _, _, dora = readers
    count_blind(case_of(ANSWERS), administrator, [(anna, TRUTH), (dora, TRUTH)])
    found = board(administrator, basis=Basis.BLIND, period=today)
    assert found.together is not None
    assert (found.together.readers, found.together.cells, found.together.cases) == (3, 70, 7)
    assert found.together.alpha is not None
    assert 0.8 < found.together.alpha.value < 1
    assert [pair.is_enough for pair in found.pairs] == [True, False]
    assert found.pairs[1].kappa is None


def test_a_count_that_waits_for_its_arbiter_does_not_count_yet(
    case_of: MakeManyCells, readers: list[User], administrator: User, today: Period
) -> None:
    anna, ben, *_ = readers
    count_blind(case_of(ANSWERS), administrator, [(anna, TRUTH), (ben, SECOND)])
    assert board(administrator, basis=Basis.BLIND, period=today).pairs == []


def test_blind_readers_are_held_against_the_machine_where_it_was_sure(
    six_counts: list[Case], administrator: User, today: Period
) -> None:
    found = board(administrator, basis=Basis.MACHINE_BLIND, period=today)
    everybody, *each = found.pairs
    assert (everybody.first, everybody.second) == ("All readers", "the machine")
    assert everybody.cells == 2 * 6 * 9
    assert {(pair.first, pair.cells) for pair in each} == {
        ("First Reader", 54), ("Second Reader", 54),
    }  # fmt: skip


def name(case: Case, actor: User, places: dict[int, str]) -> None:
    cells = cells_in_order(case)
    for place, cell_type in places.items():
        corrections.correct_cells(
            case_id=case.pk, actor=actor, cell_ids=[cells[place].pk], cell_type=cell_type,
            action_id=uuid.uuid4(),
        )  # fmt: skip


def test_reviewers_are_held_against_what_the_machine_had_said(
    case_of: MakeManyCells, readers: list[User], administrator: User, today: Period
) -> None:
    anna = readers[0]
    case = case_of(ANSWERS)
    reviews.open_review(case_id=case.pk, actor=anna)
    name(case, anna, {0: "neutrophil", 5: "monocyte", 8: "monocyte"})
    name(case, anna, {5: "lymphocyte"})
    _, own = board(administrator, basis=Basis.MACHINE, period=today).pairs
    assert (own.first, own.second, own.cells) == ("First Reader", "the machine", 2)
    assert dict(zip(own.classes, own.matrix, strict=True)) == {
        "neutrophil": [1, 0], "lymphocyte": [1, 0],
    }  # fmt: skip


def test_what_a_second_reviewer_signs_counts_as_named_by_both(
    case_of: MakeManyCells, readers: list[User], administrator: User, today: Period
) -> None:
    anna, ben, *_ = readers
    case = case_of(ANSWERS)
    reviews.open_review(case_id=case.pk, actor=anna)
    name(case, anna, {0: "neutrophil", 1: "blast", 2: "monocyte"})
    reviews.release(case_id=case.pk, actor=anna)
    reviews.open_review(case_id=case.pk, actor=ben)
    name(case, ben, {1: "neutrophil", 7: "monocyte"})
    assert board(administrator, basis=Basis.REVIEW, period=today).pairs == []
    case.refresh_from_db()
    reviews.close_review(case=case, outcome=ReviewOutcome.SIGNED)
    (pair,) = board(administrator, basis=Basis.REVIEW, period=today).pairs
    assert (pair.first, pair.second, pair.cells) == ("First Reader", "Second Reader", 3)
    differ = pair.matrix[pair.classes.index("blast")][pair.classes.index("neutrophil")]
    assert differ == 1
    assert sum(pair.matrix[place][place] for place in range(len(pair.classes))) == 2


def test_what_was_carried_over_from_another_case_is_nobodys_word(
    case_of: MakeManyCells, readers: list[User], administrator: User, today: Period
) -> None:
    anna, ben, *_ = readers
    case = case_of(ANSWERS)
    carried = Review.objects.create(
        case=case, reviewer=anna, completed_at=timezone.now(), outcome=ReviewOutcome.CARRIED_OVER
    )
    cell = cells_in_order(case)[0]
    Correction.objects.create(review=carried, cell=cell, cell_type="blast", created_by=anna)
    reviews.open_review(case_id=case.pk, actor=ben)
    case.refresh_from_db()
    reviews.close_review(case=case, outcome=ReviewOutcome.SIGNED)
    for basis in (Basis.REVIEW, Basis.MACHINE):
        assert board(administrator, basis=basis, period=today).pairs == []


def test_a_reader_sees_the_own_figures_alone(
    six_counts: list[Case], readers: list[User], today: Period, client_for: ClientFor
) -> None:
    _, ben, cleo, _ = readers
    found = board(ben, basis=Basis.BLIND, period=today)
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.cells) == ("You", "others", 60)
    assert found.names_readers is False
    beside = board(ben, basis=Basis.MACHINE_BLIND, period=today)
    assert [each.first for each in beside.pairs] == ["All readers", "You"]
    assert board(cleo, basis=Basis.BLIND, period=today).pairs == []
    asked = {"first": str(today.first), "last": str(today.last)}
    client = client_for(ben)
    for address in (PAGE, f"{PAGE}pairs.svg", f"{PAGE}classes.svg", f"{PAGE}tables/pairs.csv"):
        shown = client.get(address, asked).content.decode()
        assert "First Reader" not in shown


def test_page_figures_and_tables(
    six_counts: list[Case], administrator: User, today: Period, client_for: ClientFor
) -> None:
    client = client_for(administrator)
    asked = {"first": str(today.first), "last": str(today.last), "basis": "blind"}
    page = words_on(client.get(PAGE, asked))
    assert "First Reader and Second Reader" in page
    for figure in ("pairs", "classes"):
        assert client.get(f"{PAGE}{figure}.svg", asked).content.startswith(b"<?xml")
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{PAGE}tables/xlsx", asked).content))
    assert book.sheetnames == ["Pairs", "Classes", "Confusion"]
    assert [row[2].value for row in book["Pairs"].iter_rows(min_row=2)] == [60]
    assert client.get(f"{PAGE}tables/confusion.csv", asked).status_code == 200
    assert client.get(f"{PAGE}nothing.svg", asked).status_code == 404


def test_nothing_read_is_said_so(administrator: User, client_for: ClientFor) -> None:
    client = client_for(administrator)
    for basis in Basis.values:
        response = client.get(PAGE, {"basis": basis})
        assert "No cells in this period" in words_on(response)
    assert client.get(f"{PAGE}pairs.svg").status_code == 404
    assert client.get(f"{PAGE}tables/pairs.csv").status_code == 200
