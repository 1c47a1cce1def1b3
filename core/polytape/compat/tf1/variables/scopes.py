"""Variable scopes: names and defaults of the variables that `get_variable` makes inside."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from .... import dtypes
from ....dispatch.convert import asarray
from ....errors import PolytapeError
from ....nn import initializers
from ....tensors.variable import Variable
from ...mode import building
from ...op_errors import translated
from ..dtypes import tensor_dtype
from ..graph.graphs import get_default_graph
from ..graph.recording import call_or_record
from ..graph.variables import graph_variable
from .collections import GraphKeys, add_to_collection
from .creation import create
from .names import current_name_scope, name_scope
from .stores import AUTO_REUSE, VariableStore, current_store, graph_store

__all__ = ["VariableScope", "get_local_variable", "get_variable", "get_variable_scope", "variable_scope"]

Getter = Callable[..., Any]
_DEFAULTS: Final = ("initializer", "regularizer", "custom_getter", "dtype", "constraint")


class VariableScope:
    """The name, and the defaults of `get_variable`'s arguments.

    Attributes:
        name: the first parts of variables' names, without a slash at the end.
        original_name_scope: the name scope that was opened together with it.
        reuse: whether `get_variable` finds variables of a graph; in eager mode `AUTO_REUSE`: the store decides.
        initializer, regularizer, custom_getter, dtype, constraint: the defaults.
    """

    def __init__(self, name: str = "", name_scope: str = "", **defaults: Any) -> None:
        self.name = name
        self.original_name_scope = name_scope
        self.reuse: Any = AUTO_REUSE
        for key in _DEFAULTS:
            setattr(self, key, defaults.get(key))
        if self.dtype is None:
            self.dtype = dtypes.float32

    initializer: Any
    regularizer: Any
    custom_getter: Getter | None
    dtype: Any
    constraint: Any

    def __repr__(self) -> str:
        return f"VariableScope({self.name!r})"

    def reuse_variables(self) -> None:
        """From here on, `get_variable` finds the variables of a graph. In eager mode the store decides."""
        self.reuse = True if building() else self.reuse

    def set_initializer(self, initializer: Any) -> None:
        """Set the default initializer."""
        self.initializer = initializer

    def set_regularizer(self, regularizer: Any) -> None:
        """Set the default regularizer."""
        self.regularizer = regularizer

    def inside(self, name: str, name_scope: str, overrides: dict[str, Any]) -> VariableScope:
        """A scope with these defaults, except those that are not None in ``overrides``."""
        defaults = {key: getattr(self, key) for key in _DEFAULTS}
        given = {key: value for key, value in overrides.items() if value is not None}
        if "custom_getter" in given and defaults["custom_getter"] is not None:
            given["custom_getter"] = _both(given["custom_getter"], defaults["custom_getter"])
        return VariableScope(name, name_scope, **(defaults | given))


_scope: Final[ContextVar[VariableScope | None]] = ContextVar("polytape.compat.tf1.variable_scope", default=None)
_outermost: list[VariableScope] = []
_KEY: Final = "variable_scope"  # of a graph's state that is its innermost scope


def get_variable_scope() -> VariableScope:
    """The innermost variable scope; outside of all, one without a name."""
    if building():
        states = get_default_graph().states
        inside = states.get(_KEY)
        if inside is None:
            inside = states[_KEY] = VariableScope()
            inside.reuse = False
        return inside
    scope = _scope.get()
    if scope is None:
        if not _outermost:
            _outermost.append(VariableScope())
        return _outermost[0]
    return scope


def _entered(scope: VariableScope) -> Callable[[], None]:
    """Make a scope the innermost one; returns what ends that."""
    if not building():
        token = _scope.set(scope)
        return lambda: _scope.reset(token)
    states = get_default_graph().states
    before = states.get(_KEY)
    states[_KEY] = scope
    return lambda: states.update({_KEY: before})


class variable_scope:  # TensorFlow's name
    """A context manager: variables that `get_variable` makes inside have this scope's name and defaults.

    Args:
        name_or_scope: the name, below the current scope's; or a `VariableScope` to enter again.
        default_name: the name if ``name_or_scope`` is None, made unique by a number.
        initializer, regularizer, custom_getter, dtype, constraint: defaults inside; None keeps the current ones.
        reuse: in a graph, True: variables have to exist, False or None: they must not, unless an outer scope says
            otherwise, `AUTO_REUSE`: they are made if they do not exist. In eager mode it has no effect: inside an
            `EagerVariableStore` variables are reused, elsewhere they are made anew.
        auxiliary_name_scope: whether to open a name scope of this name as well.
        values, caching_device, partitioner, use_resource: accepted for compatibility with TensorFlow, and ignored.

    Raises:
        ValueError: neither name is given, or ``reuse`` has another value. TypeError: the name is no str.
    """

    def __init__(
        self,
        name_or_scope: str | VariableScope | None,
        default_name: str | None = None,
        values: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Getter | None = None,
        reuse: Any = None,
        dtype: Any = None,
        use_resource: Any = None,
        constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ) -> None:
        if name_or_scope is None and default_name is None:
            raise ValueError("If default_name is None then name_or_scope is required")
        if reuse not in (True, False, None, AUTO_REUSE):
            raise ValueError("The reuse parameter must be True or False or None.")
        if name_or_scope is None and reuse is True:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        if not isinstance(name_or_scope, (str, VariableScope, type(None))):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        self._name_or_scope = name_or_scope
        self._default_name = default_name or ""
        self._auxiliary, self._reuse = auxiliary_name_scope, reuse
        self._overrides = {
            "initializer": initializer, "regularizer": regularizer, "custom_getter": custom_getter,
            "dtype": dtype, "constraint": constraint,
        }  # fmt: skip
        self._open: list[Callable[[], None]] = []

    def __enter__(self) -> VariableScope:
        store, outer, chosen = current_store(), get_variable_scope(), self._name_or_scope
        if isinstance(chosen, VariableScope):
            part = chosen.name.split("/")[-1]
        else:
            part = store.unique_name(outer.name, self._default_name) if chosen is None else chosen
        # The name scope of a default name is not made unique here: in eager mode no name scope is; a graph does it.
        opened = self._default_name if chosen is None else part
        names = name_scope(opened if self._auxiliary else current_name_scope() or None)
        entered = names.__enter__()
        if isinstance(chosen, VariableScope):
            scope = chosen.inside(chosen.name, chosen.original_name_scope, self._overrides)
        else:
            name = f"{outer.name}/{part}" if outer.name else part
            scope = outer.inside(name, entered, self._overrides)
        if building():
            scope.reuse = self._reuse or (chosen.reuse if isinstance(chosen, VariableScope) else outer.reuse)
        store.open_scope(scope.name)
        counts = dict(store.counts)
        leave_scope = _entered(scope)

        def leave() -> None:
            leave_scope()
            if isinstance(chosen, VariableScope):
                store.counts = counts
            else:
                store.close_subscopes(scope.name)
            names.__exit__()

        self._open.append(leave)
        return scope

    def __exit__(self, *exc_info: object) -> None:
        self._open.pop()()


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: Any = None,
    custom_getter: Getter | None = None,
    constraint: Any = None,
) -> Variable:
    """The variable of this name in the current scope: a new one, or the one that the graph or the store has.

    In a graph the scope's ``reuse`` says which; in eager mode, an `EagerVariableStore` has variables.

    Args:
        name: behind the scope's name.
        shape: needed unless ``initializer`` is a value.
        dtype: default: the scope's, float32.
        initializer: ``(shape, dtype) -> value``, a class of such, or the value; default: the scope's, or Glorot's
            uniform one (zeros for integers).
        regularizer: ``variable -> loss``; its loss at this time is added to ``GraphKeys.REGULARIZATION_LOSSES``.
        trainable: whether tapes watch it.
        custom_getter: called as ``custom_getter(getter, name, ...)`` in place of the getter.
        constraint: as for `tf.Variable`.
        collections: as for `tf.Variable`.
        caching_device, partitioner, validate_shape, use_resource: accepted for compatibility, and ignored.
    Raises:
        ValueError: ``reuse`` forbids to make it, or to find it; there is no shape, it is given besides a value, or it
            or the dtype differ from the variable's that the store has.
    """
    scope = get_variable_scope()
    getter = scope.custom_getter if custom_getter is None else custom_getter
    options = {
        "shape": shape, "dtype": scope.dtype if dtype is None else dtype,
        "initializer": scope.initializer if initializer is None else initializer,
        "regularizer": scope.regularizer if regularizer is None else regularizer,
        "trainable": trainable, "collections": collections,
        "constraint": scope.constraint if constraint is None else constraint,
    }  # fmt: skip
    full_name = f"{scope.name}/{name}" if scope.name else name
    with name_scope(None):  # variables' names do not depend on name scopes
        if getter is None:
            return _from_store(full_name, **options)
        variable: Variable = getter(_from_store, full_name, **options)
        return variable


def get_local_variable(*args: Any, **kwargs: Any) -> Variable:
    """As `get_variable`, with ``trainable=False``, and in a graph in ``GraphKeys.LOCAL_VARIABLES``."""
    keys = [*(kwargs.pop("collections", None) or ()), GraphKeys.LOCAL_VARIABLES]
    return get_variable(*args, **{**kwargs, "trainable": False, "collections": keys})


def _from_store(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    constraint: Any = None,
    collections: Any = None,
    **ignored: Any,
) -> Variable:
    store = current_store()
    wanted = dtypes.lookup(dtypes.float32 if dtype is None else dtype)
    sizes = None if shape is None else _sizes(shape)
    found = store.variables.get(name)
    if building() and store is graph_store():
        _check_reuse(name, found)
    if found is not None:
        return _compatible(found, name, sizes, wanted)
    value, given = _initial(initializer, name, sizes, wanted)
    variable = create(
        value, trainable, name=name, dtype=None if given else wanted, constraint=constraint, collections=collections
    )
    _keep(store, name, variable)
    if regularizer is not None:
        loss = call_or_record(regularizer, variable)
        if loss is not None:
            add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
    return variable


def _check_reuse(name: str, found: Variable | None) -> None:
    reuse = get_variable_scope().reuse
    if found is not None and not reuse:
        raise ValueError(
            f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in "
            f"VarScope? Originally defined at:\n\n{_origin(found)}"
        )
    if found is None and reuse is True:
        raise ValueError(
            f"Variable {name} does not exist, or was not created with tf.get_variable(). Did you mean to set "
            "reuse=tf.AUTO_REUSE in VarScope?"
        )


def _origin(variable: Variable) -> str:
    known = graph_variable(variable)
    return "" if known is None else f'  File "{known.line[0]}", line {known.line[1]}'


def _keep(store: VariableStore, name: str, variable: Variable) -> None:
    if store.keeps:
        store.variables[name] = variable


def _compatible(found: Variable, name: str, sizes: Any, dtype: Any) -> Variable:
    if sizes is not None and sizes != found.shape:
        raise ValueError(f"Trying to share variable {name}, but specified shape {sizes} and found shape {found.shape}.")
    if dtype != found.dtype:
        raise ValueError(f"Trying to share variable {name}, but specified dtype {dtype} and found dtype {found.dtype}.")
    return found


def _initial(initializer: Any, name: str, sizes: tuple[int, ...] | None, dtype: Any) -> tuple[Any, bool]:
    """The initial value, or a function that returns it, and whether it was given as a value."""
    if initializer is not None and not callable(initializer):
        if sizes is not None:
            raise ValueError("If initializer is a constant, do not specify shape.")
        return initializer, True
    if sizes is None:
        raise ValueError(f"Shape of a new variable ({name}) must be fully defined, but instead was <unknown>.")
    if initializer is None:
        floating = dtypes.category(dtype) >= dtypes.FLOATING
        initializer = initializers.GlorotUniform() if floating else initializers.Zeros()
    return functools.partial(initial_value, initializer, sizes, dtype), False


def initial_value(initializer: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """What an initializer gives: TensorFlow's take ``dtype=``, so do polytape's; others take the shape alone."""
    if isinstance(initializer, type):
        initializer = initializer()
    if building():
        return call_or_record(initializer, shape, dtype=tensor_dtype(dtype))
    try:
        return asarray(initializer(shape, dtype=dtype), dtype)
    except PolytapeError as error:
        raise translated(error).with_traceback(None) from None


def _sizes(shape: Any) -> tuple[int, ...]:
    try:
        return (shape.__index__(),) if hasattr(shape, "__index__") else tuple([int(size) for size in shape])
    except TypeError:
        raise ValueError(f"Shape of a new variable must be fully defined, but instead was {shape}.") from None


def _both(inner: Getter, outer: Getter) -> Getter:
    """``inner`` around ``outer`` around the getter, as nested scopes call their getters."""

    def getter(true_getter: Getter, *args: Any, **kwargs: Any) -> Any:
        return inner(functools.partial(outer, true_getter), *args, **kwargs)

    return getter
