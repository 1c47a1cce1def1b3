"""Layers of `polytape.nn` with the arguments and names of TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ....nn import initializers as native_initializers
from ....tensors.variable import Variable
from ..shapes import TensorShape
from .base import Layer
from .symbols import mapped

__all__ = ["Native", "alias", "options_of"]

# Which of polytape's options for weights each of TensorFlow's arguments is.
_OPTIONS: Final = {
    f"{theirs}_{kind}": f"{ours}_{kind}"
    for theirs, ours in (("kernel", "weight"), ("bias", "bias"))
    for kind in ("initializer", "regularizer", "constraint")
}


def options_of(kwargs: dict[str, Any], names: Mapping[str, str] = _OPTIONS) -> dict[str, Any]:
    """Take the arguments about weights out of ``kwargs``; polytape's names of those that are not None."""
    from ..keras import constraints, initializers, regularizers

    find = {"initializer": initializers.get, "regularizer": regularizers.get, "constraint": constraints.get}
    found = {ours: kwargs.pop(theirs) for theirs, ours in names.items() if theirs in kwargs}
    return {ours: find[ours.split("_")[-1]](value) for ours, value in found.items() if value is not None}


def alias(name: str) -> Any:
    """A property: TensorFlow's name of an attribute."""

    def get(self: Any) -> Any:
        try:
            return getattr(self, name)
        except AttributeError:
            raise AttributeError(f"{type(self).__name__!r} object has no weights before it is called") from None

    return property(get, doc=f"The attribute ``{name}`` of `polytape.nn`'s layer.")


class Native(Layer):
    """Base of the layers that compute as those of `polytape.nn`: a subclass derives from one of these as well.

    Attributes:
        tf_names: TensorFlow's names of weights by the names of their attributes.
    """

    tf_names: ClassVar[Mapping[str, str]] = {"weight": "kernel"}
    _quick = True
    # The layers of polytape.nn keep these.
    _options: Any

    def build(self, input_shape: Any) -> None:
        """Make the weights for an input of this shape."""
        super(Layer, self).build(mapped(_sizes, TensorShape(input_shape)))
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The result of `polytape.nn`'s layer."""
        return super(Layer, self).call(*args, **kwargs)

    def _make(self, name: str, shape: tuple[int, ...], initializer: Any, *, wrap: Any = None) -> Variable:
        kind = "bias" if "bias" in name else "weight"
        chosen = self._options.get(f"{kind}_initializer", initializer)
        return self.add_weight(
            name,
            shape,
            chosen if wrap is None else wrap(chosen),
            regularizer=self._options.get(f"{kind}_regularizer"),
            constraint=self._options.get(f"{kind}_constraint"),
        )

    def add_weight(  # type: ignore[override]  # the arguments of polytape.nn.Module
        self, name: str, shape: Any, initializer: Any = "glorot_uniform", dtype: Any = None, **options: Any
    ) -> Variable:
        """Make a weight; ``name`` is that of its attribute, the variable gets TensorFlow's."""
        if isinstance(initializer, str):
            initializer = native_initializers.find(initializer)
        return super().add_weight(self.tf_names.get(name, name), shape, dtype, initializer, **options)

    def _attribute_of(self, name: str) -> str:
        return {theirs: ours for ours, theirs in self.tf_names.items()}.get(name, name)


def _sizes(shape: TensorShape) -> tuple[int | None, ...]:
    return tuple(shape.as_list())
