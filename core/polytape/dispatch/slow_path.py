"""The slow path, shared by all ops: convert, promote, resolve, call the kernel or emit an equation, record."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .. import dtypes
from ..autodiff.gradient_plan import plan_of
from ..autodiff.record import Tapes, follow, record, record_several, wrap
from ..device import Device
from ..dtypes import FLOATING, DType
from ..errors import DTypeError, PolytapeError, ShapeError
from ..placement import selection
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType, get_tensor_type
from ..settings import trimmed
from ..tensors.in_place import is_placeholder, settled
from ..tensors.scope import Scope, current_scope
from ..tensors.tensor import Symbol, Tensor
from . import convert
from .mixed_devices import deciding_operand
from .resolve import resolve

__all__ = ["apply", "failure", "given", "recover"]

NUMBERS: Final = (bool, int, float, complex)
COMPARISONS: Final = ("equal", "greater", "greater_equal", "less", "less_equal", "not_equal")
MEMO: Final = 4096
FROM_CALLBACK: Final = "polytape_callback"  # an attribute of errors that a callback of polytape.debug has raised


def apply(op: Op, operands: list[Any], attributes: dict[str, Any]) -> Any:
    """Run ``op`` on operands of any accepted type.

    Args:
        op: the op.
        operands: tensors, Python numbers, NumPy data, nested lists; None for an optional operand that is not given.
        attributes: the attributes that the caller gave.
    Raises:
        PolytapeError: from the op or its kernels.
    """
    scope = current_scope.get()
    device = device_of(op, operands, attributes)
    tensors = convert_all(op, operands, device)
    backend = selection.backend_of(device)
    if scope.trace is not None:
        tensors = [None if x is None else scope.trace.read(x) for x in tensors]
    resolution = find_resolution(op, tensors, attributes, device, backend)
    arrays = tuple([None if x is None else x.array for x in tensors])
    symbolic = any([type(array) is Symbol for array in arrays])
    if symbolic and scope.trace is None:
        arrays = settle(op, tensors)
    if scope.trace is not None and (symbolic or not tensors):
        results = scope.trace.emit(op, resolution, operands, tensors, attributes)
    else:
        if resolution.how == "body" and not op.rules and not op.no_gradient and scope.tapes:
            return op.run_body(tensors, attributes)  # the ops in the body are recorded instead
        results = call(op, resolution, tensors, arrays, attributes)
    return finish(op, resolution, tensors, arrays, attributes, results, scope)


def settle(op: Op, tensors: list[Tensor | None]) -> tuple[Any, ...]:
    """The operands' arrays, once no other thread overwrites them.

    Raises:
        TraceError: an operand is a symbol of a trace.
    """
    arrays = tuple([None if x is None else settled(x) for x in tensors])
    if any([type(array) is Symbol for array in arrays]):
        from .rejections import leaked_symbol

        raise leaked_symbol(op.name, tensors)
    return arrays


def call(
    op: Op, resolution: Resolution, tensors: list[Tensor | None], arrays: tuple[Any, ...], attributes: Any
) -> list[Any]:
    """Call the resolution's function; its results as native arrays."""
    passed = {name: value for name, value in attributes.items() if name not in ("device", "dtype")}
    try:
        results = resolution.fn(*arrays, **passed)
    except Exception as error:
        raise failure(op, tensors, attributes, error) from None
    return resolution.lift_all(results) if op.outputs is not None else [resolution.lift(results)]


def finish(
    op: Op,
    resolution: Resolution,
    tensors: list[Tensor | None],
    arrays: tuple[Any, ...],
    attributes: dict[str, Any],
    results: list[Any],
    scope: Scope,
) -> Any:
    """Record the op if a tape follows an operand, and wrap its results in tensors."""
    tapes: Tapes = ()
    watched = 0
    if scope.tapes and not op.no_gradient:
        tapes, watched = follow(tensors, scope)
    plan = plan_of(op, len(tensors), watched) if watched else None
    if plan is None or not plan.useful:
        outputs = [wrap(results[k], tensor_type, None) for k, tensor_type in enumerate(resolution.result_types)]
        return outputs[0] if op.outputs is None else op.outputs(*outputs)
    nodes = tuple([x.node if x is not None and watched >> i & 1 else None for i, x in enumerate(tensors)])
    if op.outputs is not None:
        return op.outputs(*record_several(op, resolution, plan, tapes, nodes, arrays, attributes, results))
    node = None
    if resolution.result_type.category >= FLOATING:
        node = record(op, resolution, plan, tapes, nodes, arrays, attributes, results[0])
    return wrap(results[0], resolution.result_type, node)


def device_of(op: Op, operands: list[Any], attributes: dict[str, Any]) -> Device:
    """The device that an op runs on: that of its tensors; without tensors, the ``device`` argument or the default.

    Raises:
        DeviceError: the tensors are on different devices, and the policy is ``explicit``.
    """
    deciding: Tensor | None = None
    for position, x in enumerate(operands):
        if isinstance(x, Tensor) and not op.on_host(position):
            if deciding is None:
                deciding = x
            elif x.type.device is not deciding.type.device:
                deciding = deciding_operand(op, operands, deciding, x)
    if deciding is not None:
        return deciding.type.device
    if op.creates:
        return selection.resolve_device(attributes.get("device"))
    return selection.default_device()


def convert_all(op: Op, operands: list[Any], device: Device) -> list[Tensor | None]:
    """The operands as tensors on ``device``; those that promote together get the same dtype."""
    tensors: list[Tensor | None] = []
    numbers: list[int] = []
    for position, x in enumerate(operands):
        if isinstance(x, Tensor):
            stays = op.on_host(position) or x.type.device is device
            tensors.append(x if stays else convert.to_device(x, device))
        elif x is None:
            if position >= len(op.operands) or op.operands[position] not in op.optional:
                from .rejections import not_an_operand

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
    """An operand that is host data, as a tensor on ``device``."""
    x = operands[position]
    if isinstance(x, (np.ndarray, np.generic, list, tuple, *NUMBERS)):
        return convert.asarray(x, None, device, None)
    from .rejections import not_an_operand

    raise not_an_operand(op, operands, position)


def promote(op: Op, operands: list[Any], tensors: list[Tensor | None], numbers: list[int], device: Device) -> None:
    """Convert the operands that promote together to one dtype; casts are ops, so they are recorded."""
    dtype: DType | None = None
    for position, x in enumerate(tensors):
        if x is not None and op.promoted(position):
            dtype = x.type.dtype if dtype is None else dtypes.promote(dtype, x.type.dtype)
    if numbers and op.name in COMPARISONS:
        x = tensors[1 - numbers[0]]
        if x is None or not (x.type.takes(operands[numbers[0]]) and x.type.fits(operands[numbers[0]])):
            from .comparisons import restate

            restate(op.name, operands, tensors, numbers[0])
    for position in numbers:
        value = operands[position]
        dtype = dtypes.default_dtype(value) if dtype is None else dtypes.weak_promote(dtype, value)
        if op.number_rule is not None and isinstance(value, int) and value < 0:
            op.number_rule(position, value, dtype)
    if dtype is None:
        return
    if op.floating and dtypes.category(dtype) < FLOATING:
        dtype = dtypes.defaults.floating
    tensor_type = get_tensor_type(selection.backend_of(device), device, dtype)
    for position, x in enumerate(tensors):
        if x is not None and op.promoted(position) and x.type.dtype is not dtype:
            tensors[position] = convert.cast(x, dtype)
    for position in numbers:
        tensors[position] = Tensor(tensor_type.number(operands[position]), tensor_type, None)


def settling(op: Op, attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes that the op's dtype rule needs, with defaults filled in; resolution depends on them."""
    rule_attributes: dict[str, Any] = {
        name: attributes.get(name, op.defaults.get(name)) for name in op.dtype_attributes
    }
    if rule_attributes.get("dtype") is not None:
        rule_attributes["dtype"] = dtypes.lookup(rule_attributes["dtype"])
    return rule_attributes


def find_resolution(
    op: Op, tensors: list[Tensor | None], attributes: dict[str, Any], device: Device, backend: Any
) -> Resolution:
    """The resolution of the op for these operands, found now or memoised."""
    tensor_types: tuple[TensorType | None, ...] = tuple([None if x is None else x.type for x in tensors])
    rule_attributes = settling(op, attributes)
    key: Any = (device, tensor_types, tuple([(type(value), value) for value in rule_attributes.values()]))
    if op.creates:
        rule_attributes["device"] = device
    try:
        resolution = op.memo.get(key)
    except TypeError:  # an attribute is not hashable: the dtype rule rejects it, or the resolution is not memoised
        return resolve(op, backend, device, tensor_types, rule_attributes)
    if resolution is None:
        resolution = resolve(op, backend, device, tensor_types, rule_attributes)
        if len(op.memo) >= MEMO:
            op.memo.clear()  # bounded, because fill values and the bounds of ranges are part of the key
        op.memo[key] = resolution
        if resolution.how != "kernel":
            op.decomposed = True
        if (
            resolution.shared_type is not None
            and resolution.shared_type.device is device
            and resolution.how != "host"
            and not given(op.dtype_attributes, attributes)
        ):
            op.table[resolution.shared_type] = resolution
    if resolution is not op.recent and resolution.how == "kernel" and not given(op.dtype_attributes, attributes):
        op.recent = resolution
    return resolution


def given(names: tuple[str, ...], attributes: dict[str, Any]) -> bool:
    """Whether any of these attributes is given."""
    for name in names:
        if name in attributes:
            return True
    return False


def failure(op: Op, operands: Any, attributes: dict[str, Any], error: Exception) -> Exception:
    """The exception to raise after a kernel raised ``error``: a ShapeError if the shapes do not fit, else ``error``."""
    if isinstance(error, PolytapeError):
        return trimmed(error)
    if hasattr(error, FROM_CALLBACK):
        return error
    arrays = [x.array if isinstance(x, Tensor) else (None if x is None else np.asarray(x)) for x in operands]
    if any([type(array) is Symbol and not is_placeholder(array) for array in arrays]):
        from .rejections import leaked_symbol

        return leaked_symbol(op.name, operands)
    try:
        op.output_shapes(arrays, attributes)
    except ShapeError as shape_error:
        return trimmed(shape_error)
    if isinstance(error, IndexError):
        from .rejections import index_out_of_range

        return index_out_of_range(op, operands, error)
    return error


def recover(op: Op, x1: Any, x2: Any, error: Exception) -> Any:
    """What to do after the fast path of an op with two operands raised ``error``: the exception to raise instead.

    If a number does not fit the dtype of the tensor beside it, it is the result of the slow path, which some ops have.
    """
    number = isinstance(x1, NUMBERS) or isinstance(x2, NUMBERS)
    if number and isinstance(error, DTypeError) and not hasattr(error, FROM_CALLBACK):
        try:
            return apply(op, [x1, x2], {})
        except PolytapeError as again:
            error = again
    return failure(op, [x1, x2], {}, error)
