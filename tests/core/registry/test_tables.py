"""Registering kernels: order, ambiguity, kernels that do not fit, and no partial registration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import RegistrationError
from polytape.registry import tables


def named(text: str) -> Any:
    """A tanh kernel that returns the length of its name, which identifies it."""

    def kernel(x: Any) -> Any:
        return x * 0 + len(text)

    kernel.__name__ = text
    return kernel


def tanh(**options: Any) -> Any:
    """Register such a kernel on numpy; ``as_`` is its name."""
    name = options.pop("as_")
    return pt.kernel("tanh", backend="numpy", **options)(named(name))


def winner(dtype: str = "float32", value: Any = 1.0) -> float:
    """The result of pt.tanh, which shows which kernel ran."""
    result: float = pt.tanh(pt.asarray(value, dtype=dtype)).item()
    return result


def test_the_kernel_with_higher_priority_is_tried_first() -> None:
    with tanh(as_="a", priority=1):
        assert winner() == 1.0
        with tanh(as_="bb", priority=2):
            assert winner() == 2.0
            with tanh(as_="ccc", priority=-1):
                assert winner() == 2.0
        assert winner() == 1.0
    assert winner() == pytest.approx(np.tanh(1.0))


def test_an_exact_dtype_precedes_a_kind_of_dtypes_and_a_predicate_precedes_none() -> None:
    with tanh(as_="a", priority=1), tanh(as_="bb", priority=1, dtypes=["float32"]):
        assert (winner("float32"), winner("float64")) == (2.0, 1.0)
        with tanh(as_="ccc", priority=1, dtypes=["floating"], when=lambda x: x.max() > 5):
            assert (winner(value=1.0), winner(value=6.0), winner("float64", 6.0)) == (2.0, 3.0, 3.0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"dtypes": ["float32"]}, {"dtypes": ["float32", "float64"]}),
        ({"dtypes": ["floating"]}, {"dtypes": ["numeric"]}),
        ({"when": lambda x: True}, {"when": lambda x: False}),
        ({"devices": ["cpu"]}, {}),
    ],
)
def test_two_ambiguous_kernels_are_rejected_and_both_are_named(first: Any, second: Any) -> None:
    with tanh(as_="first", priority=3, **first):
        with pytest.raises(RegistrationError) as caught:
            tanh(as_="second", priority=3, **second)
        text = str(caught.value)
        assert "two kernels for tanh on numpy are ambiguous" in text
        assert "first" in text and "second" in text and "fix: give one a higher priority" in text
        assert winner() == 5.0
    assert winner() == pytest.approx(np.tanh(1.0))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"dtypes": ["float32"]}, {"dtypes": ["float64"]}),
        ({"devices": ["cpu"]}, {"devices": ["gpu"]}),
        ({"dtypes": ["complex floating"]}, {"dtypes": ["real floating"]}),
        ({"dtypes": ["floating"]}, {"dtypes": ["float32"]}),
    ],
)
def test_two_kernels_that_do_not_overlap_are_both_registered(first: Any, second: Any) -> None:
    with tanh(as_="a", priority=3, **first), tanh(as_="bb", priority=3, **second):
        assert winner() in (1.0, 2.0)


def test_either_all_kernels_of_a_list_are_registered_or_none() -> None:
    good = pt.Kernel("tanh", np.tanh, priority=8, backend="numpy")
    bad = pt.Kernel("no_such_op", np.tanh, priority=8, backend="numpy")
    with pytest.raises(RegistrationError):
        tables.add_kernels([good, bad], "test")
    assert good not in tables.kernels_of("numpy", "tanh")


def test_a_kernel_needs_an_existing_backend() -> None:
    with pytest.raises(pt.PolytapeError, match="no backend 'nunpy'"):
        pt.kernel("tanh", backend="nunpy")
    with pytest.raises(RegistrationError, match="it names no backend"):
        tables.add_kernels([pt.Kernel("tanh", np.tanh)], "test")


def test_a_kernel_registered_in_process_is_callable_removable_and_listed() -> None:
    registered = tanh(as_="mine", priority=4)
    assert registered(np.ones(2)).tolist() == [4.0, 4.0] and winner() == 4.0
    assert "from in-process" in pt.explain("tanh", pt.asarray(1.0)) and "mine" in repr(registered)
    registered.remove()
    registered.remove()  # removing it again is harmless
    assert winner() == pytest.approx(np.tanh(1.0))


def test_a_kernel_is_removed_after_an_error_inside_its_block() -> None:
    with pytest.raises(ZeroDivisionError), tanh(as_="mine", priority=4):
        1 / 0  # noqa: B018  # any error will do
    assert winner() == pytest.approx(np.tanh(1.0))


def test_an_ambiguity_with_a_kernel_that_is_not_loaded_yet_is_found_at_registration() -> None:
    """The backend's own kernels of a family load when it is first used: the clash must not surface in that call."""
    late = {"exponential": lambda: [pt.Kernel("exp", np.exp)]}
    with pt.register_backend(pt.Backend(name="tables_late", extends="numpy", late_kernels=late)):
        with pytest.raises(RegistrationError, match="two kernels for exp on tables_late are ambiguous"):
            pt.kernel("exp", backend="tables_late")(np.exp2)
        assert pt.exp(pt.asarray(1.0, device="tables_late")).item() == pytest.approx(np.e)
