"""Which variables have values in a session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....dispatch.convert import asarray
from ....tensors.variable import Variable
from ...mode import building
from ..dtypes import bool as bool_dtype, string
from ..errors import FailedPreconditionError
from .initializing import global_variables, local_variables
from .python_functions import python_operation
from .variables import graph_variable

__all__ = ["assert_variables_initialized", "is_variable_initialized", "report_uninitialized_variables"]


def is_variable_initialized(variable: Variable) -> Any:
    """bool[]: whether a variable has a value; in eager mode it always has."""
    if not building():
        return asarray(True)
    label = "IsVariableInitialized"
    found = python_operation(label, label, [], bool_dtype, lambda *_: [asarray(_has_value(variable))])
    found.set_shape([])
    return found


def report_uninitialized_variables(
    var_list: Sequence[Variable] | None = None, name: str = "report_uninitialized_variables"
) -> Any:
    """string[n]: the names of the variables that have no value; in eager mode an empty list.

    Args:
        var_list: default: the global and local variables of the graph.
        name: of the operation.
    """
    variables = _chosen(var_list)

    def names(*_: Any) -> list[Any]:
        missing = [_name(variable).encode() for variable in variables if not _has_value(variable)]
        return [np.asarray(missing, object)]

    return python_operation("Report", name, [], string, names) if building() else []


def assert_variables_initialized(var_list: Sequence[Variable] | None = None) -> Any:
    """An operation that raises FailedPreconditionError if a variable has no value; None in eager mode."""
    variables = _chosen(var_list)

    def check(*_: Any) -> list[Any]:
        for variable in variables:
            if not _has_value(variable):
                raise FailedPreconditionError(None, None, f"Attempting to use uninitialized value {_name(variable)}")
        return []

    return python_operation("Assert", "AssertInitialized", [], None, check) if building() and variables else None


def _chosen(var_list: Sequence[Variable] | None) -> list[Variable]:
    return [*global_variables(), *local_variables()] if var_list is None else list(var_list)


def _has_value(variable: Variable) -> bool:
    found = graph_variable(variable)
    return found is None or variable.array is not found.symbol


def _name(variable: Variable) -> str:
    return variable.name.removesuffix(":0")
