"""`fit`: the same numbers as a loop written by hand, its data, its errors, and what it leaves behind."""

from __future__ import annotations

import contextlib
import signal
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape import training
from polytape.errors import DataError, DTypeError, SettingError, ShapeError

X = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
Y = (X @ np.asarray([1.0, -2.0, 0.5, 3.0], "float32") > 0).astype("int32")
LINE = np.linspace(-1.0, 1.0, 50, dtype="float32").reshape(50, 1)
QUIET: dict[str, Any] = {"progress": False}


def network() -> pt.nn.Sequential:
    """Layers with a regularizer, a constraint, moving averages and random numbers."""
    return pt.nn.Sequential(
        pt.nn.Dense(8, activation="relu", weight_regularizer=pt.nn.regularizers.L2(0.01)),
        pt.nn.BatchNorm(),
        pt.nn.Dropout(0.25),
        pt.nn.Dense(2, weight_constraint=pt.nn.constraints.MaxNorm(1.0)),
    )


def by_hand(model: pt.nn.Model, optimizer: Any, epochs: int) -> tuple[list[float], list[float]]:
    """The losses and accuracies of the epochs of a loop without `fit`."""
    batches = pt.data.Dataset.from_tensor_slices((X, Y)).shuffle(seed=3).batch(16).iterator()
    losses, accuracies = [], []
    for _ in range(epochs):
        total, metric = 0.0, pt.metrics.SparseCategoricalAccuracy()
        for x, y in batches:
            with pt.GradientTape() as tape:
                logits = model(x, training=True)
                loss = pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(y, logits)) + sum(model.losses)
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            model.apply_constraints()
            total += float(loss) * x.shape[0]
            metric.update(y, logits)
        losses.append(total / len(X))
        accuracies.append(float(metric.result()))
    return losses, accuracies


@pytest.mark.parametrize("function", [True, False])
def test_it_computes_the_numbers_of_a_loop_written_by_hand_bit_for_bit(backend: str, function: bool) -> None:
    with pt.device(backend):
        pt.random.seed(1)
        model = network()
        model.build((None, 4))  # a trace would draw all weights before the first dropout, an eager call layer by layer
        losses, accuracies = by_hand(model, pt.optim.Adam(0.01), 3)
        expected = [variable.numpy() for variable in model.variables]
        pt.random.seed(1)
        model = network()
        model.build((None, 4))  # a trace would draw all weights before the first dropout, an eager call layer by layer
        history = model.fit(
            X, Y, optimizer=pt.optim.Adam(0.01), loss="sparse_softmax_cross_entropy", batch_size=16, epochs=3, seed=3,
            metrics=["sparse_categorical_accuracy"], function=function, **QUIET,
        )  # fmt: skip
    for variable, value in zip(model.variables, expected, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert history["loss"] == losses and history["sparse_categorical_accuracy"] == accuracies


def test_weights_regularizers_and_momentum_give_the_numbers_of_pytorch(backend: str) -> None:
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(50, 6)).astype("float32"), rng.integers(0, 3, 50)
    values = [rng.normal(size=shape).astype("float32") * 0.3 for shape in ((6, 8), (8,), (8, 3), (3,))]
    weights = rng.uniform(0.5, 2.0, 50).astype("float32")
    with pt.device(backend):
        hidden = pt.nn.Dense(8, activation="tanh", weight_regularizer=pt.nn.regularizers.L2(0.01))
        model = pt.nn.Sequential(hidden, pt.nn.Dense(3))
        model.build((None, 6))
        for variable, value in zip(model.variables, values, strict=True):
            variable.assign(value)
        history = model.fit(
            x, labels, optimizer=pt.optim.SGD(0.1, momentum=0.9), loss="sparse_softmax_cross_entropy", shuffle=False,
            batch_size=16, epochs=3, weights=weights, class_weights=[0.5, 2.0, 1.0], **QUIET,
        )  # fmt: skip
    # A loop with PyTorch 2.13.0 on the same data: the means of the losses over samples, and the squares of the weights.
    np.testing.assert_allclose(history["loss"], [1.9649160289764405, 1.487989010810852, 1.5681206750869752], rtol=1e-6)
    squares = [float(pt.sum(pt.square(variable))) for variable in model.variables]
    np.testing.assert_allclose(squares, [3.0143606, 1.0703048, 1.7616581, 0.384999], rtol=5e-6)


def test_a_small_network_learns_handwritten_digits() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    selection = pytest.importorskip("sklearn.model_selection")
    images, labels = datasets.load_digits(return_X_y=True)
    x, x_test, y, y_test = selection.train_test_split(
        (images / 16.0).astype("float32"), labels, test_size=0.2, random_state=0, stratify=labels
    )
    pt.random.seed(0)
    model = pt.nn.Sequential(pt.nn.Dense(128, activation="relu"), pt.nn.Dropout(0.2), pt.nn.Dense(10))
    history = model.fit(
        x, y, optimizer=pt.optim.Adam(0.002), loss="sparse_softmax_cross_entropy", epochs=40, seed=0,
        metrics={"accuracy": "sparse_categorical_accuracy"}, validation_data=(x_test, y_test), **QUIET,
    )  # fmt: skip
    assert history["val_accuracy"][-1] > 0.97
    assert float(np.mean(model.predict(x_test).numpy().argmax(axis=1) == y_test)) == history["val_accuracy"][-1]


def test_a_function_with_variables_is_trained(backend: str) -> None:
    with pt.device(backend):
        w, b, unused = pt.Variable(0.0), pt.Variable(0.0), pt.Variable(1.0)
        history = training.fit(
            lambda x: x * w + b, LINE, 3.0 * LINE + 1.0, optimizer=pt.optim.SGD(0.3), loss="mean_squared_error",
            epochs=20, **QUIET,
        )  # fmt: skip
    assert abs(float(w) - 3.0) < 1e-3 and abs(float(b) - 1.0) < 1e-3 and float(unused) == 1.0
    assert history.epochs == list(range(20)) and history.best("loss") > 10


def test_only_the_given_variables_are_trained() -> None:
    w, b = pt.Variable(0.0), pt.Variable(0.0)
    training.fit(
        lambda x: x * w + b, LINE, LINE + 1.0, optimizer=pt.optim.SGD(0.3), loss="mean_squared_error", variables=[b],
        **QUIET,
    )  # fmt: skip
    assert float(w) == 0.0 and float(b) > 0.1


def test_structures_are_arguments_and_losses_see_structures() -> None:
    a, b = pt.Variable(0.0), pt.Variable(0.0)

    def model(left: pt.Tensor, right: dict[str, pt.Tensor]) -> dict[str, pt.Tensor]:
        return {"sum": left * a + right["x"] * b, "left": left * a}

    def loss(labels: dict[str, pt.Tensor], outputs: dict[str, pt.Tensor]) -> pt.Tensor:
        return sum(pt.nn.mean_squared_error(labels[name], outputs[name]) for name in labels)

    right = LINE[::-1] ** 2
    labels = {"sum": 2.0 * LINE - right, "left": 2.0 * LINE}
    training.fit(model, (LINE, {"x": right}), labels, optimizer=pt.optim.SGD(0.4), loss=loss, epochs=80, **QUIET)
    assert abs(float(a) - 2.0) < 1e-2 and abs(float(b) + 1.0) < 1e-2
    outputs = training.predict(model, (LINE, {"x": right}), batch_size=7)
    np.testing.assert_allclose(outputs["sum"].numpy(), labels["sum"], atol=2e-2)


def test_a_dataset_of_batches_is_the_same_as_arrays() -> None:
    found = []
    dataset = pt.data.Dataset.from_tensor_slices((LINE, 3.0 * LINE)).shuffle(seed=5).batch(8)
    for data, options in (((dataset,), {}), ((LINE, 3.0 * LINE), {"batch_size": 8, "seed": 5})):
        w = pt.Variable(0.0)
        history = training.fit(
            lambda x, w=w: x * w, *data, optimizer=pt.optim.SGD(0.1), loss="mean_squared_error", epochs=2, **options,
            **QUIET,
        )  # fmt: skip
        found.append((float(w), history["loss"]))
    assert found[0] == found[1]


@pytest.mark.parametrize("endless", [True, False])
def test_steps_per_epoch_cuts_epochs_out_of_passes(endless: bool) -> None:
    dataset = pt.data.Dataset.from_tensor_slices((LINE, LINE)).batch(10)  # 5 batches
    seen: list[int] = []
    w = pt.Variable(0.0)
    history = training.fit(
        lambda x: x * w, dataset.repeat() if endless else dataset, optimizer=pt.optim.SGD(0.1),
        loss="mean_squared_error", epochs=4, steps_per_epoch=5 if endless else 3,
        callbacks=[training.LambdaCallback(on_batch_end=lambda run, batch, numbers: seen.append(batch))], **QUIET,
    )  # fmt: skip
    assert seen == list(range(5 if endless else 3)) * 4 and len(history.epochs) == 4


def test_the_validation_is_split_from_the_end_or_given() -> None:
    w = pt.Variable(1.0)
    common: dict[str, Any] = {"optimizer": pt.optim.SGD(0.0), "loss": "mean_squared_error", **QUIET}
    split = training.fit(lambda x: x * w, LINE, 0.0 * LINE, validation_split=0.2, **common)
    assert split["val_loss"][0] == pytest.approx(float(np.mean(LINE[40:] ** 2)))
    assert split["loss"][0] == pytest.approx(float(np.mean(LINE[:40] ** 2)))
    given = training.fit(lambda x: x * w, LINE, 0.0 * LINE, validation_data=(LINE[:3], LINE[:3]), **common)
    assert given["val_loss"] == [0.0]
    batches = pt.data.Dataset.from_tensor_slices((LINE, 0.0 * LINE)).batch(7)
    assert training.fit(lambda x: x * w, batches, validation_data=batches, **common)["val_loss"] == pytest.approx(
        [float(np.mean(LINE**2))]
    )


def test_weights_of_samples_and_of_classes_are_factors_of_the_losses() -> None:
    model = pt.nn.Sequential(pt.nn.Dense(2))
    model(X)
    kept = [variable.numpy() for variable in model.variables]
    weights = np.where(np.arange(50) % 3 == 0, 0.0, 2.0).astype("float32")
    found = []
    losses = pt.nn.sparse_softmax_cross_entropy_with_logits(Y, model(X)).numpy()
    for options in ({"weights": weights}, {"class_weights": {0: 0.5, 1: 3.0}}, {"class_weights": [0.5, 3.0]}):
        history = model.fit(
            X, Y, optimizer=pt.optim.SGD(0.0), loss="sparse_softmax_cross_entropy", batch_size=8, shuffle=False,
            **options, **QUIET,
        )  # fmt: skip
        found.append(history["loss"][0])
    assert found[0] == pytest.approx(float((losses * weights).sum() / np.count_nonzero(weights)), rel=1e-6)
    assert found[1] == found[2] == pytest.approx(float((losses * np.where(Y == 0, 0.5, 3.0)).mean()), rel=1e-6)
    for variable, value in zip(model.variables, kept, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_a_loss_of_nan_is_an_error_with_the_place() -> None:
    w, y = pt.Variable(1.0), LINE.copy()
    y[25] = np.nan
    with pytest.raises(DataError, match="the loss of batch 2 is nan") as caught:
        training.fit(
            lambda x: x * w, LINE, y, optimizer=pt.optim.SGD(0.1), loss="mean_squared_error", shuffle=False,
            batch_size=10, **QUIET,
        )  # fmt: skip
    assert "epoch 0 (counted from 0), after 3 batches" in caught.value.__notes__[-1]
    assert "global_clip_norm" in str(caught.value)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_after_an_exception_the_history_is_readable_and_the_training_can_go_on(error: type[BaseException]) -> None:
    def stop(run: training.Run, batch: int, numbers: dict[str, float]) -> None:
        if run.epoch == 2 and batch == 3:
            raise error("enough")

    ended: list[BaseException] = []
    history, optimizer, w = training.History(), pt.optim.Adam(0.1), pt.Variable(0.0)
    options: dict[str, Any] = {
        "optimizer": optimizer, "loss": "mean_squared_error", "batch_size": 10, "history": history, **QUIET,
    }  # fmt: skip
    callbacks = [
        training.LambdaCallback(on_batch_end=stop),
        training.LambdaCallback(on_exception=lambda run, error: ended.append(error)),
    ]
    with pytest.raises(error, match="enough"):
        training.fit(lambda x: x * w, LINE, LINE, epochs=5, callbacks=callbacks, **options)
    assert history.epochs == [0, 1] and len(history["loss"]) == 2
    assert int(optimizer.step) == 14 and isinstance(ended[0], error)
    training.fit(lambda x: x * w, LINE, LINE, epochs=4, initial_epoch=2, **options)
    assert history.epochs == [0, 1, 2, 3]


# A finalizer that is interrupted prints a warning and goes on.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="it interrupts by a timer's signal")
@pytest.mark.parametrize("function", [True, False])
def test_ctrl_c_at_any_time_leaves_variables_and_optimizer_of_one_step(function: bool) -> None:
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for delay in np.random.default_rng(0).uniform(0.001, 0.03, 12):
            w, b, optimizer = pt.Variable(0.0), pt.Variable(0.0), pt.optim.SGD(1.0)
            history = training.History()
            signal.setitimer(signal.ITIMER_REAL, delay)
            with contextlib.suppress(KeyboardInterrupt):
                training.fit(
                    lambda x, w=w, b=b: x * 0.0 - w - b, LINE, LINE, loss=lambda y, x: pt.mean(x), batch_size=10,
                    optimizer=optimizer, epochs=300, history=history, function=function, **QUIET,
                )  # fmt: skip
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            # Each step adds 1 to both variables.
            assert float(w) == float(b) == int(optimizer.step)
            assert len(history["loss"] if history.epochs else []) == len(history.epochs)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)


def test_rows_of_an_embedding_are_trained_as_by_minimize() -> None:
    tokens = np.random.default_rng(0).integers(0, 20, (48, 5)).astype("int32")
    labels = (tokens[:, 0] > 9).astype("int32")
    results = []
    for by_hand in (True, False):
        pt.random.seed(2)
        model = pt.nn.Sequential(pt.nn.Embedding(50, 4), pt.nn.Flatten(), pt.nn.Dense(2))
        model(tokens[:1])
        optimizer = pt.optim.Adam(0.05)
        if by_hand:
            for k in range(0, 48, 16):
                x, y = pt.asarray(tokens[k : k + 16]), pt.asarray(labels[k : k + 16])
                optimizer.minimize(
                    lambda x=x, y=y, model=model: pt.mean(
                        pt.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True))
                    )
                )
        else:
            model.fit(
                tokens, labels, optimizer=optimizer, loss="sparse_softmax_cross_entropy", batch_size=16, shuffle=False,
                **QUIET,
            )  # fmt: skip
        results.append([variable.numpy() for variable in model.variables])
    for expected, found in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_initial_epoch_continues_the_orders_of_the_epochs() -> None:
    def order(epochs: int, first: int) -> list[float]:
        seen: list[float] = []
        w = pt.Variable(0.0)

        def model(x: pt.Tensor) -> pt.Tensor:
            seen.extend(x.tolist())
            return x * w

        training.fit(
            model, LINE[:, 0], LINE[:, 0], optimizer=pt.optim.SGD(0.1), loss="mean_squared_error", seed=0,
            epochs=epochs, initial_epoch=first, function=False, **QUIET,
        )  # fmt: skip
        return seen

    whole = order(2, 0)
    assert whole[50:] == order(2, 1) and whole[:50] != whole[50:]


MODEL = pt.nn.Sequential(pt.nn.Dense(1))
GOOD: dict[str, Any] = {"optimizer": pt.optim.SGD(0.1), "loss": "mean_squared_error", **QUIET}


@pytest.mark.parametrize(
    ("x", "y", "options", "error", "text"),
    [
        (LINE, None, {}, DTypeError, "needs labels"),
        ([LINE, LINE], LINE, {}, DTypeError, "pass a tuple for several inputs"),
        (LINE, LINE[:3], {}, ShapeError, "different numbers of rows"),
        (LINE, LINE[:, 0], {}, ShapeError, "every label with every output"),
        (LINE, LINE, {"optimizer": "adam"}, DTypeError, "polytape.optim.Adam"),
        (LINE, LINE, {"optimizer": pt.optim.Adam}, DTypeError, "call the class"),
        (LINE, LINE, {"loss": "mse"}, SettingError, "pass mean_squared_error"),
        (LINE, LINE, {"epochs": -1}, SettingError, "epochs=-1"),
        (LINE, LINE, {"batch_size": 0}, SettingError, "1 or more"),
        (LINE, LINE, {"verbose": 0}, DTypeError, "progress=True"),
        (LINE, LINE, {"sample_weight": LINE}, DTypeError, "weights=..."),
        (LINE, LINE, {"validation_split": 1.0}, SettingError, "validation_split"),
        (LINE, LINE, {"validation_split": 0.5, "validation_data": (LINE, LINE)}, SettingError, "leave one out"),
        (LINE, LINE, {"validation_data": [LINE, LINE]}, DataError, "(x, y)"),
        (LINE, LINE, {"validation_data": (LINE, LINE[:1])}, ShapeError, "different numbers of rows"),
        (LINE, LINE, {"checkpoint_every": 3}, SettingError, "checkpoint= as well"),
        (LINE, LINE, {"class_weights": {1: 2.0}}, SettingError, "leaves out a class"),
        (LINE, LINE, {"class_weights": [1.0, 2.0]}, ShapeError, "integer labels"),
        (LINE, LINE, {"metrics": [pt.metrics.ConfusionMatrix(2)]}, SettingError, "pass it to evaluate"),
        (LINE, LINE, {"callbacks": [print]}, DTypeError, "LambdaCallback"),
        (LINE[:0], LINE[:0], {}, SettingError, "no data"),
        (pt.data.Dataset.from_tensor_slices((LINE, LINE)), LINE, {}, SettingError, "cannot use y with a Dataset"),
        (pt.data.Dataset.from_tensor_slices(LINE).batch(2), None, {}, DataError, "(x, y)"),
        (pt.data.Dataset.from_tensor_slices((LINE, LINE[:, 0])), None, {}, ShapeError, "no rows"),
        (pt.data.Dataset.from_tensor_slices((LINE, LINE)).repeat().batch(2), None, {}, SettingError, "endless"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_named_and_nothing_is_trained(
    x: Any, y: Any, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    MODEL(LINE)
    before = [variable.numpy().copy() for variable in MODEL.variables]
    with pytest.raises(error) as caught:
        MODEL.fit(x, y, **{**GOOD, **options})
    assert text in str(caught.value)
    for variable, value in zip(MODEL.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_a_branch_on_values_names_the_option_that_runs_it() -> None:
    w = pt.Variable(1.0)

    def model(x: pt.Tensor) -> pt.Tensor:
        return x * w if float(pt.sum(x)) > 1e9 else x * w * 2.0

    with pytest.raises(pt.errors.TraceError) as caught:
        training.fit(model, LINE, LINE, **GOOD)
    assert any("function=False" in note for note in caught.value.__notes__)
    assert training.fit(model, LINE, LINE, function=False, **GOOD).epochs == [0]
