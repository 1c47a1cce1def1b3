"""Docstrings of ops: the text of the declaration, completed with the facts that the rules state."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import polytape as pt
from polytape import dtypes
from polytape.errors import DTypeError
from polytape.ops import dtype_rules, shape_rules
from polytape.ops.declaration import build
from polytape.ops.documentation import complete, facts_of, in_source, sections
from polytape.testing import own_ops


def documented(body: Any, dtype: Any, shape: Any, **options: Any) -> str:
    """The docstring of an op that is not registered."""
    op = build(body, dtype, shape, (), None, (), ())
    for name, value in options.items():
        setattr(op, name, value)
    return complete(op) or ""


def test_the_docstring_of_an_elementwise_op_is_completed_from_one_line() -> None:
    assert pt.add.__doc__ == (
        "``x1 + x2``, elementwise.\n\n"
        "Args:\n    x1, x2: numeric[...], broadcast and promoted together.\n"
        "Returns:\n    The broadcast shape, the promoted dtype.\n"
        "Raises:\n    ShapeError: shapes that do not broadcast. DTypeError: bool operands.\n"
        "Source:\n    Array API standard 2025.12, ``add``."
    )


def test_the_text_of_a_declaration_replaces_the_generated_text() -> None:
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


def test_an_op_that_casts_integers_and_bools_documents_it() -> None:
    parts = sections(pt.divide.__doc__ or "")
    assert parts["Args"] == "    x1, x2: any dtype[...], broadcast and promoted together."
    assert parts["Returns"] == "    The broadcast shape, the promoted floating dtype."
    assert "DTypeError" not in parts["Raises"]
    parts = sections(pt.nn.sigmoid.__doc__ or "")
    assert parts["Args"] == "    x: real[...]."
    assert parts["Returns"] == "    Shape and dtype of ``x``; float32 for integers and bools."
    assert parts["Raises"] == "    DTypeError: ``x`` is complex."


@pytest.mark.parametrize("op", own_ops().values(), ids=str)
def test_every_parameter_of_an_op_is_described_once(op: Any) -> None:
    entries = [line.strip() for line in sections(op.__doc__)["Args"].splitlines() if line[4:5] != " "]
    described = [name for entry in entries for name in entry.partition(":")[0].split(", ")]
    assert described == [*op.parameters, *op.accepts]


MEMBERS = {
    "bool": ("bool",),
    "numeric": ("int8", "uint64", "float16", "float64", "complex64"),
    "real numeric": ("int8", "uint64", "float16", "float64"),
    "real": ("bool", "int8", "uint64", "float16", "float64"),
    "floating": ("float16", "float64", "complex64"),
    "real floating": ("float16", "float64"),
    "integer": ("int8", "uint64"),
    "integer or bool": ("bool", "int8", "uint64"),
    "complex": ("complex64",),
    "any dtype": ("bool", "int8", "uint64", "float16", "float64", "complex64"),
}
EVERY_DTYPE = MEMBERS["any dtype"]


def rules_of(module: Any) -> list[Any]:
    """The rules of a module that state facts."""
    return [rule for rule in vars(module).values() if callable(rule) and hasattr(rule, "facts")]


def with_one_operand(rule: Any) -> bool:
    """Whether a dtype rule takes one operand and no attributes."""
    code = rule.__code__
    return bool(code.co_argcount == 1 and not code.co_kwonlyargcount)


@pytest.mark.parametrize(
    "rule", [rule for rule in rules_of(dtype_rules) if with_one_operand(rule)], ids=lambda r: r.__name__
)
def test_a_dtype_rule_accepts_the_dtypes_it_states_and_rejects_all_others(rule: Any) -> None:
    facts = facts_of(rule)
    for name in EVERY_DTYPE:
        if name in MEMBERS[facts.takes]:
            result = rule(dtypes.lookup(name))
            parts = {"complex64": "float32", "complex128": "float64"}.get(name, name)
            returned = {"same": name, "the dtype of the parts": parts}
            returned["the real dtype of the same precision"] = parts
            assert result.name == returned.get(facts.returns, facts.returns)
        else:
            assert facts.rejects
            with pytest.raises(DTypeError):
                rule(dtypes.lookup(name))


@pytest.mark.parametrize("rule", [*rules_of(dtype_rules), *rules_of(shape_rules)], ids=lambda r: r.__name__)
def test_a_rule_states_its_result_and_its_attributes(rule: Any) -> None:
    facts = facts_of(rule)
    assert facts.returns
    code = rule.__code__
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    assert set(facts.attributes) <= set(keywords)
    assert set(keywords) - set(facts.attributes) <= {"dtype"}  # the meaning of dtype differs between ops


@pytest.mark.parametrize("cls", [pt.Tensor, pt.Variable, pt.GradientTape, pt.Device, pt.Backend, pt.Kernel])
def test_public_classes_have_docstrings_compiled_too(cls: type) -> None:
    text = cls.__doc__ or ""
    assert len(text.split(".")[0].split()) > 3
    assert inspect.getdoc(cls) == inspect.cleandoc(text)
    if cls is pt.Variable:
        assert "trainable:" in text and pt.Variable(1.0).__doc__ == text


def test_the_docstring_in_the_source_is_the_class_s_own() -> None:
    assert in_source(pt.Tensor) == inspect.cleandoc(pt.Tensor.__doc__ or "")
    assert in_source(type("Absent", (), {"__module__": "polytape.device"})) is None
