"""Templates: functions that own the variables that `get_variable` makes in them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ....state.trackable import Trackable
from ....tensors.variable import Variable
from ...mode import building
from .scopes import get_variable_scope, variable_scope
from .stores import VariableStore, with_store

__all__ = ["Template", "make_template"]


class Template(Trackable):
    """A function that makes its variables at its first call and uses them at later ones; a checkpoint saves them.

    `make_template` makes one.

    Attributes:
        variables: by name order of creation.
    """

    _untracked = ("_function", "_scope", "_store")

    def __init__(
        self, name: str, function: Callable[..., Any], create_scope_now: bool, unique_name: str | None
    ) -> None:
        self._name, self._unique_name, self._function = name, unique_name, function
        self._store = VariableStore(keeps=True)
        self._by_name: dict[str, Variable] = self._store.variables
        self._scope: Any = None
        self._called = False
        if create_scope_now:
            self._capture()

    def _capture(self) -> Any:
        if self._scope is None:
            with variable_scope(self._unique_name, self._name) as scope:
                self._scope = scope
        return self._scope

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's result. From the second call on, it uses the variables of the first.

        Raises:
            ValueError: a later call makes a variable that the first did not.
        """
        known = set(self._store.variables)
        if building() and self._scope is None:
            opened = variable_scope(self._unique_name, self._name)  # the first call is inside of it, as in TensorFlow
        else:
            opened = variable_scope(self._capture())
        self._store.counts.clear()  # layers of a later call get the names of the first
        with opened as scope, with_store(self._store):
            self._scope = self._scope or scope
            result = self._function(*args, **kwargs)
        new = sorted(set(self._store.variables) - known)
        if self._called and new and any(self._store.variables[name].trainable for name in new):
            raise ValueError(
                "New variable(s) created when a template was called the second time, perhaps you used tf.Variable "
                f"when you meant tf.get_variable: {new}"
            )
        self._called = True
        return result

    @property
    def name(self) -> str:
        """As passed to `make_template`."""
        return self._name

    @property
    def variable_scope(self) -> Any:
        """The scope of its variables, or None before it exists."""
        return self._scope

    @property
    def variables(self) -> list[Variable]:
        """The variables that its calls made."""
        return list(self._store.variables.values())

    global_variables = variables

    @property
    def trainable_variables(self) -> list[Variable]:
        """Those of `variables` that are trained."""
        return [variable for variable in self.variables if variable.trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """Those of `variables` that are not trained."""
        return [variable for variable in self.variables if not variable.trainable]


def make_template(
    name_: str,
    func_: Callable[..., Any],
    create_scope_now_: bool = False,
    unique_name_: str | None = None,
    custom_getter_: Any = None,
    **kwargs: Any,
) -> Template:
    """A function that shares its variables between calls.

    Args:
        name_: the scope's name, made unique by a number.
        func_: the function; its variables come from `get_variable`.
        create_scope_now_: whether the scope is opened now, and not at the first call.
        unique_name_: a name that is not made unique.
        custom_getter_: the scope's.
        kwargs: arguments of ``func_``.
    """
    function = functools.partial(func_, **kwargs) if kwargs else func_
    if custom_getter_ is not None:
        inner = function

        def function(*args: Any, **options: Any) -> Any:
            with variable_scope(get_variable_scope(), custom_getter=custom_getter_):
                return inner(*args, **options)

    return Template(name_, function, create_scope_now_, unique_name_)
