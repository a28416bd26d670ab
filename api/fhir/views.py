"""The addresses of the FHIR server: each reads its parameters and calls one selector."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.http import Http404, HttpResponse, QueryDict
from rest_framework.response import Response

from api.enums import Scope
from api.fhir.capabilities import capability_statement
from api.fhir.outcomes import FhirView, answer_resource, refuse
from api.fhir.parameters import read_uuid
from api.fhir.registers import IDENTIFYING, list_devices, search_devices, search_patients
from api.fhir.reports import (
    read_media,
    read_one,
    read_patient,
    read_versions,
    record_reads,
    visible_reports,
)
from api.fhir.search import search
from api.v1.base import TokenRequest
from reports.fhir.values import Resource
from reports.services.reading import read_pdf, record_download


class Metadata(FhirView):
    """What this server can do; open to all, as it names nobody."""

    authentication_classes = []
    permission_classes = []
    scopes: ClassVar[Mapping[str, Scope]] = {}

    def get(self, request: TokenRequest) -> Response:
        """Return the CapabilityStatement."""
        return answer_resource(request, capability_statement())


class Search(FhirView):
    """All of a type that match: by the address, or by a form in the body (`_search`)."""

    kind: ClassVar[str] = ""

    def get(self, request: TokenRequest) -> Response:
        """Search by the parameters of the address."""
        return self._answer(request, request.query_params, in_body=False)

    def _answer(self, request: TokenRequest, parameters: QueryDict, *, in_body: bool) -> Response:
        _refuse_unreadable(parameters)
        found = self.find(request, parameters, in_body=in_body)
        return answer_resource(request, found)

    def find(self, request: TokenRequest, parameters: QueryDict, *, in_body: bool) -> Resource:
        """Return the searchset."""
        if self.kind == "Patient":
            return search_patients(request.user, parameters, in_body=in_body)
        if self.kind == "Device":
            return search_devices(parameters)
        return search(request.user, self.kind, parameters)


class SearchByForm(Search):
    """The same search with its parameters in the body, where no log keeps them."""

    http_method_names = ["post", "options"]

    def post(self, request: TokenRequest) -> Response:
        """Search by the form, and what the address adds."""
        form = request.data
        if not isinstance(form, QueryDict):
            raise refuse("Send the parameters as a form.", 415)
        stray = set(IDENTIFYING) & set(request.query_params)
        parameters = form.copy()
        for name, values in request.query_params.lists():
            if name in parameters:
                raise refuse(f"{name[:60]!r} stands in the address and in the body.")
            parameters.setlist(name, values)
        return self._answer(request, parameters, in_body=not stray)


class Read(FhirView):
    """One resource as it is now."""

    kind: ClassVar[str] = ""

    def get(self, request: TokenRequest, ident: str) -> Response:
        """Return it with its entity tag."""
        return answer_resource(request, self.find(request, ident))

    def find(self, request: TokenRequest, ident: str) -> Resource:
        """Return the resource, else Http404."""
        if self.kind == "Device":
            for item in list_devices():
                if item["id"] == ident:
                    return item
            raise Http404
        if self.kind in ("Patient", "Media"):
            if (found := read_uuid(ident)) is None:
                raise Http404
            return (read_patient if self.kind == "Patient" else read_media)(request.user, found)
        return read_one(request.user, self.kind, ident)


class History(FhirView):
    """All versions of a report."""

    def get(self, request: TokenRequest, ident: str) -> Response:
        """Return them as a history, the latest first."""
        if (case_id := read_uuid(ident)) is None:
            raise Http404
        address = f"DiagnosticReport/{ident}"
        entries = [
            {
                "fullUrl": f"{settings.SITE_URL}/fhir/{address}",
                "resource": item,
                "request": _made_by(item, ident),
                "response": {
                    "status": "201" if item["meta"]["versionId"] == "1" else "200",
                    "etag": f'W/"{item["meta"]["versionId"]}"',
                    "lastModified": item["meta"]["lastUpdated"],
                },
            }
            for item in read_versions(request.user, case_id)
        ]
        link = {"relation": "self", "url": f"{settings.SITE_URL}/fhir/{address}/_history"}
        bundle: Resource = {
            "resourceType": "Bundle",
            "type": "history",
            "total": len(entries),
            "link": [link],
            "entry": entries,
        }
        return answer_resource(request, bundle)


def _made_by(item: Resource, ident: str) -> dict[str, str]:
    """Return the request that would have made a version."""
    if item["meta"]["versionId"] == "1":
        return {"method": "POST", "url": "DiagnosticReport"}
    return {"method": "PUT", "url": f"DiagnosticReport/{ident}"}


class Version(FhirView):
    """One version of a report, as it was signed."""

    def get(self, request: TokenRequest, ident: str, version: str) -> Response:
        """Return it, superseded or not."""
        if (case_id := read_uuid(ident)) is None:
            raise Http404
        for item in read_versions(request.user, case_id):
            if item["meta"]["versionId"] == version:
                return answer_resource(request, item)
        raise Http404


class Binary(FhirView):
    """The PDF of a version, byte for byte as it was signed."""

    def get(self, request: TokenRequest, ident: str) -> HttpResponse:
        """Return it once its hash is verified, and record who took it."""
        if (report_id := read_uuid(ident)) is None:
            raise Http404
        report = visible_reports(request.user).filter(pk=report_id).first()
        if report is None:
            raise Http404
        record_reads(request.user, [report.case.patient_id])
        data = read_pdf(report, actor=request.user)
        record_download(report, actor=request.user, form="pdf by FHIR")
        response = HttpResponse(data, content_type="application/pdf")
        response["Content-Disposition"] = f'attachment; filename="{report.file_stem}.pdf"'
        return response


def _refuse_unreadable(parameters: Mapping[str, Any]) -> None:
    if any("\0" in name or len(name) > 64 for name in parameters):
        raise refuse("A parameter has a name that none can have.")
