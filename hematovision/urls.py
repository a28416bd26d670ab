"""Routes of the whole site."""

from django.urls import URLPattern, URLResolver, include, path

from hematovision import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("accounts.sign_in_urls")),
    path("administration/", include("accounts.urls")),
    path("reports/", include("reports.urls")),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.Readiness.as_view(), name="health_ready"),
    path("", include("classifier.urls")),
]
