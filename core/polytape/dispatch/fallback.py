"""The host fallback: if the backend or the policy permits, an op without a kernel runs on the host, with transfers."""

from __future__ import annotations

import warnings
from typing import Any

from ..errors import PolytapeWarning
from ..registry import tables
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tensor_type import TensorType
from ..settings import change_settings

__all__ = ["HostCall", "host_calls", "set_fallback"]

# op name -> how often it ran on the host, so that a benchmark can reject a timing that includes transfers
_calls: dict[str, int] = {}


def set_fallback(policy: str) -> str:
    """Set what happens when a device has neither a kernel nor a decomposition for an op.

    Args:
        policy: ``"error"`` (default), ``"warn"`` (run it on the host, warn once per op) or ``"allow"``.
    Returns:
        The previous policy.
    Raises:
        SettingError: ``policy`` is none of these.
    """
    old = change_settings(fallback=policy).fallback
    for op in list(tables.declared().values()):
        if op.decomposed:
            op.forget()
    return old


def host_calls() -> dict[str, int]:
    """How often each op has run on the host, because its backend or the fallback policy lets it."""
    return dict(_calls)


class HostCall:
    """An op that runs on the host: called like a kernel, it copies the operands there and the results back."""

    __slots__ = ("op", "operand_types", "resolution", "result_types", "warn")

    def __init__(
        self,
        op: Op,
        resolution: Resolution,
        operand_types: tuple[TensorType | None, ...],
        result_types: tuple[TensorType, ...],
        warn: bool,
    ) -> None:
        self.op: Op = op
        self.resolution: Resolution = resolution
        self.operand_types: tuple[TensorType | None, ...] = operand_types
        self.result_types: tuple[TensorType, ...] = result_types
        self.warn: bool = warn

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run the op on the host, and copy its results to the device."""
        name = self.op.name
        if self.warn and name not in _calls:
            warnings.warn(f"{name} runs on the host: {self.result_types[0].device} has no kernel", PolytapeWarning, 2)
        _calls[name] = _calls.get(name, 0) + 1
        host = [
            None if tensor_type is None else tensor_type.backend.to_host(array)
            for array, tensor_type in zip(arrays, self.operand_types, strict=True)
        ]
        result = self.resolution.fn(*host, **attributes)
        if self.op.outputs is None:
            return self._to_device(result, self.result_types[0])
        return tuple([self._to_device(x, x_type) for x, x_type in zip(result, self.result_types, strict=True)])

    def _to_device(self, result: Any, result_type: TensorType) -> Any:
        import numpy as np

        return result_type.backend.from_host(np.asarray(result), result_type.device)
