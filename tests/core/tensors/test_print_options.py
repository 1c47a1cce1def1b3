"""`polytape.set_printoptions` and `polytape.printoptions`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import SettingError
from polytape.settings import change_settings


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    yield
    pt.set_printoptions(profile="default")


THIRDS = [1 / 3, 200.0]


def test_precision_and_suppress_hold_for_str_and_repr() -> None:
    x = pt.asarray([1 / 3, 1e-6], dtype="float64")
    pt.set_printoptions(precision=3, suppress=True)
    assert str(x) == "[0.333 0.   ]"
    assert repr(x) == "Tensor(float64[2], backend='numpy', [0.333 0.   ])"
    pt.set_printoptions(precision=2)  # what is not given stays
    assert str(x) == "[0.33 0.  ]"
    pt.set_printoptions(profile="default")
    assert str(x) == "[3.33333333e-01 1.00000000e-06]"


def test_a_number_without_axes_follows_the_options_too() -> None:
    x = pt.asarray(1 / 3, dtype="float64")
    assert str(x) == "0.3333333333333333"
    with pt.printoptions(precision=3):
        assert (str(x), str(pt.asarray(9.0)), f"{x}") == ("0.333", "9.0", "0.333")
        assert (str(pt.asarray(9)), str(pt.asarray(True))) == ("9", "True")


def test_a_long_tensor_is_abbreviated_beyond_the_threshold() -> None:
    x = pt.arange(100)
    assert "..." not in str(x)
    with pt.printoptions(threshold=10, edgeitems=2):
        assert str(x) == "[ 0  1 ... 98 99]"
    big = pt.arange(2000)
    assert "..." in str(big)
    for options in ({"threshold": float("inf")}, {"profile": "full"}):
        with pt.printoptions(**options):  # type: ignore[arg-type]  # a dict of options
            assert "..." not in str(big)
    with pt.printoptions(profile="short"):
        assert str(pt.asarray(THIRDS)) == "[  0.33 200.  ]"


def test_lines_are_as_long_as_said() -> None:
    with pt.printoptions(linewidth=20):
        assert max(map(len, str(pt.arange(50)).splitlines())) <= 20


def test_scientific_notation_as_in_pytorch() -> None:
    with pt.printoptions(sci_mode=True, precision=2):
        assert str(pt.asarray(THIRDS)) == "[3.33e-01 2.00e+02]"
        assert str(pt.asarray([1 - 2j])) == "[1.00e+00-2.00e+00j]"
        assert str(pt.asarray([3])) == "[3]"
    with pt.printoptions(sci_mode=False, precision=3):
        assert str(pt.asarray([1e-6, 1.5])) == "[0.  1.5]"


def test_a_block_ends_with_the_options_before_it_and_is_not_seen_by_other_threads() -> None:
    seen: list[Any] = []
    pt.set_printoptions(precision=5)
    with pt.printoptions(precision=2) as options:
        assert options.precision == pt.get_printoptions().precision == 2
        thread = threading.Thread(target=lambda: seen.append(pt.get_printoptions().precision))
        thread.start()
        thread.join()
        with pytest.raises(ZeroDivisionError), pt.printoptions(edgeitems=1):
            raise ZeroDivisionError
        assert pt.get_printoptions() == options
    assert (seen, pt.get_printoptions().precision) == ([5], 5)


def test_numpy_s_own_options_are_left_alone() -> None:
    pt.set_printoptions(precision=2)
    assert str(pt.asarray(THIRDS)) == "[  0.33 200.  ]"
    assert str(np.asarray([1 / 3])) == "[0.33333333]"
    with pt.printoptions(profile="default"), np.printoptions(precision=1):
        assert str(pt.asarray(THIRDS)) == "[  0.3 200. ]"


def test_tensorflow_s_form_follows_the_options() -> None:
    old = change_settings(print_style="tf1").print_style
    try:
        with pt.printoptions(precision=2):
            assert "numpy=array([0.33], dtype=float32)" in repr(pt.asarray([1 / 3]))
            assert str(pt.asarray([1 / 3])) == "tf.Tensor([0.33], shape=(1,), dtype=float32)"
    finally:
        change_settings(print_style=old)


@pytest.mark.parametrize(
    "options", [{"precision": -1}, {"precision": 2.5}, {"edgeitems": 0}, {"linewidth": 0}, {"profile": "long"}]
)
def test_an_invalid_option_changes_nothing(options: dict[str, Any]) -> None:
    before = pt.get_printoptions()
    with pytest.raises(SettingError, match="set_printoptions"):
        pt.set_printoptions(**options)
    assert pt.get_printoptions() == before
