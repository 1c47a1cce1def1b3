"""Callbacks that change the learning rate."""

from __future__ import annotations

from typing import Any

import pytest

import polytape as pt
from polytape import training
from polytape.errors import SettingError

# Of Keras 3.15.1, for the losses of the fixture: the learning rate after each epoch.
PLATEAUS: list[tuple[dict[str, Any], list[float]]] = [
    (
        {"factor": 0.5, "patience": 2, "min_delta": 0.0001},
        [1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125, 0.0625, 0.0625, 0.03125, 0.03125,
         0.015625, 0.015625],
    ),
    (
        {"factor": 0.5, "patience": 1, "min_delta": 0.02, "cooldown": 2, "min_rate": 0.1},
        [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, *[0.1] * 12],
    ),
    (
        {"factor": 0.5, "patience": 0, "min_delta": 0.0, "cooldown": 1},
        [1.0, 1.0, 0.5, 0.5, 0.25, 0.125, 0.125, 0.0625, 0.03125, 0.015625, 0.015625, 0.0078125, 0.00390625, 0.00390625,
         0.001953125, 0.0009765625, 0.00048828125, 0.000244140625, 0.0001220703125, 6.103515625e-05],
    ),
    (
        {"factor": 0.1, "patience": 3, "cooldown": 1, "min_rate": 0.05},
        [*[1.0] * 9, *[0.1] * 4, *[0.05] * 7],
    ),
]  # fmt: skip
DATA: tuple[list[float], list[float]] = ([1.0, 2.0], [1.0, 2.0])


def fitted(callbacks: list[Any], epochs: int, optimizer: Any) -> training.History:
    """Train something for some epochs."""
    w = pt.Variable(0.0)
    return training.fit(
        lambda x: x * w, *DATA, optimizer=optimizer, loss="mean_squared_error", epochs=epochs, callbacks=callbacks,
        progress=False,
    )  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), PLATEAUS, ids=str)
def test_the_rate_is_reduced_where_keras_reduces_it(
    losses: list[float], options: dict[str, Any], expected: list[float]
) -> None:
    rates: list[float] = []
    optimizer = pt.optim.SGD(1.0)
    fitted(
        [
            training.LambdaCallback(on_epoch_end=lambda run, epoch, values: values.update(score=losses[epoch])),
            training.ReduceLROnPlateau("score", mode="min", **options),
            training.LambdaCallback(on_epoch_end=lambda run, epoch, values: rates.append(run.learning_rate)),
        ],
        len(losses),
        optimizer,
    )
    assert rates == pytest.approx(expected, rel=1e-12)
    assert optimizer.learning_rate == rates[-1]


def test_a_scheduler_sets_the_rate_of_each_epoch() -> None:
    history = fitted([training.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))], 3, pt.optim.SGD(1.0))
    assert history["learning_rate"] == pytest.approx([0.1, 0.05, 0.1 / 3])
    variable = pt.Variable(0.2)
    history = fitted([training.LearningRateScheduler(lambda epoch, rate: rate / 2)], 3, pt.optim.SGD(variable))
    assert history["learning_rate"] == pytest.approx([0.1, 0.05, 0.025]) and float(variable) == pytest.approx(0.025)


def test_a_schedule_of_the_optimizer_is_not_overwritten() -> None:
    schedule = pt.optim.schedules.ExponentialDecay(0.1, steps=1, rate=0.5)
    assert fitted([], 2, pt.optim.SGD(schedule))["learning_rate"] == pytest.approx([0.05, 0.025])
    with pytest.raises(SettingError, match="either the schedule or the callback"):
        fitted([training.LearningRateScheduler(lambda epoch: 0.1)], 2, pt.optim.SGD(schedule))


@pytest.mark.parametrize("options", [{"factor": 1.0}, {"patience": -1}, {"cooldown": -1}, {"min_rate": -0.1}], ids=str)
def test_arguments_out_of_range_are_errors(options: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=f"ReduceLROnPlateau cannot use {next(iter(options))}"):
        training.ReduceLROnPlateau("loss", **options)
