"""Routes of the public pages that check a report."""

from django.urls import URLPattern, path

from reports.views import verification

app_name = "verification"
urlpatterns: list[URLPattern] = [
    path("", verification.ask, name="ask"),
    path("<str:code>/", verification.report, name="report"),
]
