"""Routes of the FHIR server."""

from django.urls import URLPattern, path, re_path

from api.fhir import views
from api.fhir.catalogue import KINDS, SEARCHED
from api.fhir.outcomes import FhirView, NowhereInFhir

FOUND = (*SEARCHED, "Patient", "Device")
READ = (*KINDS, "Patient", "Device", "Media")


def _of(view: type[FhirView], kind: str) -> type[FhirView]:
    """Return the view for one type of resource."""
    return type(f"{kind}{view.__name__}", (view,), {"kind": kind, "__doc__": view.__doc__})


app_name = "fhir"
urlpatterns: list[URLPattern] = [
    path("metadata", views.Metadata.as_view(), name="metadata"),
    *(path(kind, _of(views.Search, kind).as_view(), name=f"{kind}-search") for kind in FOUND),
    *(
        path(f"{kind}/_search", _of(views.SearchByForm, kind).as_view(), name=f"{kind}-form")
        for kind in FOUND
    ),
    path("Binary/<str:ident>", views.Binary.as_view(), name="Binary-read"),
    path("DiagnosticReport/<str:ident>/_history", views.History.as_view(), name="history"),
    path(
        "DiagnosticReport/<str:ident>/_history/<str:version>",
        views.Version.as_view(),
        name="version",
    ),
    *(
        path(f"{kind}/<str:ident>", _of(views.Read, kind).as_view(), name=f"{kind}-read")
        for kind in READ
    ),
    re_path(r"", NowhereInFhir.as_view(), name="nowhere"),
]
