"""People who want more than their duties: things of others, and fields that no form gave them."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import tasks
from accounts.enums import Role
from accounts.models import User
from api.policies import scopes_of
from api.services.tokens import create_token
from classifier.enums import CaseStatus
from classifier.models import Case, Patient
from classifier.services.cases import OrderDetails, open_case
from classifier.services.patients import register_patient
from consultation.services.discussion import Remark, comment
from notifications.models import Notice
from tests.clinical import JANE, recent_specimen
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
ClientFor = Callable[[User], Client]
EXTRA = {
    "is_superuser": "on", "is_staff": "on", "is_active": "", "role": "administrator", "groups": "1",
    "password": "chosen by somebody", "id": "1", "pk": "1", "created_by": "1", "status": "signed",
    "accession_number": "HV-1", "must_change_password": "", "email": "taken@over.example",
}  # fmt: skip


def test_fields_that_a_form_lacks_change_nothing(
    desk: Client, technician: User, administrator: User, client_for: ClientFor
) -> None:
    """Whatever else is sent with a form about a patient, a case or oneself."""
    before = User.objects.filter(pk=technician.pk).values().get()
    desk.post(reverse("classifier:patient_register"), {
        "mrn": "MRN777", "mrn_issuer": "HVLAB", "family_name": "Roe", "given_name": "Rita",
        "birth_date": "1970-01-01", "sex": "female", **EXTRA,
    })  # fmt: skip
    patient = Patient.objects.get(mrn="MRN777")
    assert str(patient.pk) != "1"
    desk.post(reverse("account_change_password"), {"oldpassword": "wrong", **EXTRA})
    desk.post(reverse("notifications:choices"), EXTRA)
    assert User.objects.filter(pk=technician.pk).values().get() == before
    client_for(administrator).post(reverse("accounts:user_invite"), {
        **EXTRA, "email": "new@laboratory.example", "full_name": "New", "role": "technician",
    })  # fmt: skip
    invited = User.objects.get(email="new@laboratory.example")
    assert invited.role == Role.TECHNICIAN
    assert not invited.has_usable_password()


def test_what_is_anothers_is_found_by_no_address(
    technician: User, pathologist: User, client_for: ClientFor
) -> None:
    """A notice, a mention, a token: each has one owner; a colleague of the same role is none."""
    patient = register_patient(actor=technician, identity=JANE)
    case = open_case(
        actor=technician, patient=patient, order=OrderDetails(), specimen=recent_specimen()
    )
    Case.objects.filter(pk=case.pk).update(status=CaseStatus.AWAITING_REVIEW)
    said = comment(
        case=case, actor=pathologist, comment_id=uuid.uuid4(),
        remark=Remark("Look again.", mentions=[technician.pk]),
    )  # fmt: skip
    token = create_token(
        actor=technician, scopes=scopes_of(technician), name="Mine", life=timedelta(days=1)
    ).token
    notice = Notice.objects.filter(recipient=technician).first()
    addresses = [
        reverse("consultation:open_mention", args=[said.mentions.get().pk]),
        reverse("api:token_revoke", args=[token.pk]),
    ]
    other = client_for(UserFactory.create(role=Role.TECHNICIAN))
    for address in addresses:
        assert other.post(address).status_code == 404, address
    if notice is not None:
        assert other.get(reverse("notifications:open", args=[notice.pk])).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None
    assert said.mentions.get().read_at is None


@pytest.mark.parametrize(
    "hostile",
    ["Eve\r\nBcc: all@world.example", "Eve\nSubject: Pay", "Eve\u2028Bcc: x@y.example",
     "Eve\x0bX: 1"],
)  # fmt: skip
def test_no_mail_gets_headers_from_what_people_type(
    hostile: str, administrator: User, client_for: ClientFor
) -> None:
    said = {"email": "eve@laboratory.example", "full_name": hostile, "role": "technician"}
    client_for(administrator).post(reverse("accounts:user_invite"), said)
    client_for(administrator).post(reverse("accounts:user_invite"), {
        **said, "email": f"eve@laboratory.example{hostile[3:]}", "full_name": "Eve"
    })  # fmt: skip
    assert User.objects.filter(email__contains="bcc").count() == 0
    for invited in User.objects.filter(email__startswith="eve"):
        tasks.mail_invitation(invited.pk)
    for sent in mail.outbox:
        message = sent.message()
        assert sent.to == ["eve@laboratory.example"]
        assert {name.lower() for name in message} <= {
            "content-type", "mime-version", "content-transfer-encoding", "subject", "from", "to",
            "date", "message-id",
        }  # fmt: skip
