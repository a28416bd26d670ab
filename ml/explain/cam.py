"""Class activation maps in closed form, for global average pooling and one dense layer."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.explain.network import Network

GRAD_CAM: Final = "gradcam"
GRAD_CAM_PP: Final = "gradcam++"


def grad_cam(features: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grad-CAM before its ReLU, float32[N, h, w], from float32[N, h, w, K] and float32[N, K].

    The score is S = sum_k w_k mean(A_k) + b, so dS/dA_kij = w_k / (h w) everywhere: the mean
    gradient of Selvaraju et al. (ICCV 2017, eq. 1 and 2) needs no backward pass, and the map is
    that of Zhou et al. (CVPR 2016) divided by h w. Summed over the map it is S - b.
    """
    places = features.shape[1] * features.shape[2]
    return np.asarray(np.einsum("nijk,nk->nij", features, weights) / places, dtype=np.float32)


def grad_cam_plus_plus(
    features: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Grad-CAM++, float32[N, h, w], from feature maps float32[N, h, w, K] and float32[N, K].

    Chattopadhay et al. (WACV 2018, eq. 19) for Y = exp(S). With g = dS/dA_kij = w_k / (h w), the
    second and third derivatives of Y are Y g^2 and Y g^3, so that
    alpha_k = g^2 / (2 g^2 + g^3 sum_ij A_kij) = 1 / (2 + w_k mean(A_k)),
    and the weight of map k is sum_ij alpha_k relu(Y g) = Y relu(w_k) / (2 + w_k mean(A_k)).
    The factor Y, the same for all k, is left out. Meant for maps that an activation keeps from
    falling far below 0, as ReLU and swish do.
    """
    positive = np.maximum(weights, 0.0)
    shares = positive / (2.0 + positive * features.mean(axis=(1, 2)))
    return np.asarray(np.einsum("nijk,nk->nij", features, shares), dtype=np.float32)


def class_maps(
    network: Network,
    features: NDArray[np.float32],
    indices: NDArray[np.int64],
    method: str = GRAD_CAM,
) -> NDArray[np.float32]:
    """Maps float32[N, h, w] of one class per picture, from the features of a forward pass.

    Costs microseconds a picture, so it can go with every prediction.
    """
    formula = grad_cam if method == GRAD_CAM else grad_cam_plus_plus
    return formula(features, network.kernel.T[indices])
