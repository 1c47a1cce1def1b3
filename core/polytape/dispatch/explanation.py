"""Explain which kernel would serve a call, and why the other kernels would not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .. import plugins
from ..backend import Backend, Kernel
from ..device import Device
from ..errors import PolytapeError, ShapeError
from ..registry import tables
from ..registry.op import Op, check_attributes, too_many
from ..registry.resolution import Resolution
from .resolve import Resolver
from .slow_path import convert_all, device_of, find_resolution, settling

__all__ = ["Explanation", "Tried", "explain", "explanation"]

CHOSEN: Final = "CHOSEN"


class Tried:
    """One registered kernel: its backend, and CHOSEN or the reason why it is not used; None: the backend has none."""

    def __init__(self, backend: str, kernel: Kernel | None, outcome: str) -> None:
        self.backend: Final = backend
        self.kernel: Final = kernel
        self.outcome: Final = outcome


class Explanation:
    """What a call of an op would do. ``str()`` gives it as text.

    Attributes:
        call: the op and its operands' dtypes.
        device: where it would run.
        tried: the kernels in the order in which they are tried.
        how: ``kernel``, ``widened`` (the kernel for a wider dtype, between casts), ``body`` (its definition, run as ops
            on the same device), ``host`` (fallback), or ``error``.
        error: what the call would raise.
        outputs: dtype and shape of each output; empty if there is an error.
    """

    def __init__(
        self,
        call: str,
        device: Device,
        tried: Sequence[Tried],
        how: str,
        error: PolytapeError | None,
        outputs: list[str],
    ) -> None:
        self.call: Final = call
        self.device: Final = device
        self.tried: Final = tried
        self.how: Final = how
        self.error: Final = error
        self.outputs: Final = outputs

    def __str__(self) -> str:
        lines = [f"{self.call} on {self.device}"]
        for tried in self.tried:
            kernel = "no kernel registered" if tried.kernel is None else f"{tried.kernel!r}: {tried.outcome}"
            lines.append(f"  {tried.backend}: {kernel}")
        if self.how == "body":
            lines.append(f"  {CHOSEN}: its body, run as ops on the same device")
        elif self.how == "widened":
            lines.append(f"  {CHOSEN}: the kernel for a wider dtype, between casts")
        elif self.how == "host":
            lines.append(f"  {CHOSEN}: the host, which the backend or the fallback policy allows, with copies")
        elif self.error is not None:
            lines += [f"  {line}" for line in f"it raises {type(self.error).__name__}: {self.error}".splitlines()]
        elif self.how == "error":
            lines.append("  no kernel serves the call: it raises KernelError")
        if self.outputs:
            lines.append(f"  output: {', '.join(self.outputs)}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The explanation as JSON values."""
        return {
            "call": self.call,
            "device": str(self.device),
            "how": self.how,
            "kernels": [
                {
                    "backend": tried.backend,
                    "kernel": repr(tried.kernel),
                    "provider": tried.kernel.provider,
                    "chosen": tried.outcome == CHOSEN,
                    "reason": "" if tried.outcome == CHOSEN else tried.outcome,
                }
                for tried in self.tried
                if tried.kernel is not None
            ],
            "outputs": self.outputs,
            "error": None if self.error is None else f"{type(self.error).__name__}: {self.error}",
        }


def explain(op: Any, *operands: Any, **attributes: Any) -> str:
    """Which kernel would serve an op on these operands, and why the others would not; computes nothing.

    Args:
        op: an op, or its name.
        operands: the operands of the call; if the op takes a sequence, its elements one by one.
        attributes: the attributes of the call.
    Returns:
        Text: the kernels in the order in which they are tried, each with CHOSEN or the reason why it is not used. If
        the shapes do not fit, the ShapeError that the call would raise.
    Raises:
        KernelError: no kernel serves the call. DTypeError: the op rejects the dtypes. RegistrationError: there is no
        such op. TypeError: the op has other parameters.
    """
    return str(explanation(op, operands, attributes))


def explanation(op: Any, arguments: Sequence[Any], attributes: dict[str, Any]) -> Explanation:
    """What `explain` tells, as a value.

    Raises:
        As for `explain`.
    """
    explained = op if isinstance(op, Op) else tables.get_op(str(op))
    operands, attributes = _bind(explained, arguments, attributes)
    device = device_of(explained, operands, attributes)
    tensors = convert_all(explained, operands, device)
    backend = plugins.get_backend(device.backend)
    resolution = find_resolution(explained, tensors, attributes, device, backend)
    arrays = [None if x is None else x.array for x in tensors]
    return _of_resolution(explained, resolution, device, backend, arrays, attributes)


def _bind(op: Op, arguments: Sequence[Any], attributes: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The operands and attributes of a call, as the op itself would bind them."""
    attributes = dict(attributes)
    if op.variadic:
        operands = list(arguments)
    else:
        if len(arguments) > op.positional:
            raise too_many(op, len(arguments))
        for name, value in zip(op.parameters, arguments, strict=False):
            if name in attributes:
                raise TypeError(f"{op.name}() got multiple values for argument {name!r}")
            attributes[name] = value
        missing = [name for name in op.operands if name not in attributes and name not in op.optional]
        if missing:
            raise TypeError(f"{op.name}() missing required argument {missing[0]!r}")
        operands = [attributes.pop(name, None) for name in op.operands]
    check_attributes(op, attributes)
    return operands, attributes


def _of_resolution(
    op: Op, resolution: Resolution, device: Device, backend: Backend, arrays: list[Any], attributes: dict[str, Any]
) -> Explanation:
    """Explain a resolution. The shape rule is run and predicates are evaluated, as in a call."""
    error: PolytapeError | None = None
    outputs: list[str] = []
    try:
        shapes = op.output_shapes(arrays, attributes)
        for shape, result_type in zip(shapes, resolution.result_types, strict=True):
            outputs.append(f"{result_type.dtype}[{','.join(map(str, shape))}]")
    except ShapeError as shape_error:
        error = shape_error
    resolver = Resolver(op, backend, device, resolution.operand_types, settling(op, attributes))
    passed = {name: value for name, value in attributes.items() if name not in ("dtype", "device")}  # as in a call
    tried = []
    decided = False
    for owner, kernels in resolver.registered():
        tried += [] if kernels else [Tried(owner.name, None, "")]
        for kernel in kernels:
            outcome = resolver.mismatch(kernel)
            if not outcome and error is not None:
                outcome = "not called, because the shapes are rejected"
            elif not outcome and decided:
                outcome = "not reached"
            elif not outcome and kernel.when is not None and not kernel.when(*arrays, **passed):
                outcome = f"its predicate {getattr(kernel.when, '__name__', '')} is false for these operands"
            elif not outcome:
                outcome = CHOSEN
                decided = True
            tried.append(Tried(owner.name, kernel, outcome))
    how = "kernel"
    if error is not None:
        how = "error"
    elif resolution.how != "kernel":
        how = resolution.how
    elif not decided:  # its predicates are false
        how = "body"
        if op.needs_kernel(resolver.dtype_names()):
            how = "error" if resolver.host_policy() == "error" else "host"
    call = f"{op.name}({', '.join(resolver.dtype_names())})"
    return Explanation(call, device, tried, how, error, outputs)
