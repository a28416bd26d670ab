"""The reference library: filling it from signed cases, keeping it, its pages."""

import uuid
from collections.abc import Callable
from typing import Any

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.enums import Role
from accounts.models import AuditEvent, User
from classifier.exceptions import GuardFailed, NotPermitted, TransitionRefused
from classifier.models import Case, ReferenceCell
from classifier.services import reference_cells, reviews
from tests.factories import UserFactory
from tests.fields import ReadCase, field_pixels, whites_of
from tests.library import PAGE, ClientFor, add, imported, sign
from tests.reviewing import MakeCase, cells_of


def test_a_signed_cell_becomes_a_reference_cell_without_its_patient(
    signed_case: Case, pathologist: User, client_for: ClientFor
) -> None:
    reference = add(cells_of(signed_case)[0], pathologist, "Segmented nucleus")
    assert (reference.cell_type, reference.teaching) == ("neutrophil", "Segmented nucleus")
    event = AuditEvent.objects.get(action="reference_cell.added")
    assert (event.actor, event.patient_id) == (pathologist, signed_case.patient_id)
    page = client_for(pathologist).get(PAGE).content.decode()
    assert "Segmented nucleus" in page
    assert signed_case.patient.family_name not in page
    assert signed_case.accession_number not in page


def test_adding_again_keeps_the_one_there_is(signed_case: Case, pathologist: User) -> None:
    cell = cells_of(signed_case)[0]
    assert add(cell, pathologist) == add(cell, pathologist)
    assert ReferenceCell.objects.count() == 1


def test_a_retired_cell_can_be_added_anew(signed_case: Case, pathologist: User) -> None:
    cell = cells_of(signed_case)[0]
    first = add(cell, pathologist)
    reference_cells.retire(reference_id=first.pk, actor=pathologist, reason="Out of focus")
    assert add(cell, pathologist) != first


def test_the_class_is_the_one_that_was_signed(
    classified_case: MakeCase, correct: Callable[..., Any], pathologist: User
) -> None:
    case = classified_case(["neutrophil", "unidentified"], in_review=True)
    correct(case, [1], "plasma_cell")
    sign(case, pathologist)
    assert add(cells_of(case)[1], pathologist).cell_type == "plasma_cell"


def test_only_signed_cells_are_examples(classified_case: MakeCase, pathologist: User) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    with pytest.raises(TransitionRefused, match="signed case"):
        add(cells_of(case)[0], pathologist)


def test_an_unidentified_cell_is_no_example(
    classified_case: MakeCase, correct: Callable[..., Any], pathologist: User
) -> None:
    case = classified_case(["neutrophil"], in_review=True)
    correct(case, [0], "unidentified")
    sign(case, pathologist)
    with pytest.raises(GuardFailed, match="no example"):
        add(cells_of(case)[0], pathologist)


def test_technicians_do_not_keep_the_library(signed_case: Case, technician: User) -> None:
    with pytest.raises(NotPermitted):
        add(cells_of(signed_case)[0], technician)


def test_a_cell_of_a_field_is_cut_out_and_knows_its_scale(
    read_case: ReadCase, pathologist: User
) -> None:
    case = read_case([field_pixels(1)])
    reviews.open_review(case_id=case.pk, actor=pathologist)
    sign(case, pathologist)
    reference = add(whites_of(case)[0], pathologist)
    assert (reference.width, reference.height) == (119, 119)  # 1.7 times the box's 70
    assert reference.pixels_per_micrometre == pytest.approx(40 / 7.5)
    cut = next(cell for cell in whites_of(case) if cell.at_edge)
    with pytest.raises(GuardFailed, match="edge"):
        add(cut, pathologist)


def test_the_review_page_of_a_signed_case_offers_it(
    signed_case: Case, pathologist: User, technician: User, client_for: ClientFor
) -> None:
    url = reverse("classifier:review", args=[signed_case.pk])
    assert b"Add to reference library" in client_for(pathologist).get(url).content
    assert b"Add to reference library" not in client_for(technician).get(url).content
    cell = cells_of(signed_case)[1]
    address = reverse("classifier:reference_add", args=[signed_case.pk])
    answer = client_for(pathologist).post(address, {"cell": str(cell.pk), "teaching": "Small"})
    assert answer.url == f"{url}?cell={cell.pk}"  # type: ignore[attr-defined]
    assert ReferenceCell.objects.get().cell_id == cell.pk
    for stranger in (uuid.uuid4(), "no id"):
        missing = client_for(pathologist).post(address, {"cell": str(stranger)})
        assert missing.status_code == 404


def test_retiring_says_why_and_keeps_the_cell(pathologist: User, client_for: ClientFor) -> None:
    reference = imported()
    client = client_for(pathologist)
    url = reverse("classifier:reference_retire", args=[reference.pk])
    client.post(url, {"reason": " "})
    assert ReferenceCell.objects.in_use().count() == 1
    client.post(url, {"reason": "Stain too pale"})
    reference.refresh_from_db()
    assert (reference.retired_by, reference.retired_reason) == (pathologist, "Stain too pale")
    assert b"Stain too pale" in client.get(f"{PAGE}?retired=1").content
    assert b"Stain too pale" not in client.get(PAGE).content
    with pytest.raises(TransitionRefused):
        reference_cells.retire(reference_id=reference.pk, actor=pathologist, reason="Again")


def test_the_teaching_text_changes_with_a_record_of_the_one_before(
    pathologist: User, client_for: ClientFor
) -> None:
    reference = imported()
    url = reverse("classifier:reference_describe", args=[reference.pk])
    for text in ("Vacuoles", "Folded nucleus", "Folded nucleus"):
        client_for(pathologist).post(url, {"teaching": text})
    events = AuditEvent.objects.filter(action="reference_cell.described").order_by("at")
    assert list(events.values_list("before__teaching", flat=True)) == ["", "Vacuoles"]
    with pytest.raises(GuardFailed, match="longer"):
        reference_cells.describe(reference_id=reference.pk, actor=pathologist, teaching="a" * 1001)


def test_the_database_deletes_none_and_wants_a_source(db: None) -> None:
    reference = imported()
    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        reference.delete()
    with pytest.raises(IntegrityError, match="where_it_is_from"), transaction.atomic():
        ReferenceCell.objects.filter(pk=reference.pk).update(licence="")
    with pytest.raises(IntegrityError, match="says_why"), transaction.atomic():
        ReferenceCell.objects.filter(pk=reference.pk).update(retired_by=User.system())
    with pgtrigger.ignore("classifier.ReferenceCell:never_deleted"):
        reference.delete()


def test_an_empty_library_says_how_it_is_filled(pathologist: User, client_for: ClientFor) -> None:
    page = client_for(pathologist).get(PAGE).content.decode()
    assert "No reference cell yet" in page
    assert "import_reference_cells" in page


def test_the_page_is_filtered_by_class_in_few_queries(
    pathologist: User, client_for: ClientFor, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for seed in range(4):
        imported("monocyte", seed)
    imported("basophil", 9)
    client = client_for(pathologist)
    with django_assert_max_num_queries(13):
        page = client.get(f"{PAGE}?class=monocyte").content.decode()
    assert page.count('class="reference"') == 4
    assert client.get(f"{PAGE}?class=nonsense").content.decode().count('class="reference"') == 5


def test_all_classes_stand_in_the_order_of_the_laboratory(
    pathologist: User, client_for: ClientFor
) -> None:
    for seed, cell_type in enumerate(
        ["basophil", "lymphocyte", "monocyte", "neutrophil", "lymphocyte"]
    ):
        imported(cell_type, seed)
    shown = client_for(pathologist).get(PAGE).context["page"].object_list
    classes = [cell.cell_type for cell in shown]
    assert classes == ["neutrophil", "lymphocyte", "lymphocyte", "monocyte", "basophil"]


@pytest.mark.parametrize("role", Role)
def test_every_member_looks_and_pathologists_change(
    role: Role, client_for: ClientFor, db: None
) -> None:
    reference = imported()
    client = client_for(UserFactory.create(role=role))
    for name in ("reference_picture", "reference_thumbnail"):
        answer = client.get(reverse(f"classifier:{name}", args=[reference.pk]))
        assert b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert client.get(PAGE).status_code == 200
    listed = client.get(reverse("classifier:reference_of_class", args=["monocyte"])).json()
    assert [each["id"] for each in listed["cells"]] == [str(reference.pk)]
    for name in ("reference_describe", "reference_retire"):
        answer = client.post(reverse(f"classifier:{name}", args=[reference.pk]))
        assert answer.status_code == (302 if role == Role.PATHOLOGIST else 403)


def test_nobody_looks_without_signing_in(db: None) -> None:
    reference = imported()
    for address in (PAGE, reverse("classifier:reference_picture", args=[reference.pk])):
        assert Client().get(address).status_code == 302
    assert Client().get(reverse("classifier:reference_of_class", args=["blast"])).status_code in (
        401,
        403,
    )
