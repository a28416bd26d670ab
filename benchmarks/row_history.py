"""What row history costs: cells written and changed in bulk, with its triggers and without.

python -m hematovision.embedded run -- python manage.py migrate
python -m hematovision.embedded run -- python -m benchmarks.row_history [--cells 5000] [--rounds 9]

Rounds with and without alternate, so that what else the machine does falls on both; medians are
compared. Everything happens in a transaction that is rolled back.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import uuid
from typing import Any

import django


def main() -> int:
    """Measure, print, roll back."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hematovision.settings")
    django.setup()
    from django.db import connection, transaction  # noqa: PLC0415 - after set-up

    taken: dict[tuple[str, bool], list[float]] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        image = _image()
        for round_ in range(2 * chosen.rounds):
            is_followed = bool(round_ % 2)
            _switch(cursor, on=is_followed)
            for name, seconds in _times(image, chosen.cells).items():
                taken.setdefault((name, is_followed), []).append(seconds)
        transaction.set_rollback(True)
    for name in ("write", "change"):
        plain, followed = (statistics.median(taken[name, on]) for on in (False, True))
        sys.stdout.write(
            f"{name} {chosen.cells} cells: {plain * 1e3:.0f} ms without, "
            f"{followed * 1e3:.0f} ms with row history ({followed / plain - 1:+.1%})\n"
        )
    return 0


def _image() -> Any:
    """Return a picture of a made-up case."""
    from django.utils import timezone  # noqa: PLC0415 - after set-up

    from accounts.models import User  # noqa: PLC0415
    from classifier.models import Case, Patient, SmearImage  # noqa: PLC0415

    system = User.system()
    patient = Patient.objects.create(
        mrn=str(uuid.uuid4())[:12],
        mrn_issuer="BENCH",
        family_name="Made",
        given_name="Up",
        birth_date=timezone.now().date(),
        sex="unknown",
        registered_by=system,
    )
    case = Case.objects.create(
        patient=patient, accession_number=str(uuid.uuid4())[:12], registered_by=system
    )
    return SmearImage.objects.create(
        case=case,
        width=10_000,
        height=10_000,
        kind="field",
        original_bytes=1,
        uploaded_by=system,
    )


def _switch(cursor: Any, *, on: bool) -> None:
    """Enable or disable the history's triggers of the cells."""
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'classifier_cell'::regclass"
        " AND tgname LIKE 'row_history%'"
    )
    word = "ENABLE ALWAYS" if on else "DISABLE"
    for (name,) in cursor.fetchall():
        cursor.execute(f'ALTER TABLE classifier_cell {word} TRIGGER "{name}"')


def _times(image: Any, count: int) -> dict[str, float]:
    """Write and change cells as a worker does; return the seconds of each."""
    from classifier.models import Cell  # noqa: PLC0415 - after set-up

    cells = [
        Cell(
            image=image,
            x0=n,
            y0=n,
            x1=n + 40,
            y1=n + 40,
            origin="machine",
            detection_confidence=0.9,
        )
        for n in range(count)
    ]
    began = time.perf_counter()
    Cell.objects.bulk_create(cells, batch_size=1000)
    written = time.perf_counter()
    Cell.objects.filter(pk__in=[cell.pk for cell in cells]).update(at_edge=True)
    return {"write": written - began, "change": time.perf_counter() - written}


if __name__ == "__main__":
    sys.exit(main())
