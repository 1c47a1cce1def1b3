"""Runs the samples of an entry on torch and on polytape; compares results, gradients and second gradients."""

from __future__ import annotations

import dataclasses
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import ml_dtypes
import numpy as np
import torch

import polytape as pt

from .mapped import Mapped, NotOffered

__all__ = ["DTYPES", "Result", "compare"]

# The relative tolerance of each dtype; the absolute one is this times the largest finite number of the array, or 1.
TOLERANCES = {"float64": 1e-9, "complex128": 1e-9, "float32": 2e-5, "float16": 4e-3, "bfloat16": 3e-2}
DTYPES = ("float64", "float32", "complex128", "int64", "bool", "bfloat16", "float16")
DIFFERENTIATED = ("float64", "complex128")
# Keyword arguments that say where and how torch stores a tensor.
STORAGE = ("device", "layout", "memory_format", "pin_memory", "requires_grad", "generator", "non_blocking")


@dataclasses.dataclass
class Result:
    """What was compared for one entry.

    Attributes:
        compared: by dtype, the samples whose results agree.
        gradients, doubles: the samples whose gradients and second gradients agree.
        left: by reason, the samples that were left out.
        refused: the dtypes for which polytape raises DTypeError.
        faults: descriptions of disagreements.
    """

    name: str
    compared: Counter[str] = dataclasses.field(default_factory=Counter)
    gradients: int = 0
    doubles: int = 0
    left: Counter[str] = dataclasses.field(default_factory=Counter)
    refused: set[str] = dataclasses.field(default_factory=set)
    faults: list[str] = dataclasses.field(default_factory=list)


def to_numpy(x: torch.Tensor) -> np.ndarray:
    """A copy of torch's data; NumPy's own conversion knows no bfloat16."""
    x = x.detach().resolve_conj().resolve_neg()
    if x.dtype is torch.bfloat16:
        return x.contiguous().view(torch.int16).numpy().view(ml_dtypes.bfloat16).copy()
    if x.dtype is torch.complex32:
        raise NotOffered("complex32 does not exist here")
    return np.array(x.numpy(force=True))


def converted(value: Any, seen: dict[int, pt.Tensor]) -> Any:
    """Arguments with torch's tensors and dtypes replaced; ``seen`` has each tensor's counterpart."""
    if isinstance(value, torch.Tensor):
        if id(value) not in seen:
            seen[id(value)] = pt.asarray(to_numpy(value))
        return seen[id(value)]
    if isinstance(value, torch.dtype):
        return np.dtype(ml_dtypes.bfloat16) if value is torch.bfloat16 else np.dtype(str(value)[6:])
    if isinstance(value, dict):
        return {key: converted(part, seen) for key, part in value.items() if key not in STORAGE}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(converted(part, seen) for part in value))
    if isinstance(value, (tuple, list)):
        return (
            type(value)(converted(part, seen) for part in value)
            if type(value) is list
            else tuple(converted(part, seen) for part in value)
        )
    if isinstance(value, slice):
        return slice(*(converted(part, seen) for part in (value.start, value.stop, value.step)))
    return value


def tensors_in(value: Any, kind: type) -> Iterable[Any]:
    """The tensors of a structure, in order."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from tensors_in(part, kind)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors_in(part, kind)


def results_of(value: Any, kind: type) -> list[Any]:
    """The results, flat; Python numbers count as results too."""
    if isinstance(value, kind):
        return [value]
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return [part for item in value for part in results_of(item, kind)]
    return [] if value is None else [value]


def disagreement(ours: np.ndarray, theirs: np.ndarray, tolerance: float, what: str) -> str:
    """Where two arrays differ, or an empty text."""
    if ours.shape != theirs.shape:
        return f"{what}: shape {ours.shape}, torch {theirs.shape}"
    wide = np.complex128 if "c" in (ours.dtype.kind, theirs.dtype.kind) else np.float64
    if ours.dtype.kind in "biu" and theirs.dtype.kind in "biu":
        bad = ours != theirs
    else:
        a, b = ours.astype(wide), theirs.astype(wide)
        finite = np.abs(b[np.isfinite(b)])
        scale = max(1.0, float(finite.max())) if finite.size else 1.0
        with np.errstate(all="ignore"):
            close = np.abs(a - b) <= tolerance * (np.abs(b) + scale)
        bad = ~(close | (a == b) | (np.isnan(a) & np.isnan(b)))
    if not bad.any():
        return ""
    place = tuple(int(k) for k in np.argwhere(bad)[0])
    return f"{what}: {int(bad.sum())} of {bad.size} differ, at {place} {ours[place]!s}, torch {theirs[place]!s}"


def compare(opinfo: Any, mapped: Mapped, limit: int = 0, dtypes: Iterable[str] = DTYPES) -> Result:
    """Compare polytape with torch on the samples of one entry, at most ``limit`` per dtype if that is not 0."""
    result = Result(f"{opinfo.name}/{opinfo.variant_test_name}".rstrip("/"))
    supported = opinfo.supported_dtypes("cpu")
    for name in dtypes:
        dtype = getattr(torch, name)
        if dtype not in supported:
            continue
        if name in mapped.leave:
            result.left[mapped.leave[name]] += 1
            continue
        differentiable = name in DIFFERENTIATED and opinfo.supports_autograd and not mapped.gradient
        torch.manual_seed(0)
        np.random.seed(0)
        try:
            samples = list(opinfo.sample_inputs("cpu", dtype, requires_grad=differentiable))
        except Exception as error:
            result.left[f"torch has no samples: {type(error).__name__}"] += 1
            continue
        for number, sample in enumerate(samples[:limit] if limit else samples):
            where = f"{name}[{number}]"
            try:
                one(result, opinfo, mapped, sample, name, differentiable)
            except NotOffered as reason:
                result.left[str(reason)] += 1
            except pt.errors.DTypeError as error:
                if "would drop their imaginary parts" in str(error):
                    result.left["complex numbers are not cast to a real dtype"] += 1
                elif "is not defined for" in str(error) or "is not defined in half" in str(error):
                    result.refused.add(name)
                else:
                    result.faults.append(f"{where}: {shortened(error)}; {described(sample)}")
            except pt.errors.OutOfRangeError as error:
                if "for an operand of rank 0" in str(error):
                    result.left["an axis of a tensor without axes"] += 1
                else:
                    result.faults.append(f"{where}: {shortened(error)}; {described(sample)}")
            except Difference as error:
                result.faults.append(f"{where}: {error}; {described(sample)}")
            except Exception as error:
                result.faults.append(f"{where}: {shortened(error)}; {described(sample)}")
    return result


class Difference(Exception):
    """A disagreement between polytape and torch."""


def shortened(error: Exception) -> str:
    """An error as one line."""
    return f"{type(error).__name__}: {' | '.join(str(error).split(chr(10)))[:300]}"


def described(sample: Any) -> str:
    """The arguments of a sample, with tensors as dtype and shape."""

    def part(value: Any) -> str:
        if isinstance(value, torch.Tensor):
            return f"{str(value.dtype)[6:]}{list(value.shape)}"
        if isinstance(value, (tuple, list)):
            return f"({', '.join(map(part, value))})"
        return repr(value)

    keywords = [f"{key}={part(value)}" for key, value in sample.kwargs.items()]
    return f"({', '.join([part(sample.input), *map(part, sample.args), *keywords])})"[:300]


def one(result: Result, opinfo: Any, mapped: Mapped, sample: Any, name: str, differentiable: bool) -> None:
    """Compare one sample."""
    arguments = (sample.input, sample.args, sample.kwargs)
    leaves = [x for x in tensors_in(arguments, torch.Tensor) if x.requires_grad]
    theirs = call_torch(opinfo, mapped, sample)
    if theirs is None:
        result.left["torch rejects its own sample"] += 1
        return
    seen: dict[int, pt.Tensor] = {}
    first, args, kwargs = converted(arguments, seen)
    watched = [seen[id(x)] for x in leaves]
    their_results = results_of(theirs, torch.Tensor)
    weights = [weight(x, number) for number, x in enumerate(their_results)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with pt.GradientTape(persistent=True) as outer:
            outer.watch(watched)
            with pt.GradientTape() as inner:
                inner.watch(watched)
                our_results = results_of(mapped.ours(first, *args, **kwargs), pt.Tensor)
            check_results(mapped, our_results, their_results, name)
            result.compared[name] += 1
            kept = [k for k, w in enumerate(weights) if w is not None]
            if not differentiable or not leaves or not kept:
                return
            our_weights = [pt.asarray(to_numpy(weights[k])) for k in kept]
            ours = inner.gradient(
                [our_results[k] for k in kept], watched, output_gradients=our_weights, unconnected_gradients="zero"
            )
        doubled = opinfo.supports_gradgrad and not mapped.double
        try:
            torch_first = torch.autograd.grad(
                [their_results[k] for k in kept], leaves, [weights[k] for k in kept], create_graph=doubled,
                allow_unused=True,
            )  # fmt: skip
        except (RuntimeError, NotImplementedError):
            result.left["torch cannot differentiate its own sample"] += 1
            return
        tolerance = TOLERANCES[name] * mapped.tolerance
        check_gradients("gradient", ours, torch_first, leaves, tolerance)
        result.gradients += 1
        if doubled:
            compare_second(result, outer, ours, watched, torch_first, leaves, 100 * tolerance)


def compare_second(
    result: Result, tape: Any, ours: Any, watched: list[Any], theirs: Any, leaves: list[Any], tolerance: float
) -> None:
    """Compare the gradients of gradients."""
    again = [k for k, g in enumerate(theirs) if g is not None and g.requires_grad]
    if again:
        seeds = [weight(theirs[k], 7 + k) for k in again]
        try:
            torch_second = torch.autograd.grad([theirs[k] for k in again], leaves, seeds, allow_unused=True)
        except (RuntimeError, NotImplementedError):
            result.left["torch cannot differentiate its own sample twice"] += 1
            return
        our_seeds = [pt.asarray(to_numpy(seed)) for seed in seeds]
        second = tape.gradient(
            [ours[k] for k in again], watched, output_gradients=our_seeds, unconnected_gradients="zero"
        )
        check_gradients("second gradient", second, torch_second, leaves, tolerance)
    result.doubles += 1


def call_torch(opinfo: Any, mapped: Mapped, sample: Any) -> Any:
    """torch's results, or None if it rejects the sample."""
    function: Callable[..., Any] = mapped.torch or opinfo.op
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(0)
            return function(sample.input, *sample.args, **sample.kwargs)
    except (RuntimeError, NotImplementedError, IndexError, ValueError, TypeError):
        return None


def weight(x: Any, number: int) -> Any:
    """A fixed weight for each element of a differentiable result."""
    if not isinstance(x, torch.Tensor) or not x.requires_grad:
        return None
    rng = np.random.default_rng(number)
    values = rng.uniform(0.5, 1.5, tuple(x.shape))
    if x.is_complex():
        values = values + 1j * rng.uniform(0.5, 1.5, tuple(x.shape))
    return torch.from_numpy(np.asarray(values)).to(x.dtype)


def check_results(mapped: Mapped, ours: list[Any], theirs: list[Any], name: str) -> None:
    """Compare shapes, dtypes and values.

    Raises:
        Difference: they differ.
    """
    if len(ours) != len(theirs):
        raise Difference(f"{len(ours)} results, torch {len(theirs)}")
    for mine, other in zip(ours, theirs, strict=True):
        a = mine.numpy() if isinstance(mine, pt.Tensor) else np.asarray(mine)
        b = to_numpy(other) if isinstance(other, torch.Tensor) else np.asarray(other)
        if isinstance(mine, pt.Tensor) and isinstance(other, torch.Tensor) and a.dtype != b.dtype and not mapped.dtype:
            raise Difference(f"result: dtype {a.dtype}, torch {b.dtype}")
        if mapped.values:
            if a.shape != b.shape:
                raise Difference(f"result: shape {a.shape}, torch {b.shape}")
            continue
        coarse = [TOLERANCES[kind] for kind in (a.dtype.name, b.dtype.name, name) if kind in TOLERANCES]
        if "complex64" in (a.dtype.name, b.dtype.name):
            coarse.append(TOLERANCES["float32"])
        text = disagreement(a, b, max(coarse, default=1e-9) * mapped.tolerance, "result")
        if text:
            raise Difference(text)


def check_gradients(what: str, ours: Any, theirs: Any, leaves: list[Any], tolerance: float) -> None:
    """Compare gradients; torch's None is 0.

    Raises:
        Difference: they differ.
    """
    for number, (mine, other, leaf) in enumerate(zip(ours, theirs, leaves, strict=True)):
        b = np.zeros(tuple(leaf.shape)) if other is None else to_numpy(other)
        text = disagreement(mine.numpy(), b, tolerance, f"{what} {number}")
        if text:
            raise Difference(text)
