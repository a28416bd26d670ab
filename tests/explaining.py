"""Fixtures: a worker whose explainer answers at once with a map of a test's choosing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from accounts.models import User
from classifier import inference
from classifier.enums import ExplanationMethod
from classifier.models import Cell, Explanation, ModelVersion
from classifier.services import explaining, explanations
from ml.explain import Explanation as Answer
from ml.explain.faithfulness import STEPS, Faithfulness
from ml.morphology import UNCERTAIN, Attribute

QUICK = (ExplanationMethod.GRAD_CAM, ExplanationMethod.GRAD_CAM_PP)
Interruption = Callable[[], Any]


class FakeExplainer:
    """Marks the left half as for and the lowest quarter as against the class.

    ``interrupt`` is called at every sign of progress, ``error`` raised by every explanation.
    """

    def __init__(self, model: ModelVersion) -> None:
        self.model = (model.name, model.version, model.sha256)
        self.asked: list[tuple[str, str, bool]] = []
        self.shapes: list[tuple[int, ...]] = []
        self.interrupt: Interruption = lambda: None
        self.error: Exception | None = None
        self.described = 0
        self.attributes: tuple[Attribute, ...] = (
            Attribute("granule_type", "small", 0.96, "small"),
            Attribute("chromatin_density", "loosely", 0.91, "loosely"),
            Attribute("nucleus_shape", UNCERTAIN, 0.48, "unsegmented-band"),
        )

    def explain(
        self,
        pixels: NDArray[np.uint8],
        *,
        method: str,
        class_name: str,
        is_scored: bool,
        on_progress: Callable[[int, int], None] | None,
    ) -> Answer:
        self.asked.append((method, class_name, is_scored))
        self.shapes.append(pixels.shape)
        if self.error is not None:
            raise self.error
        if on_progress:
            self.interrupt()
            on_progress(160, 320)
        return answer(pixels.shape[:2], method, class_name, is_scored=is_scored)

    def describe(self, pixels: NDArray[np.uint8]) -> tuple[Attribute, ...]:
        self.described += 1
        return self.attributes


def answer(shape: tuple[int, ...], method: str, class_name: str, *, is_scored: bool) -> Answer:
    signed = np.zeros(shape[:2], dtype=np.float32)
    signed[:, : shape[1] // 2] = 0.2
    signed[-shape[0] // 4 :, shape[1] // 2 :] = -0.1
    falling = np.linspace(0.9, 0.1, STEPS)
    return Answer(
        method=method,
        class_name=class_name,
        probability=0.97,
        heat=np.asarray(np.maximum(signed, 0.0) / 0.2, dtype=np.float32),
        signed=signed,
        scores=Faithfulness(falling**2, falling[::-1], 0.7, 0.2) if is_scored else None,
        parameters={"seed": 0},
        findings={},
        model="fake",
        version="0.0.0",
    )


@pytest.fixture
def explainer(active_model: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> FakeExplainer:
    """The explainer of this test's worker; every sign of progress counts."""
    fake = FakeExplainer(active_model)
    monkeypatch.setattr(inference, "get_explainer", lambda: fake)
    monkeypatch.setattr(explaining, "LOOKS_EVERY_SECONDS", 0.0)
    return fake


def ask(cell: Cell, actor: User, *methods: str, cell_type: str = "neutrophil") -> list[Explanation]:
    return explanations.request_explanations(
        cell_id=cell.pk, actor=actor, methods=methods or QUICK, cell_type=cell_type
    )


def work(worker: str = "worker") -> None:
    explaining.explain_waiting(worker=worker)
