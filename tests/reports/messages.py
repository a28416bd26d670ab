"""Contents that need every part of a message, and reading messages with another library."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import hl7

from reports import content as c
from reports.hl7 import Envelope, Party, PlacerOrder, render_oru
from tests.reports.contents import RECEIVED, make_content, make_signature

ENVELOPE = Envelope(
    sender=Party("HEMATOVISION", "HVLAB"),
    receiver=Party("EMR", "GENHOSP"),
    control_id="HV0001",
    written_at=datetime(2026, 11, 20, 11, tzinfo=UTC),
    placer=PlacerOrder("ORD555", "EMR"),
)
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 4
STATUSES = {
    "preliminary": ("P", "P"),
    "final": ("F", "F"),
    "corrected": ("C", "C"),
    "appended": ("F", "F"),
    "entered-in-error": ("C", "W"),
    "cancelled": ("X", "X"),
}
PERCENT = c.Reference(
    c.Coded("percent", "Percent"), "%", Decimal(0), Decimal(7), 2, "source", is_approved=True
)


def amendment(*, is_addition: bool = False) -> c.Amendment:
    """Return what a second version says of the first."""
    change = c.Change("Interpretation", "" if is_addition else "None", "Seen again with | and ^.")
    superseded = RECEIVED + timedelta(hours=2)
    return c.Amendment(1, "0" * 64, superseded, "A cell was misread.", (change,), is_addition)


def make_full(status: str = "final", **changed: object) -> c.ReportContent:
    """Return a signed content that has something to say in every part."""
    base = make_content()
    rows = (
        *base.differential,
        replace(
            base.differential[3],
            cell_type=c.Coded("atypical_lymphocyte", "Atypical lymphocyte"),
            absolute=None,
            reference=PERCENT,
            flag=c.Coded("critical_high", "Critical high"),
            naming_low=Decimal("0.0"),
            naming_high=Decimal("6.1"),
        ),
    )
    values: dict[str, object] = {
        "status": c.Coded(status, status.capitalize()),
        "version": 1 if status in ("preliminary", "final") else 2,
        "laboratory": replace(base.laboratory, clia="99D9999999"),
        "differential": rows,
        "white_count": c.WhiteCount(
            Decimal("28.40"), RECEIVED, "Haematology analyser", Decimal("27.57"),
            c.Coded("high", "High"), _absolute("4.00", "11.00"),
        ),
        "morphology": (_red_cells(),),
        "deltas": (_delta(),),
        "consultations": (_opinion(),),
        "critical": _critical(),
        "fields": _fields(),
    }  # fmt: skip
    if status in ("corrected", "appended", "entered-in-error", "cancelled"):
        values["amendment"] = amendment(is_addition=status == "appended")
    if status == "entered-in-error":
        values["withdrawal"] = c.Withdrawal(
            "Leila Haddad, MD", RECEIVED + timedelta(hours=3), "Ada Administrator",
            RECEIVED + timedelta(hours=4),
        )  # fmt: skip
    return replace(base, **(values | changed)).signed(make_signature())  # type: ignore[arg-type]


def read(content: c.ReportContent, pdf: bytes | None = PDF) -> hl7.Message:
    """Return the message of a content as the other library reads it."""
    return hl7.parse(render_oru(content, pdf, ENVELOPE))


def results(message: hl7.Message) -> dict[str, hl7.Segment]:
    """Return the OBX segments by the code of what they report."""
    found = {}
    for segment in message.segments("OBX"):
        code, sub_id = str(segment[3][0][0]), str(segment[4])
        found[f"{code} {sub_id}".strip()] = segment
    return found


def _absolute(low: str, high: str) -> c.Reference:
    kind = c.Coded("absolute", "Absolute count")
    return c.Reference(kind, "10*9/L", Decimal(low), Decimal(high), 1, "UK", is_approved=False)


def _red_cells() -> c.MorphologyLine:
    feature = c.GradedFeature(
        c.Coded("schistocytes", "Schistocytes"), 2, Decimal("1.50"), "% of red cells",
        is_overruled=False, comment="fields 2 & 3", version=1, is_approved=False,
    )  # fmt: skip
    line = c.Coded("red", "Red cells")
    return c.MorphologyLine(line, "58408-6", "Red cells: schistocytes 2+.", (feature,))


def _delta() -> c.Delta:
    return c.Delta(
        c.Coded("neutrophil", "Neutrophil"), "%", Decimal("38.0"), None, None, Decimal("70.0"),
        None, None, Decimal("-45.7"), "x", "HV26-000001Y", RECEIVED - timedelta(hours=30),
        Decimal("30.0"), 72, 1, is_approved=False,
    )  # fmt: skip


def _opinion() -> c.Consultation:
    said = c.PrintedOpinion("Agree.\nNothing to add.", "AML?", RECEIVED)
    return c.Consultation("Cora Consultant", True, RECEIVED, RECEIVED, (said,))


def _critical() -> c.CriticalResults:
    result = c.CriticalResult(
        c.Coded("blast", "Blast"), c.Coded("seen", "seen"), Decimal(17), "{cells}", None, 1,
        "site", is_approved=True, is_known=False,
    )  # fmt: skip
    call = c.CriticalCall(
        RECEIVED + timedelta(hours=1), "Tara Lindqvist, MLS", "Dr. Rossi", "Ward 3",
        c.Coded("phone", "Telephone"), c.Coded("read_back", "Told and read back"), "", "Blast 17",
    )  # fmt: skip
    return c.CriticalResults((result,), (call,))


def _fields() -> c.FieldCounts:
    return c.FieldCounts(
        10, Decimal("180.0"), Decimal("12.4"), Decimal(186), Decimal(15), "", 3, 1,
        (c.Software("hematovision-cell-detector", "1.1.0", "ab" * 32),), None,
        _absolute("150.00", "400.00"),
    )  # fmt: skip


def make_shown(status: str) -> c.ReportContent:
    """Return a short report as the documentation shows it."""
    full = make_full(status)
    return replace(
        full, differential=full.differential[:2], morphology=(), deltas=(), consultations=(),
        critical=None, fields=None, other_cells=(),
    )  # fmt: skip


def as_shown(content: c.ReportContent) -> str:
    """Return its message as the documentation prints it: a line a segment, without its end."""
    return render_oru(content, None, ENVELOPE).replace("\r", "\n")
