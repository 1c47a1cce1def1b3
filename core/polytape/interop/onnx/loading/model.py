"""A model of ONNX as a callable."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

import numpy as np

import polytape as pt

from ....control.gradients import is_traced
from ....device import Device
from ....errors import DTypeError, ShapeError, TraceError
from ....graph.ir import unused_name
from ....placement import selection
from ....placement.default_backend import device as device_scope
from ..package import package
from .contents import Contents, read
from .interpreter import Interpreter, Needed

__all__ = ["Model", "load"]


def load(path: str | os.PathLike[str], *, variables: bool = False, device: Device | str | None = None) -> Model:
    """A model of ONNX from a file, as a callable whose graph consists of polytape's ops.

    It runs on any backend, is differentiable, may be called inside a traced function, and can be exported again. Its
    ops are those of [this table](../guide/onnx-nodes.md), of opset 7 or later. ``If``, ``Loop`` and ``Scan`` become
    `polytape.cond`, `polytape.while_loop` and `polytape.scan`. Loading computes nothing and runs no code of the file.

    Args:
        path: the file; tensors in files of their own are read from beside it.
        variables: whether floating constants become variables, to train the model; otherwise they are tensors.
        device: where the constants are, and where the model runs; default: where new tensors go.
    Returns:
        See `Model`.
    Raises:
        CheckpointError: the file is missing or damaged, or is not a valid model.
        KernelError: the model has an op or a version of it that polytape does not have; the error names the node.
        DTypeError: a constant has a dtype that polytape does not have, such as a string or float8.
        PluginError: the package onnx is missing.

    Example:
        >>> import os, tempfile
        >>> import polytape as pt
        >>> from polytape.interop import onnx  # doctest: +SKIP
        >>> path = os.path.join(tempfile.mkdtemp(), "model.onnx")
        >>> onnx.export(pt.function(lambda x: pt.tanh(x) * 2.0), path, pt.ones((2,)))  # doctest: +SKIP
        >>> onnx.load(path)(pt.asarray([0.0, 1.0]))  # doctest: +SKIP
    """
    return Model(read(os.fspath(path)), variables, selection.resolve_device(device))


class Model(pt.Trackable):
    """A model of ONNX; `load` makes it.

    A call takes the model's inputs in order or by name, and returns its only output or a tuple of them. An input with
    a constant may be left out. There is one trace for each combination of shapes and dtypes. An input whose values
    determine a shape, such as the second one of ``Reshape``, is read when the model is called: there is a trace for
    each of its values. If all inputs are such, the nodes run one by one, without a graph; `eager` always runs them so.

    Attributes:
        path: of the file.
        inputs, outputs: names, in order.
        static: the inputs whose values calls have needed so far.
        opset: the version of ONNX's ops that the model uses.
        constants: the initialisers by name: tensors, or variables if these were asked for.
        variables: those among them.
    """

    _untracked = ("_contents", "_function", "_names", "_place")

    def __init__(self, contents: Contents, variables: bool, place: Device) -> None:
        self.path = contents.path
        self.inputs = [x.name for x in contents.graph.input]
        self.outputs = [x.name for x in contents.graph.output]
        self.opset = contents.opset
        self._contents = contents
        self._place = place
        self.static: frozenset[str] = frozenset()
        self.constants: dict[str, Any] = {}
        with device_scope(place):
            for name, array in contents.constants.items():
                x = pt.asarray(array)
                trained = variables and pt.isdtype(x.dtype, "real floating")
                self.constants[name] = pt.Variable(x, name=name) if trained else x
        self._function = pt.function(self._body())

    @property
    def variables(self) -> list[pt.Variable]:
        """The constants that are variables."""
        return [x for x in self.constants.values() if isinstance(x, pt.Variable)]

    def __repr__(self) -> str:
        return f"<model {self.path}: {', '.join(self.inputs)} -> {', '.join(self.outputs)}, opset {self.opset}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs, by a graph.

        Raises:
            DTypeError, ShapeError: an argument is missing, or does not have the type that the model declares.
            TraceError: inside another traced function, an argument whose values determine a shape.
            CheckpointError: a node cannot be computed; the error names it.
        """
        values = self._bound(args, kwargs)
        with device_scope(self._place):
            if is_traced():
                return self._inside(values)
            while True:
                static, tensors = self._split(values)
                if not tensors:
                    return self._run(values)
                try:
                    return self._function(_Static(static), **self._arguments(tensors))
                except Needed as needed:
                    self._learn(needed, tensors)

    def eager(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs, by running one node after the other."""
        values = self._bound(args, kwargs)
        with device_scope(self._place):
            return self._run(values)

    def trace(self, *args: Any, **kwargs: Any) -> Any:
        """The graph of a call with these arguments as traced, before any pass; `export` writes it."""
        return self._traced("trace", args, kwargs)

    def graph(self, *args: Any, **kwargs: Any) -> Any:
        """The graph that a call with these arguments runs."""
        return self._traced("graph", args, kwargs)

    def _traced(self, what: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        values = self._bound(args, kwargs)
        with device_scope(self._place):
            while True:
                static, tensors = self._split(values)
                try:
                    return getattr(self._function, what)(_Static(static), **self._arguments(tensors))
                except Needed as needed:
                    self._learn(needed, tensors)

    # --- running ------------------------------------------------------------------------------------------------------

    def _body(self) -> Any:
        """The function that is traced: its parameters are the inputs, which name the arguments of graphs."""
        names: dict[str, str] = {}
        taken = {"static"}
        for x in self.inputs:
            name = unused_name(x, taken)
            names[name if name.isidentifier() and not iskeyword(name) else unused_name(f"x_{name}", taken)] = x

        def model(static: _Static, **tensors: Any) -> Any:
            return self._run({**static.values, **{names[key]: x for key, x in tensors.items() if x is not None}})

        keywords = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in names]
        static = inspect.Parameter("static", inspect.Parameter.POSITIONAL_ONLY)
        model.__signature__ = inspect.Signature([static, *keywords])  # type: ignore[attr-defined]  # inspect looks for it
        self._names = {x: name for name, x in names.items()}
        return model

    def _arguments(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        return {self._names[name]: x for name, x in tensors.items()}

    def _run(self, values: Mapping[str, Any]) -> Any:
        results = Interpreter(self._contents, self.constants).run(values)
        # Item assignment to a result must not change an argument or a constant.
        taken = {id(x) for x in (*values.values(), *self.constants.values())}
        results = [pt.identity(x) if isinstance(x, pt.Tensor) and id(x) in taken else x for x in results]
        return results[0] if len(results) == 1 else tuple(results)

    def _inside(self, values: Mapping[str, Any]) -> Any:
        """The outputs as part of the function that is being traced."""
        try:
            return self._run(values)
        except Needed as needed:
            raise TraceError(
                f"{needed.node} of {self.path} needs values inside a traced function.",
                expected=f"values of {', '.join(sorted(needed.names)) or 'what a loop computes'}, for shapes",
                got="symbolic tensors: nothing has been computed",
                fix="pass them as NumPy arrays or as tensors from outside, or call the model outside the function",
            ) from None

    def _split(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The arguments whose values a trace depends on, and the others."""
        static = {name: x for name, x in values.items() if name in self.static or _empty(x)}
        return static, {name: x for name, x in values.items() if name not in static}

    def _learn(self, needed: Needed, tensors: Mapping[str, Any]) -> None:
        """Read more arguments from now on."""
        more = needed.names & tensors.keys() or frozenset(tensors)
        self.static |= more

    # --- arguments ----------------------------------------------------------------------------------------------------

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments by name, as tensors."""
        surplus = [f"argument {len(self.inputs) + 1}"] if len(args) > len(self.inputs) else []
        given = {**dict(zip(self.inputs, args, strict=False)), **kwargs}
        surplus += [name for name in kwargs if name not in self.inputs or name in self.inputs[: len(args)]]
        missing = [name for name in self.inputs if name not in given and name not in self.constants]
        if surplus or missing:
            raise DTypeError(
                f"{self.path} was called with other arguments than its inputs.",
                expected=", ".join(self.inputs),
                got=", ".join([*(f"no {name}" for name in missing), *(f"an unexpected {name}" for name in surplus)]),
                fix="pass the inputs in this order, or by name",
            )
        with device_scope(self._place):
            declared = [x for x in self._contents.graph.input if x.name in given]
            return {x.name: _checked(self.path, x, given[x.name]) for x in declared}


def _checked(path: str, declared: Any, value: Any) -> Any:
    """An argument as a tensor, a list of tensors or None.

    Raises:
        DTypeError, ShapeError: it is not what the model declares.
    """
    if value is None or isinstance(value, list):
        return None if value is None else [None if x is None else pt.asarray(x) for x in value]
    x = pt.asarray(value)
    if not declared.type.HasField("tensor_type"):
        return x
    expected = declared.type.tensor_type
    dtype = np.dtype(package("helper").tensor_dtype_to_np_dtype(expected.elem_type))
    if x.dtype != dtype:
        raise DTypeError(f"{path} cannot take {declared.name} as {x.dtype}.", expected=str(dtype), got=str(x.dtype),
                         fix=f"cast it: polytape.astype(x, {str(dtype)!r})")  # fmt: skip
    if not expected.HasField("shape"):
        return x
    sizes = [d.dim_value if d.HasField("dim_value") else None for d in expected.shape.dim]
    if len(sizes) != x.ndim or any(n is not None and n != m for n, m in zip(sizes, x.shape, strict=True)):
        wanted = ", ".join("?" if n is None else str(n) for n in sizes)
        raise ShapeError(f"{path} cannot take {declared.name} of shape {x.shape}.", expected=f"({wanted})",
                         got=str(x.shape), fix="reshape it; ? is any size")  # fmt: skip
    return x


def _empty(x: Any) -> bool:
    """Whether a value has no tensor: an absent optional, or a sequence without elements."""
    return x is None or (isinstance(x, list) and not x)


class _Static:
    """Arguments that count by value in the signature of a trace."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self._key = tuple((name, _key(x)) for name, x in values.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Static) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _key(x: Any) -> Any:
    if isinstance(x, list):
        return tuple(map(_key, x))
    if x is None:
        return None
    array = x.numpy()
    return str(array.dtype), array.shape, array.tobytes()
