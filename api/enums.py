"""Closed vocabularies of the API."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What a token may be used for; its owner's duties bound it."""

    PATIENTS_READ = "patients:read", _("Read patients")
    PATIENTS_WRITE = "patients:write", _("Register patients")
    CASES_READ = "cases:read", _("Read cases and follow them")
    CASES_WRITE = "cases:write", _("Open, submit, reject and cancel cases")
    IMAGES_WRITE = "images:write", _("Upload and remove images")
    RESULTS_READ = "results:read", _("Read results: cells, differential, field counts")
    REVIEWS_WRITE = "reviews:write", _("Open reviews and correct cells")
    EXPLANATIONS_WRITE = "explanations:write", _("Ask why the classifier named a cell so")
    CALLS_WRITE = "calls:write", _("Record calls about critical results")
    DISCUSSION_READ = "discussion:read", _("Read comments, referrals and opinions")
    DISCUSSION_WRITE = "discussion:write", _("Comment on cases, withdraw referrals")
    REFERRALS_WRITE = "referrals:write", _("Refer cases and use opinions on them")
    CONSULTATIONS_READ = "consultations:read", _("Read what is referred to you")
    CONSULTATIONS_WRITE = "consultations:write", _("Give opinions on what is referred to you")
    REPORTS_READ = "reports:read", _("Read signed reports")
    MODELS_READ = "models:read", _("Read which model versions are in use")
    FHIR_READ = "fhir:read", _("Read and search by FHIR")
