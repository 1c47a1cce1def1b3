"""Choosing a backend: for the process, for a scope, and asking which one it is."""

from __future__ import annotations

import os
import warnings
from typing import Final

from ..device import Device, parse_device
from ..errors import PolytapeWarning
from ..settings import change_settings
from . import selection
from .selection import DeviceScope, device_scopes

__all__ = ["CurrentBackend", "current_backend", "device", "set_backend"]


def _look_again() -> None:
    """Warn, once per value, where ``POLYTAPE_BACKEND`` changed after it was read."""
    now = os.environ.get(selection.VARIABLE, "").strip()
    if selection.state.read is None or now in (selection.state.read, selection.state.warned):
        return
    selection.state.warned = now
    call = f"polytape.set_backend({now or selection.loader().host_backend().name!r})"
    warnings.warn(
        f"{selection.VARIABLE} changed from {selection.state.read!r} to {now!r} after it was read, which has no "
        f"effect; call {call}",
        PolytapeWarning,
        stacklevel=3,
    )


class CurrentBackend:
    """The backend new tensors go to: name, version, library, device, and who chose it.

    ``chosen_by`` is ``argument``, ``scope``, ``set_backend``, ``POLYTAPE_BACKEND`` or ``default``.
    """

    __slots__ = ("chosen_by", "device", "library", "name", "version")

    def __init__(self, name: str, version: str, library: str, device: Device, chosen_by: str) -> None:
        self.name: Final = name
        self.version: Final = version
        self.library: Final = library
        self.device: Final = device
        self.chosen_by: Final = chosen_by

    def __repr__(self) -> str:
        named = f"{self.name} {self.version}".rstrip()
        made_of = f" on {self.library}" if self.library else ""
        return f"<backend {named}{made_of}, device {self.device}, chosen by {self.chosen_by}>"


def current_backend(device: str | Device | None = None) -> CurrentBackend:
    """The backend that new tensors go to, and who chose it.

    Args:
        device: tells it for tensors made with this argument.
    Raises:
        BackendError: what was asked for cannot be used.
    """
    _look_again()
    if device is None:
        cache = selection.decide()
        place, by = cache.device, cache.chosen_by
    else:
        place, by = selection.resolve_device(device), "argument"
    backend = selection.loader().get_backend(place.backend)
    return CurrentBackend(backend.name, backend.version, backend.library, place, by)


def set_backend(spec: str | Device | None) -> None:
    """Choose the backend of new tensors, for all threads; loads it now.

    Args:
        spec: as ``POLYTAPE_BACKEND``: a backend, a device, a list of them, or ``auto``; a device kind such as ``gpu``
            is understood too. None leaves the choice to ``POLYTAPE_BACKEND`` again.
    Raises:
        BackendError: none of it can be used; the choice stays what it was.
    """
    _look_again()
    if spec is None or (isinstance(spec, str) and not spec.strip()):
        change_settings(backend="", chosen_by="")
        return
    found = selection.choose(str(spec), "set_backend", selection.of_any)
    change_settings(backend=str(found), chosen_by="set_backend")


class device:
    """Scope for new tensors: ``with polytape.device("gpu:0"): ...``.

    Args:
        spec: ``[backend:]kind[:index]`` or ``backend[:index]``; see `polytape.placement.selection.resolve_device`.
    Raises:
        DeviceError: the name follows no grammar; or, on entering, there is no such device.
        BackendError: on entering, the backend it names cannot be used.
    """

    def __init__(self, spec: str | Device) -> None:
        self._spec: Final = parse_device(spec)
        self._entered: Final[list[DeviceScope]] = []  # appending and removing are atomic: threads may share it

    def __repr__(self) -> str:
        return f"device({self._spec.text!r})"

    def __enter__(self) -> Device:
        _look_again()
        found = selection.of_any(self._spec)
        scope = DeviceScope(str(found))
        self._entered.append(scope)
        device_scopes.set((*device_scopes.get(), scope))
        return found

    def __exit__(self, *exc_info: object) -> None:
        # Exits can come out of order, and one object can be entered twice: remove the innermost of its own, only.
        scopes = device_scopes.get()
        own = [scope for scope in scopes if any(scope is entered for entered in self._entered)]
        if own:
            device_scopes.set(tuple(scope for scope in scopes if scope is not own[-1]))
            self._entered.remove(own[-1])
