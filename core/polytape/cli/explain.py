"""Show which kernel an op would run on the given operands, and why the others were not chosen.

The exit status is 1 if the call would raise an error, which is shown instead.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from typing import Any, Final

from ..errors import DTypeError, PolytapeError, ShapeError
from ..registry.tables import get_op
from ..settings import settings

__all__ = ["add_arguments", "run"]

_GRAMMAR: Final = "dtype[shape] such as float32[2,3], a number, or attribute=value"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("op", metavar="OP", help="name of the op, such as add or nn.softmax")
    parser.add_argument("operands", metavar="OPERAND", nargs="*", help=_GRAMMAR)
    parser.add_argument("--device", help="device of the operands, such as numba or gpu:0; default: the default device")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


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
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _invalid_operand(word) from None


def _tensor(word: str, device: str | None) -> Any:
    import polytape as pt

    dtype, _, rest = word.partition("[")
    sizes = [size.strip() for size in rest.removesuffix("]").split(",")] if rest.strip(" ]") else []
    if not rest.endswith("]") or not all(size.isascii() and size.isdigit() and len(size) < 16 for size in sizes):
        raise _invalid_operand(word)
    try:
        return pt.zeros(tuple(map(int, sizes)), dtype=dtype, device=device)
    except (MemoryError, ValueError, OverflowError) as error:
        if isinstance(error, PolytapeError):
            raise
        raise ShapeError(
            f"a tensor {word} cannot be made: {error}",
            expected="operands that fit into memory, because predicates may look at them",
            got=word,
            fix="use smaller sizes",
        ) from None


def _outcome(arguments: argparse.Namespace) -> dict[str, Any]:
    """The explanation as JSON values, with its text.

    Raises:
        PolytapeError: there is no such op, an operand is not valid, or no kernel serves the call.
    """
    from ..dispatch.explanation import explanation

    op = get_op(arguments.op.rpartition(".")[2])  # nn.softmax is registered as softmax
    operands: list[Any] = []
    attributes: dict[str, Any] = {}
    for word in arguments.operands:
        name, equals, value = word.partition("=")
        if equals:
            value = value.strip()
            plain = value.isidentifier() and value not in ("None", "True", "False")  # dtype=int8
            attributes[name.strip()] = value if plain else _literal(word, value)
        elif "[" in word and not word.startswith("["):
            operands.append(_tensor(word, arguments.device))
        else:
            operands.append(_literal(word, word))
    if op.creates and arguments.device:
        attributes.setdefault("device", arguments.device)
    found = explanation(op, operands, attributes)
    return {**found.as_json(), "text": str(found)}


def run(arguments: argparse.Namespace) -> int:
    """Print the result of `polytape.explain`, or the error of the call."""
    try:
        outcome = _outcome(arguments)
    except Exception as error:  # rules and predicates raise any error for arguments that they do not expect
        if settings().full_traceback:
            raise
        text = str(error) if isinstance(error, PolytapeError) else f"{type(error).__name__}: {error}"
        if not arguments.json:
            print(f"polytape explain: {text}", file=sys.stderr)
            return 1
        outcome = {"how": "error", "error": text, "text": text}
    text = outcome.pop("text")
    print(json.dumps(outcome, indent=2) if arguments.json else text)
    return int(outcome["how"] == "error")
