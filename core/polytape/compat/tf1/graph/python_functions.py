"""`tf.py_func` and `tfe.py_func` in a graph: operations that call a Python function in each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final

import numpy as np

import polytape as pt
from polytape import Tensor

from ...mode import dress
from .. import errors
from ..adapters import control as adapters
from ..convert import tensor
from ..dtypes import DType, as_dtype, string
from ..shapes import TensorShape
from .arrays import type_for
from .graphs import get_default_graph
from .kinds import Kind, StringTensor, added
from .operations import Operation
from .recording import named
from .variables import constant

__all__ = ["Print", "eager_py_func", "kind_for", "py_func", "python_operation"]

_numbers: Final = count()
# What an exception of the function becomes, as in TensorFlow. The first that fits applies.
KINDS: Final[tuple[tuple[type[BaseException], type[errors.OpError]], ...]] = (
    (errors.OpError, errors.OpError),
    (TypeError, errors.InvalidArgumentError),
    (ValueError, errors.InvalidArgumentError),
    (StopIteration, errors.OutOfRangeError),
    (MemoryError, errors.ResourceExhaustedError),
    (NotImplementedError, errors.UnimplementedError),
)
NAMES: Final = {"float32": "float", "float64": "double", "float16": "half"}


def py_func(func: Callable[..., Any], inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    """An operation that calls ``func`` with NumPy arrays; see `polytape.compat.tf1.adapters.control.py_func`.

    Raises in a run:
        InvalidArgumentError: the function returns another number of results, or other dtypes, than ``Tout`` says.
        UnknownError and others: the function raises an exception.
    """
    token = f"pyfunc_{next(_numbers)}"

    def call(values: list[Any], wanted: list[DType]) -> list[Any]:
        results = _called(func, [_array(x) for x in values])
        if len(results) != len(wanted):
            raise errors.InvalidArgumentError(
                None, None, f"{token} returns {len(results)} values, but expects to see {len(wanted)} values."
            )
        pairs = zip(results, wanted, strict=True)
        return [
            _checked(result, dtype, f"{place}-th value returned by {token}")
            for place, (result, dtype) in enumerate(pairs)
        ]

    return python_operation("PyFunc", name, inp, Tout, call)


def eager_py_func(func: Callable[..., Any], inp: Any, Tout: Any, name: str | None = None) -> Any:
    """An operation that calls ``func`` with eager tensors; `tf.gradients` differentiates what it computes.

    Raises in a run:
        InvalidArgumentError: the function returns another number of results, or other dtypes, than ``Tout`` says.
        UnknownError and others: the function raises an exception.
    """
    dress()

    def call(values: list[Any], wanted: list[DType]) -> list[Any]:
        results = _called(func, values)
        if not wanted:
            return []
        if len(results) != len(wanted):
            raise errors.InvalidArgumentError(
                None, None, f"py_func: the function returns {len(results)} values, but Tout has {len(wanted)}."
            )
        return [tensor(result, dtype) for result, dtype in zip(results, wanted, strict=True)]

    return python_operation("EagerPyFunc", name, inp, Tout, call)


def Print(
    input_: Any, data: Any, message: str | None = None, first_n: int | None = None, summarize: int | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """As `polytape.compat.tf1.adapters.control.Print`, in each run; with ``first_n``, in so many runs only."""
    graph, runs = get_default_graph(), count()
    inputs = [constant(x, None, "Print/input") for x in (input_, *data)]

    def call(values: list[Any]) -> list[Any]:
        shown = first_n is None or next(runs) < first_n
        return [adapters.Print(values[0], values[1:], message, None, summarize) if shown else values[0]]

    operation = Operation(graph, named(graph, name or "Print"), "Print", inputs, call, eager=True)
    return added(operation, [Kind.of(inputs[0]).output(operation, 0)])[0]


def _array(x: Any) -> Any:
    return np.array(Tensor.numpy(x)) if isinstance(x, Tensor) else x


def _called(func: Callable[..., Any], arguments: Sequence[Any]) -> list[Any]:
    """The results of the function, as a list."""
    try:
        found = func(*arguments)
    except Exception as error:
        for kind, becomes in KINDS:
            if isinstance(error, kind):
                if becomes is errors.OpError:
                    raise
                raise becomes(None, None, f"{type(error).__name__}: {error}") from error
        raise errors.UnknownError(None, None, f"{type(error).__name__}: {error}") from error
    return list(found) if isinstance(found, (list, tuple)) else [] if found is None else [found]


def _checked(result: Any, dtype: DType, what: str) -> Any:
    if dtype == string:
        return result
    array = np.asarray(result)
    wanted = dtype.as_numpy_dtype
    if array.dtype != wanted and type(result) in (int, float, complex, bool):
        array = np.asarray(result, wanted)  # Python's numbers have no dtype
    if array.dtype != wanted:
        found, expected = (NAMES.get(x, x) for x in (array.dtype.name, dtype.name))
        raise errors.InvalidArgumentError(None, None, f"{what} is {found}, but expects {expected}")
    return pt.asarray(array)


def python_operation(
    type: str, name: str | None, inp: Any, Tout: Any, call: Callable[[list[Any], list[DType]], list[Any]]
) -> Any:
    """The outputs of an operation that computes ``call(inputs, Tout)`` in Python at each run; itself if it has none."""
    graph = get_default_graph()
    several = isinstance(Tout, (list, tuple))
    wanted = [as_dtype(x) for x in (Tout if several else [Tout])] if Tout is not None else []
    inputs = [constant(x, None, f"{type}/input") for x in inp]
    operation = Operation(
        graph, named(graph, name or type), type, inputs, lambda values: call(values, wanted), eager=True
    )
    outputs = added(operation, [kind_for(dtype, None).output(operation, k) for k, dtype in enumerate(wanted)])
    if not outputs:
        return operation
    return outputs if several else outputs[0]


def kind_for(dtype: Any, shape: Any) -> Kind:
    """The kind of a tensor of a dtype, which may be tf.string, and a shape."""
    found = as_dtype(dtype)
    if found == string:
        return Kind(type_for(pt.float32), TensorShape(shape), StringTensor)
    return Kind(type_for(found.dtype), TensorShape(shape))
