"""What TensorFlow's variables have in a graph. The members are added with the first variable of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from ....tensors.variable import Variable
from ...look import inside
from ...mode import building
from ..convert import tensor
from ..dtypes import ref_dtype, tensor_dtype
from .defaults import evaluate
from .operators import operate
from .recording import record
from .tensors import BINARY, COMPARISONS, UNARY
from .variables import GraphVariable, assigned_value, graph_variable

__all__ = ["dress_variables"]


def _graph_method(function: Callable[..., Any], native: Callable[..., Any]) -> Callable[..., Any]:
    """``function(known, ...)`` for a variable of a graph while calls are recorded, otherwise the native method."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if building():
            known = graph_variable(self)
            if known is not None:
                return function(known, *args, **kwargs)
        return native(self, *args, **kwargs)

    method.__name__ = method.__qualname__ = getattr(native, "__name__", "method")
    method.__doc__ = native.__doc__
    return method


def _graph_property(read: Callable[[GraphVariable], Any], native: Any, doc: str) -> property:
    def get(self: Any) -> Any:
        known = graph_variable(self)
        return native.__get__(self, type(self)) if known is None else read(known)

    return property(get, doc=doc)


# --- assignments and reads --------------------------------------------------------------------------------------------


def _assigning(type: str, change: Callable[[Variable, Any], Any]) -> Callable[..., Any]:
    def assign(known: GraphVariable, value: Any, use_locking: bool = False, name: str | None = None) -> Any:
        found = record(lambda given: change(*given), [known.variable, value], type, name or type)
        found.is_ref = True
        return found

    return assign


def _added(variable: Variable, value: Any) -> Any:
    return variable.assign_add(tensor(value, variable.type.dtype)).read_value()


def _subtracted(variable: Variable, value: Any) -> Any:
    return variable.assign_sub(tensor(value, variable.type.dtype)).read_value()


def _read_value(known: GraphVariable) -> Any:
    return record(lambda x: x.read_value(), known.variable, "Identity", "read")


def _value(known: GraphVariable) -> Any:
    return known.snapshot


def _initialized_value(known: GraphVariable) -> Any:
    """The value if the variable has one, otherwise the initial value."""

    def chosen(given: Any) -> Any:
        variable, initial = given
        return initial if variable.array is known.symbol else variable.read_value()

    found = record(chosen, [known.variable, known.initial_value], "Merge", "cond", "/Merge", eager=True)
    found.op.reads = ()
    return found


def _load(known: GraphVariable, value: Any, session: Any = None) -> None:
    """Assign a value in a session, by default the innermost one."""
    evaluate("execute operation", known.initializer, {known.initializer.inputs[0]: value}, session, known.graph)


def _eval(known: GraphVariable, session: Any = None) -> Any:
    return evaluate("evaluate tensor", known.tensor, None, session, known.graph)


def _no_values(what: str) -> Callable[..., NoReturn]:
    def fail(known: GraphVariable, *args: Any) -> NoReturn:
        raise TypeError(f"{what} needs the value of the variable {known.name!r}: write session.run(variable)")

    return fail


def _not_iterable(known: GraphVariable) -> NoReturn:
    raise TypeError("'Variable' object is not iterable.")


def _numpy(known: GraphVariable) -> NoReturn:
    raise NotImplementedError("numpy() is only available when eager execution is enabled.")


def _text(known: GraphVariable, *_: Any) -> str:
    variable = known.variable
    return (
        f"<tf.Variable '{known.name}:0' shape={known.tensor.shape} dtype={known.tensor.dtype.name}_ref>"
        if known.tensor is not None
        else variable.name
    )


_METHODS: Final[dict[str, Callable[..., Any]]] = {
    "assign": _assigning("Assign", assigned_value),
    "assign_add": _assigning("AssignAdd", _added),
    "assign_sub": _assigning("AssignSub", _subtracted),
    "read_value": _read_value,
    "value": _value,
    "initialized_value": _initialized_value,
    "_as_graph_element": lambda known: known.tensor,
    "numpy": _numpy,
    "eval": _eval,
    "__bool__": _no_values("bool()"),
    "__float__": _no_values("float()"),
    "__int__": _no_values("int()"),
    "__array__": _no_values("numpy.asarray()"),
    "__iter__": _not_iterable,
    "__getitem__": lambda known, key: operate("getitem", known.variable, key),
}


def _operator(name: str, exchanged: bool = False) -> Callable[..., Any]:
    if exchanged:
        return lambda known, other: operate(name, other, known.variable)
    return lambda known, *others: operate(name, known.variable, *others)


def _missing(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise AttributeError("only variables of a graph have this method")


def dress_variables() -> None:
    """Give the class `polytape.Variable` these members; a second call changes nothing."""
    cls: Any = Variable
    if "load" in vars(cls):
        return
    members = dict(_METHODS)
    for name in (*BINARY, *COMPARISONS, *UNARY):
        members[f"__{name}__"] = _operator(name)
    for name in BINARY:
        members[f"__r{name}__"] = _operator(name, exchanged=True)
    for name in ("add", "sub", "mul", "truediv", "pow", "matmul"):  # TensorFlow's have none: `v += 1` is a new tensor
        members[f"__i{name}__"] = _operator(name)
    for name, function in members.items():
        setattr(cls, name, _graph_method(function, getattr(cls, name, _missing)))
    cls.load = _graph_method(_load, _missing)
    for name in ("__repr__", "__str__", "__format__"):
        setattr(cls, name, _graph_text(getattr(cls, name)))
    cls.dtype = _graph_dtype(cls.dtype)
    for name, read, doc in (
        ("op", lambda known: known.tensor.op, "The operation, or an object with the variable's name."),
        ("initializer", lambda known: known.initializer, "The operation that assigns the initial value."),
        ("initial_value", lambda known: known.initial_value, "The tensor that the initializer assigns."),
        ("graph", lambda known: known.graph, "The graph."),
    ):
        setattr(cls, name, _graph_property(read, getattr(cls, name, property(_missing)), doc))


def _graph_dtype(native: Any) -> property:
    def get(self: Any) -> Any:
        if graph_variable(self) is None or inside():
            return native.__get__(self, type(self))
        return ref_dtype(tensor_dtype(self.type.dtype))

    return property(get, doc=native.__doc__)


def _graph_text(native: Callable[..., str]) -> Callable[..., str]:
    def text(self: Any, *args: Any) -> str:
        known = graph_variable(self)
        return native(self, *args) if known is None else _text(known)

    return text
