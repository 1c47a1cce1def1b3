"""`polytape.function`: a Python function that runs as a graph, traced once per signature."""

from __future__ import annotations

import copy
import functools
import inspect
import warnings
import weakref
from collections.abc import Callable, Hashable
from typing import Any, TypeAlias

from ..autodiff.record import active_tapes
from ..dispatch.rejections import leaked_symbol
from ..errors import DTypeError, PolytapeWarning
from ..locks import renewed_lock
from ..placement import selection
from ..placement.selection import device_scopes
from ..registry.tables import _registry
from ..settings import settings
from ..tensors.scope import NO_SCOPE, Scope, current_scope
from ..tensors.tensor import Symbol, Tensor, describe
from ..tensors.variable import Variable
from ..tracebacks import shortened
from .concrete import Concrete
from .ir import Graph
from .signature import Call
from .tracing import user_line

__all__ = ["BoundFunction", "Function", "function"]

SIMPLE = (Tensor, Variable, bool, int, float, complex, str, type(None))
SCALARS = 3  # a warning is given at this many values of one Python number, since each is a new trace
TRACES = 128  # how many traces a function keeps; then the one that was used least recently is dropped

# A trace, and weak references to the static arguments that it ends with.
Entry: TypeAlias = tuple[Concrete, list[weakref.ref[Any]]]


def function(f: Callable[..., Any]) -> Function:
    """Trace a function into a graph on its first call, and run that graph from then on.

    The Python body runs once per signature: tensors count by backend, device, dtype and shape, everything else by
    value, or by identity if it has no other equality. NumPy arrays and scalars become tensors, except numpy.float64,
    which is a Python float, and numpy.bool. At most 128 traces are kept, those that were used last; a trace does not
    keep static arguments alive that count by identity, nor a method's object. The body may read and assign variables;
    they are assigned once the whole run has succeeded. Everything else that the body reads from enclosing scopes is
    fixed when it is traced; a tape follows values computed from such a tensor alone only if the tensor was watched
    before the trace. Item assignment to an argument does not change the caller's tensor. Under a tape a call is one
    record; its gradient runs the body once more, to trace it.

    Args:
        f: takes and returns tensors, or lists, tuples and dicts of them. It may return variables and other Python
            objects too, but no object that contains tensors.
    Returns:
        A callable with the same arguments. It is differentiable, and a method if ``f`` is one.
    Raises:
        TraceError: when called: Python control flow on a tensor, or anything else that needs values while tracing; a
            result that contains tensors and is not a list, tuple or dict, such as a set or a generator.
        DTypeError: when called: an argument that is neither a tensor nor hashable. ``f`` has no signature.

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
        self.signature = signature_of(python)
        self.concretes: dict[Hashable, Entry] = {}
        self.made = 0  # how many traces, including those that were dropped
        self.latest: Latest | None = None
        self.version = _registry.version
        self.seen: dict[str, set[str]] = {}
        self.methods: dict[int, tuple[weakref.ref[Any] | Callable[[], Any], Function]] = {}
        self.lock = renewed_lock()

    def __repr__(self) -> str:
        return f"<function {self.name}: {len(self.concretes)} traces>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the graph for these arguments, tracing it first if their signature is new."""
        scope = current_scope.get()
        latest = self.latest
        try:
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
            concrete, tensors, statics = self.find(args, kwargs, scope)
            return concrete.taped(tensors, scope, statics) if scope.tapes else concrete.call(tensors)
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    def __deepcopy__(self, memo: Any) -> Function:
        return Function(copy.deepcopy(self.python, memo))

    def __reduce__(self) -> str:
        return self.__qualname__  # by reference, as plain functions are pickled

    def __get__(self, instance: Any, owner: Any = None) -> Function | BoundFunction:
        if instance is None:
            return self
        bound = self.methods.get(id(instance))
        if bound is None or bound[0]() is not instance:
            bound = self.bind(instance)
        return BoundFunction(bound[1], instance)

    def bind(self, instance: Any) -> tuple[Any, Function]:
        """The traced method of one instance, which it does not keep alive if weak references to it are possible."""
        key = id(instance)
        methods = self.methods
        with self.lock:
            try:
                reference: Callable[[], Any] = weakref.ref(instance, lambda _: methods.pop(key, None))
            except TypeError:  # a class with __slots__: the instances that were used last are kept alive
                reference = functools.partial(getattr, _Held(instance), "instance")
                drop_oldest(methods)
            bound = methods[key] = (reference, Function(_Method(self.python, instance, reference)))
        return bound

    # --- graphs ---------------------------------------------------------------------------------------------------

    def graph(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph that a call with these arguments runs, after the passes; nothing is computed."""
        return self.find(args, kwargs, NO_SCOPE)[0].graph

    def trace(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph of a call with these arguments as traced, before any pass."""
        return self.find(args, kwargs, NO_SCOPE)[0].traced

    # --- traces ---------------------------------------------------------------------------------------------------

    def find(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], scope: Scope
    ) -> tuple[Concrete, list[Tensor], list[Any]]:
        """The trace for these arguments, created if there is none; the tensors among them; what it does not keep alive.

        A gradient traces the function again, and needs these objects then.
        """
        latest = self.latest
        owner = [self.python.instance()] if isinstance(self.python, _Method) else []
        if latest is not None:
            arguments = (*args, *kwargs.values())
            same = tuple(kwargs) == latest.keywords and latest.fits(arguments)
            if same and not (scope.tapes and newly_followed(latest.concrete, scope)):
                return latest.concrete, [arguments[position] for position in latest.positions], owner
        version = _registry.version
        with self.lock:
            if self.version != version:  # a kernel was registered, so resolutions may have changed
                self.concretes, self.latest, self.version = {}, None, version
            call = Call(self.name, self.signature, args, kwargs)
            for x in call.tensors:
                if isinstance(x.array, Symbol):
                    raise leaked_symbol(self.name, [x])
            key = (selection.default_device(), call.key)
            entry = self.concretes.pop(key, None)  # it becomes the last one of the dict
            if entry is None or not valid(entry[0]) or (scope.tapes and newly_followed(entry[0], scope)):
                entry = self.trace_call(key, call)
            self.concretes[key] = entry
            self.latest = Latest.of(entry[0], args, kwargs, version)
        return entry[0], call.tensors, [*owner, *call.statics]

    def trace_call(self, key: Hashable, call: Call) -> Entry:
        """A new trace for a call."""
        self.count_scalars(call)
        self.made += 1
        if self.made == TRACES:
            _warn(
                f"{self.name} has been traced {TRACES} times; each new shape of a tensor, and each new value of "
                f"another argument, is a trace. From here on, it keeps the {TRACES} traces that were used last. Pad "
                "tensors to a few shapes, and pass numbers that change as tensors, polytape.asarray(value)."
            )
        drop_oldest(self.concretes)
        inputs = [(name, x.type, x.array.shape) for name, x in zip(call.names, call.tensors, strict=True)]
        owner = weakref.ref(self)

        def forget(_: object) -> None:
            function = owner()
            if function is not None:
                function.concretes.pop(key, None)

        references = [weakref.ref(x, forget) for x in call.statics]
        return Concrete(self.name, inputs, call.caller(self.python), True), references

    def count_scalars(self, call: Call) -> None:
        """Warn when a Python number takes its third value, because each value is a new trace."""
        for name, value in call.scalars:
            values = self.seen.setdefault(name, set())
            if len(values) == SCALARS or repr(value) in values:
                continue
            values.add(repr(value))
            if len(values) == SCALARS:
                _warn(
                    f"{self.name} is traced again for each value of {name}: {', '.join(sorted(values))}. Pass it as a "
                    "tensor, polytape.asarray(value), if it keeps changing."
                )


class BoundFunction:
    """A traced method of one object; it has the attributes of its `Function`."""

    __slots__ = ("__func__", "__self__", "__weakref__")

    def __init__(self, traced: Function, instance: Any) -> None:
        self.__func__ = traced
        self.__self__ = instance  # a temporary object lives as long as its method is called

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the graph for these arguments; see `Function`."""
        return self.__func__(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__func__, name)

    def __repr__(self) -> str:
        return repr(self.__func__)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundFunction) and self.__func__ is other.__func__

    def __hash__(self) -> int:
        return hash(self.__func__)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self.__self__, self.__func__.python.__name__.rpartition(".")[2])


class Latest:
    """The last call's trace, and the conditions under which the next call may reuse it without a lookup.

    Attributes:
        expected: for each argument its tensor type and shape, or None and the object itself.
        keywords: names of the arguments that were passed by keyword; they come last.
        positions: which arguments are tensors.
        direct: whether there are no keywords, and the arguments and the only result are tensors.
        call: the generated code that a direct call runs.
        guards: conditions under which the trace is valid.
    """

    __slots__ = (
        "call", "concrete", "devices", "direct", "expected", "guards", "keywords", "positions", "settings", "version",
    )  # fmt: skip

    def __init__(self, concrete: Concrete, arguments: tuple[Any, ...], keywords: tuple[str, ...], version: int) -> None:
        self.concrete = concrete
        self.keywords = keywords
        self.expected = [(x.type, x.array.shape) if type(x) is Tensor else (None, x) for x in arguments]
        self.positions = [position for position, x in enumerate(arguments) if type(x) is Tensor]
        self.direct = not keywords and len(self.positions) == len(arguments) and concrete.single
        self.call = concrete.executable.call
        self.guards = concrete.guards
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
        if _registry.version != self.version or device_scopes.get() is not self.devices:
            return False
        return settings() is self.settings and (not self.guards or valid(self.concrete))


class _Held:
    """Keeps an object alive."""

    __slots__ = ("instance",)

    def __init__(self, instance: Any) -> None:
        self.instance = instance


class _Method:
    """A method of an object, as a function; ``reference()`` is the object."""

    def __init__(self, python: Callable[..., Any], instance: Any, reference: Callable[[], Any]) -> None:
        self.python = python
        self.instance = reference
        self.__name__ = f"{type(instance).__name__}.{getattr(python, '__name__', 'method')}"
        self.__doc__ = python.__doc__
        parameters = list(inspect.signature(python).parameters.values())
        self.__signature__ = inspect.Signature(parameters[1:])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.python(self.instance(), *args, **kwargs)


def drop_oldest(entries: dict[Any, Any]) -> None:
    """Make room for one entry."""
    for key in list(entries)[: max(0, len(entries) - TRACES + 1)]:
        entries.pop(key, None)


def signature_of(python: Callable[..., Any]) -> inspect.Signature:
    """The signature of the function to trace."""
    try:
        return inspect.signature(python)
    except (TypeError, ValueError) as error:
        raise DTypeError(
            f"polytape.function cannot trace {describe(python)}.",
            expected="a Python function",
            got=str(error),
            fix="wrap it: polytape.function(lambda x: f(x))",
        ) from None


def _warn(text: str) -> None:
    """Warn at the user's line."""
    file, line = user_line()
    warnings.warn_explicit(text, PolytapeWarning, file, line)


def valid(concrete: Concrete) -> bool:
    """Whether the conditions hold under which the function was traced."""
    return all(condition() for condition in concrete.guards)


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
