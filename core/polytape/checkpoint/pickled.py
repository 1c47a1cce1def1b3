"""Reading the pickle of a PyTorch state dict without executing it.

`pickletools.genops` splits the text into opcodes. The interpreter here knows those that build numbers, strings,
containers and tensors. It looks up no name and calls nothing: a class is only a name, and of those that are called,
the few that make a tensor become a `Rebuilt`.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Global", "Rebuilt", "Storage", "read_pickle"]

_MAX_OPCODES: Final = 20_000_000
_MARK: Final = object()


class Global:
    """The name of a class or function; nothing is imported."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: Final = name

    def __repr__(self) -> str:
        return f"Global({self.name!r})"


class Storage:
    """A reference to the bytes of tensors, which are a file of the archive."""

    __slots__ = ("identity",)

    def __init__(self, identity: Any) -> None:
        self.identity: Final = identity

    def __repr__(self) -> str:
        return f"Storage({self.identity!r})"


class Rebuilt:
    """A call that would make a tensor: the name of the function, and its arguments."""

    __slots__ = ("arguments", "name")

    def __init__(self, name: str, arguments: tuple[Any, ...]) -> None:
        self.name: Final = name
        self.arguments: Final = arguments

    def __repr__(self) -> str:
        return f"Rebuilt({self.name!r})"


_CALLED: Final = frozenset(
    ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_parameter")
)
_CONSTANTS: Final[dict[str, Any]] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES: Final = frozenset(
    (
        "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "INT", "LONG", "BINFLOAT", "FLOAT",
        "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE",
    )
)  # fmt: skip
_EMPTY: Final[dict[str, Callable[[], Any]]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_PUT: Final = frozenset(("BINPUT", "LONG_BINPUT", "PUT"))
_GET: Final = frozenset(("BINGET", "LONG_BINGET", "GET"))
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read_pickle(raw: bytes) -> Any:
    """What a pickle describes: numbers, strings, None, dicts, lists, tuples, and `Rebuilt` tensors.

    Raises:
        ValueError: it is damaged, or contains anything else; the message says what.
    """
    machine = _Machine()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(raw)):
        if opcode.name == "STOP":
            return machine.pop()
        if count > _MAX_OPCODES:
            raise ValueError(f"more than {_MAX_OPCODES} opcodes")
        machine.run(opcode.name, argument)
    raise ValueError("it does not end")


class _Machine:
    """The stack and the memo of a pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is _MARK:
            raise ValueError("a value is missing")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        for position in range(len(self.stack) - 1, -1, -1):
            if self.stack[position] is _MARK:
                values = self.stack[position + 1 :]
                del self.stack[position:]
                return values
        raise ValueError("a mark is missing")

    def run(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _VALUES:
            stack.append(argument)
        elif name in _GET:
            if int(argument) not in self.memo:
                raise ValueError(f"it refers to {argument}, which it has not stored")
            stack.append(self.memo[int(argument)])
        elif name in _PUT or name == "MEMOIZE":
            self.memo[len(self.memo) if name == "MEMOIZE" else int(argument)] = self._top()
        elif name == "MARK":
            stack.append(_MARK)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "TUPLE":
            stack.append(tuple(self.pop_to_mark()))
        elif name in _TUPLES:
            values = [self.pop() for _ in range(_TUPLES[name])]
            stack.append(tuple(reversed(values)))
        else:
            self._run_rare(name, argument)

    def _run_rare(self, name: str, argument: Any) -> None:
        if name in ("SETITEM", "SETITEMS"):
            values = [self.pop(), self.pop()][::-1] if name == "SETITEM" else self.pop_to_mark()
            self._set_items(values)
        elif name in ("APPEND", "APPENDS"):
            values = [self.pop()] if name == "APPEND" else self.pop_to_mark()
            target = self._top()
            if type(target) is not list:
                raise ValueError("it appends to something that is not a list")
            target += values
        elif name == "GLOBAL":
            self.stack.append(Global(str(argument).replace(" ", ".")))
        elif name == "STACK_GLOBAL":
            attribute, module = self.pop(), self.pop()
            self.stack.append(Global(f"{module}.{attribute}"[:200]))
        elif name == "BINPERSID":
            self.stack.append(Storage(self.pop()))
        elif name in ("REDUCE", "NEWOBJ"):
            self._reduce()
        elif name == "BUILD":  # attributes, such as the `_metadata` of a state dict
            self.pop()
            self._top()
        elif name not in ("PROTO", "FRAME"):
            raise ValueError(f"the opcode {name}, which no state dict of tensors has")

    def _top(self) -> Any:
        if not self.stack or self.stack[-1] is _MARK:
            raise ValueError("a value is missing")
        return self.stack[-1]

    def _set_items(self, values: list[Any]) -> None:
        target = self._top()
        if type(target) is not dict or len(values) % 2:
            raise ValueError("it adds items to something that is not a dict")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if not isinstance(key, (str, int, float, bool)) and key is not None:
                raise ValueError(f"a dict has a key of type {type(key).__name__}")
            target[key] = value

    def _reduce(self) -> None:
        arguments, called = self.pop(), self.pop()
        name = called.name if isinstance(called, Global) else type(called).__name__
        if name == "collections.OrderedDict" and arguments == ():
            self.stack.append({})
        elif name in _CALLED and type(arguments) is tuple:
            self.stack.append(Rebuilt(name, arguments))
        else:
            raise ValueError(f"it would call {name}, which no state dict of tensors needs"[:200])
