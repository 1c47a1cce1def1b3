"""Draws in signal handlers and forked processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Child = Callable[..., "CompletedProcess[str]"]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and interval timers")

HANDLERS = """
import signal
import polytape as pt
generator = pt.random.Generator(1)
draw = lambda: pt.random.uniform((1,), dtype="float64", generator=generator).tolist()
traced = pt.function(lambda: pt.random.uniform((1,), dtype="float64", generator=generator))
draw(), traced()
numbers, busy, hits = [], False, 0
def handler(*_):
    global busy, hits
    if not busy:
        busy = True; hits += 1; numbers.extend(draw() + traced().tolist()); busy = False
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
while hits <= 20 or len(numbers) < 8000:  # on a busy machine, several signals become one
    numbers.extend(draw() + traced().tolist())
signal.setitimer(signal.ITIMER_REAL, 0)
print(len(numbers) - len(set(numbers)))
"""


@needs_fork
def test_a_signal_handler_may_draw_during_a_draw(child: Child) -> None:
    assert child(HANDLERS).stdout.split() == ["0"]


CHILDREN = """
import os, sys
import polytape as pt
for seed in (None, 5):
    if seed is not None: pt.random.seed(seed)
    pt.random.uniform((1,))
    sys.stdout.flush()
    for _ in range(3):
        if os.fork() == 0:
            print(pt.random.uniform((1,), dtype="float64").item(), flush=True); os._exit(0)
        os.wait()
    print(pt.random.uniform((1,), dtype="float64").item(), flush=True)
"""


@needs_fork
def test_a_forked_process_has_a_stream_of_its_own_unless_a_seed_was_chosen(child: Child) -> None:
    numbers = child(CHILDREN).stdout.split()
    assert len(set(numbers[:4])) == 4
    assert len(set(numbers[4:])) == 1


FORKS = """
import os, threading
import polytape as pt
pt.random.seed(1)
traced = pt.function(lambda: pt.random.normal((2,)))
traced()
done = threading.Event()
def draw():
    while not done.is_set(): pt.random.normal((2,)); traced()
threads = [threading.Thread(target=draw) for _ in range(2)]
for thread in threads: thread.start()
results = []
for _ in range(40):
    process = os.fork()
    if process == 0:
        pt.random.normal((2,)); traced(); os._exit(0)
    results.append(os.waitpid(process, 0)[1])
done.set()
for thread in threads: thread.join()
print(results.count(0))
"""


@needs_fork
def test_a_child_forked_while_other_threads_draw_can_draw(child: Child) -> None:
    assert child(["-W", "ignore::DeprecationWarning", "-c", FORKS]).stdout.split() == ["40"]
