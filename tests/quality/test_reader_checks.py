"""Reader checks: what they are made of, who is dealt what, how they are scored and told of."""

import uuid
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AuditEvent, User
from classifier import policies as clinical
from classifier.exceptions import EditConflict, NotPermitted
from classifier.models import (
    Cell,
    Correction,
    Prediction,
    ReferenceMark,
    ReferenceStudy,
    Review,
)
from classifier.selectors.cells import list_cells
from classifier.services import reference_counts
from learning.services.consent import record_objection
from notifications.models import Notice
from quality.enums import Basis
from quality.exceptions import CheckRefused
from quality.models import CheckCell, ReaderCheck
from quality.periods import Period
from quality.selectors.agreement import board
from quality.selectors.known_cells import cells_for, count_by_class, usable_cells
from quality.selectors.reader_checks import (
    Rules,
    answers_of,
    cells_to_read,
    result_of,
    rules_in_force,
)
from quality.services import known_cells, reader_checks
from tests.quality.checking import (
    SECOND,
    TRUTH,
    count,
    golden_set,
    known,
    name_all,
    name_one,
    set_rules,
)
from tests.quality.readings import MakeManyCells, case_of, count_blind
from tests.restricting import restrict

__all__ = ["case_of", "count", "known"]


def deal(actor: User, reader: User) -> ReaderCheck:
    return reader_checks.deal(actor=actor, reader_id=reader.pk)


def test_a_count_gives_the_cells_that_its_readers_agreed_on(
    count: ReferenceStudy, administrator: User
) -> None:
    assert known_cells.take_count(actor=administrator, study_id=count.pk) == 11
    assert count_by_class() == [("neutrophil", 7), ("lymphocyte", 3), ("blast", 1)]
    assert known_cells.take_count(actor=administrator, study_id=count.pk) == 0
    event = AuditEvent.objects.get(action="known_cell.taken")
    assert (event.after, event.patient_id) == ({"cells": 11}, count.case.patient_id)


def test_a_count_that_waits_for_its_arbiter_gives_none(
    case_of: MakeManyCells, people: list[User], administrator: User
) -> None:
    anna, ben, *_ = people
    waiting = count_blind(
        case_of(["neutrophil"] * 12), administrator, [(anna, TRUTH), (ben, SECOND)]
    )
    with pytest.raises(CheckRefused, match="no cell on which its readers agreed"):
        known_cells.take_count(actor=administrator, study_id=waiting.pk)


def test_only_who_manages_the_laboratory_keeps_checks(
    known: ReferenceStudy, people: list[User]
) -> None:
    dora = people[3]
    with pytest.raises(NotPermitted):
        known_cells.take_count(actor=dora, study_id=known.pk)
    with pytest.raises(NotPermitted):
        known_cells.retire_cell(
            actor=dora, known_id=usable_cells()[0].pk, reason="Looks like a monocyte."
        )
    with pytest.raises(NotPermitted):
        deal(dora, dora)
    with pytest.raises(NotPermitted):
        set_rules(dora)


def test_a_golden_set_gives_its_cells(administrator: User) -> None:
    source = golden_set(administrator, ["neutrophil", "blast", "blast"])
    assert known_cells.take_set(actor=administrator, set_id=source.pk) == 3
    assert known_cells.take_set(actor=administrator, set_id=source.pk) == 0
    assert count_by_class() == [("neutrophil", 1), ("blast", 2)]


def test_what_was_kept_of_a_record_that_is_restricted_is_shown_no_more(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    check = deal(administrator, people[3])
    restrict(administrator, known.case.patient)
    assert usable_cells().count() == 0
    assert cells_to_read(check).count() == 0
    with pytest.raises(ReferenceStudy.DoesNotExist):
        known_cells.take_count(actor=administrator, study_id=known.pk)
    assert CheckCell.objects.filter(check_of=check).count() == 10


def test_what_is_of_a_patient_whose_cells_are_read_blind_is_not_shown_meanwhile(
    known: ReferenceStudy, case_of: MakeManyCells, administrator: User, people: list[User]
) -> None:
    dora = people[3]
    check = deal(administrator, dora)
    study = reference_counts.open_study(case_id=case_of(["neutrophil"]).pk, actor=administrator)
    reference_counts.start_reading(study_id=study.pk, actor=dora)
    assert cells_to_read(check).count() == 0
    reference_counts.leave_reading(study_id=study.pk, actor=dora)
    assert cells_to_read(check).count() == 10


def test_who_objects_gives_none(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    record_objection(
        accession_number=known.case.accession_number, reason="By letter.", actor=administrator
    )
    assert usable_cells().count() == 0
    with pytest.raises(CheckRefused, match="nothing beside their care"):
        known_cells.take_count(actor=administrator, study_id=known.pk)
    with pytest.raises(CheckRefused, match="Only 0 known cells"):
        deal(administrator, people[3])


def test_a_check_holds_cells_of_all_classes_new_to_the_reader(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    dora = people[3]
    check = deal(administrator, dora)
    classes = list(check.cells.values_list("known__cell_type", flat=True))
    assert len(classes) == 10
    assert (classes.count("blast"), classes.count("lymphocyte")) == (1, 3)
    assert check.due_on == timezone.localdate() + timedelta(days=14)
    assert deal(administrator, dora) == check
    assert cells_for(dora).count() == 1
    assert AuditEvent.objects.filter(action="check.dealt").count() == 1
    (told,) = Notice.objects.filter(kind="quality.check")
    assert told.recipient == dora


@pytest.mark.parametrize("reader", [0, 1, 2])
def test_who_read_a_cell_in_its_count_is_never_checked_on_it(
    known: ReferenceStudy, administrator: User, people: list[User], reader: int
) -> None:
    with pytest.raises(CheckRefused, match="Only 0 known cells are new to"):
        deal(administrator, people[reader])


def test_who_had_to_do_with_the_case_is_never_checked_on_it(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    Review.objects.create(case=known.case, reviewer=people[3])
    with pytest.raises(CheckRefused, match="Only 0 known cells are new to"):
        deal(administrator, people[3])


def test_who_was_shown_a_cell_reads_its_case_blind_no_more(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    dora = people[3]
    assert clinical.can_read_reference_count(dora, known.case)
    deal(administrator, dora)
    assert not clinical.can_read_reference_count(dora, known.case)


def test_only_readers_are_checked(
    known: ReferenceStudy, administrator: User, technician: User
) -> None:
    with pytest.raises(NotPermitted, match="reviews cases"):
        deal(administrator, technician)


def test_a_check_is_named_scored_and_closed(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    dora = people[3]
    check = deal(administrator, dora)
    name_one(check, dora, 1, "artefact")
    name_one(check, dora, 1, "smudge_cell")
    assert answers_of(check) == {1: "smudge_cell"}
    with pytest.raises(CheckRefused, match="9 cells are still unnamed"):
        reader_checks.complete(check_id=check.pk, actor=dora)
    done = name_all(check, dora, wrong=2)
    result = result_of(done)
    assert (result.right, result.cells) == (8, 10)
    assert {each.answer for each in result.wrong} == {"artefact"}
    assert result.kappa is None
    with pytest.raises(CheckRefused, match="not open to you"):
        name_one(check, dora, 1, "neutrophil")
    assert reader_checks.complete(check_id=check.pk, actor=dora) == done
    event = AuditEvent.objects.get(action="check.completed")
    assert event.after == {"reader": dora.full_name, "as_agreed": 8, "cells": 10}


def test_a_name_is_stored_once_and_by_its_reader_alone(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    dora = people[3]
    check = deal(administrator, dora)
    name = partial(
        reader_checks.name_cell, check_id=check.pk, actor=dora, position=1, action_id=uuid.uuid4()
    )
    assert name(cell_type="blast") == name(cell_type="blast")
    with pytest.raises(EditConflict):
        name(cell_type="neutrophil")
    for who, position, called in ((people[0], 1, "blast"), (dora, 99, "blast"), (dora, 1, "cat")):
        with pytest.raises(CheckRefused):
            name_one(check, who, position, called)


def test_nothing_of_a_check_reaches_a_case(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    def clinical_rows() -> list[int]:
        tables = (Cell, Prediction, Correction, Review, ReferenceMark)
        return [table._default_manager.count() for table in tables]

    rows, cells = clinical_rows(), list_cells(known.case)
    name_all(deal(administrator, people[3]), people[3], wrong=3)
    assert clinical_rows() == rows
    assert list_cells(known.case) == cells


def test_too_few_named_as_agreed_is_told_where_there_is_a_limit(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    dora = people[3]
    set_rules(administrator, least_percent=80)
    name_all(deal(administrator, dora), dora, wrong=3)
    told = Notice.objects.filter(kind="quality.readers")
    assert [notice.recipient for notice in told] == [administrator]
    event = AuditEvent.objects.get(action="check.below_limit")
    assert event.after == {
        "reader": dora.full_name, "as_agreed": 7, "cells": 10, "least_percent": 80,
    }  # fmt: skip


def test_as_many_as_the_limit_asks_for_tell_nobody(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    set_rules(administrator, least_percent=80)
    name_all(deal(administrator, people[3]), people[3], wrong=2)
    assert not AuditEvent.objects.filter(action="check.below_limit").exists()


def test_a_cell_in_doubt_leaves_all_figures(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    check = name_all(deal(administrator, people[3]), people[3], wrong=1)
    wrong = check.cells.get(position=result_of(check).wrong[0].position)
    known_cells.retire_cell(
        actor=administrator, known_id=wrong.known_id, reason="Two more readers doubt it."
    )
    result = result_of(check)
    assert (result.right, result.cells) == (9, 9)
    with pytest.raises(CheckRefused, match="Say why"):
        known_cells.retire_cell(actor=administrator, known_id=wrong.known_id, reason=" ")


def test_checks_are_dealt_reminded_of_and_told_once_each(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    dora = people[3]
    reader_checks.tend_checks()
    assert not ReaderCheck.objects.exists()
    set_rules(administrator, every_days=30)
    days: dict[int, set[str]] = {}
    start = timezone.now()
    for day in (0, 1, 12, 13, 15, 16):
        with time_machine.travel(start + timedelta(days=day)):
            before = list(AuditEvent.objects.values_list("pk", flat=True))
            reader_checks.tend_checks()
            reader_checks.tend_checks()
            fresh = AuditEvent.objects.exclude(pk__in=before)
            days[day] = set(fresh.values_list("action", flat=True))
    short = "check.cells_short"
    assert days == {
        0: {"check.dealt", short}, 1: set(), 12: {"check.reminded"}, 13: set(),
        15: {"check.overdue"}, 16: set(),
    }  # fmt: skip
    assert ReaderCheck.objects.get().reader == dora
    assert AuditEvent.objects.filter(action=short).count() == 3
    told = Notice.objects.filter(kind="quality.check", recipient=dora)
    assert told.count() == 3


def test_the_next_check_is_dealt_so_many_days_after_the_last(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    dora = people[3]
    source = golden_set(administrator, ["neutrophil", "lymphocyte"] * 6)
    known_cells.take_set(actor=administrator, set_id=source.pk)
    set_rules(administrator, every_days=30)
    reader_checks.tend_checks()
    name_all(ReaderCheck.objects.get(reader=dora), dora)
    start = timezone.now()
    for day, checks in ((29, 1), (31, 2)):
        with time_machine.travel(start + timedelta(days=day)):
            reader_checks.tend_checks()
        assert ReaderCheck.objects.filter(reader=dora).count() == checks
    first, second = ReaderCheck.objects.filter(reader=dora).order_by("dealt_at")
    seen = set(first.cells.values_list("known", flat=True))
    assert not seen & set(second.cells.values_list("known", flat=True))


def test_a_check_is_withdrawn_with_a_reason(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    dora = people[3]
    check = deal(administrator, dora)
    with pytest.raises(CheckRefused, match="Say why"):
        reader_checks.withdraw(check_id=check.pk, actor=administrator, reason="")
    reader_checks.withdraw(check_id=check.pk, actor=administrator, reason="On leave.")
    reader_checks.withdraw(check_id=check.pk, actor=administrator, reason="On leave.")
    assert AuditEvent.objects.filter(action="check.withdrawn").count() == 1
    with pytest.raises(CheckRefused, match="not open to you"):
        name_one(check, dora, 1, "blast")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"cells": 9}, "10 to 100 cells"),
        ({"every_days": 0}, "every 1 to 366 days"),
        ({"due_days": 0}, "1 to 366 days for a check"),
        ({"least_percent": 101}, "1 to 100 percent"),
    ],
)
def test_rules_out_of_range_are_refused(
    administrator: User, wrong: dict[str, int], words: str
) -> None:
    with pytest.raises(CheckRefused, match=words):
        reader_checks.set_rules(actor=administrator, rules=Rules(**wrong), reason="Try.")
    assert rules_in_force() == Rules()


def test_the_agreement_board_holds_readers_against_the_agreed_class(
    known: ReferenceStudy, administrator: User, people: list[User]
) -> None:
    name_all(deal(administrator, people[3]), people[3], wrong=2)
    today = timezone.localdate()
    period = Period(today - timedelta(days=1), today + timedelta(days=1))
    everybody, own = board(administrator, basis=Basis.CHECKS, period=period).pairs
    assert (everybody.first, everybody.second) == ("All readers", "the agreed class")
    assert (own.first, own.cells, own.cases) == (people[3].full_name, 10, 1)
    assert sum(own.matrix[place][place] for place in range(len(own.classes))) == 8
