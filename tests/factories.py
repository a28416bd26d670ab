"""Makers of rows for tests."""

from typing import Any

import factory

from accounts.enums import Role
from accounts.models import User

PASSWORD = "correct horse battery"


class UserFactory(factory.django.DjangoModelFactory[User]):
    """An active account of one role, whose password is ``PASSWORD``."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@laboratory.example")
    full_name = factory.Sequence(lambda n: f"Person {n}")
    title = ""
    role = Role.TECHNICIAN
    password = PASSWORD

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(**kwargs)
