"""``tfe.Network``: layers that make up one, with unique names of their variables."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from ...checkpoint.numbering import newest
from ...nn.building import outside
from ...tensors.variable import Variable
from ..tf1.layers.base import Layer
from ..tf1.layers.naming import counters, snake_case, unique_name
from ..tf1.train.checkpoints import load_checkpoint
from ..tf1.train.files import existing_file, restore_values
from ..tf1.train.savers import Saver
from ..tf1.train.steps import get_global_step
from ..tf1.variables.creation import created_through
from ..tf1.variables.members import shared_name
from ..tf1.variables.scopes import VariableScope, get_variable_scope, variable_scope
from ..tf1.variables.stores import current_store

__all__ = ["Network", "Sequential", "restore_network_checkpoint", "save_network_checkpoint"]

_counts: Final[dict[str, dict[str, int]]] = {}  # by the variable scope: how often each name was used
counters.append(_counts)


class Network(Layer):
    """Layers that make up one: a subclass tracks them by `track_layer` and defines ``call``.

    Args:
        name: without slashes; default: the class's name in lower case, with a number if it is needed.

    Raises:
        ValueError: the name has a slash; or at the first call, if another network has it.
    """

    _untracked: ClassVar[Any] = ("_hooks", "_outer", "_parent", "_scopes", "_tracked")

    def __init__(self, name: Any = None) -> None:
        if isinstance(name, VariableScope):
            raise ValueError("VariableScopes are not valid Network names.")
        if name is not None and "/" in name:
            raise ValueError("Forward slashes ('/') are not allowed in Network names.")
        super().__init__(name=name)
        self._given_name = name
        self._tracked: list[Layer] = []
        self._named: dict[str, int] = {}
        self._parent: Any = None
        self._outer = get_variable_scope()
        self._scopes = current_store().counts  # also those that are opened later
        self._hooks: list[Callable[[Variable], None]] = []

    def _set_name(self, name: Any) -> None:
        self._name = self._base_name = name

    @property
    def name(self) -> str:
        """The name.

        Raises:
            ValueError: the network has been neither called nor added to another, so it has no name yet.
        """
        if self._name is None:
            raise ValueError(
                "The network does not yet have a final name, but a name was requested for it. Networks get a name when "
                "they are added to another Network via track_layer, or when they are first called/built."
            )
        return self._name

    def _finalize_name(self, parent: Network | None) -> None:
        if not self._name:
            base = snake_case(type(self).__name__)
            prefix = f"{self._outer.name}/" if self._outer.name else ""
            below = {scope.removeprefix(prefix) for scope in self._scopes if scope.startswith(prefix)}
            avoid = set(parent._names()) if parent is not None else below
            counts = parent._named if parent is not None else _counts.setdefault(self._outer.name, {})
            self._name = unique_name(base, counts, avoid, zero_based=True)
            self._base_name = self._name
        if parent is not None and self._parent is None:
            self._parent = weakref.ref(parent)

    def _names(self) -> list[str]:
        """The names of the layers that were first added to this network."""
        owners = [(layer, layer._parent) for layer in self._tracked]
        return [layer.name for layer, owner in owners if owner is not None and owner() is self]

    def _set_scope(self, scope: Any = None) -> VariableScope:
        if self._scope is None:
            parent = self._parent() if self._parent is not None else None
            self._finalize_name(parent)
            outer = parent._set_scope() if parent is not None else self._outer
            taken = (f"{outer.name}/{self._name}" if outer.name else self._name) in self._scopes
            with variable_scope(outer), variable_scope(None, default_name=self._name) as captured:
                self._scope = captured
            if captured.name.split("/")[-1] != self._name or taken:
                self._scope = None
                raise ValueError(
                    f"A Network named '{self._name}' already exists (or a variable_scope was created with this name). "
                    "Names must be unique."
                )
            if parent is None and captured.name != self._name:
                self._name = captured.name
            for layer in self._tracked:
                if not isinstance(layer, Network) and layer._scope is None:
                    owner = layer._parent() if layer._parent is not None else None
                    if owner is None:
                        raise ValueError(
                            f"The parent of a Layer added to Network {self.name} was garbage collected before the "
                            "Layer was built."
                        )
                    # A layer that another network owns has its name there.
                    above = captured if owner is self else owner._set_scope()
                    if layer._scope is None:
                        with variable_scope(above), variable_scope(None, default_name=layer.name) as inner:
                            layer._scope = inner
        return self._scope

    def track_layer(self, layer: Layer) -> Layer:
        """Add a layer, and return it.

        Raises:
            RuntimeError: the network's ``__init__`` has not been called. TypeError: it is no layer. ValueError: another
                layer has its name.
        """
        if "_tracked" not in self.__dict__:
            raise RuntimeError("Need to call Network.__init__ before adding layers")
        if not isinstance(layer, Layer):
            raise TypeError(f"Network.track_layer() passed type {type(layer)}, not a tf.layers.Layer")
        if isinstance(layer, Network):
            layer._finalize_name(self)
        elif not layer.built and layer._parent is None:
            if layer._name != layer._base_name:  # the name was not chosen
                base = layer._base_name or snake_case(type(layer).__name__)
                layer._name = unique_name(base, self._named, set(self._names()), zero_based=True)
                layer._base_name = layer._name
            layer._parent = weakref.ref(self)
        if layer._parent is not None and layer._parent() is self and layer.name in self._names():
            if any(layer is known for known in self._tracked):
                return layer
            raise ValueError(f"Attempt to add two Layers with the name '{layer.name}' to the same Network.")
        self._tracked.append(layer)
        setattr(self, f"layer_{len(self._tracked) - 1}", layer)  # for checkpoints
        return layer

    @property
    def layers(self) -> list[Layer]:
        """The tracked layers, in the order in which they were added."""
        return list(self._tracked)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place.

        Raises:
            ValueError: there is none.
        """
        if index is not None:
            if name is not None:
                raise ValueError("Exactly one of 'index' or 'name' must be provided")
            if len(self._tracked) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(self._tracked)} layers."
                )
            return self._tracked[index]
        if not name:
            raise ValueError("Provide either a layer name or layer index.")
        for layer in self._tracked:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}")

    @property
    def weights(self) -> list[Variable]:
        """Those of the layers, in order."""
        return [weight for layer in self._tracked for weight in layer.weights]

    @property
    def trainable_weights(self) -> list[Variable]:
        """Those of the layers, in order."""
        return [weight for layer in self._tracked for weight in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Those of the layers, in order."""
        return [weight for layer in self._tracked for weight in layer.non_trainable_weights]

    @property
    def losses(self) -> Any:
        """Those of the layers."""
        return [loss for layer in self._tracked for loss in layer.losses]

    @property
    def trainable(self) -> bool:
        """True; set it on layers instead."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not value:
            raise AttributeError("cannot mark Network as not trainable")

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """As `Layer`'s; variables that a restored checkpoint has begin with its values."""
        if not self._hooks:
            return super().__call__(inputs, *args, **kwargs)
        with created_through(self._restore_created):
            return super().__call__(inputs, *args, **kwargs)

    def _restore_created(self, variable: Variable) -> None:
        for hook in self._hooks:  # the last checkpoint decides
            with outside():
                hook(variable)

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """What the network computes; a subclass defines it."""
        raise NotImplementedError("a Network defines the method `call`")


class Sequential(Network):
    """Layers or functions, each called with the result of the one before.

    Args:
        layers_funcs: the layers and functions.
        name: as for `Network`.

    Raises:
        TypeError: something else.
    """

    _untracked = ("_layers_funcs",)

    def __init__(self, layers_funcs: Sequence[Any] | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self._layers_funcs: list[Any] = []
        for layer in layers_funcs or ():
            self.add(layer)

    def add(self, layer_func: Any) -> None:
        """Append a layer or function."""
        if isinstance(layer_func, Layer):
            self.track_layer(layer_func)
        elif not callable(layer_func):
            raise TypeError(
                f"Sequential.add() takes only tf.layers.Layer objects or callables; not '{layer_func}' of type "
                f"'{type(layer_func)}'."
            )
        self._layers_funcs.append(layer_func)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """The result of the last; ``training`` is handed to those that have such an argument."""
        from ..tf1.keras.functional import parameters

        for layer in self._layers_funcs:
            takes = training is not None and "training" in parameters(layer)
            inputs = layer(inputs, training=training) if takes else layer(inputs)
        return inputs


def _stripped(network: Network) -> Callable[[str], str]:
    prefix = f"{network.scope_name}/"
    return lambda name: name.removeprefix(prefix)


def _path(network: Network, save_path: str) -> str:
    if os.path.isdir(save_path):
        return os.path.join(save_path, network.name.replace("/", "_"))
    return save_path


def _conflict(network: Network, map_func: Any, what: str, name: str, first: str, second: str) -> ValueError:
    """The error for two variables whose tensors would have one name."""
    if map_func is None:
        return ValueError(
            f"The default checkpoint variable name mapping strategy for Network '{network.name}' resulted in a naming "
            f"conflict: both '{first}' and '{second}' become '{name}'. Pass a map_func that keeps them apart."
        )
    return ValueError(
        f"The map_func passed to {what}_network_checkpoint for the Network '{network.name}' resulted in two variables "
        f"named '{name}' ('{first}' and '{second}')."
    )


def save_network_checkpoint(
    network: Network, save_path: str, global_step: Any = None, map_func: Callable[[str], str] | None = None
) -> str:
    """Save a network's variables by name.

    Args:
        network: it has been called.
        save_path: a prefix, or a directory, where the network's name is the prefix.
        global_step: for the end of the file's name; default: the global step, if there is one.
        map_func: from a variable's name, such as "net/dense/kernel", to that of its tensor; default: without the
            network's own name.
    Returns:
        The path of the file.
    Raises:
        ValueError: the network has no variables yet, or two would have the same name.
    """
    if not network.built:
        raise ValueError(
            "Attempt to save the Network before it was first called. This means variables have not yet been created, "
            "so there is nothing to save."
        )
    mapped = _stripped(network) if map_func is None else map_func
    named: dict[str, Variable] = {}
    for variable in network.variables:
        name = mapped(shared_name(variable))
        if named.setdefault(name, variable) is not variable:
            raise _conflict(network, map_func, "save", name, shared_name(named[name]), shared_name(variable))
    step = get_global_step() if global_step is None else global_step
    return Saver(named).save(None, _path(network, save_path), global_step=step)


def restore_network_checkpoint(network: Network, save_path: str, map_func: Callable[[str], str] | None = None) -> None:
    """Assign a network's variables from a checkpoint; those that do not exist yet get their values when they are made.

    Args:
        network: the network.
        save_path: what `save_network_checkpoint` returned.
        map_func: as for `save_network_checkpoint`.
    Raises:
        NotFoundError: there is no such file, or an existing variable is not in it.
        ValueError: two variables would have the same name.
    """
    network._set_scope()
    path = _path(network, save_path)
    if os.path.isdir(save_path) and existing_file(path) is None:
        path = newest(path) or path
    reader = load_checkpoint(path)
    mapped = _stripped(network) if map_func is None else map_func
    existing: dict[str, Variable] = {}
    for variable in network.variables:
        name = mapped(shared_name(variable))
        if existing.setdefault(name, variable) is not variable:
            raise _conflict(network, map_func, "restore", name, shared_name(existing[name]), shared_name(variable))
    if existing:
        restore_values(reader._file, existing)

    restored: dict[str, str] = {mapped(shared_name(variable)): shared_name(variable) for variable in existing.values()}

    def restore(variable: Variable) -> None:
        own = shared_name(variable)
        name = mapped(own)
        if reader.has_tensor(name):
            if restored.setdefault(name, own) != own:
                raise _conflict(network, map_func, "restore", name, restored[name], own)
            restore_values(reader._file, {name: variable})

    pending = [network]
    for each in pending:  # it grows: also for calls of a network inside alone
        each._hooks.append(restore)
        pending += [layer for layer in each.layers if isinstance(layer, Network)]
