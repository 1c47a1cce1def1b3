'''The tables of TensorFlow 1.7's names: where only names differ, an adapter is one row.

A row is ``signature:`` and, on the next line, indented, an expression. The signature is TensorFlow 1.7.0's, with its
defaults; the expression is what the name computes, in terms of polytape (``pt``), the parameters, and the converters of
`polytape.compat.tf1.convert`, and functions of `polytape.compat.tf1.compose`::

    ROWS = """
    add(x, y, name=None):
        pt.add(*same(x, y))
    zeros(shape, dtype=tf.float32, name=None):
        pt.zeros(sizes(shape), dtype=lookup(dtype))
    reduce_sum(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
        pt.sum(input_tensor, axis=axes(axis, reduction_indices), keepdims=either(keepdims, keep_dims))
    """

A row becomes a function when its name is first read: `inspect.signature` shows 1.7's signature with types, ``help``
says what it calls, ``function.row`` is the row. The function needs eager mode, and raises polytape's errors as errors
that are TensorFlow's too (`polytape.compat.op_errors`).

What takes several steps is a function in ``compose/`` that a row calls, as long as its arguments are plain. What takes
functions or keeps state is a function in ``adapters/``, decorated with `adapter`, which does the same two things.

A namespace such as ``tf.nn`` is a module with these lines::

    TABLE = Table("nn", rows=ROWS, adapters={"adapters.convolutions": ("conv2d", "conv3d")}, missing=MISSING)
    __all__ = TABLE.names()
    __getattr__ = TABLE.find
    def __dir__() -> list[str]: return TABLE.names()

``adapters`` maps modules of ``polytape.compat.tf1`` to the names that each defines; a module is loaded when one of them
is read. ``missing`` has a line ``name: what to write instead`` for names that do not exist here; the AttributeError
says it. ``values`` are other public objects, ``modules`` the namespace's own modules, ``shared`` names of ``tf``.
'''

from __future__ import annotations

import ast
import difflib
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from ...errors import PolytapeError, UnknownNameError
from ..mode import building, need_eager
from ..op_errors import translated
from .graph import operators as _operators  # noqa: F401  # gives the tensors of graphs their operators
from .graph.op_names import names_of
from .graph.recording import record, record_call

__all__ = ["Row", "Table", "adapter", "anywhere", "parsed", "recorded", "switched"]

F = TypeVar("F", bound=Callable[..., Any])
# The modules whose functions expressions may use.
VOCABULARY: Final = (
    "convert",
    "compose.arrays",
    "compose.assertions",
    "compose.blocks",
    "compose.colors",
    "compose.images",
    "compose.indexing",
    "compose.matrices",
    "compose.neural",
    "compose.numbers",
    "compose.windows",
)
# The types of parameters, by name, that generated functions show; the other parameters are tensors.
TYPES: Final[Mapping[str, str]] = {
    "name": "str | None",
    "dtype": "DTypeLike",
    "out_type": "DTypeLike",
    "output_type": "DTypeLike",
    "axis": "int | Sequence[int] | None",
    "reduction_indices": "int | Sequence[int] | None",
    "dim": "int | None",
    "dimension": "int | None",
    "keepdims": "bool | None",
    "keep_dims": "bool | None",
    "shape": "ShapeLike",
    "seed": "int | None",
    "validate_indices": "bool | None",
    "data_format": "str | None",
    "padding": "str",
    "parallel_iterations": "int",
    "back_prop": "bool",
    "use_locking": "bool",
}


class Row(NamedTuple):
    """A row of a table: a public name, its parameters with defaults as source text, and the expression it computes."""

    name: str
    parameters: str
    expression: str

    @property
    def signature(self) -> str:
        """``name(parameters)``."""
        return f"{self.name}({self.parameters})"


def parsed(rows: str) -> dict[str, Row]:
    """The rows of a table by name.

    Raises:
        ValueError: a line is not of the form ``name(parameters): expression``, or a name is there twice.
    """
    found: dict[str, Row] = {}
    for text in re.split(r"\n(?=\S)", rows.strip("\n")):
        line = " ".join(text.split())
        name, parenthesis, rest = line.partition("(")
        parameters, separator, expression = rest.partition("): ")
        if line and (not separator or not parenthesis or not name.isidentifier() or name in found):
            raise ValueError(f"not a row, or a second row of the same name: {line}")
        if line:
            found[name] = Row(name, parameters, expression)
    return found


def adapter(function: F) -> F:
    """Let ``function`` run in eager mode only, and raise errors that are TensorFlow's too."""
    name = function.__name__

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        need_eager(name)
        try:
            return function(*args, **kwargs)
        except PolytapeError as error:
            raise translated(error).with_traceback(None) from None

    return call  # type: ignore[return-value]  # the same signature


def switched(module: str) -> Callable[[F], F]:
    """A decorator as `adapter`; in graph mode the function of the same name in ``graph.module`` is called."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if building():
                found = importlib.import_module(f"polytape.compat.tf1.graph.{module}")
                return getattr(found, function.__name__)(*args, **kwargs)
            try:
                return function(*args, **kwargs)
            except PolytapeError as error:
                raise translated(error).with_traceback(None) from None

        return call  # type: ignore[return-value]  # the same signature

    return decorate


def anywhere(function: F) -> F:
    """A decorator as `adapter`, for a function that is the same in both modes."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except PolytapeError as error:
            raise translated(error).with_traceback(None) from None

    return call  # type: ignore[return-value]  # the same signature


def recorded(place: str = "") -> Callable[[F], F]:
    """A decorator as `adapter`, for a function below ``tf.place``; in graph mode its calls become operations."""

    def decorate(function: F) -> F:
        path, signature = _public(place, function.__name__), inspect.signature(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if building():
                bound = signature.bind(*args, **kwargs)
                return record(lambda given: function(*given[0], **given[1]), [bound.args, bound.kwargs], *names(bound))
            try:
                return function(*args, **kwargs)
            except PolytapeError as error:
                raise translated(error).with_traceback(None) from None

        def names(bound: inspect.BoundArguments) -> tuple[str, str, str]:
            return names_of(path, bound.arguments.get("name") or bound.arguments.get("scope"))

        return call  # type: ignore[return-value]  # the same signature

    return decorate


@functools.cache
def _vocabulary() -> dict[str, Any]:
    """The names that expressions may use beside the parameters."""
    names: dict[str, Any] = {
        "__name__": __name__,  # polytape's own frames see native tensors; see polytape.compat.look
        "pt": importlib.import_module("polytape"),
        "tf": importlib.import_module("polytape.compat.tf1.dtypes"),
        "PolytapeError": PolytapeError,
        "building": building,
        "record_call": record_call,
        "translated": translated,
    }
    for name in VOCABULARY:
        module = importlib.import_module(f"polytape.compat.tf1.{name}")
        names.update({public: getattr(module, public) for public in module.__all__})
    return names


def compiled(row: Row, place: str) -> Callable[..., Any]:
    """The function of a row."""
    source = (
        f"def {row.name}({row.parameters}):\n"
        f"    if building():\n"
        f"        return record_call({row.name}, locals(), {_public(place, row.name)!r})\n"
        f"    try:\n"
        f"        return {row.expression}\n"
        f"    except PolytapeError as error:\n"
        f"        failure = error\n"
        f"    raise translated(failure).with_traceback(None) from None\n"
    )
    scope = dict(_vocabulary())
    exec(compile(source, f"<tf.{_public(place, row.name)}>", "exec"), scope)  # the text is ours
    function: Callable[..., Any] = scope[row.name]
    function.__module__ = "polytape.compat.tf1" + (f".{place}" if place else "")
    parameters = inspect.signature(function).parameters
    function.__annotations__ = {name: TYPES.get(name, "TensorLike") for name in parameters} | {"return": "Tensor"}
    function.__doc__ = documentation(row, place)
    function.row = row  # type: ignore[attr-defined]
    return function


def documentation(row: Row, place: str) -> str:
    """The docstring of a row's function: what the op that it calls computes, and the call."""
    summary = ""
    for called in called_ops(row.expression):
        target = functools.reduce(getattr, called.split("."), importlib.import_module("polytape"))
        summary = (inspect.getdoc(target) or "").partition("\n\n")[0].replace("\n", " ")
        break
    lines = [summary or f"TensorFlow 1.7's ``{row.name}``."]
    lines += ["", f"``tf.{_public(place, row.name)}`` of TensorFlow 1.7. It computes::", "", f"    {row.expression}"]
    return "\n".join(lines)


def called_ops(expression: str) -> list[str]:
    """The names below ``pt`` that an expression uses, such as ``nn.relu``, outermost first."""
    return [
        ast.unparse(node)[3:]
        for node in ast.walk(ast.parse(expression, mode="eval"))
        if isinstance(node, ast.Attribute) and re.fullmatch(r"pt(\.\w+)+", ast.unparse(node))
    ]


def _public(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


class Table:
    """The public names of a namespace, made or imported when they are first read.

    Args:
        place: the namespace below ``tf``, such as ``"nn"``; ``""`` is ``tf`` itself.
        rows: the text of the rows.
        adapters: modules of ``polytape.compat.tf1`` by name, each with the public names that it defines.
        missing: lines ``name, name: what to write instead`` for names that do not exist here.
        values: other public objects by name.
        modules: the names of modules below this namespace.
        shared: by public name, the name that the same object has in ``tf``.
    """

    def __init__(
        self,
        place: str,
        rows: str = "",
        adapters: Mapping[str, Sequence[str]] | None = None,
        missing: str = "",
        values: Mapping[str, Any] | None = None,
        modules: Sequence[str] = (),
        shared: Mapping[str, str] | None = None,
    ) -> None:
        self.place = place
        self.rows = parsed(rows)
        self.adapters = {name: module for module, names in (adapters or {}).items() for name in names}
        self.modules = tuple(modules)
        self.shared = dict(shared or {})
        self.missing: dict[str, str] = {}
        for line in filter(None, map(str.strip, missing.splitlines())):
            names, fix = line.split(": ", 1)
            self.missing.update({name: fix.replace("{name}", name) for name in names.split(", ")})
        self.values: dict[str, Any] = dict(values or {})
        # What exists needs no advice: tables of names are joined, and one part may have what another misses.
        self.missing = {name: fix for name, fix in self.missing.items() if name not in self.names()}

    def names(self) -> list[str]:
        """All public names, sorted."""
        return sorted({*self.rows, *self.adapters, *self.values, *self.modules, *self.shared})

    def find(self, name: str) -> Any:
        """The object of a public name.

        Raises:
            UnknownNameError: there is none; the error says what to write instead.
        """
        if name not in self.values:
            if name in self.rows:
                self.values[name] = compiled(self.rows[name], self.place)
            elif name in self.adapters:
                module = importlib.import_module(f"polytape.compat.tf1.{self.adapters[name]}")
                self.values[name] = getattr(module, name)
            elif name in self.shared:
                self.values[name] = importlib.import_module("polytape.compat.tf1").TABLE.find(self.shared[name])
            elif name in self.modules:
                path = _public(self.place, name)
                self.values[name] = importlib.import_module(f"polytape.compat.tf1.{path}")
            else:
                raise self.unknown(name)
        return self.values[name]

    def unknown(self, name: str) -> AttributeError:
        """The error for a name that does not exist here."""
        if name.startswith("__"):  # asked by Python itself, for example by `from module import *`
            return AttributeError(name)
        public = f"tf.{_public(self.place, name)}"
        near = difflib.get_close_matches(name, self.names(), 1)
        fix = self.missing.get(name) or (f"did you mean {near[0]}?" if near else "dir() of the module lists the names")
        return UnknownNameError(
            f"{public} does not exist in polytape.compat.",
            expected="a name that eager programs for TensorFlow 1.7 use",
            got=public,
            fix=fix,
        )
