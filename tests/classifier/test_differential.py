"""The differential: arithmetic against published values, denominator, limits and flags."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from accounts.models import User
from classifier import counting
from classifier.enums import AgeUnit, CaseStatus, CellType, Quantity, Sex
from classifier.findings import Mark
from classifier.models import Case, Laboratory, Patient, ReferenceInterval
from classifier.selectors.differential import Differential, Row, count_cells, get_differential
from classifier.selectors.references import NO_INTERVAL_FOR_AGE, completed_years
from tests.reviewing import MakeCase

# Percent -> limits in percent for n = 100, 200, 400, 500, 1000.
CLOPPER_PEARSON = {
    0: ("0-3.62", "0-1.83", "0-0.92", "0-0.74", "0-0.37"),
    1: ("0.03-5.45", "0.12-3.57", "0.27-2.54", "0.33-2.32", "0.48-1.83"),
    2: ("0.24-7.04", "0.55-5.04", "0.87-3.90", "0.96-3.65", "1.23-3.07"),
    5: ("1.64-11.28", "2.42-9.00", "3.08-7.62", "3.26-7.29", "3.73-6.54"),
    10: ("4.90-17.62", "6.22-15.02", "7.24-13.37", "7.51-12.97", "8.21-12.03"),
    20: ("12.67-29.18", "14.69-26.22", "16.19-24.26", "16.58-23.78", "17.56-22.62"),
    30: ("21.24-39.98", "23.74-36.86", "25.55-34.75", "26.01-34.23", "27.17-32.95"),
    50: ("39.83-60.17", "42.87-57.13", "44.99-55.01", "45.53-54.47", "46.85-53.15"),
    60: ("49.72-69.67", "52.85-66.85", "55.01-64.84", "55.56-64.32", "56.89-63.05"),
    95: ("88.72-98.36", "91.00-97.58", "92.38-96.92", "92.71-96.74", "93.46-96.27"),
}
SIZES = (100, 200, 400, 500, 1000)
PUBLISHED = [
    (percent * size // 100, size, *map(float, limits.split("-")))
    for percent, row in CLOPPER_PEARSON.items()
    for size, limits in zip(SIZES, row, strict=True)
]
# The table that haematologists know from Rümke, for n = 100, 200, 500.
RUEMKE = {
    0: ("0-4", "0-2", "0-1"),
    1: ("0-6", "0-4", "0-3"),
    2: ("0-8", "0-6", "0-4"),
    5: ("1-12", "2-10", "3-8"),
    10: ("4-18", "6-16", "7-13"),
    20: ("12-30", "14-27", "16-24"),
    30: ("21-40", "23-37", "26-35"),
    50: ("39-61", "42-58", "45-55"),
}


def named(human: str, machine: str = "", *, referred: bool = False) -> Mark:
    return Mark(machine or human, is_referred=referred, human_type=human)


def read_as(machine: str, times: int = 1) -> list[Mark]:
    return [Mark(machine, is_referred=False, human_type="")] * times


def row_of(differential: Differential, cell_type: str) -> Row:
    return next(row for row in differential.rows if row.cell_type == cell_type)


@pytest.mark.parametrize(("count", "size", "low", "high"), PUBLISHED)
def test_intervals_are_those_published(count: int, size: int, low: float, high: float) -> None:
    found = counting.clopper_pearson(count, size)
    assert [round(100 * limit, 2) for limit in found] == [low, high]


@pytest.mark.parametrize("percent", RUEMKE)
def test_floor_and_ceiling_give_ruemkes_table(percent: int) -> None:
    for size, limits in zip((100, 200, 500), RUEMKE[percent], strict=True):
        low, high = counting.clopper_pearson(percent * size // 100, size)
        assert f"{int(100 * low)}-{-int(-100 * high // 1)}" == limits


def test_the_spot_value_of_124_in_200() -> None:
    low, high = counting.clopper_pearson(124, 200)
    assert (counting.as_percent(low), counting.as_percent(high)) == (
        Decimal("54.9"),
        Decimal("68.8"),
    )


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_intervals_at_none_and_all_are_one_sided(size: int) -> None:
    none_low, none_high = counting.clopper_pearson(0, size)
    all_low, all_high = counting.clopper_pearson(size, size)
    assert none_low == 0
    assert all_high == 1
    assert none_high == pytest.approx(1 - 0.025 ** (1 / size))
    assert all_low == pytest.approx(0.025 ** (1 / size))


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_agree_with_the_beta_distribution(pair: tuple[int, int]) -> None:
    count, size = pair
    low, high = counting.clopper_pearson(count, size)
    if count:
        assert low == pytest.approx(beta.ppf(0.025, count, size - count + 1))
    if count < size:
        assert high == pytest.approx(beta.ppf(0.975, count + 1, size - count))
    assert low <= count / size <= high


@pytest.mark.parametrize(("count", "size"), [(-1, 10), (11, 10), (0, 0)])
def test_there_is_no_interval_without_a_proportion(count: int, size: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        counting.clopper_pearson(count, size)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=9).filter(any))
def test_percentages_sum_to_a_hundred_and_stay_within_a_tenth(counts: list[int]) -> None:
    percents = counting.apportion_percent(counts)
    assert sum(percents) == Decimal("100.0")
    for count, percent in zip(counts, percents, strict=True):
        assert abs(float(percent) - 100 * count / sum(counts)) < 0.1
        assert percent == percent.quantize(Decimal("0.1"))


def test_thirds_give_the_remainder_to_one_of_them() -> None:
    assert counting.apportion_percent([1, 1, 1]) == [
        Decimal("33.4"),
        Decimal("33.3"),
        Decimal("33.3"),
    ]
    assert counting.apportion_percent([0, 0]) == [0, 0]


def test_absolute_counts_are_exact_and_rounded_once() -> None:
    assert counting.absolute_count(Decimal("7.2"), 124, 200) == Decimal("4.46")
    # 33.4 % (apportioned) would give 2.34; a third of 7.00 is 2.33.
    assert counting.absolute_count(Decimal("7.00"), 1, 3) == Decimal("2.33")
    assert counting.absolute_count(Decimal("0.05"), 1, 2) == Decimal("0.03")  # halves go up
    assert str(counting.absolute_count(Decimal(10), 1, 2)) == "5.00"


def test_only_leukocytes_are_in_the_denominator(classified_case: MakeCase) -> None:
    marks = [
        *read_as("neutrophil", 60),
        *read_as("lymphocyte", 30),
        *read_as("immature_granulocyte", 6),
        *[named("blast", "unidentified", referred=True)] * 4,
        *read_as("erythroblast", 5),
        *read_as("platelet", 11),
        *[named("smudge_cell", "lymphocyte")] * 3,
        *[named("artefact", "platelet")] * 2,
        *[Mark("unidentified", is_referred=True, human_type="")] * 7,
        *[Mark("", is_referred=True, human_type="")] * 1,
    ]
    differential = count_cells(classified_case([]), marks)
    assert differential.leukocytes == 100
    assert row_of(differential, "neutrophil").percent == Decimal("60.0")
    assert row_of(differential, "blast").percent == Decimal("4.0")
    assert sum(row.percent or 0 for row in differential.rows) == Decimal("100.0")
    assert differential.erythroblasts == 5
    assert differential.erythroblasts_per_hundred == Decimal("5.0")
    apart = {aside.cell_type: aside.count for aside in differential.asides}
    assert apart == {
        "platelet": 11, "erythrocyte": 0, "smudge_cell": 3, "artefact": 2, "unidentified": 8
    }  # fmt: skip
    assert differential.unresolved == 8
    assert differential.cells == len(marks)
    assert (differential.human_marked, differential.human_changed) == (9, 5)


@pytest.mark.parametrize(
    ("erythroblasts", "excluded", "corrected", "absolute"),
    [
        (10, False, Decimal("12.00"), Decimal("12.00")),
        (10, True, None, Decimal("15.00")),
        (2, False, None, Decimal("15.00")),
    ],
)
def test_the_white_count_is_corrected_for_many_erythroblasts(
    classified_case: MakeCase,
    erythroblasts: int,
    excluded: bool,
    corrected: Decimal | None,
    absolute: Decimal,
) -> None:
    case = classified_case([])
    case.wbc_count, case.wbc_excludes_erythroblasts = Decimal("15.00"), excluded
    marks = [*read_as("neutrophil", 40), *read_as("erythroblast", erythroblasts)]
    differential = count_cells(case, marks)
    assert differential.wbc_corrected == corrected
    assert row_of(differential, "neutrophil").absolute == absolute


def test_a_confirmed_reading_is_marked_but_not_changed(classified_case: MakeCase) -> None:
    differential = count_cells(classified_case([]), [named("monocyte"), *read_as("monocyte")])
    assert (differential.human_marked, differential.human_changed) == (1, 0)


def test_a_class_that_is_unusual_shows_only_when_seen(classified_case: MakeCase) -> None:
    shown = [row.cell_type for row in count_cells(classified_case([]), []).rows]
    assert shown == ["neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil"]


def test_nothing_counted_gives_no_percentage(classified_case: MakeCase) -> None:
    differential = count_cells(classified_case([]), read_as("platelet", 3))
    assert all(row.percent is None and row.interval is None for row in differential.rows)
    assert differential.erythroblasts_per_hundred is None


def test_reads_the_marks_of_machine_and_human_from_the_record(
    classified_case: MakeCase, correct: Callable[..., object]
) -> None:
    case = classified_case(["neutrophil", "lymphocyte", "unidentified", ""], in_review=True)
    correct(case, [1], "monocyte")
    correct(case, [3], "blast")
    differential = get_differential(case)
    counts = {row.cell_type: row.count for row in differential.rows if row.count}
    assert counts == {"neutrophil": 1, "monocyte": 1, "blast": 1}
    assert differential.unresolved == 1
    assert not differential.is_confirmed


def test_a_signed_case_is_confirmed(classified_case: MakeCase) -> None:
    case = classified_case([])
    case.status = CaseStatus.SIGNED_OFF
    assert get_differential(case).is_confirmed


def test_flags_the_absolute_value_first(classified_case: MakeCase) -> None:
    case = classified_case([])
    case.wbc_count = Decimal("2.00")
    marks = [*read_as("neutrophil", 60), *read_as("lymphocyte", 40)]
    neutrophils = row_of(count_cells(case, marks), "neutrophil")
    assert (neutrophils.absolute, neutrophils.flag) == (Decimal("1.20"), "low")
    assert neutrophils.reference is not None
    assert neutrophils.reference.quantity == Quantity.ABSOLUTE
    case.wbc_count = None
    by_percent = row_of(count_cells(case, marks), "neutrophil")
    assert (by_percent.absolute, by_percent.flag) == (None, "")
    assert by_percent.reference is not None
    assert by_percent.reference.quantity == Quantity.PERCENT


def test_flags_the_percentage_where_no_wbc_is_known(classified_case: MakeCase) -> None:
    marks = [*read_as("neutrophil", 91), *read_as("lymphocyte", 9)]
    differential = count_cells(classified_case([]), marks)
    assert row_of(differential, "neutrophil").flag == "high"
    assert row_of(differential, "lymphocyte").flag == "low"


def test_a_value_on_the_limit_is_normal(classified_case: MakeCase) -> None:
    case = classified_case([])
    case.wbc_count = Decimal("10.00")
    marks = [*read_as("neutrophil", 75), *read_as("lymphocyte", 25)]
    assert row_of(count_cells(case, marks), "neutrophil").flag == ""


def test_intervals_are_unconfirmed_until_a_named_person_approves_them(
    classified_case: MakeCase, pathologist: User
) -> None:
    case = classified_case([])
    assert count_cells(case, []).has_unapproved_reference
    ReferenceInterval.objects.update(approved_by=pathologist)
    assert not count_cells(case, []).has_unapproved_reference


def test_children_get_no_adult_interval(classified_case: MakeCase, patient: Patient) -> None:
    case = classified_case([])
    taken = case.specimen.collected_at.date()
    case.patient.birth_date = taken.replace(year=taken.year - 16, month=1, day=1)
    assert count_cells(case, read_as("neutrophil")).reference_note == ""
    case.patient.birth_date = taken.replace(year=taken.year - 15, month=1, day=1)
    child = count_cells(case, read_as("neutrophil"))
    assert child.reference_note == NO_INTERVAL_FOR_AGE
    assert all(row.reference is None and row.flag == "" for row in child.rows)


def _aged(case: Case, *, years: int = 0, days: int = 0) -> Case:
    """Give the patient this age on the day of collection."""
    taken = timezone.localdate(case.specimen.collected_at)
    case.patient.birth_date = taken.replace(year=taken.year - years, day=1) - timedelta(days=days)
    case.specimen.collected_at = case.specimen.collected_at.replace(day=1)
    return case


def test_children_are_held_against_bands_that_the_laboratory_approved(
    classified_case: MakeCase, pathologist: User
) -> None:
    case = classified_case([])
    band = _interval(from_age=2, to_age=6, low=Decimal(20))
    assert count_cells(_aged(case, years=4), []).reference_note == NO_INTERVAL_FOR_AGE
    ReferenceInterval.objects.filter(pk=band.pk).update(approved_by=pathologist)
    assert _chosen(_aged(case, years=4)) == (Decimal(20), 1)
    for outside in (1, 6):
        child = count_cells(_aged(case, years=outside), read_as("neutrophil"))
        assert child.reference_note == NO_INTERVAL_FOR_AGE
    assert _chosen(_aged(case, years=16)) == (Decimal(39), 1)


def test_the_newborn_have_bands_of_days(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case([])
    first = {"age_unit": AgeUnit.DAYS, "from_age": 0, "approved_by": pathologist}
    _interval(**first, to_age=4, low=Decimal(51))
    _interval(
        age_unit=AgeUnit.DAYS, from_age=4, to_age=28, low=Decimal(30), approved_by=pathologist
    )
    _interval(from_age=0, to_age=2, low=Decimal(25), approved_by=pathologist)
    found = {days: _chosen(_aged(case, days=days))[0] for days in (0, 3, 4, 27, 28, 300)}
    assert found == {0: 51, 3: 51, 4: 30, 27: 30, 28: 25, 300: 25}
    assert count_cells(_aged(case, days=3), []).age == "3 days"


def test_the_laboratory_says_from_when_somebody_is_adult(classified_case: MakeCase) -> None:
    Laboratory.objects.update_or_create(pk=1, defaults={"adult_from_years": 18})
    case = classified_case([])
    assert count_cells(_aged(case, years=17), []).reference_note == NO_INTERVAL_FOR_AGE
    assert count_cells(_aged(case, years=18), []).reference_note == ""


@pytest.mark.parametrize("ages", [{"from_age": 6, "to_age": 6}, {"from_age": 6, "to_age": 2}])
def test_a_band_of_ages_holds_somebody(db: None, ages: dict[str, int]) -> None:
    with pytest.raises(IntegrityError, match="ages_ordered"):
        _interval(**ages)


def _interval(**fields: object) -> ReferenceInterval:
    defaults = {
        "analyte": CellType.NEUTROPHIL,
        "quantity": Quantity.PERCENT,
        "low": Decimal(1),
        "high": Decimal(99),
        "source": "test",
        "effective_from": date(2020, 1, 1),
    }
    return ReferenceInterval.objects.create(**defaults | fields)


def _chosen(case: Case) -> tuple[Decimal, int]:
    reference = row_of(count_cells(case, []), "neutrophil").reference
    assert reference is not None
    return reference.limits.low, reference.version


def test_chooses_the_interval_by_sex_age_version_and_date(
    classified_case: MakeCase, pathologist: User
) -> None:
    case = classified_case([])
    assert _chosen(case) == (Decimal("39.00"), 1)
    _interval(version=2, low=Decimal("1.1"))
    assert _chosen(case) == (Decimal("1.10"), 2)
    _interval(version=3, effective_from=date(2999, 1, 1))
    assert _chosen(case) == (Decimal("1.10"), 2)
    ReferenceInterval.objects.filter(version=1).update(approved_by=pathologist)
    assert _chosen(case) == (Decimal("39.00"), 1)
    _interval(from_age=40, low=Decimal("1.2"))
    assert _chosen(case) == (Decimal("39.00"), 1), "a draft displaces nothing approved"
    ReferenceInterval.objects.update(approved_by=pathologist)
    assert _chosen(case) == (Decimal("1.20"), 1)
    approved = {"approved_by": pathologist}
    _interval(sex=Sex.MALE, low=Decimal("1.3"), **approved)
    assert _chosen(case) == (Decimal("1.20"), 1)
    _interval(sex=Sex.FEMALE, low=Decimal("1.4"), **approved)
    assert _chosen(case) == (Decimal("1.40"), 1)


def test_ages_count_birthdays() -> None:
    assert completed_years(date(2010, 3, 2), date(2026, 3, 1)) == 15
    assert completed_years(date(2010, 3, 2), date(2026, 3, 2)) == 16
    assert completed_years(date(2008, 2, 29), date(2025, 2, 28)) == 16
    assert completed_years(date(2008, 2, 29), date(2025, 3, 1)) == 17


def test_the_target_is_the_laboratorys_own(classified_case: MakeCase) -> None:
    Laboratory.objects.update_or_create(pk=1, defaults={"cell_target": 200})
    differential = count_cells(classified_case([]), read_as("neutrophil", 199))
    assert differential.target == 200
    assert differential.is_below_target
