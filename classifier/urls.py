"""Routes of the classifier app."""

from django.urls import URLPattern

app_name = "classifier"
urlpatterns: list[URLPattern] = []
