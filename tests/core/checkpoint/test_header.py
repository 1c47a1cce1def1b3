"""The header of a checkpoint file: every malformed header is rejected with the reason."""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from safetensors import SafetensorError
from safetensors.numpy import load_file

import polytape as pt
from polytape.checkpoint import parsing
from polytape.checkpoint.format import open_tensors, write_tensors
from polytape.errors import CheckpointError


def header_of(path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    header: dict[str, Any] = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    return header


def craft(path: Path, header: object, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def header_entry(dtype: object = "U8", shape: object = (4,), offsets: object = (0, 4)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def names_read(path: Path) -> list[str]:
    with open_tensors(str(path)) as file:
        return [name for name in file.names if file.read(name).shape == file.shape(name)]


DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
MALFORMED: list[tuple[str, object, bytes]] = [
    ("not valid JSON", b"{", b""),
    ("not valid JSON", b"", b""),
    ("not valid JSON", b'{"a": "\xff"}', b""),
    ("not valid JSON", b'{"\\ud800": 1}', b""),
    ("not valid JSON", b'{"a": NaN}', b""),
    ("not valid JSON", '{"a": 1}'.encode("utf-16"), b""),
    ("nested too deeply", DEEP, b""),
    ("'w' appears twice", b'{"w": %s, "w": %s}' % ((json.dumps(header_entry()).encode(),) * 2), b"1234"),
    ("'dtype' appears twice", b'{"w": {"dtype": "U8", "dtype": "U8"}}', b"1234"),
    ("not a JSON object", [1], b""),
    ("not a JSON object", b' {"w": ' + json.dumps(header_entry()).encode() + b"}", b"1234"),
    ("has no description", {"w": 3}, b""),
    ("unknown dtype", {"w": header_entry("F8_E4M3")}, b"1234"),
    ("unknown dtype", {"w": header_entry(["U8"])}, b"1234"),
    ("malformed description", {"w": {"dtype": "U8"}}, b"1234"),
    ("malformed description", {"w": header_entry(shape=[4.0])}, b"1234"),
    ("malformed description", {"w": header_entry(shape=[True, 4])}, b"1234"),
    ("malformed description", {"w": header_entry(shape=[-2, -2])}, b"1234"),
    ("malformed description", {"w": header_entry(shape=[1] * 65, offsets=[0, 1])}, b"1"),
    ("malformed description", {"w": header_entry(offsets=[4, 0])}, b"1234"),
    ("malformed description", {"w": header_entry(offsets=[-4, 0])}, b"1234"),
    ("malformed description", {"w": header_entry(offsets=[0, 2, 4])}, b"1234"),
    ("too large", {"w": header_entry(shape=[2**62, 2**62, 0], offsets=[0, 0])}, b""),
    ("does not match its shape", {"w": header_entry("I16")}, b"1234"),
    ("does not match its shape", {"w": header_entry(shape=[5])}, b"1234"),
    ("leaves a gap", {"w": header_entry(offsets=[4, 8])}, b"12345678"),
    ("leaves a gap", {"v": header_entry(), "w": header_entry(offsets=[5, 9])}, b"123456789"),
    ("overlaps another", {"v": header_entry(), "w": header_entry(offsets=[2, 6])}, b"123456"),
    ("overlaps another", {"v": header_entry(), "w": header_entry()}, b"1234"),
    ("cut off", {"w": header_entry()}, b"123"),
    ("belong to no tensor", {"w": header_entry()}, b"12345"),
    ("__metadata__ is malformed", {"__metadata__": {"a": 1}}, b""),
    ("__metadata__ is malformed", {"__metadata__": "text"}, b""),
]


@pytest.mark.parametrize(("reason", "header", "data"), MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_file_is_rejected_with_its_path_and_the_reason(
    tmp_path: Path, reason: str, header: object, data: bytes
) -> None:
    path = craft(tmp_path / "bad.safetensors", header, data)
    with pytest.raises(CheckpointError, match=reason) as caught:
        open_tensors(str(path))
    assert str(path) in str(caught.value)
    assert caught.value.expected and caught.value.got and caught.value.fix


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["v", "w"]),
        st.builds(
            header_entry,
            st.sampled_from(["U8", "I16", "F32", "F64", "F99"]),
            st.lists(st.integers(-1, 4), max_size=3),
            st.lists(st.integers(-1, 16), min_size=1, max_size=3),
        ),
    ),
    st.integers(0, 16),
)
def test_every_file_that_the_safetensors_library_rejects_is_rejected(header: Mapping[str, object], size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = craft(Path(folder, "x.safetensors"), header, b"\1" * size)
        try:
            load_file(path)
        except SafetensorError:
            with pytest.raises(CheckpointError):
                names_read(path)
        else:
            assert set(names_read(path)) == set(header)


OWN: list[tuple[str, Callable[[dict[str, str]], object]]] = [
    ("format is unknown", lambda texts: texts.update({"polytape.format": "2"})),
    ("format is unknown", lambda texts: texts.pop("polytape.format")),
    ("header is damaged", lambda texts: texts.pop("polytape.header")),
    ("header is damaged", lambda texts: texts.pop("polytape.checksums")),
    ("header is damaged", lambda texts: texts.update({"graph": "{}"})),
]


@pytest.mark.parametrize(("reason", "change"), OWN, ids=range(len(OWN)))
def test_a_modified_header_of_polytape_is_rejected(
    tmp_path: Path, reason: str, change: Callable[[dict[str, str]], object]
) -> None:
    path = tmp_path / "x.safetensors"
    write_tensors(str(path), {"w": np.zeros(3)}, {"graph": '{"children": {}}'})
    header = header_of(path)
    data = path.read_bytes()[-24:]
    names_read(craft(path, header, data))  # the same header, formatted differently, is not damaged
    change(header["__metadata__"])
    craft(path, header, data)
    with pytest.raises(CheckpointError, match=reason):
        open_tensors(str(path))


FORGED: list[tuple[str, str, str]] = [
    ("checksums are malformed", "polytape.checksums", "{"),
    ("checksums are malformed", "polytape.checksums", "[]"),
    ("checksums are malformed", "polytape.checksums", '{"v": ["00000000", 4]}'),
    ("checksum of 'w' is malformed", "polytape.checksums", '{"w": ["00000000", 5]}'),
    ("checksum of 'w' is malformed", "polytape.checksums", '{"w": "00000000"}'),
    ("complex128 is malformed", "polytape.complex128", '["w"]'),
    ("complex128 is malformed", "polytape.complex128", '["v"]'),
    ("complex128 is malformed", "polytape.complex128", "{}"),
]


@pytest.mark.parametrize(("reason", "key", "text"), FORGED, ids=range(len(FORGED)))
def test_forged_metadata_with_a_correct_header_checksum_is_rejected(
    tmp_path: Path, reason: str, key: str, text: str
) -> None:
    texts = {"polytape.format": "1", "polytape.checksums": json.dumps({"w": ["9be3e0a3", 4]})}
    texts[key] = text
    header = {"__metadata__": texts, "w": header_entry(shape=[4], offsets=[0, 4])}
    canonical = json.dumps(header, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    texts["polytape.header"] = f"{zlib.crc32(canonical):08x}"
    with pytest.raises(CheckpointError, match=reason):
        open_tensors(str(craft(tmp_path / "x.safetensors", header, b"1234")))


def many(path: Path, value: float, **others: np.ndarray[Any, Any]) -> Path:
    """A file of 300 small tensors of several dtypes and shapes, and others."""
    tensors = {f"w{number}": np.full(1 + number % 3, value, ("f4", "i2")[number % 2]) for number in range(300)}
    write_tensors(str(path), {**tensors, **others}, {"graph": f"{value}"})
    return path


def test_tensors_that_another_file_also_has_are_described_as_if_they_were_read_for_the_first_time(
    tmp_path: Path,
) -> None:
    paths = [
        many(tmp_path / "a", 1.0),
        many(tmp_path / "b", 2.0),
        many(tmp_path / "c", 3.0, x=np.ones(2), a=np.ones(2)),
    ]
    again = []
    for path in paths:
        with open_tensors(str(path)) as file:
            again.append([(name, file.dtype(name), file.read(name).tolist()) for name in file.names])
    for path, found in zip(paths, again, strict=True):
        parsing.remembered.clear()
        with open_tensors(str(path)) as file:
            assert [(name, file.dtype(name), file.read(name).tolist()) for name in file.names] == found
    assert again[1][0] == ("w0", np.dtype("f4"), [2.0])


def test_a_damaged_header_is_rejected_although_its_tensors_are_remembered(tmp_path: Path) -> None:
    path = many(tmp_path / "a", 1.0)
    names_read(path)
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header, data = raw[8 : 8 + length].rstrip(), raw[8 + length :]
    twice = header[:-1] + header[header.rindex(b',"w') : -1] + b"}"
    for wrong, rest, reason in [
        (header, data[:-1], "cut off"),
        (header, data + b"1", "no tensor"),
        (twice, data, "twice"),
    ]:
        with pytest.raises(CheckpointError, match=reason):
            open_tensors(str(craft(tmp_path / "b", wrong, rest)))


def test_malformed_checksums_matter_only_to_a_restoration_that_verifies(tmp_path: Path) -> None:
    texts = {"polytape.format": "1", "polytape.checksums": "{}"}
    header = {"__metadata__": texts, "w": header_entry(shape=[4], offsets=[0, 4])}
    canonical = json.dumps(header, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    texts["polytape.header"] = f"{zlib.crc32(canonical):08x}"
    path = craft(tmp_path / "x.safetensors", header, b"1234")
    w = pt.Variable(np.zeros(4, "uint8"), trainable=False)
    with pytest.raises(CheckpointError, match="checksums are malformed"):
        pt.Checkpoint(w=w).restore(path)
    assert w.tolist() == [0, 0, 0, 0]
    pt.Checkpoint(w=w).restore(path, verify=False)
    assert w.tolist() == [49, 50, 51, 52]
