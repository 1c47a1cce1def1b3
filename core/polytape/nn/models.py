"""Models: modules that are trained as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import DTypeError
from . import describing
from .layers.masking import masked_call
from .modules import Module

if TYPE_CHECKING:
    from ..training import History

__all__ = ["Model", "Sequential"]

Function = Callable[..., Any]


class Model(Module):
    """A module that is trained as a whole. A subclass defines ``call``, as for `Module`.

    Example:
        >>> import polytape as pt
        >>> model = pt.nn.Sequential([pt.nn.Dense(1)])
        >>> x = pt.reshape(pt.arange(8, dtype="float32"), (8, 1))
        >>> history = model.fit(x, 2.0 * x, optimizer=pt.optim.SGD(0.02), loss="mean_squared_error", progress=False)
        >>> sorted(history)
        ['learning_rate', 'loss']
        >>> model.predict(x).shape
        (8, 1)
    """

    def fit(self, x: Any, y: Any = None, **options: Any) -> History:
        """Train the model; see `polytape.training.fit`."""
        from ..training import fit

        return fit(self, x, y, **options)

    def evaluate(self, x: Any, y: Any = None, **options: Any) -> dict[str, Any]:
        """The loss and the metrics on data; see `polytape.training.evaluate`."""
        from ..training import evaluate

        return evaluate(self, x, y, **options)

    def predict(self, x: Any, **options: Any) -> Any:
        """The outputs for data, computed in batches; see `polytape.training.predict`."""
        from ..training import predict

        return predict(self, x, **options)


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

    mask_argument: ClassVar[str] = "mask"

    def __init__(self, *layers: Function | Iterable[Function]) -> None:
        several = len(layers) == 1 and isinstance(layers[0], Iterable) and not callable(layers[0])
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

    def call(self, x: Any, mask: Any = None, return_mask: bool = False) -> Any:
        """The result of the last layer.

        Args:
            x: of the first layer.
            mask: bool[batch, time]: False where a step is padding, see `Masking`.
            return_mask: whether to return also the mask of the result, or None, as in a `Sequential` inside another.
        """
        for layer in self.layers:
            x, mask = masked_call(layer, x, mask)
        return (x, mask) if return_mask else x

    def _first_run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        y = super()._first_run(args, kwargs)
        if kwargs.get("return_mask"):
            self._output = describing.result(y[0])  # a summary has no masks
        return y

    @property
    def returns_mask(self) -> bool:
        """Whether the call takes ``return_mask``: a subclass may have a call of its own."""
        return type(self).call is Sequential.call

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
