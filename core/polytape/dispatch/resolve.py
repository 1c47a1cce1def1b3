"""Resolution: find the kernel that serves an op on operands of given types."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .. import dtypes
from ..device import Device
from ..errors import DTypeError
from ..registry import tables
from ..registry.op import Op
from ..registry.resolution import Copying, Guarded, Resolution
from ..registry.tensor_type import TensorType, get_tensor_type
from ..settings import settings
from .wrappers import Body, Unchecked

if TYPE_CHECKING:
    from ..backend import Backend, Kernel

__all__ = ["Resolver", "resolve"]

Types = tuple[TensorType | None, ...]


def resolve(op: Op, backend: Backend, device: Device, operand_types: Types, fixed: dict[str, Any]) -> Resolution:
    """Find what serves ``op`` on these operands; the caller memoises it.

    Args:
        op: the op.
        backend, device: where it runs.
        operand_types: per operand; None for an operand left out.
        fixed: the attributes that its dtype rule asks for, as given, with defaults filled in; ``device`` for
            creation ops.
    Raises:
        DTypeError: the dtype rule rejects the operands.
        KernelError: no kernel, decomposition or permitted fallback exists.
    """
    resolver = Resolver(op, backend, device, operand_types, fixed)
    candidates = resolver.candidates()
    if not candidates and op.primitive:
        return resolver.on_host()
    last = Missing(resolver) if op.primitive else resolver.bound(Body(op, operand_types))
    shared = operand_types[0] if operand_types else None
    if shared is not None and not all([operand_type is shared for operand_type in operand_types]):
        shared = None
    how = "kernel" if candidates else "body"
    fn = resolver.fold(candidates, last)
    return Resolution(fn, shared, operand_types, resolver.result_types, tuple(candidates), how)


class Resolver:
    """The search for what serves one op on operands of given types.

    Attributes:
        op, backend, device, operand_types: as given to `resolve`.
        result_types: per output, by the op's dtype rule.
        attributes: what resolution settles and every kernel of the op gets: ``dtype`` and ``device``, if it has them.

    Raises:
        DTypeError: the dtype rule rejects the operands.
    """

    __slots__ = ("attributes", "backend", "device", "fixed", "op", "operand_types", "result_types")

    def __init__(self, op: Op, backend: Backend, device: Device, operand_types: Types, fixed: dict[str, Any]) -> None:
        self.op: Op = op
        self.backend: Backend = backend
        self.device: Device = device
        self.operand_types: Types = operand_types
        self.fixed: dict[str, Any] = fixed
        self.result_types: tuple[TensorType, ...] = self.types_by_rule()
        self.attributes: dict[str, Any] = {}
        if "dtype" in op.attributes:
            self.attributes["dtype"] = self.result_types[0].dtype
        if "device" in fixed:
            self.attributes["device"] = fixed["device"]

    def types_by_rule(self) -> tuple[TensorType, ...]:
        """The types of the op's outputs, by its dtype rule."""
        op = self.op
        operand_dtypes = [None if operand_type is None else operand_type.dtype for operand_type in self.operand_types]
        try:
            ruled = op.dtype_rule(*operand_dtypes, **{name: self.fixed[name] for name in op.dtype_attributes})
        except DTypeError as error:
            names = ", ".join([str(dtype) for dtype in operand_dtypes if dtype is not None])
            raise DTypeError(
                f"{op.name}({names}): {error.summary}", expected=error.expected, got=error.got or names, fix=error.fix
            ) from None
        result_dtypes = ruled if isinstance(ruled, tuple) else (ruled,)
        return tuple([get_tensor_type(self.backend, self.device, dtype) for dtype in result_dtypes])

    def dtype_names(self) -> list[str]:
        """Per device operand its dtype's name; an op without operands is looked up by its output's."""
        names = [
            operand_type.dtype.name
            for position, operand_type in enumerate(self.operand_types)
            if operand_type is not None and not self.op.on_host(position)
        ]
        return names or [self.result_types[0].dtype.name]

    def registered(self) -> list[tuple[Backend, tuple[Kernel, ...]]]:
        """The op's kernels per backend, nearest backend first, each backend's in the order in which they are tried."""
        name = self.op.name
        return [(one, pinned_first(name, one.name, tables.kernels_of(one.name, name))) for one in self.backend.chain()]

    def candidates(self) -> list[Kernel]:
        """Kernels that serve these dtypes here, in the order they are tried; the last one may have no predicate."""
        serving: list[Kernel] = []
        for _, kernels in self.registered():
            for kernel in kernels:
                if self.mismatch(kernel) == "":
                    serving.append(kernel)
                    if kernel.when is None:
                        return serving
        return serving

    def mismatch(self, kernel: Kernel) -> str:
        """Why a kernel does not serve these dtypes on this device; empty if it does."""
        op = self.op
        names = self.dtype_names()
        if kernel.devices and self.device.kind not in kernel.devices:
            return f"serves only device kinds {', '.join(kernel.devices)}"
        promoted = [name for position, name in enumerate(names) if op.promoted(position)] or names[:1]
        for served in kernel.dtypes:
            if isinstance(served, tuple):
                if len(served) == len(names) and all(
                    name in dtypes.names_of(part) for name, part in zip(names, served, strict=True)
                ):
                    return ""
            elif all(name in dtypes.names_of(served) for name in promoted):
                return ""
        return f"serves only dtypes {', '.join(map(str, kernel.dtypes))}"

    def rejected(self) -> list[str]:
        """Every registered kernel of the op, with the reason why it does not serve."""
        by_predicate = "its predicate is false for these operands"
        return [
            f"{kernel!r}: {self.mismatch(kernel) or by_predicate}"
            for _, kernels in self.registered()
            for kernel in kernels
        ]

    def fold(self, candidates: list[Kernel], last: Any) -> Any:
        """One callable from the candidates, with predicates, shape rule and settled attributes folded in.

        ``last`` runs if the predicates of all candidates are false.
        """
        choices = [(kernel.when, self.prepare(kernel)) for kernel in candidates]
        if choices and choices[-1][0] is None:
            last = choices.pop()[1]
        return Guarded(choices, last) if choices else last

    def prepare(self, kernel: Kernel) -> Any:
        """A kernel's function, wrapped in what its registration asks for."""
        fn = kernel.fn
        if not kernel.checked:
            fn = Unchecked(fn, self.op, self.result_types)
        fn = self.bound(fn)
        if kernel.writes:
            fn = Copying(fn, self.operand_types, tuple([self.op.operands.index(name) for name in kernel.writes]))
        return fn

    def bound(self, fn: Any) -> Any:
        """``fn`` with the attributes that resolution settles, if there are any."""
        return partial(fn, **self.attributes) if self.attributes else fn

    def on_host(self) -> Resolution:
        """Run the op by the host's kernel, with transfers both ways, if the fallback policy permits it.

        Raises:
            KernelError: the policy is ``error``, or the host has no kernel either.
        """
        from .. import plugins
        from .fallback import HostCall

        policy = settings().fallback
        host = plugins.host_backend()
        if policy == "error" or host is self.backend:
            from .rejections import no_kernel

            names = ", ".join(self.dtype_names())
            raise no_kernel(self.op, self.device, self.backend.chain(), names, self.rejected())
        host_device = host.device_list()[0]
        host_types = tuple(
            [
                None if operand_type is None else get_tensor_type(host, host_device, operand_type.dtype)
                for operand_type in self.operand_types
            ]
        )
        fixed = {**self.fixed, **self.attributes}
        if "device" in fixed:
            fixed["device"] = host_device
        on_host = resolve(self.op, host, host_device, host_types, fixed)
        call = HostCall(self.op, on_host, self.operand_types, self.result_types, policy == "warn")
        return Resolution(call, None, self.operand_types, self.result_types, (), "host")


class Missing:
    """Called when the predicates of all of a primitive's kernels are false: the host's kernel if policy permits."""

    __slots__ = ("resolver",)

    def __init__(self, resolver: Resolver) -> None:
        self.resolver: Resolver = resolver

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run on the host, or raise the error that lists every kernel."""
        given = {name: attributes[name] for name in attributes if name not in ("dtype", "device")}
        return self.resolver.on_host().fn(*arrays, **given)


def pinned_first(op: str, backend: str, kernels: tuple[Kernel, ...]) -> tuple[Kernel, ...]:
    """The kernels, those that POLYTAPE_KERNELS pins before the others."""
    provider = tables.pins().get((op, backend))
    if provider is None:
        return kernels
    chosen = tuple([kernel for kernel in kernels if kernel.provider == provider])
    return (*chosen, *[kernel for kernel in kernels if kernel.provider != provider])
