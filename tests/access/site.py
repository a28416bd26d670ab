"""A small laboratory with one of everything that an address can name, and one person of each role.

Where an address names a new kind of thing, put one into `make_things`, under the part of the
address before it. Without that the table can say "." (not found) at most.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts import services as accounts
from accounts.access_reviews import open_review
from accounts.enums import Role
from accounts.models import AuditEvent, User
from api.policies import scopes_of
from api.services.tokens import create_token
from classifier.enums import CaseStatus
from classifier.models import Case, Cell, CriticalLimit, ModelVersion, MorphologyFeature
from classifier.services import (
    emergencies,
    explanations,
    reference_counts,
    restrictions,
    reviews,
)
from classifier.services.cases import OrderDetails, open_case
from classifier.services.holds import hold_model
from classifier.services.images import add_image
from classifier.services.patients import Identity, register_patient
from classifier.services.reference_imports import Provenance, import_picture
from consultation.services.discussion import Remark, comment
from consultation.services.opinions import Words, give_opinion
from consultation.services.referrals import Request, refer_case
from exchange.enums import SenderKind, WebhookContent
from exchange.models import OrderCode, Peer, Sender
from exchange.services.webhooks import add_webhook
from notifications.models import Notice
from quality.analytes import Expected
from quality.models import ControlStop, KnownCell
from quality.services import controls, known_cells, reader_checks
from reports.services.sign_off import sign_off_case
from reports.services.withdrawing import Declaration, request_withdrawal
from retention.models import Disposal
from retention.services.patient_copies import request_copy
from retention.services.rules import propose_rule
from tests.clinical import JANE, picture_bytes, recent_specimen
from tests.factories import UserFactory
from tests.merging import STRANGER, merge, register
from tests.quality.checking import golden_set, set_rules
from tests.reports.conftest import intent_for, proof_of
from tests.retention.steps import hold, rule_values
from tests.reviewing import read_image

NAMES = ("Doe", "MRN00123", "Not for her")
"""What nobody may read who may not read patients."""

_seeds = count(7000)


@dataclass(frozen=True, slots=True)
class Site:
    """Who there is, and what each part of an address stands for."""

    people: Mapping[str, User]
    things: Mapping[str, Any]
    link: str

    def address(self, name: str, route: str) -> str:
        """Return an address of a route, about things that exist where `things` has them."""
        if name == "accounts:join":
            return self.link
        if "^" in route:
            return "/account/password/reset/key/1-x/"
        return "/" + re.sub(
            r"<(\w+):(\w+)>", lambda match: self._value(name, route[: match.start()], match), route
        )

    def _value(self, name: str, before: str, match: re.Match[str]) -> str:
        kind, word = match.groups()
        for part in (f"{name} {word}", _last_part(before), word):
            if part in self.things:
                return str(self.things[part])
        return {"uuid": str(uuid.uuid4()), "int": "987654"}.get(kind, "nothing")


def _last_part(before: str) -> str:
    parts = before.rstrip("/").split("/")
    return f"{parts[-1]}/" if before.endswith("/") else before


def make_site(case: Case, slide: Any, model: ModelVersion) -> Site:
    """Fill a laboratory; ``case`` is registered and has a picture and a slide."""
    people = {
        role.value: UserFactory.create(role=role, full_name=f"Some {role.label}") for role in Role
    }
    account = UserFactory.create(full_name="Somebody Seen")
    invitation = accounts.invite_user(
        actor=User.system(), email="joins@lab.example", full_name="J", role=Role.LEARNER
    )
    things = make_things(people, case, slide, model) | {"users/": account.pk}
    return Site(people, things, "/administration/" + invitation.link.split("/administration/")[1])


def make_things(
    people: Mapping[str, User], case: Case, slide: Any, model: ModelVersion
) -> dict[str, Any]:
    """Return what parts of addresses stand for: a part before the value, its word, or both.

    Keys are tried from the narrowest: "route name word", "part/", "word".
    """
    tess, paul, ada = people["technician"], people["pathologist"], people["administrator"]
    reviewed = _classified(tess, case.patient, model, ["neutrophil", "unidentified"], paul)
    signed = _classified(tess, case.patient, model, ["neutrophil", "lymphocyte"], paul)
    report = sign_off_case(
        case_id=signed.pk, actor=paul, intent=intent_for(signed), reauthentication=proof_of(paul)
    )
    standing, copy = register(tess, STRANGER), register(tess, STRANGER, mrn="MRN00998")
    merged = merge(copy, standing, ada)
    things = {
        "models/": model.pk,
        "patients/": case.patient_id,
        "merge/": standing.pk,
        "patient/": standing.pk,
        "merges/": merged.pk,
        "cases/": reviewed.pk,
        "images/": reviewed.images.all()[0].pk,
        "cells/": _cell(reviewed).pk,
        "slides/": slide.pk,
        "level": 9, "column": 0, "row": 0, "files/": 0,
        "reports/": report.pk,
        "form": "json",
        "code": report.verification_code,
        "verify/": report.verification_code,
        "laboratory/limits/": "critical",
        "limits/": "critical",
        "DiagnosticReport/": report.pk,
        "morphology/": "target_cells",
        "versions/": MorphologyFeature.objects.get(code="target_cells").pk,
        "action": "deactivate",
        "cell_type": "neutrophil",
        "classifier:case_reason pk": case.pk,
        "classifier:case_reason name": "reject",
        "reports:amend pk": signed.pk,
        "reports:case_report pk": signed.pk,
        "position": 0,
        "quality:control_target_settle step": "approve",
        "learning:training_cell pk": 0,
        "learning:training_picture pk": 0,
    }  # fmt: skip
    things |= _of_controls(ada, model) | _of_checks(ada, paul)
    for name in ("classifier:case_submit", "classifier:case_images_add", "classifier:case_label",
                 "classifier:case_images_upload", "classifier:case_slides_upload",
                 "classifier:case_barcode", "api:v1:submit", "api:v1:images", "api:v1:archive",
                 "api:v1:cancel", "api:v1:reject"):  # fmt: skip
        things[f"{name} pk"] = case.pk
    for name in ("image_remove", "image_kind"):
        things[f"classifier:{name} pk"] = case.images.get().pk
    for name in ("limit", "limit_approve", "limit_retire"):
        things[f"classifier:{name} pk"] = CriticalLimit.objects.get(analyte="blast").pk
    return things | _of_others(people, reviewed, report) | _of_systems(ada, tess)


def _of_controls(ada: User, model: ModelVersion) -> dict[str, Any]:
    """A control with a proposed target, and a stop of the model."""
    material = controls.add_material(actor=ada, name="Normal control", lot="N-7")
    values = {"neutrophil": Expected(50, 5)}
    target = controls.propose_values(
        actor=ada, material_id=material.pk, values=values, reason="Counted."
    )
    hold = hold_model(version=model, cause="A control was missing.", actor=User.system())
    stop = ControlStop.objects.create(hold=hold)
    return {"controls/": material.pk, "targets/": target.pk, "stops/": stop.pk}


def _of_checks(ada: User, paul: User) -> dict[str, Any]:
    """Known cells from outside, and a check of them that waits for its reader."""
    source = golden_set(ada, ["neutrophil", "lymphocyte"] * 6)
    known_cells.take_set(actor=ada, set_id=source.pk)
    set_rules(ada)
    check = reader_checks.deal(actor=ada, reader_id=paul.pk)
    return {
        "checks/": check.pk, "readers/": paul.pk, "quality:check_picture position": 1,
        "known-cells/": KnownCell.objects.earliest("pk").pk,
    }  # fmt: skip


def _of_others(people: Mapping[str, User], case: Case, report: Any) -> dict[str, Any]:
    """Return what people said of a case, asked about it, and were told."""
    paul, consultant = people["pathologist"], people["consultant"]
    wanted = Request(consultant.pk, "Are these blasts?")
    referral = refer_case(case_id=case.pk, actor=paul, referral_id=uuid.uuid4(), wanted=wanted)
    opinion = give_opinion(
        referral=referral, actor=consultant, opinion_id=uuid.uuid4(), words=Words("They are.")
    )
    remark = Remark("Not for her.", mentions=[people["technician"].pk])
    said = comment(case=case, actor=paul, comment_id=uuid.uuid4(), remark=remark)
    asked = request_withdrawal(
        actor=paul,
        declaration=Declaration(request_id=uuid.uuid4(), report_id=report.pk, reason="Wrong."),
        reauthentication=proof_of(paul),
    )
    (shown,) = explanations.request_explanations(
        cell_id=_cell(case).pk, actor=paul, methods=("gradcam",), cell_type="neutrophil"
    )
    reference = import_picture(
        data=picture_bytes(next(_seeds)), cell_type="neutrophil", actor=paul,
        provenance=Provenance("An atlas", "CC BY 4.0"),
    )  # fmt: skip
    return {
        "referrals/": referral.pk,
        "consultations/": referral.pk,
        "fields/": case.images.all()[0].pk,
        "opinions/": opinion.pk,
        "comments/": said.pk,
        "mentions/": said.mentions.get().pk,
        "withdrawals/": asked.pk,
        "explanations/": shown.pk,
        "reference-cells/": reference.pk if reference else "",
    }


def _of_systems(ada: User, tess: User) -> dict[str, Any]:
    """Return what administrators run: other systems, tokens, a reference count, a notice."""
    sender = Sender.objects.create(
        name="Hospital", kind=SenderKind.ORDERS, application="A", networks="127.0.0.1"
    )
    code = OrderCode.objects.create(code="DIFF", name="Differential", added_by=ada)
    webhook = add_webhook(
        actor=ada, webhook_id=uuid.uuid4(), url="https://receiver.example/in", name="Ward",
        content=WebhookContent.REFERENCE,
    )  # fmt: skip
    token = create_token(actor=tess, scopes=scopes_of(tess), name="S", life=timedelta(days=1))
    other = register_patient(
        actor=tess,
        identity=Identity("MRN00456", "HVLAB", "Doe", "Jim", JANE.birth_date, "male"),
    )
    model = ModelVersion.objects.get(is_active=True)
    counted = _classified(tess, other, model, ["neutrophil", "lymphocyte"])
    glass = _restricted(ada, tess)
    study = reference_counts.open_study(case_id=counted.pk, actor=ada)
    event = AuditEvent.objects.filter(target_type="classifier.case").latest("at")
    notice = Notice.objects.create(recipient=tess, kind="case.returned", event=event)
    copy = request_copy(
        actor=ada, patient=counted.patient, copy_id=uuid.uuid4(), purpose="A letter."
    )
    return {
        "patient-copies/": copy.pk,
        "senders/": sender.pk,
        "kind": "orders",
        "exchange:code_add kind": "order",
        "exchange:code_approve kind": "order",
        "exchange:code_approve pk": code.pk,
        "exchange:code_retire kind": "order",
        "exchange:code_retire pk": code.pk,
        "receivers/": Peer.objects.create(name="EMR", host="emr.example", port=2575).pk,
        "webhooks/": webhook.pk,
        "secret/": 1,
        "tokens/": token.token.pk,
        "reference-counts/": study.pk,
        "notices/": notice.pk,
        "legal-holds/": hold(ada, other).pk,
        "disposals/": Disposal.objects.create(record_type="slides", proposed_by=ada).pk,
        "due/": "slides",
        "rules/": propose_rule(actor=ada, values=rule_values()).pk,
        "restricted/": glass["restriction"],
        "names/": glass["named"],
        "emergencies/": glass["access"],
        "access-reviews/": open_review(
            actor=ada, review_id=uuid.uuid4(), due_on=timezone.localdate()
        ).pk,
    }


def _restricted(ada: User, tess: User) -> dict[str, Any]:
    """Return a restriction, somebody whom it names, and an emergency access to the record."""
    famous = register_patient(
        actor=tess,
        identity=Identity("MRN00789", "HVLAB", "Doe", "June", JANE.birth_date, "female"),
    )
    restriction = restrictions.restrict_patient(
        actor=ada, patient_id=famous.pk, restriction_id=uuid.uuid4(), kind="public", reason="Known."
    )
    named = restrictions.name_person(
        actor=ada, restriction_id=restriction.pk, user=tess, reason="In charge."
    )
    restrictions.end_naming(actor=ada, restriction_id=restriction.pk, named_id=named.pk)
    access = emergencies.break_glass(
        actor=tess,
        patient_id=famous.pk,
        access_id=uuid.uuid4(),
        cause="cover",
        words="Nobody else.",
    )
    return {"restriction": restriction.pk, "named": named.pk, "access": access.pk}


def _classified(
    tess: User,
    patient: Any,
    model: ModelVersion,
    answers: Sequence[str],
    reader: User | None = None,
) -> Case:
    """Return a case that the model has read as said, open with the reader if one is given."""
    case = open_case(actor=tess, patient=patient, order=OrderDetails(), specimen=recent_specimen())
    for answer in answers:
        seed = next(_seeds)
        image = add_image(
            case_id=case.pk, actor=tess, data=picture_bytes(seed), file_name=f"{seed}.png",
            kind="cell",
        )  # fmt: skip
        read_image(image, model, answer)
    Case.objects.filter(pk=case.pk).update(
        status=CaseStatus.AWAITING_REVIEW, submitted_by=tess, submitted_at=timezone.now()
    )
    if reader is not None:
        reviews.open_review(case_id=case.pk, actor=reader)
    return Case.objects.get(pk=case.pk)


def _cell(case: Case) -> Cell:
    return Cell.objects.filter(image__case=case).order_by("image__uploaded_at")[0]


def browser(person: User | None) -> Client:
    """Return a browser, signed in as the person."""
    client = Client(raise_request_exception=False)
    if person is not None:
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def program(person: User | None) -> Client:
    """Return a program that shows a token of all scopes that the person may have, if any."""
    if person is None or not scopes_of(person):
        return browser(person)
    made = create_token(
        actor=person, scopes=scopes_of(person), name="Script", life=timedelta(days=1)
    )
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {made.text}"})
