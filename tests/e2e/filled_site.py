"""Fills the pages of reports, exchange, API and consultation with something to show.

To be called in a shell of the site's own: writes the addresses of the pages by name. Nothing is
sent: the receiver and the webhook are switched off.
"""

import contextlib
import io
import json
import sys
import uuid
from datetime import timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from accounts.models import User
from api.enums import Scope
from api.services.tokens import create_token
from classifier.models import Case
from classifier.services.reference_counts import open_study
from consultation.services.discussion import Remark, comment
from consultation.services.referrals import Request, refer_case
from demo.people import PASSWORD
from exchange.enums import OutboundState, Protocol, SenderKind, WebhookContent, WebhookState
from exchange.models import IncomingMessage, OutboundMessage, Peer, Sender, Webhook, WebhookDelivery
from exchange.services.keeping import Arrival
from exchange.services.receiving import receive_hl7
from exchange.services.webhook_delivery import write_missing
from exchange.services.webhooks import add_webhook, set_active
from exchange.services.writing import write_message
from reports.enums import ReauthenticationMethod
from reports.models import Report
from reports.services.reauthentication import Reauthentication
from reports.services.withdrawing import Declaration, request_withdrawal
from reports.verification import spell
from tests.e2e import field_case
from tests.exchange.messages import oml, oru

CONSULTANT = "second-consultant"
LONG_AGO = timedelta(days=400)


def make() -> None:
    """Fill the site; write each page's address by its name."""
    with transaction.atomic():
        addresses = _results_out() | _messages_in() | _reports() | _opinions()
        technician, life = _person("technician"), timedelta(days=30)
        create_token(actor=technician, name="Ward robot", scopes=[Scope.FHIR_READ], life=life)
    json.dump(addresses, sys.stdout)


def _person(role: str) -> User:
    return User.objects.get(email=f"{role}@demo.example")


def _results_out() -> dict[str, str]:
    administrator = _person("administrator")
    peer = Peer.objects.create(
        name="Ward system of the General Hospital", is_active=False, host="results.example.org",
        port=2575, application="EMR", facility="GENHOSP", results_from=timezone.now() - LONG_AGO,
    )  # fmt: skip
    states = (OutboundState.DEAD, OutboundState.QUEUED, OutboundState.QUEUED)
    reports = Report.objects.order_by("issued_at")[: len(states)]
    for report, state in zip(reports, states, strict=True):
        message = write_message(peer=peer, report=report)
        if state == OutboundState.DEAD:
            OutboundMessage.objects.filter(pk=message.pk).update(
                state=state, problem="No answer within 30 seconds.", attempts=8
            )
    webhook = add_webhook(
        actor=administrator, webhook_id=uuid.uuid4(), name="Ward board",
        url="https://hospital.example/hematovision", content=WebhookContent.REFERENCE,
    )  # fmt: skip
    set_active(actor=administrator, webhook_id=webhook.pk, is_active=False)
    Webhook.objects.filter(pk=webhook.pk).update(reports_from=timezone.now() - LONG_AGO)
    write_missing(Webhook.objects.get(pk=webhook.pk))
    given_up = WebhookDelivery.objects.filter(webhook=webhook).order_by("pk")[:1]
    WebhookDelivery.objects.filter(pk__in=list(given_up.values_list("pk", flat=True))).update(
        state=WebhookState.DEAD, attempts=12, problem="After attempt 12: HTTP 503",
        finished_at=timezone.now(),
    )  # fmt: skip
    dead = OutboundMessage.objects.get(peer=peer, state=OutboundState.DEAD)
    return {"receiver": peer.get_absolute_url(), "sent-message": dead.get_absolute_url()}


def _messages_in() -> dict[str, str]:
    """An order that is taken, the same number for somebody else, and values of an analyser."""
    hospital = Sender.objects.create(
        name="Order entry of the General Hospital", kind=SenderKind.ORDERS, application="ORDERS",
        facility="GENHOSP", networks="10.77.0.0/16", mrn_issuer="GENHOSP",
    )  # fmt: skip
    analyser = Sender.objects.create(
        name="Blood counter 1", kind=SenderKind.ANALYSER, application="XN",
        protocol=Protocol.HL7, networks="10.77.0.9",
    )  # fmt: skip
    pid = "PID|1||E2E-FILLED^^^GENHOSP^MR||Noether^{}^^^^^L||18820323|F"
    for given, number in (("Amalie", "1"), ("Fritz", "2")):
        order = oml(placer=f"FILLED-{number}", control_id=f"FILLED{number}", pid=pid.format(given))
        receive_hl7(Arrival(order, [hospital], "10.77.0.1"))
    receive_hl7(Arrival(oru("HV26-999999Z", control_id="FILLED3"), [analyser], "10.77.0.9"))
    addresses = {"sender": reverse("exchange:sender", args=[hospital.pk])}
    for number in "123":
        message = IncomingMessage.objects.get(control_id=f"FILLED{number}")
        addresses[f"incoming-{number}"] = message.get_absolute_url()
    return addresses


def _reports() -> dict[str, str]:
    pathologist = _person("pathologist")
    report = Report.objects.order_by("issued_at")[0]
    proof = Reauthentication(pathologist.pk, ReauthenticationMethod.PASSWORD, timezone.now())
    asked = request_withdrawal(
        actor=pathologist,
        declaration=Declaration(uuid.uuid4(), report.pk, "The tube was another patient's."),
        reauthentication=proof,
    )
    return {
        "report": report.get_absolute_url(),
        "withdrawal": reverse("report_administration:withdrawal", args=[asked.pk]),
        "ask-withdrawal": reverse("reports:report_withdraw", args=[
            Report.objects.order_by("-issued_at")[0].pk]),
        "verify-report": reverse("verification:report", args=[spell(report.verification_code)]),
        "patient-reports": reverse("reports:patient_reports", args=[report.case.patient_id]),
    }  # fmt: skip


def _opinions() -> dict[str, str]:
    """A case of two fields, referred and talked about, and drawn for a reference count."""
    pathologist = _person("pathologist")
    consultant = User.objects.create_user(
        email=f"{CONSULTANT}@demo.example", full_name="Otto Naegeli", role=Role.CONSULTANT,
        password=PASSWORD,
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()) as said:
        field_case.make()
    case = Case.objects.get(pk=json.loads(said.getvalue())["case"])
    referral = refer_case(
        case_id=case.pk, actor=pathologist, referral_id=uuid.uuid4(),
        wanted=Request(consultant.pk, "Are the monocytes reactive?"),
    )  # fmt: skip
    remark = Remark("The stain looks pale to me.")
    comment(case=case, actor=pathologist, comment_id=uuid.uuid4(), remark=remark)
    study = open_study(case_id=case.pk, actor=_person("administrator"), cells_wanted=3)
    return {
        "review": reverse("classifier:review", args=[case.pk]),
        "discussion": reverse("consultation:discussion", args=[case.pk]),
        "consultation": reverse("consultation:consultation", args=[referral.pk]),
        "study": reverse("classifier:study", args=[study.pk]),
    }
