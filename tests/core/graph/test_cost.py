"""The cost of graphs, counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.graph.cost import Cost


def costs(f: Any, *args: Any) -> Cost:
    return pt.function(f).cost(*[pt.asarray(x) for x in args])


X, W = np.ones((8, 3), "f4"), np.ones((3, 5), "f4")
SQUARE = np.eye(6, dtype="f8")


@pytest.mark.parametrize(
    ("f", "args", "flops", "nbytes"),
    [
        (lambda x, w: x @ w, (X, W), 2 * 8 * 3 * 5, 4 * (24 + 15 + 40)),
        (lambda x: pt.tanh(x), (X,), 24, 4 * 48),
        (lambda x: x * x, (X,), 24, 4 * 48),  # the operand is read once
        (lambda x: pt.sum(x, axis=0), (X,), 24, 4 * 27),
        (lambda x: pt.mean(x), (X,), 25, 4 * 25),
        (lambda x: pt.permute_dims(x, (1, 0)), (X,), 0, 4 * 48),
        (lambda x: pt.astype(x, "float64"), (X,), 0, 24 * 12),
        (lambda x: pt.nn.softmax(x), (X,), 24 + 24 + 24 + 24 + 24, 4 * 48),
        (lambda x: pt.linalg.cholesky(x), (SQUARE,), 72, 8 * 72),
        (lambda x: pt.sort(pt.reshape(x, (24,))), (X,), 24 * 5, 4 * 96),
    ],
)
def test_an_op_costs_what_its_definition_says(f: Any, args: Any, flops: int, nbytes: int) -> None:
    found = costs(f, *args)
    assert (found.flops, found.nbytes) == (flops, nbytes)
    assert len(found.rows) >= 1 and found.flops == sum(row.flops or 0 for row in found.rows)


def test_a_convolution_is_counted_as_its_products() -> None:
    x, w = np.ones((2, 10, 12, 3), "f4"), np.ones((3, 3, 3, 4), "f4")
    assert costs(lambda x, w: pt.nn.conv2d(x, w), x, w).flops == 2 * (2 * 8 * 10 * 4) * 27


def test_a_fused_equation_computes_its_members_and_moves_its_own_operands() -> None:
    n = 1 << 16
    found = costs(lambda x: pt.tanh(x * 2.0 + 1.0) * x, np.ones(n, "f4"))
    (row,) = found.rows
    assert row.text.startswith("a: float32[65536] = fused[multiply, add, tanh, multiply](x)")
    assert (row.flops, row.nbytes, row.intensity) == (4 * n, 8 * n, 0.5)


def test_a_loop_costs_as_often_as_it_runs_and_a_branch_its_dearer_side() -> None:
    xs = np.ones(50, "f4")
    assert costs(lambda xs: pt.scan(lambda a, x: (a + x * x, None), 0.0, xs)[0], xs).flops == 100
    branched = costs(lambda x: pt.cond(pt.sum(x) > 0.0, lambda x: x * 2.0 + 1.0, lambda x: x, x), xs)
    assert branched.flops == 50 + 1 + 100
    endless = costs(lambda x: pt.while_loop(lambda x: pt.sum(x) < 9.0, lambda x: x * 2.0, x), xs)
    assert endless.rows[0].flops is None and endless.flops == 0
    assert "total, without 1 equations whose number of steps is not known" in str(endless)


def test_a_training_step_is_counted_and_printed_as_a_table() -> None:
    w = pt.Variable(W, name="w")
    optimizer = pt.optim.Adam(0.1)

    def step(x: Any) -> Any:
        with pt.GradientTape() as tape:
            loss = pt.mean(pt.square(x @ w))
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        return loss

    found = costs(step, X)
    assert all(row.flops is not None and row.nbytes for row in found.rows)
    lines = str(found).splitlines()
    assert lines[0].split() == ["equation", "line", "flops", "bytes", "flops/byte"]
    assert lines[1].split()[-5:] == ["w)", row_line(found), "240", "316", "0.76"]
    assert lines[-1].split() == ["total", f"{found.flops:,}", f"{found.nbytes:,}", f"{found.intensity:.2f}"]


def row_line(found: Cost) -> str:
    assert found.rows[0].line.startswith("test_cost.py:")
    return found.rows[0].line
