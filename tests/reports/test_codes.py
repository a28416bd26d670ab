"""Codes of the outside world: each is well formed, and every class of ours has one."""

from collections.abc import Iterator
from dataclasses import fields, replace

import pytest

from classifier.enums import LEUKOCYTES, CellLine, Priority, Sex
from reports import codes
from reports.critical import FLAG_WORDS
from reports.enums import ReportStatus
from reports.morphology import LOINC as MORPHOLOGY
from tests.reports.contents import make_content

BY_EYE = replace(make_content().reading, read_by_software=0)


def _loinc() -> Iterator[codes.Code]:
    for counts in codes.LEUKOCYTES.values():
        yield from (each for field in fields(counts) if (each := getattr(counts, field.name)))
    yield from codes.MORPHOLOGY_PANELS.values()
    yield from (
        codes.DIFFERENTIAL_PANEL,
        codes.MANUAL_DIFFERENTIAL_PANEL,
        codes.NUCLEATED_RED_CELLS,
        codes.MANUAL_NUCLEATED_RED_CELLS,
        codes.WHITE_COUNT,
        codes.ANALYSER_WHITE_COUNT,
        codes.PLATELET_ESTIMATE,
        codes.DIFFERENTIAL_COMMENT,
        codes.INTERPRETATION,
        codes.LABORATORY_REPORT,
    )


@pytest.mark.parametrize("code", [item.code for item in _loinc()])
def test_every_loinc_has_its_check_digit(code: str) -> None:
    number, digit = code.split("-")
    assert codes.loinc_check_digit(number) == int(digit)


def test_a_mistyped_loinc_is_noticed() -> None:
    assert codes.loinc_check_digit("24318") == 8


def test_no_loinc_stands_for_two_things() -> None:
    found = [item.code for item in _loinc()]
    assert len(found) == len(set(found))


def test_every_leukocyte_has_codes() -> None:
    assert set(codes.LEUKOCYTES) == {kind.value for kind in LEUKOCYTES}


def test_every_flag_sex_priority_status_and_panel_has_a_code() -> None:
    assert set(codes.FLAGS) == {"", *FLAG_WORDS}
    assert set(codes.V2_SEXES) == set(Sex.values)
    assert set(codes.V2_PRIORITIES) == set(Priority.values)
    assert set(ReportStatus.values) <= set(codes.V2_STATUSES)
    assert {MORPHOLOGY[line] for line in CellLine} == set(codes.MORPHOLOGY_PANELS)


def test_a_count_that_software_helped_with_has_no_method() -> None:
    reading = make_content().reading
    assert codes.percent_code("neutrophil", reading).code == "26511-6"
    assert codes.absolute_code("neutrophil", reading).code == "26499-4"
    assert codes.panel_code(reading) is codes.DIFFERENTIAL_PANEL


def test_a_count_by_eye_alone_is_a_manual_one_where_there_is_a_code() -> None:
    assert codes.percent_code("neutrophil", BY_EYE).code == "23761-0"
    assert codes.absolute_code("blast", BY_EYE).code == "30376-8"
    assert codes.panel_code(BY_EYE) is codes.MANUAL_DIFFERENTIAL_PANEL
