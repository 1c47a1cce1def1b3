"""The checks of every op on every backend, which need only the op's row.

Each check takes a row and the name of a backend, and raises AssertionError with the call that failed, the expected
and the actual result.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

import polytape

from .. import plugins
from ..device import Device
from ..dispatch import convert
from ..errors import DTypeError, KernelError, PolytapeError
from ..tensors.tensor import Tensor
from .agreement import assert_agree
from .calls import attributes_on, calls, device_of, expected_values, named, run
from .case import Case, call, tensors
from .compare import widen
from .contract import check_devices, check_fresh
from .gradients import check_gradients
from .kernels import direct_calls, kernel_operands
from .large import check_large_operands
from .makers import Array
from .samples import ErrorSample, Sample

__all__ = ["CHECKS"]


def check_value_dtype_and_shape(case: Case, backend: str) -> None:
    """Each result agrees with the reference and has the right dtype and shape; the shape rule gives the same shape.

    All dtypes are tried; the error lists each with its first failure.
    """
    failures: dict[str, Exception] = {}
    passed: list[str] = []
    lacking: DTypeError | None = None
    for sample, dtype, hosts, what in calls(case, backend):
        if dtype in failures:
            continue
        try:
            _check_value(case, backend, sample, dtype, hosts, what)
            passed.append(dtype)
        except DTypeError as error:
            if unsupported(error):  # the body computes in a dtype that the backend does not have
                lacking = error
            else:
                failures[dtype] = error
        except KernelError:  # `checked` knows which kernels may be missing
            raise
        except Exception as error:
            failures[dtype] = error
    if lacking is not None and not passed and not failures:
        raise lacking
    if len(failures) == 1:
        raise next(iter(failures.values()))
    if failures:
        right = ", ".join(dict.fromkeys(name for name in passed if name not in failures)) or "none"
        texts = [str(error) if isinstance(error, AssertionError) else repr(error) for error in failures.values()]
        summary = f"{case} on {backend}: right for {right}; wrong for {', '.join(failures)}"
        raise AssertionError("\n".join([summary, *texts]))


# The dtypes that a new backend should get right first; where it has none of them, all are tried.
COMMON: Final = ("float32", "int32", "bool")


def check_common_dtypes(case: Case, backend: str) -> None:
    """Each result in the common dtypes agrees with the reference; stops at the first that does not."""
    supported = plugins.get_backend(backend).dtypes
    for sample, dtype, hosts, what in calls(case, backend):
        common = [name for name in COMMON if name in sample.dtypes() and name in supported]
        if dtype in common or not common:
            _check_value(case, backend, sample, dtype, hosts, what)


def _check_value(case: Case, backend: str, sample: Sample, dtype: str, hosts: list[Array], what: str) -> None:
    with np.errstate(all="ignore"):
        results, operands = run(case, sample, hosts, device_of(backend))
        values = [y.numpy() for y in results]
    for y, host, name in zip(results, values, case.result(dtype, sample.attributes), strict=True):
        if y.dtype.name != name or host.dtype.name != name:
            raise AssertionError(f"{what}\n  expected: {name}\n  got: {y.dtype} holding {host.dtype}")
    assert_agree(case, backend, sample, hosts, values, expected_values(case, sample, hosts), what)
    shapes = case.op.output_shapes([x.array for x in operands], sample.attributes)
    actual = [tuple(host.shape) for host in values]
    if list(shapes) != actual:
        raise AssertionError(f"{what}: the shape rule\n  expected: {actual}, the actual shapes\n  got: {shapes}")


def unsupported(error: DTypeError) -> bool:
    """Whether a backend rejected a dtype that it does not have."""
    return error.summary.startswith("backend ") and "does not support" in error.summary


def check_device(case: Case, backend: str) -> None:
    """Results are the backend's own arrays, on the operands' device."""
    device = device_of(backend)
    array_type = plugins.get_backend(backend).array_type
    for sample, dtype, hosts, what in calls(case, backend):
        if dtype != sample.dtypes()[-1]:
            continue  # one dtype is enough
        with np.errstate(all="ignore"):
            for y in run(case, sample, hosts, device)[0]:
                got = f"{type(y.array).__name__} on {y.device}"
                if y.device is not device or not isinstance(y.array, array_type):
                    raise AssertionError(f"{what}\n  expected: {array_type.__name__} on {device}\n  got: {got}")
            polytape.synchronize(device)  # so that queued work runs under this error state, not that of a later check


def check_operands_stay(case: Case, backend: str) -> None:
    """A call changes neither its operands nor an earlier result, and gives the same bits when it is repeated."""
    device = device_of(backend)
    for sample, dtype, hosts, what in calls(case, backend):
        with np.errstate(all="ignore"):
            results, operands = run(case, sample, hosts, device)
            before = [y.numpy().copy() for y in results]
            for host, x in zip(hosts, operands, strict=True):
                if x.numpy().tobytes() != host.tobytes():
                    raise AssertionError(f"{what} changed an operand\n  expected: {host!r}\n  got: {x.numpy()!r}")
            attributes = attributes_on(case, sample, device)
            again = call(case.op, operands, attributes)
            for y, z in zip(before, again, strict=True):
                if y.tobytes() != z.numpy().tobytes():
                    raise AssertionError(f"{what}: the same call twice\n  expected: {y!r}\n  got: {z.numpy()!r}")
            if sample.smooth:  # other operands of the same shapes: a kernel that keeps a buffer would overwrite it
                new_operands = tensors(case.op, sample.hosts(dtype, seed=1), device, sample.layout)
                call(case.op, new_operands, attributes)
            for y, z in zip(before, results, strict=True):
                if y.tobytes() != z.numpy().tobytes():
                    raise AssertionError(f"{what}: a later call changed this result\n  expected: {y!r}\n  got: {z!r}")


def check_errors(case: Case, backend: str) -> None:
    """Each error sample raises an error that names the op, the expectation and a fix, from every kernel of the op.

    What is known only from the values of operands, such as an index that is out of range, must be rejected on the host.
    """
    device = device_of(backend)
    supported, on_host = set(plugins.get_backend(backend).dtypes), plugins.get_backend(backend).host
    for sample in case.errors:
        if sample.host and not on_host:
            continue
        if not {sample.dtype if maker.varies else maker.dtypes[0] for maker in sample.operands} <= supported:
            continue
        what = named(case, sample, sample.dtype, backend)
        operands = tensors(case.op, sample.hosts(sample.dtype), device)
        attributes = attributes_on(case, sample, device)
        _require_error(case, functools.partial(call, case.op, operands, attributes), what, sample)
        for label, attempt in direct_calls(case.op, operands, attributes):
            _require_error(case, attempt, f"{what} by {label}", sample)


def _require_error(case: Case, attempt: Any, what: str, sample: ErrorSample) -> None:
    exception_type, part = sample.exception, sample.part
    try:
        with np.errstate(all="ignore"):
            result = attempt()
    except Exception as error:
        text = str(error)
        if isinstance(error, DTypeError) and unsupported(error):
            return  # the call's dtype was rejected before anything else could be
        # The error of a composite op may come from an op in its body.
        required = [part, case.op.name] if case.op.primitive and sample.named else [part]
        if issubclass(exception_type, PolytapeError):
            required += ["expected:", "fix:"]
        missing = [word for word in required if word not in text]
        if not isinstance(error, exception_type) or missing:
            raise AssertionError(
                f"{what}\n  expected: {exception_type.__name__} with {missing or part!r}\n"
                f"  got: {type(error).__name__}: {text}"
            ) from error
        return
    raise AssertionError(f"{what}\n  expected: {exception_type.__name__}\n  got: {result!r}")


def check_gradient(case: Case, backend: str) -> None:
    """The gradient with respect to every floating operand agrees with finite differences, to order two, in float64."""
    if case.gradient or "float64" not in plugins.get_backend(backend).dtypes:
        return
    device = device_of(backend)
    for sample in case.samples:
        if not sample.smooth or "float64" not in sample.dtypes() or sample.size() > _MAX_ELEMENTS:
            continue
        hosts = sample.untied() if case.avoid else sample.hosts("float64")
        fixed = tensors(case.op, hosts, device, sample.layout)
        positions = [position for position, maker in enumerate(sample.operands) if maker.varies]

        def f(*xs: Tensor, fixed: Any = fixed, positions: Any = positions, sample: Any = sample) -> Any:
            operands = list(fixed)
            for position, x in zip(positions, xs, strict=True):
                operands[position] = x
            return list(call(case.op, operands, attributes_on(case, sample, device)))

        try:
            check_gradients(f, [fixed[position] for position in positions], order=2)
        except AssertionError as error:
            raise AssertionError(f"{named(case, sample, 'float64', backend)}: {error}") from None


_MAX_ELEMENTS: Final = 10_000  # enough for kernels that serve only large operands


def check_kernel_equals_decomposition(case: Case, backend: str) -> None:
    """The kernel of an op agrees with the op's body, where it has one."""
    device = device_of(backend)
    for sample, _, hosts, what in calls(case, backend):
        with np.errstate(all="ignore"):
            results, operands = run(case, sample, hosts, device)
            if any(host.dtype.itemsize < 4 and host.dtype.kind not in "biu" for host in hosts):
                continue  # each op in the body rounds, and in half precision these errors hide everything else
            with polytape.device(device):
                converted = kernel_operands(case.op, operands, device)
                if case.op.needs_kernel([x.dtype.name for x in converted if x is not None]):
                    continue
                body = case.op.run_body(converted, attributes_on(case, sample, device))
            bodies = tuple(body) if case.op.outputs is not None else (body,)
            _require_agreement(case, backend, sample, hosts, bodies, results, f"{what}: its body", factor=4.0)


def check_graph_equals_eager(case: Case, backend: str) -> None:
    """The op traced by `polytape.function` agrees with the eager op. Passes if polytape has no graph mode."""
    try:
        from ..graph import function
    except ImportError:
        return
    device = device_of(backend)
    for sample, dtype, hosts, what in calls(case, backend):
        if dtype not in ("", "float32", "int32") or sample.layout or not hosts:
            continue
        attributes = attributes_on(case, sample, device)
        with np.errstate(all="ignore"):
            results, operands = run(case, sample, hosts, device)
            with polytape.device(device):
                traced = function(lambda *xs, attributes=attributes: list(call(case.op, xs, attributes)))(*operands)
            _require_agreement(case, backend, sample, hosts, traced, results, f"{what}: traced")


def _require_agreement(
    case: Case, backend: str, sample: Sample, hosts: Any, got: Any, expected: Any, what: str, factor: float = 1.0
) -> None:
    """The results of two ways to run a call agree in dtype and value."""
    for y, z in zip(got, expected, strict=True):
        if y.dtype is not z.dtype:
            raise AssertionError(f"{what}\n  expected: {z.dtype}\n  got: {y.dtype}")
    values, exact = [y.numpy() for y in got], [widen(z.numpy()) for z in expected]
    assert_agree(case, backend, sample, hosts, values, exact, what, factor=factor)


def promoted_positions(case: Case) -> list[int]:
    """The positions of the operands that promote together, or none if it is only one."""
    positions = [k for k in range(len(case.samples[0].operands)) if case.op.promoted(k)]
    return positions if len(positions) > 1 else []


def check_host_operands(case: Case, backend: str) -> None:
    """Beside a tensor a Python number is weak, a NumPy array keeps its dtype, and both go to the tensor's device."""
    positions = promoted_positions(case)
    device = device_of(backend)
    first = case.samples[0]
    for dtype in ("float32", "float64", "int32", "bool"):
        if not positions or dtype not in first.dtypes() or dtype not in plugins.get_backend(backend).dtypes:
            continue
        number: Any = {"f": 2.0, "i": 2, "b": True}[np.dtype(dtype).kind]
        hosts = first.hosts(dtype)
        for position in positions:
            operands: list[Any] = [*tensors(case.op, hosts, device)]
            pairs = [(hosts[position], operands[position])]
            if case.op.elementwise:
                tensor = convert.asarray(np.asarray(number, dtype), device=device)
                pairs += [(number, tensor)] + ([(np.float64(2.0), tensor)] if dtype[0] == "f" else [])
            for host_operand, tensor in pairs:
                operands[position] = host_operand
                got = call(case.op, operands, first.attributes)[0]
                operands[position] = tensor
                expected = call(case.op, operands, first.attributes)[0]
                what = f"{case} with {type(host_operand).__name__} as operand {position} beside {dtype} on {backend}"
                _require_same(got, expected, what, device)


def _require_same(got: Tensor, expected: Tensor, what: str, device: Device) -> None:
    for actual, required in ((got.dtype, expected.dtype), (got.device, device), (got.shape, expected.shape)):
        if actual != required:
            raise AssertionError(f"{what}\n  expected: {required}\n  got: {actual}")
    if got.numpy().tobytes() != expected.numpy().tobytes():
        raise AssertionError(f"{what}\n  expected: {expected!r}\n  got: {got!r}")


# Array API standard 2025.12, "Type promotion rules"; an integer and a floating dtype promote to the floating one.
PROMOTIONS: Final = (
    ("int8", "int32", "int32"), ("uint8", "int8", "int16"), ("uint32", "int32", "int64"), ("uint8", "uint64", "uint64"),
    ("int32", "float32", "float32"), ("int64", "float32", "float32"), ("int64", "float16", "float16"),
    ("float16", "float32", "float32"), ("float32", "float64", "float64"), ("float64", "complex64", "complex128"),
    ("bool", "int32", "int32"), ("bool", "float32", "float32"),
)  # fmt: skip


def check_promotion(case: Case, backend: str) -> None:
    """Operands of two dtypes give the same result as the operands cast to the common dtype."""
    positions = promoted_positions(case)
    first = case.samples[0]
    device = device_of(backend)
    supported = plugins.get_backend(backend).dtypes
    for left, right, common in PROMOTIONS:
        if not positions or not {left, right, common} <= set(first.dtypes()) & set(supported):
            continue
        for first_dtype, other_dtype in ((left, right), (right, left)):
            mixed = first.hosts(first_dtype)
            for position in positions[1:]:
                mixed[position] = first.hosts(other_dtype, seed=1)[position]
            cast = [host.astype(common) if k in positions else host for k, host in enumerate(mixed)]
            with np.errstate(all="ignore"):
                got = call(case.op, tensors(case.op, mixed, device), first.attributes)[0]
                expected = call(case.op, tensors(case.op, cast, device), first.attributes)[0]
                _require_same(got, expected, f"{case} of {first_dtype} and {other_dtype} on {backend}", device)


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
    check_fresh,
    check_devices,
    check_large_operands,
)
