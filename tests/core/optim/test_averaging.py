"""Averages of weights and of gradients, the global step, and minimize."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, SettingError, ShapeError

VALUES = np.random.default_rng(0).normal(size=(6, 3))


@pytest.mark.parametrize("decay", [None, 0.9])
def test_averages_of_weights(backend: str, decay: float | None) -> None:
    with pt.device(backend):
        x = pt.Variable(VALUES[0])
        averaged = pt.optim.AveragedWeights([x], decay)
        expected = VALUES[0]
        for k, value in enumerate(VALUES[1:]):
            x.assign(value)
            averaged.update()
            expected = (expected * k + value) / (k + 1) if decay is None else decay * expected + (1 - decay) * value
    np.testing.assert_allclose(averaged.averages[0].numpy(), expected, rtol=1e-12)
    with averaged.swapped():
        np.testing.assert_allclose(x.numpy(), expected, rtol=1e-12)
    np.testing.assert_array_equal(x.numpy(), VALUES[-1])


def test_swapping_ends_with_an_error_and_keeps_the_averages_from_steps_inside() -> None:
    x = pt.Variable([1.0, 2.0])
    averaged = pt.optim.AveragedWeights([x])
    x.assign([3.0, 4.0])
    averaged.update()
    x.assign([5.0, 6.0])
    with pytest.raises(RuntimeError, match="stop"), averaged.swapped():
        pt.optim.SGD(1.0).apply_gradients([(pt.ones(2), x)])
        assert x.tolist() == [2.0, 3.0]
        raise RuntimeError("stop")
    assert x.tolist() == [5.0, 6.0]
    assert averaged.averages[0].tolist() == [3.0, 4.0]


def test_averages_and_sums_come_back_from_a_checkpoint(tmp_path: Path) -> None:
    def made() -> tuple[pt.Variable, pt.optim.AveragedWeights, pt.optim.GradientAccumulator]:
        x = pt.Variable([0.0, 0.0], name="x")
        return x, pt.optim.AveragedWeights([x], 0.5), pt.optim.GradientAccumulator([x])

    x, averaged, accumulator = made()
    x.assign([4.0, 8.0])
    averaged.update()
    accumulator.add([pt.asarray([1.0, 3.0])])
    path = pt.Checkpoint(x=x, averaged=averaged, accumulator=accumulator).save(tmp_path)
    x, averaged, accumulator = made()
    pt.Checkpoint(x=x, averaged=averaged, accumulator=accumulator).restore(path).assert_consumed()
    assert averaged.averages[0].tolist() == [2.0, 4.0] and int(averaged.count) == 1
    assert accumulator.mean()[0].tolist() == [1.0, 3.0]


def test_a_step_on_accumulated_gradients_is_a_step_on_the_whole_batch() -> None:
    data = np.random.default_rng(1).normal(size=(8, 2)).astype("float32")
    whole, parts = pt.Variable([1.0, -1.0]), pt.Variable([1.0, -1.0])

    def gradient(w: pt.Variable, rows: np.ndarray) -> pt.Tensor:
        with pt.GradientTape() as tape:
            loss = pt.mean(pt.square(pt.asarray(rows) @ w))
        return tape.gradient(loss, w)

    pt.optim.SGD(0.1).apply_gradients([(gradient(whole, data), whole)])
    accumulator = pt.optim.GradientAccumulator([parts])
    for k in range(0, 8, 2):
        accumulator.add([gradient(parts, data[k : k + 2])])
    pt.optim.SGD(0.1).apply_gradients(zip(accumulator.mean(), [parts], strict=True))
    np.testing.assert_allclose(parts.numpy(), whole.numpy(), rtol=1e-6)
    accumulator.reset()
    assert accumulator.mean()[0].tolist() == [0.0, 0.0]


def test_a_wrong_number_of_gradients_adds_nothing() -> None:
    accumulator = pt.optim.GradientAccumulator([pt.Variable(1.0), pt.Variable(2.0)])
    with pytest.raises(ShapeError, match="has 2 variables, not 1"):
        accumulator.add([pt.asarray(1.0)])
    for bad, error in ((pt.ones(2), ShapeError), (pt.asarray(1, dtype="int32"), DTypeError)):
        with pytest.raises(error, match="does not fit the variable"):
            accumulator.add([pt.asarray(1.0), bad])
    assert [float(x) for x in accumulator.sums] == [0.0, 0.0] and int(accumulator.count) == 0
    accumulator.add([None, pt.asarray(3.0)])
    assert [float(x) for x in accumulator.mean()] == [0.0, 3.0]


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_a_decay_out_of_range_is_an_error(decay: float) -> None:
    with pytest.raises(SettingError, match="cannot use decay"):
        pt.optim.AveragedWeights([pt.Variable(1.0)], decay)


@pytest.mark.parametrize("traced", [False, True])
def test_the_global_step_counts_steps(traced: bool) -> None:
    x, count = pt.Variable(1.0), pt.Variable(5, dtype="int64", trainable=False)
    optimizer = pt.optim.Adam(0.1)

    def step() -> None:
        optimizer.apply_gradients([(pt.asarray(1.0), x)], global_step=count)

    run = pt.function(step) if traced else step
    run()
    run()
    assert int(count) == 7 and int(optimizer.step) == 2


def test_minimize_takes_the_variables_of_the_loss() -> None:
    x, frozen = pt.Variable(4.0), pt.Variable(1.0, trainable=False)
    optimizer = pt.optim.SGD(0.25)
    for _ in range(30):
        optimizer.minimize(lambda: pt.square(x - 3.0 * frozen))
    assert float(x) == pytest.approx(3.0, abs=1e-4) and float(frozen) == 1.0
    y = pt.Variable(4.0)
    optimizer.minimize(lambda: x * 0.0 + y, var_list=[y])
    assert float(y) == 3.75 and float(x) == pytest.approx(3.0, abs=1e-4)
