"""``POLYTAPE_KERNELS``: the distribution whose kernels are preferred, per op and backend.

This module is loaded only if the variable is set.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ..backend import normalise
from ..errors import SettingError

if TYPE_CHECKING:
    from ..backend import Kernel

__all__ = ["read_pins", "split"]

VARIABLE: Final = "POLYTAPE_KERNELS"


def read_pins() -> dict[tuple[str, str], str]:
    """The value of ``POLYTAPE_KERNELS``: (op, backend) -> the normalised name of the preferred distribution.

    Raises:
        SettingError: an item is not of the form ``op@backend=distribution``, or two pin the same op and backend.
    """
    text = os.environ.get(VARIABLE, "")
    pins: dict[tuple[str, str], str] = {}
    for item in [part.strip() for part in text.split(",") if part.strip()]:
        head, _, provider = (part.strip() for part in item.partition("="))
        op, _, backend = (part.strip() for part in head.partition("@"))
        if not (op and backend and provider) or pins.get((op, backend), normalise(provider)) != normalise(provider):
            raise SettingError(
                f"{VARIABLE}={text!r} is not understood.",
                expected="a comma-separated list of op@backend=distribution, with one distribution per op and backend",
                got=repr(item),
                fix="for example matmul@numpy=polytape-fast",
            )
        pins[op, backend] = normalise(provider)
    return pins


def split(kernels: Sequence[Kernel]) -> tuple[tuple[Kernel, ...], tuple[Kernel, ...]]:
    """One op's kernels on one backend: those of the distribution that is pinned for them, and the others."""
    provider = read_pins().get((kernels[0].op, kernels[0].backend))
    pinned = tuple(kernel for kernel in kernels if normalise(kernel.provider) == provider)
    return pinned, tuple(kernel for kernel in kernels if kernel not in pinned)
