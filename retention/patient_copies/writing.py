"""Writes everything about a patient into a ZIP whose pages open from any disk."""

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Final

from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.utils import timezone

from accounts import readings
from accounts.models import User
from accounts.trail_files import csv_lines
from classifier.enums import CaseStatus, CellType, SlideStatus
from classifier.models import Case, Patient, PatientCorrection, Slide, SmearImage
from classifier.selectors.differential import list_marks
from classifier.selectors.merging import records_of
from exchange.enums import SenderKind
from exchange.models import IncomingMessage, MessageCase, OutboundMessage, WebhookDelivery
from reports.models import Report
from retention.patient_copies.tables import LEADS, LEFT_OUT, WITHDRAWN, model_of, rows_of
from vault.exceptions import VaultError

_AT_ONCE: Final = 1024 * 1024
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_ROWS: Final = 500

Tick = Callable[[], None]
"""Called after each step; raises to stop."""


@dataclass(slots=True)
class Written:
    """What the archive holds so far: each file's sum and size, and what could not be had."""

    files: list[tuple[str, str, int]] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    tables: list[tuple[str, str, int]] = field(default_factory=list)


class PatientArchive:
    """The archive of one patient in the making; the patient's merged records are the patient's."""

    def __init__(
        self, target: IO[bytes], patient: Patient, *, with_slides: bool, tick: Tick
    ) -> None:
        self._patient, self._with_slides, self._tick = patient, with_slides, tick
        self._records: list[Any] = records_of(patient)
        self._zip = zipfile.ZipFile(target, "w", allowZip64=True)
        self._written = Written()

    def steps(self) -> int:
        """Return how often ``tick`` will be called."""
        slides = self._slides().count() if self._with_slides else 0
        return len(LEADS) + self._images().count() + self._reports().count() + slides

    def write(self) -> Written:
        """Write all of it and close the archive."""
        with closing(self._zip):
            for label in LEADS:
                self._add_table(label)
                self._tick()
            for report in self._reports():
                self._add_report(report)
                self._tick()
            for image in self._images():
                self._add_image(image)
                self._tick()
            if self._with_slides:
                for slide in self._slides():
                    self._add_slide(slide)
                    self._tick()
            self._add_messages()
            self._add_readings()
            self._add_pages()
        return self._written

    def _cases(self) -> "models.QuerySet[Case]":
        cases = Case.objects.filter(patient__in=self._records).order_by("registered_at")
        return cases.select_related("specimen")

    def _right(self) -> "models.QuerySet[Case]":
        """The cases that are the patient's for all that is known."""
        return self._cases().exclude(status=CaseStatus.ENTERED_IN_ERROR)

    def _images(self) -> "models.QuerySet[SmearImage]":
        found = SmearImage.objects.filter(case__in=self._right())
        return found.select_related("case").order_by("case", "uploaded_at", "pk")

    def _slides(self) -> "models.QuerySet[Slide]":
        found = Slide.objects.filter(case__in=self._right(), status=SlideStatus.READY)
        return found.select_related("case").order_by("case", "pk")

    def _reports(self) -> "models.QuerySet[Report]":
        found = Report.objects.filter(case__in=self._right())
        return found.select_related("case").order_by("case", "version")

    def _add_table(self, label: str) -> None:
        """Write a table's rows as a JSON list; an empty table makes no file."""
        name, count = f"data/{label.lower()}.json", 0
        rows = rows_of(label, self._records)
        if not rows.exists():
            return
        with self._noted(name, zipfile.ZIP_DEFLATED) as target:
            for row in rows.iterator(chunk_size=_ROWS):
                text = json.dumps(as_values(row), cls=DjangoJSONEncoder, ensure_ascii=False)
                target.write(("[\n" if count == 0 else ",\n").encode() + text.encode())
                count += 1
            target.write(b"\n]\n")
        title = str(model_of(label)._meta.verbose_name_plural)
        self._written.tables.append((title[:1].upper() + title[1:], name, count))

    def _add_report(self, report: Report) -> None:
        """Add the PDF; one that is not as it was signed is named instead."""
        name = report_name(report)
        found = self._add_file(name, str(report.pdf.name))
        if found and found != report.pdf_sha256:
            self._written.missing.append((name, "it is not as it was signed"))

    def _add_image(self, image: SmearImage) -> None:
        name = image_name(image)
        if image.disposed_at is not None:
            self._written.missing.append((name, f"disposed of: {image.disposed_because}"))
            return
        self._add_file(name, str(image.file.name))

    def _add_slide(self, slide: Slide) -> None:
        folder = f"slides/{slide.case.accession_number}/{slide.pk}"
        if slide.disposed_at is not None:
            self._written.missing.append((folder, f"disposed of: {slide.disposed_because}"))
            return
        for file in slide.files.all():
            self._add_pieces(f"{folder}/{file.number}-{_plain(file.original_name)}", file.pieces())

    def _add_file(self, name: str, stored: str) -> str:
        """Add a picture or document, which is read before any of it is written; return its sum.

        One that can't be read whole is named instead, and the sum is empty.
        """
        try:
            with default_storage.open(stored) as source:
                data: bytes = source.read()
        except OSError as problem:
            self._written.missing.append((name, _why(problem)))
            return ""
        self._put(name, data, zipfile.ZIP_STORED)
        return hashlib.sha256(data).hexdigest()

    def _add_pieces(self, name: str, pieces: Iterable[str]) -> None:
        """Add a file of a slide, too large for memory; it ends where no more can be read."""
        with self._noted(name, zipfile.ZIP_STORED) as target:
            try:
                for piece in pieces:
                    with default_storage.open(piece) as source:
                        while block := source.read(_AT_ONCE):
                            target.write(block)
            except OSError as problem:
                self._written.missing.append((name, f"cut off: {_why(problem)}"))

    def _add_messages(self) -> None:
        """Add orders as they came, and what was sent; what may name others is left out.

        A case that came to the patient from another one has messages that name the other.
        """
        always = self._right().exclude(pk__in=PatientCorrection.objects.values("case"))
        linked = MessageCase.objects.filter(message=OuterRef("pk"))
        orders = IncomingMessage.objects.filter(
            Exists(linked.filter(case__in=always)),
            ~Exists(linked.exclude(case__in=always)),
            sender__kind=SenderKind.ORDERS,
            disposed_at=None,
        )
        kept = {"report__case__in": always, "disposed_at": None}
        for message in orders.order_by("received_at"):
            self._put(f"messages/in-{message.pk}.hl7", bytes(message.raw))
        for sent in OutboundMessage.objects.filter(**kept):
            self._put(f"messages/out-{sent.pk}.hl7", bytes(sent.body))
        for told in WebhookDelivery.objects.filter(**kept):
            self._put(f"messages/webhook-{told.pk}.json", bytes(told.body))

    def _add_readings(self) -> None:
        events = readings.readings_of(self._records).iterator(chunk_size=_ROWS)
        lines = csv_lines(map(readings.row_of, events), readings.COLUMNS)
        self._put("who-looked.csv", "".join(lines).encode())

    def _add_pages(self) -> None:
        context = {
            "patient": self._patient,
            "records": Patient.objects.filter(pk__in=self._records),
            "cases": [self._case(case) for case in self._cases()],
            "readers": readings.readers_among(readings.readings_of(self._records)),
            "tables": self._written.tables,
            "missing": self._written.missing,
            "left_out": [
                *(
                    f"{model_of(label)._meta.verbose_name_plural}: {why}"
                    for label, why in LEFT_OUT.items()
                ),
                WITHDRAWN,
            ],
            "with_slides": self._with_slides,
            "messages": sorted(
                name for name, _, _ in self._written.files if name.startswith("messages/")
            ),
            "made_at": timezone.now(),
        }
        self._put("README.txt", render_to_string("retention/copy/README.txt", context).encode())
        self._put("index.html", render_to_string("retention/copy/index.html", context).encode())
        manifest = "".join(csv_lines(self._written.files, ("file", "sha256", "bytes")))
        self._put("manifest.csv", manifest.encode())

    def _case(self, case: Case) -> dict[str, Any]:
        there = {name for name, _, _ in self._written.files}
        images = [(image, image_name(image)) for image in self._images().filter(case=case)]
        reports = [(report, report_name(report)) for report in self._reports().filter(case=case)]
        return {
            "case": case,
            "specimen": getattr(case, "specimen", None),
            "cells": _cells_of(case),
            "images": [(image, name) for image, name in images if name in there],
            "reports": [(report, name) for report, name in reports if name in there],
        }

    @contextmanager
    def _noted(self, name: str, how: int) -> Iterator["_Summed"]:
        """Open a member to be written; once it is, its sum and size are noted."""
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = how
        with self._zip.open(info, "w", force_zip64=True) as target:
            summed = _Summed(target)
            yield summed
        self._written.files.append((name, summed.digest.hexdigest(), summed.size))

    def _put(self, name: str, data: bytes, how: int = zipfile.ZIP_DEFLATED) -> None:
        with self._noted(name, how) as target:
            target.write(data)


def as_values(row: models.Model) -> dict[str, Any]:
    """Return a row by its columns: people by name, files by their names, no raw bytes."""
    found: dict[str, Any] = {}
    for column in row._meta.concrete_fields:
        if isinstance(column, models.BinaryField):
            continue
        if isinstance(column, models.ForeignKey) and issubclass(column.related_model, User):
            person = getattr(row, column.name)
            found[column.name] = str(person) if person else None
        elif isinstance(column, models.FileField):
            found[column.name] = getattr(row, column.name).name
        else:
            found[column.attname] = getattr(row, column.attname)
    return found


def _cells_of(case: Case) -> list[tuple[str, int]]:
    """Return how many cells of each class the case holds, by what stands; none if withdrawn."""
    if case.status == CaseStatus.ENTERED_IN_ERROR:
        return []
    counts = Counter(mark.finding for mark in list_marks(case))
    return [(str(CellType(name).label), count) for name, count in counts.most_common()]


def image_name(image: SmearImage) -> str:
    """Where a picture lies in the archive."""
    return f"pictures/{image.case.accession_number}/{image.pk}.png"


def report_name(report: Report) -> str:
    """Where a report lies in the archive."""
    return f"reports/{report.file_stem}.pdf"


def _why(problem: OSError) -> str:
    """Say why a file can't be had, in words that name no place of this machine."""
    return str(problem) if isinstance(problem, VaultError) else "it can't be read"


def _plain(name: str) -> str:
    """A file's name without anything that leads to another folder."""
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)[-80:]


class _Summed:
    """A file that is written, with SHA-256 and size of what went into it."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target, self.digest, self.size = target, hashlib.sha256(), 0

    def write(self, block: bytes) -> None:
        """Write a block."""
        self.digest.update(block)
        self.size += len(block)
        self._target.write(block)
