"""Whether the results of an op agree with its reference; if not, the error, the saved operands and a program."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np

from .. import plugins
from ..errors import BackendError, PolytapeError, ShapeError
from ..registry import tables
from ..registry.op import Op
from .agreement import compared
from .case import Case
from .cases import CASES
from .compare import EPSILON, assert_close, widen
from .limits import allowed_ulp, limits_of
from .literals import called
from .makers import Array

__all__ = ["Call", "disagreement"]

# The error of a reference in the same dtype adds to that of the result; a body rounds after each of its ops.
_FACTORS: Final = {"kernel": 2.0, "body": 4.0}
_PERTURBATIONS: Final = 4
_PERTURBED: Final = 16.0  # how many times what a perturbation by the last bit changes
_DEFAULT_ULP: Final = 4.0  # of an op without a row
_rows: Final[dict[str, Case]] = {}


class Runs(Protocol):
    """What runs the reference; see `polytape.testing.reference.Reference`."""

    @property
    def how(self) -> str:
        """``kernel`` or ``body``."""

    @property
    def backend(self) -> Any:
        """The reference backend."""

    def run(self, hosts: Sequence[Array | None], attributes: dict[str, Any], *, wide: bool = False) -> list[Array]:
        """The results on the reference backend."""

    def wide(self, hosts: Sequence[Array | None]) -> list[Array | None] | None:
        """The operands in a wider dtype."""


def _row(op: Op) -> Case | None:
    if not _rows:
        _rows.update({str(case): case for case in CASES})
    case = _rows.get(op.name)
    return case if case is not None and case.op is op else None


class Call:
    """One call of an op on a backend, with its reference.

    Args:
        resolver: the search that found what serves the op.
        reference: what to compare with.
        hosts: the operands.
        attributes: of the call, but for ``dtype`` and ``device``.
    """

    def __init__(
        self, resolver: Any, reference: Runs, hosts: Sequence[Array | None], attributes: dict[str, Any]
    ) -> None:
        self.op: Final[Op] = resolver.op
        self.backend: Final[str] = resolver.backend.name
        self.device: Final[str] = str(resolver.device)
        self.dtype: Final = resolver.attributes.get("dtype")
        self.reference: Final = reference
        self.hosts: Final = hosts
        self.attributes: Final = attributes
        self.case: Final = _row(resolver.op)
        self.expected: list[Array] = []

    def problem(self, got: Sequence[Array]) -> BackendError | None:
        """The error if results are not those of the reference; None if they agree."""
        try:
            self.expected = self.reference.run(self.hosts, self.attributes)
        except Exception as error:
            return self._rejected(error)
        if all(same_bits(y, z) for y, z in zip(got, self.expected, strict=True)):
            return None
        for y, z in zip(got, self.expected, strict=True):
            if y.shape != z.shape or y.dtype != z.dtype:
                return disagreement(self, got)
        wrong = [name for name, y, z, ulp in self.pairs(got, self.expected) if not self._close(y, z, ulp)]
        if not wrong:
            return None
        wide_hosts = self.reference.wide(self.hosts)
        exact = self.expected
        if wide_hosts is not None:
            try:
                exact = self.reference.run(wide_hosts, self.attributes, wide=True)
            except PolytapeError:
                wide_hosts = None
        factor = 1.0 if wide_hosts is not None else _FACTORS[self.reference.how]
        if all(self._close(y, z, factor * self._ulp(y)) for _, y, z, _ in self.pairs(got, exact)):
            return None
        if self._explained(got, exact, wide_hosts):
            return None
        return disagreement(self, got)

    def _ulp(self, y: Array) -> float:
        if self.case is not None:
            return allowed_ulp(self.case, self.backend, y.dtype.name)
        return max(_DEFAULT_ULP, limits_of(self.backend).ulp.get(self.op.name, 0.0))

    def pairs(self, got: Sequence[Array], expected: Sequence[Array]) -> list[tuple[str, Array, Array, float]]:
        """What is compared: name, result, expected result, and the error allowed to a reference of the same dtype."""
        factor = _FACTORS[self.reference.how]
        if self.case is None:
            return [("", y, z, factor * self._ulp(y)) for y, z in zip(got, expected, strict=True)]
        ours = compared(self.case, self.attributes, self.hosts, got)
        theirs = compared(self.case, self.attributes, self.hosts, expected)
        return [(name, y, z, factor * self._ulp(y)) for (name, y), (_, z) in zip(ours, theirs, strict=True)]

    def limits(self) -> list[str]:
        """Per result, the arguments of `assert_close` that compare it with a reference of the same dtype."""
        plain = {"scale": 0.0, "signs": False, "subnormals": True}
        return [
            ", ".join(f"{name}={value!r}" for name, value in self._limits(ulp).items() if plain.get(name) != value)
            for _, _, _, ulp in self.pairs(self.expected, self.expected)
        ]

    def _limits(self, ulp: float) -> dict[str, Any]:
        case = self.case
        signs = case is not None and case.invariants is None and any(sample.signs for sample in case.samples)
        scale = 0.0 if case is None else case.scale
        return {"ulp": ulp, "scale": scale, "signs": signs, "subnormals": limits_of(self.backend).subnormals}

    def _close(self, y: Array, z: Array, ulp: float) -> bool:
        try:
            assert_close(y, z, "", **self._limits(ulp))
        except AssertionError:
            return False
        return True

    def _explained(self, got: Sequence[Array], exact: Sequence[Array], wide: Sequence[Array | None] | None) -> bool:
        """Whether operands that differ in their last bit change the results as much as they differ from the reference.

        Elementwise ops have their bound at every element, where a wider dtype shows what is exact.
        """
        if self.op.elementwise and wide is not None:
            return False
        bounds: list[Any] = [0.0] * len(self.pairs(got, exact))
        rng = np.random.default_rng(0)
        for _ in range(_PERTURBATIONS):
            moved = [None if host is None else _moved(host, rng) for host in self.hosts]
            if wide is not None:
                moved = list(self.reference.wide(moved) or moved)
            try:
                results = self.reference.run(moved, self.attributes, wide=wide is not None)
            except Exception:
                return False
            for position, (_, y, z, _) in enumerate(self.pairs(results, exact)):
                with np.errstate(all="ignore"):
                    changed = np.abs(widen(y) - widen(z)) if y.dtype.kind in "fc" else np.zeros(y.shape)
                largest = changed if self.op.elementwise or not changed.size else np.max(changed)
                bounds[position] = np.maximum(bounds[position], largest)
        for (_, y, z, _), bound in zip(self.pairs(got, exact), bounds, strict=True):
            if y.dtype.kind not in "fc":
                if (y != z).any():
                    return False
                continue
            with np.errstate(all="ignore"):
                error = np.abs(widen(y) - widen(z))
                own = EPSILON.get(y.dtype.name, 0.0) * self._ulp(y) * np.abs(widen(z))
                fine = (error <= _PERTURBED * bound + own) | (widen(y) == widen(z)) | (np.isnan(y) & np.isnan(z))
            if not fine.all():
                return False
        return True

    def _rejected(self, error: Exception) -> BackendError:
        """The error for a call that the reference rejects, and the backend does not."""
        try:
            self.op.output_shapes([host for host in self.hosts], self.attributes)
        except ShapeError as shape_error:
            error = shape_error
        return disagreement(self, [], rejected=f"{type(error).__name__}: {error}")


def same_bits(y: Array, z: Array) -> bool:
    """Whether two arrays are equal bit by bit."""
    return y.shape == z.shape and y.dtype == z.dtype and y.tobytes() == z.tobytes()


def _moved(host: Array, rng: Any) -> Array:
    """A floating operand, each element changed by up to one unit in the last place."""
    if host.dtype.name not in EPSILON or not host.size:
        return host
    with np.errstate(all="ignore"):
        wide = widen(host)
        moved = wide * (1.0 + EPSILON[host.dtype.name] * rng.uniform(-1.0, 1.0, host.shape))
        return np.asarray(moved, host.dtype) if host.dtype.name in ("float64", "complex128") else moved


def disagreement(call: Call, got: Sequence[Array], *, changed: int | None = None, rejected: str = "") -> BackendError:
    """The error for a call whose results are not those of the reference; saves the operands.

    Args:
        call: the call.
        got: its results.
        changed: the position of the operand that the call has changed, if that is what is wrong.
        rejected: the error of the reference, if it raised one.
    """
    op, reference = call.op, call.reference
    against = f"its body on {reference.backend.name}" if reference.how == "body" else f"{reference.backend.name}"
    if changed is not None:
        summary = f"{op.name} on {call.device} changed its operand {op.operand_name(changed)}."
        expected, shown = "operands stay as they are", "other values in it after the call"
    elif rejected:
        summary, expected = f"{op.name} on {call.device} accepts what {against} rejects.", f"{rejected:.500}"
        shown = "a result"
    else:
        summary = f"{op.name} on {call.device} disagrees with {against}."
        expected, shown = _difference(call, got)
    try:
        path = _save(call, got)
    except (OSError, PolytapeError) as error:
        fix = f"report it to the authors of {call.backend}; the operands could not be saved: {error}"
    else:
        fix = (
            f"run this program, which reads the operands from {path}; "
            f"then report it to the authors of {call.backend}, or unset POLYTAPE_CHECK to go on\n\n"
            f"{_program(call, path, changed, rejected)}"
        )
    return BackendError(summary, expected=expected, got=shown, fix=fix)


def _difference(call: Call, got: Sequence[Array]) -> tuple[str, str]:
    """The worst element: expected and got, with the distance in units of the last place."""
    for y, z in zip(got, call.expected, strict=True):
        if y.shape != z.shape or y.dtype != z.dtype:
            return f"{z.dtype}{list(z.shape)}", f"{y.dtype}{list(y.shape)}"
    worst: tuple[float, str, str] = (-1.0, "", "")
    for name, y, z, _ in call.pairs(got, call.expected):
        if same_bits(y, z) or not y.size:
            continue
        distances = _distances(y, z)
        index = np.unravel_index(int(np.argmax(distances)), y.shape)
        distance = float(distances[index])
        if distance > worst[0]:
            place = f" at {[int(k) for k in index]}" if index else ""
            count = f", {int((distances > 0).sum())} of {y.size} elements differ"
            unit = f"{distance:.3g} ulp away" if y.dtype.name in EPSILON else "another value"
            worst = (distance, f"{z[index]!r}{place}{name}", f"{y[index]!r}, {unit}{count}")
    return worst[1], worst[2]


def _distances(y: Array, z: Array) -> Array:
    """The distances of results from the expected ones, in units of the last place; infinite where one is not finite."""
    if y.dtype.name not in EPSILON:
        return np.asarray(y != z, "float64")
    with np.errstate(all="ignore"):
        ours, theirs = widen(y), widen(z)
        tiny = float(np.finfo(np.float32).tiny if y.dtype.itemsize < 8 else np.finfo(np.float64).tiny)
        ulps = np.abs(ours - theirs) / (EPSILON[y.dtype.name] * np.maximum(np.abs(theirs), tiny))
        ulps = np.where((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)), 0.0, ulps)
    return np.asarray(np.where(np.isnan(ulps), np.inf, ulps))


def _save(call: Call, got: Sequence[Array]) -> str:
    """Save operands, results, and what they are compared with, in the folder for temporary files; the path."""
    from ..checkpoint.structures import save

    handle, path = tempfile.mkstemp(prefix=f"polytape-check-{call.op.name}-", suffix=".safetensors")
    os.close(handle)
    expected = [z for _, _, z, _ in call.pairs(call.expected, call.expected)] if call.expected else []
    save(path, {"operands": list(call.hosts), "got": list(got), "expected": expected})
    return path


def _program(call: Call, path: str, changed: int | None, rejected: str) -> str:
    """A program that runs the call on the backend and compares it with the saved results of the reference."""
    op, case = call.op, call.case
    names = ["None" if host is None else f"x{position + 1}" for position, host in enumerate(call.hosts)]
    attributes = dict(call.attributes)
    attributes |= {} if call.dtype is None else {"dtype": call.dtype.name}
    attributes |= {"device": call.device} if op.creates else {}
    text, needed = called(op, names, attributes)
    if text is None:
        return f"# {op.name} with {attributes!r}, which cannot be written as a program, on the saved operands"
    host = plugins.host_backend().device_list()[0]
    lines = [
        f"{name} = pt.asarray(saved['operands'][{k}].numpy(), device={(str(host) if op.on_host(k) else call.device)!r})"
        for k, name in enumerate(names)
        if name != "None"
    ]
    kit: list[str] = list(needed)
    got = "[y.numpy() for y in results]"
    if rejected:
        lines += [text, f"raise AssertionError({f'{op.name} accepts what the reference rejects'!r})"]
    elif changed is not None:
        lines += [text, f"assert {names[changed]}.numpy().tobytes() == saved['operands'][{changed}].numpy().tobytes()"]
    elif case is not None and case.invariants is not None:
        operands = ", ".join("None" if name == "None" else f"{name}.numpy()" for name in names)
        kit += ["assert_close", "case_of", "compared"]
        lines += [
            f"results = {f'list({text})' if op.outputs is not None else f'[{text}]'}",
            f"invariants = compared(case_of({op.name!r}), {call.attributes!r}, [{operands}], {got})",
            "for (name, y), expected in zip(invariants, saved['expected'], strict=True):",
            f"    assert_close(y, expected.numpy(), name, {call.limits()[0]})",
        ]
    elif op.outputs is not None:
        kit.append("assert_close")
        lines += [f"results = {text}", "for y, expected in zip(results, saved['expected'], strict=True):"]
        lines += [f"    assert_close(y.numpy(), expected.numpy(), {op.name!r}, {call.limits()[0]})"]
    else:
        kit.append("assert_close")
        lines += [f"y = {text}"]
        lines += [f"assert_close(y.numpy(), saved['expected'][0].numpy(), {op.name!r}, {call.limits()[0]})"]
    first = [f"from polytape.testing import {', '.join(sorted(set(kit)))}"] if kit else []
    if plugins.get_backend(call.backend).provider == tables.IN_PROCESS:
        first.append(f"# Register the backend {call.backend} here: no distribution provides it.")
    return "\n".join(["import polytape as pt", *first, "", f"saved = pt.load({path!r}, device={str(host)!r})", *lines])
