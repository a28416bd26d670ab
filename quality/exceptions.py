"""What the quality boards refuse, in words for whoever asked."""

from classifier.exceptions import DomainError


class BaselineRefused(DomainError):
    """Days that can't be a baseline."""


class ControlRefused(DomainError):
    """Something about a control, its target or its rules that can't be so."""


class CheckRefused(DomainError):
    """Something about reader checks or their known cells that can't be so."""
