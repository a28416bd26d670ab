"""Tables of second opinions and discussion."""

from consultation.models.discussion import CaseComment, Mention, Retraction
from consultation.models.referral import Opinion, OpinionDraft, Referral, ReferralTerm

__all__ = [
    "CaseComment",
    "Mention",
    "Opinion",
    "OpinionDraft",
    "Referral",
    "ReferralTerm",
    "Retraction",
]
