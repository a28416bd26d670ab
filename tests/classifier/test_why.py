"""Why did it say so: the page and the panel, who may look, what stands beside a map."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.enums import CellType, ExplanationMethod, ExplanationStatus
from classifier.models import Cell, Explanation
from classifier.selectors import why
from classifier.textbook import TEXTBOOK, compare
from tests.explaining import QUICK, FakeExplainer, ask, work
from tests.factories import UserFactory
from tests.reviewing import MakeCase, cells_of

ClientFor = Callable[[User], Client]
PANEL = {"HX-Request": "true"}


@pytest.fixture
def cell(classified_case: MakeCase) -> Cell:
    return cells_of(classified_case(["neutrophil"], in_review=True))[0]


@pytest.fixture
def reader(pathologist: User, client_for: ClientFor) -> Client:
    return client_for(pathologist)


def address(cell: Cell, name: str = "why") -> str:
    return reverse(f"classifier:{name}", args=[cell.pk])


def read(client: Client, cell: Cell, **query: str) -> str:
    return client.get(address(cell), query).content.decode()


def test_the_page_asks_for_nothing_by_itself_and_offers_to(cell: Cell, reader: Client) -> None:
    page = read(reader, cell)
    assert "Why neutrophil?" in page
    assert "Show both" in page
    assert not Explanation.objects.exists()
    assert AuditEvent.objects.filter(action="patient.viewed").exists()


def test_asking_by_the_plain_form_leads_back_to_the_page(cell: Cell, reader: Client) -> None:
    answer = reader.post(
        address(cell, "why_ask"), {"class": "neutrophil", "method": "quick"}, follow=True
    )
    page = answer.content.decode()
    assert set(Explanation.objects.values_list("method", flat=True)) == set(QUICK)
    assert "Waiting for a worker" in page
    assert "<!doctype html>" in page


def test_the_panel_is_the_page_without_its_frame(cell: Cell, reader: Client) -> None:
    answer = reader.post(
        address(cell, "why_ask"), {"class": "neutrophil", "method": "shap"}, headers=PANEL
    )
    panel = answer.content.decode()
    assert "<!doctype html>" not in panel
    assert 'hx-trigger="load delay:400ms"' in panel


def test_a_finished_map_stands_with_scores_meaning_limits_and_model(
    cell: Cell, reader: Client, pathologist: User, explainer: FakeExplainer
) -> None:
    ask(cell, pathologist, *QUICK, "shap")
    work()
    page = read(reader, cell, method="shap")
    assert page.count("Better than chance") == 2
    assert "SHAP: bright where" in page
    assert "It shows what this network used" in page
    assert "fake 0.0.0" in page
    assert "000000000000" in page
    assert "speaks against it" in page
    assert "hx-trigger=" not in page.split('id="why"')[1].split("<header")[0]


def test_a_map_is_never_shown_without_what_the_machine_said_and_the_textbook(
    cell: Cell, reader: Client, pathologist: User, explainer: FakeExplainer
) -> None:
    ask(cell, pathologist)
    work()
    page = read(reader, cell)
    assert "What the machine said" in page
    assert "Neutrophil: the textbook" in page
    assert TEXTBOOK[CellType.NEUTROPHIL].nucleus in page


def test_the_morphology_in_words_is_read_once_and_held_against_the_textbook(
    cell: Cell, reader: Client, pathologist: User, explainer: FakeExplainer
) -> None:
    assert "It is read with the first map." in read(reader, cell)
    ask(cell, pathologist)
    work()
    ask(cell, pathologist, "lime")
    work()
    assert explainer.described == 1
    found = why.ask_why(cell.image.case.registered_by, cell)
    assert [(each.title, each.fits) for each in found.traits] == [
        ("Granule type", True),
        ("Chromatin", False),
        ("Nucleus", None),
    ]
    page = read(reader, cell)
    assert "1 of 2 that can be held against the textbook fit neutrophil." in page
    assert "uncertain, likeliest unsegmented-band" in page
    eosinophil = why.ask_why(cell.image.case.registered_by, cell, cell_type="eosinophil")
    assert [each.fits for each in eosinophil.traits] == [False, False, None]


def test_a_cell_that_cannot_be_described_says_so(
    cell: Cell, reader: Client, pathologist: User, explainer: FakeExplainer
) -> None:
    explainer.attributes = ()
    ask(cell, pathologist)
    work()
    assert "Not told: the machine learned to describe" in read(reader, cell)


def test_no_better_than_chance_is_said_in_words(
    cell: Cell, reader: Client, pathologist: User, explainer: FakeExplainer
) -> None:
    ask(cell, pathologist)
    work()
    made = Explanation.objects.get(method="gradcam")
    made.scores["random_deletion"] = made.scores["deletion"] + why.LEAST_DELETION_GAIN / 2
    made.save(update_fields=["scores"])
    page = read(reader, cell)
    assert page.count("No better than chance") == 1
    assert "takes the class away no sooner" in page


def test_the_second_class_and_the_reviewers_are_one_click_away(
    cell: Cell, reader: Client, correct: Callable[..., Any]
) -> None:
    correct(cell.image.case, [0], "monocyte")
    found = why.ask_why(cell.image.case.registered_by, cell)
    assert [item.reason for item in found.classes] == [
        "machine's likeliest",
        "second",
        "reviewer's",
    ]
    assert found.asked == "neutrophil"
    assert "Why not monocyte?" in read(reader, cell, **{"class": "monocyte"})


def test_a_class_that_the_model_lacks_is_answered_by_the_textbook_alone(
    cell: Cell, reader: Client, correct: Callable[..., Any]
) -> None:
    correct(cell.image.case, [0], "blast")
    page = read(reader, cell, **{"class": "blast"})
    assert "doesn&#x27;t know the class blast" in page or "doesn't know the class blast" in page
    assert "Blast: the textbook" in page
    assert "Show both" not in page
    refused = reader.post(
        address(cell, "why_ask"), {"class": "blast", "method": "quick"}, headers=PANEL
    ).content.decode()
    assert "it can&#x27;t weigh it" in refused


def test_a_cell_that_no_machine_read_says_so(classified_case: MakeCase, reader: Client) -> None:
    [unread] = cells_of(classified_case([""]))
    page = read(reader, unread)
    assert "No machine has named this cell" in page
    assert "Show both" not in page


def test_a_failure_gives_its_words_and_another_try(
    cell: Cell, reader: Client, pathologist: User, explainer: FakeExplainer
) -> None:
    explainer.error = ValueError("cannot broadcast")
    ask(cell, pathologist)
    work()
    page = read(reader, cell)
    assert "The explanation failed." in page
    assert "Try again" in page
    assert "cannot broadcast" not in page


def test_cancelling_by_the_plain_form(cell: Cell, reader: Client, pathologist: User) -> None:
    [asked] = ask(cell, pathologist, "lime")
    answer = reader.post(reverse("classifier:why_cancel", args=[asked.pk]), follow=True)
    asked.refresh_from_db()
    assert asked.status == ExplanationStatus.CANCELLED
    assert "Cancelled." in answer.content.decode()


def test_layers_are_sent_to_keep_and_only_to_who_may_see_the_case(
    cell: Cell,
    reader: Client,
    pathologist: User,
    explainer: FakeExplainer,
    client_for: ClientFor,
) -> None:
    ask(cell, pathologist, "gradcam")
    work()
    made = Explanation.objects.get()
    heat = reverse("classifier:why_heat", args=[made.pk])
    answer = reader.get(heat)
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert b"WEBP" in b"".join(answer)[:16]
    assert reader.get(reverse("classifier:why_against", args=[made.pk])).status_code == 404
    stranger = client_for(UserFactory.create(role=Role.CONSULTANT))
    assert stranger.get(heat).status_code == 404


def test_whoever_may_not_see_the_case_finds_nothing(
    cell: Cell, pathologist: User, client_for: ClientFor
) -> None:
    [asked] = ask(cell, pathologist, "lime")
    stranger = client_for(UserFactory.create(role=Role.CONSULTANT))
    assert stranger.get(address(cell)).status_code == 404
    data = {"class": "neutrophil", "method": "lime"}
    assert stranger.post(address(cell, "why_ask"), data).status_code == 404
    assert stranger.post(reverse("classifier:why_cancel", args=[asked.pk])).status_code == 404
    asked.refresh_from_db()
    assert asked.status == ExplanationStatus.QUEUED
    assert Client().get(address(cell)).status_code == 302


@pytest.mark.parametrize("data", [{"class": "dragon", "method": "lime"}, {"class": "neutrophil"}])
def test_nonsense_is_not_found(cell: Cell, reader: Client, data: dict[str, str]) -> None:
    assert reader.post(address(cell, "why_ask"), data).status_code == 404
    assert reader.get(address(cell), {"class": "dragon", "method": "tea"}).status_code == 200


def test_the_page_asks_the_database_the_same_however_much_was_made(
    cell: Cell,
    reader: Client,
    pathologist: User,
    explainer: FakeExplainer,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for cell_type in ("neutrophil", "monocyte"):
        ask(cell, pathologist, *ExplanationMethod.values, cell_type=cell_type)
    work()
    with django_assert_max_num_queries(24):
        assert reader.get(address(cell)).status_code == 200


def test_every_cell_type_has_a_textbook_entry_with_all_its_parts() -> None:
    assert set(TEXTBOOK) == set(CellType)
    for description in TEXTBOOK.values():
        assert all(words.endswith(".") for _, words in description.parts)


def test_a_trait_agrees_disagrees_or_is_not_decided() -> None:
    assert compare(CellType.EOSINOPHIL, "granule_colour", "red") is True
    assert compare(CellType.EOSINOPHIL, "granule_colour", "purple") is False
    assert compare(CellType.EOSINOPHIL, "cell_shape", "round") is None
    assert compare(CellType.PLATELET, "granule_colour", "purple") is None
