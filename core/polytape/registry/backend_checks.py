"""The checks that a backend must pass to be registered; `polytape.backend.complete` has checked that it is complete."""

from __future__ import annotations

from typing import Any, Final

from .. import dtypes
from ..backend import Backend, Kernel
from ..device import is_word
from ..errors import RegistrationError

__all__ = ["check_backend"]

# Words that mean something else where the name of a backend or a device kind can stand.
RESERVED: Final = ("auto", "device", "none")
# Kinds that several backends have: as the name of a backend, one would hide the devices of all others.
COMMON_KINDS: Final = ("cpu", "gpu", "tpu")


def check_backend(backend: Backend) -> None:
    """Check a backend's name, devices, dtypes, rank and kernels.

    Raises:
        RegistrationError: one of them is not valid; the error names the backend and its distribution.
    """
    if backend.name in (*RESERVED, *COMMON_KINDS):
        raise _bad(
            backend,
            "its name is reserved",
            f"a name other than {', '.join((*RESERVED, *COMMON_KINDS))}",
            repr(backend.name),
            "rename the backend and its entry point",
        )
    _check_devices(backend)
    unknown = [name for name in backend.dtypes if name not in dtypes.NAMES]
    if unknown:
        raise _bad(
            backend,
            "it lists dtypes that do not exist",
            f"names from {', '.join(sorted(dtypes.NAMES))}",
            ", ".join(map(repr, unknown)),
            "correct dtypes= of the backend",
        )
    if type(backend.rank) is not int:
        raise _bad(backend, "its rank is not an int", "an int", repr(backend.rank), "correct rank= of the backend")
    for kernel in backend.kernels:
        if not isinstance(kernel, Kernel):
            raise _bad(
                backend,
                "its kernels contain something else",
                "polytape.Kernel objects",
                repr(kernel),
                'write Kernel("op", fn)',
            )


def _check_devices(backend: Backend) -> None:
    """Check what ``devices()`` returns: pairs of a kind and a count, each kind once."""
    listed: Any = backend.devices()
    kinds: list[Any] = []
    for pair in listed if isinstance(listed, (list, tuple)) else [listed]:
        valid = isinstance(pair, (list, tuple)) and len(pair) == 2
        kind, count = pair if valid else (None, None)
        valid = valid and isinstance(kind, str) and is_word(kind) and kind == kind.lower() and kind not in RESERVED
        if not valid or type(count) is not int or count < 0:
            raise _bad_devices(backend, "a kind in lower-case letters and a count of at least 0 in each pair", listed)
        kinds.append(kind)
    if len(set(kinds)) < len(kinds):
        raise _bad_devices(backend, "each kind once, with the number of its devices", listed)


def _bad_devices(backend: Backend, expected: str, got: object) -> RegistrationError:
    why = "its devices() does not return valid devices"
    return _bad(backend, why, expected, repr(got), 'return a list such as [("gpu", 2)]')


def _bad(backend: Backend, why: str, expected: str, got: str, fix: str) -> RegistrationError:
    provider = f" from {backend.provider}" if backend.provider else ""
    return RegistrationError(
        f"backend {backend.name!r}{provider} cannot be registered: {why}.", expected=expected, got=got, fix=fix
    )
