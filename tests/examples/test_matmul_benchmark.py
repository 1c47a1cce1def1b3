"""The benchmark of matrix products: a row for every device that is ready, a reason for every backend that is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import polytape as pt


def test_there_is_a_row_for_every_device_and_size(run: Callable[..., str]) -> None:
    printed = run("matmul_benchmark", "--sizes", "20", "30", "--calls", "2")
    lines = printed.splitlines()
    expected = [
        [str(device), str(size)]
        for status in pt.backends()
        if status.name in ("numpy", "numba", "sim")
        for device in status.devices
        for size in (20, 30)
    ]
    rows = [line.split() for line in lines[1:]]
    assert expected and [row[:2] for row in rows if row[:2] in expected] == expected
    for _, size, time_us, gigaflops in (row for row in rows if row[:2] in expected):
        n, seconds = int(size), float(time_us) * 1e-6
        rounding = 0.0005 / float(gigaflops) + 0.005 / float(time_us)
        assert float(gigaflops) == pytest.approx(n * n * (2 * n - 1) / seconds / 1e9, rel=2 * rounding)
