"""Dropout with a given mask; `polytape.nn.dropout` draws the mask."""

from __future__ import annotations

from ... import dtypes
from ...dtypes import DType
from ...errors import DTypeError
from ...tensors.tensor import Tensor, TensorLike
from .. import dtype_rules, shape_rules
from ..arithmetic import multiply
from ..declaration import op
from ..logic import where

__all__: list[str] = []


def _masked_dtype(x: DType, kept: DType) -> DType:
    if kept is not dtypes.bool_:
        raise DTypeError(
            "the mask is not bool.", expected="bool", got=str(kept), fix="compare it, for example kept > 0"
        )
    return dtype_rules.same_floating(x)


@op(
    dtype=_masked_dtype,
    shape=shape_rules.broadcast,
    elementwise=True,
    promotes=("x",),
    internal="polytape.nn.dropout",
)
def masked_scale(x: TensorLike, kept: TensorLike, /, *, scale: float = 1.0) -> Tensor:
    """``x * scale`` where ``kept`` is true, 0 elsewhere, also where ``x`` is infinite or NaN there.

    Args:
        x: floating[...].
        kept: bool[...], broadcast with ``x``.
        scale: a number.
    Returns:
        The broadcast shape, the dtype of ``x``.
    Raises:
        ShapeError: shapes that do not broadcast. DTypeError: ``x`` is not floating, or ``kept`` is not bool.
    Source:
        N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov (2014), JMLR 15, pp. 1929-1958.
    """
    return where(kept, multiply(x, scale), 0)


masked_scale.gradient(x=lambda g, kept, scale: masked_scale(g, kept, scale=scale))
