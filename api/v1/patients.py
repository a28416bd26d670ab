"""Patients: register, look up by number, read."""

import uuid

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.audit import record_read
from api.enums import Scope
from api.shapes.patients import FoundPatients, NewPatient, PatientNumber, PatientShape
from api.v1.base import ApiView, TokenRequest
from api.v1.describing import SENT, posts, problems, reads
from api.v1.once import once
from api.v1.reading import body
from classifier.models import Patient
from classifier.services.patients import register_patient

TAG = "Patients"
MOST_FOUND = 20


class Patients(ApiView):
    """The laboratory's patients."""

    scopes = {"POST": Scope.PATIENTS_WRITE}

    @posts(NewPatient, PatientShape, tag=TAG, summary="Register a patient", status=201, found=False,
           operation_id="register_patient")  # fmt: skip
    @once
    def post(self, request: TokenRequest) -> Response:
        """Register a person once.

        A number that is registered already is refused with 409 and the id of who has it
        (`patients`, `is_certain`: true). So is somebody who looks like a registered patient,
        unless `duplicate_reason` says why this is another person.
        """
        form = body(request, NewPatient)
        patient = register_patient(
            actor=request.user,
            identity=form.identity(),
            duplicate_reason=form.validated_data["duplicate_reason"],
        )
        where = reverse("api:v1:patient", args=[patient.pk])
        return Response(PatientShape(patient).data, status=201, headers={"Location": where})


class FindPatients(ApiView):
    """Looking patients up."""

    scopes = {"POST": Scope.PATIENTS_READ}

    @extend_schema(
        tags=[TAG],
        summary="Find patients by number",
        operation_id="find_patients",
        request=PatientNumber,
        responses={200: FoundPatients, **problems(*SENT)},
    )
    def post(self, request: TokenRequest) -> Response:
        """Return who carries a number; of a merged record, the one that stands for it.

        A POST that changes nothing, as a patient's number never stands in an address. It needs
        no idempotency key.
        """
        number = body(request, PatientNumber).validated_data
        found = Patient.objects.filter(mrn=number["mrn"])
        if number["mrn_issuer"]:
            found = found.filter(mrn_issuer=number["mrn_issuer"])
        visible = Patient.objects.visible_to(request.user)
        patients = list(visible.standing_for(found)[:MOST_FOUND])
        for patient in patients:
            record_read(actor=request.user, patient=patient)
        return Response(FoundPatients({"results": patients}).data)


class OnePatient(ApiView):
    """A patient."""

    scopes = {"GET": Scope.PATIENTS_READ}

    @reads(PatientShape, tag=TAG, summary="Read a patient", operation_id="read_patient")
    def get(self, request: TokenRequest, pk: uuid.UUID) -> Response:
        """Return a patient; that it was read stands in the audit trail.

        A record that was merged says so: `merged_into` is the id of the one that stands for it
        and has its cases.
        """
        patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=pk)
        record_read(actor=request.user, patient=patient)
        return Response(PatientShape(patient).data)
