"""Explain a prediction: where in the picture lies what raised the score of a class."""

from ml.explain.explainer import Explainer, load_explainer
from ml.explain.explanation import METHODS, Explanation, explain
from ml.explain.network import Network, load_network

__all__ = [
    "METHODS",
    "Explainer",
    "Explanation",
    "Network",
    "explain",
    "load_explainer",
    "load_network",
]
