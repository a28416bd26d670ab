"""One call from a picture to a map of what raised the score of a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.explain import faithfulness, perturbation
from ml.explain.cam import GRAD_CAM, GRAD_CAM_PP, class_maps
from ml.explain.faithfulness import Faithfulness
from ml.explain.geometry import image_to_view, to_image
from ml.explain.network import Look, Network
from ml.explain.occlusion import EMPTY, Counter, Question, covering
from ml.explain.superpixels import divide, soften

LIME: Final = "lime"
SHAP: Final = "shap"
METHODS: Final[tuple[str, ...]] = (GRAD_CAM, GRAD_CAM_PP, SHAP, LIME)
TITLES: Final[Mapping[str, str]] = {
    GRAD_CAM: "Grad-CAM",
    GRAD_CAM_PP: "Grad-CAM++",
    SHAP: "SHAP",
    LIME: "LIME",
}
_MEANINGS: Final[Mapping[str, str]] = {
    GRAD_CAM: "the last feature maps speak for the class; as coarse as these maps",
    GRAD_CAM_PP: "the last feature maps that favour the class respond; as coarse as these maps",
    SHAP: "patches raise the probability on average, whatever else is covered",
    LIME: "patches raise the probability in a linear model of it around this picture",
}
_LIMITS: Final = (
    "Scaled to this picture's own highest place. It shows what this network used, not where the "
    "cell is, nor why it is of that class, nor how sure to be: the map of a wrong answer looks "
    "as convincing as that of a right one."
)

LIME_SAMPLES: Final = 1000
SHAP_EVALUATIONS: Final = 500
LIME_PATCHES: Final = 49
SHAP_PATCHES: Final = 36
"""Fewer than for LIME, so that the evaluations suffice for several orders of uncovering."""

_COVERED_SHARE: Final = 0.5
"""A covered view that keeps this share of the probability makes covering meaningless."""

_LEAST_FIT: Final = 0.3
"""R^2 below which LIME's coefficients are not to be read."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Why a network gives a class its probability, laid on the upright picture.

    `heat` float32[H, W] is 0 to 1, the highest place of the picture being 1; all 0 if nothing
    speaks for the class. `signed` float32[H, W] is what it was made of, negative where the picture
    speaks against the class: parts of the logit (Grad-CAM), of a weighted sum of feature maps
    (Grad-CAM++), or of the probability per patch (SHAP, LIME). Both are 0 where the network saw
    nothing of the picture. `findings` says how far a method is to be trusted on this picture.
    """

    method: str
    class_name: str
    probability: float
    heat: NDArray[np.float32]
    signed: NDArray[np.float32]
    scores: Faithfulness | None
    parameters: Mapping[str, Any]
    findings: Mapping[str, float]
    model: str
    version: str

    @property
    def deletion(self) -> float | None:
        """Area under the deletion curve, 0 to 1, lower is better; None if not scored."""
        return self.scores.deletion if self.scores else None

    @property
    def insertion(self) -> float | None:
        """Area under the insertion curve, 0 to 1, higher is better; None if not scored."""
        return self.scores.insertion if self.scores else None

    @property
    def reservations(self) -> tuple[str, ...]:
        """Reasons, measured on this picture, not to rely on the map; sentences."""
        found = []
        scores = self.scores
        if scores and scores.deletion_curve[-1] > _COVERED_SHARE * self.probability:
            found.append(
                "An empty slide gets this class as well, so covering the cell tells little."
            )
        if scores and scores.deletion >= scores.random_deletion:
            found.append(
                "Covering what it marks lowers the score no faster than covering at random."
            )
        if self.findings.get("fit", 1.0) < _LEAST_FIT:
            found.append("The linear model fits the network badly here.")
        return tuple(found)

    @property
    def meaning(self) -> str:
        """What a bright place means, in a sentence."""
        return f"{TITLES[self.method]}: bright where {_MEANINGS[self.method]}."

    @property
    def limits(self) -> str:
        """What no map means, in sentences."""
        return _LIMITS

    @property
    def caption(self) -> str:
        """What the map means and does not mean, in sentences."""
        return " ".join([self.meaning, self.limits, *self.reservations])


def explain(
    network: Network,
    image: NDArray[np.uint8],
    *,
    method: str = GRAD_CAM,
    class_name: str | None = None,
    lime_samples: int = LIME_SAMPLES,
    shap_evaluations: int = SHAP_EVALUATIONS,
    seed: int = 0,
    is_scored: bool = True,
    on_progress: Callable[[int, int], None] | None = None,
) -> Explanation:
    """Explain the probability of a class, by default the likeliest, for one uint8[H, W, 3] RGB.

    `is_scored` adds deletion and insertion (`faithfulness.EVALUATIONS` further passes).
    `on_progress(done, total)` hears of every batch of forward passes; what it raises ends the
    work. The same seed gives the same map. Raises ValueError for an unknown method or class.
    """
    if method not in METHODS:
        raise ValueError(f"Unknown method {method!r}; choose from {', '.join(METHODS)}.")
    view = network.view(image)
    looks, probabilities = network.looks(view[None]), network.probabilities(view[None])[0]
    index = int(probabilities.argmax()) if class_name is None else network.index_of(class_name)
    budget = {LIME: lime_samples, SHAP: shap_evaluations}.get(method, 0)
    total = budget + (faithfulness.EVALUATIONS if is_scored else 0)
    question = Question(network, view, index, Counter(total, on_progress))
    plane = (
        _perturb(question, method, budget=budget, seed=seed)
        if budget
        else _activate(network, looks, index, method)
    )
    scores = faithfulness.score_map(question, plane.values, seed=seed) if is_scored else None
    return _explanation(network, image, method, index, float(probabilities[index]), plane, scores)


@dataclass(frozen=True, slots=True)
class _Plane:
    """A signed map float32[S, S] of the view, and how it was made."""

    values: NDArray[np.float32]
    parameters: dict[str, Any]
    findings: dict[str, float]


def _activate(network: Network, looks: Sequence[Look], index: int, method: str) -> _Plane:
    """The mean of the looks' maps: what is linear in them explains the mean of their logits."""
    maps = [class_maps(network, look.features, np.array([index]), method)[0] for look in looks]
    size = looks[-1].size
    planes = [
        cv2.resize(network.grid.spread(coarse, look.size), (size, size)) * (look.size / size) ** 2
        for coarse, look in zip(maps, looks, strict=True)
    ]
    mean = np.asarray(np.mean(planes, axis=0), dtype=np.float32)
    return _Plane(mean, {"feature_maps": [list(coarse.shape) for coarse in maps]}, {})


def _perturb(question: Question, method: str, *, budget: int, seed: int) -> _Plane:
    parts = soften(divide(question.view, LIME_PATCHES if method == LIME else SHAP_PATCHES))
    cover = covering(question.view, EMPTY)
    if method == LIME:
        found = perturbation.lime(question, parts, cover, samples=budget, seed=seed)
        own = {"samples": budget, "kernel_width": perturbation.KERNEL_WIDTH}
    else:
        found = perturbation.shapley(question, parts, cover, evaluations=budget, seed=seed)
        own = {"evaluations": budget}
    parameters = {**own, "patches": len(parts), "covered_with": EMPTY, "seed": seed}
    plane = np.tensordot(found.values.astype(np.float32), parts, axes=1)
    return _Plane(np.asarray(plane, dtype=np.float32), parameters, found.findings)


def _explanation(
    network: Network,
    image: NDArray[np.uint8],
    method: str,
    index: int,
    probability: float,
    plane: _Plane,
    scores: Faithfulness | None,
) -> Explanation:
    spec = network.spec
    height, width = image.shape[:2]
    matrix = image_to_view(image, plane.values.shape[0])
    signed = to_image(plane.values, matrix, height, width)
    positive = np.maximum(signed, np.float32(0.0))
    peak = np.float32(positive.max())
    return Explanation(
        method=method,
        class_name=spec.class_names[index],
        probability=probability,
        heat=np.asarray(positive / peak, dtype=np.float32) if peak > 0 else positive,
        signed=signed,
        scores=scores,
        parameters=plane.parameters,
        findings=plane.findings,
        model=spec.name,
        version=spec.version,
    )
