"""The complete docstring of an op: the text of its declaration and the facts that its rules state.

A declaration's docstring contains only what is specific to the op. Operands, attributes, the result and the errors
follow from the dtype and shape rules, and the source follows from the op's name if the array API standard has it.
Nothing here runs at import: a docstring is completed when it is read.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable
from typing import Any, Final

from ..registry.op import Op

__all__ = ["SECTIONS", "STANDARD", "Facts", "complete", "facts_of", "in_source", "sections"]

SECTIONS: Final = ("Args", "Returns", "Raises", "Source", "Example")

# The functions of the Python array API standard 2025.12.
_NAMES: Final = """
    abs acos acosh add all any arange argmax argmin argsort asarray asin asinh astype atan atan2 atanh bitwise_and
    bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor broadcast_arrays broadcast_to can_cast
    ceil clip concat conj copysign cos cosh count_nonzero cumulative_prod cumulative_sum diff divide empty empty_like
    equal exp expand_dims expm1 eye finfo flip floor floor_divide from_dlpack full full_like greater greater_equal hypot
    iinfo imag isdtype isfinite isin isinf isnan less less_equal linspace log log10 log1p log2 logaddexp logical_and
    logical_not logical_or logical_xor matmul matrix_transpose max maximum mean meshgrid min minimum moveaxis multiply
    negative nextafter nonzero not_equal ones ones_like permute_dims positive pow prod real reciprocal remainder repeat
    reshape result_type roll round searchsorted sign signbit sin sinh sort sqrt square squeeze stack std subtract sum
    take take_along_axis tan tanh tensordot tile tril triu trunc unique_all unique_counts unique_inverse unique_values
    unstack var vecdot where zeros zeros_like
"""
STANDARD: Final = frozenset(_NAMES.split())

# Attributes with the same meaning in every op.
_ATTRIBUTES: Final = {"device": "default: where new tensors go.", "dtype": "of the result."}


class Facts:
    """A dtype or shape rule in words; see `polytape.ops.declaration.states`.

    Attributes:
        takes, returns, rejects: as the rule states them; empty if it does not.
        attributes: the meaning of each attribute that the rule reads, by name.
    """

    def __init__(self, stated: dict[str, str]) -> None:
        self.attributes = dict(stated)
        self.takes = self.attributes.pop("takes", "")
        self.returns = self.attributes.pop("returns", "")
        self.rejects = self.attributes.pop("rejects", "")


def facts_of(rule: Callable[..., Any]) -> Facts:
    """The facts that a rule states, which may be none."""
    return Facts(getattr(rule, "facts", {}))


def sections(docstring: str) -> dict[str, str]:
    """The sections of a docstring, by title; the text before the first section is under ``""``."""
    texts = {"": ""}
    current = ""
    for line in inspect.cleandoc(docstring).splitlines():
        if line.rstrip(":") in SECTIONS and line.endswith(":"):
            current = line[:-1]
            texts[current] = ""
        else:
            texts[current] += line + "\n"
    return {title: text.strip("\n") for title, text in texts.items()}


def in_source(cls: type) -> str | None:
    """The docstring that a class has in its source file, which is installed beside the compiled one."""
    import ast
    import sys

    file = sys.modules[cls.__module__].__file__ or ""
    source = os.path.join(os.path.dirname(file), os.path.basename(file).partition(".")[0] + ".py")
    try:
        with open(source, encoding="utf-8") as opened:
            tree = ast.parse(opened.read())
    except OSError:
        return None
    found = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == cls.__name__]
    return ast.get_docstring(found[0]) if found else None


def complete(op: Op, given: dict[str, str] | None = None) -> str | None:
    """The complete docstring of an op; None if Python runs without docstrings.

    Args:
        op: the op.
        given: the sections to complete; default: those of its declaration.
    """
    declared = op.body.__doc__
    if declared is None:
        return None
    given = sections(declared) if given is None else given
    dtype, shape = facts_of(op.dtype_rule), facts_of(op.shape_rule)
    completed = {
        "Args": _arguments(op, dtype, shape, given.get("Args", "")),
        "Returns": given.get("Returns") or _returns(op, dtype, shape),
        "Raises": given.get("Raises") or _raises(op, dtype, shape),
        "Source": given.get("Source") or _source(op.name),
        "Example": given.get("Example", ""),
    }
    return "\n".join([given.get("", ""), "", *(f"{title}:\n{text}" for title, text in completed.items() if text)])


def _arguments(op: Op, dtype: Facts, shape: Facts, declared: str) -> str:
    """A line per parameter: from the declaration, or from the rules; operands with the same text share a line."""
    entries = _entries(declared)
    lines: list[str] = []
    undescribed = [name for name in op.operands if name not in entries]
    for name in (*op.parameters, *op.accepts):
        if name in entries:
            lines.append(entries.pop(name))
        elif undescribed and name == undescribed[0]:
            lines.append(f"    {', '.join(undescribed)}: {_operands(op, dtype, shape)}.")
        elif name not in op.operands:
            meaning = shape.attributes.get(name) or dtype.attributes.get(name) or _ATTRIBUTES.get(name, "")
            if meaning:
                lines.append(f"    {name}: {_filled(meaning, op)}")
    return "\n".join(line for line in lines if line)


def _entries(section: str) -> dict[str, str]:
    """The entries of an ``Args`` section by parameter; of several names in one entry, the first has the text."""
    entries: dict[str, str] = {}
    for entry in re.split(r"\n(?=    \S)", section):
        names = entry.strip().partition(":")[0].split(", ")
        for position, name in enumerate(names):
            entries[name] = entry if position == 0 else ""
    return entries


def _operands(op: Op, dtype: Facts, shape: Facts) -> str:
    takes = dtype.takes or "any dtype"
    if op.floating:  # integers and bools are cast first
        takes = "real" if takes == "real floating" else "any dtype"
    text = f"{takes}{shape.takes or '[...]'}"
    several = len(op.operands) > 1 or op.variadic
    if op.elementwise and len(op.operands) > 1:
        return f"{text}, broadcast and promoted together"
    return f"{text}, promoted together" if several and op.promotes else text


def _filled(text: str, op: Op) -> str:
    return text.replace("{x}", " and ".join(f"``{name}``" for name in op.operands))


def _returns(op: Op, dtype: Facts, shape: Facts) -> str:
    several = len(op.operands) > 1 or op.variadic
    same_shape, same_dtype = shape.returns == "same", dtype.returns == "same"
    if same_shape and same_dtype and not several:
        return _filled(f"    Shape and dtype of {{x}}{'; float32 for integers and bools' if op.floating else ''}.", op)
    shape_text = ("the broadcast shape" if several else "shape of {x}") if same_shape else shape.returns
    dtype_text = ("the promoted dtype" if several else "dtype of {x}") if same_dtype else dtype.returns
    if op.floating:
        dtype_text = "the promoted floating dtype" if several else "the dtype of {x}; float32 for integers and bools"
    texts = [text for text in (shape_text, dtype_text) if text]
    if same_dtype and not several and not op.floating and not same_shape and shape.returns.startswith("{x}"):
        texts = [shape_text]  # "x without the reduced axes" implies its dtype
    text = _filled(", ".join(texts), op)
    return f"    {text[:1].upper()}{text[1:]}." if text else ""


def _raises(op: Op, dtype: Facts, shape: Facts) -> str:
    several = len(op.operands) > 1 or op.variadic
    errors = []
    if shape.rejects:
        errors.append(f"ShapeError: {_filled(shape.rejects, op)}.")
    rejects = dtype.rejects
    if op.floating:
        rejects = "complex" if rejects == "not real floating" else ""
    if rejects:
        errors.append(f"DTypeError: {_rejected(op, rejects, several)}.")
    return f"    {' '.join(errors)}" if errors else ""


def _rejected(op: Op, rejects: str, several: bool) -> str:
    """Which operands a dtype rule rejects: ``bool operands``, or ``x is bool`` for a single operand."""
    if rejects.startswith("``"):
        return rejects
    if not several:
        return _filled(f"{{x}} is {rejects}", op)
    return f"operands that are {rejects}" if rejects.startswith("not ") else f"{rejects} operands"


def _source(name: str) -> str:
    return f"    Array API standard 2025.12, ``{name}``." if name in STANDARD else ""
