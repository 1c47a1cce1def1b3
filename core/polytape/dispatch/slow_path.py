"""The one slow path of every op: classify, convert, promote, resolve, call or emit, record."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .. import dtypes
from ..autodiff.plan import plan_of
from ..autodiff.record import Tapes, active_tapes, join, record, record_several, wrap
from ..device import Device
from ..dtypes import FLOATING, DType
from ..errors import DTypeError, PolytapeError, ShapeError, TraceError
from ..placement import selection
from ..registry.entry import Entry
from ..registry.kinds import Kind, get_kind
from ..registry.op import Op
from ..settings import trimmed
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Symbol, Tensor, describe
from . import convert
from .resolve import resolve

__all__ = ["apply", "failure"]

NUMBERS: Final = (bool, int, float, complex)
MEMO: Final = 4096


def apply(op: Op, operands: list[Any], attributes: dict[str, Any]) -> Any:
    """Run ``op`` on operands of any accepted type.

    Args:
        op: the op.
        operands: tensors, Python numbers, NumPy data, nested lists; None where an optional one is left out.
        attributes: the attributes that the caller gave.
    Raises:
        PolytapeError: as the op and its kernels do.
    """
    scope = current_scope.get()
    device = place(op, operands, attributes)
    tensors = convert_all(op, operands, device)
    backend = selection.backend_of(device)
    if scope.trace is not None:
        tensors = [None if x is None else scope.trace.read(x) for x in tensors]
    entry = find_entry(op, tensors, attributes, device, backend)
    arrays = tuple([None if x is None else x.array for x in tensors])
    symbolic = any([type(array) is Symbol for array in arrays])
    if scope.trace is not None and (symbolic or not tensors):
        results = scope.trace.emit(op, entry, operands, tensors, attributes)
    elif symbolic:
        raise leaked(op, tensors)
    else:
        if entry.how == "body" and not op.rules and scope.tapes:
            return op.run_body(tensors, attributes)  # its ops are recorded themselves
        results = call(op, entry, tensors, arrays, attributes)
    return finish(op, entry, tensors, arrays, attributes, results, scope)


def call(op: Op, entry: Entry, tensors: list[Tensor | None], arrays: tuple[Any, ...], attributes: Any) -> list[Any]:
    """The kernel's results as native arrays."""
    given = {name: value for name, value in attributes.items() if name not in ("device", "dtype")}
    try:
        results = entry.fn(*arrays, **given)
    except Exception as error:
        raise failure(op, tensors, attributes, error) from None
    return entry.lift_all(results) if op.outputs is not None else [entry.lift(results)]


def finish(
    op: Op,
    entry: Entry,
    tensors: list[Tensor | None],
    arrays: tuple[Any, ...],
    attributes: dict[str, Any],
    results: list[Any],
    scope: Scope,
) -> Any:
    """Record the op where a tape follows an operand, and wrap its results."""
    tapes: Tapes = ()
    watched = 0
    if scope.tapes and not op.no_gradient:
        for position, x in enumerate(tensors):
            found = () if x is None else active_tapes(x, scope)
            if found:
                watched |= 1 << position
                tapes = join(tapes, found, scope)
    plan = plan_of(op, len(tensors), watched) if watched else None
    if plan is None or not plan.useful:
        outs = [wrap(result, kind, None) for result, kind in zip(results, entry.outs, strict=True)]
        return outs[0] if op.outputs is None else op.outputs(*outs)
    nodes = tuple([x.node if x is not None and watched >> i & 1 else None for i, x in enumerate(tensors)])
    if op.outputs is not None:
        return op.outputs(*record_several(op, entry, plan, tapes, nodes, arrays, attributes, results))
    node = None
    if entry.out.category >= FLOATING:
        node = record(op, entry, plan, tapes, nodes, arrays, attributes, results[0])
    return wrap(results[0], entry.out, node)


def place(op: Op, operands: list[Any], attributes: dict[str, Any]) -> Device:
    """The device an op runs on: its tensors', or for new tensors the argument's or the default one.

    Raises:
        DeviceError: tensors on different devices, under the policy ``explicit``.
    """
    found: Tensor | None = None
    for position, x in enumerate(operands):
        if isinstance(x, Tensor) and not op.on_host(position):
            if found is None:
                found = x
            elif x.kind.device is not found.kind.device:
                found = convert.common(op, operands, found, x)
    if found is not None:
        return found.kind.device
    if op.creates:
        return selection.resolve_device(attributes.get("device"))
    return selection.default_device()


def convert_all(op: Op, operands: list[Any], device: Device) -> list[Tensor | None]:
    """Operands as tensors on ``device``, those that promote together of one dtype."""
    tensors: list[Tensor | None] = []
    numbers: list[int] = []
    for position, x in enumerate(operands):
        if isinstance(x, Tensor):
            stays = op.on_host(position) or x.kind.device is device
            tensors.append(x if stays else convert.to_device(x, device))
        elif x is None:
            if position >= len(op.operands) or op.operands[position] not in op.optional:
                raise not_an_operand(op, operands, position)
            tensors.append(None)
        elif isinstance(x, NUMBERS) and op.promoted(position):
            numbers.append(position)
            tensors.append(None)
        else:
            tensors.append(from_host(op, operands, position, device))
    if op.promotes:
        promote(op, operands, tensors, numbers, device)
    return tensors


def from_host(op: Op, operands: list[Any], position: int, device: Device) -> Tensor:
    """Host data given as an operand, on the device of the others."""
    x = operands[position]
    if isinstance(x, (np.ndarray, np.generic, list, tuple, *NUMBERS)):
        return convert.asarray(x, None, device, None)
    raise not_an_operand(op, operands, position)


def not_an_operand(op: Op, operands: list[Any], position: int) -> DTypeError:
    """The error for something no op computes with."""
    x = operands[position]
    name = op.operands[min(position, len(op.operands) - 1)]
    return DTypeError(
        f"{op.name} cannot take {describe(x)} as {name}.",
        expected="a tensor, a Python number, a NumPy array or a rectangular list of numbers",
        got=f"{type(x).__name__}",
        fix="convert it with polytape.asarray first",
    )


def promote(op: Op, operands: list[Any], tensors: list[Tensor | None], numbers: list[int], device: Device) -> None:
    """Bring the operands that promote together to one dtype; casts are ops, and so are taped."""
    dtype: DType | None = None
    for position, x in enumerate(tensors):
        if x is not None and op.promoted(position):
            dtype = x.kind.dtype if dtype is None else dtypes.promote(dtype, x.kind.dtype)
    for position in numbers:
        value = operands[position]
        dtype = dtypes.default_dtype(value) if dtype is None else dtypes.weak_promote(dtype, value)
    if dtype is None:
        return
    if op.floating and dtypes.category(dtype) < FLOATING:
        dtype = dtypes.float32
    kind = get_kind(selection.backend_of(device), device, dtype)
    for position, x in enumerate(tensors):
        if x is not None and op.promoted(position) and x.kind.dtype is not dtype:
            tensors[position] = convert.cast(x, dtype)
    for position in numbers:
        value = operands[position]
        array = kind.scalar(value) if kind.takes(value) else kind.make_scalar(value)
        tensors[position] = Tensor(array, kind, None)


def find_entry(op: Op, tensors: list[Tensor | None], attributes: dict[str, Any], device: Device, backend: Any) -> Entry:
    """What serves the op here, from the memo or by resolution."""
    kinds: tuple[Kind | None, ...] = tuple([None if x is None else x.kind for x in tensors])
    fixed: dict[str, Any] = {name: attributes.get(name, op.defaults.get(name)) for name in op.dtype_attributes}
    if "dtype" in fixed and fixed["dtype"] is not None:
        fixed["dtype"] = dtypes.lookup(fixed["dtype"])
    key: Any = (device, kinds, tuple([(type(value), value) for value in fixed.values()]))
    if op.creates:
        fixed["device"] = device
    try:
        entry = op.memo.get(key)
    except TypeError:  # an attribute without a hash: the dtype rule refuses it, or nothing is kept
        return resolve(op, backend, device, kinds, fixed)
    if entry is None:
        entry = resolve(op, backend, device, kinds, fixed)
        if len(op.memo) >= MEMO:
            op.memo.clear()  # fill values and ranges are keys too
        op.memo[key] = entry
        if entry.how != "kernel":
            op.decomposed = True
        given = any([name in attributes for name in op.dtype_attributes])
        if entry.key is not None and entry.key.device is device and entry.how != "host" and not given:
            op.table[entry.key] = entry
    return entry


def failure(op: Op, operands: Any, attributes: dict[str, Any], error: Exception) -> Exception:
    """What to raise after a kernel raised: the op's own ShapeError where shapes do not fit, else the error itself."""
    if isinstance(error, PolytapeError):
        return trimmed(error)
    arrays = [x.array if isinstance(x, Tensor) else (None if x is None else np.asarray(x)) for x in operands]
    if any([type(array) is Symbol for array in arrays]):
        return leaked(op, operands)
    try:
        op.output_shapes(arrays, attributes)
    except ShapeError as shape_error:
        return trimmed(shape_error)
    return error


def leaked(op: Op, operands: Any) -> TraceError:
    """The error for a symbolic tensor outside the trace that made it."""
    return TraceError(
        f"{op.name}({', '.join([describe(x) for x in operands])}): a symbolic tensor outside its trace.",
        expected="tensors with values",
        got="a tensor kept from inside a traced function, which stands for a value and has none",
        fix="return it from the function instead of storing it",
    )
