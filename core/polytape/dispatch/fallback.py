"""The host as the last rung: an op run by the host's kernel, with transfers both ways, only where policy allows."""

from __future__ import annotations

import warnings
from typing import Any

from ..errors import PolytapeWarning
from ..registry.entry import Entry
from ..registry.kinds import Kind
from ..registry.op import Op

__all__ = ["HostCall", "host_calls"]

# op name -> how often it ran on the host, so that a benchmark can refuse a number that hides transfers
_calls: dict[str, int] = {}


def host_calls() -> dict[str, int]:
    """How often each op has run on the host under the fallback policy."""
    return dict(_calls)


class HostCall:
    """One op's call on the host."""

    __slots__ = ("entry", "kinds", "op", "outs", "warn")

    def __init__(
        self, op: Op, entry: Entry, kinds: tuple[Kind | None, ...], outs: tuple[Kind, ...], warn: bool
    ) -> None:
        self.op: Op = op
        self.entry: Entry = entry
        self.kinds: tuple[Kind | None, ...] = kinds
        self.outs: tuple[Kind, ...] = outs
        self.warn: bool = warn

    def __call__(self, *arrays: Any, **attributes: Any) -> Any:
        """Run the op on host copies, and bring its results back."""
        name = self.op.name
        if self.warn and name not in _calls:
            warnings.warn(f"{name} runs on the host: {self.outs[0].device} has no kernel", PolytapeWarning, 2)
        _calls[name] = _calls.get(name, 0) + 1
        host = [
            None if kind is None else kind.backend.to_host(array)
            for array, kind in zip(arrays, self.kinds, strict=True)
        ]
        result = self.entry.fn(*host, **attributes)
        if self.op.outputs is None:
            return self._back(result, self.outs[0])
        return tuple([self._back(one, out) for one, out in zip(result, self.outs, strict=True)])

    def _back(self, result: Any, out: Kind) -> Any:
        import numpy as np

        return out.backend.from_host(np.asarray(result), out.device)
