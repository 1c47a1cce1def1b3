"""Resolution: find the kernel that serves an op on operands of given types."""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING, Any, Final

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

__all__ = ["Resolver", "observe", "resolve", "unobserve", "wrapped_graph"]

Types = tuple[TensorType | None, ...]


class Observers:
    """Holds the observers, so that one assignment to an attribute replaces them."""

    def __init__(self) -> None:
        self.observers: tuple[Any, ...] = ()
        self.begun: bool = settings().check_numerics == "0"  # whether the check of POLYTAPE_CHECK_NUMERICS has begun


_observers: Final = Observers()


def observe(observer: Any) -> None:
    """Let a function see, and change, each resolution that is found from now on.

    Functions are traced again, so the observer sees the equations of all graphs that run. If it has a method
    ``wrap_graph(name, run)``, that may replace the code that runs a graph.

    Args:
        observer: ``(resolver, resolution) -> None``. For tools that measure: it can replace ``resolution.fn``.
    """
    with tables.registering:
        _observers.observers = (*_observers.observers, observer)
        tables.forget_all()


def unobserve(observer: Any) -> None:
    """Undo `observe`."""
    with tables.registering:
        _observers.observers = tuple(x for x in _observers.observers if x is not observer)
        tables.forget_all()


def wrapped_graph(name: str, run: Any) -> Any:
    """The code that runs a graph, as the observers replace it."""
    for observer in _observers.observers:
        if hasattr(observer, "wrap_graph"):
            run = observer.wrap_graph(name, run)
    return run


def resolve(
    op: Op, backend: Backend, device: Device, operand_types: Types, rule_attributes: dict[str, Any]
) -> Resolution:
    """Find what serves ``op`` on operands of these types; the caller memoises it.

    Args:
        op: the op.
        backend, device: where it runs.
        operand_types: per operand; None for an optional operand that is not given.
        rule_attributes: the attributes that the dtype rule needs, with defaults filled in; ``device`` for creation ops.
    Raises:
        DTypeError: the dtype rule rejects the operands.
        KernelError: no kernel, decomposition or permitted fallback exists.
    """
    if not _observers.begun:
        _observers.begun = True
        # By name: it is in a room above this one, which nothing loads without the setting.
        importlib.import_module("polytape.debug.numerics").check_always(settings().check_numerics)
    resolver = Resolver(op, backend, device, operand_types, rule_attributes)
    resolution = found(resolver)
    check = settings().check
    if check not in ("", "results") and resolution.how != "host":
        from .checking import Compared

        resolution.fn = Compared(resolver, resolution)
    for observer in _observers.observers:
        observer(resolver, resolution)
    return resolution


def found(resolver: Resolver) -> Resolution:
    """What serves the op, without a comparison with a reference."""
    op, operand_types = resolver.op, resolver.operand_types
    candidates = resolver.candidates()
    needs_kernel = op.needs_kernel(resolver.dtype_names())
    if not candidates and needs_kernel:
        from .widening import widened  # loaded for a backend that lacks kernels for narrow dtypes

        return widened(resolver, resolve) or resolver.host_resolution()
    last = Missing(resolver) if needs_kernel else resolver.bind_attributes(Body(op, operand_types))
    shared = operand_types[0] if operand_types else None
    if shared is not None and not all([operand_type is shared for operand_type in operand_types]):
        shared = None
    how = "kernel" if candidates else "body"
    fn = resolver.fold(candidates, last)
    resolution = Resolution(fn, shared, operand_types, resolver.result_types, tuple(candidates), how)
    resolution.native_indexing = len(candidates) == 1 and candidates[0].native_indexing and settings().check == ""
    return resolution


class Resolver:
    """The search for what serves one op on operands of given types.

    Attributes:
        op, backend, device, operand_types, rule_attributes: as given to `resolve`.
        result_types: per output, by the op's dtype rule.
        attributes: the resolved ``dtype`` and ``device``, if the op has them; every kernel of the op receives them.

    Raises:
        DTypeError: the dtype rule rejects the operands.
    """

    __slots__ = ("attributes", "backend", "device", "op", "operand_types", "result_types", "rule_attributes")

    def __init__(
        self, op: Op, backend: Backend, device: Device, operand_types: Types, rule_attributes: dict[str, Any]
    ) -> None:
        self.op: Op = op
        self.backend: Backend = backend
        self.device: Device = device
        self.operand_types: Types = operand_types
        self.rule_attributes: dict[str, Any] = rule_attributes
        self.result_types: tuple[TensorType, ...] = self.types_by_rule()
        self.attributes: dict[str, Any] = {}
        if "dtype" in op.attributes:
            self.attributes["dtype"] = self.result_types[0].dtype
        if "device" in rule_attributes:
            self.attributes["device"] = rule_attributes["device"]

    def types_by_rule(self) -> tuple[TensorType, ...]:
        """The types of the op's outputs, by its dtype rule."""
        op = self.op
        operand_dtypes = [None if operand_type is None else operand_type.dtype for operand_type in self.operand_types]
        try:
            by_rule = op.dtype_rule(
                *operand_dtypes, **{name: self.rule_attributes[name] for name in op.dtype_attributes}
            )
        except DTypeError as error:
            names = ", ".join([str(dtype) for dtype in operand_dtypes if dtype is not None])
            raise DTypeError(
                f"{op.name}({names}): {error.summary}", expected=error.expected, got=error.got or names, fix=error.fix
            ) from None
        result_dtypes = by_rule if isinstance(by_rule, tuple) else (by_rule,)
        return tuple([get_tensor_type(self.backend, self.device, dtype) for dtype in result_dtypes])

    def dtype_names(self) -> list[str]:
        """The dtype names of the operands on the device; that of the output for an op without such operands."""
        names = [
            operand_type.dtype.name
            for position, operand_type in enumerate(self.operand_types)
            if operand_type is not None and not self.op.on_host(position)
        ]
        return names or [self.result_types[0].dtype.name]

    def registered(self) -> list[tuple[Backend, tuple[Kernel, ...]]]:
        """The backends in the chain, nearest first, each with its kernels for the op in the order they are tried."""
        return [(owner, tables.kernels_of(owner.name, self.op.name)) for owner in self.backend.chain()]

    def candidates(self) -> list[Kernel]:
        """The kernels that serve these dtypes, in the order they are tried, up to the first one without a predicate."""
        serving: list[Kernel] = []
        for _, kernels in self.registered():
            for kernel in kernels:
                if self.mismatch(kernel) == "":
                    serving.append(kernel)
                    if kernel.when is None:
                        return serving
        return serving

    def mismatch(self, kernel: Kernel) -> str:
        """The reason why a kernel does not serve these dtypes on this device; empty if it does."""
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
        """All registered kernels of the op, each with the reason why it does not serve the call."""
        by_predicate = "its predicate is false for these operands"
        return [
            f"{kernel!r}: {self.mismatch(kernel) or by_predicate}"
            for _, kernels in self.registered()
            for kernel in kernels
        ]

    def fold(self, candidates: list[Kernel], last: Any) -> Any:
        """The candidates combined to one callable, which evaluates predicates, checks shapes and adds attributes.

        It calls ``last`` if the predicates of all candidates are false.
        """
        choices = [(kernel.when, self.prepare(kernel)) for kernel in candidates]
        if choices and choices[-1][0] is None:
            last = choices.pop()[1]
        return Guarded(choices, last) if choices else last

    def prepare(self, kernel: Kernel) -> Any:
        """A kernel's function with the wrappers that its options require."""
        fn = kernel.fn
        if not kernel.checked:
            fn = Unchecked(fn, self.op, self.result_types)
        fn = self.bind_attributes(fn)
        check = settings().check
        if check != "":
            from .checking import Checked

            fn = Checked(fn, self.op, kernel, self.result_types)
        if kernel.writes:
            written = tuple([self.op.operands.index(name) for name in kernel.writes])
            fn = Copying(fn, self.operand_types, written, kernel.atomic and check == "")
        return fn

    def bind_attributes(self, fn: Any) -> Any:
        """``fn`` with the resolved ``dtype`` and ``device``, if the op has them."""
        return partial(fn, **self.attributes) if self.attributes else fn

    def host_policy(self) -> str:
        """``allow`` if the backend leaves the op to the host, otherwise the fallback policy."""
        return "allow" if self.backend.leaves_to_host(self.op.name) else settings().fallback

    def host_resolution(self) -> Resolution:
        """A resolution that runs the op on the host, with transfers both ways, if the backend or the policy permits it.

        Raises:
            KernelError: the policy is ``error``, or the host has no kernel either.
        """
        from .. import plugins
        from .fallback import HostCall

        policy = self.host_policy()
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
        rule_attributes = {**self.rule_attributes, **self.attributes}
        if "device" in rule_attributes:
            rule_attributes["device"] = host_device
        resolution = resolve(self.op, host, host_device, host_types, rule_attributes)
        call = HostCall(self.op, resolution, self.operand_types, self.result_types, policy == "warn")
        return Resolution(call, None, self.operand_types, self.result_types, (), "host")


class Missing:
    """Called if the predicates of all kernels of a primitive are false: runs on the host if the policy permits."""

    __slots__ = ("resolver",)

    def __init__(self, resolver: Resolver) -> None:
        self.resolver: Resolver = resolver

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run on the host, or raise the error that lists every kernel."""
        passed = {name: attributes[name] for name in attributes if name not in ("dtype", "device")}
        return self.resolver.host_resolution().fn(*arrays, **passed)
