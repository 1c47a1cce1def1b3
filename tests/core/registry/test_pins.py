"""POLYTAPE_KERNELS: one distribution's kernels are preferred, also to one that they clash with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import RegistrationError, SettingError
from polytape.registry import tables
from polytape.registry.pins import read_pins

Child = Callable[..., "CompletedProcess[str]"]


def constant(value: float) -> Any:
    """A tanh kernel that returns a constant, which shows that it ran."""
    return lambda x: x * 0 + value


def add(provider: str, value: float, priority: int = 3) -> pt.Kernel:
    """Register such a kernel on numpy for a distribution."""
    kernel = pt.Kernel("tanh", constant(value), backend="numpy", priority=priority)
    tables.add_kernels([kernel], provider)
    return kernel


@pytest.fixture
def added() -> Any:
    """`add`, which removes the kernels after the test."""
    pt.asarray(0.0)  # loads numpy
    kernels: list[pt.Kernel] = []

    def add_and_keep(*arguments: Any, **options: Any) -> None:
        kernels.append(add(*arguments, **options))

    yield add_and_keep
    tables.remove_kernels(kernels)


def winner() -> float:
    """The result of pt.tanh, which shows which kernel ran."""
    result: float = pt.tanh(pt.asarray(1.0)).item()
    return result


@pytest.mark.parametrize("pinned", ["polytape-one", "Polytape_Two"])
def test_a_pin_resolves_a_clash_in_favour_of_either(
    added: Callable[..., None], monkeypatch: pytest.MonkeyPatch, pinned: str
) -> None:
    monkeypatch.setenv("POLYTAPE_KERNELS", f"exp@numpy=nobody, tanh@numpy={pinned}")
    added("polytape-one", 1.0)
    added("polytape-two", 2.0)
    assert winner() == (1.0 if pinned == "polytape-one" else 2.0)
    assert pt.explain("tanh", pt.asarray(1.0)).count("CHOSEN") == 1


def test_without_a_pin_the_second_is_rejected_and_the_error_names_the_pin(added: Callable[..., None]) -> None:
    added("polytape-one", 1.0)
    with pytest.raises(RegistrationError, match="two kernels for tanh on numpy are ambiguous") as caught:
        added("polytape-two", 2.0)
    assert "pin one with POLYTAPE_KERNELS=tanh@numpy=polytape-one" in caught.value.fix
    assert winner() == 1.0


def test_the_pin_that_the_error_suggests_works(added: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    added("polytape-one", 1.0)
    with pytest.raises(RegistrationError) as caught:
        added("polytape-two", 2.0)
    monkeypatch.setenv("POLYTAPE_KERNELS", caught.value.fix.rpartition("POLYTAPE_KERNELS=")[2])
    added("polytape-two", 2.0)
    assert winner() == 1.0


def test_two_ambiguous_kernels_of_the_pinned_distribution_are_still_rejected(
    added: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYTAPE_KERNELS", "tanh@numpy=polytape-one")
    added("polytape-one", 1.0)
    with pytest.raises(RegistrationError, match="ambiguous") as caught:
        added("polytape-one", 2.0)
    assert "pin" not in caught.value.fix


def test_kernels_registered_in_process_are_pinned_too(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = pytest.approx(np.tanh(1.0))
    monkeypatch.setenv("POLYTAPE_KERNELS", "tanh@numpy=in-process")
    with pt.kernel("tanh", backend="numpy")(constant(5.0)):  # at the priority of numpy's own
        assert winner() == 5.0
    assert winner() == expected
    monkeypatch.setenv("POLYTAPE_KERNELS", "tanh@numpy=polytape")
    with pt.kernel("tanh", backend="numpy", priority=4)(constant(5.0)):
        assert winner() == expected


@pytest.mark.parametrize("pinned", ["polytape-one", "polytape-two"])
def test_a_pin_resolves_a_clash_of_plugins_whichever_is_loaded_first(child: Child, tmp_path: Path, pinned: str) -> None:
    for name, value in (("one", 1), ("two", 2)):
        info = tmp_path / f"polytape_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "entry_points.txt").write_text(f"[polytape.kernels.v1]\nnumpy = polytape_{name}\n")
        (tmp_path / f"polytape_{name}.py").write_text(
            "import polytape as pt\n@pt.hookimpl\ndef polytape_kernels():\n"
            f"    return [pt.Kernel('tanh', lambda x: x * 0 + {value}, priority=1),\n"
            f"            pt.Kernel('exp', lambda x: x * 0 + {value}, priority={value})]\n"
        )
    code = """
import polytape as pt
x = pt.asarray(1.0)
status = {s.name: s for s in pt.backends()}["numpy"]
print(pt.tanh(x).item(), pt.exp(x).item(), len(status.kernels_from), len(status.disabled))
"""
    value = {"polytape-one": 1.0, "polytape-two": 2.0}[pinned]
    assert child(code, tmp_path, POLYTAPE_KERNELS=f"tanh@numpy={pinned}").stdout == f"{value} 2.0 2 0\n"
    assert child(code, tmp_path).stdout == "1.0 1.0 1 1\n"  # without a pin, the second plugin is disabled as a whole


MALFORMED = ["tanh", "tanh@numpy", "tanh=x", "@numpy=x", "tanh@=x", "tanh@numpy=", "tanh@numpy=a,tanh@numpy=b"]


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_pin_is_rejected(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYTAPE_KERNELS", text)
    with pytest.raises(SettingError, match="op@backend=distribution"):
        read_pins()


def test_a_malformed_pin_is_rejected_at_import(child: Child) -> None:
    result = child("import polytape", status=1, POLYTAPE_KERNELS="tanh")
    assert "SettingError: POLYTAPE_KERNELS='tanh' is not understood." in result.stderr
