"""Tables of retention."""

from retention.models.disposals import Disposal, DisposalItem
from retention.models.rules import RetentionRule

__all__ = ["Disposal", "DisposalItem", "RetentionRule"]
