"""Devices, on which tensors' arrays live, and the grammar of their names."""

from __future__ import annotations

from typing import Final

from .errors import DeviceError

__all__ = ["Device", "DeviceSpec", "is_word", "parse_device"]


class Device:
    """A device that holds arrays, such as ``numpy:cpu:0``: its backend, its device kind, and its index within the kind.

    Compares equal to its name. Devices of backends are interned, so that they can also be compared by identity.
    """

    __slots__ = ("backend", "index", "kind")

    def __init__(self, backend: str, kind: str, index: int) -> None:
        self.backend: Final = backend
        self.kind: Final = kind
        self.index: Final = index

    def __repr__(self) -> str:
        return f"{self.backend}:{self.kind}:{self.index}"

    def __str__(self) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Device):
            return self.backend == other.backend and self.kind == other.kind and self.index == other.index
        if isinstance(other, str):
            return repr(self) == other.lower()
        return False

    def __hash__(self) -> int:
        return hash(repr(self))

    def __reduce__(self) -> tuple[object, ...]:
        return get_device, (self.backend, self.kind, self.index)  # also for copies, which are the interned object


_devices: Final[dict[tuple[str, str, int], Device]] = {}


def get_device(backend: str, kind: str, index: int) -> Device:
    """The interned device with this backend, kind and index."""
    key = (backend, kind, index)
    device = _devices.get(key)
    if device is None:
        device = _devices.setdefault(key, Device(backend, kind, index))
    return device


class DeviceSpec:
    """A parsed device name; a part that is not given is ``""``, or -1 for the index.

    ``word`` is a single name that may mean a backend or a device kind; `polytape.placement.selection` decides which.
    """

    __slots__ = ("backend", "index", "kind", "text", "word")

    def __init__(self, text: str, word: str, backend: str, kind: str, index: int) -> None:
        self.text: Final = text
        self.word: Final = word
        self.backend: Final = backend
        self.kind: Final = kind
        self.index: Final = index

    def __repr__(self) -> str:
        return f"DeviceSpec({self.text!r})"


_GRAMMAR: Final = "[backend:]kind[:index] or backend[:index], such as 'cpu', 'gpu:0', 'numpy', 'cupy:gpu:1'"


def _bad_name(text: object) -> DeviceError:
    return DeviceError(
        f"{text!r} is not a valid device name.",
        expected=_GRAMMAR,
        got=repr(text),
        fix="use that form; `polytape backends` lists the devices of this machine",
    )


def is_word(part: str) -> bool:
    """Whether ``part`` can be the name of a backend or a device kind in a device name."""
    return part != "" and part[0].isalpha() and part.replace("_", "a").replace("-", "a").isalnum()


def parse_device(text: object) -> DeviceSpec:
    """Parse a device name.

    Args:
        text: ``[backend:]kind[:index]``, case-insensitive, or TensorFlow's ``/device:GPU:0``, ``/gpu:0``,
            ``/job:localhost/replica:0/task:0/device:CPU:0``; a `Device`, or an object with the attribute
            ``device_spec``, such as `polytape.device`.
    Raises:
        DeviceError: ``text`` does not follow that grammar.
    """
    if isinstance(text, Device):
        return DeviceSpec(repr(text), "", text.backend, text.kind, text.index)
    if not isinstance(text, str):
        spec = getattr(text, "device_spec", None)
        if isinstance(spec, DeviceSpec):
            return spec
        raise _bad_name(text)
    name = text.strip().lower()
    if name.startswith("/"):
        name = name.rsplit("/", 1)[-1]
        if name.startswith("device:"):
            name = name[len("device:") :]
    parts = name.split(":")
    index = -1
    if len(parts) > 1 and parts[-1].isascii() and parts[-1].isdigit() and len(parts[-1]) < 10:
        index = int(parts.pop())
    if len(parts) not in (1, 2) or not all(is_word(part) for part in parts):
        raise _bad_name(text)
    if len(parts) == 2:
        return DeviceSpec(name, "", parts[0], parts[1], index)
    return DeviceSpec(name, parts[0], "", "", index)
