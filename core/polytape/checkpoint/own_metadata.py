"""What polytape's own metadata says of a checkpoint file: its format, the checksums, and which tensors are complex."""

from __future__ import annotations

from typing import Any

from .files import damaged, quoted, strict_json
from .header import COMPLEX128_KEY, FORMAT_KEY, HEADER_KEY, Header, Kind, header_crc

__all__ = ["check_header", "check_paired", "check_version", "checksums"]


def check_version(path: str, texts: dict[str, str]) -> None:
    """Raise if the file has another format than this one."""
    version = texts.get(FORMAT_KEY, "none")
    if version != "1":
        fix = "read it with the version of polytape that wrote it" if version.isdecimal() else ""
        raise damaged(path, "its polytape format is unknown", expected="format 1", got=version[:20], fix=fix)


def check_header(path: str, texts: dict[str, str], header: Header, unusual: dict[str, str]) -> None:
    """Check a header that is not in the form that polytape writes: of an earlier version, or written by a program."""
    stored = texts.get(HEADER_KEY, "none")[:20]
    crc = header_crc(texts, header, unusual)
    if crc != stored:
        raise damaged(path, "its header is damaged", expected=f"checksum {stored}", got=f"checksum {crc}")


# Only a forged file can be wrong in what follows; it is checked just as carefully.


def checksums(path: str, text: str, kinds: dict[str, Kind]) -> dict[str, str]:
    """The CRC-32 of each tensor's bytes, in hexadecimal, from the metadata ``text``."""
    return _own_sums(text, kinds) or _sums(path, text, kinds)


def check_paired(path: str, texts: dict[str, str], header: Header) -> None:
    """Read which tensors are complex."""
    try:
        paired = _bounded_json(texts.get(COMPLEX128_KEY, "[]"), header.kinds)
    except ValueError as error:
        raise damaged(path, "its checksums are malformed", expected="JSON", got=str(error)) from error
    _check_paired(path, paired, header.kinds)


def _own_sums(text: str, kinds: dict[str, Kind]) -> dict[str, str]:
    """The checksums in a text as polytape writes it for names without escapes; empty if it is another one."""
    names = sorted(kinds)
    if len(text) > sum(map(len, names)) + 64 * len(names) or "\\" in text:
        return {}
    parts = text.split('"')  # {, a name, :[, a checksum, its size and what follows, ...
    crcs = parts[3::4]
    tails = {kind: f",{kind.nbytes}]," for kind in {*kinds.values()}}
    wanted = [tails[kinds[name]] for name in names]
    if (
        parts[0] == "{"
        and parts[1::4] == names
        and {*parts[2::4]} == {":["}
        and {*map(len, crcs)} == {8}
        and parts[4::4] == [*wanted[:-1], f"{wanted[-1][:-1]}}}"]
    ):
        return dict(zip(names, crcs, strict=True))
    return {}


def _sums(path: str, text: str, kinds: dict[str, Kind]) -> dict[str, str]:
    """The checksums in any form of JSON."""
    try:
        sums = _bounded_json(text, kinds)
    except ValueError as error:
        raise damaged(path, "its checksums are malformed", expected="JSON", got=str(error)) from error
    if not isinstance(sums, dict) or sums.keys() != kinds.keys():
        raise damaged(path, "its checksums are malformed", expected="one for each tensor", got=repr(sums)[:80])
    for name, kind in kinds.items():
        pair: object = sums[name]
        if type(pair) is not list or len(pair) != 2 or pair[1] != kind.nbytes:
            reason = f"the checksum of {quoted(name)} is malformed"
            expected = f"[CRC-32, {kind.nbytes}]"
            raise damaged(path, reason, expected=expected, got=repr(pair)[:80])
    return {name: str(sums[name][0]) for name in kinds}


def _bounded_json(text: str, kinds: dict[str, Kind]) -> object:
    """The value of ``text``, which holds names and at most one list per tensor."""
    found = text.count("[") + text.count("{")
    limit = 1 + len(kinds)
    if found > limit and found > (limit := limit + sum([name.count("[") + name.count("{") for name in kinds])):
        raise ValueError(f"more than {limit} lists and objects")
    return strict_json(text.encode())


def _check_paired(path: str, paired: object, kinds: dict[str, Kind]) -> None:
    names: list[Any] = paired if isinstance(paired, list) else [paired]
    for name in names:
        kind = kinds.get(name) if isinstance(name, str) else None
        if kind is None or kind.code != "F64" or kind.shape[-1:] != (2,):
            expected = "names of F64 tensors [..., 2]"
            raise damaged(path, f"its {COMPLEX128_KEY} is malformed", expected=expected, got=repr(name)[:80])
        kinds[name] = Kind("F64", kind.shape, True)
