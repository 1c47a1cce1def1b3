"""A header of many bytes takes time and memory in proportion to them, whatever is in it."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

import polytape as pt
from polytape.checkpoint.parsing import parse_header
from polytape.errors import CheckpointError

ENTRY = '{"dtype":"I8","shape":[0],"data_offsets":[0,0]}'


def graph(text: str) -> str:
    return json.dumps({"__metadata__": {"polytape.objects": text}})


# Each makes a header of about n bytes.
HEADERS: dict[str, Callable[[int], str]] = {
    "lists": lambda n: '{"a":[' + "[]," * (n // 3) + "[]]}",
    "dicts": lambda n: '{"a":[' + "{}," * (n // 3) + "{}]}",
    "integers": lambda n: '{"a":[' + "1," * (n // 2) + "1]}",
    "nested": lambda n: '{"a":' + "[" * n,
    "slashes": lambda n: json.dumps({"/" * n: {"dtype": "I8", "shape": [0], "data_offsets": [0, 0]}}),
    "tensors": lambda n: "{" + ",".join(f'"{i:x}":{ENTRY}' for i in range(n // 52)) + "}",
    "axes": lambda n: '{"a":{"dtype":"I8","shape":[' + "1," * (n // 2) + '1],"data_offsets":[0,1]}}',
    "digits": lambda n: '{"a":{"dtype":"I8","shape":[' + "9" * n + '],"data_offsets":[0,1]}}',
    "metadata": lambda n: '{"__metadata__":{' + ",".join(f'"{i:x}":""' for i in range(n // 10)) + "}}",
    "nodes": lambda n: graph('{"format":1,"nodes":[' + "{}," * (n // 3) + "{}]}"),
    "lists in a node": lambda n: graph('{"format":1,"nodes":[{"slots":[' + "[]," * (n // 3) + "[]]}]}"),
    "lists before the nodes": lambda n: graph('{"a":[' + "[]," * (n // 3) + "[]]}"),
}


def restore(path: Path, header: str) -> None:
    raw = header.encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw)
    w = pt.Variable(1.0)
    try:
        pt.Checkpoint(w=w).restore(path).expect_partial()
    except CheckpointError as error:
        assert str(path) in str(error)
        assert len(str(error)) < 2000
    assert float(w) == 1.0


@pytest.mark.parametrize("kind", HEADERS)
def test_memory_is_a_small_multiple_of_the_header_s_length(tmp_path: Path, kind: str) -> None:
    header = HEADERS[kind](300_000)
    tracemalloc.start()
    try:
        restore(tmp_path / "file", header)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Version 0.1.0 took 360 bytes per byte of lists.
    assert peak < 40 * len(header)


def calls(header: str, path: Path) -> int:
    """How many Python functions restoring calls: a measure of time that is the same on every machine."""
    import sys

    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(profile)
    try:
        restore(path, header)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", HEADERS)
def test_the_number_of_steps_grows_no_faster_than_the_header(tmp_path: Path, kind: str) -> None:
    small, large = (calls(HEADERS[kind](n), tmp_path / "file") for n in (20_000, 80_000))
    assert large < 4.5 * small


ENTRIES = {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ENTRIES),
        json.dumps(ENTRIES, indent=3),
        json.dumps(ENTRIES, separators=(" \t,\r\n ", " : ")),
        '{"\\u0061": {"data_offsets": [0, 24], "shape": [2, 3], "dtype": "F32"}}',
        '{"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24], "comment": {"x": [1]}}}',
    ],
)
def test_every_way_to_write_a_header_gives_the_same_entries(text: str) -> None:
    header = parse_header("file", text.encode(), 24)
    assert repr(header.kinds["a"]) == "Kind(F32, (2, 3))" and header.starts == {"a": 0}
    assert not header.has_checksums and header.metadata == {}


@pytest.mark.parametrize(
    "text", ["{", "{}x", '{"a":1,}', '{"a" 1}', '{,"a":1}', '{"__metadata__":{},"__metadata__":{}}']
)
def test_a_text_that_is_not_json_is_rejected(text: str) -> None:
    with pytest.raises(CheckpointError, match=r"not valid JSON|has no description"):
        parse_header("file", text.encode(), 0)
