"""Calling a module with other values in the place of its variables."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

from ..dispatch.convert import asarray
from ..errors import ShapeError, UnknownNameError
from ..random import Generator
from ..state.trackable import Trackable
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable
from .walking import walk

__all__ = ["with_values"]


M = TypeVar("M", bound=Trackable)


def with_values(module: M, variables: Mapping[str, Variable], values: Mapping[str, Any]) -> M:
    """A copy of a module that shares its ``variables``, but has ``values`` in the place of those with these names."""
    memo: dict[int, Any] = {id(variable): variable for variable in variables.values()}
    # A copied generator would draw the same numbers at each call.
    memo.update({id(value): value for _, _, value in walk(module) if isinstance(value, Generator)})
    for name, value in values.items():
        variable = variables.get(name)
        if variable is None:
            raise UnknownNameError(
                f"{type(module).__name__} has no variable {name!r}.",
                expected=", ".join(list(variables)[:20]) or "no values: the module has no variables yet",
                got=repr(name),
                fix="pass names of module.named_variables; weights exist after the first call, or after build",
            )
        tensor = value if isinstance(value, Tensor) else asarray(value, None, variable.device)
        if tensor.shape != variable.shape:
            raise ShapeError(
                f"a value does not fit the variable {name!r}.",
                expected=f"shape {variable.shape}",
                got=describe(tensor),
                fix="pass a tensor of the variable's shape; polytape.vmap maps over a stack of them",
            )
        memo[id(variable)] = tensor
    return copy.deepcopy(module, memo)
