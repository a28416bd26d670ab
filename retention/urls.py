"""Routes of retention."""

from django.urls import path

from retention.views import copies, disposals, due, rules

app_name = "retention"

urlpatterns = [
    path("", rules.index, name="rules"),
    path("rules/new/", rules.propose, name="rule_new"),
    path("rules/<int:pk>/", rules.show, name="rule"),
    path("rules/<int:pk>/approve/", rules.approve, name="rule_approve"),
    path("rules/<int:pk>/retire/", rules.retire, name="rule_retire"),
    path("patients/<uuid:pk>/copies/", copies.index, name="patient_copies"),
    path("patient-copies/<uuid:pk>/archive.zip", copies.archive, name="patient_copy"),
    path("patient-copies/<uuid:pk>/delete/", copies.delete, name="patient_copy_delete"),
    path("disposals/", disposals.index, name="disposals"),
    path("disposals/due/<slug:kind>/", due.due, name="due"),
    path("disposals/<uuid:pk>/", disposals.show, name="disposal"),
    path("disposals/<uuid:pk>/approve/", disposals.approve, name="disposal_approve"),
    path("disposals/<uuid:pk>/withdraw/", disposals.withdraw, name="disposal_withdraw"),
    path("disposals/<uuid:pk>/export/", disposals.export, name="disposal_export"),
]
