"""Files: each format against bytes written by hand, and each kind of damage as an error that names the record."""

from __future__ import annotations

import contextlib
import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.data import Dataset, TFRecordWriter, parse_example, write_example
from polytape.data.checksums import crc32c, crc32c_by_tables


def bitwise_crc32c(data: bytes) -> int:
    """The definition: a polynomial division, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_crc32c_has_the_values_of_rfc_3720(data: bytes, crc: int) -> None:
    assert crc32c(data) == crc32c_by_tables(data) == crc32c(memoryview(data)) == bitwise_crc32c(data) == crc


def test_crc32c_is_the_polynomial_division_for_every_length() -> None:
    data = np.random.default_rng(0).integers(0, 256, 5000).astype(np.uint8).tobytes()
    for n in [*range(70), 1000, *range(1020, 1030), 1056, 1057, 2047, 2048, 2049, 3000, 5000]:
        assert crc32c(data[:n]) == crc32c_by_tables(data[:n]) == bitwise_crc32c(data[:n]), n


def record(data: bytes) -> bytes:
    """A TFRecord by the format's specification."""

    def masked(part: bytes) -> bytes:
        crc = bitwise_crc32c(part)
        return struct.pack("<I", ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def test_a_written_file_has_the_bytes_of_the_specification(tmp_path: Path) -> None:
    records = [b"", b"foo", bytes(range(256)) * 20]
    for name, compression in (("plain", None), ("packed", "gzip")):
        path = tmp_path / name
        with TFRecordWriter(path, compression) as writer:
            for data in records:
                writer.write(data)
        raw = gzip.decompress(path.read_bytes()) if compression else path.read_bytes()
        assert raw == b"".join(map(record, records))
        assert list(Dataset.from_tfrecord(path)) == records
        assert list(Dataset.from_tfrecord([path, path]).skip(2).take(3)) == [records[2], *records[:2]]
    with pytest.raises(TypeError, match="needs bytes"), TFRecordWriter(tmp_path / "x") as writer:
        writer.write("text")  # type: ignore[arg-type]


def damage(raw: bytes, position: int) -> bytes:
    return raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]


@pytest.mark.parametrize("compression", [None, "gzip"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda raw: damage(raw, 17 + 2), "the checksum of its length differs"),
        (lambda raw: damage(raw, 17 + 9), "the checksum of its length differs"),
        (lambda raw: damage(raw, 17 + 13), "its checksum differs"),
        (lambda raw: damage(raw, 17 + 16), "its checksum differs"),
        (lambda raw: raw[: 17 + 5], "the file ends within its header"),
        (lambda raw: raw[: 17 + 14], "the file ends within it"),
        (lambda raw: raw[: 17 + 18], "the file ends within it"),
    ],
)
def test_a_bad_record_is_named(tmp_path: Path, change: Any, reason: str, compression: str | None) -> None:
    raw = change(record(b"a") + record(b"bcd") + record(b"e"))
    path = tmp_path / "bad.tfrecord"
    path.write_bytes(gzip.compress(raw) if compression else raw)
    it = iter(Dataset.from_tfrecord(path))
    assert next(it) == b"a"
    for _ in range(2):  # again: it is not skipped
        with pytest.raises(pt.errors.DataError, match=rf"bad\.tfrecord: record 1 at byte 17 is bad: {reason}"):
            next(it)


def test_every_single_damaged_byte_is_found(tmp_path: Path) -> None:
    raw = record(b"abc") + record(b"defg")
    path = tmp_path / "bad"
    for position in range(len(raw)):
        path.write_bytes(damage(raw, position))
        with pytest.raises(pt.errors.DataError, match=f"record {0 if position < 19 else 1} at"):
            list(Dataset.from_tfrecord(path, compression=None))


def test_damaged_gzip_data_is_named(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(record(bytes([i]) * 50) for i in range(40)), mtime=0)
    path = tmp_path / "bad.gz"
    for raw in (packed[:-30], damage(packed, len(packed) // 2), damage(packed, len(packed) - 6)):
        path.write_bytes(raw)
        with pytest.raises(pt.errors.DataError, match=r"bad\.gz: record \d+ at byte \d+ is bad"):
            list(Dataset.from_tfrecord(path))
    lines = gzip.compress(b"line\n" * 5000, mtime=0)
    path.write_bytes(lines[:-4])
    with pytest.raises(pt.errors.DataError, match=r"bad\.gz: record \d+ at byte \d+ is bad: the compressed data"):
        list(Dataset.from_text(path))


def test_unverified_records_still_have_checked_lengths(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(damage(record(b"abc"), 13))
    assert list(Dataset.from_tfrecord(path, verify=False)) == [b"acc"]
    path.write_bytes(damage(record(b"abc"), 0))
    with pytest.raises(pt.errors.DataError, match="record 0"):
        list(Dataset.from_tfrecord(path, verify=False))


def test_skipping_finds_the_end_and_a_truncated_record(tmp_path: Path) -> None:
    path = tmp_path / "file"
    raw = b"".join(record(bytes([i]) * i) for i in range(20))
    path.write_bytes(raw)
    assert list(Dataset.from_tfrecord(path).skip(18)) == [bytes([i]) * i for i in (18, 19)]
    assert list(Dataset.from_tfrecord(path).skip(21)) == []
    path.write_bytes(raw[:-1])
    with pytest.raises(pt.errors.DataError, match="record 19 at byte"):
        list(Dataset.from_tfrecord(path).skip(20))


def test_lines_have_no_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes("one\ntwo\r\n\nfü\x0bnf".encode())
    assert list(Dataset.from_text(path)) == ["one", "two", "", "fü\x0bnf"]
    path.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert list(Dataset.from_text([path, path]).enumerate().map(lambda i, s: s).skip(1)) == ["two", "one", "two"]
    path.write_bytes(b"fine\nb\xe4d\n")
    with pytest.raises(pt.errors.DataError, match=r"text: record 1 at byte 5 is bad: it is not text"):
        list(Dataset.from_text(path))
    assert list(Dataset.from_text(path, encoding="latin-1")) == ["fine", "bäd"]


def test_files_are_matched_in_sorted_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.csv"):
        (tmp_path / name).write_text(f"{name}\n")
    files = Dataset.files(tmp_path / "*.txt")
    assert [Path(path).name for path in files] == ["a.txt", "b.txt"]
    assert list(files.interleave(Dataset.from_text)) == ["a.txt", "b.txt"]
    with pytest.raises(pt.errors.DataError, match="no file matches"):
        Dataset.files(tmp_path / "*.png")
    with pytest.raises(FileNotFoundError):
        list(Dataset.from_text(tmp_path / "none"))


def test_csv_rows_have_dtypes_by_name_or_in_order(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b,name\n1,2.5,"x, ""y""\nz"\n\n-3,1e3,w\n')
    rows = list(Dataset.from_csv(path, {"name": str, "a": "int32"}))
    assert [(row["name"], row["a"].item()) for row in rows] == [('x, "y"\nz', 1), ("w", -3)]
    assert rows[0]["a"].dtype == pt.int32
    assert [tuple(row) for row in Dataset.from_csv(path, ["int64", "float32", str])] == [("a", "b", "name")] * 2
    plain = tmp_path / "plain"
    plain.write_text("1;True\n2;0\n")
    rows = list(Dataset.from_csv(plain, ["uint8", "bool"], header=False, delimiter=";").batch(2))
    assert [x.tolist() for x in rows[0]] == [[1, 2], [True, False]]
    plain.write_text("1,\n,2\n")
    filled = Dataset.from_csv(plain, header=False, missing=-1)
    assert [tuple(x.item() for x in row) for row in filled] == [(1.0, -1.0), (-1.0, 2.0)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2\nx,4\n", "its column 'a' cannot be read"),
        ("a,b\n1,2\n300,4\n", "its column 'a' cannot be read"),
        ("a,b\n1,2\n3.5,4\n", "its column 'a' cannot be read"),
        ("a,b\n1,2\n,4\n", "its column 'a' is empty"),
        ("a,b\n1,2\n3\n", "it has another number of fields"),
        ("a,b\n1,2\n3,4,5\n", "it has another number of fields"),
        ('a,b\n1,2\n"3"x,4\n', "it is not CSV"),
        ('a,b\n1,2\n"3,4\n', "it is not CSV"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    it = iter(Dataset.from_csv(path, {"a": "uint8", "b": "int32"}))
    next(it)
    with pytest.raises(pt.errors.DataError, match=rf"bad\.csv: record 1 at byte 8 is bad: {reason}"):
        next(it)


def test_columns_that_do_not_fit_the_header_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,a\n1,2\n")
    with pytest.raises(pt.errors.DataError, match="two columns have the same name"):
        list(Dataset.from_csv(path))
    path.write_text("a,b\n1,2\n")
    with pytest.raises(pt.errors.DataError, match="has no column 'c'"):
        list(Dataset.from_csv(path, {"c": "float32"}))
    with pytest.raises(pt.errors.DataError, match="has 2 columns"):
        list(Dataset.from_csv(path, ["float32"]))
    with pytest.raises(ValueError, match="needs names"):
        Dataset.from_csv(path, {"a": "float32"}, header=False)


# tf.train.Example{features {feature {"a": float_list [1.0, 2.5]}, "b": int64_list [5, -1], "c": bytes_list ["x", ""]}}
FLOATS = b"\x0a\x08" + struct.pack("<2f", 1.0, 2.5)
INTS = b"\x0a\x0b\x05" + b"\xff" * 9 + b"\x01"
STRINGS = b"\x0a\x01x\x0a\x00"


def entry(name: bytes, tag: int, payload: bytes) -> bytes:
    feature = bytes([tag, len(payload)]) + payload
    body = bytes([10, len(name)]) + name + bytes([18, len(feature)]) + feature
    return bytes([10, len(body)]) + body


BY_HAND = entry(b"a", 0x12, FLOATS) + entry(b"b", 0x1A, INTS) + entry(b"c", 0x0A, STRINGS)
EXAMPLE = bytes([10, len(BY_HAND)]) + BY_HAND


def test_an_example_is_read_and_written_as_its_proto_says() -> None:
    features = parse_example(EXAMPLE)
    assert features["a"].tolist() == [1.0, 2.5]
    assert features["a"].dtype == np.float32
    assert features["b"].tolist() == [5, -1]
    assert features["c"] == [b"x", b""]
    assert write_example({"c": ["x", b""], "a": pt.asarray([1.0, 2.5]), "b": np.asarray([5, -1])}) == EXAMPLE
    assert parse_example(write_example({})) == {}
    extremes = [2**63 - 1, -(2**63), 0, 127, 128]
    assert parse_example(write_example({"n": extremes}))["n"].tolist() == extremes
    with pytest.raises(TypeError, match="cannot store the feature 'n'"):
        write_example({"n": np.asarray([2**63], np.uint64)})
    with pytest.raises(TypeError, match="cannot store"):
        write_example({"n": [1j]})


def test_unpacked_numbers_and_unknown_fields_are_read() -> None:
    unpacked = b"\x0d" + struct.pack("<f", 1.5) + b"\x0d" + struct.pack("<f", 2.0)
    ints = b"\x08\x07\x08\x80\x01"
    body = entry(b"f", 0x12, unpacked) + entry(b"i", 0x1A, ints) + b"\x48\x05"
    features = parse_example(bytes([10, len(body)]) + body + b"\x15\x00\x00\x00\x00")
    assert features["f"].tolist() == [1.5, 2.0]
    assert features["i"].tolist() == [7, 128]


def test_a_damaged_example_is_an_error_or_another_example() -> None:
    """Never another exception, whatever the bytes."""
    for position in range(len(EXAMPLE)):
        for change in (1, 0x80, 0xFF):
            with contextlib.suppress(pt.errors.DataError):
                parse_example(EXAMPLE[:position] + bytes([EXAMPLE[position] ^ change]) + EXAMPLE[position + 1 :])
    for end in range(1, len(EXAMPLE)):
        with pytest.raises(pt.errors.DataError):
            parse_example(EXAMPLE[:end])
    with pytest.raises(TypeError, match="needs bytes"):
        parse_example("text")  # type: ignore[arg-type]


def test_a_pipeline_from_records_to_batches(tmp_path: Path) -> None:
    path = tmp_path / "train.tfrecord"
    with TFRecordWriter(path) as writer:
        for i in range(6):
            writer.write(write_example({"x": np.full(3, i, np.float32), "y": i}))

    def parse(data: bytes) -> Any:
        features = parse_example(data)
        return features["x"], features["y"][0]

    batches = list(Dataset.from_tfrecord(path).shuffle(4, seed=1).map(parse, num_workers=2).batch(3))
    assert sorted(int(y) for batch in batches for y in batch[1].tolist()) == list(range(6))
    assert all((batch[0].numpy() == batch[1].numpy()[:, None]).all() for batch in batches)
