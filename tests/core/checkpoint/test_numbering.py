"""The names of numbered checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from polytape.checkpoint.numbering import file_name, is_numbered, newest, number_of, split


def test_a_name_and_its_number() -> None:
    assert file_name("ckpt", 3) == "ckpt-3.safetensors"
    assert number_of("ckpt-3.safetensors", "ckpt") == 3
    assert is_numbered("ckpt-3.safetensors") and is_numbered("a\nb-0.safetensors")


@pytest.mark.parametrize(
    "name", ["ckpt.safetensors", "ckpt-.safetensors", "ckpt-x.safetensors", "ckpt-1.safetensors.tmp", "-1.safetensors",
             "ckpt-1234567890123456789.safetensors"],
)  # fmt: skip
def test_other_names_have_no_number(name: str) -> None:
    assert number_of(name, "ckpt") is None and not is_numbered(name)


def test_a_prefix_is_taken_literally() -> None:
    assert number_of("aXb-1.safetensors", "a.b") is None
    assert number_of("ckpt-1-2.safetensors", "ckpt") is None and number_of("ckpt-1-2.safetensors", "ckpt-1") == 2


def test_a_path_is_split_into_directory_and_prefix(tmp_path: Path) -> None:
    assert split("runs/a") == ("runs", "a")
    assert split("runs//a//") == ("runs//a", "ckpt")
    assert split("a") == (".", "a")
    assert split(str(tmp_path)) == (str(tmp_path), "ckpt")


def test_the_newest_is_the_one_with_the_highest_number(tmp_path: Path) -> None:
    assert newest(str(tmp_path)) is None and newest(str(tmp_path / "missing" / "a")) is None
    for name in ("ckpt-9.safetensors", "ckpt-10.safetensors", "other-11.safetensors", "ckpt-x.safetensors"):
        (tmp_path / name).write_bytes(b"")
    assert newest(str(tmp_path)) == str(tmp_path / "ckpt-10.safetensors")
    assert newest(str(tmp_path / "other")) == str(tmp_path / "other-11.safetensors")
    assert newest(str(tmp_path / "a\0b")) is None
