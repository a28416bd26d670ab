"""What a report says: the frozen value that is previewed, signed, hashed and exported.

Every document (PDF, page, CSV) is a pure function of it. Without `signature` it is a draft:
`draft_sha256` is what the signer saw, `content_sha256` what the signature is bound to.
"""

from reports.content.counts import (
    UNNAMED_ANALYSER,
    AnalyserResult,
    Delta,
    DifferentialRow,
    FieldCounts,
    NucleatedRedCells,
    OtherCells,
    Reference,
    WhiteCount,
)
from reports.content.findings import (
    Consultation,
    CriticalCall,
    CriticalResult,
    CriticalResults,
    GradedFeature,
    MorphologyLine,
    PrintedOpinion,
)
from reports.content.reading import CellPicture, Reading, Software
from reports.content.report import SCHEMA_VERSION, ReportContent
from reports.content.request import (
    Coded,
    Layout,
    Letterhead,
    PatientIdentity,
    RequestDetails,
    SpecimenDetails,
)
from reports.content.signing import (
    Amendment,
    Change,
    ReplacedInterim,
    Signature,
    Withdrawal,
)

__all__ = [
    "SCHEMA_VERSION",
    "UNNAMED_ANALYSER",
    "Amendment",
    "AnalyserResult",
    "CellPicture",
    "Change",
    "Coded",
    "Consultation",
    "CriticalCall",
    "CriticalResult",
    "CriticalResults",
    "Delta",
    "DifferentialRow",
    "FieldCounts",
    "GradedFeature",
    "Layout",
    "Letterhead",
    "MorphologyLine",
    "NucleatedRedCells",
    "OtherCells",
    "PatientIdentity",
    "PrintedOpinion",
    "Reading",
    "Reference",
    "ReplacedInterim",
    "ReportContent",
    "RequestDetails",
    "Signature",
    "Software",
    "SpecimenDetails",
    "WhiteCount",
    "Withdrawal",
]
