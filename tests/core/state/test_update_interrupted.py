"""Updates interrupted by Ctrl-C, signal handlers and forks, in real processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from polytape import buildinfo

Child = Callable[..., "CompletedProcess[str]"]
COMPILED = buildinfo.compiled()

# A signal handler that raises, as Ctrl-C does, at random moments of steps on three variables; each is large, so that a
# step takes milliseconds. A step must be all or nothing; uncompiled, an array must still be whole.
INTERRUPTS = """
import random, signal, sys, time
import numpy as np, polytape as pt
backend, name, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
pt.set_backend(backend)
rng = random.Random(0)
variables = [pt.Variable(np.linspace(-1, 1, 200_000, dtype="float32")) for _ in range(3)]
gradients = [pt.asarray(np.linspace(0.5, 2, 200_000, dtype="float32")) for _ in variables]
optimizer = getattr(pt.optim, name)(0.1)
step = lambda: optimizer.apply_gradients(zip(gradients, variables))
step()
groups = [[v, *(optimizer.get_slot(v, slot) for slot in optimizer.slot_names)] for v in variables]
everything = [optimizer.step, *(v for group in groups for v in group)]
old = [v.numpy().copy() for v in everything]
step()
new = [v.numpy().copy() for v in everything]
def reset():
    for v, value in zip(everything, old): v.assign(pt.asarray(value))
reset(); step(); reset()
def timed():
    start = time.perf_counter(); step()
    return time.perf_counter() - start
duration = min(timed() for _ in range(5))  # on a busy machine, one may take many times as long
counts = {"whole": 0, "split": 0, "torn": 0, "finished": 0}
for run in range(runs):
    reset()
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    inside = True
    try:
        signal.setitimer(signal.ITIMER_REAL, max(1e-5, rng.uniform(0, duration * 1.1)))
        step()
        inside = False
    except KeyboardInterrupt:
        pass
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        time.sleep(0)
    except KeyboardInterrupt:
        pass
    states = [
        "new" if np.array_equal(v.numpy(), b) else "old" if np.array_equal(v.numpy(), a) else "torn"
        for v, a, b in zip(everything, old, new)
    ]
    kind = "torn" if "torn" in states else "split" if len(set(states)) > 1 else "whole"
    counts[kind if inside or kind != "whole" else "finished"] += 1
    step()
print(*counts.values())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs interval timers")
@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("runs", [40, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_ctrl_c_never_tears_an_array_and_never_splits_a_compiled_step(
    backend: str, name: str, runs: int, child: Child
) -> None:
    whole, split, torn, finished = map(int, child(["-c", INTERRUPTS, backend, name, str(runs)]).stdout.split())
    assert whole + split + torn + finished == runs and whole > 0
    assert torn == 0
    assert split == 0 or not COMPILED


HANDLERS = """
import signal
import numpy as np, polytape as pt
v = pt.Variable(np.zeros(20_000, "float32"))
gradient = pt.asarray(np.full(20_000, -1.0, "float32"))
one = pt.asarray(1.0)
optimizer = pt.optim.SGD(1.0)
counter = pt.Variable(0.0)
traced = pt.function(lambda: counter.assign_add(1.0))
def step():
    optimizer.apply_gradients([(gradient, v)]); counter.assign_add(one); traced()
count = hits = 0
busy = False
def handler(*_):
    global busy, hits
    if not busy:
        busy = True; step(); hits += 1; busy = False
step()
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
while hits <= 20 or count < 4000:  # on a busy machine, several signals become one
    step(); count += 1
signal.setitimer(signal.ITIMER_REAL, 0)
total = count + hits + 1
print(int(optimizer.step) == total, v.numpy().min() == v.numpy().max() == total, counter.item() == 2 * total)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs interval timers")
def test_no_update_is_lost_to_a_signal_handler_that_updates_too(child: Child) -> None:
    assert child(HANDLERS).stdout.split() == ["True"] * 3


FORKS = """
import os, sys, threading
import numpy as np, polytape as pt
v = pt.Variable(np.zeros(300_000, "float32"))
gradient = pt.asarray(np.full(300_000, -1.0, "float32"))
optimizer = pt.optim.SGD(1.0)
done = threading.Event()
def train():
    while not done.is_set(): optimizer.apply_gradients([(gradient, v)])
thread = threading.Thread(target=train)
thread.start()
results = []
for _ in range(60):
    process = os.fork()
    if process == 0:
        value = v.numpy()
        whole = value.min() == value.max() == int(optimizer.step)
        optimizer.apply_gradients([(gradient, v)])
        os._exit(0 if whole and v.numpy().min() == value.max() + 1 else 1)
    results.append(os.waitpid(process, 0)[1])
done.set()
thread.join()
print(results.count(0))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_during_an_update_has_whole_variables(child: Child, tmp_path: Path) -> None:
    script = tmp_path / "forks.py"
    script.write_text(FORKS, encoding="utf-8")
    assert child([str(script)]).stdout.split() == ["60"]
