"""Tables of retention."""

from retention.models.copies import PatientCopy
from retention.models.disposals import Disposal, DisposalItem
from retention.models.messages import MessageBatch
from retention.models.rules import RetentionRule

__all__ = ["Disposal", "DisposalItem", "MessageBatch", "PatientCopy", "RetentionRule"]
