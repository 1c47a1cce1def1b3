from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt

X = pt.asarray(np.random.default_rng(0).normal(size=(4, 3)))


def test_in_axes_and_out_axes() -> None:
    f = lambda a, b, c: {"s": a * b + c, "t": a}  # noqa: E731  # it is used once
    a, b = pt.ones((2, 3)), pt.asarray([[1.0, 2.0]] * 3)
    y = pt.vmap(f, (0, 1, None), {"s": -1, "t": 0})(a, b, 10.0)
    assert y["s"].shape == (3, 2)
    assert y["s"].tolist() == [[11.0, 12.0]] * 3
    assert y["t"].shape == (2, 3)


def test_structures_of_axes() -> None:
    argument = {"a": pt.ones((2, 3)), "b": [pt.asarray([1.0, 2.0]), pt.asarray(5.0)]}
    y = pt.vmap(lambda d: pt.sum(d["a"]) * d["b"][0] + d["b"][1], ({"a": 0, "b": [0, None]},))(argument)
    assert y.tolist() == [8.0, 11.0]
    with pytest.raises(pt.PolytapeError, match=r"in_axes=.* does not fit"):
        pt.vmap(lambda d: d, ({"c": 0},))(argument)


def test_a_result_that_is_the_same_for_all_elements() -> None:
    assert pt.vmap(lambda x: pt.asarray(2.0))(X).tolist() == [2.0] * 4
    assert float(pt.vmap(lambda x: 2.0, out_axes=None)(X)) == 2.0
    with pytest.raises(pt.PolytapeError, match="out_axes is None for a result that differs"):
        pt.vmap(lambda x: x, out_axes=None)(X)


def test_sizes_and_axes_that_do_not_fit() -> None:
    with pytest.raises(pt.PolytapeError, match="vmap needs one size of batch"):
        pt.vmap(lambda a, b: a)(pt.ones((2,)), pt.ones((3,)))
    with pytest.raises(pt.PolytapeError, match="vmap needs one size of batch"):
        pt.vmap(lambda a: a, None)(pt.ones((2,)))
    with pytest.raises(pt.PolytapeError, match="cannot map float32\\[\\] along axis 0"):
        pt.vmap(lambda a: a)(1.0)
    with pytest.raises(pt.PolytapeError, match="no place for the batch at axis 3"):
        pt.vmap(lambda a: a, out_axes=3)(X)
    with pytest.raises(pt.PolytapeError, match="chunk_size=0 is not valid"):
        pt.vmap(lambda a: a, chunk_size=0)
    with pytest.raises(pt.PolytapeError, match="randomness='any' is not valid"):
        pt.vmap(lambda a: a, randomness="any")


@pytest.mark.parametrize("chunk_size", [1, 3, 4, 9])
def test_chunks_give_the_same_result(chunk_size: int) -> None:
    f = lambda x: (pt.sum(x), x[::-1], pt.asarray(1.0))  # noqa: E731  # it is used twice
    axes = (0, 1, None)
    got, whole = pt.vmap(f, 0, axes, chunk_size=chunk_size)(X), pt.vmap(f, 0, axes)(X)
    for y, z in zip(got, whole, strict=True):
        np.testing.assert_array_equal(y.numpy(), z.numpy())


def test_a_batch_without_elements() -> None:
    y, z, s = pt.vmap(lambda x: (pt.linalg.inv(x), pt.argmax(x), pt.sort(x)))(pt.zeros((0, 2, 2)))
    assert (y.shape, z.shape, s.shape) == ((0, 2, 2), (0,), (0, 2, 2))
    assert y.dtype == pt.float32
    assert z.dtype.kind == "i"


def test_nested_maps() -> None:
    products = pt.vmap(pt.vmap(lambda a, b: a * b, (None, 0)), (0, None))(X[0], X[1])
    np.testing.assert_array_equal(products.numpy(), np.outer(X[0].numpy(), X[1].numpy()))
    captured = pt.vmap(lambda row: pt.vmap(lambda e: e * pt.sum(row))(row))(X)
    np.testing.assert_allclose(captured.numpy(), X.numpy() * X.numpy().sum(1, keepdims=True))


def test_gradients_per_example() -> None:
    w = pt.Variable(np.array([1.0, -2.0, 0.5]))

    def per_example(x: pt.Tensor) -> Any:
        with pt.GradientTape() as tape:
            loss = pt.sum(pt.tanh(x * w)) ** 2
        return tape.gradient(loss, w)

    got = pt.vmap(per_example)(X)
    np.testing.assert_allclose(got.numpy(), np.stack([per_example(x).numpy() for x in X]), rtol=1e-12)
    nested = pt.vmap(lambda x: pt.hessian(lambda x: pt.sum(pt.sin(x) * x[::-1]))(x))(X)
    expected = np.stack([pt.hessian(lambda x: pt.sum(pt.sin(x) * x[::-1]))(x).numpy() for x in X])
    np.testing.assert_allclose(nested.numpy(), expected, rtol=1e-12)


def test_a_tape_around_the_map() -> None:
    w, x = pt.Variable(np.array([1.0, -2.0, 0.5])), pt.identity(X)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.sum(pt.vmap(lambda x: pt.sum(x * w) ** 2)(x))
    by_w, by_x = tape.gradient(y, [w, x])
    totals = (X.numpy() * w.numpy()).sum(1)
    np.testing.assert_allclose(by_w.numpy(), (2 * totals[:, None] * X.numpy()).sum(0))
    np.testing.assert_allclose(by_x.numpy(), 2 * totals[:, None] * w.numpy())


def test_forward_mode_of_a_map_and_a_map_of_forward_mode() -> None:
    f = lambda x: pt.cumulative_prod(x) * pt.max(x)  # noqa: E731  # it is used twice
    t = pt.ones(X.shape, dtype="float64")
    _, around = pt.jvp(pt.vmap(f), (X,), (t,))
    inside = pt.vmap(lambda x, t: pt.jvp(f, (x,), (t,))[1])(X, t)
    np.testing.assert_allclose(around.numpy(), inside.numpy(), rtol=1e-12)


def test_with_traced_functions() -> None:
    f = lambda x: pt.sum(pt.exp(x) * x)  # noqa: E731  # it is used three times
    expected = pt.vmap(f)(X).numpy()
    np.testing.assert_array_equal(pt.vmap(pt.function(f))(X).numpy(), expected)
    np.testing.assert_array_equal(pt.function(pt.vmap(f))(X).numpy(), expected)


def test_item_assignment_changes_the_handle_of_the_element() -> None:
    def f(x: pt.Tensor) -> pt.Tensor:
        y = pt.zeros((3,), dtype="float64")
        y[1] = x[0] * 2.0
        y[pt.asarray([0, 2])] = x[1:]
        return y

    got = pt.vmap(f)(X).numpy()
    x = X.numpy()
    np.testing.assert_array_equal(got, np.stack([x[:, 1], 2 * x[:, 0], x[:, 2]], axis=1))


def test_reading_a_value_or_a_shape_that_depends_on_the_data_is_an_error() -> None:
    with pytest.raises(pt.PolytapeError, match=r"inside polytape\.vmap"):
        pt.vmap(lambda x: x if x[0] > 0 else -x)(X)
    with pytest.raises(pt.PolytapeError, match=r"inside polytape\.vmap"):
        pt.vmap(lambda x: pt.nonzero(x))(X)
    with pytest.raises(pt.PolytapeError, match=r"inside polytape\.vmap"):
        pt.vmap(lambda x: x[x > 0])(X)
    selected = pt.vmap(lambda x: pt.where(x > 0, x, 0.0))(X)
    np.testing.assert_array_equal(selected.numpy(), np.maximum(X.numpy(), 0.0))


def test_a_tensor_that_leaves_the_map_is_an_error() -> None:
    kept = []
    pt.vmap(lambda x: kept.append(x) or x)(X)
    with pytest.raises(pt.PolytapeError, match="outside its trace"):
        kept[0] + 1.0


def test_an_error_closes_the_map() -> None:
    with pytest.raises(ZeroDivisionError):
        pt.vmap(lambda x: 1 / 0)(X)
    assert (pt.asarray(1.0) + 1.0).tolist() == 2.0


def test_variables_are_assigned_only_with_what_all_elements_share() -> None:
    count = pt.Variable(0.0)

    def f(x: pt.Tensor) -> pt.Tensor:
        count.assign_add(1.0)
        return x * count

    np.testing.assert_array_equal(pt.vmap(f)(X).numpy(), X.numpy())
    assert float(count) == 1.0
    with pytest.raises(pt.PolytapeError, match=r"cannot be assigned inside polytape\.vmap"):
        pt.vmap(lambda x: count.assign(x[0]))(pt.ones((2, 1)))
    assert float(count) == 1.0


def test_random_draws_are_chosen() -> None:
    with pytest.raises(pt.PolytapeError, match=r"vmap\(\.\.\., randomness='different'\) or randomness='same'"):
        pt.vmap(lambda x: x + pt.random.uniform((3,)))(X)
    pt.random.seed(5)
    same = pt.vmap(lambda x: pt.random.uniform((3,)), randomness="same")(X).numpy()
    pt.random.seed(5)
    np.testing.assert_array_equal(same, np.tile(pt.random.uniform((3,)).numpy(), (4, 1)))
    pt.random.seed(5)
    different = pt.vmap(lambda x: pt.random.normal((3,)), randomness="different")(X).numpy()
    after = pt.random.uniform((2,)).numpy()
    pt.random.seed(5)
    loop = np.stack([pt.random.normal((3,)).numpy() for _ in range(4)])
    np.testing.assert_array_equal(different, loop)
    np.testing.assert_array_equal(after, pt.random.uniform((2,)).numpy())


def test_dropout_per_element_in_a_traced_function() -> None:
    f = pt.function(lambda x: pt.vmap(lambda x: pt.nn.dropout(x, 0.5), randomness="different")(x))
    x = pt.ones((6, 40))
    pt.random.seed(1)
    first, second = f(x).numpy(), f(x).numpy()
    pt.random.seed(1)
    eager = pt.vmap(lambda x: pt.nn.dropout(x, 0.5), randomness="different")(x).numpy()
    np.testing.assert_array_equal(first, eager)
    assert len({row.tobytes() for row in np.concatenate([first, second])}) == 12


@pt.custom_gradient
def straight_through(x: pt.Tensor, s: pt.Tensor) -> Any:
    return pt.round(x) * s, lambda g: (g * 7.0, pt.sum(g))


@pytest.mark.parametrize("depth", [1, 2])
def test_a_hand_written_gradient_serves_tapes_around_the_map(depth: int) -> None:
    f = straight_through
    for _ in range(depth):
        f = pt.vmap(f, (0, None))
    x, s = pt.identity(X), pt.asarray(2.0, dtype="float64")
    with pt.GradientTape() as tape:
        tape.watch([x, s])
        y = pt.sum(f(x, s) * pt.asarray([1.0, 2.0, 3.0], dtype="float64"))
    by_x, by_s = tape.gradient(y, [x, s])
    np.testing.assert_array_equal(by_x.numpy(), np.tile([7.0, 14.0, 21.0], (4, 1)))
    assert float(by_s) == 24.0
    (inside,) = pt.vmap(lambda x: pt.gradients_function(lambda x: pt.sum(straight_through(x, s)))(x))(X)
    np.testing.assert_array_equal(inside.numpy(), np.full((4, 3), 7.0))


def test_a_hand_written_gradient_that_is_the_same_for_all_elements_counts_once_per_element() -> None:
    @pt.custom_gradient
    def constant(x: pt.Tensor, s: pt.Tensor) -> Any:
        return x * s, lambda g: (0.0, pt.asarray(5.0, dtype="float64"))

    s = pt.asarray(2.0, dtype="float64")
    with pt.GradientTape() as tape:
        tape.watch(s)
        y = pt.sum(pt.vmap(lambda x: constant(x, s))(X))
    assert float(tape.gradient(y, s)) == 20.0


def test_pausing_a_tape_around_the_map_is_an_error() -> None:
    x = pt.identity(X)
    with pt.GradientTape() as tape:
        tape.watch(x)

        def paused(x: pt.Tensor) -> pt.Tensor:
            with tape.stop_recording():
                return x * 2.0

        with pytest.raises(pt.PolytapeError, match=r"stop_recording inside polytape\.vmap"):
            pt.vmap(paused)(x)
