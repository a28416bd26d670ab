"""Routes of the whole site."""

from django.urls import URLPattern, URLResolver, include, path

from hematovision import health
from hematovision.metrics.views import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("accounts.sign_in_urls")),
    path("administration/", include("accounts.urls")),
    path("administration/webhooks/", include("exchange.webhook_urls")),
    path("reports/", include("reports.urls")),
    path("administration/reports/", include("reports.administration_urls")),
    path("exchange/", include("exchange.urls")),
    path("administration/models/", include("learning.urls")),
    path("quality/", include("quality.urls")),
    path("administration/retention/", include("retention.urls")),
    path("administration/copies/", include("vault.urls")),
    path("verify/", include("reports.verification_urls")),
    path("api/", include("api.urls")),
    path("fhir/", include("api.fhir.urls")),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.Readiness.as_view(), name="health_ready"),
    path("metrics", metrics, name="metrics"),
    path("", include("notifications.urls")),
    path("", include("consultation.urls")),
    path("", include("classifier.urls")),
]

handler500 = "hematovision.failures.answer_failure"
