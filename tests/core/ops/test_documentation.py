"""Docstrings of ops: the declaration's, completed with what the rules state."""

from __future__ import annotations

from typing import Any

import pytest

import polytape as pt
from polytape import dtypes
from polytape.errors import DTypeError
from polytape.ops import dtype_rules, shape_rules
from polytape.ops.declaration import build
from polytape.ops.documentation import complete, facts_of, sections
from polytape.testing import own_ops


def documented(body: Any, dtype: Any, shape: Any, **options: Any) -> str:
    """The docstring of an op that is not registered."""
    made = build(body, dtype, shape, (), None)
    for name, value in options.items():
        setattr(made, name, value)
    return complete(made) or ""


def test_an_elementwise_op_needs_one_line() -> None:
    assert pt.add.__doc__ == (
        "``x1 + x2``, elementwise.\n\n"
        "Args:\n    x1, x2: numeric[...], broadcast and promoted together.\n"
        "Returns:\n    The broadcast shape, the promoted dtype.\n"
        "Raises:\n    ShapeError: shapes that do not broadcast. DTypeError: bool operands.\n"
        "Source:\n    Array API standard 2024.12, ``add``."
    )


def test_a_line_of_the_declaration_stands_before_the_generated_one() -> None:
    def mine(x: pt.Tensor, /, *, axis: int = -1) -> pt.Tensor:
        """Mine.

        Args:
            axis: the axis to look along.
        Returns:
            Something else.
        """
        raise AssertionError

    text = documented(mine, dtype_rules.same_floating, shape_rules.along_axis)
    parts = sections(text)
    assert parts["Args"] == "    x: floating[...].\n    axis: the axis to look along."
    assert parts["Returns"] == "    Something else."
    assert parts["Raises"] == "    ShapeError: an axis that does not exist. DTypeError: ``x`` is not floating."
    assert "Source" not in parts


def test_integers_are_among_the_operands_of_an_op_that_casts_them() -> None:
    parts = sections(pt.divide.__doc__ or "")
    assert parts["Args"] == "    x1, x2: numeric[...], broadcast and promoted together."
    assert parts["Returns"] == "    The broadcast shape, the promoted floating dtype."
    assert "DTypeError" not in parts["Raises"]


@pytest.mark.parametrize("op", own_ops().values(), ids=str)
def test_every_parameter_of_an_op_is_described_once(op: Any) -> None:
    entries = [line.strip() for line in sections(op.__doc__)["Args"].splitlines() if line[4:5] != " "]
    named = [name for entry in entries for name in entry.partition(":")[0].split(", ")]
    assert named == list(op.parameters)


MEMBERS = {
    "bool": ("bool",),
    "numeric": ("int8", "uint64", "float16", "float64", "complex64"),
    "real": ("bool", "int8", "uint64", "float16", "float64"),
    "floating": ("float16", "float64", "complex64"),
    "real floating": ("float16", "float64"),
    "any dtype": ("bool", "int8", "uint64", "float16", "float64", "complex64"),
}
EVERY = MEMBERS["any dtype"]


def rules_of(module: Any) -> list[Any]:
    """The rules of a module that state facts."""
    return [rule for rule in vars(module).values() if callable(rule) and hasattr(rule, "facts")]


def with_one_operand(rule: Any) -> bool:
    """Whether a dtype rule is about one operand's dtype, and no attribute."""
    code = rule.__code__
    return bool(code.co_argcount == 1 and not code.co_kwonlyargcount)


@pytest.mark.parametrize(
    "rule", [rule for rule in rules_of(dtype_rules) if with_one_operand(rule)], ids=lambda r: r.__name__
)
def test_a_dtype_rule_accepts_what_it_states_and_rejects_the_rest(rule: Any) -> None:
    facts = facts_of(rule)
    for name in EVERY:
        if name in MEMBERS[facts.takes]:
            found = rule(dtypes.lookup(name))
            assert found.name == (name if facts.returns == "same" else facts.returns)
        else:
            assert facts.rejects
            with pytest.raises(DTypeError):
                rule(dtypes.lookup(name))


@pytest.mark.parametrize("rule", [*rules_of(dtype_rules), *rules_of(shape_rules)], ids=lambda r: r.__name__)
def test_a_rule_states_what_it_returns_and_its_attributes(rule: Any) -> None:
    facts = facts_of(rule)
    assert facts.returns
    code = rule.__code__
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    assert set(facts.attributes) <= set(keywords)
    assert set(keywords) - set(facts.attributes) <= {"dtype"}  # its meaning differs from op to op
