"""`polytape.function`: a Python function that runs as a graph, traced once per signature."""

from __future__ import annotations

import copy
import functools
import inspect
import weakref
from collections.abc import Callable, Hashable
from typing import Any, TypeAlias, overload

from ..dispatch.rejections import leaked_symbol
from ..errors import DTypeError
from ..locks import renewed_lock
from ..placement import selection
from ..registry.tables import _registry
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Symbol, Tensor, describe
from ..tensors.variable import Variable
from ..tracebacks import shortened
from .calls import Latest
from .concrete import Concrete
from .input_signature import InputSignature
from .inspection import Inspected
from .retracing import KEPT, Retraces
from .signature import Call
from .sized import Templates

__all__ = ["BoundFunction", "Function", "function"]

SIMPLE = (Tensor, Variable, bool, int, float, complex, str, type(None))

# A trace, and weak references to the static arguments that it ends with.
Entry: TypeAlias = tuple[Concrete, list[weakref.ref[Any]]]


@overload
def function(f: Callable[..., Any], *, input_signature: Any = None) -> Function: ...


@overload
def function(f: None = None, *, input_signature: Any = None) -> Callable[[Callable[..., Any]], Function]: ...


def function(f: Callable[..., Any] | None = None, *, input_signature: Any = None) -> Any:
    """Trace a function into a graph on its first call, and run that graph from then on.

    The Python body runs once per signature: tensors count by backend, device, dtype and shape, everything else by
    value, or by identity if it has no other equality. NumPy arrays and scalars become tensors, except numpy.float64,
    which is a Python float, and numpy.bool. At most 128 traces are kept, those that were used last; a trace does not
    keep static arguments alive that count by identity, nor a method's object. The body may read and assign variables;
    they are assigned once the whole run has succeeded. Everything else that the body reads from enclosing scopes is
    fixed when it is traced; a tape follows values computed from such a tensor alone only if the tensor was watched
    before the trace. Item assignment to an argument does not change the caller's tensor. Under a tape a call is one
    record; the first such call traces the body once more, together with its gradients, which compute nothing twice.

    Args:
        f: takes and returns tensors, or lists, tuples and dicts of them. It may return variables and other Python
            objects too, but no object that contains tensors. Without it, the result is a decorator.
        input_signature: a `TensorSpec`, or a structure of them, for each of the first parameters or by their names.
            Tensors must have these types; numbers, lists and NumPy arrays are converted. A size of None is open: one
            graph serves all sizes, and a new size does not run the Python body. For the first size, the body is traced
            four times (six for two open sizes, ten for three), to find out how the graph depends on it.
    Returns:
        A callable with the same arguments. It is differentiable, and a method if ``f`` is one.
    Raises:
        TraceError: when called: Python control flow on a tensor, or anything else that needs values while tracing; a
            result that contains tensors and is not a list, tuple or dict, such as a set or a generator; an open size
            that Python or an op needs to know.
        DTypeError: when called: an argument that is neither a tensor nor hashable. ``f`` has no signature.

    Example:
        >>> import polytape as pt
        >>> @pt.function
        ... def scaled(x):
        ...     return x * 2.0
        >>> scaled(pt.asarray([1.0, 2.0])).tolist()
        [2.0, 4.0]
    """
    if f is None:
        return lambda f: Function(f, input_signature)
    return Function(f, input_signature)


class Function(Inspected):
    """A function that runs as a graph; see `function`."""

    __name__: str
    __qualname__: str

    def __init__(self, python: Callable[..., Any], input_signature: Any = None) -> None:
        functools.update_wrapper(self, python, updated=())
        self.python = python
        self.is_method = isinstance(python, _Method)
        self.name: str = getattr(python, "__name__", type(python).__name__)
        self.signature = signature_of(python)
        self.input_signature = input_signature
        self.inputs = None if input_signature is None else InputSignature(self.name, self.signature, input_signature)
        self.templates = Templates(self.name)
        self.concretes: dict[Hashable, Entry] = {}
        self.retraces = Retraces(self.name)
        self.latest: Latest | None = None
        self.version = _registry.version
        self.methods: dict[int, tuple[weakref.ref[Any] | Callable[[], Any], Function]] = {}
        self.lock = renewed_lock()

    def __repr__(self) -> str:
        return f"<function {self.name}: {len(self.concretes)} traces>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the graph for these arguments, tracing it first if their signature is new."""
        scope = current_scope.get()
        latest = self.latest
        try:
            if scope.trace is not None:  # a traced function inside another is part of its graph
                if self.inputs is not None:
                    args, kwargs = self.inputs.converted(args, kwargs)
                return self.python(*args, **kwargs)
            # The most common call is tested first: positional tensors in, one tensor out.
            if not kwargs and latest is not None and latest.direct and latest.fits(args):
                if not scope.tapes:
                    try:
                        return latest.call(*args)
                    except Exception as error:
                        latest.concrete.executable.explain(error)
                        raise
                result = latest.recorder.direct(args, scope, self.owner() if self.is_method else ())
                if result is not None:
                    return result
            concrete, tensors, statics = self.find(args, kwargs, scope)
            return concrete.taped(tensors, scope, statics) if scope.tapes else concrete.call(tensors)
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    def __deepcopy__(self, memo: Any) -> Function:
        return Function(copy.deepcopy(self.python, memo), self.input_signature)

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
            method = _Method(self.python, instance, reference)
            bound = methods[key] = (reference, Function(method, self.input_signature))
        return bound

    # --- traces ---------------------------------------------------------------------------------------------------

    def find(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], scope: Scope
    ) -> tuple[Concrete, list[Tensor], list[Any]]:
        """The trace for these arguments, created if there is none; the tensors among them; what it does not keep alive.

        A gradient traces the function again, and needs these objects then.
        """
        latest = self.latest
        owner = self.owner()
        if latest is not None:
            arguments = (*args, *kwargs.values())
            same = tuple(kwargs) == latest.keywords and latest.fits(arguments)
            if same and not (scope.tapes and latest.recorder.newly_followed(scope)):
                return latest.concrete, [arguments[position] for position in latest.positions], owner
        version = _registry.version
        with self.lock:
            if self.version != version:  # resolutions may differ: a kernel was registered, or an observer
                self.concretes, self.latest, self.version = {}, None, version
                self.templates, self.retraces = Templates(self.name), Retraces(self.name)
            if self.inputs is not None:
                args, kwargs = self.inputs.converted(args, kwargs)
            call = Call(self.name, self.signature, args, kwargs)
            for x in call.tensors:
                if isinstance(x.array, Symbol):
                    raise leaked_symbol(self.name, [x])
            key = (selection.default_device(), call.key)
            entry = self.concretes.pop(key, None)  # it becomes the last one of the dict
            stale = entry is not None and not (
                valid(entry[0]) and not (scope.tapes and entry[0].recorder.newly_followed(scope))
            )
            if entry is None or stale:
                entry = self.new_entry(key, call, stale)
            self.concretes[key] = entry
            arguments = (*args, *kwargs.values())
            # The contents of a container could change.
            simple = all(type(x) in SIMPLE for x in arguments)
            self.latest = Latest(entry[0], arguments, tuple(kwargs), version) if simple else None
        return entry[0], call.tensors, [*owner, *call.statics]

    def owner(self) -> list[Any]:
        """The object whose method this is, which a trace does not keep alive."""
        return [self.python.instance()] if isinstance(self.python, _Method) else []

    def new_entry(self, key: tuple[Hashable, Hashable], call: Call, stale: bool) -> Entry:
        """A new trace for a call, or for new sizes a trace from the template; ``stale``: the last one is invalid."""
        drop_oldest(self.concretes)
        owner = weakref.ref(self)

        def forget(_: object) -> None:
            function = owner()
            if function is not None:
                function.concretes.pop(key, None)

        references = [weakref.ref(x, forget) for x in call.statics]

        def body() -> Callable[[list[Tensor]], Any]:
            self.retraces.count(call)
            return call.caller(self.python)

        patterns = [] if self.inputs is None else self.inputs.patterns(call)
        if patterns:
            drop_oldest(self.templates.known)
            return self.templates.concrete((key[0], call.general), patterns, body, stale), references
        inputs = [(name, x.type, x.array.shape) for name, x in zip(call.names, call.tensors, strict=True)]
        return Concrete(self.name, inputs, body(), True), references


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
    for key in list(entries)[: max(0, len(entries) - KEPT + 1)]:
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


def valid(concrete: Concrete) -> bool:
    """Whether the conditions hold under which the function was traced."""
    return all(condition() for condition in concrete.guards)
