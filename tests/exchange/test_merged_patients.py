"""Orders and results for a number whose record was merged."""

from datetime import date

import pytest

from accounts.models import User
from classifier.models import Case, Patient
from classifier.services.patients import Identity, register_patient
from exchange.services.results import _names_another
from tests.exchange.incoming import Send, code_of
from tests.exchange.messages import oml
from tests.merging import merge, unmerge

pytestmark = pytest.mark.usefixtures("hospital")


@pytest.fixture
def ordered(send: Send) -> Patient:
    """The patient of the message, registered by its first order."""
    send(oml())
    return Case.objects.get().patient


@pytest.fixture
def survivor(technician: User, ordered: Patient) -> Patient:
    identity = Identity(
        "OWN-1", "HVLAB", "Other", ordered.given_name, ordered.birth_date, ordered.sex
    )
    return register_patient(actor=technician, identity=identity)


def test_an_order_for_a_merged_number_is_a_case_of_the_survivor(
    ordered: Patient, survivor: Patient, administrator: User, send: Send
) -> None:
    merge(ordered, survivor, administrator)
    reply = send(oml(placer="ORD556", control_id="M2"))
    assert code_of(reply) == "AA"
    assert {case.patient for case in Case.objects.all()} == {survivor}


def test_an_order_placed_before_the_merge_is_still_the_same_patients(
    ordered: Patient, survivor: Patient, administrator: User, send: Send
) -> None:
    done = merge(ordered, survivor, administrator)
    assert code_of(send(oml(control_id="M2"))) == "AA"
    unmerge(done, administrator)
    assert code_of(send(oml(control_id="M3"))) == "AA"
    assert Case.objects.get().patient == ordered


def test_an_analysers_number_of_the_merged_record_is_the_survivors(
    ordered: Patient, survivor: Patient, administrator: User
) -> None:
    assert _names_another(survivor, [ordered.mrn])
    merge(ordered, survivor, administrator)
    assert not _names_another(survivor, [ordered.mrn])


def test_the_identity_in_a_message_is_held_against_the_record_of_its_number(
    ordered: Patient, survivor: Patient, administrator: User, send: Send
) -> None:
    merge(ordered, survivor, administrator)
    Patient.objects.filter(pk=ordered.pk).update(birth_date=date(1901, 1, 1))
    reply = send(oml(placer="ORD557", control_id="M2"))
    assert code_of(reply) == "AE"
