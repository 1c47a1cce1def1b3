"""The compiled loops. Importing this package imports numba, so the kernels import it when one of them first runs.

The loops do not check shapes or contiguity: the kernels that call them do.
"""

from __future__ import annotations

from .channels import batch_norm, batch_norm_gradient
from .clusters import compiled_cluster
from .convolution import depthwise, depthwise_weights
from .elimination import eliminate, substitute
from .norms import layer_norm, layer_norm_gradient, layer_norm_gradients, rms_norm, rms_norm_gradient
from .optim import (
    adadelta,
    adagrad,
    adam,
    adamax,
    amsgrad,
    centered_rmsprop,
    ftrl,
    lion,
    momentum,
    nadam,
    proximal_adagrad,
    proximal_sgd,
    rmsprop,
    sgd,
)
from .pooling import max_pool, max_pool_gradient
from .random import polar32, polar64, random_bits, random_integers, random_mask, uniform32, uniform64
from .reductions import ALL, COLUMNS, ROWS, norm_of_rows, var_of_rows
from .regularization import masked_scale
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
from .selection import top_k
from .universal import ufunc

__all__ = [
    "ALL",
    "COLUMNS",
    "ROWS",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "add_along",
    "add_rows",
    "amsgrad",
    "batch_norm",
    "batch_norm_gradient",
    "centered_rmsprop",
    "compiled_cluster",
    "cross_entropy",
    "cross_entropy_gradient",
    "cumulative_prod",
    "cumulative_sum",
    "depthwise",
    "depthwise_weights",
    "eliminate",
    "ftrl",
    "layer_norm",
    "layer_norm_gradient",
    "layer_norm_gradients",
    "lion",
    "log_softmax",
    "log_softmax_gradient",
    "logsumexp",
    "masked_scale",
    "max_pool",
    "max_pool_gradient",
    "momentum",
    "nadam",
    "norm_of_rows",
    "polar32",
    "polar64",
    "product_gradient",
    "proximal_adagrad",
    "proximal_sgd",
    "random_bits",
    "random_integers",
    "random_mask",
    "rms_norm",
    "rms_norm_gradient",
    "rmsprop",
    "sgd",
    "softmax",
    "softmax_gradient",
    "substitute",
    "take_along",
    "top_k",
    "ufunc",
    "uniform32",
    "uniform64",
    "var_of_rows",
]
