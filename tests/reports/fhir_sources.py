"""Signed reports of every kind, and R4's invariants, for tests of FHIR."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import fhirpathpy
from fhir.resources.R4B import get_fhir_model_class
from fhirpathpy.models import models

from reports import content as c
from reports.codes import UCUM_SYSTEM
from reports.fhir.rules import find_problems, load_rules
from reports.fhir.source import SignedReport
from reports.fhir.writing import to_json
from tests.reports.contents import RECEIVED, make_content, make_pictures, make_signature

BASE = "https://laboratory.example"
NOT_EVALUATED = {"dom-3", "txt-1", "txt-2", "ele-1", "ext-1"}
"""On what isn't sent (contained resources, extensions), or told by the form (ele-1, XHTML)."""
SUBSTITUTES = {"rng-2": "low.empty() or high.empty() or (low.value <= high.value)"}
"""The library doesn't compare quantities; both ends have the same unit here."""
FUNCTIONS = {"hasValue": {"fn": lambda found: len(found) == 1, "arity": {0: []}}}


def grade(code: str, value: int, count: str | None) -> c.GradedFeature:
    amount = Decimal(count) if count else None
    return c.GradedFeature(
        c.Coded(code, code.replace("_", " ").capitalize()),
        value,
        amount,
        "% of red cells",
        False,
        "",
        1,
        False,
    )


MORPHOLOGY = (
    c.MorphologyLine(
        c.Coded("red", "Red cells"),
        "58408-6",
        "Schistocytes 2+.",
        (grade("schistocyte", 2, "1.5"), grade("spherocyte", 0, None)),
    ),
)
FIELDS = c.FieldCounts(
    fields=3,
    erythrocytes_per_field=Decimal("81.3"),
    platelets_per_field=Decimal("9.7"),
    platelets=Decimal(146),
    factor=Decimal(15),
    withheld="",
    cut_by_edge=2,
    seen_twice=0,
    detectors=(c.Software("hematovision-fields", "1.0.0", "ab12" * 16),),
)
SUPERSEDED = timedelta(hours=3)


def signed(**changed: object) -> SignedReport:
    """Return a final report with pictures, fields, morphology and its PDF."""
    pictures, images = make_pictures(2)
    content = make_content(
        pictures=pictures, morphology=MORPHOLOGY, fields=FIELDS, signature=make_signature()
    )
    return replace(
        SignedReport(
            content=content,
            base=BASE,
            report_id=make_signature().report_id,
            issued_at=make_signature().signed_at,
            pdf_sha256="0" * 64,
            pdf=b"%PDF-1.7 as signed",
            images=images,
        ),
        **changed,  # type: ignore[arg-type]
    )


def later(status: str, **changed: object) -> SignedReport:
    """Return the second version of it, of which the final one is the first."""
    first = signed()
    amendment = c.Amendment(1, "1" * 64, first.issued_at, "Cells were misnamed.", ())
    signature = make_signature(
        report_id="4f6c1f8e-60b8-4b1e-9c55-0d8f4f1f0004", signed_at=RECEIVED + SUPERSEDED
    )
    content = replace(
        first.content,
        version=2,
        status=c.Coded(status, status.capitalize()),
        amendment=amendment,
        signature=signature,
        **changed,  # type: ignore[arg-type]
    )
    return replace(
        first,
        content=content,
        report_id=signature.report_id,
        issued_at=signature.signed_at,
        earlier=(first.content,),
    )


KINDS = {
    "final": signed,
    "corrected": lambda: later("corrected", differential=make_content().differential[:6]),
    "appended": lambda: later("appended"),
    "entered in error": lambda: later("entered-in-error"),
    "preliminary": lambda: signed(
        content=replace(signed().content, status=c.Coded("preliminary", "Preliminary"))
    ),
    "nothing counted": lambda: signed(
        content=make_content(
            differential=tuple(
                replace(row, count=0, percent=None, ci_low=None, ci_high=None, absolute=None)
                for row in make_content().differential
            ),
            white_count=None,
            nucleated_red_cells=c.NucleatedRedCells(0, None),
            signature=make_signature(),
        )
    ),
}


def faults_of(resource: dict[str, Any]) -> list[str]:
    """Return what R4's rules, its invariants and the models of R4B find wrong."""
    get_fhir_model_class(resource["resourceType"]).model_validate_json(to_json(resource))
    return [*find_problems(resource), *broken_invariants(resource, resource["resourceType"])]


def broken_invariants(value: dict[str, Any], kind: str, root: Any = None) -> list[str]:
    """Return the invariants (severity error) that a resource or a part of it breaks."""
    root, rules = root or value, load_rules()
    broken = []
    for path, definition in rules["types"][kind]["elements"].items():
        for found, its_kind in _at(value, path, definition["types"]):
            keys = [key for key in definition.get("rules", ()) if _is_evaluated(key)]
            broken += [f"{path}: {key}" for key in keys if not _holds(found, key, root)]
            if path != kind and its_kind == "Resource":
                broken += broken_invariants(found, found["resourceType"])
            elif path != kind and "elements" in rules["types"].get(its_kind, {}):
                broken += broken_invariants(found, its_kind, root)
    return broken


def _at(value: dict[str, Any], path: str, kinds: list[str]) -> list[tuple[Any, str]]:
    """Return what stands at a path, with its type."""
    names = path.split(".")[1:]
    found: list[tuple[Any, str]] = [(value, kinds[0] if kinds else "")]
    for name in names:
        choices = {name: kinds[0] if kinds else ""}
        if name.endswith("[x]"):
            choices = {f"{name[:-3]}{kind[0].upper()}{kind[1:]}": kind for kind in kinds}
        found = [
            (each, kind)
            for item, _ in found
            for choice, kind in choices.items()
            if choice in item
            for each in (item[choice] if isinstance(item[choice], list) else [item[choice]])
        ]
    return found


def _is_evaluated(key: str) -> bool:
    return key not in NOT_EVALUATED and load_rules()["constraints"][key]["severity"] == "error"


def _holds(value: Any, key: str, root: dict[str, Any]) -> bool:
    expression = SUBSTITUTES.get(key) or load_rules()["constraints"][key]["expression"]
    known = {"resource": root, "rootResource": root, "ucum": UCUM_SYSTEM}
    answer = _compiled(expression)(value, known)
    return answer in ([True], [])


@cache
def _compiled(expression: str) -> Any:
    return fhirpathpy.compile(
        expression,
        model=models["r4"],
        options={"userInvocationTable": FUNCTIONS, "traceFn": lambda _value, _label: None},
    )
