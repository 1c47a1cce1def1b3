"""The base class of layers with a weight and a bias, and the options that these take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final, TypedDict

from ...errors import DTypeError, SettingError
from ...foreign_names import near_or
from ...ops import families
from ...tensors.tensor import Tensor
from ...tensors.variable import Variable
from ..keywords import unexpected
from ..modules import Module

__all__ = ["Activation", "Function", "WeightLayer", "WeightOptions", "activation_of"]

Function = Callable[[Any], Any]


class WeightOptions(TypedDict, total=False):
    """What every layer with weights accepts as keyword arguments.

    Attributes:
        weight_initializer, bias_initializer: the first values, see `polytape.nn.initializers`.
        weight_regularizer, bias_regularizer: losses of the weights, see `polytape.nn.regularizers`.
        weight_constraint, bias_constraint: conditions on the weights, see `polytape.nn.constraints`.
        dtype: of the weights; default: the default real floating dtype.
    """

    weight_initializer: Any
    bias_initializer: Any
    weight_regularizer: Callable[[Tensor], Tensor] | None
    bias_regularizer: Callable[[Tensor], Tensor] | None
    weight_constraint: Callable[[Tensor], Tensor] | None
    bias_constraint: Callable[[Tensor], Tensor] | None
    dtype: Any


_OPTIONS: Final[tuple[str, ...]] = tuple(WeightOptions.__annotations__)


class WeightLayer(Module):
    """Base class of layers with weights.

    Args:
        options: as for `WeightOptions`.

    Raises:
        DTypeError: another keyword argument. SettingError: no initializer has a name that is given.
    """

    # An initial value may be a variable, which is not the layer's.
    _untracked = ("_options", "recurrent_initializer")
    _options_accepted: ClassVar[tuple[str, ...]] = _OPTIONS

    def __init__(self, options: WeightOptions) -> None:
        for name in options:
            if name not in _OPTIONS:
                raise unexpected(type(self), name, _OPTIONS)
        self._options = options

    def _make(
        self, name: str, shape: tuple[int, ...], initializer: Any, *, wrap: Callable[[Any], Any] | None = None
    ) -> Variable:
        """A weight with the options for weights, or those for biases if its name contains that word.

        Args:
            name, shape: as for `add_weight`.
            initializer: the default.
            wrap: makes the initializer of this weight from the one that was chosen.
        """
        options: Any = self._options
        kind = "bias" if "bias" in name else "weight"
        chosen = options.get(f"{kind}_initializer", initializer)
        return self.add_weight(
            name,
            shape,
            chosen if wrap is None else wrap(chosen),
            dtype=options.get("dtype"),
            regularizer=options.get(f"{kind}_regularizer"),
            constraint=options.get(f"{kind}_constraint"),
        )


def activation_of(value: Any) -> Function | None:
    """The function that an argument ``activation`` stands for.

    Raises:
        SettingError: no function has this name. DTypeError: neither a function nor a name.
    """
    if isinstance(value, str):
        for namespace in ("nn", ""):
            if value in families.public_names(namespace):
                function: Function = families.find(namespace, value)
                return function
        raise SettingError(
            f"there is no activation {value!r}.",
            expected="the name of a function of polytape.nn, such as 'relu', or of polytape, such as 'tanh'",
            got=repr(value),
            fix=near_or(
                value,
                (*families.public_names("nn"), *families.public_names("")),
                "pass one of these names, or the function itself",
            ),
        )
    if value is None or callable(value):
        return value  # type: ignore[no-any-return]  # any callable is accepted
    raise DTypeError(
        f"{value!r} is not an activation.",
        expected="a function of a tensor, such as polytape.nn.relu, its name, or None",
        got=f"{value!r} of type {type(value).__name__}",
        fix="pass one of these",
    )


class Activation(Module):
    """A function as a layer.

    Args:
        activation: a function of a tensor, or the name of one of `polytape.nn` or `polytape`.

    Raises:
        SettingError: no function has this name. DTypeError: neither a function nor a name.
    """

    def __init__(self, activation: Function | str) -> None:
        self.activation = activation_of(activation)

    def call(self, x: Tensor) -> Tensor:
        """The function of ``x``."""
        y: Tensor = x if self.activation is None else self.activation(x)
        return y
