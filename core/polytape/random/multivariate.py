"""Vectors and matrices whose elements depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dispatch import convert
from ..errors import ShapeError
from ..ops.families import find
from ..tensors.tensor import Tensor
from .arguments import ANY, Draw, Parameter, Shape, ops
from .calling import public
from .generator import Generator

if TYPE_CHECKING:
    from ..device import Device

__all__ = ["multivariate_normal", "orthogonal"]


@public
def multivariate_normal(
    mean: Parameter,
    cov: Parameter,
    shape: Shape | None = None,
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Normally distributed vectors, along a last axis.

    Args:
        mean: real[..., k].
        cov: real[..., k, k]: the covariance, symmetric and positive definite; only the lower triangle is read. The
            result is differentiable in both.
        shape: of the result without the last axis; default: the shape that the leading axes broadcast to.
        dtype: real floating; default: the dtype of the parameters, float32 for integers.
        device: the result's device; default: the device of the parameters, or of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``(*shape, k)``, ``dtype``.
    Raises:
        ShapeError: a mean without axes, a covariance of another size, or leading axes that do not broadcast to
            ``shape``. DTypeError: ``dtype`` is not real floating. On the host also an error for a covariance that is
            not positive definite.
    Source:
        L. Devroye (1986), Non-Uniform Random Variate Generation, XI.2: by the Cholesky factor.
    """
    mean, cov = (x if isinstance(x, Tensor) else convert.asarray(x, device=device) for x in (mean, cov))
    if not mean.shape or cov.shape[-2:] != (mean.shape[-1], mean.shape[-1]):
        raise ShapeError(
            "multivariate_normal cannot use this mean and covariance.",
            expected="mean[..., k] and cov[..., k, k]",
            got=f"shapes {mean.shape} and {cov.shape}",
            fix="pass a square matrix as long as the mean",
        )
    k = mean.shape[-1]
    lead = _zeros_like_lead(mean, 1), _zeros_like_lead(cov, 2)
    draw = Draw("multivariate_normal", shape, dtype, device, generator, mean=(lead[0], ANY), cov=(lead[1], ANY))
    factor = find("linalg", "cholesky")(ops.astype(cov, draw.work))
    numbers = draw.basic("random_normal", draw.work, (*draw.extents, k, 1))
    moved = ops.reshape(ops.matmul(factor, numbers), (*draw.extents, k))
    return draw.result(moved + ops.astype(mean, draw.work))


def _zeros_like_lead(x: Tensor, axes: int) -> Any:
    """A tensor with the dtype of ``x`` and its shape without the last axes."""
    return ops.zeros(x.shape[:-axes], dtype=x.dtype, device=x.device)


@public
def orthogonal(
    shape: tuple[int, ...] | list[int],
    *,
    dtype: Any = None,
    device: Device | str | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Matrices with orthonormal columns, or rows if there are fewer of these, uniformly distributed.

    Args:
        shape: ``(..., m, n)``.
        dtype: real floating, default float32.
        device: the result's device; default: the device of new tensors.
        generator: default: the process's default generator.
    Returns:
        ``shape``, ``dtype``.
    Raises:
        ShapeError: ``shape`` has fewer than two axes. DTypeError: ``dtype`` is not real floating.
    Source:
        F. Mezzadri (2007), Notices of the AMS 54 (5), pp. 592-604: QR with signs fixed.
    """
    draw = Draw("orthogonal", shape, dtype, device, generator)
    if len(draw.extents) < 2:
        raise ShapeError(
            "orthogonal needs the shape of a matrix.",
            expected="at least two axes",
            got=f"shape {draw.extents}",
            fix="pass (rows, columns)",
        )
    *lead, rows, columns = draw.extents
    tall = (*lead, max(rows, columns), min(rows, columns))
    q, r = find("linalg", "qr")(draw.basic("random_normal", draw.work, tall))
    diagonal = ops.sum(r * ops.eye(tall[-1], dtype=draw.work, device=draw.device), axis=-2, keepdims=True)
    y = q * ops.where(ops.less(diagonal, 0.0), -1.0, ops.ones((), dtype=draw.work, device=draw.device))
    return draw.result(y if rows >= columns else ops.matrix_transpose(y))
