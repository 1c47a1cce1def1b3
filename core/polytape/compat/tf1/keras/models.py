"""TensorFlow 1.7's ``tf.keras.models``: Model and Sequential."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ....tensors.tensor import Tensor
from ....tensors.variable import Variable
from ..layers.base import Layer
from ..layers.naming import snake_case, unique_name
from ..layers.symbols import Symbolic, flattened
from ..train.files import NamedVariables, opened, restore_values
from ..train.savers import by_name
from .functional import Input, Node, parameters, record, replay, sorted_nodes
from .training import Trained

__all__ = ["Model", "Sequential"]


class Model(Trained, Layer):
    """Layers that make up one. A subclass defines `call`; ``Model(inputs, outputs)`` is functional.

    Args:
        inputs: a symbolic tensor of `tf.keras.Input`, or a list of them.
        outputs: symbolic tensors that come from them.
        name: default: the class's name in lower case and a number.

    Attributes:
        layers: those in attributes, in the order in which these were assigned; of a functional model, all.

    Raises:
        TypeError: the outputs do not come from inputs. ValueError: they come from inputs that are not listed.
    """

    _untracked: ClassVar[Any] = ("_compiled", "_inputs", "_nodes", "_outputs", "_steps")
    _nodes: Sequence[Node] | None = None
    has_inner = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        names = ("inputs", "outputs", "name")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        unknown = sorted(given.keys() - set(names))
        if unknown:
            raise TypeError("Keyword argument not understood:", unknown[0])
        self.built = False
        self._base_name = given.get("name") or snake_case(type(self).__name__)
        self._name = given.get("name") or unique_name(self._base_name)
        if "inputs" in given and "outputs" in given:
            self._connect(given["inputs"], given["outputs"])
        elif "inputs" in given or "outputs" in given:
            raise TypeError("Model(inputs, outputs) needs both; a subclass calls super().__init__() without them.")

    def _connect(self, inputs: Any, outputs: Any) -> None:
        nodes = sorted_nodes(flattened(outputs))
        listed = {id(x) for x in flattened(inputs)}
        for node in nodes:
            if node.inputs is None and id(node.layer.symbol) not in listed:
                raise ValueError(
                    f"Graph disconnected: cannot obtain value for {node.layer.symbol!r}; add it to inputs."
                )
        self._inputs, self._outputs, self._nodes = inputs, outputs, nodes
        unique = list({id(node.layer): node.layer for node in nodes}.values())
        self._graph_layers = unique
        self.built = True

    @property
    def inputs(self) -> list[Any] | None:
        """The symbolic inputs of a functional model; else None."""
        return flattened(self._inputs) if self._nodes is not None else None

    @property
    def outputs(self) -> list[Any] | None:
        """The symbolic outputs of a functional model; else None."""
        return flattened(self._outputs) if self._nodes is not None else None

    @property
    def layers(self) -> list[Layer]:
        """The layers; see the class."""
        if self._nodes is not None:
            return list(self._graph_layers)
        found = [value for value in self.__dict__.values() if isinstance(value, Layer)]
        return list({id(layer): layer for layer in found}.values())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place.

        Raises:
            ValueError: there is none.
        """
        layers = self.layers
        if index is not None:
            if len(layers) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(layers)} layers."
                )
            return layers[index]
        if not name:
            raise ValueError("Provide either a layer name or layer index.")
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}")

    # --- weights ------------------------------------------------------------------------------------------------------

    @property
    def trainable_weights(self) -> list[Variable]:
        """Those of the layers, in order, then its own."""
        if not self.trainable:
            return []
        return _once([*(w for layer in self.layers for w in layer.trainable_weights), *super().trainable_weights])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Those of the layers, in order, then its own; all, if the model is not trainable."""
        others = [w for layer in self.layers for w in layer.non_trainable_weights]
        if self.trainable:
            return _once([*others, *super().non_trainable_weights])
        trained = [w for layer in self.layers for w in layer.trainable_weights]
        return _once([*trained, *others, *super().non_trainable_weights])

    def _listed_weights(self) -> list[Variable]:
        return _once([*(w for layer in self.layers for w in layer.weights), *super().weights])

    @property
    def losses(self) -> list[Tensor]:
        """The losses of the weights that have a regularizer, computed at each access."""
        return [*(loss for layer in self.layers for loss in layer.losses), *super().losses]

    def save_weights(self, filepath: str) -> None:
        """Save the weights to one safetensors file, by their names.

        Args:
            filepath: the file.
        """
        NamedVariables(by_name(self.weights)).write(filepath)

    def load_weights(self, filepath: str, by_name: bool = False) -> None:
        """Assign the weights of a file that `save_weights` wrote, to all or none.

        Args:
            filepath: the file.
            by_name: accepted for compatibility: names decide in any case.
        Raises:
            NotFoundError: there is no such file, or a weight is not in it. ValueError: there are no weights yet.
        """
        if not self.built:
            raise ValueError("Unable to load weights before the model is built: call it first.")
        with opened(filepath) as file:
            restore_values(file, _named(self.weights))

    def count_params(self) -> int:
        """The number of elements of all weights."""
        return sum(weight.size for weight in self.weights)

    # --- calling ------------------------------------------------------------------------------------------------------

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """What the model computes; a subclass defines it."""
        if self._nodes is None:
            raise NotImplementedError("When subclassing the `Model` class, you should implement a `call` method.")
        symbols, values = flattened(self._inputs), flattened(inputs)
        if len(symbols) != len(values):
            raise ValueError(f"{self.name} takes {len(symbols)} inputs, but got {len(values)}.")
        known = {id(symbol): value for symbol, value in zip(symbols, values, strict=True)}
        options = {} if training is None else {"training": training}
        return replay(self._nodes, known, self._outputs, options)

    def summary(  # type: ignore[override]  # Keras' arguments
        self, line_length: int | None = None, positions: Any = None, print_fn: Callable[[str], Any] = print
    ) -> None:
        """Print a table of the layers, with the number of elements of their weights."""
        width = line_length or 65
        rows = [(f"{layer.name} ({type(layer).__name__})", sum(w.size for w in layer.weights)) for layer in self.layers]
        print_fn("_" * width)
        print_fn(f"{'Layer (type)':<55}Param #")
        print_fn("=" * width)
        for name, count in rows:
            print_fn(f"{name:<55}{count}")
            print_fn("_" * width)
        trained = sum(w.size for w in self.trainable_weights)
        print_fn(f"Total params: {self.count_params():,}")
        print_fn(f"Trainable params: {trained:,}")
        print_fn(f"Non-trainable params: {self.count_params() - trained:,}")
        print_fn("_" * width)


class Sequential(Model):
    """Layers, each called with the result of the one before.

    Args:
        layers: the layers. If the first has ``input_shape=``, the weights are made at once.
        name: default: "sequential_1" and so on.

    Raises:
        TypeError: something else than a layer.
    """

    def __init__(self, layers: Sequence[Layer] | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self._stack: list[Layer] = []
        self._symbol: Symbolic | None = None
        for layer in layers or ():
            self.add(layer)

    _untracked = ("_symbol",)

    def add(self, layer: Layer) -> None:
        """Append a layer.

        Raises:
            TypeError: it is none.
        """
        if not isinstance(layer, Layer):
            raise TypeError(f"The added layer must be an instance of class Layer. Found: {layer}")
        if not self._stack and layer._declared_shape is not None:
            self._symbol = Input(batch_shape=layer._declared_shape)
        self._stack.append(layer)
        if self._symbol is not None:
            symbol: Any = record(layer, self._symbol, (), {})
            self._symbol = symbol
            self.built = True

    def pop(self) -> None:
        """Remove the last layer.

        Raises:
            TypeError: there is none.
        """
        if not self._stack:
            raise TypeError("There are no layers in the model.")
        self._stack.pop()
        self._symbol = None

    @property
    def layers(self) -> list[Layer]:
        """The layers in order."""
        return list(self._stack)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The result of the last layer; ``training`` is handed to those whose `call` has it."""
        for layer in self._stack:
            if training is not None and "training" in parameters(layer):
                inputs = layer(inputs, training=training)
            else:
                inputs = layer(inputs)
        return inputs


_named = by_name


def _once(variables: list[Variable]) -> list[Variable]:
    return list({id(variable): variable for variable in variables}.values())
