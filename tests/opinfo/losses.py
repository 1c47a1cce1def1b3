"""Adapters for OpInfo's losses."""

from __future__ import annotations

from typing import Any

import polytape as pt

from .mapped import NotOffered

nn = pt.nn

__all__ = ["LOSSES"]


def reduced(losses: Any, reduction: str) -> Any:
    if reduction == "none":
        return losses
    if reduction == "sum":
        return pt.sum(losses)
    return pt.mean(losses)


def loss(op: Any, **renamed: str) -> Any:
    """A loss of (predictions, labels) in torch's order."""

    def adapted(x: Any, y: Any, *, reduction: str = "mean", **more: Any) -> Any:
        return op(y, x, reduction=reduction, **{renamed.get(key, key): value for key, value in more.items()})

    return adapted


def cross_entropy(
    x: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    if weight is not None or label_smoothing:
        raise NotOffered("weights of classes, or smoothed labels")
    logits = pt.moveaxis(x, 1, -1) if x.ndim > 1 else x
    if target.shape != x.shape:
        if ignore_index >= 0 and bool(pt.any(pt.equal(target, ignore_index))):
            raise NotOffered("a label that is ignored")
        return reduced(nn.sparse_softmax_cross_entropy_with_logits(target, logits), reduction)
    labels = pt.moveaxis(target, 1, -1) if x.ndim > 1 else target
    losses = nn.softmax_cross_entropy_with_logits(labels, logits)
    return reduced(losses, reduction)


def nll_loss(x: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    if weight is not None or bool(pt.any(pt.equal(target, ignore_index))):
        raise NotOffered("weights of classes, or a label that is ignored")
    return reduced(nn.nll_loss(target, pt.moveaxis(x, 1, -1) if x.ndim > 1 else x), reduction)


def bce_with_logits(x: Any, y: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> Any:
    if pos_weight is not None:
        raise NotOffered("a weight of the positive class")
    losses = nn.sigmoid_cross_entropy_with_logits(y, x)
    return reduced(losses if weight is None else losses * weight, reduction)


def kl_div(x: Any, y: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """From the definition, since ours takes probabilities, not their logarithms."""
    losses = pt.exp(y) * (y - x) if log_target else pt.special.xlogy(y, y) - y * x
    if reduction == "batchmean":
        return pt.sum(losses) / (x.shape[0] if x.ndim else 1)
    return reduced(losses, reduction)


def poisson_nll(
    x: Any, y: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    return nn.poisson_nll(y, x, log_input=log_input, full=full, epsilon=eps, reduction=reduction)


def triplet(
    a: Any,
    p: Any,
    n: Any,
    *,
    margin: float = 1.0,
    p_: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
    **more: Any,
) -> Any:
    return nn.triplet_margin(a, p, n, margin=margin, p=more.get("p", p_), epsilon=eps, swap=swap, reduction=reduction)


def smooth_l1(x: Any, y: Any, *, beta: float = 1.0, reduction: str = "mean") -> Any:
    if beta == 0:
        return nn.l1_loss(y, x, reduction=reduction)
    return nn.huber_loss(y, x, delta=beta, reduction=reduction) / beta


def huber(x: Any, y: Any, *, delta: float = 1.0, reduction: str = "mean", weight: Any = None) -> Any:
    if weight is not None:
        raise NotOffered("weights of a loss")
    return nn.huber_loss(y, x, delta=delta, reduction=reduction)


def mse(x: Any, y: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    if weight is not None:
        raise NotOffered("weights of a loss")
    return nn.mean_squared_error(y, x, reduction=reduction)


def margin_ranking(a: Any, b: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    return reduced(pt.maximum(-target * (a - b) + margin, 0), reduction)


LOSSES: dict[str, Any] = {
    "nn.functional.cross_entropy": cross_entropy,
    "nn.functional.nll_loss": nll_loss,
    "nn.functional.binary_cross_entropy_with_logits": bce_with_logits,
    "nn.functional.kl_div": kl_div,
    "nn.functional.poisson_nll_loss": poisson_nll,
    "nn.functional.triplet_margin_loss": triplet,
    "nn.functional.smooth_l1_loss": smooth_l1,
    "nn.functional.huber_loss": huber,
    "nn.functional.l1_loss": loss(nn.l1_loss),
    "nn.functional.mse_loss": mse,
    "nn.functional.margin_ranking_loss": margin_ranking,
}
