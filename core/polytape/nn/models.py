"""Models: modules that are trained as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..errors import DTypeError
from .modules import Module

__all__ = ["Model", "Sequential"]

Function = Callable[..., Any]


class Model(Module):
    """A module that is trained as a whole. A subclass defines ``call``, as for `Module`."""


class Sequential(Model):
    """Layers, each called with the result of the one before.

    Args:
        layers: modules or functions, as a list or one by one.

    Raises:
        DTypeError: a layer that cannot be called.

    Example:
        >>> import polytape as pt
        >>> model = pt.nn.Sequential([pt.nn.Dense(16, activation="relu"), pt.nn.Dropout(0.5), pt.nn.Dense(10)])
        >>> model(pt.ones((4, 8))).shape
        (4, 10)
        >>> len(model), model[0].units
        (3, 16)
    """

    def __init__(self, *layers: Function | Iterable[Function]) -> None:
        several = len(layers) == 1 and not callable(layers[0])
        self.layers: list[Function] = []
        for layer in layers[0] if several else layers:  # type: ignore[union-attr]  # the line above says so
            self.append(layer)

    def append(self, layer: Any) -> None:
        """Add a layer behind the others."""
        if not callable(layer) or isinstance(layer, type):
            raise DTypeError(
                f"Sequential cannot call {layer!r}.",
                expected="modules or functions of a tensor, such as polytape.nn.Dense(10)",
                got=f"{layer!r} of type {type(layer).__name__}",
                fix="call the class to create a layer" if isinstance(layer, type) else "pass the layers in order",
            )
        self.layers.append(layer)

    def call(self, x: Any) -> Any:
        """The result of the last layer."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __bool__(self) -> bool:
        return True  # also without layers: it is a model

    def __iter__(self) -> Iterator[Function]:
        return iter(self.layers)

    def __getitem__(self, position: int | slice) -> Any:
        """A layer, or for a slice a `Sequential` with these layers."""
        chosen = self.layers[position]
        return Sequential(chosen) if isinstance(chosen, list) else chosen
