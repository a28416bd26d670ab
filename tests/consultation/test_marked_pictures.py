"""Pictures for a consultant: each carries the reader's name."""

import io
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.enums import Role
from accounts.models import User
from classifier.models import Case
from tests.consultation.conftest import ClientFor, Refer
from tests.factories import UserFactory
from tests.fields import whites_of


def pixels_of(client: Client, address: str) -> Any:
    response = client.get(address)
    assert response.status_code == 200, address
    assert response["Cache-Control"] == "private, no-store"
    picture = Image.open(io.BytesIO(response.content))
    assert not picture.getexif()
    assert not {"exif", "xmp", "comment", "icc_profile"} & set(picture.info)
    return np.asarray(picture.convert("RGB")).astype(int)


@pytest.mark.parametrize("kind", ["cell", "cell_thumbnail", "field"])
def test_pictures_carry_the_readers_name_in_their_pixels(
    field_case: Case,
    refer: Refer,
    outside: Client,
    colleague: User,
    client_for: ClientFor,
    kind: str,
) -> None:
    subject = field_case.images.get() if kind == "field" else whites_of(field_case)[0]
    marked, plain = (
        pixels_of(client, reverse(f"consultation:{kind}", args=[referral.pk, subject.pk]))
        for client, referral in (
            (outside, refer(field_case)),
            (client_for(colleague), refer(field_case, colleague)),
        )
    )
    assert marked.shape == plain.shape
    differs = np.abs(marked - plain).max(axis=2) > 12
    assert 0.03 < differs.mean() < 0.5, "to be seen, and hiding no cell"
    for part in np.array_split(differs, 2):
        for quarter in np.array_split(part, 2, axis=1):
            assert quarter.any(), "no quarter of the picture is without"
    assert np.abs(marked - plain).max() < 140


def test_another_reader_another_mark(field_case: Case, refer: Refer, client_for: ClientFor) -> None:
    image = field_case.images.get()
    found = []
    for name in ("Ann Abel", "Zoe Zulu"):
        person = UserFactory.create(role=Role.CONSULTANT, full_name=name)
        address = reverse("consultation:field", args=[refer(field_case, person).pk, image.pk])
        found.append(pixels_of(client_for(person), address))
    assert (found[0] != found[1]).any()


def test_a_name_that_the_font_lacks_gives_way_to_the_address(
    field_case: Case, refer: Refer, consultant: User
) -> None:
    from consultation.pictures import mark_for

    consultant.full_name = "Анна"
    assert mark_for(refer(field_case), consultant).reader == consultant.email
