"""Layer: base class of TensorFlow's layers and models, a `polytape.nn.Module` with names and lists of weights."""

from __future__ import annotations

import contextlib
import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from .... import dtypes
from ....errors import PolytapeError
from ....nn.building import outside
from ....placement.default_backend import device as on_device
from ....tensors.tensor import Tensor
from ....tensors.variable import Variable
from ...mode import building
from ...op_errors import translated
from ..graph.recording import call_or_record
from ..graph.tensors import GraphTensor
from ..shapes import TensorShape
from ..variables.collections import GraphKeys, add_to_collection
from ..variables.names import name_scope
from ..variables.scopes import VariableScope, get_variable, variable_scope
from .graph_calls import call_in_graph, is_own
from .graph_only import GraphOnly
from .naming import snake_case, unique_name
from .specs import InputSpec, check_input
from .symbols import Symbolic, as_tensor, flattened, mapped
from .weights import Weights

__all__ = ["Layer"]

_OPTIONS = (
    "_reuse",
    "_scope",
    "batch_input_shape",
    "batch_size",
    "input_dim",
    "input_shape",
    "input_length",
    "weights",
)


class Layer(GraphOnly, Weights):
    """An object with weights that is called. A subclass defines `build`, which makes weights, and `call`.

    Args:
        trainable: whether the weights are among `trainable_weights`.
        name: default: the class's name in lower case and a number.
        dtype: of the weights; default: the first input's.
        activity_regularizer: None: losses of outputs do not exist in eager mode.
        kwargs: ``input_shape``, ``batch_input_shape``, ``input_dim``: the input's shape, so that `Sequential` makes the
            weights at once; ``weights``: NumPy arrays for `set_weights` after `build`.

    Attributes:
        name: unique in the process if it was not given.
        trainable, dtype, input_spec: as passed.
        built: whether the weights exist.

    Raises:
        TypeError: another keyword argument. ValueError: at the call, if the input is not as `input_spec` says.
    """

    _untracked: ClassVar[Any] = (
        "_losses", "_made", "_non_trainable_weights", "_parent", "_scope", "_trainable_weights", "_updates",
        "inbound_nodes", "input_spec",
    )  # fmt: skip
    _name: str | None = None
    _base_name: str | None = None
    _scope: VariableScope | None = None
    _given_scope: Any = None
    _reuse: Any = None
    _dtype: Any = None
    _initial: Any = None
    _parent: Any = None  # of a layer that a tfe.Network tracks: a weak reference to it
    activity_regularizer: Any = None
    _declared_shape: tuple[int | None, ...] | None = None
    input_spec: Any = None
    stateful: bool = False
    supports_masking: bool = False
    has_inner: ClassVar[bool] = False  # whether a call calls other layers, or functions of the program
    # Whether a call after the first needs no name scopes, because it makes no variables.
    _quick: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        build = vars(cls).get("build")
        super().__init_subclass__(**options)
        if build is not None:
            # As it is: it gets a TensorShape, and may run more than once.
            setattr(cls, "build", build)  # noqa: B010  # mypy rejects an assignment

    def __init__(
        self,
        trainable: bool = True,
        name: Any = None,
        dtype: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        for key in kwargs:
            if key not in _OPTIONS:
                raise TypeError("Keyword argument not understood:", key)  # as TensorFlow's, of two arguments
        self.built = False
        self._trainable = trainable
        self.activity_regularizer = activity_regularizer
        self._dtype = None if dtype is None else dtypes.lookup(dtype)
        self._set_name(name)
        self._given_scope, self._reuse = kwargs.get("_scope"), kwargs.get("_reuse")
        self._initial = kwargs.get("weights")
        self._declare(kwargs)

    def _set_name(self, name: Any) -> None:
        if isinstance(name, VariableScope):
            name = name.name
        self._base_name = name or snake_case(type(self).__name__)
        self._name = name or unique_name(self._base_name)

    def _declare(self, kwargs: dict[str, Any]) -> None:
        shape = kwargs.get("input_shape")
        if kwargs.get("input_dim") is not None and shape is None:
            length = kwargs.get("input_length")
            shape = (kwargs["input_dim"],) if "input_length" not in kwargs else (length, kwargs["input_dim"])
        batch = kwargs.get("batch_input_shape")
        if batch is not None:
            self._declared_shape = tuple(batch)
        elif shape is not None:
            sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
            self._declared_shape = (kwargs.get("batch_size"), *sizes)

    # --- what it is -------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The layer's name."""
        return self._name or snake_case(type(self).__name__)

    @property
    def dtype(self) -> Any:
        """The dtype of the weights; None before the first call if none was passed."""
        return self._dtype

    @property
    def scope_name(self) -> str:
        """The name of the variable scope.

        Raises:
            ValueError: the layer has not been called.
        """
        if self._scope is None:
            raise ValueError(
                f'No name available for layer scope because the layer "{self.name}" has not been used yet. The scope '
                "name is determined the first time the layer instance is called."
            )
        return self._scope.name

    @property
    def trainable(self) -> bool:
        """Whether `trainable_weights` lists weights."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    # --- weights ----------------------------------------------------------------------------------------------------

    def add_weight(  # type: ignore[override]  # TensorFlow's arguments
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Callable[[Any], Any] | None = None,
        trainable: bool = True,
        constraint: Callable[[Any], Any] | None = None,
        **ignored: Any,
    ) -> Variable:
        """Make a weight.

        Args:
            name: behind the scope's name. It becomes an attribute too, unless there is one, for checkpoints.
            shape: of the weight.
            dtype: default: the layer's, float32.
            initializer: as for `tf.get_variable`, or the name of one of `tf.keras.initializers`.
            regularizer: ``weight -> loss``; see `losses`.
            trainable: whether it is among `trainable_weights`.
            constraint: ``weight -> weight``, applied by the optimizers of `polytape.compat.tf1.train`.
            ignored: other arguments of TensorFlow.
        """
        from ..keras import constraints, initializers, regularizers

        if isinstance(shape, (int, np.integer)):
            shape = (shape,)
        regularizer = regularizers.get(regularizer)
        with self._inside():
            variable = get_variable(
                name,
                shape=shape,
                dtype=dtype or self._dtype or dtypes.float32,
                initializer=initializers.get(initializer),
                regularizer=_none,
                trainable=trainable and self.trainable,
                constraint=constraints.get(constraint),
            )
        known = [*self._list("_trainable_weights"), *self._list("_non_trainable_weights")]
        if all(variable is not other for other in known):
            self._list("_trainable_weights" if trainable else "_non_trainable_weights").append(variable)
            if regularizer is not None:
                self._add_regularization(regularizer, variable)
        attribute = self._attribute_of(name)
        if getattr(type(self), attribute, None) is None and self.__dict__.get(attribute) is None:
            with outside():  # a restore that waits for the weight reads a file
                setattr(self, attribute, variable)
        return variable

    def _add_regularization(self, regularizer: Callable[[Any], Any], variable: Variable) -> None:
        if building():
            loss = call_or_record(regularizer, variable)
            add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
            self._list("_losses").append(lambda: loss)
        else:
            self._list("_losses").append(lambda: regularizer(variable))

    def _attribute_of(self, name: str) -> str:
        return name

    add_variable = add_weight

    # --- calling ------------------------------------------------------------------------------------------------------

    def _set_scope(self, scope: Any = None) -> VariableScope:
        if self._scope is None:
            chosen = self._given_scope if scope is None else scope
            default = self._base_name or snake_case(type(self).__name__)
            with variable_scope(chosen, default_name=default, reuse=self._reuse) as captured:
                self._scope = captured
        return self._scope

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        with (
            variable_scope(self._set_scope(), auxiliary_name_scope=False) as scope,
            name_scope(scope.original_name_scope),
        ):
            yield

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Make the weights if they do not exist yet, then run `call`.

        Args:
            inputs: a tensor, or several in a list, tuple or dict.
            args, kwargs: more arguments of `call`.
        Raises:
            ValueError: ``inputs`` are not as `input_spec` says, or `call` returns None.
        """
        inputs = mapped(as_tensor, inputs)
        leaves = flattened(inputs)
        if leaves and isinstance(leaves[0], Symbolic):
            return _functional().record(self, inputs, args, kwargs)
        try:
            if self.built and self._quick and not building():
                return self.call(inputs, *args, **kwargs)
            self._set_scope(kwargs.pop("scope", None))
            with self._inside():
                if not self.built:
                    self._first_build(inputs, leaves)
                if building() and is_own(self):
                    outputs = call_in_graph(self, inputs, args, kwargs)
                else:
                    outputs = self.call(inputs, *args, **kwargs)
        except PolytapeError as error:
            raise translated(error).with_traceback(None) from None
        if outputs is None:
            raise ValueError("A layer's `call` method should return a Tensor or a list of Tensors, not None.")
        self.built = True
        return outputs

    def updates_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Variable]:
        """The variables that a call with these arguments assigns."""
        return []

    def _first_build(self, inputs: Any, leaves: list[Any]) -> None:
        specs = self.input_spec if isinstance(self.input_spec, (list, tuple)) else [self.input_spec]
        for number, (spec, x) in enumerate(zip(specs, leaves, strict=False)):
            if isinstance(spec, InputSpec):
                check_input(spec, x, number, self.name)
        if self.activity_regularizer is not None:
            raise ValueError(
                "activity_regularizer currently unsupported with eager execution enabled. Found an "
                f"activity_regularizer in {type(self).__name__}({self!r})."
            )
        types = [
            x.tensor_type if isinstance(x, GraphTensor) else x.type
            for x in leaves
            if isinstance(x, (GraphTensor, Tensor))
        ]
        if self._dtype is None and types:
            # Weights of an integer input, such as indices, are floating.
            self._dtype = types[0].dtype if types[0].category >= dtypes.FLOATING else None
        with outside(), on_device(types[0].device) if types else contextlib.nullcontext():
            self.build(mapped(lambda x: TensorShape(x.shape), inputs))
        self.built = True
        if self._initial is not None:
            self.set_weights(self._initial)
            self._initial = None

    def build(self, input_shape: Any) -> None:
        """Make the weights.

        Args:
            input_shape: a TensorShape, or a structure of them as that of the inputs.
        """
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes; a subclass defines ``call(self, inputs, ...)``."""
        return args[0]

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """As the call."""
        return self(inputs, *args, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result for an input of this shape; unknown sizes stay unknown.

        The layer is called with zeros, which makes its weights.
        """
        return _functional().output_shape(self, input_shape)


# The base class has wrapped it, so that it would also build the layers inside, by tracing a call.
setattr(Layer, "build", inspect.unwrap(Layer.build))  # noqa: B010  # mypy rejects an assignment


def _functional() -> Any:
    """The module of symbolic calls, which imports this one; it loads with the first symbolic call."""
    return importlib.import_module("polytape.compat.tf1.keras.functional")


def _none(weight: Any) -> None:
    """No loss for the collection: the layer has its own list."""
