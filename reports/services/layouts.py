"""Changing how reports are printed: every change is a further version, none is lost."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from classifier.exceptions import GuardFailed, NotPermitted
from classifier.models import Laboratory
from reports.enums import ALWAYS_PRINTED, Paper, Section
from reports.layouts import read_logo
from reports.models import PrintLayout

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True, slots=True)
class LayoutChoice:
    """What an administrator chooses; ``logo`` is an upload, None keeps the present one."""

    paper: Paper
    sections: Sequence[Section]
    footer: str = ""
    logo: bytes | None = None
    logo_alt: str = ""
    drops_logo: bool = False


@transaction.atomic
def change_layout(*, actor: "User", choice: LayoutChoice) -> PrintLayout:
    """Store the choice as the next version, for reports drafted from now on; none if it's the same.

    Raises:
        NotPermitted: the actor doesn't manage the laboratory.
        GuardFailed: a part that must be printed is missing, or the logo can't be used.
    """
    if not actor.has_perm("accounts.manage_laboratory"):
        raise NotPermitted("You may not change how reports are printed.")
    Laboratory.objects.select_for_update().get(pk=Laboratory.current().pk)
    _check_sections(choice.sections)
    last = PrintLayout.objects.first()
    row = PrintLayout(
        version=last.version + 1 if last else 1,
        paper=choice.paper,
        sections=[section.value for section in choice.sections],
        footer=choice.footer.strip(),
        changed_by=actor,
        **_logo(choice, last),
    )
    if last and _said(last) == _said(row):
        return last
    row.save(force_insert=True)
    record(
        actor=actor,
        action="report.layout_changed",
        target=row,
        before=_said(last) if last else None,
        after=_said(row),
    )
    return row


def _check_sections(sections: Sequence[Section]) -> None:
    if len(set(sections)) != len(sections) or not set(ALWAYS_PRINTED) <= set(sections):
        raise GuardFailed("Every part but the cell images has to be printed, each once.")


def _logo(choice: LayoutChoice, last: PrintLayout | None) -> dict[str, bytes | str]:
    if choice.logo is not None:
        if not choice.logo_alt.strip():
            raise GuardFailed("Say in words what the logo shows.")
        data = read_logo(choice.logo)
        sha256 = hashlib.sha256(data).hexdigest()
        return {"logo": data, "logo_sha256": sha256, "logo_alt": choice.logo_alt.strip()}
    if choice.drops_logo or last is None or not last.logo_sha256:
        return {"logo": b"", "logo_sha256": "", "logo_alt": ""}
    words = choice.logo_alt.strip() or last.logo_alt
    return {"logo": bytes(last.logo), "logo_sha256": last.logo_sha256, "logo_alt": words}


def _said(row: PrintLayout) -> dict[str, object]:
    names = ("paper", "sections", "footer", "logo_sha256", "logo_alt")
    return {name: getattr(row, name) for name in names}
