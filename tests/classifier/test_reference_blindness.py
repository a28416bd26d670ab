"""Reference counts: nothing of the record reaches who reads blind."""

import json
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pgtrigger
import pytest
from django.test import Client
from django.urls import reverse

from accounts.audit import record
from accounts.models import User
from classifier.exceptions import NotPermitted
from classifier.models import Case, ModelVersion, ReferenceCell, ReferenceStudy
from classifier.selectors import reference_cells as library
from classifier.selectors import reference_counts as selectors
from classifier.selectors.reference_results import get_result, may_see_result
from classifier.services import reference_counts as services
from classifier.services import reviews
from classifier.services.critical_calls import refresh_alert
from notifications.models import Notice
from tests.criticals import Call
from tests.library import add, imported, sign, vector
from tests.pages import words_of
from tests.reading_blind import ClientFor, mark, read_all, read_by_two
from tests.reviewing import cells_of

PNG = b"\x89PNG"


class TestBlindness:
    @pytest.fixture
    def reader(self, study: ReferenceStudy, people: list[User], client_for: ClientFor) -> Client:
        """The second reader, after the first has called every cell a plasma cell."""
        read_all(study, people[0], dict.fromkeys(range(1, 7), "plasma_cell"))
        services.start_reading(study_id=study.pk, actor=people[1])
        return client_for(people[1])

    def test_the_reading_page_says_nothing_of_machine_reviewer_or_other_reader(
        self,
        study: ReferenceStudy,
        reader: Client,
        pathologist: User,
        correct: Callable[..., Any],
    ) -> None:
        reviews.open_review(case_id=study.case_id, actor=pathologist)
        correct(study.case, range(6), "atypical_lymphocyte")
        page = reader.get(reverse("classifier:study_reading", args=[study.pk]))
        task, data = page.context["task"], page.context["script_data"]
        assert (task.marks, task.contested, task.chosen) == ({}, {}, "")
        assert (data["marks"], data["contested"]) == ({}, {})
        html = words_of(page)
        for name in ("plasma_cell", "atypical_lymphocyte", "neutrophil"):
            assert html.count(f'value="{name}"') == 1  # the button that names it, alone
        assert 'aria-pressed="true"' not in html
        assert "data-proposed" not in html
        for cell in cells_of(study.case):
            assert str(cell.pk) not in html
            assert str(cell.image_id) not in html
            assert cell.image.original_name not in html
        for secret in ("confidence", "Doe", "MRN00123", "Paul Pathologist", "First Reader"):
            assert secret not in html
        assert not re.search(r"\d\s*%|0\.\d", html)  # the machine's share, however it is written

    def test_the_answer_to_a_mark_holds_what_the_reader_said_alone(
        self, study: ReferenceStudy, reader: Client
    ) -> None:
        answer = reader.post(
            reverse("classifier:study_marks", args=[study.pk]),
            json.dumps({"action_id": str(uuid.uuid4()), "position": 3, "cell_type": "monocyte"}),
            content_type="application/json",
        )
        assert answer.json() == {"position": 3, "cell_type": "monocyte", "done": 1, "total": 6}

    def test_the_picture_is_the_cell_alone_and_for_its_readers(
        self, study: ReferenceStudy, reader: Client, pathologist: User, client_for: ClientFor
    ) -> None:
        address = reverse("classifier:study_picture", args=[study.pk, 1])
        assert client_for(pathologist).get(address).status_code == 403
        response = reader.get(reverse("classifier:study_picture", args=[study.pk, 1]))
        assert response["Content-Type"] == "image/webp"
        assert response["Content-Disposition"] == 'inline; filename="1.webp"'
        assert response.getvalue().startswith(b"RIFF")

    @pytest.mark.parametrize(
        ("name", "status"),
        [
            ("review", 404),
            ("review_summary", 404),
            ("case_detail", 404),
            ("case_status", 404),
        ],
    )
    def test_the_case_is_closed_to_its_reader_until_the_reading_ends(
        self,
        study: ReferenceStudy,
        reader: Client,
        people: list[User],
        name: str,
        status: int,
    ) -> None:
        address = reverse(f"classifier:{name}", args=[study.case_id])
        assert reader.get(address).status_code == status
        for position in range(1, 7):
            mark(study, people[1], position, "monocyte")
        services.complete_reading(study_id=study.pk, actor=people[1])
        assert reader.get(address).status_code == 200

    def test_so_are_patient_pictures_worklist_search_and_reports(
        self, study: ReferenceStudy, reader: Client
    ) -> None:
        study_case = study.case
        [cell, *_] = cells_of(study_case)
        closed = [
            reverse("classifier:patient_detail", args=[study_case.patient_id]),
            reverse("classifier:cell_thumbnail", args=[cell.pk]),
            reverse("classifier:image", args=[cell.image_id]),
            reverse("classifier:field_cells", args=[cell.image_id]),
            reverse("reports:case_report", args=[study_case.pk]),
            reverse("reports:patient_reports", args=[study_case.patient_id]),
        ]
        assert [reader.get(address).status_code for address in closed] == [404] * len(closed)
        assert study_case.accession_number not in reader.get("/").content.decode()
        found = reader.post(
            reverse("classifier:search"), {"q": study_case.accession_number}, follow=True
        )
        assert reverse("classifier:review", args=[study_case.pk]) not in found.content.decode()

    def test_others_work_on_with_the_case(
        self, study: ReferenceStudy, reader: Client, pathologist: User, client_for: ClientFor
    ) -> None:
        address = reverse("classifier:review", args=[study.case_id])
        assert client_for(pathologist).get(address).status_code == 200

    def test_nobody_sees_marks_before_both_are_done(
        self,
        study: ReferenceStudy,
        reader: Client,
        people: list[User],
        administrator: User,
        client_for: ClientFor,
    ) -> None:
        page = reverse("classifier:study", args=[study.pk])
        table = reverse("classifier:study_result_csv", args=[study.pk])
        for client in (reader, client_for(people[0]), client_for(administrator)):
            html = client.get(page).content.decode()
            assert "Plasma" not in html
            assert client.get(table).status_code == 403
        assert get_result(study) is None

    def test_who_could_become_the_arbiter_sees_no_result_yet(
        self, study: ReferenceStudy, people: list[User], administrator: User
    ) -> None:
        read_by_two(study, people, basophil="eosinophil")
        assert may_see_result(people[0], study)
        assert may_see_result(administrator, study)
        assert not may_see_result(people[2], study)
        result = get_result(study)
        assert result is not None
        assert result.machine is None

    def test_it_is_noted_who_had_looked_at_the_record(
        self, study: ReferenceStudy, people: list[User], client_for: ClientFor
    ) -> None:
        client_for(people[0]).get(reverse("classifier:review", args=[study.case_id]))
        readings = [
            services.start_reading(study_id=study.pk, actor=person) for person in people[:2]
        ]
        assert [reading.had_seen_record for reading in readings] == [True, False]

    def test_the_library_shows_none_of_the_patients_cells(
        self,
        study: ReferenceStudy,
        reader: Client,
        people: list[User],
        pathologist: User,
        correct: Callable[..., Any],
    ) -> None:
        [cell, *_] = cells_of(study.case)
        reviews.open_review(case_id=study.case_id, actor=pathologist)
        correct(study.case, [4], "monocyte")
        sign(study.case, pathologist)
        kept = add(cell, pathologist, "A band form.")
        other = imported("lymphocyte")
        pages = [
            reverse("classifier:reference_cells"),
            reverse("classifier:reference_of_class", args=["neutrophil"]),
        ]
        for address in pages:
            page = reader.get(address).content.decode()
            assert str(kept.pk) not in page
            assert "A band form." not in page
        kept_picture, other_picture = (
            reverse("classifier:reference_picture", args=[each.pk]) for each in (kept, other)
        )
        assert reader.get(kept_picture).status_code == 404
        assert reader.get(other_picture).getvalue().startswith(PNG)
        counts = {each.cell_type: each.count for each in library.count_classes(people[1])}
        assert (counts["neutrophil"], counts["lymphocyte"]) == (0, 1)
        services.leave_reading(study_id=study.pk, actor=people[1])
        assert reader.get(kept_picture).getvalue().startswith(PNG)

    def test_nor_is_one_among_the_likest_of_another_case(
        self,
        study: ReferenceStudy,
        reader: Client,
        people: list[User],
        pathologist: User,
        correct: Callable[..., Any],
        active_model: ModelVersion,
    ) -> None:
        cell, asked, *_ = cells_of(study.case)
        reviews.open_review(case_id=study.case_id, actor=pathologist)
        correct(study.case, [4], "monocyte")
        sign(study.case, pathologist)
        kept = add(cell, pathologist)
        ReferenceCell.objects.filter(pk=kept.pk).update(
            embedding=vector(0.0), embedded_by=active_model
        )
        with pgtrigger.ignore("classifier.Prediction:append_only"):
            asked.predictions.update(embedding=vector(0.0))
        assert [each.id for each in library.nearest(pathologist, asked)] == [kept.pk]
        assert library.nearest(people[1], asked) == []

    def test_an_earlier_count_of_the_patient_is_closed_too(
        self,
        study: ReferenceStudy,
        study_case: Case,
        people: list[User],
        administrator: User,
        client_for: ClientFor,
    ) -> None:
        read_by_two(study, people)
        later = services.open_study(case_id=study_case.pk, actor=administrator)
        services.start_reading(study_id=later.pk, actor=people[3])
        reader = client_for(people[3])
        for name in ("study", "study_result_csv"):
            address = reverse(f"classifier:{name}", args=[study.pk])
            assert reader.get(address).status_code == 404
        assert reader.get(later.get_absolute_url()).status_code == 200
        assert [each.pk for each in selectors.list_studies(people[3])] == [later.pk]

    def test_no_notice_of_a_critical_result_of_the_case_comes(
        self, study: ReferenceStudy, people: list[User]
    ) -> None:
        services.start_reading(study_id=study.pk, actor=people[0])
        record(
            actor=User.system(),
            action="critical.escalated",
            target=study.case,
            patient=study.case.patient_id,
        )
        told = Notice.objects.filter(kind="critical.escalated").values_list("recipient", flat=True)
        assert people[1].pk in told
        assert people[0].pk not in told

    def test_who_told_a_critical_result_does_not_read(
        self, study: ReferenceStudy, people: list[User], pathologist: User, call: Call
    ) -> None:
        reviews.open_review(case_id=study.case_id, actor=pathologist)
        Case.objects.filter(pk=study.case_id).update(wbc_count=Decimal("60.00"))
        refresh_alert(study.case_id)
        call(study.case, actor=people[0])
        with pytest.raises(NotPermitted):
            services.start_reading(study_id=study.pk, actor=people[0])


class TestLinks:
    def test_the_case_leads_to_its_counts_and_back(
        self, study: ReferenceStudy, administrator: User, client_for: ClientFor
    ) -> None:
        client = client_for(administrator)
        case = study.case.get_absolute_url()
        assert f'href="{study.get_absolute_url()}"' in client.get(case).content.decode()
        assert f'href="{case}"' in client.get(study.get_absolute_url()).content.decode()

    def test_who_may_not_open_a_count_is_not_led_there(
        self, study: ReferenceStudy, technician: User, client_for: ClientFor
    ) -> None:
        page = client_for(technician).get(study.case.get_absolute_url()).content.decode()
        assert study.get_absolute_url() not in page

    def test_its_blind_reader_is_not_led_to_the_case(
        self, study: ReferenceStudy, people: list[User], client_for: ClientFor
    ) -> None:
        services.start_reading(study_id=study.pk, actor=people[0])
        page = client_for(people[0]).get(study.get_absolute_url())
        assert page.status_code == 200
        assert f'href="{study.case.get_absolute_url()}"' not in page.content.decode()
