"""From a check that fails to the one call that makes it fail, and to a short program that shows it.

The program is run by a person without the kit's command, so it creates the operands from their values, if these are
few, and otherwise by the kit's own seeded draws.
"""

from __future__ import annotations

import copy
from typing import Any, Final

import numpy as np

from ..device import Device
from .calls import attributes_on, expected_values, on_device
from .case import Case
from .cases import case_of
from .checks import COMMON, check_common_dtypes, check_gradient, check_value_dtype_and_shape
from .limits import Inapplicable, allowed_ulp, checked, limits_of
from .literals import called
from .makers import Array, Maker, exactly
from .samples import Sample
from .tiers import Check, find_check

__all__ = ["program", "reproduce"]

_MOST_ELEMENTS: Final = 40


class _Narrowed:
    """One sample of a row in one dtype, at the position ``index`` among the samples (or among the error samples)."""

    def __init__(self, case: Case, index: int, dtype: str, *, errors: bool = False) -> None:
        self.index: Final = index
        self.dtype: Final = dtype
        self.errors: Final = errors
        self.case: Final = copy.copy(case)
        source: Any = (case.errors if errors else case.samples)[index]
        self.sample: Final = source if errors else _only(source, dtype)
        # Error samples keep the others: no check runs for a row without a sample that the backend can run.
        self.case.samples = case.samples if errors else (self.sample,)
        self.case.errors = (case.errors[index],) if errors else ()


def _only(sample: Sample, dtype: str) -> Sample:
    """The sample with one dtype; its values stay the same, since draws are seeded by shapes and names."""
    operands = [
        Maker(maker.name, maker.shape, (dtype,), maker.draw, True) if maker.varies and dtype else maker
        for maker in sample.operands
    ]
    return Sample(operands, sample.attributes, smooth=sample.smooth, layout=sample.layout, signs=sample.signs)


def _fails(check: Check, case: Case, backend: str) -> AssertionError | None:
    try:
        checked(check.fn, case, backend)
    except Inapplicable:
        return None
    except AssertionError as error:
        return error
    return None


def _candidates(check: Check, case: Case) -> list[_Narrowed]:
    if check.name == "check_errors":
        return [_Narrowed(case, index, "", errors=True) for index in range(len(case.errors))]
    found = []
    for index, sample in enumerate(case.samples):
        names = sorted(sample.dtypes(), key=lambda name: name not in COMMON)  # a common dtype, if one fails
        found += [_Narrowed(case, index, name) for name in names]
    return found


def _narrowed(check: Check, case: Case, backend: str) -> _Narrowed | None:
    """The first call for which the check fails by itself; None if it takes several calls."""
    for candidate in _candidates(check, case):
        if _fails(check, candidate.case, backend) is not None:
            return candidate
    return None


def reproduce(
    check: str, op: str = "", backend: str = "", *, sample: int | None = None, dtype: str = "", device: str = ""
) -> None:
    """Run one check of the conformance kit again, as the program does that the kit prints for a failure.

    Args:
        check: the name of the check.
        op: the op; empty for a check of the whole backend.
        backend: the backend.
        sample: the position of the sample in the op's row, or of the error sample; default: all samples.
        dtype: of the operands that vary.
        device: of the backend; default: its first.
    Raises:
        AssertionError: the check fails.
    """
    from ..placement.selection import resolve_device

    found = find_check(check)
    with on_device(resolve_device(device) if device else None):
        if found.applies is None:
            found.fn(backend)
            return
        case = case_of(op)
        if sample is not None:
            case = _Narrowed(case, sample, dtype, errors=check == "check_errors").case
        checked(found.fn, case, backend)


def program(check: Check, case: Case | None, backend: str, device: Device, modules: list[str]) -> str:
    """A short program that shows the failure of a check.

    Args:
        check: the check that failed.
        case: the row of the op; None for a check of the whole backend.
        backend: the backend.
        device: the device that the check ran on.
        modules: modules that register the backend when they are imported.
    """
    first = [f"import {module}  # registers the backend" for module in modules]
    if case is None:
        call = f"reproduce({check.name!r}, backend={backend!r}, device={str(device)!r})"
        return "\n".join([*first, "from polytape.testing import reproduce", "", call])
    narrowed = _narrowed(check, case, backend)
    literal = None if narrowed is None else _literal(check, narrowed, backend, device)
    if literal is not None:
        return "\n".join([*first, *literal])
    words = [repr(check.name), repr(case.op.name), repr(backend)]
    if narrowed is not None:
        words += [f"sample={narrowed.index}", *([f"dtype={narrowed.dtype!r}"] if narrowed.dtype else [])]
    words.append(f"device={str(device)!r}")
    return "\n".join([*first, "from polytape.testing import reproduce", "", f"reproduce({', '.join(words)})"])


# --- Programs with the operands' values ---


def _literal(check: Check, narrowed: _Narrowed, backend: str, device: Device) -> list[str] | None:
    """A program without the kit's samples; None if it would be long, or cannot be written."""
    case, sample = narrowed.case, narrowed.sample
    if narrowed.errors or sample.layout or case.op.host or case.op.creates or narrowed.dtype == "bfloat16":
        return None
    if check.fn in (check_value_dtype_and_shape, check_common_dtypes):
        return _value_program(check, narrowed, backend, device)
    if check.fn is check_gradient:
        return _gradient_program(narrowed, device)
    return None


def _value_program(check: Check, narrowed: _Narrowed, backend: str, device: Device) -> list[str] | None:
    case = narrowed.case
    if case.invariants is not None or case.op.outputs is not None:
        return None
    sample = _single_element(check, narrowed, backend) or narrowed.sample
    hosts = sample.hosts(narrowed.dtype)
    name = case.result(narrowed.dtype, sample.attributes)[0]
    (expected,) = expected_values(case, sample, hosts)
    lines = _operands(hosts, device)
    result = _array(np.asarray(expected))
    if lines is None or result is None:
        return None
    limits = f"ulp={allowed_ulp(case, backend, name):g}"
    limits += f", scale={case.scale:g}" if case.scale else ""
    limits += ", signs=True" if sample.signs else ""
    limits += "" if limits_of(backend).subnormals else ", subnormals=False"
    call, needed = called(case.op, [f"x{k + 1}" for k in range(len(hosts))], attributes_on(case, sample, device))
    if call is None:
        return None
    return [
        *_imports([*lines, result], ["assert_close", *needed]),
        *lines,
        f"y = {call}",
        f"expected = {result}",
        f'assert y.dtype.name == y.numpy().dtype.name == "{name}", (y.dtype, y.numpy().dtype)',
        f'assert_close(y.numpy(), expected, "{case.op.name}", {limits})',
    ]


def _gradient_program(narrowed: _Narrowed, device: Device) -> list[str] | None:
    case, sample = narrowed.case, narrowed.sample
    hosts = sample.untied() if case.avoid else sample.hosts("float64")
    lines = _operands(hosts, device)
    names = [f"x{k + 1}" for k in range(len(hosts))]
    varying = [name for name, maker in zip(names, sample.operands, strict=True) if maker.varies]
    call, needed = called(case.op, names, attributes_on(case, sample, device))
    if lines is None or call is None or case.op.outputs is not None:
        return None
    imports = _imports(lines, needed)
    return [
        *imports,
        *lines,
        f"pt.check_gradients(lambda {', '.join(varying)}: {call}, [{', '.join(varying)}], order=2)",
    ]


def _imports(lines: list[str], kit: list[str]) -> list[str]:
    text = "\n".join(lines)
    special = [name for name in ("inf", "nan") if name in text]
    return [
        "import numpy as np",
        "import polytape as pt",
        *([f"from numpy import {', '.join(special)}"] if special else []),
        *([f"from polytape.testing import {', '.join(kit)}"] if kit else []),
        "",
    ]


def _operands(hosts: list[Array], device: Device) -> list[str] | None:
    texts = [_array(host) for host in hosts]
    if None in texts or sum(host.size for host in hosts) > _MOST_ELEMENTS:
        return None
    return [f"x{k + 1} = pt.asarray({text}, device={str(device)!r})" for k, text in enumerate(texts)]


def _array(host: Array) -> str | None:
    """NumPy code for an array; None if Python has no literals for its values."""
    if host.size > _MOST_ELEMENTS or (host.dtype.kind == "c" and not np.isfinite(host).all()):
        return None
    if not host.size:
        return f"np.zeros({host.shape}, {host.dtype.name!r})"
    return f"np.array({host.tolist()!r}, {host.dtype.name!r})"


def _single_element(check: Check, narrowed: _Narrowed, backend: str) -> Sample | None:
    """For an elementwise op on arrays of one shape, the sample with one element of each for which it still fails."""
    case, sample = narrowed.case, narrowed.sample
    hosts = sample.hosts(narrowed.dtype)
    shapes = {host.shape for host in hosts}
    if not case.op.elementwise or len(shapes) != 1 or not hosts or hosts[0].size < 2:
        return None
    for position in range(hosts[0].size):
        makers = [exactly(host.reshape(-1)[position : position + 1], host.dtype.name) for host in hosts]
        for maker, original in zip(makers, sample.operands, strict=True):
            maker.varies = original.varies
        single = copy.copy(case)
        one = Sample(makers, sample.attributes, smooth=sample.smooth, signs=sample.signs)
        single.samples = (one,)
        if _fails(check, single, backend) is not None:
            return one
    return None
