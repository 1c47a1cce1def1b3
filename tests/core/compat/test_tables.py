"""The tables: every row has 1.7.0's signature, and what a row makes can be inspected."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polytape.compat import tf1
from polytape.compat.tf1.tables import Row, Table, parsed

# Read from TensorFlow 1.7.0 with inspect: name -> parameters. The dtypes are written as tf.float32.
SIGNATURES: dict[str, str] = json.loads(
    (Path(__file__).parent / "data" / "signatures.json").read_text(encoding="utf-8")
)
# Names with parameters that differ, and why.
DIFFERENT = {
    "tf.enable_eager_execution": "also takes execution_mode, as later versions do",
    "tf.image.ResizeMethod": "a class of constants",
    "tf.Dimension": "made by __new__",
    "tf.DType": "made by name",
    "tf.GraphKeys": "a class of constants",
    "tf.VariableScope": "made by variable_scope",
    "tf.GradientTape": "polytape's own, with more arguments",
    "tf.IndexedSlices": "polytape's own",
    "tf.Tensor": "polytape's own, not made by calls",
    "tf.TensorShape": "made by __new__",
    "tf.Variable": "tfe.Variable in eager mode",
    "tf.nn.swish": "a decorated function in TensorFlow, without a signature",
}


def tables(table: Table = tf1.TABLE) -> Iterator[Table]:
    """The table of ``tf`` and those of its namespaces."""
    yield table
    for name in table.modules:
        module = table.find(name)
        if hasattr(module, "TABLE"):
            yield from tables(module.TABLE)


def public(table: Table, name: str) -> str:
    """The name as a program writes it."""
    return ".".join(filter(None, ("tf", table.place, name)))


def arguments(parameters: str) -> str:
    """Parameters in a form that does not depend on quotes and spaces."""
    function: Any = ast.parse(f"def f({parameters}): pass").body[0]
    return ast.dump(function.args)


def test_every_row_has_the_signature_of_tensorflow() -> None:
    rows = {public(table, name): row for table in tables() for name, row in table.rows.items()}
    assert len(rows) > 360
    wrong = [
        f"{name}({row.parameters}) instead of ({SIGNATURES.get(name)})"
        for name, row in rows.items()
        if name not in DIFFERENT and arguments(row.parameters) != arguments(SIGNATURES.get(name, "unknown"))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_adapter_has_the_parameters_of_tensorflow() -> None:
    wrong = []
    for table in tables():
        for name in {*table.adapters, *table.values} - set(table.rows):
            title, found = public(table, name), table.find(name)
            if title in SIGNATURES and title not in DIFFERENT and callable(found):
                names = [
                    str(p).partition(":")[0].partition("=")[0] for p in inspect.signature(found).parameters.values()
                ]
                wanted = [part.partition("=")[0].strip() for part in SIGNATURES[title].split(",") if part.strip()]
                if names != wanted:
                    wrong.append(f"{title}{names} instead of {wanted}")
    assert not wrong, "\n".join(wrong)


def test_a_row_makes_a_function_that_can_be_inspected() -> None:
    function = tf1.reduce_sum
    parameters = inspect.signature(function).parameters
    assert list(parameters)[:3] == ["input_tensor", "axis", "keepdims"] and parameters["axis"].default is None
    assert parameters["axis"].annotation == "int | Sequence[int] | None"
    assert (function.__name__, function.__module__) == ("reduce_sum", "polytape.compat.tf1")
    assert function.row == tf1.TABLE.rows["reduce_sum"]
    assert "Sum over axes" in inspect.getdoc(function) and function.row.expression in inspect.getdoc(function)
    assert function is tf1.reduce_sum and "reduce_sum" in dir(tf1)
    assert inspect.signature(tf1.nn.conv2d).parameters["dilations"].default == [1, 1, 1, 1]


def test_every_name_can_be_read_and_has_a_docstring() -> None:
    for table in tables():
        for name in table.names():
            found = table.find(name)
            assert not callable(found) or inspect.getdoc(found), public(table, name)


def test_rows_must_be_complete_and_distinct() -> None:
    assert parsed("f(x, y=(1, 2)):\n    pt.add(x,\n    y)\n") == {"f": Row("f", "x, y=(1, 2)", "pt.add(x, y)")}
    for text in ("f(x)", "f: x", "1f(x):\n    x", "f(x):\n    x\nf(x):\n    x"):
        with pytest.raises(ValueError, match="not a row, or a second row"):
            parsed(text)


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("import_graph_def", "build the graph again"),
        ("function", "tfe.defun"),
        ("string_split", "no strings"),
        ("mul", "tf.multiply"),
        ("reduce_summ", "did you mean reduce_sum?"),
        ("nothing_like_it", "dir()"),
    ],
)
def test_a_missing_name_says_what_to_write(name: str, fix: str) -> None:
    with pytest.raises(AttributeError, match=fix.replace("(", r"\(").replace(")", r"\)")) as raised:
        getattr(tf1, name)
    assert f"tf.{name}" in str(raised.value)


def test_a_name_that_exists_needs_no_advice() -> None:
    table = Table("", rows="abs(x, name=None):\n    pt.abs(x)", missing="abs, sum: tf.reduce_{name}")
    assert table.missing == {"sum": "tf.reduce_sum"}
