"""The pages of reader checks: what each person sees of them, and that they tell nothing early."""

import io
import uuid
from collections.abc import Callable

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from classifier.models import ReferenceStudy
from quality.models import KnownCell, ReaderCheck
from quality.selectors.known_cells import usable_cells
from quality.selectors.reader_checks import answers_of, rules_in_force
from quality.services import reader_checks
from tests.pages import words_of
from tests.quality.checking import count, golden_set, known, name_all
from tests.quality.readings import case_of
from tests.restricting import restrict

__all__ = ["case_of", "count", "known"]
ClientFor = Callable[[User], Client]
BOARD = "/quality/checks/"
CELLS = "/quality/known-cells/"


@pytest.fixture
def dora(people: list[User]) -> User:
    """Somebody who had nothing to do with the count."""
    return people[3]


@pytest.fixture
def check(known: ReferenceStudy, administrator: User, dora: User) -> ReaderCheck:
    return reader_checks.deal(actor=administrator, reader_id=dora.pk)


def test_a_reader_is_shown_cells_alone(
    check: ReaderCheck, known: ReferenceStudy, dora: User, client_for: ClientFor
) -> None:
    client = client_for(dora)
    assert "A check waits for you" in words_of(client.get(BOARD))
    page = client.get(check.get_absolute_url())
    told = words_of(page)
    shown = KnownCell.objects.first()
    assert shown is not None
    for secret in (known.case.accession_number, str(shown.pk), str(shown.cell_id), "Agreed class"):
        assert secret not in told
    assert page.context["script_data"]["contested"] == {}
    picture = client.get(page.context["picture"])
    assert picture["Content-Type"] == "image/webp"
    assert "private" in picture["Cache-Control"]
    assert str(shown.pk) not in str(picture.headers)


def test_cells_are_named_with_and_without_scripts(
    check: ReaderCheck, dora: User, client_for: ClientFor
) -> None:
    client = client_for(dora)
    step = {"action_id": str(uuid.uuid4()), "position": 1, "cell_type": "blast"}
    assert client.post(reverse("quality:check_name", args=[check.pk]), step).status_code == 302
    step = {"action_id": str(uuid.uuid4()), "position": 2, "cell_type": "monocyte"}
    address = reverse("quality:check_names", args=[check.pk])
    answer = client.post(address, step, content_type="application/json")
    assert answer.json() == {"position": 2, "cell_type": "monocyte", "done": 2, "total": 10}
    assert answers_of(check) == {1: "blast", 2: "monocyte"}
    refused = client.post(address, step | {"cell_type": "cat"}, content_type="application/json")
    assert refused.status_code == 400


def test_an_open_check_is_its_readers_alone(
    check: ReaderCheck, administrator: User, people: list[User], client_for: ClientFor
) -> None:
    addresses = [
        check.get_absolute_url(), reverse("quality:check_picture", args=[check.pk, 1]),
    ]  # fmt: skip
    for person in (administrator, people[0]):
        client = client_for(person)
        assert [client.get(address).status_code for address in addresses] == [404, 404]
    step = {"action_id": str(uuid.uuid4()), "position": 1, "cell_type": "blast"}
    other = client_for(people[0])
    assert other.post(reverse("quality:check_name", args=[check.pk]), step).status_code == 404
    assert answers_of(check) == {}


def test_a_check_without_cells_to_show_says_so(
    check: ReaderCheck, known: ReferenceStudy, administrator: User, dora: User,
    client_for: ClientFor,
) -> None:  # fmt: skip
    restrict(administrator, known.case.patient)
    answer = client_for(dora).get(check.get_absolute_url(), follow=True)
    assert "None of the cells of this check may be shown now." in words_of(answer)


def test_afterwards_the_reader_sees_what_was_agreed(
    check: ReaderCheck, administrator: User, dora: User, people: list[User], client_for: ClientFor
) -> None:
    name_all(check, dora, wrong=1)
    own = client_for(dora)
    result = words_of(own.get(check.get_absolute_url()))
    assert "9 of 10 cells named as agreed" in result
    assert "you said artefact" in result
    board = words_of(own.get(BOARD))
    assert "Your checks" in board
    assert "Readers</h2>" not in board
    assert own.get(f"{BOARD}figure.svg").content.startswith(b"<?xml")
    assert client_for(administrator).get(check.get_absolute_url()).status_code == 200
    assert client_for(people[0]).get(check.get_absolute_url()).status_code == 404


def test_a_reader_exports_the_own_figures_and_who_keeps_checks_all(
    check: ReaderCheck, administrator: User, dora: User, people: list[User], client_for: ClientFor
) -> None:
    name_all(check, dora, wrong=1)

    def readers(who: User) -> list[str]:
        answer = client_for(who).get(f"{BOARD}tables/xlsx")
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        assert book.sheetnames == ["Readers", "Classes"]
        return [str(row[0].value) for row in book["Readers"].iter_rows(min_row=2)]

    assert readers(dora) == [dora.full_name]
    assert readers(administrator) == sorted(person.full_name for person in people)
    assert client_for(dora).get(f"{BOARD}tables/classes.csv").status_code == 200


def test_who_keeps_checks_sees_all_readers_deals_and_withdraws(
    known: ReferenceStudy, administrator: User, dora: User, client_for: ClientFor
) -> None:
    client = client_for(administrator)
    assert "never checked" in words_of(client.get(BOARD))
    deal = reverse("quality:check_deal", args=[dora.pk])
    client.post(deal)
    (check,) = ReaderCheck.objects.all()
    assert check.reader == dora
    refused = client.post(reverse("quality:check_withdraw", args=[check.pk]), follow=True)
    assert "Say why the check is withdrawn." in words_of(refused)
    client.post(reverse("quality:check_withdraw", args=[check.pk]), {"reason": "On leave."})
    check.refresh_from_db()
    assert check.withdrawn_because == "On leave."
    assert client_for(dora).get(check.get_absolute_url()).status_code == 404


def test_too_few_known_cells_are_told_in_words(
    known: ReferenceStudy, administrator: User, people: list[User], client_for: ClientFor
) -> None:
    deal = reverse("quality:check_deal", args=[people[0].pk])
    answer = client_for(administrator).post(deal, follow=True)
    assert "Only 0 known cells are new to First Reader; a check takes 10." in words_of(answer)


def test_known_cells_are_taken_shown_and_retired(
    count: ReferenceStudy, administrator: User, client_for: ClientFor
) -> None:
    client = client_for(administrator)
    assert "There are no known cells yet" in words_of(client.get(CELLS))
    source = golden_set(administrator, ["blast", "blast"])
    for kind, key in (("count", count.pk), ("set", source.pk)):
        client.post(f"{CELLS}take/", {"kind": kind, "key": key})
    assert usable_cells().count() == 13
    page = client.get(CELLS, {"class": "blast"})
    assert [cell.cell_type for cell in page.context["page"]] == ["blast"] * 3
    first = page.context["page"][0]
    picture = client.get(reverse("quality:known_cell_picture", args=[first.pk]))
    assert picture["Content-Type"] == "image/webp"
    client.post(reverse("quality:known_cell_retire", args=[first.pk]), {"reason": "A monocyte?"})
    assert usable_cells().count() == 12
    assert client.get(picture.request["PATH_INFO"]).status_code == 404
    refused = client.post(f"{CELLS}take/", {"kind": "count", "key": "no"}, follow=True)
    assert "Choose a reference count" in words_of(refused)
    assert client.post(f"{CELLS}take/", {"kind": "set", "key": uuid.uuid4()}).status_code == 404


def test_rules_are_set_on_a_page(administrator: User, client_for: ClientFor) -> None:
    client = client_for(administrator)
    address = f"{BOARD}rules/"
    assert client.get(address).context["form"]["cells"].value() == 20
    entered = {"every_days": "", "cells": 30, "due_days": 7, "least_percent": 85, "reason": "SOP 7"}
    assert client.post(address, entered | {"cells": 5}).status_code == 422
    assert client.post(address, entered).status_code == 302
    rules = rules_in_force()
    assert (rules.every_days, rules.cells, rules.due_days, rules.least_percent) == (None, 30, 7, 85)


def test_nothing_checked_is_said_so(dora: User, client_for: ClientFor) -> None:
    client = client_for(dora)
    assert "You completed no check in this period" in words_of(client.get(BOARD))
    assert client.get(f"{BOARD}figure.svg").status_code == 404
