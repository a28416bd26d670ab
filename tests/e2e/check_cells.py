"""Makes known cells of drawn cells, and a pathologist to be checked on them.

To be called in a shell of the site's own: writes one JSON value.
"""

import io
import json
import sys

from PIL import Image

from accounts.enums import Role
from accounts.models import User
from demo.people import PASSWORD
from learning.enums import SetKind
from learning.services import golden
from ml.synthetic import render_cell
from quality.models import ReaderCheck

CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil")


def make_set() -> None:
    """Make a frozen golden set of twelve cells and a reader; write the set's title."""
    administrator = User.objects.get(email="administrator@demo.example")
    User.objects.create_user(
        email="checked@demo.example", full_name="Noor Checked", role=Role.PATHOLOGIST,
        password=PASSWORD,
    )  # fmt: skip
    opened = golden.open_set(
        name="Drawn cells", kind=SetKind.GOLDEN, source="Drawn", licence="CC0 1.0",
        actor=administrator,
    )  # fmt: skip
    pictures = []
    for number in range(12):
        name = CLASSES[number % len(CLASSES)]
        data = io.BytesIO()
        Image.fromarray(render_cell(name, seed=500 + number, size=120)).save(data, "PNG")
        pictures.append(golden.Picture(f"cell/{number}", name, f"slide/{number}", data.getvalue()))
    golden.import_pictures(set_id=opened.pk, pictures=pictures, actor=administrator)
    json.dump(str(golden.freeze_set(set_id=opened.pk, actor=administrator)), sys.stdout)


def tell() -> None:
    """Write what the cells of the open check truly are, in the order of the check."""
    check = ReaderCheck.objects.get(reader__email="checked@demo.example", completed_at=None)
    json.dump(list(check.cells.values_list("known__cell_type", flat=True)), sys.stdout)
