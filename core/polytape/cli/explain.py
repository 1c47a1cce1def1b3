"""Show which kernel an op would run on the given operands, and why the others were not chosen."""

from __future__ import annotations

import argparse
import ast
from typing import Any

from ..errors import DTypeError, PolytapeError

__all__ = ["add_arguments", "run"]

_GRAMMAR = "dtype[shape] such as float32[2,3], a number, or attribute=value"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("op", metavar="OP", help="name of the op, such as add or nn.softmax")
    parser.add_argument("operands", metavar="OPERAND", nargs="*", help=_GRAMMAR)
    parser.add_argument("--device", help="device of the operands, such as numba or gpu:0; default: the default device")


def _invalid_operand(word: str) -> PolytapeError:
    return DTypeError(
        f"{word!r} is not a valid operand.",
        expected=_GRAMMAR,
        got=repr(word),
        fix="for example: polytape explain add 'float32[2,3]' 2.0; polytape explain sum 'float32[8]' axis=0",
    )


def _literal(word: str, text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        raise _invalid_operand(word) from None


def _tensor(word: str, device: str | None) -> Any:
    import polytape as pt

    dtype, _, rest = word.partition("[")
    sizes = rest.removesuffix("]").strip()
    if not rest.endswith("]") or not all(size.strip().isdigit() for size in sizes.split(",") if sizes):
        raise _invalid_operand(word)
    shape = tuple(int(size) for size in sizes.split(",") if sizes)
    return pt.zeros(shape, dtype=dtype, device=device)


def _find_op(name: str) -> Any:
    from ..registry.tables import ops

    known = ops()
    op = known.get(name) or known.get(name.rpartition(".")[2])  # nn.softmax is registered as softmax
    if op is not None:
        return op
    import difflib

    near = difflib.get_close_matches(name, known, 1)
    raise DTypeError(
        f"no op {name!r}.",
        expected=f"one of {', '.join(sorted(known))}",
        got=repr(name),
        fix=f"did you mean {near[0]!r}?" if near else "use one of these",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the result of `polytape.explain`."""
    import polytape as pt

    operands: list[Any] = []
    attributes: dict[str, Any] = {}
    op = _find_op(arguments.op)  # importing polytape has declared it
    for word in arguments.operands:
        name, equals, value = word.partition("=")
        if equals:
            attributes[name.strip()] = _literal(word, value)
        elif "[" in word and not word.startswith("["):
            operands.append(_tensor(word, arguments.device))
        else:
            operands.append(_literal(word, word))
    print(pt.explain(op, *operands, **attributes))
    return 0
