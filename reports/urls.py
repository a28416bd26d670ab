"""Routes of the reports app."""

from django.urls import URLPattern, path

from reports.views import amending, documents, signing

app_name = "reports"
urlpatterns: list[URLPattern] = [
    path("cases/<uuid:pk>/", documents.case_report, name="case_report"),
    path("cases/<uuid:pk>/sign-off/", signing.sign_off, name="sign_off"),
    path("cases/<uuid:pk>/sign-off/preview.pdf", signing.preview, name="sign_off_preview"),
    path("cases/<uuid:pk>/amend/", amending.amend, name="amend"),
    path("patients/<uuid:pk>/", documents.patient_reports, name="patient_reports"),
    path("<uuid:pk>/", documents.detail, name="report_detail"),
    path("<uuid:pk>/report.pdf", documents.pdf, name="report_pdf"),
    path("<uuid:pk>/report.csv", documents.csv, name="report_csv"),
]
