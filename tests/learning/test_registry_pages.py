"""The registry's pages: who sees them, what they say, and that a card does no harm."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from classifier.models import ModelVersion
from classifier.services.model_versions import activate_version
from learning.enums import Standing
from learning.selectors.cards import render_card
from learning.selectors.registry import list_models
from tests.browsing import SignIn
from tests.pages import words_of
from tests.reviewing import MakeCase

pytestmark = pytest.mark.django_db


def make_version(number: int, **values: Any) -> ModelVersion:
    fields = {"name": "cells", "version": f"{number}.0", "sha256": f"{number}" * 64}
    return ModelVersion.objects.create(**fields, class_names=["neutrophil"], **values)


def test_who_works_here_reads_and_others_are_shut_out(
    technician: User, pathologist: User, administrator: User, consultant: User, learner: User,
    client_for: SignIn, active_model: ModelVersion,
) -> None:  # fmt: skip
    pages = [reverse("learning:models"), reverse("learning:model", args=[active_model.pk])]
    for page in pages:
        for person in (technician, pathologist, administrator):
            assert client_for(person).get(page).status_code == 200
        for person in (consultant, learner):
            assert client_for(person).get(page).status_code == 403
        assert Client().get(page).status_code == 302
    upload = reverse("learning:upload")
    assert client_for(administrator).get(upload).status_code == 200
    for person in (technician, pathologist, consultant):
        assert client_for(person).get(upload).status_code == 403
        assert client_for(person).post(upload).status_code == 403


def test_the_list_says_since_when_a_version_is_in_use_and_what_it_read(
    classified_case: MakeCase, active_model: ModelVersion, administrator: User
) -> None:
    classified_case(["neutrophil", "lymphocyte"])
    newer = make_version(2)
    activate_version(version_id=newer.pk, actor=administrator, reason="better")
    activate_version(version_id=active_model.pk, actor=administrator, reason="worse")
    first, second = list_models(administrator)
    assert (first.version, first.standing) == (active_model, Standing.IN_USE)
    assert (first.runs, first.cases) == (2, 1)
    assert first.periods[0].until is None
    assert (second.version, second.standing) == (newer, Standing.RETIRED)
    assert second.periods[0].until == first.periods[0].since
    assert second.version.approved_by == administrator


def test_the_list_asks_the_database_the_same_however_long_it_is(
    administrator: User, client_for: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = client_for(administrator)
    for number in range(1, 8):
        make_version(number)
    with django_assert_max_num_queries(20):
        page = client.get(reverse("learning:models"))
    assert words_of(page).count("nobody yet") == 7


def test_without_any_model_the_page_says_so(administrator: User, client_for: SignIn) -> None:
    page = client_for(administrator).get(reverse("learning:models"))
    assert "No model is registered" in words_of(page)


def test_a_card_brings_no_markup_links_or_pictures_of_its_own() -> None:
    html = render_card(
        "# Title\n\n<script>x</script> [a](javascript:b) ![p](http://e/x.png)\n\n"
        "| a | b |\n|--:|:-:|\n| 1 | <b>2</b> |\n"
    )
    assert "<h3>Title</h3>" in html
    assert "<table>" in html
    for forbidden in ("<script", "<a ", "<img", "style=", "<b>"):
        assert forbidden not in html
