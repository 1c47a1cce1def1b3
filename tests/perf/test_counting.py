"""Lane A: counts are the same in each process, and every kind of difference has its verdict."""

from __future__ import annotations

import pytest

from polytape_perf.counting import Change, changes, counts, has_valgrind, instructions, modules
from polytape_perf.pairs import Spot
from polytape_perf.workers import CaseError, WorkerProcess


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ({"opcodes": 1000}, {"opcodes": 1010}, []),
        ({"opcodes": 1000}, {"opcodes": 1011}, [Change("opcodes", 1000, 1011, "worse")]),
        ({"opcodes": 1000}, {"opcodes": 900}, [Change("opcodes", 1000, 900, "better")]),
        ({"kernels": 3}, {"kernels": 4}, [Change("kernels", 3, 4, "worse")]),
        ({"kernels": 3}, {"kernels": 2}, [Change("kernels", 3, 2, "better")]),
        ({"kernels": 3}, {"kernels": 0}, [Change("kernels", 3, 0, "lost")]),
        ({"kernels": 0}, {"kernels": 0}, []),
        ({"bytes": 10, "opcodes": 5}, {"bytes": 10}, []),
        ({"bytes": 1_000}, {"bytes": 2_023}, []),
        ({"allocations": 10}, {"allocations": 14}, []),
        ({"allocations": 1000}, {"allocations": 1050}, []),
        ({"allocations": 1000}, {"allocations": 1051}, [Change("allocations", 1000, 1051, "worse")]),
        ({"allocations": 10}, {"allocations": 15}, [Change("allocations", 10, 15, "worse")]),
        ({"bytes": 1_000}, {"bytes": 2_024}, [Change("bytes", 1_000, 2_024, "worse")]),
    ],
)
def test_changes_beyond_the_margin_have_a_verdict(
    base: dict[str, int], head: dict[str, int], expected: list[Change]
) -> None:
    assert changes(base, head) == expected


@pytest.mark.parametrize("name", ["dispatch/add", "tape/gradient", "optim/adam", "training/traced_regression"])
def test_two_processes_count_the_same(name: str) -> None:
    with WorkerProcess("") as one, WorkerProcess("") as two:
        first, second = counts(one, name, "numpy:cpu"), counts(two, name, "numpy:cpu")
    assert {"kernels", "opcodes"} <= set(first)
    assert changes(first, second) == []


def test_only_a_backends_own_kernels_are_counted() -> None:
    with WorkerProcess("") as worker:
        assert counts(worker, "rows/softmax", "numba:cpu")["kernels"] == 1
        assert counts(worker, "matrix/matmul", "numba:cpu")["kernels"] == 0  # NumPy's
        assert counts(worker, "matrix/matmul", "numpy:cpu")["kernels"] == 1


def test_the_import_loads_no_backend_and_the_first_op_only_its_own() -> None:
    found = modules("", "numpy:cpu")
    assert "polytape" in found["import"] and "polytape_numpy" not in found["import"]
    assert "polytape_numpy.kernels" in found["first_op"] and "numba" not in found["first_op"]


def test_a_case_that_fails_is_an_error_and_the_worker_stays_usable() -> None:
    with WorkerProcess("") as worker:
        with pytest.raises(CaseError, match=r"count dispatch/add nowhere:cpu: .*nowhere"):
            counts(worker, "dispatch/add", "nowhere:cpu")
        assert worker.ask("open", case="dispatch/add", device="numpy:cpu") > 0
        worker.process.kill()
        with pytest.raises(CaseError, match="the worker ended with status -9"):
            worker.ask("open", case="dispatch/add", device="numpy:cpu")


@pytest.mark.slow
@pytest.mark.skipif(not has_valgrind(), reason="valgrind is not installed")
def test_instructions_per_call_are_the_same_within_one_percent() -> None:
    first, second = (instructions(Spot("", "dispatch/add", "numpy:cpu")) for _ in range(2))
    assert first > 100 and abs(second - first) <= 0.01 * first
