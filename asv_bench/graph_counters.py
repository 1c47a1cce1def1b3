"""The equations, kernel calls and memory of the examples' traced functions, as traced and after each pass.

The examples train for a step or two, on a backend that counts kernel calls; then each stage of every graph that they
traced runs once, on zeros. Training steps that an example runs eagerly are traced here. The counts depend on no Python
version.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from polytape_perf.measures import counting_backend

__all__ = ["graph_counters"]

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
# The examples that trace their training steps, with options for a short run.
RUNS = {
    "char_lstm": ("char_lstm", "--steps 1 --units 8 --batch 2 --window 3"),
    "digits_cnn": ("digits", "--model cnn --epochs 1 --batch 512 --output {folder}/cnn"),
    "digits_mlp": ("digits", "--model mlp --epochs 1 --batch 512 --output {folder}/mlp"),
    "gan": ("gan", "--epochs 1 --batch 512 --output {folder}/gan"),
}


def graph_counters() -> dict[str, int]:
    """The counters, by ``graphs.<example>.<function>.<equations, kernels or peak_nbytes>.<stage>``."""
    import polytape as pt

    sys.path.insert(0, str(EXAMPLES))
    ran: Counter[str] = Counter()
    counters: dict[str, int] = {}
    with pt.register_backend(counting_backend("counting", "numpy", ran)), pt.device("counting"):
        for title, run in programs().items():
            with captured() as traced:
                run()
            for name, graph in traced.items():
                counters |= counted(f"graphs.{title}.{name}", graph, ran)
    return counters | memory_counters()


def programs() -> dict[str, Callable[[], Any]]:
    """What traces the functions of each example."""

    def example(module: str, options: str) -> Callable[[], Any]:
        def run() -> None:
            quiet = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
            with tempfile.TemporaryDirectory() as folder, quiet[0], quiet[1]:
                importlib.import_module(module).main(options.format(folder=folder).split())

        return run

    return {**{title: example(*run) for title, run in RUNS.items()}, "linear_regression": linear_regression}


def linear_regression() -> None:
    """Trace the training steps of both fits."""
    import polytape as pt

    for name, fit in importlib.import_module("linear_regression").new_fits(0.1).items():
        step = pt.function(fit.train_step)
        step.name = f"{name}_step"
        step.trace(pt.ones(100), pt.ones(100))


@contextlib.contextmanager
def captured() -> Iterator[dict[str, Any]]:
    """A context manager that collects the graphs that are traced, by name; the first one of a name."""
    from polytape.graph.concrete import Concrete

    found: dict[str, Any] = {}
    original = Concrete.__init__

    def initialise(self: Any, *args: Any) -> None:
        original(self, *args)
        found.setdefault(self.name, self.traced)

    Concrete.__init__ = initialise  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Concrete.__init__ = original  # type: ignore[method-assign]


def counted(title: str, traced: Any, ran: Counter[str]) -> dict[str, int]:
    """The equations and kernel calls of each stage of a graph."""
    from polytape.graph import Executable
    from polytape.graph.stages import stages

    counters = {}
    for stage, graph in stages(traced).items():
        arguments = [x.type.backend.empty(x.symbol.shape, x.type.dtype, x.type.device) for x in graph.arguments]
        for array in arguments:
            array[...] = 0
        state = [x.holder.array for x in graph.variables]
        state += [array for source in graph.sources for array in source.read()]
        ran.clear()
        Executable(graph).run(*arguments, *state)
        counters |= {f"{title}.equations.{stage}": len(graph.equations), f"{title}.kernels.{stage}": ran.total()}
    return counters


def memory_counters() -> dict[str, int]:
    """The peak of each graph's memory on numpy, whose kernels write over operands: as traced, and after all passes."""
    import polytape as pt
    from polytape.graph.stages import stages

    counters = {}
    for title, run in programs().items():
        with pt.device("numpy"), captured() as traced:
            run()
        for name, graph in traced.items():
            found = list(stages(graph).items())
            counters |= {f"graphs.{title}.{name}.peak_nbytes.{k}": peak_nbytes(x) for k, x in (found[0], found[-1])}
    return counters


def peak_nbytes(graph: Any) -> int:
    """The most bytes that a run's temporaries and results take at once, by the plan that `Executable` follows.

    Not counted are arguments, variables, constants, what kernels need for themselves, and updates in place. The result
    of a kernel that may return a view takes no memory, and keeps that of its operands.
    """
    from polytape.graph.execution import last_uses, overwriting, reusable
    from polytape.graph.scalars import Scalars

    last = overwriting(graph)
    ordered = replace(graph, equations=(*(x for x in graph.equations if x not in last), *last))
    buffers = reusable(ordered, last_uses(ordered), Scalars(ordered))
    owners: dict[Any, frozenset[Any]] = {}  # the temporaries whose memory a value has
    for equation in ordered.equations:
        kernels = equation.resolution.candidates
        operands = frozenset[Any]().union(*[owners.get(x, frozenset()) for x in equation.symbols()])
        fresh = bool(kernels) and all(kernel.fresh for kernel in kernels)
        for symbol in equation.outputs:
            owners[symbol] = frozenset() if equation in last else frozenset({symbol}) if fresh else operands
    end = dict.fromkeys([x for symbol in graph.results() for x in owners.get(symbol, ())], len(ordered.equations))
    for position, equation in reversed(list(enumerate(ordered.equations))):
        for symbol in (*equation.outputs, *equation.symbols()):
            for owner in owners.get(symbol, ()):
                end.setdefault(owner, position)
    alive: dict[Any, int] = {}
    peak = 0
    for position, (equation, buffer) in enumerate(zip(ordered.equations, buffers, strict=True)):
        if buffer is not None:
            alive.pop(buffer, None)  # the result takes its place
        new = [symbol for symbol in equation.outputs if owners[symbol] == {symbol}]
        alive |= {symbol: math.prod(symbol.shape) * symbol.dtype.itemsize for symbol in new}
        peak = max(peak, sum(alive.values()))
        alive = {symbol: nbytes for symbol, nbytes in alive.items() if end[symbol] > position}
    return peak
