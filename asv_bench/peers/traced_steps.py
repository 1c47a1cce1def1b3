"""Compare traced with eager steps, in time and memory: `python asv_bench/peers/traced_steps.py`.

The steps are those of the examples, and two that the targets of graph mode name: a step of linear regression as a
whole, and its loss traced with the tape outside. A traced and an eager copy of the program run in turns, each with
variables of its own, in processor time. ``excess`` is traced minus eager; the target is at most 1 us. The peak is
the one of a step on the host, in KiB, by tracemalloc. sim runs its kernels in a queue of its own, so its times vary
more.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["main"]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Step = Callable[[], Any]
Wrap = Callable[[Step], Step]


def linreg(wrap: Wrap) -> Step:
    """Linear regression on 1,000 points, its tape and updates inside."""
    from polytape_perf.cases.workloads import Linreg

    return wrap(Linreg().step)


def tape_outside(wrap: Callable[[Any], Any]) -> Step:
    """Only the loss of the same step traced, and its gradients by a tape outside."""
    import polytape as pt
    from polytape_perf.cases.workloads import Linreg

    line = Linreg()
    loss_of = wrap(lambda x, y: pt.mean(pt.square(x * line.w + line.b - y)))

    def step() -> Any:
        with pt.GradientTape() as tape:
            loss = loss_of(line.x, line.y)
        return tape.gradient(loss, [line.w, line.b])

    return step


def mlp(wrap: Wrap) -> Step:
    """MLP 784-128-10, batch 128, Adam."""
    from polytape_perf.cases.workloads import Mlp

    return wrap(Mlp().step)


def diabetes(loss: str) -> Callable[[Wrap], Step]:
    """examples/linear_regression.py."""

    def make(wrap: Wrap) -> Step:
        import numpy as np

        import linear_regression
        import polytape as pt

        x, y = (pt.asarray(np.random.default_rng(k).normal(size=442), dtype="float32") for k in range(2))
        fit = linear_regression.new_fits(1e-6)[loss]
        step = wrap(fit.train_step)
        return lambda: step(x, y)  # type: ignore[call-arg]  # it takes the points

    return make


def trained(model: Any, x: Any, y: Any, loss_of: Callable[[Any, Any], Any], optimizer: Any, wrap: Any) -> Step:
    """A step of a model."""
    import polytape as pt

    def body(x: Any, y: Any) -> Any:
        with pt.GradientTape() as tape:
            loss = loss_of(model(x), y)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    model(x)
    step = wrap(body)
    return lambda: step(x, y)


def model_class(wrap: Wrap) -> Step:
    """examples/model_class.py."""
    import model_class
    import polytape as pt

    x, y = pt.random.normal((2000,)), pt.random.normal((2000,))
    square = lambda prediction, y: pt.mean(pt.square(prediction - y))  # noqa: E731  # an expression
    return trained(model_class.Line(), x, y, square, pt.optim.SGD(1e-6), wrap)


def line_search(wrap: Callable[[Any], Any]) -> Step:
    """examples/line_search.py: the function traced, its control flow outside."""
    import line_search
    import polytape as pt

    function, x = wrap(line_search.rosenbrock), pt.asarray([-1.2, 1.0])
    return lambda: line_search.line_search_step(function, x)


def birth_life(wrap: Callable[[Any], Any]) -> Step:
    """examples/birth_life.py: one element, value and gradients of a traced loss."""
    import birth_life
    import polytape as pt

    w, b = pt.Variable(0.5), pt.Variable(0.25)
    optimizer, x, y = pt.optim.SGD(1e-6), pt.asarray(1.5), pt.asarray(2.0)
    loss = wrap(lambda x, y: birth_life.squared_loss(w * x + b - y))
    of = pt.implicit_value_and_gradients(loss)

    def step() -> Any:
        value, gradients = of(x, y)
        optimizer.apply_gradients(gradients)
        return value

    return step


def char_lstm(wrap: Wrap) -> Step:
    """examples/char_lstm.py, with windows of 16 characters."""
    import numpy as np

    import char_lstm
    import polytape as pt

    model = char_lstm.CharModel(64, 64)
    codes = np.random.default_rng(0).integers(0, 64, (16, 17))
    x, y = pt.asarray(codes[:, :-1]), pt.asarray(codes[:, 1:])
    cross_entropy = lambda result, y: pt.mean(  # noqa: E731  # an expression
        pt.nn.sparse_softmax_cross_entropy_with_logits(y, result[0])
    )
    return trained(model, x, y, cross_entropy, pt.optim.Adam(1e-9), wrap)


def gan(wrap: Wrap) -> Step:
    """examples/gan.py."""
    import gan
    import polytape as pt

    networks, real = gan.Gan(1e-9), pt.random.uniform((32, 8, 8, 1))
    step = wrap(networks._step)
    return lambda: step(real)  # type: ignore[call-arg]  # it takes the images


def digits(kind: str) -> Callable[[Wrap], Step]:
    """examples/digits.py, batches of 32 images."""

    def make(wrap: Wrap) -> Step:
        import numpy as np

        import digits
        import polytape as pt

        rng = np.random.default_rng(0)
        model = digits.network(kind)
        x, y = pt.asarray(rng.random((32, 8, 8, 1), dtype="float32")), pt.asarray(rng.integers(0, 10, 32))
        training = lambda x: model(x, training=True)  # noqa: E731  # an expression
        model(x)
        training.trainable_variables = model.trainable_variables  # type: ignore[attr-defined]  # as a model has them
        cross_entropy = lambda logits, y: pt.mean(  # noqa: E731  # an expression
            pt.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        )
        return trained(training, x, y, cross_entropy, pt.optim.Adam(1e-9), wrap)

    return make


STEPS: dict[str, Callable[[Any], Step]] = {
    "linear regression": linreg,
    "its loss, tape outside": tape_outside,
    "MLP 784-128-10": mlp,
    "linear_regression.py, squared": diabetes("squared"),
    "linear_regression.py, Huber": diabetes("Huber"),
    "model_class.py": model_class,
    "line_search.py": line_search,
    "birth_life.py": birth_life,
    "char_lstm.py": char_lstm,
    "gan.py": gan,
    "digits.py, mlp": digits("mlp"),
    "digits.py, cnn": digits("cnn"),
}


def measured(make: Callable[[Any], Step], batches: int, batch_s: float) -> dict[str, float]:
    """Times in seconds, peaks in bytes, and how long the first traced call took."""
    from interleave import interleaved, median

    import polytape as pt
    from polytape_perf.measures import peak_nbytes

    pt.random.seed(0)
    eager, traced = make(lambda f: f), make(pt.function)
    eager()  # its kernels are loaded, so that the first traced call is tracing, optimising and one run
    begin = time.process_time()
    traced()
    first = time.process_time() - begin
    for _ in range(3):
        eager()
        traced()
    samples = interleaved({"traced": traced, "eager": eager}, batches, batch_s, time.process_time)
    return {
        "traced_s": median(samples["traced"]), "eager_s": median(samples["eager"]), "first_call_s": first,
        "traced_nbytes": peak_nbytes(traced), "eager_nbytes": peak_nbytes(eager),
    }  # fmt: skip


def rows(options: argparse.Namespace) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Step, backend and what was measured."""
    import polytape as pt

    ready = [backend.name for backend in pt.backends() if backend.status == "ready"]
    for name, make in STEPS.items():
        for backend in options.backends.split(","):
            if backend in ready and options.steps in name:
                pt.set_backend(backend)
                yield name, backend, measured(make, options.batches, options.batch_ms / 1e3)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", default="numpy,numba,sim", help="(default %(default)s; those that are ready)")
    parser.add_argument("--steps", default="", help="only steps whose name contains this")
    parser.add_argument("--batches", type=int, default=21, help="samples of each (default 21)")
    parser.add_argument("--batch-ms", type=float, default=5.0, help="length of a sample in milliseconds (default 5)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))
    here = Path(__file__).resolve()
    sys.path[:0] = [str(here.parents[2] / "perf"), str(here.parents[2] / "examples")]
    if options.json:
        print(json.dumps([{"step": name, "backend": backend, **row} for name, backend, row in rows(options)], indent=1))
        return
    header = (
        "step | backend | traced [us] | eager [us] | ratio | excess [us] | peak, traced | peak, eager | first call [ms]"
    )
    print(f"| {header} |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, backend, row in rows(options):
        traced, eager = row["traced_s"] * 1e6, row["eager_s"] * 1e6
        peaks = f"{row['traced_nbytes'] / 1024:.1f} | {row['eager_nbytes'] / 1024:.1f}"
        times = f"{traced:.1f} | {eager:.1f} | {traced / eager:.2f} | {max(0.0, traced - eager):.1f}"
        print(f"| {name} | {backend} | {times} | {peaks} | {row['first_call_s'] * 1e3:.0f} |", flush=True)
    print(f"\nLoad average: {os.getloadavg()[0]:.1f}." if hasattr(os, "getloadavg") else "")


if __name__ == "__main__":
    main()
