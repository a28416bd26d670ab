"""Results, reviews and reports by program: whose word it is, what was seen, what was signed."""

import hashlib
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from classifier.models import Case, Correction
from reports.models import Report
from tests.api.conftest import Program
from tests.api.sending import post
from tests.reports.conftest import intent_for, proof_of
from tests.reviewing import MakeCase, cells_of

ANSWERS = ["neutrophil"] * 3 + ["lymphocyte", "unidentified"]


@pytest.fixture
def paul(pathologist: User, program: Program) -> Client:
    return program(pathologist)


@pytest.fixture
def read_case(classified_case: MakeCase) -> Case:
    return classified_case(ANSWERS)


@pytest.fixture
def open_case(classified_case: MakeCase) -> Case:
    return classified_case(ANSWERS, in_review=True)


def cells(client: Client, case: Case) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/api/v1/cases/{case.pk}/cells").json()["results"]
    return found


def look(cell: dict[str, Any]) -> dict[str, Any]:
    return {"cell": cell["id"], "revision": cell["revision"]}


# Results ----------------------------------------------------------------------------------------


def test_before_classification_there_is_no_differential(technician: User, case: Case,
                                                        program: Program) -> None:  # fmt: skip
    answer = program(technician).get(f"/api/v1/cases/{case.pk}/results").json()
    assert answer["differential"] is None
    assert cells(program(technician), case) == []


def test_the_differential_says_that_it_is_a_proposal(paul: Client, read_case: Case) -> None:
    answer = paul.get(f"/api/v1/cases/{read_case.pk}/results").json()
    assert len(answer["runs"]) == len(ANSWERS)
    counted = answer["differential"]
    assert counted["is_confirmed"] is False
    rows = {row["cell_type"]: row for row in counted["rows"]}
    assert rows["neutrophil"]["count"] == 3
    assert rows["neutrophil"]["percent"] == "75.0"
    low, high = rows["neutrophil"]["interval"]["low"], rows["neutrophil"]["interval"]["high"]
    assert float(low) < 75 < float(high)
    assert counted["unresolved"] == 1


def test_a_cell_tells_whose_word_counts(paul: Client, read_case: Case) -> None:
    found = cells(paul, read_case)
    assert [cell["state"] for cell in found].count("referred") == 1
    referred = next(cell for cell in found if cell["state"] == "referred")
    assert referred["human"] == ""
    assert referred["candidates"] == ["monocyte", "lymphocyte"]
    assert abs(sum(referred["probabilities"].values()) - 1) < 1e-6


def test_models_in_use_are_listed(paul: Client, read_case: Case) -> None:
    (model,) = paul.get("/api/v1/models").json()["results"]
    assert (model["name"], model["version"], model["is_active"]) == ("fake", "0.0.0", True)


# Reviews ----------------------------------------------------------------------------------------


def test_opens_names_accepts_and_gives_back(paul: Client, read_case: Case) -> None:
    where = f"cases/{read_case.pk}/review"
    assert post(paul, where).json()["reviewer"] == "Paul Pathologist"
    referred = next(cell for cell in cells(paul, read_case) if cell["state"] == "referred")
    named = post(paul, f"{where}/corrections",
                 {"cells": [look(referred)], "cell_type": "basophil"}).json()  # fmt: skip
    assert named["cells"][0]["human"] == "basophil"
    others = [look(cell) for cell in cells(paul, read_case) if cell["state"] == "machine"]
    accepted = post(paul, f"{where}/acceptances", {"cells": others}).json()
    assert {cell["state"] for cell in accepted["cells"]} == {"human"}
    assert post(paul, f"{where}/release").json()["status"] == "awaiting_review"


def test_a_cell_that_changed_since_it_was_seen_is_a_conflict(
    paul: Client, open_case: Case, correct: Callable[..., Any]
) -> None:
    found = cells(paul, open_case)
    correct(open_case, [0], "blast")
    where = f"cases/{open_case.pk}/review/corrections"
    body = {"cells": [look(cell) for cell in found], "cell_type": "monocyte"}
    refused = post(paul, where, body)
    assert refused.status_code == 409
    assert refused.json()["cells"] == [str(cells_of(open_case)[0].pk)]
    assert Correction.objects.count() == 1
    fresh = {"cells": [look(cell) for cell in cells(paul, open_case)], "cell_type": "monocyte"}
    assert post(paul, where, fresh).status_code == 200


def test_a_step_sent_again_is_one_step(paul: Client, open_case: Case) -> None:
    body = {"cells": [look(cells(paul, open_case)[0])], "cell_type": "blast"}
    key = str(uuid.uuid4())
    where = f"cases/{open_case.pk}/review/corrections"
    first = post(paul, where, body, key).json()
    assert post(paul, where, body, key).json() == first
    assert Correction.objects.count() == 1


def test_undoes_and_redoes(paul: Client, open_case: Case) -> None:
    where = f"cases/{open_case.pk}/review"
    body = {"cells": [look(cells(paul, open_case)[0])], "cell_type": "blast"}
    post(paul, f"{where}/corrections", body)
    assert post(paul, f"{where}/undo", {"cells": []}).status_code == 409, "it was never seen"
    seen = {"cells": [look(cell) for cell in cells(paul, open_case)]}
    assert post(paul, f"{where}/undo", seen).json()["cells"][0]["human"] == ""
    seen = {"cells": [look(cell) for cell in cells(paul, open_case)]}
    assert post(paul, f"{where}/redo", seen).json()["cells"][0]["human"] == "blast"


def test_the_interpretation_is_not_overwritten_unseen(paul: Client, open_case: Case) -> None:
    where = f"/api/v1/cases/{open_case.pk}/review/comment"

    def write(text: str, tag: str | None) -> Any:
        headers = {"If-Match": tag} if tag else {}
        return paul.put(where, {"text": text}, content_type="application/json", headers=headers)

    first = paul.get(where)["ETag"]
    assert write("Blasts.", None).status_code == 428
    written = write("Blasts.", first)
    assert written.json() == {"text": "Blasts."}
    assert write("None.", first).status_code == 412
    assert write("Many blasts.", written["ETag"]).status_code == 200


def test_who_has_not_opened_the_case_changes_nothing(
    technician: User, administrator: User, read_case: Case, program: Program, paul: Client
) -> None:
    body = {"cells": [look(cells(paul, read_case)[0])], "cell_type": "blast"}
    for client in (program(technician), program(administrator)):
        assert post(client, f"cases/{read_case.pk}/review/corrections", body).status_code == 403
    assert post(paul, f"cases/{read_case.pk}/review/corrections", body).status_code == 409


def test_a_token_never_signs(paul: Client, open_case: Case) -> None:
    for path in ("sign-off", "sign", "review/sign-off"):
        assert post(paul, f"cases/{open_case.pk}/{path}").status_code == 404
    assert "sign_off" not in paul.get(f"/api/v1/cases/{open_case.pk}").json()["steps"]
    assert not Report.objects.exists()


# Reports ----------------------------------------------------------------------------------------


@pytest.fixture
def report(classified_case: MakeCase, pathologist: User) -> Report:
    from reports.services.sign_off import sign_off_case

    case = classified_case(["neutrophil", "lymphocyte"], in_review=True)
    return sign_off_case(
        case_id=case.pk,
        actor=pathologist,
        intent=intent_for(case),
        reauthentication=proof_of(pathologist),
    )


def test_hands_out_what_was_signed(technician: User, report: Report, program: Program) -> None:
    client = program(technician)
    (listed,) = client.get(f"/api/v1/cases/{report.case_id}/reports").json()["results"]
    assert (listed["id"], listed["status"], listed["is_current"]) == (str(report.pk), "final", True)
    where = f"/api/v1/reports/{report.pk}"
    assert client.get(where).json() == listed
    pdf = client.get(f"{where}/report.pdf")
    assert hashlib.sha256(pdf.content).hexdigest() == listed["pdf_sha256"]
    content = json.loads(client.get(f"{where}/report.json").content)
    assert content["request"]["accession_number"] == listed["accession_number"]
    assert client.get(f"{where}/report.csv")["Content-Type"].startswith("text/csv")
    assert client.get(f"{where}/report.xlsx").content.startswith(b"PK")
    assert client.get(f"{where}/report.doc").status_code == 404
    assert AuditEvent.objects.filter(action="report.downloaded").count() == 4


def test_a_report_that_is_not_as_signed_is_not_handed_out(
    technician: User, report: Report, program: Program
) -> None:
    with Path(report.pdf.path).open("ab") as file:
        file.write(b"!")
    response = program(technician).get(f"/api/v1/reports/{report.pk}/report.pdf")
    assert response.status_code == 409
    assert response.json()["type"].endswith("not-as-signed")
