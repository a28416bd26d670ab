"""Routes of the reports app."""

from django.urls import URLPattern, path

from reports.views import (
    amending,
    bundles,
    deltas,
    dicom,
    documents,
    lists,
    research,
    signing,
    withdrawing,
)

app_name = "reports"
urlpatterns: list[URLPattern] = [
    path("", lists.report_list, name="report_list"),
    path("export/", lists.export_list, name="export_list"),
    path("images/<uuid:pk>/image.dcm", dicom.image, name="image_dicom"),
    path("<uuid:pk>/report.dcm", dicom.report, name="report_dicom"),
    path("research/", research.research, name="research"),
    path("research/<uuid:pk>/archive.zip", research.archive, name="research_archive"),
    path("research/<uuid:pk>/delete/", research.delete, name="research_delete"),
    path("cases/<uuid:pk>/", documents.case_report, name="case_report"),
    path("cases/<uuid:pk>/sign-off/", signing.sign_off, name="sign_off"),
    path("cases/<uuid:pk>/sign-off/preview.pdf", signing.preview, name="sign_off_preview"),
    path("cases/<uuid:pk>/deltas/dismiss/", deltas.dismiss, name="dismiss_delta"),
    path("cases/<uuid:pk>/amend/", amending.amend, name="amend"),
    path("patients/<uuid:pk>/", documents.patient_reports, name="patient_reports"),
    path("<uuid:pk>/", documents.detail, name="report_detail"),
    path("<uuid:pk>/withdraw/", withdrawing.ask, name="report_withdraw"),
    path("<uuid:pk>/report.pdf", documents.pdf, name="report_pdf"),
    *(
        path(f"<uuid:pk>/report.{form}", documents.export, {"form": form}, name=f"report_{form}")
        for form in documents.DATA_FORMS
    ),
    *(
        path(
            f"<uuid:pk>/{kind}.fhir.json",
            bundles.bundle,
            {"kind": kind},
            name=f"report_fhir_{kind}",
        )
        for kind in bundles.BUNDLES
    ),
]
