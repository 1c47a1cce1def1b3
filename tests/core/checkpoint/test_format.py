"""The bytes of a checkpoint: compared with the safetensors library, and with every kind of damage."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import zlib
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from polytape.checkpoint.format import open_tensors, write_tensors
from polytape.errors import CheckpointError, DTypeError

Array = np.ndarray[Any, np.dtype[Any]]

NUMPY_DTYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64",
]  # fmt: skip
ALL_DTYPES = [*NUMPY_DTYPES, "complex128", "bfloat16"]
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def dtype_of(name: str) -> np.dtype[Any]:
    return BFLOAT16 if name == "bfloat16" else np.dtype(name)


def sample(name: str, shape: tuple[int, ...] = (2, 3)) -> Array:
    return (np.arange(np.prod(shape, dtype=int)) % (2 if name == "bool" else 100)).astype(dtype_of(name)).reshape(shape)


def assert_same(array: Array, expected: Array) -> None:
    assert array.shape == expected.shape
    assert array.dtype == expected.dtype.newbyteorder("=")
    assert array.tobytes() == expected.astype(array.dtype).tobytes()  # bytes: NaN equals NaN, -0.0 is not 0.0


def read_all(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    with open_tensors(str(path)) as file:
        return {name: file.read(name) for name in file.names}, file.metadata


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


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    tensors = {
        "w": sample("float32"), "größe/層": sample("int16", (5,)), "step": np.array(7), "mask": sample("bool", (3,)),
        "z": sample("complex128", (2,)), "none": np.zeros((0, 3), np.float32),
    }  # fmt: skip
    write_tensors(str(path), tensors, {"graph": '{"children": {"w": 1}}'})
    return path


# ---- round trips


@st.composite
def laid_out(draw: st.DrawFn) -> Array:
    """An array of any dtype and shape, contiguous or not, in either byte order, writable or not."""
    name = draw(st.sampled_from(ALL_DTYPES))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    if name == "bfloat16":
        array: Array = draw(hnp.arrays(np.uint16, shape)).view(BFLOAT16)
    else:
        dtype = np.dtype(name)
        array = draw(hnp.arrays(dtype.newbyteorder(">") if draw(st.booleans()) else dtype, shape))
    layout = draw(st.sampled_from(["C", "transposed", "strided", "reversed", "broadcast", "read-only"]))
    if layout == "transposed":
        array = array.T
    elif layout in ("strided", "reversed") and array.ndim:
        array = array[:: 2 if layout == "strided" else -1]
    elif layout == "broadcast":
        array = np.broadcast_to(array, (2, *array.shape))
    elif layout == "read-only":
        array.flags.writeable = False
    return array


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(lambda name: name != "__metadata__")
TENSORS = st.dictionaries(NAMES, laid_out(), max_size=5)
METADATA = st.dictionaries(NAMES.filter(lambda key: not key.startswith("polytape.")), NAMES, max_size=3)


@settings(max_examples=150, deadline=None)
@given(TENSORS, METADATA)
def test_written_tensors_are_read_back_and_the_safetensors_library_reads_the_same(
    tensors: dict[str, Array], metadata: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.safetensors")
        write_tensors(str(path), tensors, metadata)
        arrays, texts = read_all(path)
        assert texts == metadata
        assert arrays.keys() == tensors.keys()
        with safe_open(path, framework="np") as theirs:
            assert set(theirs.keys()) == set(tensors)
            assert metadata.items() <= theirs.metadata().items()
            for name, expected in tensors.items():
                assert_same(arrays[name], expected)
                assert arrays[name].flags.writeable
                oracle = theirs.get_tensor(name)
                if expected.dtype.name == "complex128":
                    oracle = oracle.view(np.complex128)[..., 0]
                assert_same(oracle, expected)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(NAMES, hnp.arrays(st.sampled_from(NUMPY_DTYPES), hnp.array_shapes(min_dims=0, min_side=0))))
def test_a_file_written_by_the_safetensors_library_is_read_without_checksums(tensors: dict[str, Array]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "theirs.safetensors")
        save_file(tensors, path, metadata={"origin": "elsewhere"})
        with open_tensors(str(path)) as file:
            assert not file.has_checksums
            assert file.metadata == {"origin": "elsewhere"}
            assert set(file.names) == set(tensors)
            for name, expected in tensors.items():
                assert (file.shape(name), file.dtype(name)) == (expected.shape, expected.dtype)
                assert_same(file.read(name), expected)


@pytest.mark.parametrize("name", ALL_DTYPES)
def test_every_dtype_keeps_its_bits_shape_and_name(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / "x.safetensors")
    arrays = {str(shape): sample(name, shape) for shape in [(), (0,), (3, 0), (1,), (2, 3, 4)]}
    write_tensors(path, arrays, {})
    with open_tensors(path) as file:
        for key, expected in arrays.items():
            assert (file.shape(key), file.dtype(key)) == (expected.shape, expected.dtype)
            assert_same(file.read(key), expected)
        file.verify()


def test_the_header_is_padded_the_data_is_aligned_and_the_order_of_the_tensors_does_not_matter(tmp_path: Path) -> None:
    arrays = {name: sample(name, (3,)) for name in ALL_DTYPES}
    write_tensors(str(tmp_path / "a"), arrays, {"b": "1", "a": "2"})
    write_tensors(str(tmp_path / "b"), dict(reversed(arrays.items())), {"a": "2", "b": "1"})
    raw = (tmp_path / "a").read_bytes()
    assert raw == (tmp_path / "b").read_bytes()
    assert int.from_bytes(raw[:8], "little") % 8 == 0
    header = header_of(tmp_path / "a")
    metadata = header.pop("__metadata__")
    for name, entry in header.items():
        assert entry["data_offsets"][0] % min(8, arrays[name].itemsize) == 0
    assert metadata["polytape.format"] == "1"
    assert json.loads(metadata["polytape.complex128"]) == ["complex128"]
    crc, nbytes = json.loads(metadata["polytape.checksums"])["float32"]
    assert (crc, nbytes) == (f"{zlib.crc32(arrays['float32'].tobytes()):08x}", 12)


def test_a_tensor_larger_than_a_chunk_is_read_back(tmp_path: Path) -> None:
    path = str(tmp_path / "x.safetensors")
    big = np.random.default_rng(0).standard_normal(400_000)
    write_tensors(path, {"big": big[::-1]}, {})
    with open_tensors(path) as file:
        assert_same(file.read("big"), big[::-1])


def test_an_empty_checkpoint_is_a_valid_file_for_both_libraries(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    write_tensors(str(path), {}, {})
    assert read_all(path) == ({}, {})
    assert load_file(path) == {}


# ---- damage


def test_every_damaged_byte_is_detected_or_changes_nothing(saved: Path) -> None:
    raw = saved.read_bytes()
    expected, metadata = read_all(saved)
    undetected = []
    for position in range(len(raw)):
        for byte in {raw[position] ^ (1 << bit) for bit in range(8)} | {ord(" "), ord("0"), ord('"'), 0xFF, 0}:
            saved.write_bytes(raw[:position] + bytes([byte]) + raw[position + 1 :])
            try:
                arrays, texts = read_all(saved)
            except CheckpointError as error:
                assert str(saved) in str(error)
                continue
            undetected.append(raw[position : position + 1])
            assert texts == metadata and arrays.keys() == expected.keys()
            for name, array in expected.items():
                assert_same(arrays[name], array)
    # Only a byte replaced by itself, and padding replaced by other whitespace, go undetected.
    assert all(original in b' 0"\xff\x00' for original in undetected)


def test_a_file_truncated_to_any_length_or_extended_is_rejected(saved: Path) -> None:
    raw = saved.read_bytes()
    for length in range(len(raw)):
        saved.write_bytes(raw[:length])
        with pytest.raises(CheckpointError):
            open_tensors(str(saved))
    for more in (b"\0", b"\0" * 8, raw):
        saved.write_bytes(raw + more)
        with pytest.raises(CheckpointError, match="belong to no tensor"):
            open_tensors(str(saved))


def test_a_header_of_more_than_100_megabytes_is_rejected_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "huge.safetensors"
    with open(path, "wb") as file:
        file.write((100_000_001).to_bytes(8, "little"))
        file.truncate(200_000_000)  # sparse: uses no disk space
    with pytest.raises(CheckpointError, match="too large"):
        open_tensors(str(path))


def test_bytes_that_are_not_booleans_are_rejected(tmp_path: Path) -> None:
    path = craft(tmp_path / "x.safetensors", {"mask": header_entry("BOOL")}, b"\0\1\2\0")
    with open_tensors(str(path)) as file, pytest.raises(CheckpointError, match="not booleans"):
        file.read("mask")


def test_a_file_truncated_while_it_is_open_is_rejected_by_read(saved: Path) -> None:
    with open_tensors(str(saved)) as file:
        os.truncate(saved, saved.stat().st_size - 100)
        with pytest.raises(CheckpointError, match="ends inside tensor"):
            file.read("z")


def test_missing_files_directories_and_pipes_are_rejected(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    reasons = {
        "absent": "No such file",
        ".": "not a regular file",
        "pipe": "not a regular file",
        "loop": "symbolic links",
    }
    reasons["nul\0"] = "null (byte|character)"
    for name, reason in reasons.items():
        with pytest.raises(CheckpointError, match=reason) as caught:
            open_tensors(os.path.join(tmp_path, name))
        assert caught.value.fix


def test_an_unknown_name_lists_the_names_that_exist(saved: Path) -> None:
    with open_tensors(str(saved)) as file:
        for method in (file.read, file.shape, file.dtype):
            with pytest.raises(CheckpointError, match=r"(?s)no tensor 'v'.*'mask'"):
                method("v")


def test_verifying_a_file_without_checksums_is_an_error(tmp_path: Path) -> None:
    save_file({"w": sample("float32")}, tmp_path / "x.safetensors")
    with open_tensors(str(tmp_path / "x.safetensors")) as file:
        assert "without checksums" in repr(file)
        with pytest.raises(CheckpointError, match="has no checksums"):
            file.verify()


def test_reading_a_closed_file_is_an_error(saved: Path) -> None:
    with open_tensors(str(saved)) as file:
        assert "6 tensors, with checksums" in repr(file)
    with pytest.raises(CheckpointError, match="closed"):
        file.read("w")


# ---- what cannot be written


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (np.array(["a"]), "str"),
        (np.array([None]), "object"),
        (np.zeros(2, np.longdouble), "float128|longdouble"),
        (np.zeros(2, "f4,i4"), "void"),
        ([1.0], "builtins.list"),
        (np.float32(1), "numpy.float32"),
    ],
    ids=["str", "object", "longdouble", "structure", "list", "scalar"],
)
def test_a_tensor_of_an_unsupported_dtype_is_rejected_by_name(tmp_path: Path, array: Array, got: str) -> None:
    with pytest.raises(DTypeError, match=f"(?s)tensor 'w'.*{got}"):
        write_tensors(str(tmp_path / "x"), {"v": np.zeros(3), "w": array}, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["__metadata__", "half \ud800", 3])
def test_a_name_that_the_format_cannot_hold_is_rejected(tmp_path: Path, name: Any) -> None:
    with pytest.raises(CheckpointError, match="cannot hold a tensor named"):
        write_tensors(str(tmp_path / "x"), {name: np.zeros(3)}, {})


@pytest.mark.parametrize("metadata", [{"polytape.format": "1"}, {"a": 1}, {"a": "\udfff"}])
def test_metadata_that_the_format_cannot_hold_is_rejected(tmp_path: Path, metadata: Any) -> None:
    with pytest.raises(CheckpointError, match="cannot hold the metadata"):
        write_tensors(str(tmp_path / "x"), {}, metadata)


def test_a_header_too_large_to_read_back_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="header is too large"):
        write_tensors(str(tmp_path / "x"), {}, {"a": "x" * 100_000_000})
    assert not list(tmp_path.iterdir())


def test_threads_may_share_an_open_file(tmp_path: Path) -> None:
    path = str(tmp_path / "x.safetensors")
    arrays = {str(index): np.full(5_000, index) for index in range(20)}
    write_tensors(path, arrays, {})
    wrong: list[str] = []
    with open_tensors(path) as file:

        def read() -> None:
            wrong.extend(name for name in file.names * 5 if not (file.read(name) == int(name)).all())

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_a_file_of_version_0_1_is_read_and_verified(tmp_path: Path) -> None:
    # Its header is not in the form in which polytape writes it now: other keys come first.
    path = Path(__file__).parents[2] / "fixtures" / "checkpoints" / "polytape-0.1.safetensors"
    with open_tensors(str(path)) as file:
        file.verify()
        assert file.has_checksums
        assert {name: file.read(name).tolist() for name in file.names} == {
            "model/weight": [[0, 1, 2], [3, 4, 5]],
            "model/count": 7,
            "model/flags": [True, False],
            "model/ä": [1 + 2j],
        }
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"children")] ^= 1
    copy = tmp_path / "x.safetensors"
    copy.write_bytes(raw)
    with pytest.raises(CheckpointError, match="its header is damaged"):
        open_tensors(str(copy))
