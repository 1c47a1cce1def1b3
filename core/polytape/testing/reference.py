"""POLYTAPE_CHECK=<backend>: each call of an op is run on a reference too, and the first disagreement is an error.

The reference is what that backend runs. Where an op runs the very same kernels, as on that backend itself, it is the
op's body there; a primitive has no body, and is not compared then.

Results agree if they are as close to the reference as the op's row in the kit allows: to the reference in the same
dtype, or to the one in float64 or complex128, since the reference rounds too. Sums and products of many elements, and
all else that is not elementwise, may also differ by what small changes of the operands make of them: an error that a
perturbation of the operands by their last bit explains is not one of the kernel (N. Higham, 2002, Accuracy and
Stability of Numerical Algorithms, 2nd ed., section 1.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .. import plugins
from ..dispatch.checking import Compared
from ..dispatch.resolve import Resolver, resolve
from ..dispatch.wrappers import Body
from ..errors import DTypeError, KernelError
from ..registry.op import Op
from ..registry.tensor_type import get_tensor_type
from ..settings import settings
from ..tensors.scope import NO_SCOPE, current_scope
from .disagreement import Call, disagreement
from .makers import Array

__all__ = ["Reference", "compared_call"]

# Casts and what works on the representation: in another dtype they are other functions.
_EXACT: Final = ("astype", "bitcast", "nextafter", "spacing")
_WIDER: Final = {"bfloat16": "float64", "float16": "float64", "float32": "float64", "complex64": "complex128"}


class Reference:
    """What runs an op on the reference backend.

    Args:
        compared: the op as it runs on the backend under test.

    Attributes:
        how: ``kernel`` or ``body``; ``none`` if there is nothing to compare with.
    """

    def __init__(self, compared: Compared) -> None:
        self.resolver: Final[Resolver] = compared.resolver
        self.op: Final[Op] = compared.resolver.op
        self.backend: Final = plugins.get_backend(settings().check)
        self.device: Final = self.backend.device_list()[0]
        self.how: Final = self._how(compared)

    def _how(self, compared: Compared) -> str:
        own = compared.resolver.backend is self.backend
        try:
            found = self._resolution([None if x is None else x.dtype for x in self.resolver.operand_types], wide=False)
        except (KernelError, DTypeError):
            found = None
        if found is not None and found.how in ("kernel", "widened") and not own:
            ours = {id(kernel) for kernel in compared.candidates}
            if compared.how != "kernel" or any(id(kernel) not in ours for kernel in found.candidates):
                return "kernel"
        if self.op.needs_kernel(self.resolver.dtype_names()) or compared.how == "body":
            return "none"  # the ops in a body are compared one by one
        return "body"

    def _on_device(self, dtypes: Sequence[Any], wide: bool) -> Resolver:
        """The search for the op on the reference backend, on operands of these dtypes."""
        types = tuple(
            [
                None if dtype is None else get_tensor_type(*self._place(position), dtype)
                for position, dtype in enumerate(dtypes)
            ]
        )
        attributes = dict(self.resolver.rule_attributes)
        if "device" in attributes:
            attributes["device"] = self.device
        dtype = attributes.get("dtype")
        if wide and dtype is not None:
            attributes["dtype"] = np.dtype(_WIDER.get(dtype.name, dtype))
        return Resolver(self.op, self.backend, self.device, types, attributes)

    def _place(self, position: int) -> tuple[Any, Any]:
        backend = plugins.host_backend() if self.op.on_host(position) else self.backend
        return backend, backend.device_list()[0]

    def _resolution(self, dtypes: Sequence[Any], wide: bool) -> Any:
        x = self._on_device(dtypes, wide)
        return resolve(self.op, x.backend, x.device, x.operand_types, x.rule_attributes)

    def run(self, hosts: Sequence[Array | None], attributes: dict[str, Any], *, wide: bool = False) -> list[Array]:
        """The results on the reference backend, as host arrays.

        Args:
            hosts: the operands.
            attributes: of the call, but for ``dtype`` and ``device``.
            wide: whether the operands are in a wider dtype than those of the call, so that the results are too.
        """
        resolver = self._on_device([None if host is None else host.dtype for host in hosts], wide)
        if self.how == "body":
            fn, types = resolver.bind_attributes(Body(self.op, resolver.operand_types)), resolver.result_types
        else:
            found = resolve(self.op, self.backend, self.device, resolver.operand_types, resolver.rule_attributes)
            fn, types = found.fn, found.result_types
        arrays = []
        for position, host in enumerate(hosts):
            backend, device = self._place(position)
            arrays.append(None if host is None else backend.from_host(host, device))
        scope, token = current_scope.get(), Compared.inside.set(True)
        try:
            current_scope.set(NO_SCOPE)  # no tape and no trace follows the reference
            with np.errstate(all="ignore"):
                return on_host(self.op, fn(*arrays, **attributes), types)
        finally:
            current_scope.set(scope)
            Compared.inside.reset(token)

    def wide(self, hosts: Sequence[Array | None]) -> list[Array | None] | None:
        """The operands in the widest floating dtype; None if they are in it, or the op depends on it."""
        if self.op.name in _EXACT or not any(host is not None and host.dtype.name in _WIDER for host in hosts):
            return None
        return [
            host if host is None or host.dtype.name not in _WIDER else host.astype(_WIDER[host.dtype.name])
            for host in hosts
        ]


def on_host(op: Op, result: Any, types: Sequence[Any]) -> list[Array]:
    """The results of a function on native arrays, copied to the host."""
    results = list(result) if op.outputs is not None else [result]
    return [
        np.array(tensor_type.backend.to_host(tensor_type.lift(y)))
        for y, tensor_type in zip(results, types, strict=True)
    ]


def compared_call(compared: Compared, arrays: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """Run an op and its reference.

    Returns:
        The op's results, as native arrays.
    Raises:
        BackendError: the results disagree, or the op has changed an operand.
        Exception: whatever the op raises.
    """
    reference: Reference = compared.reference
    if reference is None:
        reference = compared.reference = Reference(compared)
    if reference.how == "none":
        return compared.fn(*arrays, **attributes)
    types = compared.resolver.operand_types
    # Copies, because a faulty kernel may write into its operands.
    hosts = _copies(arrays, types)
    result = compared.fn(*arrays, **attributes)
    out = attributes.pop("out", None)
    given = {name: value for name, value in attributes.items() if name != "spec"}
    call = Call(compared.resolver, reference, hosts, given)
    got = on_host(compared.resolver.op, result, compared.result_types)
    for position, (array, host) in enumerate(zip(arrays, _copies(arrays, types), strict=True)):
        before = hosts[position]
        if host is not None and before is not None and array is not out and host.tobytes() != before.tobytes():
            raise disagreement(call, got, changed=position)
    problem = call.problem(got)
    if problem is not None:
        raise problem
    return result


def _copies(arrays: Sequence[Any], types: Sequence[Any]) -> list[Array | None]:
    return [
        None if tensor_type is None else np.array(tensor_type.backend.to_host(array))
        for array, tensor_type in zip(arrays, types, strict=True)
    ]
