"""Contents for tests of the documents, as a signer could have made them."""

import hashlib
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from PIL import Image

from ml.synthetic import render_cell
from reports import content as c
from reports.enums import STATEMENTS, ReportStatus, SignatureMeaning

RECEIVED = datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
UK = "UK laboratories, typical values (PMC7082321, table 6)"


def _row(code: str, name: str, count: int, ci: str, absolute: str, reference: str, flag: str = ""):  # type: ignore[no-untyped-def]
    low, high = reference.split() if reference else ("", "")
    ci_low, ci_high = ci.split()
    return c.DifferentialRow(
        cell_type=c.Coded(code, name),
        count=count,
        percent=Decimal(count).quantize(Decimal("0.1")),
        ci_low=Decimal(ci_low),
        ci_high=Decimal(ci_high),
        absolute=Decimal(absolute),
        reference=c.Reference(
            quantity=c.Coded("absolute", "Absolute count"),
            unit="10*9/L",
            low=Decimal(low),
            high=Decimal(high),
            version=1,
            source=UK,
            is_approved=False,
        )
        if reference
        else None,
        flag=c.Coded(flag, flag.capitalize()) if flag else None,
    )


ROWS = (
    _row("neutrophil", "Neutrophil", 38, "28.5 48.3", "10.79", "2.00 7.50", "high"),
    _row("lymphocyte", "Lymphocyte", 21, "13.5 30.3", "5.96", "1.00 4.00", "high"),
    _row("monocyte", "Monocyte", 5, "1.6 11.3", "1.42", "0.20 1.00", "high"),
    _row("eosinophil", "Eosinophil", 1, "0.0 5.4", "0.28", "0.00 0.40"),
    _row("basophil", "Basophil", 0, "0.0 3.6", "0.00", "0.00 0.10"),
    _row("immature_granulocyte", "Immature granulocyte", 18, "11.0 26.9", "5.11", ""),
    _row("blast", "Blast", 17, "10.2 25.8", "4.83", ""),
)

PICTURED = (
    ("neutrophil", "Neutrophil"),
    ("lymphocyte", "Lymphocyte"),
    ("monocyte", "Monocyte"),
    ("eosinophil", "Eosinophil"),
    ("immature_granulocyte", "Immature granulocyte"),
    ("erythroblast", "Erythroblast"),
)


def make_pictures(number: int) -> tuple[tuple[c.CellPicture, ...], dict[str, bytes]]:
    """Return pictures of rendered cells and their JPEG files."""
    pictures, images = [], {}
    for index in range(number):
        code, name = PICTURED[index % len(PICTURED)]
        pixels = render_cell(code, seed=index, size=240)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format="JPEG", quality=90)
        cell_id = f"00000000-0000-4000-8000-{index:012d}"
        digest = hashlib.sha256(pixels.tobytes()).hexdigest()
        pictures.append(
            c.CellPicture(
                cell_id,
                cell_id,
                digest,
                digest,
                0,
                0,
                240,
                240,
                c.Coded(code, name),
                index % 5 == 0,
            )
        )
        images[cell_id] = buffer.getvalue()
    return tuple(pictures), images


def make_content(**changed: object) -> c.ReportContent:
    """Return an unsigned first version, with what the test changes."""
    content = c.ReportContent(
        schema_version=c.SCHEMA_VERSION,
        version=1,
        status=c.Coded(ReportStatus.FINAL.value, "Final"),
        laboratory=c.Letterhead(
            "Haematology Laboratory, St Anne's Hospital",
            "12 Harbour Road\nPort Example EX1 2MP",
            "+00 000 000 000",
            "Leila Haddad, MD",
            "ISO 15189 no. 0000",
            is_demo=True,
        ),
        patient=c.PatientIdentity(
            "0b1f0f51-8d4d-4c39-a7a2-43a9d5ad0001",
            "DEMO-1002",
            "HVDEMO",
            "Varga",
            "István",
            date(1957, 6, 14),
            c.Coded("male", "Male"),
            69,
        ),
        request=c.RequestDetails(
            "7e9a4b1e-4e1c-4d87-9b65-8fd5f4d50002",
            "HV26-000002W",
            c.Coded("stat", "STAT"),
            "Dr. M. Rossi",
            "Fatigue, bruising; analyser flag: blasts?",
            RECEIVED + timedelta(minutes=25),
            "Tara Lindqvist, MLS",
        ),
        specimen=c.SpecimenDetails(
            c.Coded("edta_blood", "Venous blood, EDTA"),
            c.Coded("may_grunwald_giemsa", "May-Grünwald-Giemsa"),
            c.Coded("satisfactory", "Satisfactory"),
            "",
            RECEIVED - timedelta(minutes=40),
            RECEIVED,
        ),
        differential=ROWS,
        white_count=c.WhiteCount(Decimal("28.40"), RECEIVED, "Haematology analyser"),
        nucleated_red_cells=c.NucleatedRedCells(3, Decimal("3.0")),
        other_cells=(c.OtherCells(c.Coded("platelet", "Platelet"), 4),),
        interpretation=(
            "Marked leukocytosis with 17 % blasts and left-shifted granulopoiesis. Findings "
            "suggest acute leukaemia until proven otherwise.\n\nUrgent haematology referral and "
            "bone marrow examination with immunophenotyping are advised."
        ),
        reading=c.Reading(
            (c.Software("hematovision-cells", "1.0.0", "9f3c" * 16),),
            107,
            107,
            100,
            100,
            107,
            9,
            31,
            4,
        ),
        pictures=(),
        method="AI-assisted, human-verified differential on digital images of single cells.",
        limits=("The 95 % intervals cover chance in counting cells.",),
        amendment=None,
        signature=None,
    )
    return replace(content, **changed)  # type: ignore[arg-type]


def make_signature(**changed: object) -> c.Signature:
    """Return a signature."""
    signature = c.Signature(
        report_id="4f6c1f8e-60b8-4b1e-9c55-0d8f4f1f0003",
        signer_id=7,
        signer_name="Leila Haddad",
        signer_title="MD",
        meaning=c.Coded("approval", "Approval"),
        statement=STATEMENTS[SignatureMeaning.APPROVAL],
        signed_at=RECEIVED + timedelta(hours=2, seconds=17),
    )
    return replace(signature, **changed)  # type: ignore[arg-type]
