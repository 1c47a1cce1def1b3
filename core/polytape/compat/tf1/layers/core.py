"""Dense layers, dropout, and layers that change shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from .... import dtypes
from ....dispatch.convert import asarray, cast
from ....nn.layers import dense, regularization, shapes as shaping
from ....ops.logic import not_equal
from ....ops.manipulation import concat, permute_dims
from ....ops.products import matmul
from ....ops.rearranging import expand_dims
from ....ops.reduction import any as any_
from ....tensors.tensor import Tensor
from ..compose.neural import dropped
from ..graph.tensors import GraphTensor
from .base import Layer
from .graph_calls import Linear
from .native import Native, alias, options_of
from .specs import InputSpec

__all__ = [
    "Activation",
    "ActivityRegularization",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Lambda",
    "Masking",
    "Permute",
    "RepeatVector",
    "Reshape",
]


class Dense(Native, dense.Dense, Linear):
    """``activation(x @ kernel + bias)``, along the last axis; see `polytape.nn.Dense`.

    Args:
        units: the number of features of the result.
        activation: a function, its name, or None.
        use_bias: whether there is a bias.
        kwargs: ``kernel_initializer``, ``bias_initializer``, ``kernel_regularizer``, ``bias_regularizer``,
            ``kernel_constraint``, ``bias_constraint``, and those of `Layer`.
    """

    kernel = alias("weight")

    def __init__(self, units: int, activation: Any = None, use_bias: bool = True, **kwargs: Any) -> None:
        from ..keras import activations

        options = options_of(kwargs)
        Layer.__init__(self, **kwargs)
        dense.Dense.__init__(self, units, activations.get(activation), use_bias=use_bias, **options)
        self.input_spec = InputSpec(min_ndim=2)

    def product(self, x: Any) -> Tensor:
        """``x @ kernel``."""
        y: Tensor = matmul(x, self.weight)
        return y

    def biased(self, y: Any) -> Tensor:
        """``y + bias``."""
        shifted: Tensor = y + self.bias
        return shifted


class Embedding(Native, dense.Embedding):
    """A vector for each index; see `polytape.nn.Embedding`.

    Args:
        input_dim: how many vectors there are.
        output_dim: their number of elements.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the vectors.
        mask_zero, input_length: accepted for compatibility; there are no masks in eager mode.
        kwargs: those of `Layer`.
    """

    tf_names: ClassVar[Mapping[str, str]] = {"weight": "embeddings"}
    embeddings = alias("weight")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        activity_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: int | None = None,
        **kwargs: Any,
    ) -> None:
        given = {
            "kernel_initializer": embeddings_initializer, "kernel_regularizer": embeddings_regularizer,
            "kernel_constraint": embeddings_constraint,
        }  # fmt: skip
        options = options_of(given)
        Layer.__init__(self, **kwargs)
        dense.Embedding.__init__(self, input_dim, output_dim, **options)
        self.input_dim, self.output_dim, self.mask_zero = input_dim, output_dim, mask_zero

    def call(self, inputs: Any) -> Tensor:
        """The vectors."""
        x = asarray(inputs)
        whole = dtypes.category(x.dtype) < dtypes.FLOATING
        return dense.Embedding.call(self, x if whole else cast(x, dtypes.int32))


class Dropout(Native, regularization.Dropout):
    """Elements that become 0 at random in training; the others are multiplied by ``1 / (1 - rate)``.

    Args:
        rate: the probability; in graph mode also a tensor.
        noise_shape: the shape of the random choice, which is broadcast to the input.
        seed: of the random numbers; default: the process's default generator.
        kwargs: those of `Layer`.
    """

    def __init__(self, rate: float = 0.5, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        from ....random import Generator

        Layer.__init__(self, **kwargs)
        regularization.Dropout.__init__(
            self, 0.5 if isinstance(rate, GraphTensor) else float(rate),
            noise_shape=None if noise_shape is None else tuple(noise_shape),
            generator=None if seed is None else Generator(seed),
        )  # fmt: skip

        self._tensor_rate = rate if isinstance(rate, GraphTensor) else None

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """As `Layer.__call__`; a rate that is a tensor is an argument of the call."""
        if self._tensor_rate is not None:
            kwargs["rate"] = self._tensor_rate
        return super().__call__(inputs, *args, **kwargs)

    def call(self, inputs: Any, training: Any = False, rate: Any = None) -> Tensor:
        """The result; see the class."""
        if training and rate is not None:
            return dropped(inputs, 1.0 - rate, self.noise_shape, None)
        return regularization.Dropout.call(self, inputs, bool(training))


class Flatten(Native, shaping.Flatten):
    """All axes but the first as one.

    Args:
        kwargs: those of `Layer`.
    """


class Reshape(Native, shaping.Reshape):
    """Other axes behind the first.

    Args:
        target_shape: of each element of the batch; one size may be -1.
        kwargs: those of `Layer`.
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        Layer.__init__(self, **kwargs)
        shaping.Reshape.__init__(self, tuple(target_shape))
        self.target_shape = tuple(target_shape)


class Activation(Layer):
    """A function as a layer.

    Args:
        activation: a function, or its name.
        kwargs: those of `Layer`.
    """

    _quick = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        from ..keras import activations

        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        """The function of the input."""
        return self.activation(inputs)


class Lambda(Layer):
    """Any function as a layer.

    Args:
        function: of the input.
        output_shape, mask: accepted for compatibility, and ignored.
        arguments: more arguments of the function, by name.
        kwargs: those of `Layer`.
    """

    has_inner = True

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function, self.arguments = function, dict(arguments or {})

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        """The function of the input."""
        return self.function(inputs, **self.arguments, **kwargs)


class Permute(Layer):
    """Axes behind the first in another order.

    Args:
        dims: the order, from 1.
        kwargs: those of `Layer`.
    """

    _quick = True

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        """The result; see the class."""
        return permute_dims(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """[batch, features] as [batch, n, features].

    Args:
        n: how often.
        kwargs: those of `Layer`.
    """

    _quick = True

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        """The result; see the class."""
        return concat([expand_dims(inputs, axis=1)] * self.n, axis=1)


class Masking(Layer):
    """Steps all of whose features have one value, as zeros.

    Args:
        mask_value: this value.
        kwargs: those of `Layer`.
    """

    _quick = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        """The result; see the class."""
        kept = any_(not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return inputs * cast(kept, inputs.dtype)


class ActivityRegularization(Layer):
    """Losses of outputs do not exist in eager mode: the layer returns its input only if both factors are 0.

    Args:
        l1, l2: factors of the losses.
        kwargs: those of `Layer`.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        from ..keras import regularizers

        super().__init__(**kwargs)
        self.activity_regularizer = regularizers.L1L2(l1, l2) if l1 or l2 else None
