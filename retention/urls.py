"""Routes of retention."""

from django.urls import path

from retention.views import rules

app_name = "retention"

urlpatterns = [
    path("", rules.index, name="rules"),
    path("rules/new/", rules.propose, name="rule_new"),
    path("rules/<int:pk>/", rules.show, name="rule"),
    path("rules/<int:pk>/approve/", rules.approve, name="rule_approve"),
    path("rules/<int:pk>/retire/", rules.retire, name="rule_retire"),
]
