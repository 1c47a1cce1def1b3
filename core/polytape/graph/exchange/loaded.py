"""`polytape.load_graph`: a graph from a file, called as the function that it was traced from."""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Sequence
from typing import Any

from ...checkpoint.files import damaged
from ...checkpoint.format import open_tensors
from ...device import Device
from ...dispatch.convert import asarray
from ...dispatch.rejections import leaked_symbol
from ...errors import CheckpointError, DeviceError, DTypeError, PolytapeError, ShapeError
from ...locks import renewed_lock
from ...placement import selection
from ...placement.default_backend import device as device_scope
from ...random.generator import Generator
from ...registry.tables import version
from ...state.trackable import Trackable
from ...tensors.scope import NO_SCOPE, current_scope
from ...tensors.symbol import Symbol, type_text
from ...tensors.tensor import Tensor, describe
from ...tensors.variable import Variable
from ...tracebacks import shortened
from ..ir import Graph
from .assembling import Held, State, assemble, state_of
from .equations import Spec
from .parsing import KEY, Description, parse
from .running import LoadedConcrete, results_of
from .signatures import Signature
from .values import Malformed

__all__ = ["LoadedGraph", "load_graph"]


def load_graph(path: str | os.PathLike[str], *, device: Device | str | None = None) -> LoadedGraph:
    """A traced function from the file that its ``export`` wrote; its Python source is not needed.

    Its ops run on any backend, with the kernels of a function that is traced there. Loading runs no code from the file:
    ops are looked up by name, in polytape and in installed plugins.

    Args:
        path: the file.
        device: where the graph runs, and where its variables are; default: where new tensors go.
    Returns:
        A callable with the function's arguments; see `LoadedGraph`.
    Raises:
        CheckpointError: the file is missing or damaged, has no graph, an op that is not installed, or an equation that
            its op's rules do not accept, or was written by a later version.
        DTypeError: the backend does not have a dtype of the graph. KernelError: it has no kernel for an op.

    Example:
        >>> import os, tempfile
        >>> import polytape as pt
        >>> path = os.path.join(tempfile.mkdtemp(), "scaled.safetensors")
        >>> pt.function(lambda x: x * 2.0).export(path, pt.asarray([1.0, 2.0]))
        >>> pt.load_graph(path)(pt.asarray([3.0, 4.0])).tolist()
        [6.0, 8.0]
    """
    name = os.fspath(path)
    place = selection.resolve_device(device)
    with open_tensors(name) as file:
        text = file.metadata.get(KEY)
        if text is None:
            raise _without_graph(name, list(file.metadata))
        try:
            description = parse(text)
            state = state_of(description, place, file.read)
            return LoadedGraph(name, description, state, results_of(description, state, file.read))
        except Malformed as error:
            raise damaged(
                name,
                f"{error.place} is not valid",
                expected=error.expected,
                got=error.got,
                fix="install the plugin that has the op, load it with the version of polytape that wrote it, or "
                "export the function again",
            ) from error.__cause__
        except RecursionError:
            raise damaged(name, "its graph is nested too deeply", expected="fewer levels", got="more") from None


def _without_graph(path: str, keys: list[str]) -> CheckpointError:
    return damaged(
        path,
        "it has no graph",
        expected=f"the metadata {KEY}, which the export of a traced function writes",
        got=", ".join(keys) or "no metadata",
        fix="polytape.load reads the tensors of any safetensors file; export a function with f.export(path)",
    )


class LoadedGraph(Trackable):
    """A graph from a file, called as the function that it was traced from. `polytape.load_graph` makes it.

    Tensors must have the shapes and dtypes that the function was traced for; arguments that are no tensors have the
    values that they had then, and may be left out. It is differentiable, may be called inside a traced function, and
    a checkpoint saves its variables.

    Attributes:
        name: the function's name.
        variables: those that the graph reads, assigns or returns; a call assigns them once it has succeeded.
        generators: of random numbers; each continues the stream from where it was when the function was exported.
        hyperparameters: an optimizer's, such as its learning rate, which were numbers outside the graph; they are
            variables here, to which other values can be assigned.
    """

    _untracked = ("_compiled", "_description", "_direct", "_lock", "_results", "_signature", "_state")

    def __init__(self, path: str, description: Description, state: State, results: Any) -> None:
        self.name = description.name
        self.__name__ = description.name
        self.path = path
        self.variables: list[Variable] = list(state.variables)
        self.generators: list[Generator] = [x for x in state.sources if isinstance(x, Generator)]
        self.hyperparameters: list[Variable] = [
            x for source in state.sources if isinstance(source, Held) for x in source.variables
        ]
        self._description = description
        self._state = state
        self._results = results
        self._signature = Signature(description)
        self._lock = renewed_lock()
        self._compiled = self._compile()
        arguments = self.graph.arguments
        self._direct = [(x.type, x.symbol.shape) for x in arguments] if self._signature.direct else None

    def __deepcopy__(self, memo: Any) -> LoadedGraph:
        state, copies = self._state.copied()
        results = copy.copy(self._results)
        results.leaves = [copies.get(id(leaf), leaf) for leaf in results.leaves]
        result = memo[id(self)] = LoadedGraph(self.path, self._description, state, results)
        return result

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise DTypeError(
            f"the loaded graph {self.name} cannot be pickled.",
            expected="its file, and a checkpoint of its variables",
            got="the graph as an object",
            fix=f"polytape.load_graph({self.path!r}) in the other process",
        )

    def __repr__(self) -> str:
        return f"<loaded graph {self.name}{self.__signature__}: {len(self.graph.equations)} equations>"

    @property
    def __signature__(self) -> inspect.Signature:
        return self._signature.python

    @property
    def graph(self) -> Graph:
        """The graph that a call runs, after the passes."""
        return self._concrete().graph

    @property
    def device(self) -> Device:
        """The device that the graph runs on."""
        return self._state.device

    @property
    def arguments(self) -> dict[str, Spec]:
        """Name, dtype and shape of each tensor that a call takes, by its name in the graph."""
        return {x.name: x for x in self._signature.named}

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that tapes watch by themselves."""
        return [variable for variable in self.variables if variable.trainable]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the graph.

        Raises:
            DTypeError, ShapeError, DeviceError: an argument does not fit.
        """
        try:
            direct = self._direct
            if not kwargs and direct is not None and current_scope.get() is NO_SCOPE and _fit(args, direct):
                return self._concrete().call(args)
            return self._run(self._signature.tensors(self.name, args, kwargs))
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    def run(self, feeds: dict[str, Any]) -> Any:
        """Run the graph on arguments by their names in ``arguments``.

        Args:
            feeds: a value for each name.
        Raises:
            DTypeError: a name is missing or unknown, or a value does not fit.
        """
        known = [x.name for x in self._signature.named]
        if set(feeds) != set(known):
            missing = [name for name in known if name not in feeds]
            raise DTypeError(
                f"{self.name} cannot run with these arguments.",
                expected=f"a value for each of {', '.join(known) or 'no argument'}",
                got=", ".join(feeds) or "none",
                fix=f"add {', '.join(missing)}" if missing else "remove the others",
            )
        return self._run([feeds[name] for name in known])

    def _run(self, values: Sequence[Any]) -> Any:
        concrete = self._concrete()
        tensors = [self._argument(x, spec) for x, spec in zip(values, self._signature.named, strict=True)]
        scope = current_scope.get()
        if scope.trace is not None:
            return concrete.body(tensors)
        return concrete.taped(tensors, scope) if scope.tapes else concrete.call(tensors)

    def _argument(self, x: Any, spec: Spec) -> Tensor:
        """An argument as a tensor, if it is one of the dtype and shape that the graph takes."""
        tensor = x if isinstance(x, Tensor) else asarray(x, None, self.device)
        if isinstance(tensor.array, Symbol) and current_scope.get().trace is None:
            raise leaked_symbol(self.name, [tensor])
        if isinstance(tensor, Variable):
            tensor = tensor.read_value()
        fault: type[PolytapeError]
        if tensor.type.dtype is not spec.dtype:
            fault, fix = DTypeError, f"cast it with polytape.astype(x, '{spec.dtype}')"
        elif tuple(tensor.array.shape) != spec.shape:
            fault, fix = ShapeError, "reshape or pad it, or export the function for this shape too"
        elif tensor.type.device is not self.device:
            fault, fix = (
                DeviceError,
                f"move it: x.to_device({str(self.device)!r}), or load the graph for its device",
            )
        else:
            return tensor
        raise fault(
            f"{self.name} cannot take {describe(tensor)} as {spec.name}.",
            expected=f"{type_text(spec.dtype, spec.shape)} on {self.device}",
            got=f"{type_text(tensor.type.dtype, tuple(tensor.array.shape))} on {tensor.type.device}",
            fix=fix,
        )

    def _concrete(self) -> LoadedConcrete:
        compiled = self._compiled
        if compiled[0] != version():  # a kernel was registered since
            with self._lock:
                compiled = self._compiled = self._compile()
        return compiled[1]

    def _compile(self) -> tuple[int, LoadedConcrete]:
        now = version()
        with device_scope(self._state.device):
            graph = assemble(self._description, self._state)
            return now, LoadedConcrete(graph, copy.copy(self._results), self._state)


def _fit(args: tuple[Any, ...], expected: list[tuple[Any, tuple[int, ...]]]) -> bool:
    """Whether these are tensors of the types and shapes of the graph, the common case, which needs no signature."""
    if len(args) != len(expected):
        return False
    for x, (tensor_type, shape) in zip(args, expected, strict=True):
        if type(x) is not Tensor or x.type is not tensor_type or type(x.array) is Symbol or x.array.shape != shape:
            return False
    return True
