"""Routes of the whole site."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("administration/", include("accounts.urls")),
    path("reports/", include("reports.urls")),
    path("", include("classifier.urls")),
]
