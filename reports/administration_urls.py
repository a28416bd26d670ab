"""Routes of what administrators do with reports: withdrawals, and how reports are printed."""

from django.urls import URLPattern, path

from reports.views import layouts, withdrawing

app_name = "report_administration"
urlpatterns: list[URLPattern] = [
    path("layout/", layouts.layout, name="layout"),
    path("withdrawals/", withdrawing.requests, name="withdrawals"),
    path("withdrawals/<uuid:pk>/", withdrawing.decide, name="withdrawal"),
]
