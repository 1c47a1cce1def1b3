"""Assembly: which sums of parts become concatenations, and that no result changes a bit."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.graph import Executable, Graph, check
from polytape.graph.passes import assembly, dead_code
from polytape.ops.indexing import scatter_add

SPECIAL = [0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan]


def names(graph: Graph) -> list[str]:
    return [equation.op.name for equation in graph.equations]


def assembled(body: Any, *arrays: Any) -> Graph:
    """The graph after the pass; its results have the bits of the graph as traced."""
    tensors = [pt.asarray(x) for x in arrays]
    traced = pt.function(body).trace(*tensors)
    graph = dead_code(assembly(traced))
    check(graph, "assembly")
    with np.errstate(all="ignore"):
        expected, results = [Executable(g).run(*[x.array for x in tensors]) for g in (traced, graph)]
    for x, y in zip(expected, results, strict=True):
        assert x.dtype == y.dtype and x.tobytes() == y.tobytes() and x.strides == y.strides
    return graph


def part(values: Any, *key: Any, shape: tuple[int, ...]) -> Any:
    return scatter_add(values, (), key=key, shape=shape)


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_parts_of_any_sizes_added_in_any_order_are_concatenated(data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, 3))
    axis, n = data.draw(st.integers(0, rank - 1)), data.draw(st.integers(2, 6))
    cuts = sorted({0, n, *data.draw(st.lists(st.integers(1, n - 1), min_size=1, max_size=3))})
    shape = tuple(n if k == axis else 2 for k in range(rank))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    keys, sizes, arrays = [], [], []
    for start, stop in itertools.pairwise(cuts):
        entry: tuple[Any, ...] = ("slice", start - n if start else None, stop, None)
        if stop == start + 1:
            entry = data.draw(st.sampled_from([("int", start), ("int", start - n), entry]))
        full = ("slice", None, None, None)
        trailing = [("ellipsis",)] if data.draw(st.booleans()) else []
        keys.append((*[full] * axis, entry, *trailing))
        size = () if entry[0] == "int" else (stop - start,)
        sizes.append((*shape[:axis], *size, *shape[axis + 1 :]))
        arrays.append(rng.choice(SPECIAL, int(np.prod(sizes[-1]))).astype("f4"))
    order = data.draw(st.permutations(range(len(keys))))
    joins = data.draw(st.lists(st.integers(0, 5), min_size=len(keys), max_size=len(keys)))

    def body(*values: Any) -> Any:
        terms = [part(pt.reshape(values[k], sizes[k]), *keys[k], shape=shape) for k in order]
        while len(terms) > 1:
            k = joins[len(terms) - 1] % (len(terms) - 1)
            terms[k : k + 2] = [terms[k] + terms[k + 1]]
        return terms[0]

    found = names(assembled(body, *arrays))
    assert "scatter_add" not in found and found[-2:] == ["concat", "add"]


FIRST, REST = ("slice", 0, 1, None), ("slice", 1, 3, None)


@pytest.mark.parametrize(
    "body",
    [
        lambda x, y: part(x, FIRST, shape=(4, 2)) + part(y, REST, shape=(4, 2)),  # a row is missing
        lambda x, y: part(x, FIRST, shape=(2, 2)) + part(y, ("slice", 0, 2, None), shape=(2, 2)),  # they overlap
        lambda x, y: part(x, FIRST, shape=(2, 2)) + y,  # the other has no zeros
        lambda x, y: part(x, ("slice", 0, 2, 2), shape=(2, 2)) + part(x, ("slice", 1, 2, 2), shape=(2, 2)),
        lambda x, y: (lambda a: (a + part(y, REST, shape=(3, 2)), a))(part(x, FIRST, shape=(3, 2))),  # a is a result
    ],
)
def test_other_sums_stay(body: Any) -> None:
    x, y = pt.ones(2), pt.ones(4)
    traced = pt.function(lambda x, y: body(pt.reshape(x, (1, 2)), pt.reshape(y, (2, 2)))).trace(x, y)
    assert assembly(traced) is traced


def test_parts_that_may_lie_in_another_order_stay_since_a_sum_depends_on_it() -> None:
    def body(x: Any, y: Any) -> Any:
        return part(x, FIRST, shape=(3, 2)) + part(y, REST, shape=(3, 2))

    for change in (lambda x: x, lambda x: pt.matrix_transpose(pt.reshape(x, x.shape[::-1])), lambda x: x[::-1] + 0.0):
        changed = pt.function(lambda x, y, change=change: body(change(x), change(y)))
        traced = changed.trace(pt.ones((1, 2)), pt.ones((2, 2)))
        assert assembly(traced) is traced


def test_parts_of_steps_of_a_permuted_sequence_lie_row_by_row() -> None:
    def body(x: Any) -> Any:
        steps = pt.permute_dims(pt.reshape(x, (3, 2, 4)), (1, 0, 2))
        rows = [pt.exp(steps[k]) for k in range(2)]
        return part(rows[0], ("int", 0), shape=(2, 3, 4)) + part(rows[1], ("int", 1), shape=(2, 3, 4))

    assert "concat" in names(assembled(body, np.linspace(-1.0, 1.0, 24, dtype="f4")))


def test_the_gradient_of_slices_is_one_concatenation() -> None:
    @pt.function
    def gradient(x: Any) -> Any:
        with pt.GradientTape() as tape:
            tape.watch(x)
            z = x @ x
            y = pt.sum(pt.exp(z[:, :2]) * 2.0) + pt.sum(pt.square(z[:, 2:]))
        return tape.gradient(y, x)

    x = pt.asarray(np.linspace(-1.0, 1.0, 16, dtype="f4").reshape(4, 4))
    assert names(gradient.graph(x)).count("concat") == 1
    assert "scatter_add" not in names(gradient.graph(x))
    np.testing.assert_array_equal(gradient(x).numpy(), gradient.python(x).numpy())
