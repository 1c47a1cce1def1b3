"""Neural ops: activations and losses on logits."""

from __future__ import annotations

from ..ops.nn import log_softmax, relu, sigmoid, softmax, sparse_softmax_cross_entropy_with_logits

__all__ = ["log_softmax", "relu", "sigmoid", "softmax", "sparse_softmax_cross_entropy_with_logits"]
