"""Steps of tests about merged records and cases of the wrong patient."""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from django.db import close_old_connections, connection

from accounts.models import User
from classifier.exceptions import DomainError
from classifier.models import Case, Patient, PatientMerge
from classifier.services.cases import OrderDetails, open_case
from classifier.services.merging import MergeRequest, merge_patients
from classifier.services.patients import Identity, register_patient
from classifier.services.unmerging import unmerge_patients
from tests.clinical import JANE, recent_specimen

WHY = "The same person, by identity card."
TWIN = replace(JANE, mrn="OLD-77", mrn_issuer="CITY")
STRANGER = Identity("MRN00999", "HVLAB", "Roe", "Richard", date(1950, 2, 3), "male")


def register(actor: User, identity: Identity = TWIN, **changed: object) -> Patient:
    wanted = replace(identity, **changed)  # type: ignore[arg-type]
    return register_patient(actor=actor, identity=wanted, duplicate_reason="by order")


def case_of(patient: Patient, actor: User) -> Case:
    return open_case(actor=actor, patient=patient, order=OrderDetails(), specimen=recent_specimen())


def merge(
    merged: Patient, survivor: Patient, actor: User, reason: str = WHY, named: Sequence[str] = ()
) -> PatientMerge:
    request = MergeRequest(merged.pk, survivor.pk, reason, frozenset(named))
    return merge_patients(actor=actor, request=request)


def unmerge(
    done: PatientMerge,
    actor: User,
    goes_to: dict[Case, Patient] | None = None,
    reason: str = "Two people after all.",
) -> PatientMerge:
    places = {case.pk: patient.pk for case, patient in (goes_to or {}).items()}
    return unmerge_patients(merge_id=done.pk, actor=actor, reason=reason, goes_to=places)


def patient_of(case: Case) -> uuid.UUID:
    return Case.objects.get(pk=case.pk).patient_id


def at_once(*steps: Callable[[], object]) -> list[object]:
    """Take steps in threads of their own; return what each gave, or how it was refused."""
    barrier, outcomes = threading.Barrier(len(steps), timeout=30), []

    def take(step: Callable[[], object]) -> None:
        try:
            barrier.wait()
            outcomes.append(step())
        except DomainError as refusal:
            outcomes.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close_old_connections()
    return outcomes
