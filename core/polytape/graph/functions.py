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
from ..registry import tables
from ..settings import settings
from ..tensors.scope import NO_SCOPE, Scope, current_scope
from ..tensors.tensor import Symbol, Tensor
from ..tensors.variable import Variable
from .concrete import Concrete
from .ir import Graph
from .signature import Call

__all__ = ["Function", "function"]

SIMPLE = (Tensor, Variable, bool, int, float, complex, str, type(None))
SCALARS = 3  # values of one Python number after which a warning says that each is a trace


def function(f: Callable[..., Any]) -> Function:
    """Trace a function into a graph on its first call, and run that graph from then on.

    The Python body runs once per signature: tensors count by backend, device, dtype and shape, everything else by
    value. Variables may be read and assigned inside; they are assigned once the whole run has succeeded. NumPy arrays
    become tensors. What the body reads from enclosing scopes, other than variables, is settled when it is traced; a
    tape follows what is computed from such a tensor alone only if the tensor was watched by then. Item assignment to
    an argument does not reach the caller's handle. Under a tape a call is one record; its gradient runs the body once
    more, to trace it.

    Args:
        f: takes and returns tensors, or lists, tuples and dicts of them.
    Returns:
        A callable with the same arguments; differentiable, and a method where ``f`` is one.
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
        self.version = tables.version()
        self.seen: dict[str, set[str]] = {}
        self.methods: dict[int, tuple[weakref.ref[Any], Function]] = {}
        self.lock = RLock()

    def __repr__(self) -> str:
        return f"<function {self.name}: {len(self.concretes)} traces>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the graph for these arguments, traced now if it is the first such call."""
        scope = current_scope.get()
        latest = self.latest
        # The commonest call, before anything that the others need: one tensor out, no keywords, nothing open.
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
        return self.__qualname__  # as functions are: by where they are found

    def __get__(self, instance: Any, owner: Any = None) -> Function:
        if instance is None:
            return self
        key = id(instance)
        with self.lock:
            found = self.methods.get(key)
            if found is None or found[0]() is not instance:
                reference = weakref.ref(instance, lambda _: self.methods.pop(key, None))
                found = self.methods[key] = (reference, Function(_Method(self.python, instance)))
        return found[1]

    # --- graphs ---------------------------------------------------------------------------------------------------

    def graph(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph that such a call runs, after the passes; nothing is computed."""
        return self.find(args, kwargs, NO_SCOPE)[0].graph

    def trace(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph of such a call as traced, before any pass."""
        return self.find(args, kwargs, NO_SCOPE)[0].traced

    # --- traces ---------------------------------------------------------------------------------------------------

    def find(self, args: tuple[Any, ...], kwargs: dict[str, Any], scope: Scope) -> tuple[Concrete, list[Tensor]]:
        """The trace for these arguments, made if there is none, and the tensors among them."""
        latest = self.latest
        if latest is not None:
            given = (*args, *kwargs.values())
            same = tuple(kwargs) == latest.keywords and latest.fits(given)
            if same and not (scope.tapes and newly_followed(latest.concrete, scope)):
                return latest.concrete, [given[place] for place in latest.places]
        version = tables.version()
        with self.lock:
            if self.version != version:  # a kernel was registered: what was resolved may be another's now
                self.concretes, self.latest, self.version = {}, None, version
            call = Call(self.name, self.signature, args, kwargs)
            for x in call.tensors:
                if isinstance(x.array, Symbol):
                    raise leaked_symbol(self.name, [x])
            key = (selection.default_device(), call.key)
            found = self.concretes.get(key)
            if found is None or (scope.tapes and newly_followed(found, scope)):
                self.count_scalars(call)
                inputs = [(name, x.type, x.array.shape) for name, x in zip(call.names, call.tensors, strict=True)]
                found = self.concretes[key] = Concrete(self.name, inputs, call.caller(self.python), True)
            self.latest = Latest.of(found, args, kwargs, version)
        return found, call.tensors

    def count_scalars(self, call: Call) -> None:
        """Warn when one Python number takes its third value: each is a trace of its own."""
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
    """The last call's trace, and what must be the same for the next one to use it without looking anything up.

    Attributes:
        expected: per argument a tensor type and a shape, or None and the very object.
        keywords: names of the last arguments.
        places: which arguments are tensors.
        direct: whether there are no keywords, and the arguments and the only result are tensors.
        call: the code that runs then.
    """

    __slots__ = ("call", "concrete", "devices", "direct", "expected", "keywords", "places", "settings", "version")

    def __init__(self, concrete: Concrete, given: tuple[Any, ...], keywords: tuple[str, ...], version: int) -> None:
        self.concrete = concrete
        self.keywords = keywords
        self.expected = [(x.type, x.array.shape) if type(x) is Tensor else (None, x) for x in given]
        self.places = [place for place, x in enumerate(given) if type(x) is Tensor]
        self.direct = not keywords and len(self.places) == len(given) and concrete.single
        self.call = concrete.executable.call
        self.version = version
        self.devices = device_scopes.get()
        self.settings = settings()

    @classmethod
    def of(cls, concrete: Concrete, args: tuple[Any, ...], kwargs: dict[str, Any], version: int) -> Latest | None:
        """The memory of a call; None where an argument has contents that could change."""
        given = (*args, *kwargs.values())
        if any(type(x) not in SIMPLE for x in given):
            return None
        return cls(concrete, given, tuple(kwargs), version)

    def fits(self, given: tuple[Any, ...]) -> bool:
        """Whether a call with these arguments is of the same signature, in the same circumstances."""
        expected = self.expected
        if len(given) != len(expected):
            return False
        for x, (tensor_type, what) in zip(given, expected):  # noqa: B905  # the lengths are equal, and strict= costs 50 ns
            if type(x) is Tensor:
                array = x.array
                if x.type is not tensor_type or array.shape != what or type(array) is Symbol:
                    return False
            elif x is not what:
                return False
        return tables.version() == self.version and device_scopes.get() is self.devices and settings() is self.settings


class _Method:
    """A function bound to an instance that it does not keep alive."""

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
    """Whether a scope has neither tapes nor a trace, as one that tapes have been closed in."""
    return scope.trace is None and not scope.tapes


def newly_followed(concrete: Concrete, scope: Scope) -> bool:
    """Whether an open tape follows a captured tensor that had no node when it was traced."""
    for one in concrete.plain:
        handle = one.handle
        if handle is None or handle.node is None or one.holder is None:
            continue
        if handle.array is one.holder.array and active_tapes(handle, scope):
            return True
    return False
