"""What a corrected report says differently."""

from dataclasses import replace
from decimal import Decimal

from reports.changes import ABSENT, list_changes
from reports.content import Change
from tests.reports.contents import ROWS, make_content, make_pictures


def test_the_same_content_changes_nothing() -> None:
    assert list_changes(make_content(), make_content()) == ()


def test_names_the_class_with_old_and_new_figures() -> None:
    old = make_content()
    row = replace(old.differential[0], count=39, flag=None)

    changes = list_changes(old, replace(old, differential=(row, *old.differential[1:])))

    assert changes == (
        Change(
            "Neutrophil",
            "38 (38.0 %), 10.79 × 10⁹/L, high",  # noqa: RUF001
            "39 (38.0 %), 10.79 × 10⁹/L",  # noqa: RUF001
        ),
    )


def test_another_interval_is_a_change_even_if_the_figures_stay() -> None:
    old = make_content()
    row = old.differential[0]
    assert row.reference is not None
    approved = replace(row, reference=replace(row.reference, version=2, is_approved=True))

    (change,) = list_changes(old, replace(old, differential=(approved, *old.differential[1:])))

    assert change.old.endswith("reference 2.0–7.5 (version 1, unconfirmed)")  # noqa: RUF001
    assert change.new.endswith("reference 2.0–7.5 (version 2, approved)")  # noqa: RUF001


def test_a_class_that_comes_or_goes_is_named() -> None:
    old = make_content()
    without = replace(old, differential=old.differential[:-1])

    (gone,) = list_changes(old, without)
    (new,) = list_changes(without, old)

    assert (gone.item, gone.new) == ("Blast", ABSENT)
    assert (new.item, new.old) == ("Blast", ABSENT)


def test_names_text_identity_and_pictures() -> None:
    old = make_content(interpretation="")
    new = make_content(
        interpretation="Normal.",
        patient=replace(old.patient, family_name="Vargas"),
        pictures=make_pictures(1)[0],
    )

    items = {change.item: (change.old, change.new) for change in list_changes(old, new)}

    assert items["Interpretation"] == (ABSENT, "Normal.")
    assert items["Patient"] == ("Varga, István", "Vargas, István")
    assert items["Cell images"] == (ABSENT, "Neutrophil 1")


def test_other_cells_of_the_same_classes_are_a_change() -> None:
    first, second = make_pictures(7)[0][0], make_pictures(7)[0][6]

    (change,) = list_changes(make_content(pictures=(first,)), make_content(pictures=(second,)))

    assert (change.old, change.new) == ("Neutrophil 1", "Neutrophil 1 (other cells)")


def test_an_interval_that_now_carries_naming_errors_is_a_change() -> None:
    old = make_content()
    row = replace(ROWS[0], naming_low=Decimal("24.0"), naming_high=Decimal("52.1"))
    (change,) = list_changes(old, make_content(differential=(row, *ROWS[1:])))
    assert change.item == "Neutrophil"
    assert change.old.endswith("95 % interval 28.5\u201348.3")
    assert change.new.endswith("28.5\u201348.3, with naming errors 24.0\u201352.1")
