"""Threads: separate tapes on shared tensors, concurrent first use of a backend, scopes, registration of kernels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from subprocess import CompletedProcess
from typing import Any

import numpy as np

import polytape as pt
from polytape.tensors.scope import current_scope

Child = Callable[..., "CompletedProcess[str]"]
THREADS = 4
ROUNDS = 200


def together(f: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """The results of ``f(0)`` to ``f(count - 1)``, run in threads that start together; raises their errors."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Any:
        barrier.wait()
        return f(number)

    with ThreadPoolExecutor(count) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, number) for number in range(count)]]


def test_four_threads_with_tapes_on_one_tensor_get_correct_gradients() -> None:
    x = pt.asarray(np.arange(1.0, 5.0))

    def work(number: int) -> int:
        correct = 0
        for _ in range(ROUNDS):
            with pt.GradientTape() as tape:
                tape.watch(x)
                y = pt.sum(x**2 * (number + 1.0))
            correct += np.array_equal(tape.gradient(y, x), 2.0 * (number + 1.0) * np.arange(1.0, 5.0))
        return correct

    assert together(work) == [ROUNDS] * THREADS
    assert current_scope.get().tapes == ()


def test_four_threads_share_a_variable_under_nested_tapes() -> None:
    v = pt.Variable(3.0)

    def work(number: int) -> int:
        correct = 0
        for _ in range(ROUNDS // 4):
            with pt.GradientTape() as outer:
                with pt.GradientTape() as inner:
                    y = v * v * v * (number + 1.0)
                dy = inner.gradient(y, v)
            correct += (dy.item(), outer.gradient(dy, v).item()) == (27.0 * (number + 1), 18.0 * (number + 1))
        return correct

    assert together(work) == [ROUNDS // 4] * THREADS


def test_a_tape_of_one_thread_does_not_record_in_another() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        (unrecorded,) = together(lambda number: x * x, 1)
        y = x * x
    assert unrecorded.node is None and tape.gradient(y, x).item() == 6.0


def test_a_device_scope_of_one_thread_does_not_affect_another() -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold_scope() -> None:
        with pt.device("numpy:cpu:0"):
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=hold_scope)
    thread.start()
    assert entered.wait(60)
    assert pt.current_backend().chosen_by != "scope"
    leave.set()
    thread.join(60)


def test_concurrent_assignments_never_mix_values() -> None:
    v = pt.Variable(np.zeros(1000))
    uniform: list[bool] = []

    def work(number: int) -> None:
        for _ in range(ROUNDS):
            v.assign(np.full(1000, float(number)))
            value = v.numpy()
            uniform.append(bool((value == value[0]).all()))

    together(work)
    assert all(uniform) and len(uniform) == THREADS * ROUNDS


def test_kernels_can_be_registered_and_removed_while_other_threads_compute() -> None:
    x = pt.asarray(np.ones(4))
    stop = threading.Event()
    wrong: list[Any] = []

    def compute() -> None:
        while not stop.is_set():
            result = (x + x).tolist()
            if result not in ([2.0] * 4, [9.0] * 4):
                wrong.append(result)

    threads = [threading.Thread(target=compute) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        with pt.kernel("add", backend="numpy", priority=3)(lambda a, b: a * 0 + 9):
            assert (x + x).tolist() == [9.0] * 4
        assert (x + x).tolist() == [2.0] * 4
    stop.set()
    for thread in threads:
        thread.join(60)
    assert wrong == [] and (x + x).tolist() == [2.0] * 4


def test_several_threads_may_use_a_backend_first(child: Child) -> None:
    code = """
import threading, sys
import polytape as pt
sys.setswitchinterval(1e-6)
barrier, results, errors = threading.Barrier(8), [], []
def first(number):
    barrier.wait()
    try:
        x = pt.asarray([1.0, 2.0]) * number
        results.append((type(x).__name__, x.tolist()))
    except BaseException as error:
        errors.append(repr(error))
threads = [threading.Thread(target=first, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not errors, errors
print(sorted(values[0] for _, values in results))
"""
    for _ in range(3):
        assert child(code).stdout.split() == str([float(n) for n in range(8)]).split()


def test_scalars_first_used_in_several_threads_are_correct() -> None:
    x = pt.asarray([0.0])

    def work(number: int) -> bool:
        return all((x + (step + 0.25)).item() == step + 0.25 for step in range(2000))

    assert together(work) == [True] * THREADS
