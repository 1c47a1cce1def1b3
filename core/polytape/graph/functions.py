"""`polytape.function`: a Python function that runs as a graph, traced once per signature."""

from __future__ import annotations

import copy
import functools
import inspect
import warnings
import weakref
from _thread import RLock
from collections.abc import Callable, Hashable
from typing import Any

from ..autodiff.record import active_tapes
from ..dispatch.rejections import leaked_symbol
from ..errors import PolytapeWarning
from ..placement import selection
from ..placement.selection import device_scopes
from ..registry.tables import _registry
from ..settings import settings
from ..tensors.scope import NO_SCOPE, Scope, current_scope
from ..tensors.tensor import Symbol, Tensor
from ..tensors.variable import Variable
from .concrete import Concrete
from .ir import Graph
from .signature import Call

__all__ = ["Function", "function"]

SIMPLE = (Tensor, Variable, bool, int, float, complex, str, type(None))
SCALARS = 3  # a warning is given at this many values of one Python number, since each is a new trace


def function(f: Callable[..., Any]) -> Function:
    """Trace a function into a graph on its first call, and run that graph from then on.

    The Python body runs once per signature: tensors count by backend, device, dtype and shape, everything else by
    value. NumPy arrays become tensors. The body may read and assign variables; they are assigned once the whole run
    has succeeded. Everything else that the body reads from enclosing scopes is fixed when it is traced; a tape follows
    values computed from such a tensor alone only if the tensor was watched before the trace. Item assignment to an
    argument does not change the caller's tensor. Under a tape a call is one record; its gradient runs the body once
    more, to trace it.

    Args:
        f: takes and returns tensors, or lists, tuples and dicts of them.
    Returns:
        A callable with the same arguments. It is differentiable, and a method if ``f`` is one.
    Raises:
        TraceError: when called: Python control flow on a tensor, or anything else that needs values while tracing.
        DTypeError: when called: an argument that is neither a tensor nor hashable.

    Example:
        >>> import polytape as pt
        >>> @pt.function
        ... def scaled(x):
        ...     return x * 2.0
        >>> scaled(pt.asarray([1.0, 2.0])).tolist()
        [2.0, 4.0]
    """
    return Function(f)


class Function:
    """A function that runs as a graph; see `function`."""

    __name__: str
    __qualname__: str

    def __init__(self, python: Callable[..., Any]) -> None:
        functools.update_wrapper(self, python, updated=())
        self.python = python
        self.name: str = getattr(python, "__name__", type(python).__name__)
        self.signature = inspect.signature(python)
        self.concretes: dict[Hashable, Concrete] = {}
        self.latest: Latest | None = None
        self.version = _registry.version
        self.seen: dict[str, set[str]] = {}
        self.methods: dict[int, tuple[weakref.ref[Any], Function]] = {}
        self.lock = RLock()

    def __repr__(self) -> str:
        return f"<function {self.name}: {len(self.concretes)} traces>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the graph for these arguments, tracing it first if their signature is new."""
        scope = current_scope.get()
        latest = self.latest
        # The most common call is tested first: positional tensors in, one tensor out, no open tape or trace.
        if (
            not kwargs
            and latest is not None
            and latest.direct
            and (scope is NO_SCOPE or idle(scope))
            and latest.fits(args)
        ):
            try:
                return latest.call(*args)
            except Exception as error:
                latest.concrete.executable.explain(error)
                raise
        if scope.trace is not None:
            return self.python(*args, **kwargs)  # a traced function inside another is part of its graph
        concrete, tensors = self.find(args, kwargs, scope)
        return concrete.taped(tensors, scope) if scope.tapes else concrete.call(tensors)

    def __deepcopy__(self, memo: Any) -> Function:
        return Function(copy.deepcopy(self.python, memo))

    def __reduce__(self) -> str:
        return self.__qualname__  # by reference, as plain functions are pickled

    def __get__(self, instance: Any, owner: Any = None) -> Function:
        if instance is None:
            return self
        key = id(instance)
        with self.lock:
            bound = self.methods.get(key)
            if bound is None or bound[0]() is not instance:
                reference = weakref.ref(instance, lambda _: self.methods.pop(key, None))
                bound = self.methods[key] = (reference, Function(_Method(self.python, instance)))
        return bound[1]

    # --- graphs ---------------------------------------------------------------------------------------------------

    def graph(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph that a call with these arguments runs, after the passes; nothing is computed."""
        return self.find(args, kwargs, NO_SCOPE)[0].graph

    def trace(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph of a call with these arguments as traced, before any pass."""
        return self.find(args, kwargs, NO_SCOPE)[0].traced

    # --- traces ---------------------------------------------------------------------------------------------------

    def find(self, args: tuple[Any, ...], kwargs: dict[str, Any], scope: Scope) -> tuple[Concrete, list[Tensor]]:
        """The trace for these arguments, created if there is none, and the tensors among them."""
        latest = self.latest
        if latest is not None:
            arguments = (*args, *kwargs.values())
            same = tuple(kwargs) == latest.keywords and latest.fits(arguments)
            if same and not (scope.tapes and newly_followed(latest.concrete, scope)):
                return latest.concrete, [arguments[position] for position in latest.positions]
        version = _registry.version
        with self.lock:
            if self.version != version:  # a kernel was registered, so resolutions may have changed
                self.concretes, self.latest, self.version = {}, None, version
            call = Call(self.name, self.signature, args, kwargs)
            for x in call.tensors:
                if isinstance(x.array, Symbol):
                    raise leaked_symbol(self.name, [x])
            key = (selection.default_device(), call.key)
            concrete = self.concretes.get(key)
            if concrete is None or (scope.tapes and newly_followed(concrete, scope)):
                self.count_scalars(call)
                inputs = [(name, x.type, x.array.shape) for name, x in zip(call.names, call.tensors, strict=True)]
                concrete = self.concretes[key] = Concrete(self.name, inputs, call.caller(self.python), True)
            self.latest = Latest.of(concrete, args, kwargs, version)
        return concrete, call.tensors

    def count_scalars(self, call: Call) -> None:
        """Warn when a Python number takes its third value, because each value is a new trace."""
        for name, value in call.scalars:
            values = self.seen.setdefault(name, set())
            values.add(repr(value))
            if len(values) == SCALARS:
                warnings.warn(
                    f"{self.name} is traced again for each value of {name}: {', '.join(sorted(values))}. Pass it as a "
                    "tensor, polytape.asarray(value), if it keeps changing.",
                    PolytapeWarning,
                    stacklevel=4,
                )


class Latest:
    """The last call's trace, and the conditions under which the next call may reuse it without a lookup.

    Attributes:
        expected: for each argument its tensor type and shape, or None and the object itself.
        keywords: names of the arguments that were passed by keyword; they come last.
        positions: which arguments are tensors.
        direct: whether there are no keywords, and the arguments and the only result are tensors.
        call: the generated code that a direct call runs.
    """

    __slots__ = ("call", "concrete", "devices", "direct", "expected", "keywords", "positions", "settings", "version")

    def __init__(self, concrete: Concrete, arguments: tuple[Any, ...], keywords: tuple[str, ...], version: int) -> None:
        self.concrete = concrete
        self.keywords = keywords
        self.expected = [(x.type, x.array.shape) if type(x) is Tensor else (None, x) for x in arguments]
        self.positions = [position for position, x in enumerate(arguments) if type(x) is Tensor]
        self.direct = not keywords and len(self.positions) == len(arguments) and concrete.single
        self.call = concrete.executable.call
        self.version = version
        self.devices = device_scopes.get()
        self.settings = settings()

    @classmethod
    def of(cls, concrete: Concrete, args: tuple[Any, ...], kwargs: dict[str, Any], version: int) -> Latest | None:
        """A `Latest` for this call, or None if an argument is a container whose contents could change."""
        arguments = (*args, *kwargs.values())
        if any(type(x) not in SIMPLE for x in arguments):
            return None
        return cls(concrete, arguments, tuple(kwargs), version)

    def fits(self, arguments: tuple[Any, ...]) -> bool:
        """Whether the signature of these arguments is the same, and no kernel, device scope or setting has changed."""
        expected = self.expected
        if len(arguments) != len(expected):
            return False
        for x, (tensor_type, value) in zip(arguments, expected):  # noqa: B905  # equal lengths; strict= costs 50 ns
            if type(x) is Tensor:
                array = x.array
                if x.type is not tensor_type or array.shape != value or type(array) is Symbol:
                    return False
            elif x is not value:
                return False
        return _registry.version == self.version and device_scopes.get() is self.devices and settings() is self.settings


class _Method:
    """A method bound to an instance, which it does not keep alive."""

    def __init__(self, python: Callable[..., Any], instance: Any) -> None:
        self.python = python
        self.instance = weakref.ref(instance)
        self.__name__ = f"{type(instance).__name__}.{getattr(python, '__name__', 'method')}"
        self.__doc__ = python.__doc__
        parameters = list(inspect.signature(python).parameters.values())
        self.__signature__ = inspect.Signature(parameters[1:])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.python(self.instance(), *args, **kwargs)


def idle(scope: Scope) -> bool:
    """Whether a scope has neither tapes nor a trace; such a scope remains after tapes have been closed."""
    return scope.trace is None and not scope.tapes


def newly_followed(concrete: Concrete, scope: Scope) -> bool:
    """Whether an open tape follows a captured tensor that had no node when the function was traced."""
    for constant in concrete.plain:
        handle = constant.handle
        if handle is None or handle.node is None or constant.holder is None:
            continue
        if handle.array is constant.holder.array and active_tapes(handle, scope):
            return True
    return False
