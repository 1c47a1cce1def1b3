"""Every case makes a call whose result is NumPy's, on each backend; patterns select families and cases."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import polytape as pt
from polytape_perf.cases import CASES, Case, Skipped, by_family, dispatch, every, kernels, selected
from polytape_perf.cases.case import check_slope

DEVICES = ("numpy:cpu", "numba:cpu", "sim:sim")
PANEL = selected("panel")


def made(case: Case, device: str) -> Iterator[object]:
    """The call of a case, once; nothing if the case has no meaning there."""
    with pt.device(device):
        try:
            call = case.make(device)
        except Skipped as reason:
            assert str(reason)
            return
        yield call()


@pytest.mark.parametrize("device", DEVICES)
def test_every_case_of_the_panel_computes_numpys_results(device: str) -> None:
    for case in PANEL:
        assert [*made(case, device)], f"{case.name} is skipped on {device}: the gate expects it everywhere"


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
def test_every_other_case_computes_numpys_results(device: str) -> None:
    found = [result for case in CASES if not case.panel for result in made(case, device)]
    assert len(found) >= 80


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("size", ["small", "medium", "large"])
def test_every_kernel_of_numpy_computes_the_results_of_its_row(size: str) -> None:
    ran = [case.name for case in kernels.CASES if case.name.endswith(size) for _ in made(case, "numpy:cpu")]
    assert len(ran) >= 200


def test_kernels_at_every_size_compute_the_results_of_their_rows() -> None:
    chosen = selected("kernels/exp/*,kernels/sum/*,kernels/take/*,kernels/conv/*,kernels/adam_update/*,views/slice/*")
    assert len(chosen) == 18
    assert all([*made(case, "numpy:cpu")] for case in chosen)


def test_a_backend_has_the_cells_of_its_own_kernels_only() -> None:
    by_name = {case.name: case for case in every()}
    backend = pt.Backend(name="two", extends="numpy", kernels=[pt.Kernel("exp", lambda x: np.exp(x))])
    with pt.register_backend(backend):
        assert [*made(by_name["kernels/exp/small"], "two:cpu")]
        with pytest.raises(Skipped, match="two runs tan by the kernel of a backend that it extends"):
            by_name["kernels/tan/small"].make("two:cpu")
    row = next(row for row in kernels.ROWS if row.op.name == "other_products")  # which numba has no kernel for
    assert "other_products" not in {kernel.op for kernel in pt.get_backend("numba").all_kernels()}
    with pytest.raises(Skipped):
        kernels.kernel(row, "small")("numba:cpu")


def test_a_kernel_with_wrong_results_is_not_measured() -> None:
    backend = pt.Backend(name="wrong", extends="numpy", kernels=[pt.Kernel("exp", lambda x: np.exp(x) * 1.01)])
    with pt.register_backend(backend), pytest.raises(AssertionError):
        next(case for case in every() if case.name == "kernels/exp/medium").make("wrong:cpu")


def test_a_gradient_with_wrong_values_is_not_measured() -> None:
    x = pt.asarray([1.0, 2.0])
    check_slope(lambda x: pt.sum(x * x), x.numpy(), x * 2.0)
    with pytest.raises(AssertionError):
        check_slope(lambda x: pt.sum(x * x), x.numpy(), x * 2.1)


def test_ops_whose_results_share_memory_with_an_operand_are_views() -> None:
    seen = 0
    for row in kernels.ROWS:
        sample = row.samples[0]
        if len(sample.operands) != 1 or row.op.outputs is not None or row.op.on_host(0):
            continue
        x = pt.asarray(sample.hosts(kernels._dtype(row.op.name, sample))[0], device="numpy:cpu")
        (y,) = kernels.results_of(row.op, [x], sample.attributes)
        assert np.shares_memory(y.array, x.array) <= (row.op.name in kernels.VIEWS), row.op.name
        seen += 1
    assert seen >= 100


def test_the_raw_kernel_is_that_of_the_backend_itself() -> None:
    backend = pt.Backend(name="bare", extends="numpy")
    with pt.register_backend(backend), pytest.raises(Skipped, match="bare has no add kernel of its own"):
        dispatch.raw_kernel("bare:cpu")


def test_patterns_select_families_and_cases() -> None:
    assert [case.name for case in selected("tape")][:2] == ["tape/gradient", "tape/second_derivative"]
    assert [case.name for case in selected("dispatch/add,optim/adam")] == ["dispatch/add", "optim/adam"]
    assert [case.name for case in selected("*/soft*")][:2] == ["backward/softmax", "rows/softmax"]
    assert selected("disp") == []
    assert selected("*") == every()
    assert {*PANEL} < {*selected("panel,kernels")}


def test_names_are_unique_and_the_panel_has_most_families_in_few_cases() -> None:
    names = [case.name for case in every()]
    assert len({*names}) == len(names)
    assert 20 <= len(PANEL) <= 30 and all(case.counted for case in PANEL)
    in_panel = {case.name.partition("/")[0] for case in PANEL}
    assert {*by_family(every())} - in_panel <= {"start", "memory", "kernels", "views"}
