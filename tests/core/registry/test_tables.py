"""Registering kernels: order, ambiguity, kernels that do not fit, and no partial registration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import RegistrationError, SettingError
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
        assert "first" in text and "second" in text and "POLYTAPE_KERNELS=tanh@numpy=" in text
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


BAD: list[tuple[str, Any, dict[str, Any], str]] = [
    ("tanhh", np.tanh, {}, "there is no such op"),
    ("tanh", 3, {}, "it is not callable"),
    ("tanh", np.tanh, {"writes": ["z"]}, "it writes something that is not an operand"),
    ("sum", lambda x, *, axis=0, dtype=None, keepdims=False: x, {}, "its default for axis differs"),
    ("sum", lambda x, axis=0, dtype=None, keepdims=False: x, {}, "its default for axis differs"),
    (
        "sum",
        lambda x, *, axis=None, how=1, dtype=None, keepdims=False: x,
        {},
        "a parameter that is not an attribute of",
    ),
    ("tanh", np.tanh, {"dtypes": ["float31"]}, "neither a dtype nor a kind of dtypes"),
]


@pytest.mark.parametrize(("op", "fn", "options", "text"), BAD, ids=[row[3] for row in BAD])
def test_a_kernel_that_does_not_fit_its_op_is_rejected(op: str, fn: Any, options: Any, text: str) -> None:
    before = tables.kernels_of("numpy", op)
    with pytest.raises(pt.PolytapeError, match=text):
        pt.kernel(op, backend="numpy", priority=1, **options)(fn)
    assert tables.kernels_of("numpy", op) == before


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


# --- pins -------------------------------------------------------------------------------------------------------------


def test_a_pin_prefers_the_kernel_of_a_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYTAPE_KERNELS", "tanh@numpy=polytape, exp@numpy=nobody")
    with tanh(as_="mine", priority=4):
        assert winner() == pytest.approx(np.tanh(1.0))
        assert pt.exp(pt.asarray(0.0)).item() == 1.0
        assert pt.explain("tanh", pt.asarray(1.0)).count("CHOSEN") == 1
        monkeypatch.setenv("POLYTAPE_KERNELS", "tanh@numpy=in-process")
        tables.ops()["tanh"].forget()
        assert winner() == 4.0
    tables.ops()["tanh"].forget()


@pytest.mark.parametrize("text", ["tanh", "tanh@numpy", "tanh=x", "@numpy=x", "tanh@=x", "tanh@numpy="])
def test_a_malformed_pin_is_rejected(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYTAPE_KERNELS", text)
    with pytest.raises(SettingError, match="op@backend=distribution"):
        tables.pins()
