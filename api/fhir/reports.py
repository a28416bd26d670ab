"""Signed reports as resources: found among what the user may see, verified, made in bulk."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from accounts.audit import READ_RECORDED_AGAIN_AFTER, record
from accounts.models import AuditEvent
from api.fhir.catalogue import KINDS
from classifier.models import Laboratory, Patient
from reports.fhir.bundles import make_resources
from reports.fhir.people import patient_body
from reports.fhir.report import make_media
from reports.fhir.source import DEMONSTRATION, SHARED
from reports.fhir.values import Resource, reference
from reports.models import Report
from reports.pictures import load_kept
from reports.querysets import ReportQuerySet
from reports.services.fhir import read_signed

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

Key = tuple[str, str]


def visible_reports(user: "User") -> ReportQuerySet:
    """Return the issued versions that the user may read, the latest issued first."""
    reports = Report.objects.visible_to(user).with_signatures()
    return reports.prefetch_related("case__patient__absorbed").order_by("-issued_at", "-pk")


def read_one(user: "User", kind: str, ident: str) -> Resource:
    """Return one resource as the current report has it; else Http404.

    Raises:
        ReportTampered: what is stored isn't what was signed.
    """
    found = visible_reports(user).filter(KINDS[kind].by_id(ident))
    if KINDS[kind].current_only:
        found = found.current()
    report = found.first()
    if report is None:
        raise Http404
    resource = resources_of(report, user).get((kind, ident))
    if resource is None:
        raise Http404
    if kind not in SHARED:
        record_reads(user, [report.case.patient_id])
    return resource


def read_versions(user: "User", case_id: uuid.UUID) -> list[Resource]:
    """Return all versions of a report, the latest first; Http404 without any."""
    reports = list(visible_reports(user).filter(case=case_id).order_by("version"))
    if not reports:
        raise Http404
    record_reads(user, [reports[0].case.patient_id])
    made = [
        resources_of(report, user, earlier=reports[:place])["DiagnosticReport", str(case_id)]
        for place, report in enumerate(reports)
    ]
    return made[::-1]


def read_media(user: "User", cell_id: uuid.UUID) -> Resource:
    """Return one key cell of a current report with its picture; else Http404.

    One whose picture was disposed of is in the signed PDF alone.
    """
    wanted = [{"cell_id": str(cell_id)}]
    found = visible_reports(user).current().filter(content__pictures__contains=wanted)
    if (report := found.first()) is None:
        raise Http404
    signed = read_signed(report, actor=user, earlier=[])
    shown = [item for item in signed.content.pictures if item.cell_id == str(cell_id)]
    record_reads(user, [report.case.patient_id])
    made = make_media(replace(signed, images=load_kept(shown)))
    if not made:
        raise Http404
    return made[0]


def resources_of(
    report: Report, user: "User", *, earlier: list[Report] | None = None
) -> dict[Key, Resource]:
    """Return all resources of a report by type and id, the patient as the record has them now.

    A report that was signed of a record merged since leads to it, and that to the one that stands.
    """
    signed = read_signed(report, actor=user, earlier=earlier)
    made = {(item["resourceType"], item["id"]): item for item in make_resources(signed)}
    named, standing = uuid.UUID(signed.content.patient.id), report.case.patient
    records = [standing] if named == standing.pk else [*Patient.objects.filter(pk=named), standing]
    is_demo = signed.content.laboratory.is_demo
    patients = [make_patient(row, is_demo=is_demo) for row in records]
    return made | {("Patient", patient["id"]): patient for patient in patients}


def earlier_versions(reports: Sequence[Report]) -> dict[uuid.UUID, list[Report]]:
    """Return the versions before each of the reports, by its id, with one query."""
    cases = [report.case_id for report in reports if report.version > 1]
    by_case: dict[uuid.UUID, list[Report]] = defaultdict(list)
    if cases:
        found = Report.objects.filter(case__in=cases).with_signatures().order_by("version")
        for version in found:
            by_case[version.case_id].append(version)
    return {
        report.pk: [item for item in by_case[report.case_id] if item.version < report.version]
        for report in reports
    }


def make_patient(patient: Patient, *, is_demo: bool) -> Resource:
    """Return a patient as the laboratory's record names them, with its links to merged records.

    A merged record is not active and links to the one that stands for it (FHIR `Patient.link`).
    """
    start: Resource = {"resourceType": "Patient", "id": str(patient.pk)}
    if is_demo:
        start["meta"] = {"security": [DEMONSTRATION]}
    body = patient_body(
        mrn=patient.mrn,
        issuer=patient.mrn_issuer,
        name=(patient.family_name, patient.given_name),
        sex=patient.sex,
        born=patient.birth_date,
        base=settings.SITE_URL,
    )
    links = [_link(row.pk, "replaces") for row in patient.absorbed.all()]
    if patient.merged_into_id:
        links.append(_link(patient.merged_into_id, "replaced-by"))
    return (
        start | body | {"active": not patient.merged_into_id} | ({"link": links} if links else {})
    )


def _link(patient_id: uuid.UUID, kind: str) -> dict[str, object]:
    return {"other": reference("Patient", str(patient_id)), "type": kind}


def read_patient(user: "User", patient_id: uuid.UUID) -> Resource:
    """Return a patient who has a report; else Http404."""
    patient = reported_patients(user).filter(pk=patient_id).first()
    if patient is None:
        raise Http404
    record_reads(user, [patient.pk])
    return make_patient(patient, is_demo=Laboratory.current().is_demo)


def reported_patients(user: "User") -> "QuerySet[Patient]":
    """Return the patients whose record the user may read and who have a signed report.

    With them the records that were merged into theirs, so that old links lead on.
    """
    signed = Report.objects.visible_to(user).values("case__patient")
    reported = Q(pk__in=signed) | Q(merged_into__in=signed)
    rows: QuerySet[Patient] = Patient.objects.visible_to(user).filter(reported)
    return rows.prefetch_related("absorbed")


def record_reads(user: "User", patients: Iterable[uuid.UUID]) -> None:
    """Record whose records were read; once an hour for each reader and patient."""
    wanted = dict.fromkeys(patients)
    since = timezone.now() - READ_RECORDED_AGAIN_AFTER
    seen = set(
        AuditEvent.objects.since(since)
        .filter(actor=user, action="patient.viewed", patient_id__in=list(wanted))
        .values_list("patient_id", flat=True)
    )
    new = Patient.objects.in_bulk([pk for pk in wanted if pk not in seen])
    if not new:
        return
    with transaction.atomic():
        for patient in new.values():
            record(actor=user, action="patient.viewed", target=patient, patient=patient)
