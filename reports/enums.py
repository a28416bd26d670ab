"""Closed vocabularies of reports and signatures."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReportStatus(models.TextChoices):
    """How a version stands, in the words of FHIR's diagnostic-report-status."""

    FINAL = "final", _("Final")
    CORRECTED = "corrected", _("Corrected")


class SignatureMeaning(models.TextChoices):
    """What the signer declares by signing (21 CFR 11.50(a)(3))."""

    APPROVAL = "approval", _("Approval")
    AUTHORSHIP = "authorship", _("Authorship")
    REVIEW = "review", _("Review")
    RESPONSIBILITY = "responsibility", _("Responsibility")


STATEMENTS = {
    SignatureMeaning.APPROVAL: "I have reviewed the cells and approve this report for release.",
    SignatureMeaning.AUTHORSHIP: "I have examined the cells and written this report.",
    SignatureMeaning.REVIEW: "I have reviewed the cells and agree with this report.",
    SignatureMeaning.RESPONSIBILITY: "I take responsibility for this report for the laboratory.",
}


class ReauthenticationMethod(models.TextChoices):
    """How the signer proved to be the signer at the moment of signing."""

    PASSWORD = "password", _("Password")
