"""`polytape.scan` and `polytape.map`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, ShapeError
from polytape.graph import check

FORMS = [pytest.param(lambda f: f, id="eager"), pytest.param(pt.function, id="traced")]
Form = Callable[[Callable[..., Any]], Callable[..., Any]]


def numbers(x: Any) -> Any:
    return x.tolist() if isinstance(x, pt.Tensor) else [numbers(part) for part in x] if isinstance(x, tuple) else x


@pytest.mark.parametrize("form", FORMS)
def test_the_carry_goes_through_the_steps_and_results_are_stacked(form: Form, backend: str) -> None:
    f = form(
        lambda x, reverse: pt.scan(lambda c, x: ((c[0] + x, c[1] + 1), (c[0], None)), (0.0, 0), x, reverse=reverse)
    )
    with pt.device(backend):
        x = pt.asarray([1.0, 2.0, 4.0])
        assert numbers(f(x, False)) == [[7.0, 3], [[0.0, 1.0, 3.0], None]]
        assert numbers(f(x, True)) == [[7.0, 3], [[6.0, 4.0, 0.0], None]]
        carry, ys = f(pt.zeros((0,)), False)
        assert numbers(carry) == [0.0, 0] and ys[0].shape == (0,) and ys[0].device == x.device


@pytest.mark.parametrize("form", FORMS)
def test_structures_are_scanned_and_carried(form: Form) -> None:
    def step(state: Any, x: Any) -> Any:
        h = pt.tanh(state["h"] @ x["w"] + x["b"])
        return {"h": h, "n": [state["n"][0] + 1]}, {"mean": pt.mean(h)}

    rng = np.random.default_rng(0)
    xs = {"w": pt.asarray(rng.normal(size=(4, 3, 3))), "b": pt.asarray(rng.normal(size=(4, 3)))}
    carry, ys = form(lambda h, xs: pt.scan(step, {"h": h, "n": [0]}, xs))(pt.zeros((3,), dtype="float64"), xs)
    h = np.zeros(3)
    for k in range(4):
        h = np.tanh(h @ xs["w"][k].numpy() + xs["b"][k].numpy())
    np.testing.assert_allclose(carry["h"].numpy(), h, rtol=1e-12)
    assert carry["n"][0].tolist() == 4 and ys["mean"].shape == (4,)


@pytest.mark.parametrize("form", FORMS)
def test_variables_and_random_numbers_go_on_from_step_to_step(form: Form) -> None:
    v, generator = pt.Variable(1.0), pt.random.Generator(5)

    def whole(x: Any) -> Any:
        before = pt.random.uniform((), generator=generator)

        def step(c: Any, x: Any) -> Any:
            v.assign(v * 2.0 + c)
            return c + x, v + pt.random.uniform((), generator=generator)

        c, ys = pt.scan(step, 0.0, x)
        return before, c, ys, v * 1.0, pt.random.uniform((), generator=generator)

    f = form(whole)
    for _ in range(2):
        v.assign(1.0)
        generator.seed(5)
        before, c, ys, value, after = f(pt.asarray([1.0, 2.0]))
        assert (c.tolist(), value.tolist(), float(v)) == (3.0, 5.0, 5.0)
        draws = pt.random.Generator(5)
        wanted = [pt.random.uniform((), generator=draws).tolist() for _ in range(4)]
        assert [before.tolist(), after.tolist()] == [wanted[0], wanted[3]]
        np.testing.assert_allclose(ys.numpy(), [2.0 + wanted[1], 5.0 + wanted[2]], rtol=1e-6)


@pytest.mark.parametrize("optimizer", [lambda: pt.optim.SGD(0.1, momentum=0.9), lambda: pt.optim.Adam(0.05)])
def test_training_steps_inside_a_traced_loop_equal_eager_ones_bit_for_bit(optimizer: Callable[[], Any]) -> None:
    def trained(form: Form) -> list[Any]:
        w, steps = pt.Variable([1.0, 2.0, 3.0]), optimizer()

        def step(_: Any, x: Any) -> Any:
            with pt.GradientTape() as tape:
                loss = pt.sum(pt.square(w * x - 1.0))
            steps.apply_gradients([(tape.gradient(loss, w), w)])
            return None, loss

        train = form(lambda data: pt.scan(step, None, data)[1])
        data = pt.asarray(np.random.default_rng(0).normal(size=(4, 3)).astype("float32"))
        return [*[train(data).tolist() for _ in range(2)], w.tolist(), int(steps.step)]

    assert trained(pt.function) == trained(lambda f: f)


def test_the_gradient_of_a_long_scan_keeps_only_carries() -> None:
    @pt.function
    def f(x: Any, w: Any) -> Any:
        return pt.scan(lambda c, x: (pt.tanh(c * w + pt.exp(x)), None), 0.0, x)[0]

    x, w = pt.zeros((100,)), pt.asarray(0.5)
    with pt.GradientTape() as tape:
        tape.watch(w)
        y = f(x, w)
    expected = 0.0
    value = 0.0
    for _ in range(100):
        after = np.tanh(value * 0.5 + 1.0)
        expected = (1 - after**2) * (value + 0.5 * expected)
        value = after
    assert tape.gradient(y, w).tolist() == pytest.approx(expected, rel=1e-5)
    assert len(f.trace(x, w).equations) == 1  # one copy of the body whatever the length


def test_a_graph_prints_the_body_and_passes_run_on_it() -> None:
    @pt.function
    def f(x: Any, w: Any) -> Any:
        return pt.scan(lambda c, x: (c * w * 1.0, pt.exp(c) + pt.exp(c)), 1.0, x, reverse=True)

    operands = pt.zeros((3,)), pt.asarray(2.0)
    check(f.trace(*operands))
    check(f.graph(*operands))
    lines = [line.partition("#")[0].rstrip() for line in str(f.graph(*operands)).splitlines()]
    assert lines == [
        "graph f(x: float32[3], w: float32[]) -> (float32[], float32[3])",
        "  constant c0: float32[]",
        "  a: float32[], b: float32[3] = scan(c0, x, w, carries=1, rows=1, length=3, reverse=True)",
        "    step(carry: float32[], xs: float32[], x2: float32[]) -> (float32[], float32[])",
        "      a: float32[] = multiply(carry, x2)",
        "      b: float32[] = exp(carry)",
        "      c: float32[] = add(b, b)",
        "      return a, c",
        "  return a, b",
    ]


@pytest.mark.parametrize("form", FORMS)
def test_a_number_in_a_result_takes_the_type_of_the_carry_if_it_fits(form: Form) -> None:
    f = form(lambda x, number: pt.scan(lambda c, x: (number, c), x[0], x)[1])
    result = f(pt.asarray([1.0, 2.0], "float64"), 3)
    assert result.tolist() == [1.0, 3.0] and result.dtype is pt.float64
    with pytest.raises(DTypeError, match=r"changed the type of carry\.\n  expected: int32\[\]\n  got: float32\[\]"):
        f(pt.asarray([1, 2]), 0.5)


@pytest.mark.parametrize("form", FORMS)
def test_wrong_steps_are_errors_that_name_the_leaf(form: Form) -> None:
    x = pt.asarray([1.0, 2.0])

    def scan(f: Any, carry: Any = 0.0, xs: Any = x, **settings: Any) -> Any:
        return form(lambda carry, xs: pt.scan(f, carry, xs, **settings))(carry, xs)

    with pytest.raises(DTypeError, match=r"changed the type of carry_1\.\n  expected: int32\[\]\n  got: float32\[\]"):
        scan(lambda c, x: ((c[0], c[1] + x), None), (0.0, 0))
    with pytest.raises(ShapeError, match=r"changed the type of carry\.\n  expected: float32\[\]\n  got: float32\[1\]"):
        scan(lambda c, x: (pt.expand_dims(c, 0), None))
    with pytest.raises(DTypeError, match=r"another structure for carry\.\n  expected: \*\n  got: \[\*\]"):
        scan(lambda c, x: ([c], None))
    with pytest.raises(DTypeError, match=r"did not return a pair\.\n  expected: \(carry, y\)"):
        scan(lambda c, x: c)
    with pytest.raises(ShapeError, match=r"different numbers of steps.\n.*\n  got: length: 3, xs: 2"):
        scan(lambda c, x: (c, x), length=3)
    with pytest.raises(ShapeError, match="does not know how many steps"):
        scan(lambda c, x: (c, c), xs=None)
    with pytest.raises(ShapeError, match="xs_1, which has no axis"):
        scan(lambda c, x: (c, c), xs=(x, pt.asarray(1.0)))
    with pytest.raises(DTypeError, match="scan cannot run -1 steps"):
        scan(lambda c, x: (c, c), length=-1)


def test_item_assignment_in_the_function_changes_no_argument() -> None:
    def step(c: Any, x: Any) -> Any:
        c[0] = x
        return c, None

    start = pt.zeros((2,))
    for form in (lambda f: f, pt.function):
        assert form(lambda c: pt.scan(step, c, pt.ones((1,)))[0])(start).tolist() == [1.0, 0.0]  # type: ignore[no-untyped-call]
        assert start.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("form", FORMS)
def test_map_stacks_the_results_of_each_element(form: Form) -> None:
    f = form(lambda x: pt.map(lambda row: {"sum": pt.sum(row), "first": row[0] * 2}, x))
    result = f(pt.asarray([[1.0, 2.0], [3.0, 4.0]]))
    assert result["sum"].tolist() == [3.0, 7.0] and result["first"].tolist() == [2.0, 6.0]
    assert f(pt.zeros((0, 2)))["sum"].shape == (0,)
    with pytest.raises(DTypeError, match="map cannot take"):
        pt.map(pt.ones((2,)), f)  # type: ignore[arg-type]
