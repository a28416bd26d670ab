"""Reference intervals of the white count and the platelets."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from classifier.enums import WHITE_COUNT, CellType, Quantity, Sex
from classifier.models import Case, ReferenceInterval
from classifier.selectors.differential import Differential, count_cells, get_differential
from classifier.selectors.references import NO_INTERVAL_FOR_AGE, flag_of
from classifier.services.limits import approve_limit, propose_limit
from tests.reviewing import MakeCase

MIXED = ["neutrophil"] * 6 + ["lymphocyte"] * 3 + ["monocyte"]
SignIn = Callable[[User], Client]
Counted = Callable[..., Case]


@pytest.fixture
def count(classified_case: MakeCase) -> Callable[[str], Differential]:
    case = classified_case(MIXED)

    def at(wbc: str, **patient: object) -> Differential:
        case.wbc_count = Decimal(wbc)
        for name, value in patient.items():
            setattr(case.patient, name, value)
        return count_cells(case, [])

    return at


def interval(**fields: object) -> ReferenceInterval:
    defaults: dict[str, object] = {
        "analyte": WHITE_COUNT,
        "quantity": Quantity.ABSOLUTE,
        "low": Decimal(5),
        "high": Decimal(12),
        "source": "Our own data",
        "effective_from": date(2020, 1, 1),
    }
    return ReferenceInterval.objects.create(**defaults | fields)


@pytest.mark.parametrize(
    ("wbc", "flag"),
    [("3.99", "low"), ("4.00", ""), ("11.00", ""), ("11.01", "high")],
)
def test_the_white_count_is_low_or_high_beyond_its_interval(
    count: Callable[[str], Differential], wbc: str, flag: str
) -> None:
    assert count(wbc).wbc_flag == flag


def test_a_critical_white_count_says_so_instead(count: Callable[[str], Differential]) -> None:
    assert count("1.50").wbc_flag == "critical_low"
    assert count("60.00").wbc_flag == "critical_high"


def test_without_a_white_count_there_is_nothing_to_flag(classified_case: MakeCase) -> None:
    differential = get_differential(classified_case(MIXED))
    assert differential.wbc_flag == ""
    assert differential.wbc_reference is not None


def test_what_was_corrected_for_nucleated_red_cells_is_judged(
    counted_case: Callable[..., Case],
) -> None:
    case = counted_case("12.50", ["neutrophil"] * 10 + ["erythroblast"] * 5)
    differential = get_differential(case)
    assert differential.wbc == Decimal("8.33")
    assert differential.wbc_flag == ""


def test_chosen_by_sex_age_and_approval(
    count: Callable[..., Differential], pathologist: User
) -> None:
    women = interval(sex=Sex.FEMALE, from_age=16, version=1)
    assert count("4.50", sex=Sex.MALE).wbc_flag == ""
    assert count("4.50", sex=Sex.FEMALE).wbc_flag == "low"
    ReferenceInterval.objects.filter(analyte=WHITE_COUNT, sex="").update(approved_by=pathologist)
    assert count("4.50", sex=Sex.FEMALE).wbc_flag == "", "approved before not approved"
    ReferenceInterval.objects.filter(pk=women.pk).update(approved_by=pathologist)
    assert count("4.50", sex=Sex.FEMALE).wbc_flag == "low"


def test_children_are_held_against_approved_intervals_alone(
    count: Callable[..., Differential], pathologist: User
) -> None:
    born = timezone.localdate().replace(day=1)
    young = born.replace(year=born.year - 5)
    assert count("14.00", birth_date=young).wbc_reference is None
    interval(from_age=2, to_age=6, high=Decimal(15), approved_by=pathologist)
    child = count("14.00", birth_date=young)
    assert child.wbc_reference is not None
    assert child.wbc_flag == ""
    assert child.reference_note == NO_INTERVAL_FOR_AGE, "none holds for the classes"


def test_platelets_are_held_against_their_own_interval(
    count: Callable[[str], Differential],
) -> None:
    reference = count("7.00").platelet_reference
    assert flag_of(Decimal(149), reference) == "low"
    assert flag_of(Decimal(150), reference) == ""
    assert flag_of(Decimal(401), reference) == "high"
    assert flag_of(None, reference) == ""
    assert flag_of(Decimal(149), None) == ""


def test_what_comes_with_the_laboratory_is_not_approved_and_says_where_it_is_from(
    count: Callable[[str], Differential],
) -> None:
    for analyte, word in ((WHITE_COUNT, "PMC7082321"), (CellType.PLATELET, "no study named")):
        seeded = ReferenceInterval.objects.get(analyte=analyte)
        assert not seeded.is_approved
        assert word in seeded.source
    ReferenceInterval.objects.exclude(analyte=WHITE_COUNT).update(approved_at=timezone.now())
    assert count("7.00").has_unapproved_reference


def test_proposed_by_one_and_approved_by_another(
    count: Callable[[str], Differential], administrator: User, pathologist: User
) -> None:
    seeded = ReferenceInterval.objects.get(analyte=WHITE_COUNT)
    names = ("analyte", "quantity", "sex", "age_unit", "from_age", "to_age")
    values = {name: getattr(seeded, name) for name in names} | {
        "low": Decimal("3.6"),
        "high": Decimal("10.5"),
        "source": "Our own data",
        "effective_from": timezone.localdate(),
    }
    limit = propose_limit(kind=ReferenceInterval, actor=administrator, values=values)
    before = count("10.80")
    assert before.wbc_reference is not None
    assert before.wbc_reference.version == 1, "a proposal judges nothing"
    approve_limit(kind=ReferenceInterval, limit_id=limit.pk, actor=pathologist)
    specimen_of_today = count("10.80").wbc_reference
    assert specimen_of_today is not None
    assert (limit.version, limit.proposed_by) == (2, administrator)


@pytest.mark.parametrize("analyte", [WHITE_COUNT, CellType.PLATELET])
def test_the_database_holds_no_percentage_of_a_count(db: None, analyte: str) -> None:
    with pytest.raises(IntegrityError, match="counts_are_absolute"):
        interval(analyte=analyte, quantity=Quantity.PERCENT)


def test_the_form_refuses_a_percentage_of_a_count(client_for: SignIn, administrator: User) -> None:
    response = client_for(administrator).post(
        reverse("classifier:limit_new", args=["reference"]),
        {
            "analyte": "platelet",
            "quantity": "percent",
            "low": "150",
            "high": "400",
            "age_unit": "years",
            "from_age": "16",
            "source": "Ours",
            "effective_from": timezone.localdate().isoformat(),
        },
    )
    assert response.status_code == 422
    assert "absolute intervals only" in response.content.decode()


def test_the_review_shows_flag_and_interval(
    counted_case: Counted, client_for: SignIn, pathologist: User
) -> None:
    case = counted_case("12.00", MIXED, in_review=True)
    address = reverse("classifier:review_summary", args=[case.pk])
    page = client_for(pathologist).get(address).content.decode()
    note = page.split('<div class="summary-notes">')[1].split("</p>")[0]
    assert "High" in note
    assert "4–11" in note  # noqa: RUF001
