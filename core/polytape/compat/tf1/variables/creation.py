"""TensorFlow 1.7's name for variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from ....errors import PolytapeError
from ....nn.building import outside
from ....tensors import variable
from ...mode import building, dress
from ...op_errors import translated
from ..graph.members import dress_variables
from ..graph.variables import create as create_in_graph
from .collections import GraphKeys, add_to_collection
from .members import add_members, set_constraint
from .names import scoped_name

__all__ = ["Variable", "create", "created_through"]

Hook = Callable[[variable.Variable], None]
# Called with each new variable, such as by restore_variables_on_create.
_hooks: Final[ContextVar[tuple[Hook, ...]]] = ContextVar("polytape.compat.tf1.created", default=())


def create(
    initial_value: Any,
    trainable: bool = True,
    *,
    name: str | None = None,
    dtype: Any = None,
    constraint: Callable[[Any], Any] | None = None,
    collections: Any = None,
) -> variable.Variable:
    """A new variable; see `Variable`."""
    if initial_value is None:
        raise ValueError("initial_value must be specified.")  # TensorFlow's message
    if building():
        dress()  # before the members of variables, which take the place of some that tensors get
    add_members()
    if building():
        created = _of_graph(initial_value, trainable, name, dtype, collections)
    else:
        created = _eager(initial_value, name, dtype)
    if not trainable:
        created.trainable = False
    if constraint is not None:
        set_constraint(created, constraint)
    for hook in _hooks.get():
        hook(created)
    return created


def _of_graph(initial_value: Any, trainable: bool, name: str | None, dtype: Any, collections: Any) -> variable.Variable:
    dress_variables()
    created = create_in_graph(initial_value, trainable, name, dtype)
    keys = [GraphKeys.GLOBAL_VARIABLES] if collections is None else list(collections)
    if trainable and GraphKeys.TRAINABLE_VARIABLES not in keys:
        keys.append(GraphKeys.TRAINABLE_VARIABLES)
    for key in keys:
        add_to_collection(key, created)
    return created


def _eager(initial_value: Any, name: str | None, dtype: Any) -> variable.Variable:
    try:
        with outside():  # as TensorFlow's init_scope: the value is neither recorded nor traced
            value = initial_value() if callable(initial_value) else initial_value
            return variable.Variable(value, None, scoped_name(name or "Variable"), dtype)
    except PolytapeError as error:
        raise translated(error).with_traceback(None) from None


class _Facade(type):
    """Metaclass with which `Variable` creates polytape's own variables and accepts them in isinstance()."""

    def __call__(
        cls,
        initial_value: Any = None,
        trainable: bool = True,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        dtype: Any = None,
        variable_def: Any = None,
        import_scope: str | None = None,
        constraint: Callable[[Any], Any] | None = None,
    ) -> variable.Variable:
        return create(initial_value, trainable, name=name, dtype=dtype, constraint=constraint, collections=collections)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, variable.Variable)


class Variable(metaclass=_Facade):
    """``Variable(initial_value, trainable=True, name=None, dtype=None)`` creates a `polytape.Variable`.

    Args:
        initial_value: the value, or a function that returns it.
        trainable: whether tapes watch it by themselves.
        name: the name is this, behind the current name scope's, and ``:0``; default: "Variable". It need not be unique.
        dtype: of the variable; default: that of the value.
        constraint: ``value -> value``; optimizers of `polytape.compat.tf1.train` assign its result after each step.
        collections: the keys of a graph's collections that list it; default: ``GraphKeys.GLOBAL_VARIABLES``.
        validate_shape, caching_device, variable_def, import_scope: accepted for compatibility with
            TensorFlow, and ignored.

    Raises:
        ValueError: there is no initial value.

    This class has no instances of its own.
    """


@contextmanager
def created_through(hook: Hook) -> Iterator[None]:
    """A context manager: inside, ``hook`` is called with each variable that `Variable` or `get_variable` creates."""
    token = _hooks.set((*_hooks.get(), hook))
    try:
        yield
    finally:
        _hooks.reset(token)
