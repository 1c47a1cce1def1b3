"""The compiled loops. Importing this package imports numba, so the kernels import it when one of them first runs.

The loops do not check shapes or contiguity: the kernels that call them do.
"""

from __future__ import annotations

from .convolution import depthwise
from .elementwise import (
    elu,
    elu_gradient,
    erf,
    gelu,
    gelu_by_tanh,
    gelu_gradient,
    gelu_gradient_by_tanh,
    sigmoid,
    silu,
    silu_gradient,
    softplus,
)
from .elimination import eliminate, substitute
from .logarithms import digamma, lgamma, log1p
from .norms import layer_norm, layer_norm_gradient, rms_norm, rms_norm_gradient
from .optim import adam
from .rows import (
    cross_entropy,
    cross_entropy_gradient,
    log_softmax,
    log_softmax_gradient,
    logsumexp,
    softmax,
    softmax_gradient,
)
from .scans import add_along, add_rows, cumulative_prod, cumulative_sum, product_gradient, take_along

__all__ = [
    "adam",
    "add_along",
    "add_rows",
    "cross_entropy",
    "cross_entropy_gradient",
    "cumulative_prod",
    "cumulative_sum",
    "depthwise",
    "digamma",
    "eliminate",
    "elu",
    "elu_gradient",
    "erf",
    "gelu",
    "gelu_by_tanh",
    "gelu_gradient",
    "gelu_gradient_by_tanh",
    "layer_norm",
    "layer_norm_gradient",
    "lgamma",
    "log1p",
    "log_softmax",
    "log_softmax_gradient",
    "logsumexp",
    "product_gradient",
    "rms_norm",
    "rms_norm_gradient",
    "sigmoid",
    "silu",
    "silu_gradient",
    "softmax",
    "softmax_gradient",
    "softplus",
    "substitute",
    "take_along",
]
