"""Routes of copies and keys."""

from django.urls import path

from vault.views import copies

app_name = "vault"

urlpatterns = [
    path("", copies.index, name="copies"),
    path("start/", copies.start, name="start"),
]
