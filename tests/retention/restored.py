"""Tells how a restored laboratory stands with a picture, and disposes of it where it is due.

python -m tests.retention.restored IMAGE PROPOSER APPROVER FOLDER
"""

import json
import sys
from pathlib import Path

import django


def main(image_id: str, proposer: str, approver: str, folder: str) -> None:
    django.setup()

    from accounts.models import User
    from classifier.models import SmearImage
    from retention.enums import RecordType
    from retention.selectors.due import list_due
    from tests.retention.steps import dispose

    image = SmearImage.objects.select_related("case").get(pk=image_id)
    due = [each.case for each in list_due(RecordType.CELL_IMAGES) if not each.why_kept]
    told = {"first": _standing(image, Path(folder)), "due": len(due)}
    if due:
        two = [User.objects.get(email=email) for email in (proposer, approver)]
        dispose(*two, *due)
        told["then"] = _standing(SmearImage.objects.get(pk=image_id), Path(folder))
    sys.stdout.write(json.dumps(told))


def _standing(image: object, folder: Path) -> dict[str, object]:
    """Return whether the picture opens, and whether files, chain and exported trail are sound."""
    from django.core.management import call_command

    from accounts.chain import verify_chain
    from tools.verify_audit_export import main as verify
    from vault.exceptions import Disposed
    from vault.services.checking import check_files

    try:
        image.file.open("rb").close()  # type: ignore[attr-defined]
        picture = "there"
    except Disposed:
        picture = "disposed of"
    trail = folder / f"{picture}.jsonl.gz"
    call_command("export_audit", str(trail), stdout=sys.stderr)
    checked = check_files(progress=lambda _: None)
    return {
        "picture": picture,
        "files": checked.is_sound and not checked.found,
        "chain": verify_chain().is_sound,
        "export": verify([str(trail)]) == 0,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
