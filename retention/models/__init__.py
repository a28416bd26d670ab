"""Tables of retention."""

from retention.models.rules import RetentionRule

__all__ = ["RetentionRule"]
