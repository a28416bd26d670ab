"""Reference counts: what comes out."""

import csv
import io

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from classifier.models import ReferenceStudy
from classifier.selectors.reference_results import count_readers, get_result
from classifier.services import reference_counts as services
from tests.reading_blind import ClientFor, mark, read_by_two


class TestResult:
    @pytest.fixture
    def complete(self, study: ReferenceStudy, people: list[User]) -> ReferenceStudy:
        truth = read_by_two(study, people, basophil="eosinophil")
        services.start_reading(study_id=study.pk, actor=people[2])
        disputed = next(at for at, name in truth.items() if name == "basophil")
        mark(study, people[2], disputed, "basophil")
        services.complete_reading(study_id=study.pk, actor=people[2])
        study.refresh_from_db()
        return study

    def test_counts_agreement_and_machine(self, complete: ReferenceStudy) -> None:
        result = get_result(complete)
        assert result is not None
        rows = {row.cell_type: row for row in result.counts.rows}
        assert (rows["basophil"].first, rows["basophil"].second) == (1, 0)
        assert rows["basophil"].mean == pytest.approx(100 / 12)
        assert sum(row.mean for row in rows.values()) == pytest.approx(100)
        assert result.readers.percent is not None
        assert result.readers.percent.value == pytest.approx(5 / 6)
        [disputed] = result.disputed
        assert (disputed.reference, disputed.machine) == ("basophil", "eosinophil")
        machine = result.machine
        assert machine is not None
        assert (machine.referred, machine.models) == (1, ("fake 0.0.0",))
        found = {row.cell_type: row.found for row in machine.rows}
        assert found["monocyte"].sensitivity is not None
        assert (found["monocyte"].sensitivity.value, found["monocyte"].sensitivity.n) == (0.5, 2)
        assert found["eosinophil"].sensitivity is None
        assert machine.line is not None

    def test_the_page_and_the_csv_show_it(
        self, complete: ReferenceStudy, administrator: User, client_for: ClientFor
    ) -> None:
        client = client_for(administrator)
        page = client.get(reverse("classifier:study", args=[complete.pk]))
        html = page.content.decode()
        for words in ("Cohen&#x27;s kappa", "Sensitivity", "reader 2: Eosinophil", "slope"):
            assert words in html or words.replace("&#x27;", "'") in html
        table = client.get(reverse("classifier:study_result_csv", args=[complete.pk]))
        rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
        assert {len(row) for row in rows} == {8}
        assert ["study", "seed", "", "", str(complete.seed), "", "", ""] in rows
        said = {(row[0], row[1], row[2]) for row in rows}
        assert ("cell", "arbiter", "basophil") in said
        assert ("cell", "machine", "referred") in said
        assert ("machine", "sensitivity", "monocyte") in said

    def test_cells_that_are_no_leukocytes_leave_the_denominator(self) -> None:
        counts = count_readers(
            ["neutrophil", "neutrophil", "smudge_cell", "lymphocyte"],
            ["neutrophil", "artefact", "smudge_cell", "lymphocyte"],
        )
        assert (counts.first, counts.second) == (3, 2)
        assert counts.rows[0].mean == pytest.approx((200 / 3 + 50) / 2)
        assert counts.apart == (("smudge_cell", 1, 1), ("artefact", 0, 1))

    def test_readers_who_found_no_leukocyte_have_no_percentages(self) -> None:
        counts = count_readers(["artefact"], ["neutrophil"])
        assert counts.rows == ()

    def test_reads_a_bounded_number_of_rows(
        self, complete: ReferenceStudy, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_max_num_queries(12):
            get_result(complete)
