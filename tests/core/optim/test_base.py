"""What all optimizers do: check the gradients first, take a learning rate in any form, keep slots."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import BackendError, DeviceError, DTypeError, PolytapeWarning, SettingError, ShapeError

MAKERS = [lambda rate=0.5: pt.optim.SGD(rate), lambda rate=0.5: pt.optim.Adam(rate)]
Maker = Callable[..., Any]


@pytest.fixture(params=MAKERS, ids=["SGD", "Adam"])
def make(request: pytest.FixtureRequest) -> Maker:
    maker: Maker = request.param
    return maker


def state_of(*variables: pt.Variable) -> list[Any]:
    return [variable.numpy().copy() for variable in variables]


@pytest.mark.parametrize(
    ("bad", "exception_type", "text"),
    [
        (pt.asarray([1.0, 1.0, 1.0]), ShapeError, "gradient of second does not have the variable's shape"),
        (pt.asarray(1.0), ShapeError, r"expected: a gradient of float32\[2\]"),
        (pt.asarray([1.0, 1.0], dtype="float64"), DTypeError, r"got: float64\[2\]"),
        (pt.asarray([1, 1]), DTypeError, r"got: int32\[2\]"),
        ([1.0], ShapeError, r"got: float32\[1\]"),
    ],
)
def test_nothing_is_changed_if_one_gradient_is_bad(
    make: Maker, bad: Any, exception_type: type[Exception], text: str
) -> None:
    first, second = pt.Variable([1.0, 2.0], name="first"), pt.Variable([3.0, 4.0], name="second")
    optimizer = make()
    optimizer.apply_gradients([(pt.asarray([0.1, 0.1]), first), (pt.asarray([0.1, 0.1]), second)])
    variables = (first, second, *optimizer.variables)
    before = state_of(*variables)
    with pytest.raises(exception_type, match=text):
        optimizer.apply_gradients([(pt.asarray([1.0, 1.0]), first), (bad, second)])
    for old, new in zip(before, state_of(*variables), strict=True):
        np.testing.assert_array_equal(old, new)


def test_nothing_is_changed_if_one_variable_is_not_floating(make: Maker) -> None:
    first, second = pt.Variable([1.0]), pt.Variable([3])
    with pytest.raises(DTypeError, match=r"cannot train int32\[1\](.|\n)*got: int32"):
        make().apply_gradients([(pt.asarray([1.0]), first), (pt.asarray([1]), second)])
    assert first.tolist() == [1.0]


def test_a_tensor_in_place_of_a_variable_is_rejected(make: Maker) -> None:
    with pytest.raises(DTypeError, match=r"pairs of a gradient and a polytape\.Variable"):
        make().apply_gradients([(pt.asarray([1.0]), pt.asarray([1.0]))])


def test_a_none_gradient_is_skipped_with_a_warning_and_only_nones_are_an_error(make: Maker) -> None:
    a, b = pt.Variable(1.0, name="a"), pt.Variable(2.0, name="b")
    optimizer = make()
    with pytest.warns(
        PolytapeWarning, match=r"leaves these variables unchanged, because their gradients are None: a\."
    ):
        optimizer.apply_gradients(zip([None, 1.0], [a, b], strict=True))
    assert float(a) == 1.0 and float(b) < 2.0
    with pytest.raises(DTypeError, match="None for a, b"):
        optimizer.apply_gradients(zip([None, None], [a, b], strict=True))
    with pytest.raises(DTypeError, match="no pairs"):
        optimizer.apply_gradients([])
    assert int(optimizer.step) == 1


def test_gradients_may_be_tensors_arrays_or_lists(make: Maker) -> None:
    variables = [pt.Variable([1.0, 2.0]) for _ in range(3)]
    gradients = [pt.asarray([0.5, 0.5]), np.asarray([0.5, 0.5], "float32"), [0.5, 0.5]]
    make().apply_gradients(zip(gradients, variables, strict=True))
    assert variables[0].tolist() == variables[1].tolist() == variables[2].tolist() != [1.0, 2.0]


def test_a_rate_is_a_number_a_tensor_a_variable_or_a_function(make: Maker) -> None:
    values = []
    rates = (0.25, np.float32(0.25), pt.asarray(0.25), pt.Variable(0.25, trainable=False), lambda: 0.25)
    for rate in (*rates, lambda: pt.asarray(0.25), pt.asarray(0.25, dtype="float64")):
        x = pt.Variable([1.0, 2.0])
        make(rate).apply_gradients([(pt.asarray([1.0, 2.0]), x)])
        values.append(x.tolist())
    assert all(value == values[0] for value in values)


def test_a_rate_function_is_called_once_per_step_and_a_rate_may_be_assigned() -> None:
    rates: list[float] = []

    def rate() -> float:
        rates.append(1.0 / (len(rates) + 1))
        return rates[-1]

    variables = [pt.Variable(0.0), pt.Variable(0.0)]
    ones = [pt.asarray(1.0), pt.asarray(1.0)]
    sgd = pt.optim.SGD(rate)
    for _ in range(2):
        sgd.apply_gradients(zip(ones, variables, strict=True))
    assert rates == [1.0, 0.5] and [float(x) for x in variables] == [-1.5, -1.5]
    sgd.learning_rate = 0.125
    sgd.apply_gradients(zip(ones, variables, strict=True))
    assert float(variables[1]) == -1.625
    sgd.learning_rate = pt.Variable(0.25)
    sgd.apply_gradients(zip(ones, variables, strict=True))
    assert float(variables[1]) == -1.875


NO_RATES = [
    ("0.1", DTypeError), (None, DTypeError), (True, DTypeError), ([0.1], DTypeError), (pt.asarray([0.1]), DTypeError),
    (pt.asarray(1), DTypeError), (-0.1, SettingError), (float("nan"), SettingError), (float("inf"), SettingError),
]  # fmt: skip


@pytest.mark.parametrize(("rate", "exception_type"), NO_RATES, ids=str)
def test_a_value_that_is_not_a_rate_is_rejected(make: Maker, rate: Any, exception_type: type[Exception]) -> None:
    with pytest.raises(exception_type, match=r"cannot use .*learning_rate"):
        make(rate)
    optimizer, x = make(), pt.Variable(1.0)
    for assigned in (rate, lambda: rate):
        optimizer.learning_rate = assigned
        with pytest.raises(exception_type, match=r"cannot use .*learning_rate"):
            optimizer.apply_gradients([(pt.asarray(1.0), x)])
    assert float(x) == 1.0 and int(optimizer.step) == 0


@pytest.mark.parametrize("name", ["beta1", "beta2", "epsilon"])
@pytest.mark.parametrize(
    ("value", "exception_type"),
    [("0.9", DTypeError), (None, DTypeError), (True, DTypeError), (-0.1, SettingError), (float("nan"), SettingError)],
)
def test_adam_checks_its_other_hyperparameters(name: str, value: Any, exception_type: type[Exception]) -> None:
    with pytest.raises(exception_type, match=rf"Adam cannot use .*{name}"):
        pt.optim.Adam(**{name: value})


@pytest.mark.parametrize("name", ["beta1", "beta2"])
def test_a_decay_of_one_is_rejected(name: str) -> None:
    with pytest.raises(SettingError, match=rf"{name}=1\.0(.|\n)*expected: a number from 0 \(inclusive\) to 1"):
        pt.optim.Adam(**{name: 1.0})


def test_steps_are_counted_and_state_is_listed(make: Maker) -> None:
    x = pt.Variable([1.0], name="x")
    optimizer = make()
    assert [variable.name for variable in optimizer.variables] == ["step"]
    for _ in range(3):
        optimizer.apply_gradients([(pt.asarray([1.0]), x)])
    assert int(optimizer.step) == 3 and optimizer.step.dtype == pt.int64
    assert not any(variable.trainable for variable in optimizer.variables)
    assert repr(optimizer) == f"{type(optimizer).__name__}(learning_rate=0.5)"


def test_variables_of_several_dtypes_are_updated_together(make: Maker) -> None:
    variables = [pt.Variable([1.0], dtype=dtype) for dtype in ("float32", "float64", "float16")]
    optimizer = make()
    for _ in range(2):
        optimizer.apply_gradients([(pt.asarray([1.0], dtype=x.dtype), x) for x in variables])
    for x in variables:
        assert float(x[0]) == pytest.approx(0.0, abs=2e-3)


@pytest.fixture
def sim() -> Iterator[str]:
    """The device name of the sim backend, which is registered here if it is not installed."""
    try:
        pt.get_backend("sim")
        yield "sim"
    except BackendError:
        plugin = pytest.importorskip("polytape_sim.plugin", reason="polytape-sim is not on the path")
        with pt.register_backend(plugin.polytape_backend()):
            yield "sim"


def test_a_gradient_on_another_device_is_rejected_before_anything_changes(make: Maker, sim: str) -> None:
    here, there = pt.Variable([1.0]), pt.Variable([1.0], device=sim)
    gradient = pt.asarray([1.0])
    with pytest.raises(DeviceError, match="different devices"):
        make().apply_gradients([(gradient, here), (gradient, there)])
    assert here.tolist() == there.tolist() == [1.0]
    make().apply_gradients([(gradient, here), (gradient.to_device(sim), there)])
    assert here.tolist() == there.tolist() == [0.5]


def test_a_traced_step_equals_an_eager_step(make: Maker) -> None:
    results = []
    for wrap in (pt.function, lambda f: f):
        w, optimizer = pt.Variable([1.0, 2.0]), make(0.1)

        @wrap
        def step(x: pt.Tensor, w: pt.Variable = w, optimizer: Any = optimizer) -> pt.Tensor:
            with pt.GradientTape() as tape:
                loss = pt.sum(pt.square(w * x - 1.0))
            optimizer.apply_gradients([(tape.gradient(loss, w), w)])
            return loss

        losses = [float(step(pt.asarray([1.0, 3.0]))) for _ in range(4)]
        results.append([losses, *[variable.tolist() for variable in (w, *optimizer.variables)]])
    for traced, eager in zip(*results, strict=True):
        np.testing.assert_allclose(traced, eager, rtol=1e-6)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_of_a_used_optimizer_continues_where_it_was(copied: Callable[[Any], Any]) -> None:
    model, ones = [pt.Variable([1.0, 2.0], name="w")], pt.asarray([1.0, -1.0])
    adam = pt.optim.Adam(0.5)
    adam.apply_gradients([(ones, model[0])])
    other_model, other = (model, copied(adam)) if copied is copy.copy else copied((model, adam))
    assert (other.learning_rate, int(other.step)) == (0.5, 1)
    assert [x.tolist() for x in other.variables] == [x.tolist() for x in adam.variables]
    other.apply_gradients([(ones, other_model[0])])
    if copied is not copy.copy:  # a shallow copy shares its variables, as a copied list does
        assert int(adam.step) == 1 and model[0].tolist() != other_model[0].tolist()
        adam.apply_gradients([(ones, model[0])])
        assert model[0].tolist() == other_model[0].tolist()


def test_updates_are_not_taped(make: Maker) -> None:
    x = pt.Variable([2.0])
    optimizer = make()
    with pt.GradientTape() as outer:
        with pt.GradientTape() as tape:
            loss = pt.sum(x * x)
        optimizer.apply_gradients([(tape.gradient(loss, x), x)])
        after = pt.sum(x * 1.0)
    assert outer.gradient(after, x).tolist() == [1.0]


@pytest.mark.parametrize("keyword", ["lr", "betas", "beta_1", "eps", "rho", "clipnorm", "params"])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_arguments_of_other_libraries_get_an_error_with_ours(name: str, keyword: str) -> None:
    with pytest.raises(DTypeError, match=rf"{name}\(\) got an unexpected keyword argument '{keyword}'(.|\n)*fix: \w"):
        getattr(pt.optim, name)(**{keyword: 0.5})


def test_an_unknown_argument_gets_an_error_with_the_optimizer_s_own() -> None:
    expected = "learning_rate, momentum, nesterov, weight_decay, clip_value, clip_norm, global_clip_norm"
    with pytest.raises(
        DTypeError, match=rf"SGD\(\) got an unexpected keyword argument 'bogus'(.|\n)*{expected}\n"
    ) as info:
        pt.optim.SGD(0.1, bogus=1)  # type: ignore[call-arg]  # the error is tested
    assert len([frame for frame in info.traceback if "polytape" in str(frame.path)]) <= 2
    assert pt.optim.SGD(0.1, clip_norm=1.0).clip_norm == 1.0
