"""Dense layers and embeddings."""

from __future__ import annotations

from typing import Unpack

from ...errors import SettingError, ShapeError
from ...ops.logic import not_equal
from ...ops.movement import take
from ...ops.products import matmul
from ...tensors.tensor import Tensor, TensorLike
from ...tensors.variable import Variable
from .weights import Function, WeightLayer, WeightOptions, activation_of

__all__ = ["Dense", "Embedding"]


def positive(name: str, value: int) -> int:
    """A number of units, checked.

    Raises:
        SettingError: it is not a positive integer.
    """
    if not hasattr(value, "__index__") or isinstance(value, bool) or value.__index__() < 1:
        raise SettingError(
            f"a layer cannot have {name}={value!r}.",
            expected="a positive integer",
            got=f"{value!r} of type {type(value).__name__}",
            fix="pass a positive integer",
        )
    return value.__index__()


def features(layer: object, shape: tuple[int | None, ...], axis: int = -1) -> int:
    """The size of an axis of the input.

    Raises:
        ShapeError: there is no such axis, or its size is not declared.
    """
    size = shape[axis] if -len(shape) <= axis < len(shape) else None
    if size is None:
        raise ShapeError(
            f"the weights of {type(layer).__name__} cannot be made.",
            expected=f"an input with a known size of axis {axis}",
            got=f"shape {shape}",
            fix="pass an input with the axes of the batch and of the features",
        )
    return size


class Dense(WeightLayer):
    """``activation(x @ weight + bias)``, along the last axis.

    Args:
        units: the number of features of the result.
        activation: a function, its name, or None.
        use_bias: whether there is a bias.
        options: as for `polytape.nn.layers.weights.WeightOptions`. The initializers are Glorot's uniform one and zeros.

    The input is floating[..., n], the result floating[..., units].

    Attributes:
        weight: [n, units].
        bias: [units], or None.

    Raises:
        SettingError: ``units`` is not a positive integer.

    Example:
        >>> import polytape as pt
        >>> layer = pt.nn.Dense(10, activation=pt.nn.relu)
        >>> layer(pt.ones((2, 4))).shape, layer.weight.shape
        ((2, 10), (4, 10))
    """

    weight: Variable
    bias: Variable | None = None

    def __init__(
        self,
        units: int,
        activation: Function | str | None = None,
        *,
        use_bias: bool = True,
        **options: Unpack[WeightOptions],
    ) -> None:
        super().__init__(options)
        self.units = positive("units", units)
        self.activation = activation_of(activation)
        self.use_bias = use_bias

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the weights for an input of this shape."""
        self._make("weight", (features(self, shape), self.units), "glorot_uniform")
        if self.use_bias:
            self._make("bias", (self.units,), "zeros")

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        y = matmul(x, self.weight)
        if self.bias is not None:
            y = y + self.bias
        return y if self.activation is None else self.activation(y)


class Embedding(WeightLayer):
    """A vector for each index: the rows of a table that is learned.

    Args:
        num_embeddings: how many vectors there are.
        units: their number of elements.
        mask_zero: whether index 0 stands for padding, which later layers of a `Sequential` skip, see `Masking`.
        options: as for `Dense`. The initializer is uniform from -0.05 to 0.05.

    The input is integer[...], indices from -num_embeddings to num_embeddings - 1, the result floating[..., units].

    Attributes:
        weight: [num_embeddings, units].

    Raises:
        SettingError: a number is not a positive integer.
    """

    weight: Variable

    def __init__(
        self, num_embeddings: int, units: int, *, mask_zero: bool = False, **options: Unpack[WeightOptions]
    ) -> None:
        super().__init__(options)
        self.mask_zero = mask_zero
        self.num_embeddings = positive("num_embeddings", num_embeddings)
        self.units = positive("units", units)

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the weights; they do not depend on the shape."""
        self._make("weight", (self.num_embeddings, self.units), "uniform")

    def call(self, x: Tensor) -> Tensor:
        """The result; see the class."""
        return take(self.weight, x, axis=0)

    def compute_mask(self, x: TensorLike, mask: Tensor | None = None) -> Tensor | None:
        """The mask of the result, bool of the shape of ``x``: False where an index is 0; None without ``mask_zero``."""
        return not_equal(x, 0) if self.mask_zero else mask
