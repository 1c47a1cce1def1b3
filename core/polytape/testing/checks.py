"""What is checked of every op on every backend, from its row alone.

Each check takes a row and a backend's name, and raises AssertionError with the call that failed, what was expected and
what was got.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

import polytape

from .. import plugins
from ..device import Device
from ..dispatch import convert
from ..errors import PolytapeError
from ..tensors.tensor import Tensor
from .calls import attributes_on, calls, device_of, named, run
from .case import Case, call, tensors
from .compare import assert_close, widen
from .gradients import check_gradients
from .kernels import direct_calls
from .makers import Array
from .samples import ErrorSample, Sample

__all__ = ["CHECKS"]


def expected_values(case: Case, sample: Sample, hosts: list[Array]) -> tuple[Any, ...]:
    """The reference's results."""
    with np.errstate(all="ignore"):
        found = case.reference(*[widen(host) for host in hosts], **sample.attributes)
    return tuple(found) if case.op.outputs is not None else (found,)


def check_value_dtype_and_shape(case: Case, backend: str) -> None:
    """Each result is the reference's, in the dtype and shape it should have; the shape rule says the same."""
    device = device_of(backend)
    for one, dtype, hosts, what in calls(case, backend):
        with np.errstate(all="ignore"):
            results, operands = run(case, one, hosts, device)
            found = [y.numpy() for y in results]
        names = case.result(dtype, one.attributes)
        for y, host, name, reference in zip(results, found, names, expected_values(case, one, hosts), strict=True):
            if y.dtype.name != name or host.dtype.name != name:
                raise AssertionError(f"{what}\n  expected: {name}\n  got: {y.dtype} holding {host.dtype}")
            ulp = case.ulp(name)
            assert_close(host, reference, what, ulp=ulp, scale=case.scale, signs=one.signs)
        shapes = case.op.output_shapes([x.array for x in operands], one.attributes)
        actual = [tuple(host.shape) for host in found]
        if list(shapes) != actual:
            raise AssertionError(f"{what}: the shape rule\n  expected: {actual}, the actual shapes\n  got: {shapes}")


def check_device(case: Case, backend: str) -> None:
    """Results are the backend's own arrays, on the operands' device."""
    device = device_of(backend)
    array_type = plugins.get_backend(backend).array_type
    for one, dtype, hosts, what in calls(case, backend):
        if dtype != one.dtypes()[-1]:
            continue  # one dtype shows it
        with np.errstate(all="ignore"):
            for y in run(case, one, hosts, device)[0]:
                got = f"{type(y.array).__name__} on {y.device}"
                if y.device is not device or not isinstance(y.array, array_type):
                    raise AssertionError(f"{what}\n  expected: {array_type.__name__} on {device}\n  got: {got}")
            polytape.synchronize(device)  # queued work runs under the error state of this check, not of a later one


def check_operands_stay(case: Case, backend: str) -> None:
    """A call changes none of its operands, and no earlier result; the same call gives the same bits again."""
    device = device_of(backend)
    for one, dtype, hosts, what in calls(case, backend):
        with np.errstate(all="ignore"):
            results, operands = run(case, one, hosts, device)
            before = [y.numpy().copy() for y in results]
            for host, x in zip(hosts, operands, strict=True):
                if x.numpy().tobytes() != host.tobytes():
                    raise AssertionError(f"{what} changed an operand\n  expected: {host!r}\n  got: {x.numpy()!r}")
            attributes = attributes_on(case, one, device)
            again = call(case.op, operands, attributes)
            for y, z in zip(before, again, strict=True):
                if y.tobytes() != z.numpy().tobytes():
                    raise AssertionError(f"{what}: the same call twice\n  expected: {y!r}\n  got: {z.numpy()!r}")
            if one.smooth:  # other operands of the same shapes: a kernel that keeps a buffer would overwrite it
                others = tensors(case.op, one.hosts(dtype, seed=1), device, one.layout)
                call(case.op, others, attributes)
            for y, z in zip(before, results, strict=True):
                if y.tobytes() != z.numpy().tobytes():
                    raise AssertionError(f"{what}: a later call changed this result\n  expected: {y!r}\n  got: {z!r}")


def check_errors(case: Case, backend: str) -> None:
    """Each error sample is refused, with a text that names op, expectation and fix; by every kernel of the op."""
    device = device_of(backend)
    held = plugins.get_backend(backend).dtypes
    for one in case.errors:
        if any(maker.varies for maker in one.operands) and one.dtype not in held:
            continue
        what = named(case, one, one.dtype, backend)
        operands = tensors(case.op, one.hosts(one.dtype), device)
        attributes = attributes_on(case, one, device)
        _refused(case, functools.partial(call, case.op, operands, attributes), what, one)
        for label, attempt in direct_calls(case.op, operands, attributes):
            _refused(case, attempt, f"{what} by {label}", one)


def _refused(case: Case, attempt: Any, what: str, one: ErrorSample) -> None:
    exception, part = one.exception, one.part
    try:
        with np.errstate(all="ignore"):
            found = attempt()
    except Exception as error:
        text = str(error)
        # A composite op may be refused by an op of its body.
        wanted = [part, case.op.name] if case.op.primitive and one.named else [part]
        if issubclass(exception, PolytapeError):
            wanted += ["expected:", "fix:"]
        missing = [word for word in wanted if word not in text]
        if not isinstance(error, exception) or missing:
            raise AssertionError(
                f"{what}\n  expected: {exception.__name__} with {missing or part!r}\n"
                f"  got: {type(error).__name__}: {text}"
            ) from error
        return
    raise AssertionError(f"{what}\n  expected: {exception.__name__}\n  got: {found!r}")


def check_gradient(case: Case, backend: str) -> None:
    """The gradient by every floating operand agrees with finite differences, to order two, in float64."""
    if case.gradient or "float64" not in plugins.get_backend(backend).dtypes:
        return
    device = device_of(backend)
    for one in case.samples:
        if not one.smooth or "float64" not in one.dtypes() or one.size() > _MOST:
            continue
        hosts = one.untied() if case.avoid else one.hosts("float64")
        fixed = tensors(case.op, hosts, device, one.layout)
        places = [place for place, maker in enumerate(one.operands) if maker.varies]

        def f(*xs: Tensor, fixed: Any = fixed, places: Any = places, one: Any = one) -> Any:
            operands = list(fixed)
            for place, x in zip(places, xs, strict=True):
                operands[place] = x
            return list(call(case.op, operands, attributes_on(case, one, device)))

        try:
            check_gradients(f, [fixed[place] for place in places], order=2)
        except AssertionError as error:
            raise AssertionError(f"{named(case, one, 'float64', backend)}: {error}") from None


_MOST: Final = 10_000  # elements: enough for kernels that serve only large operands


def check_kernel_equals_decomposition(case: Case, backend: str) -> None:
    """A composite op's kernel gives what its body gives."""
    if case.op.primitive:
        return
    device = device_of(backend)
    for one, _, hosts, what in calls(case, backend):
        with np.errstate(all="ignore"):
            results, operands = run(case, one, hosts, device)
            if any(host.dtype.itemsize < 4 and host.dtype.kind not in "biu" for host in hosts):
                continue  # each op of the body rounds: in half precision that is all that would be measured
            with polytape.device(device):
                body = case.op.run_body(operands, attributes_on(case, one, device))
            bodies = tuple(body) if case.op.outputs is not None else (body,)
            for y, z in zip(results, bodies, strict=True):
                if y.dtype is not z.dtype:
                    raise AssertionError(f"{what}: its body\n  expected: {y.dtype}\n  got: {z.dtype}")
                ulp = 4 * case.ulp(y.dtype.name)
                assert_close(z.numpy(), widen(y.numpy()), f"{what}: its body", ulp=ulp, scale=max(case.scale, 1.0))


def check_graph_equals_eager(case: Case, backend: str) -> None:
    """Traced by `polytape.function`, the op gives what it gives eagerly. Nothing to check where that is not there."""
    try:
        from ..graph import function
    except ImportError:
        return
    device = device_of(backend)
    for one, dtype, hosts, what in calls(case, backend):
        if dtype not in ("", "float32", "int32") or one.layout or not hosts:
            continue
        attributes = attributes_on(case, one, device)
        with np.errstate(all="ignore"):
            results, operands = run(case, one, hosts, device)
            with polytape.device(device):
                traced = function(lambda *xs, given=attributes: list(call(case.op, xs, given)))(*operands)
            for y, z in zip(results, traced, strict=True):
                if y.dtype is not z.dtype:
                    raise AssertionError(f"{what}: traced\n  expected: {y.dtype}\n  got: {z.dtype}")
                assert_close(
                    z.numpy(), widen(y.numpy()), f"{what}: traced", ulp=case.ulp(y.dtype.name), scale=case.scale
                )


def promoted_places(case: Case) -> list[int]:
    """Positions of the operands that promote together, where there are several."""
    places = [k for k in range(len(case.samples[0].operands)) if case.op.promoted(k)]
    return places if len(places) > 1 else []


def check_host_operands(case: Case, backend: str) -> None:
    """A Python number beside a tensor is weak; a NumPy array counts with its dtype; both go to the tensor's device."""
    places = promoted_places(case)
    device = device_of(backend)
    first = case.samples[0]
    for dtype in ("float32", "float64", "int32", "bool"):
        if not places or dtype not in first.dtypes() or dtype not in plugins.get_backend(backend).dtypes:
            continue
        number: Any = {"f": 2.0, "i": 2, "b": True}[np.dtype(dtype).kind]
        hosts = first.hosts(dtype)
        for place in places:
            operands: list[Any] = [*tensors(case.op, hosts, device)]
            forms = [(hosts[place], operands[place])]
            if case.op.elementwise:
                alike = convert.asarray(np.asarray(number, dtype), device=device)
                forms += [(number, alike)] + ([(np.float64(2.0), alike)] if dtype[0] == "f" else [])
            for given, same in forms:
                operands[place] = given
                got = call(case.op, operands, first.attributes)[0]
                operands[place] = same
                expected = call(case.op, operands, first.attributes)[0]
                what = f"{case} with {type(given).__name__} as operand {place} beside {dtype} on {backend}"
                _same(got, expected, what, device)


def _same(got: Tensor, expected: Tensor, what: str, device: Device) -> None:
    for one, other in ((got.dtype, expected.dtype), (got.device, device), (got.shape, expected.shape)):
        if one != other:
            raise AssertionError(f"{what}\n  expected: {other}\n  got: {one}")
    if got.numpy().tobytes() != expected.numpy().tobytes():
        raise AssertionError(f"{what}\n  expected: {expected!r}\n  got: {got!r}")


# Array API standard 2024.12, "Type promotion rules"; an integer beside a floating dtype gives the floating one.
PROMOTIONS: Final = (
    ("int8", "int32", "int32"), ("uint8", "int8", "int16"), ("uint32", "int32", "int64"), ("uint8", "uint64", "uint64"),
    ("int32", "float32", "float32"), ("int64", "float32", "float32"), ("int64", "float16", "float16"),
    ("float16", "float32", "float32"), ("float32", "float64", "float64"), ("float64", "complex64", "complex128"),
    ("bool", "int32", "int32"), ("bool", "float32", "float32"),
)  # fmt: skip


def check_promotion(case: Case, backend: str) -> None:
    """Operands of two dtypes give what both cast to their common dtype give."""
    places = promoted_places(case)
    first = case.samples[0]
    device = device_of(backend)
    held = plugins.get_backend(backend).dtypes
    for left, right, common in PROMOTIONS:
        if not places or not {left, right, common} <= set(first.dtypes()) & set(held):
            continue
        for one, other in ((left, right), (right, left)):
            mixed = first.hosts(one)
            for place in places[1:]:
                mixed[place] = first.hosts(other, seed=1)[place]
            cast = [host.astype(common) if k in places else host for k, host in enumerate(mixed)]
            with np.errstate(all="ignore"):
                got = call(case.op, tensors(case.op, mixed, device), first.attributes)[0]
                expected = call(case.op, tensors(case.op, cast, device), first.attributes)[0]
                _same(got, expected, f"{case} of {one} and {other} on {backend}", device)


CHECKS: Final = (
    check_value_dtype_and_shape,
    check_device,
    check_operands_stay,
    check_errors,
    check_gradient,
    check_kernel_equals_decomposition,
    check_graph_equals_eager,
    check_host_operands,
    check_promotion,
)
