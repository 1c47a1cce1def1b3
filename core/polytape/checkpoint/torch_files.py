"""PyTorch's files of state dicts, read and written without PyTorch.

Such a file is a zip archive of uncompressed files: ``NAME/data.pkl``, a pickle that describes the tensors, and
``NAME/data/0``, ``NAME/data/1``, ..., their bytes.

Source: PyTorch 2, torch/serialization.py and torch/_utils.py.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from .. import dtypes
from ..errors import CheckpointError
from .files import Replacement, damaged, quoted, system_error
from .pickled import Global, Rebuilt, Storage, read_pickle

__all__ = ["read_torch_file", "write_torch_file"]

Array = np.ndarray[Any, np.dtype[Any]]

_MAX_PICKLE_NBYTES: Final = 500_000_000
_MAX_VALUES: Final = 5_000_000  # in all containers; a forged pickle may contain the same container again and again
_MAX_LEVELS: Final = 100
_STORAGES: Final = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}  # fmt: skip
_STORAGE_OF: Final = {dtype: storage for storage, dtype in _STORAGES.items()}
_UNTYPED: Final = ("uint16", "uint32", "uint64")  # these have no class of storage of their own


def read_torch_file(path: str) -> tuple[dict[str, Array], dict[str, str]]:
    """The tensors of a state dict, or of dicts and lists of such, in a file that ``torch.save`` wrote.

    The names of nested entries are joined by dots.

    Returns:
        The tensors by name; and of what is no tensor and so is left out, the type by name.
    Raises:
        CheckpointError: the file is missing, damaged, or holds other objects than dicts, lists, tuples, tensors,
            numbers, strings and None.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _Reader(path, archive).read()
    except CheckpointError:
        raise
    except OSError as error:
        summary = f"{path!r} cannot be read: {error.strerror or error}."
        raise system_error(error, summary, expected="a readable file", fix="check the path and permissions") from error
    except Exception as error:  # zipfile and pickletools raise many kinds for malformed files
        raise damaged(
            path,
            "it is not a state dict of PyTorch",
            expected="a zip archive as torch.save writes it since PyTorch 1.6, of dicts, lists, tensors and numbers",
            got=f"{type(error).__name__}: {error}"[:300],
            fix="save model.state_dict() with torch.save, or with safetensors.torch.save_file",
        ) from error


class _Reader:
    """Reads one archive."""

    def __init__(self, path: str, archive: zipfile.ZipFile) -> None:
        self.path: Final = path
        self.archive: Final = archive
        self.members: Final = {info.filename: info for info in archive.infolist()}
        self.storages: dict[str, bytes] = {}
        self.order = "<"
        self.count = 0

    def read(self) -> tuple[dict[str, Array], dict[str, str]]:
        pickles = [name for name in self.members if name.endswith("/data.pkl")]
        if len(pickles) != 1 or self.members[pickles[0]].file_size > _MAX_PICKLE_NBYTES:
            raise ValueError(f"{len(pickles)} files data.pkl, or one that is too large")
        self.folder = pickles[0].removesuffix("data.pkl")
        if f"{self.folder}byteorder" in self.members:
            self.order = {b"little": "<", b"big": ">"}[self.member("byteorder")]
        tensors: dict[str, Array] = {}
        others: dict[str, str] = {}
        for name, value in self.entries("", read_pickle(self.member("data.pkl")), 0):
            unique = name or "tensor"
            if unique in tensors:
                raise ValueError(f"two tensors are named {quoted(unique)}")
            if isinstance(value, Rebuilt):
                tensors[unique] = self.tensor(value)
            elif isinstance(value, (Storage, Global)):
                raise ValueError(f"{quoted(unique)} is a {value}"[:200])
            else:
                others[unique] = type(value).__name__
        return tensors, others

    def member(self, name: str) -> bytes:
        info = self.members[self.folder + name]
        if info.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{info.filename} is compressed")  # a small file could become as large as it likes
        return self.archive.read(info)

    def entries(self, name: str, value: Any, level: int) -> Iterator[tuple[str, Any]]:
        self.count += 1
        if self.count > _MAX_VALUES or level > _MAX_LEVELS:
            raise ValueError(f"more than {_MAX_VALUES} values or {_MAX_LEVELS} levels")
        if type(value) not in (dict, list, tuple):
            yield name, value
            return
        for key, entry in value.items() if type(value) is dict else enumerate(value):
            yield from self.entries(f"{name}.{key}" if name else str(key), entry, level + 1)

    def tensor(self, rebuilt: Rebuilt) -> Array:
        if rebuilt.name.endswith("_rebuild_parameter"):
            data = rebuilt.arguments[0]
            if not isinstance(data, Rebuilt) or data.name.endswith("_rebuild_parameter"):
                raise ValueError("a parameter is not made of a tensor")
            return self.tensor(data)
        storage, offset, shape, strides = rebuilt.arguments[:4]
        explicit = rebuilt.arguments[6] if rebuilt.name.endswith("_v3") else None
        raw, dtype = self.storage(storage, explicit)
        sizes = [offset, *shape, *strides]
        if not all(type(size) is int and 0 <= size < 2**63 for size in sizes) or len(shape) != len(strides):
            raise ValueError(f"shape {shape!r} and strides {strides!r}"[:200])
        if math.prod(shape) * dtype.itemsize > len(raw):
            raise ValueError(f"a tensor of shape {shape} is larger than its storage of {len(raw)} bytes"[:200])
        if not math.prod(shape):
            return np.empty(tuple(shape), dtype)
        # NumPy checks that all elements are inside the storage.
        steps = [stride * dtype.itemsize for stride in strides]
        view: Array = np.ndarray(tuple(shape), dtype, raw, offset * dtype.itemsize, steps)
        array = np.array(view, order="C")
        if self.order == ">":
            (array.view(np.uint16) if dtype.name == "bfloat16" else array).byteswap(inplace=True)
        if dtype.name == "bool" and array.reshape(-1).view(np.uint8).max() > 1:
            raise ValueError("a tensor of booleans holds other bytes than 0 and 1")
        return array

    def storage(self, storage: Any, explicit: Any) -> tuple[bytes, np.dtype[Any]]:
        """The bytes of a storage, and the dtype of a tensor in it."""
        kind, cls, key = storage.identity[:3]
        if kind != "storage" or not isinstance(cls, Global) or not isinstance(key, str):
            raise ValueError(f"the storage {storage!r}"[:200])
        name = (explicit or cls).name.rpartition(".")[2]
        named = name if name in _UNTYPED else _STORAGES.get(name, _STORAGE_OF.get(name) and name)
        if named is None:
            raise ValueError(f"a tensor of {name}, which polytape has no dtype for")
        raw = self.storages.get(key)
        if raw is None:
            raw = self.storages[key] = self.member(f"data/{key}")
        return raw, dtypes.lookup(named)


def write_torch_file(path: str, tensors: Mapping[str, Array]) -> None:
    """Write a state dict that ``torch.load(path, weights_only=True)`` reads, replacing the file or leaving it.

    Raises:
        CheckpointError: the file cannot be written.
    """
    with Replacement(path) as new, zipfile.ZipFile(_Seekable(new), "w", zipfile.ZIP_STORED) as archive:
        # A fixed date: the same tensors give the same bytes.
        archive.writestr(zipfile.ZipInfo("archive/data.pkl"), _pickle(tensors))
        archive.writestr(zipfile.ZipInfo("archive/byteorder"), b"little")
        for number, array in enumerate(tensors.values()):
            ordered = array if array.dtype.name == "bfloat16" else array.astype(array.dtype.newbyteorder("<"))
            archive.writestr(zipfile.ZipInfo(f"archive/data/{number}"), ordered.tobytes())
        archive.writestr(zipfile.ZipInfo("archive/version"), b"3\n")


class _Seekable(io.RawIOBase):
    """What zipfile needs of a file, for a `Replacement`."""

    def __init__(self, new: Replacement) -> None:
        self._new: Final = new
        self._position = 0

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._new.write(view)
        self._position += len(view)
        return len(view)

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        assert whence == 0  # zipfile uses no other when it writes
        self._new.seek(offset)
        self._position = offset
        return offset

    def seekable(self) -> bool:
        return True


def _pickle(tensors: Mapping[str, Array]) -> bytes:
    """The pickle of a dict of tensors, in protocol 2."""
    parts = [b"\x80\x02}("]
    for number, (name, array) in enumerate(tensors.items()):
        parts += [_text(name), _tensor(number, array)]
    return b"".join([*parts, b"u."])


def _tensor(number: int, array: Array) -> bytes:
    dtype = array.dtype.name
    untyped = dtype in _UNTYPED
    storage = b"ctorch.storage\nUntypedStorage\n" if untyped else f"ctorch\n{_STORAGE_OF[dtype]}\n".encode()
    count = _integer(array.nbytes if untyped else array.size)
    strides = [math.prod(array.shape[axis + 1 :]) for axis in range(array.ndim)]
    return b"".join([
        b"ctorch._utils\n_rebuild_tensor_v3\n(" if untyped else b"ctorch._utils\n_rebuild_tensor_v2\n(",
        b"(", _text("storage"), storage, _text(str(number)), _text("cpu"), count, b"tQ",
        _integer(0), _integers(array.shape), _integers(strides),
        b"\x89ccollections\nOrderedDict\n)R",  # requires_grad, and the hooks of the backward pass
        f"ctorch\n{dtype}\n".encode() if untyped else b"",
        b"tR",
    ])  # fmt: skip


def _text(text: str) -> bytes:
    raw = text.encode("utf-8")
    return b"X" + struct.pack("<I", len(raw)) + raw


def _integer(number: int) -> bytes:
    if number < 2**31:
        return b"J" + struct.pack("<i", number)
    raw = number.to_bytes(9, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def _integers(numbers: Any) -> bytes:
    return b"(" + b"".join([_integer(number) for number in numbers]) + b"t"
