"""CRC-32 in chunks and in two threads."""

from __future__ import annotations

import os
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest

from polytape.checkpoint import checksums, format, loading
from polytape.checkpoint.checksums import CHUNK_NBYTES, Shared, chunked, combined, crc32
from polytape.checkpoint.format import open_tensors, write_tensors
from polytape.errors import CheckpointError


def test_the_function_is_zlibs_whichever_library_computes_it() -> None:
    data = np.random.default_rng(0).bytes(100_000)
    assert crc32(data, 0) == zlib.crc32(data) and crc32(data[7:], crc32(data[:7], 0)) == zlib.crc32(data)
    assert crc32(np.arange(3.0), 0) == zlib.crc32(np.arange(3.0).tobytes())


@pytest.mark.parametrize("nbytes", [0, 1, CHUNK_NBYTES - 1, CHUNK_NBYTES, CHUNK_NBYTES + 1, 3 * CHUNK_NBYTES + 77])
def test_the_checksums_of_chunks_are_combined(nbytes: int) -> None:
    data = np.random.default_rng(nbytes).bytes(nbytes)
    assert combined([zlib.crc32(data[a:b]) for a, b in chunked(nbytes)], nbytes) == zlib.crc32(data)


def test_two_threads_share_the_tasks_and_an_error_of_either_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksums, "_processors", lambda: 2)
    both = threading.Barrier(2, timeout=60)  # passes only if two threads run
    done: list[str] = []

    def task() -> None:
        both.wait()
        done.append(threading.current_thread().name)

    Shared([task, task], 1 << 30).finish()
    assert sorted(done) == ["MainThread", "polytape-checksums"]

    def fail() -> None:
        both.wait()
        if threading.current_thread() is not threading.main_thread():
            raise ValueError("in the other thread")

    with pytest.raises(ValueError, match="in the other thread"):
        Shared([fail, fail], 1 << 30).finish()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_does_the_tasks_of_the_thread_that_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checksums, "_processors", lambda: 2)
    taken, go = threading.Event(), threading.Event()
    done: list[int] = []

    def task(number: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            taken.set()
            assert go.wait(60)
        done.append(number)

    shared = Shared([lambda: task(0), lambda: task(1)], 1 << 30)
    assert taken.wait(60)
    child = os.fork()
    if child == 0:
        shared.finish()
        os._exit(0 if set(done) == {0, 1} else 1)
    go.set()
    shared.finish()
    assert os.waitpid(child, 0)[1] == 0 and set(done) == {0, 1}


@pytest.mark.parametrize("processors", [1, 2])
def test_large_and_small_tensors_are_written_and_read_alike_by_one_thread_or_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processors: int
) -> None:
    monkeypatch.setattr(checksums, "_processors", lambda: processors)
    monkeypatch.setattr(loading, "_MOST", 7)
    path, generator = str(tmp_path / "x.safetensors"), np.random.default_rng(0)
    tensors = {f"small{index}": generator.standard_normal(index).astype("f4") for index in range(40)}
    tensors |= {"large": generator.standard_normal(1 << 20), "flags": generator.integers(0, 2, 1 << 17) > 0}
    tensors |= {"edge": np.zeros(format._SMALL_NBYTES, "u1"), "scalar": np.array(1 + 2j), "none": np.zeros((0, 2))}
    write_tensors(path, tensors, {})
    assert not hasattr(os, "posix_fallocate") or os.stat(path).st_size < (1 << 23) + (
        1 << 19
    )  # no more than is written
    with open_tensors(path) as file:
        file.verify()
        for verify in (True, False):
            arrays = dict(zip(file.names, file.read_all(file.names, verify), strict=True))
            assert arrays.keys() == tensors.keys()
            for name, array in tensors.items():
                assert arrays[name].dtype == array.dtype and arrays[name].tobytes() == array.tobytes(), name
                assert arrays[name].shape == array.shape and arrays[name].flags.owndata, name
        start = 8 + int.from_bytes(Path(path).read_bytes()[:8], "little")
        damage = Path(path).read_bytes()[start + 3 * CHUNK_NBYTES]
    with open(path, "r+b") as raw:
        raw.seek(start + 3 * CHUNK_NBYTES)
        raw.write(bytes([damage ^ 1]))
    with open_tensors(path) as file:
        file.read_all(file.names, verify=False)
        with pytest.raises(CheckpointError, match="the bytes of tensor 'large' are damaged"):
            file.read_all(file.names)
