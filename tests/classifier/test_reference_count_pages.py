"""Reference counts: the pages."""

from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from classifier.models import Case, ReferenceStudy
from classifier.selectors import reference_counts as selectors
from tests.reading_blind import ClientFor


class TestPages:
    def test_a_study_is_opened_by_accession_number_and_read_by_plain_forms(
        self,
        study_case: Case,
        people: list[User],
        administrator: User,
        client_for: ClientFor,
    ) -> None:
        office = client_for(administrator)
        opening = reverse("classifier:study_open")
        assert office.post(opening, {"accession_number": "HV99-000001X"}).status_code == 422
        form = {"accession_number": study_case.accession_number, "cells_wanted": 2}
        assert office.post(opening, form).status_code == 302
        study = ReferenceStudy.objects.get()
        reader = client_for(people[0])
        assert "1 of 2" not in reader.get(study.get_absolute_url()).content.decode()
        reader.post(reverse("classifier:study_start", args=[study.pk]))
        address = reverse("classifier:study_reading", args=[study.pk])
        for position in (1, 2):
            page = reader.get(address)
            assert page.context["task"].position == position
            reader.post(
                reverse("classifier:study_mark", args=[study.pk]),
                {
                    "action_id": str(page.context["step_id"]),
                    "position": position,
                    "cell_type": "monocyte",
                },
            )
        assert reader.get(f"{address}?cell=1").context["task"].chosen == "monocyte"
        assert "Go on reading" in reader.get(reverse("classifier:studies")).content.decode()
        reader.post(reverse("classifier:study_complete", args=[study.pk]))
        assert reader.get(address)["Location"] == study.get_absolute_url()

    def test_the_list_reads_a_bounded_number_of_rows(
        self,
        study: ReferenceStudy,
        administrator: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        with django_assert_max_num_queries(3):
            assert [each.total for each in selectors.list_studies(administrator)] == [6]  # type: ignore[attr-defined]

    def test_strangers_to_the_laboratory_see_none(
        self, study: ReferenceStudy, technician: User, client_for: ClientFor
    ) -> None:
        client = client_for(technician)
        assert client.get(reverse("classifier:studies")).status_code == 403
        assert client.get(study.get_absolute_url()).status_code == 403
