"""Choose the backend of new tensors, for the process or for a scope, and report the current one."""

from __future__ import annotations

import os
from typing import Final

from ..device import Device, parse_device
from ..errors import warn
from ..settings import change_settings
from . import choosing, selection
from .selection import DeviceScope, device_scopes

__all__ = ["CurrentBackend", "current_backend", "device", "set_backend"]


def _warn_if_changed() -> None:
    """Warn, once per value, if ``POLYTAPE_BACKEND`` has changed since it was read."""
    value = os.environ.get(selection.VARIABLE, "").strip()
    if selection.state.read is None or value in (selection.state.read, selection.state.warned):
        return
    selection.state.warned = value
    call = f"polytape.set_backend({value or selection.loader().host_backend().name!r})"
    warn(
        f"{selection.VARIABLE} changed from {selection.state.read!r} to {value!r} after it was read; this "
        f"has no effect: call {call}"
    )


class CurrentBackend:
    """The backend of new tensors: its name, version and library, the device, and what selected it.

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
        title = f"{self.name} {self.version}".rstrip()
        library = f" on {self.library}" if self.library else ""
        return f"<backend {title}{library}, device {self.device}, chosen by {self.chosen_by}>"


def current_backend(device: str | Device | device | None = None) -> CurrentBackend:
    """The backend of new tensors, and what selected it.

    Args:
        device: report the backend for tensors that are created with this argument.
    Raises:
        BackendError: the requested backend cannot be used.
    """
    _warn_if_changed()
    if device is None:
        cache = selection.decide()
        current, chosen_by = cache.device, cache.chosen_by
    else:
        current, chosen_by = selection.resolve_device(device), "argument"
    backend = selection.loader().get_backend(current.backend)
    return CurrentBackend(backend.name, backend.version, backend.library, current, chosen_by)


def set_backend(spec: str | Device | device | None) -> None:
    """Choose the backend of new tensors for all threads, and load it now.

    Args:
        spec: as in ``POLYTAPE_BACKEND``: a backend, a device, a list of them, or ``auto``; a device kind such as
            ``gpu`` and ``polytape.device("gpu")`` are accepted too. None leaves the choice to ``POLYTAPE_BACKEND``
            again.
    Raises:
        SettingError: ``spec`` does not follow the grammar.
        BackendError, DeviceError: none of the choices can be used; the previous one remains.
    """
    _warn_if_changed()
    if spec is None or (isinstance(spec, str) and not spec.strip()):
        change_settings(backend="", chosen_by="")
        return
    if isinstance(spec, device):
        spec = spec.device_spec.text
    chosen = choosing.choose(str(spec), "set_backend", selection.find_device, selection.host_device)
    change_settings(backend=str(chosen), chosen_by="set_backend")


class device:
    """Scope for new tensors: ``with polytape.device("gpu:0"): ...``; also accepted as the argument ``device``.

    Args:
        spec: ``[backend:]kind[:index]`` or ``backend[:index]``; see `polytape.placement.selection.resolve_device`.
    Raises:
        DeviceError: the name is not valid, or, on entering, the device does not exist.
        BackendError: on entering, the backend cannot be used.
    """

    def __init__(self, spec: str | Device | device) -> None:
        self.device_spec: Final = parse_device(spec)  # read by `parse_device` where a device is an argument
        self._entered: Final[list[DeviceScope]] = []  # append and remove are atomic: threads may share it

    def __repr__(self) -> str:
        return f"device({self.device_spec.text!r})"

    def __enter__(self) -> Device:
        _warn_if_changed()
        target = selection.find_device(self.device_spec)
        scope = DeviceScope(str(target))
        outer = device_scopes.get()
        try:
            self._entered.append(scope)
            device_scopes.set((*outer, scope))
            return target
        except BaseException:  # Ctrl-C, which may arrive before the block is entered
            device_scopes.set(outer)
            raise

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._leave()
        except BaseException:  # Ctrl-C; the scope must not stay
            self._leave()
            raise

    def _leave(self) -> None:
        # Exits can come out of order, and one object can be entered twice: remove only its own innermost scope.
        scopes = device_scopes.get()
        own = [scope for scope in scopes if any(scope is entered for entered in self._entered)]
        if own:
            device_scopes.set(tuple(scope for scope in scopes if scope is not own[-1]))
            self._entered.remove(own[-1])
