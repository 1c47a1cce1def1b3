"""Operands on different devices: decide which device the op runs on, or raise the error."""

from __future__ import annotations

import warnings
from typing import Any

from ..errors import PolytapeWarning
from ..registry.op import Op
from ..settings import change_settings, settings
from ..tensors.tensor import Tensor, describe

__all__ = ["deciding_operand", "set_mixed_devices"]


def set_mixed_devices(policy: str) -> str:
    """Set what happens when the tensors of one op are on different devices.

    Args:
        policy: ``"explicit"`` (default: an error), ``"warn"`` (move them to the first one's device, with a warning)
            or ``"silent"``.
    Returns:
        The previous policy.
    Raises:
        SettingError: ``policy`` is none of these.
    """
    return change_settings(mixed_devices=policy).mixed_devices


def deciding_operand(op: Op, operands: list[Any], first: Tensor, other: Tensor) -> Tensor:
    """Of two operands on different devices, the one whose device the op runs on.

    If one backend extends the other and both devices share memory, that is the operand of the extending backend, since
    its kernels accept both arrays. Otherwise it is the first operand, if the policy allows mixed devices.

    Raises:
        DeviceError: the devices share no memory, and the policy is ``explicit``.
    """
    a, b = first.type, other.type
    if a.device.kind == b.device.kind and a.device.index == b.device.index:
        if a.backend in b.backend.chain():
            return other
        if b.backend in a.backend.chain():
            return first
    policy = settings().mixed_devices
    if policy == "explicit":
        from .rejections import different_devices

        raise different_devices(op, operands, a.device)
    if policy == "warn":
        warnings.warn(
            f"{op.name}: {describe(other)} moved from {b.device} to {a.device}", PolytapeWarning, stacklevel=4
        )
    return first
