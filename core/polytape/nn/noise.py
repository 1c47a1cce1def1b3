"""Functions that draw random numbers. The op families cannot: `polytape.random` is above them."""

from __future__ import annotations

from ..errors import SettingError
from ..ops import dtype_rules, shape_rules
from ..ops.manipulation import identity
from ..ops.nn.regularization import masked_scale
from ..ops.random import random_mask
from ..random import Generator
from ..random.generator import WORDS, chosen
from ..tensors.tensor import Tensor, TensorLike

__all__ = ["check_rate", "dropout"]

Shape = tuple[int, ...]


def check_rate(rate: float) -> None:
    """Raise SettingError unless ``rate`` is a probability."""
    if not 0.0 <= rate <= 1.0:
        raise SettingError(
            f"dropout cannot drop a share of {rate}.",
            expected="0 <= rate <= 1",
            got=f"rate={rate}",
            fix="pass the probability that an element becomes 0",
        )


def dropout(
    x: TensorLike,
    /,
    rate: float = 0.5,
    *,
    training: bool = True,
    noise_shape: Shape | None = None,
    generator: Generator | None = None,
) -> Tensor:
    """Elements of ``x`` chosen at random become 0, and the others are divided by ``1 - rate``.

    Args:
        x: floating[...].
        rate: the probability that an element becomes 0, from 0 to 1. At 1, all become 0.
        training: if it is False, the result is ``x``, and no random numbers are drawn.
        noise_shape: the shape of the random choice, which is broadcast to ``x``; default: that of ``x``. For images of
            shape [n, h, w, channels], (n, 1, 1, channels) drops whole channels.
        generator: default: the process's default generator. Its seed gives the same choice on every backend.
    Returns:
        Shape and dtype of ``x``.
    Raises:
        SettingError: a rate below 0 or above 1. ShapeError: ``noise_shape`` does not broadcast to ``x``.
            DTypeError: ``x`` is not floating.
    Source:
        N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov (2014), JMLR 15, pp. 1929-1958.

    Example:
        >>> import polytape as pt
        >>> pt.nn.dropout(pt.ones((2, 3)), 1.0).tolist()
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    x = identity(x)
    dtype_rules.same_floating(x.dtype)
    check_rate(rate)
    if not training or rate == 0.0:
        return x
    shape = x.shape
    if noise_shape is not None:
        shape = shape_rules.as_shape(noise_shape)
        shape_rules.broadcast_to_shape(shape, shape=x.shape)
    kept = random_mask(chosen(generator).take(WORDS), rate=float(rate), shape=shape, device=x.device)
    return masked_scale(x, kept, scale=1.0 / (1.0 - rate) if rate < 1.0 else 1.0)
