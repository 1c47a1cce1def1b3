"""PyTorch's files: one that PyTorch wrote, our own, and what is rejected."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytape.checkpoint.pickled import read_pickle
from polytape.checkpoint.torch_files import read_torch_file, write_torch_file
from polytape.errors import CheckpointError

WRITTEN_BY_TORCH = Path(__file__).parents[2] / "fixtures" / "checkpoints" / "torch-2.13.pt"
DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip


def test_a_file_of_pytorch_is_read_with_nested_names_views_and_parameters() -> None:
    tensors, others = read_torch_file(str(WRITTEN_BY_TORCH))
    assert sorted(tensors) == ["half", "model.bias", "model.weight", "tied.0", "tied.1", "transposed", "wide"]
    assert others == {"step": "int"}
    assert tensors["transposed"].tolist() == [[0, 3], [1, 4], [2, 5]] and tensors["transposed"].dtype == "int16"
    assert tensors["half"].dtype.name == "bfloat16" and tensors["half"].astype("float32").tolist() == [0, 1, 2]
    assert tensors["wide"].dtype == "uint32" and tensors["wide"].tolist() == [0, 1, 2]
    # torch.nn.Linear(2, 3) after torch.manual_seed(0)
    np.testing.assert_allclose(tensors["model.weight"][0], [-0.005293981172144413, 0.379322886466980], rtol=1e-6)
    assert tensors["tied.0"].tobytes() == tensors["model.weight"].tobytes()
    assert tensors["tied.1"].tobytes() == tensors["model.weight"][1:].tobytes()


def many() -> dict[str, np.ndarray[Any, Any]]:
    tensors = {name: np.arange(6).reshape(2, 3).astype(name) for name in DTYPES}
    tensors |= {"scalar": np.array(2.5), "empty": np.zeros((0, 3)), "ä.b~/": np.ones((2, 1, 1)).transpose(2, 0, 1)}
    tensors["swapped"] = np.arange(3, dtype=">f4")
    return tensors


def test_what_is_written_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    path = str(tmp_path / "x.pt")
    tensors = many()
    write_torch_file(path, tensors)
    found, others = read_torch_file(path)
    assert others == {} and list(found) == list(tensors)
    for name, array in tensors.items():
        assert found[name].dtype == array.dtype.newbyteorder("=") and found[name].tolist() == array.tolist(), name
    before = Path(path).read_bytes()
    write_torch_file(path, tensors)
    assert Path(path).read_bytes() == before


def test_pytorch_reads_what_is_written(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = str(tmp_path / "x.pt")
    tensors = {name: array for name, array in many().items() if name != "swapped"}
    write_torch_file(path, tensors)
    found = torch.load(path, weights_only=True)
    for name, array in tensors.items():
        assert found[name].numpy().dtype == array.dtype and found[name].numpy().tolist() == array.tolist(), name
    torch.save(found, path)
    assert {name: array.tobytes() for name, array in read_torch_file(path)[0].items()} == {
        name: np.ascontiguousarray(array).tobytes() for name, array in tensors.items()
    }


class Runs:
    """Its pickle would run a command."""

    def __reduce__(self) -> Any:
        import os

        return os.system, ("touch reached",)


def archive_of(path: Path, pickled: bytes, compression: int = zipfile.ZIP_STORED, data: bytes = bytes(8)) -> str:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a/data.pkl", pickled)
        archive.writestr("a/data/0", data)
    return str(path)


@pytest.mark.parametrize("protocol", range(6))
def test_code_in_a_pickle_is_an_error_and_is_not_run(
    tmp_path: Path, protocol: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = archive_of(tmp_path / "x.pt", pickle.dumps({"w": Runs()}, protocol))
    with pytest.raises(CheckpointError, match="not a state dict of PyTorch"):
        read_torch_file(path)
    assert not (tmp_path / "reached").exists()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_are_what_pickle_reads(protocol: int) -> None:
    value = {"a": [1, -1, 300, 2**40, -(2**70), 1.5, None, True], "b": (1, (2,), (), "ä"), "c": {"d": [[]]}, 7: {}}
    assert read_pickle(pickle.dumps(value, protocol)) == value


TENSOR = (
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\n%s\n"
    b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQ"
)


@pytest.mark.parametrize(
    ("rest", "got"),
    [
        (b"K\x00K\x02\x85K\x01\x85tR.", None),
        (b"K\x01K\x02\x85K\x01\x85tR.", "buffer"),  # beyond the end
        (b"K\x00K\x02\x85K\x05\x85tR.", "strides"),
        (b"K\x00K\x09\x85K\x00\x85tR.", "larger than its storage"),  # one element, repeated
        (b"K\x00J\xff\xff\xff\xff\x85K\x01\x85tR.", "shape"),
        (b"K\x00K\x02\x85)tR.", "shape"),
    ],
)
def test_a_tensor_outside_its_storage_is_an_error(tmp_path: Path, rest: bytes, got: str | None) -> None:
    path = archive_of(tmp_path / "x.pt", TENSOR % b"FloatStorage" + rest)
    if got is None:
        assert read_torch_file(path)[0]["tensor"].tolist() == [0.0, 0.0]
        return
    with pytest.raises(CheckpointError, match=got):
        read_torch_file(path)


@pytest.mark.parametrize("storage", [b"QInt8Storage", b"UntypedStorage"])
def test_a_dtype_that_polytape_lacks_is_an_error(tmp_path: Path, storage: bytes) -> None:
    path = archive_of(tmp_path / "x.pt", TENSOR % storage + b"K\x00K\x02\x85K\x01\x85tR.")
    with pytest.raises(CheckpointError, match="polytape has no dtype for"):
        read_torch_file(path)


def test_damaged_compressed_and_foreign_files_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    with pytest.raises(CheckpointError, match="compressed"):
        read_torch_file(archive_of(path, pickle.dumps({}), zipfile.ZIP_DEFLATED))
    with pytest.raises(CheckpointError, match="booleans"):
        read_torch_file(archive_of(path, TENSOR % b"BoolStorage" + b"K\x00K\x02\x85K\x01\x85tR.", data=b"\x02\x02"))
    write_torch_file(str(path), {"a": np.arange(1000.0)})
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(CheckpointError, match="CRC"):
        read_torch_file(str(path))
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(CheckpointError, match="not a zip file"):
        read_torch_file(str(path))
    with pytest.raises(FileNotFoundError, match=r"missing\.pt"):
        read_torch_file(str(tmp_path / "missing.pt"))


@pytest.mark.slow
def test_a_container_that_contains_itself_is_an_error(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "x.pt", b"\x80\x02]q\x00h\x00a.")
    with pytest.raises(CheckpointError, match="levels"):
        read_torch_file(path)
    bomb = b"\x80\x02]q\x00" + b"".join(b"]q%c(h%ch%ce" % (level + 1, level, level) for level in range(40)) + b"."
    with pytest.raises(CheckpointError, match="values"):
        read_torch_file(archive_of(tmp_path / "y.pt", bomb))
