"""Closed vocabularies of reports and signatures."""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReportStatus(models.TextChoices):
    """How a version stands, in the words of FHIR's diagnostic-report-status."""

    PRELIMINARY = "preliminary", _("Interim")
    FINAL = "final", _("Final")
    CORRECTED = "corrected", _("Corrected")
    APPENDED = "appended", _("Appended")
    ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")
    CANCELLED = "cancelled", _("Cancelled")


STANDING = (ReportStatus.FINAL, ReportStatus.CORRECTED, ReportStatus.APPENDED)
"""A version with one of these is the patient's result until another supersedes it."""

FIRST = (ReportStatus.PRELIMINARY, ReportStatus.FINAL)
"""What a case's first version may be; these need no reason, all others do."""

MAY_FOLLOW: Mapping[ReportStatus, tuple[ReportStatus, ...]] = {
    ReportStatus.PRELIMINARY: (*FIRST, ReportStatus.CANCELLED),
    **dict.fromkeys(
        STANDING,
        (ReportStatus.CORRECTED, ReportStatus.APPENDED, ReportStatus.ENTERED_IN_ERROR),
    ),
    ReportStatus.ENTERED_IN_ERROR: (),
    ReportStatus.CANCELLED: (),
}
"""Which status the version after one of this status may have; the database holds to it too."""


class Issue(models.TextChoices):
    """What the signer issues: the result, a first word on it, or an addition to what was signed."""

    RESULT = "result", _("Result")
    INTERIM = "interim", _("Interim result")
    ADDITION = "addition", _("Addition")


class SignatureMeaning(models.TextChoices):
    """What the signer declares by signing (21 CFR 11.50(a)(3))."""

    APPROVAL = "approval", _("Approval")
    AUTHORSHIP = "authorship", _("Authorship")
    REVIEW = "review", _("Review")
    RESPONSIBILITY = "responsibility", _("Responsibility")
    WITHDRAWAL = "withdrawal", _("Withdrawal")
    CANCELLATION = "cancellation", _("Cancellation")


STATEMENTS = {
    SignatureMeaning.APPROVAL: "I have reviewed the cells and approve this report for release.",
    SignatureMeaning.AUTHORSHIP: "I have examined the cells and written this report.",
    SignatureMeaning.REVIEW: "I have reviewed the cells and agree with this report.",
    SignatureMeaning.RESPONSIBILITY: "I take responsibility for this report for the laboratory.",
    SignatureMeaning.WITHDRAWAL: "I declare that this report was entered in error.",
    SignatureMeaning.CANCELLATION: "The case was ended without a result; its interim report is "
    "withdrawn. Issued by ending the case, without a password.",
}

MEANINGS_OF_A_REPORT = tuple(
    item for item in SignatureMeaning if item.value not in ("withdrawal", "cancellation")
)
"""What a signature under a report can mean; the others withdraw one."""


class ReauthenticationMethod(models.TextChoices):
    """How the signer proved to be the signer at the moment of signing."""

    PASSWORD = "password", _("Password")
    NONE = "none", _("Not at all: an announcement of what was done")
    PASSWORD_CODE = "password_code", _("Password and a code from an authenticator app")
    PASSWORD_KEY = "password_key", _("Password and a security key")
    PASSWORD_RECOVERY = "password_backup", _("Password and a recovery code")
    SSO = "sso", _("Single sign-on, anew")
    SSO_FACTOR = "sso_factor", _("Single sign-on, anew, with a second factor there")
    SSO_CODE = "sso_code", _("Single sign-on, anew, and a code from an authenticator app")
    SSO_KEY = "sso_key", _("Single sign-on, anew, and a security key")
    SSO_RECOVERY = "sso_backup", _("Single sign-on, anew, and a recovery code")


class Paper(models.TextChoices):
    """The sheet a laboratory prints on."""

    A4 = "a4", _("A4 (210 × 297 mm)")  # noqa: RUF001
    LETTER = "letter", _("US Letter (8.5 × 11 in)")  # noqa: RUF001


class Section(models.TextChoices):
    """A part of the report whose place the laboratory chooses.

    What comes before them (whose blood it is, corrections, critical results) and after them
    (method, limits, signature) has its place by rule.
    """

    INTERPRETATION = "interpretation", _("Interpretation")
    CONSULTED = "consulted", _("Consulted")
    DIFFERENTIAL = "differential", _("Leukocyte differential")
    MORPHOLOGY = "morphology", _("Morphology")
    CELLS = "cells", _("Cell images")


ALWAYS_PRINTED = tuple(item for item in Section if item != Section.CELLS)
"""What was found is printed, wherever; only the pictures can be left out."""
