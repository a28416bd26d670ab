"""Pages on which candidates are judged and put in use."""

import pytest
from django.urls import reverse

from accounts.models import User
from classifier.models import ModelVersion
from learning.enums import SetKind
from learning.models import Comparison, LabelledSet, Nomination, Promotion
from learning.selectors.golden import golden_cases, golden_cells
from learning.services import evaluations
from learning.services.golden import freeze_set, open_set
from reports.services.sign_off import sign_off_case
from tests.browsing import SignIn
from tests.factories import PASSWORD
from tests.learning.judging import Bench
from tests.pages import words_of
from tests.reports.conftest import intent_for, proof_of
from tests.reviewing import Correct, MakeCase

pytestmark = pytest.mark.django_db


def test_from_evaluation_to_rollback_by_the_pages(
    bench: Bench, golden: LabelledSet, administrator: User, client_for: SignIn
) -> None:
    active = bench.add(1)
    from classifier.services.model_versions import activate_version

    activate_version(version_id=active.pk, actor=administrator, reason="first")
    version = bench.add(2)
    browser = client_for(administrator)
    model = reverse("learning:model", args=[version.pk])
    assert browser.post(reverse("learning:evaluate", args=[version.pk]))["Location"] == model
    evaluations.evaluate_waiting(worker="w")
    compared = browser.post(reverse("learning:compare", args=[version.pk]), {"set": golden.pk})
    made = Comparison.objects.get()
    assert compared["Location"] == reverse("learning:comparison", args=[made.pk])
    assert "At least as good in every class" in words_of(browser.get(compared["Location"]))
    assert "golden v1" in words_of(browser.get(model))
    promote = reverse("learning:promote", args=[version.pk])
    wrong = browser.post(promote, {"reason": "better", "password": "wrong"})
    assert wrong.status_code == 422
    assert "Nothing was changed" in words_of(wrong)
    assert browser.post(promote, {"reason": "better", "password": PASSWORD})["Location"] == model
    assert ModelVersion.objects.get(is_active=True) == version
    back = browser.post(reverse("learning:roll_back"), {"reason": "odd", "password": PASSWORD})
    assert back.status_code == 302
    assert ModelVersion.objects.get(is_active=True) == active
    listed = words_of(browser.get(reverse("learning:promotions")))
    assert "Rolled back to" in listed
    assert Promotion.objects.count() == 2


def test_a_refusal_is_shown_with_its_table_and_stands_in_the_way(
    bench: Bench, golden: LabelledSet, administrator: User, pathologist: User, client_for: SignIn
) -> None:
    bench.add(1, is_active=True)
    version = bench.add(2, bench.pictures_of("lymphocyte")[:12])
    browser = client_for(administrator)
    browser.post(reverse("learning:evaluate", args=[version.pk]))
    evaluations.evaluate_waiting(worker="w")
    compared = browser.post(reverse("learning:compare", args=[version.pk]), {"set": golden.pk})
    page = words_of(browser.get(compared["Location"]))
    assert "Lymphocyte is worse" in page
    promote = reverse("learning:promote", args=[version.pk])
    assert "It was refused on golden v1." in words_of(browser.get(promote))
    made = Comparison.objects.get()
    client_for(pathologist).post(reverse("learning:override", args=[made.pk]), {"reason": "why"})
    assert "Promote in my name" in words_of(browser.get(promote))


def test_two_people_agree_on_a_cell_before_it_goes_in(
    classified_case: MakeCase, correct: Correct, pathologist: User, colleague: User,
    administrator: User, client_for: SignIn,
) -> None:  # fmt: skip
    case = classified_case(["neutrophil", "unidentified"], in_review=True)
    correct(case, [0], "neutrophil")
    correct(case, [1], "lymphocyte")
    sign_off_case(case_id=case.pk, actor=pathologist, intent=intent_for(case),
                  reauthentication=proof_of(pathologist))  # fmt: skip
    draft = open_set(name="ours", kind=SetKind.GOLDEN, source="our cases", actor=administrator)
    nominate = reverse("learning:set_nominate", args=[draft.pk])
    client_for(administrator).post(nominate, {"accession_number": case.accession_number})
    assert Nomination.objects.count() == 2
    read = reverse("learning:set_read", args=[draft.pk])
    assert "Nothing waits for you" in words_of(client_for(pathologist).get(read))
    second = client_for(colleague)
    for said in ("neutrophil", "monocyte"):
        waiting = Nomination.objects.filter(second_type="").order_by("pk")[0]
        picture = second.get(reverse("learning:nomination_picture", args=[waiting.pk]))
        assert picture["Content-Type"] == "image/png"
        second.post(read, {"nomination": waiting.pk, "cell_type": said})
    frozen = freeze_set(set_id=draft.pk, actor=administrator)
    cell = frozen.cells.get()
    assert (cell.cell_type, cell.first_reader, cell.second_reader) == (
        "neutrophil", pathologist, colleague,
    )  # fmt: skip
    assert golden_cells().count() == 2
    assert list(golden_cases()) == [case]
    shown = client_for(colleague).get(reverse("learning:set", args=[frozen.pk]))
    assert "Frozen" in words_of(shown)
    picture = client_for(colleague).get(reverse("learning:cell_picture", args=[cell.pk]))
    assert picture.status_code == 200
