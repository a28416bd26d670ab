"""Roles and account states: the choices of the accounts app."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What a person is in the laboratory; each is a group holding a set of permissions."""

    TECHNICIAN = "technician", _("Technician")
    PATHOLOGIST = "pathologist", _("Pathologist")
    ADMINISTRATOR = "administrator", _("Administrator")
    CONSULTANT = "consultant", _("Consultant")
    LEARNER = "learner", _("Learner")


class AccountState(TextChoices):
    """Where an account stands: invited accounts have never been used."""

    INVITED = "invited", _("Invited")
    ACTIVE = "active", _("Active")
    DEACTIVATED = "deactivated", _("Deactivated")
