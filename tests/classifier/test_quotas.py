"""Nobody fills the store alone: how much one person may add within a day."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.enums import Role
from accounts.models import User
from classifier.exceptions import ImageRefused, SlideRefused
from classifier.models import Case, Slide
from classifier.services.images import add_image, remove_image
from classifier.services.slide_uploads import OfferedFile, start_upload
from tests.clinical import picture_bytes
from tests.factories import UserFactory


def add(case: Case, actor: User, seed: int) -> Any:
    data = picture_bytes(seed)
    return add_image(case_id=case.pk, actor=actor, data=data, file_name=f"{seed}.png", kind="cell")


def test_a_file_too_many_is_refused_and_leaves_nothing(
    technician: User, case: Case, settings: Any
) -> None:
    settings.UPLOADS_PER_DAY = 2
    first = add(case, technician, 1)
    add(case, technician, 2)
    with pytest.raises(ImageRefused, match="more than 2 files") as refused:
        add(case, technician, 3)
    assert refused.value.code == "quota"
    assert case.images.count() == 2
    remove_image(image=first, actor=technician)
    add(case, technician, 3)


def test_a_day_later_there_is_room_again(technician: User, case: Case, settings: Any) -> None:
    settings.UPLOADS_PER_DAY = 1
    with time_machine.travel(timezone.now() - timedelta(hours=25)):
        add(case, technician, 1)
    add(case, technician, 2)
    with pytest.raises(ImageRefused):
        add(case, technician, 3)


def test_bytes_of_pictures_and_slides_count_together(
    technician: User, case: Case, settings: Any
) -> None:
    settings.UPLOAD_BYTES_PER_DAY = len(picture_bytes(1)) + 1000
    add(case, technician, 1)
    start_upload(case_id=case.pk, actor=technician, files=[OfferedFile("a.svs", 900, 0)])
    with pytest.raises(SlideRefused) as refused:
        start_upload(case_id=case.pk, actor=technician, files=[OfferedFile("b.svs", 200, 0)])
    assert refused.value.code == "quota"
    assert Slide.objects.count() == 1


def test_what_others_added_does_not_count(technician: User, case: Case, settings: Any) -> None:
    settings.UPLOADS_PER_DAY = 1
    add(case, technician, 1)
    add(case, UserFactory.create(role=Role.TECHNICIAN), 2)
