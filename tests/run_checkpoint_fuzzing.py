"""Coverage-guided fuzzing of everything that reads a checkpoint's files, with atheris (libFuzzer).

    pip install atheris
    python tests/run_checkpoint_fuzzing.py CORPUS -max_total_time=3600 [other options of libFuzzer]

The first byte of an input chooses the reader. Whatever a file contains, a reader returns or raises CheckpointError, or
DTypeError for a dtype that the installation lacks. A small corpus is in tests/fixtures/checkpoint_corpus;
tests/core/checkpoint/test_parsing_corpus.py replays it. `python tests/run_checkpoint_fuzzing.py --seeds FOLDER` writes
inputs to begin with.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from polytape.checkpoint.files import Replacement
from polytape.checkpoint.format import open_tensors, write_tensors
from polytape.checkpoint.header import canonical_json
from polytape.checkpoint.objects import graph_of
from polytape.checkpoint.parsing import parse_header
from polytape.checkpoint.pickled import read_pickle
from polytape.checkpoint.state import CheckpointState, encode_state, read_state
from polytape.checkpoint.torch_files import read_torch_file, write_torch_file
from polytape.errors import CheckpointError, DTypeError

FOLDER = tempfile.mkdtemp(prefix="polytape-fuzz-")
PATH = os.path.join(FOLDER, "file")


def read_tensors(data: bytes) -> None:
    """A whole file, tensors included."""
    Path(PATH).write_bytes(data)
    with open_tensors(PATH) as file:
        for name in file.names:
            file.read(name)
        file.read_all(file.names, verify=False)
        if file.has_checksums:
            file.verify()


def with_checksum(header: bytes) -> bytes:
    """The header with the checksum that it should have, if it is in canonical form: else a fuzzer comes no further."""
    match = re.search(rb',"polytape\.header":"([^"]*)"', header)
    if match is None:
        return header
    rest = header[: match.start()] + header[match.end() :].rstrip(b" ")
    return header[: match.start(1)] + b"%08x" % zlib.crc32(rest) + header[match.end(1) :]


def read_forged_header(data: bytes) -> None:
    """A header with a valid checksum, and its object graph."""
    header = parse_header(PATH, with_checksum(data[1:]), data[0] if data else 0)
    graph_of(PATH, header.metadata, sorted(header.kinds))


def read_graph(data: bytes) -> None:
    """The object graph of a file with the tensors a and b/c."""
    text = data.decode("utf-8", "surrogateescape")
    with contextlib.suppress(UnicodeEncodeError):
        graph_of(PATH, {"polytape.objects": text.encode().decode()}, ["a", "b/c"])


def read_directory(data: bytes) -> None:
    """A state file."""
    Path(FOLDER, "checkpoint").write_bytes(data)
    state = read_state(FOLDER)
    assert state is not None
    with contextlib.suppress(CheckpointError):
        encode_state(FOLDER, state)


def read_forged_state(data: bytes) -> None:
    """A state file with a valid checksum."""
    from polytape.checkpoint.files import canonical_crc, strict_json

    with contextlib.suppress(ValueError):
        content = strict_json(data)
        if isinstance(content, dict):
            content["crc32"] = canonical_crc({key: value for key, value in content.items() if key != "crc32"})
            data = canonical_json(content).encode()
    read_directory(data)


def read_archive(data: bytes) -> None:
    """A file of PyTorch."""
    Path(PATH).write_bytes(data)
    read_torch_file(PATH)


def read_only_pickle(data: bytes) -> None:
    """The pickle of a file of PyTorch. `read_torch_file` makes a CheckpointError of what it raises."""
    try:
        read_pickle(data)
    except Exception as error:
        if isinstance(error, (AssertionError, RecursionError, MemoryError)):
            raise


READERS: tuple[Callable[[bytes], None], ...] = (
    read_tensors, read_forged_header, read_graph, read_directory, read_forged_state, read_archive, read_only_pickle
)  # fmt: skip


def check(data: bytes) -> None:
    """Read one input; raises what no reader may raise."""
    if data:
        with contextlib.suppress(CheckpointError, DTypeError):
            READERS[data[0] % len(READERS)](data[1:])


def seeds() -> list[bytes]:
    """Valid inputs, one or more per reader."""
    tensors = {
        "a": np.arange(3, dtype="float32"), "b/c": np.array([True, False]), 'z"~': np.ones((1, 2), "complex128"),
    }  # fmt: skip
    root = '{"children":{"x":1,"y":2},"slots":[{"of":1,"slots":{"m":2}}]}'
    graph = f'{{"format":1,"nodes":[{root},{{"tensor":"a"}},{{"tensor":"b/c"}}]}}'
    write_tensors(PATH, tensors, {"polytape.objects": graph, "a": "b"})
    file = Path(PATH).read_bytes()
    header = file[8 : 8 + int.from_bytes(file[:8], "little")]
    state = encode_state(
        FOLDER, CheckpointState("c-2.safetensors", ["c-1.safetensors", "c-2.safetensors"], {"p": ["x"]})
    )
    write_torch_file(PATH, {name: array for name, array in tensors.items() if name != "z"})
    archive = Path(PATH).read_bytes()
    begin = archive.index(b"\x80\x02}(")
    pickle = archive[begin : archive.index(b"u.", begin) + 2]
    plain = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  '
    inputs = [file, bytes([46]) + header, graph.encode(), state, state, archive, pickle]
    found = [bytes([number]) + data for number, data in enumerate(inputs)]
    return [*found, bytes([0]) + len(plain).to_bytes(8, "little") + plain + bytes(8), bytes([1, 8]) + plain]


def main() -> None:
    """Write seeds, or fuzz."""
    if sys.argv[1:2] == ["--seeds"]:
        for number, data in enumerate(seeds()):
            with Replacement(os.path.join(sys.argv[2], f"seed-{number}")) as new:
                new.write(data)
        return
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
