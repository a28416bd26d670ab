"""A report as an HL7 v2.5.1 result message (ORU^R01): a pure function of the signed content."""

from reports.hl7.encoding import CannotBeWritten, encode
from reports.hl7.message import Envelope, Party, PlacerOrder, render_oru

__all__ = ["CannotBeWritten", "Envelope", "Party", "PlacerOrder", "encode", "render_oru"]
