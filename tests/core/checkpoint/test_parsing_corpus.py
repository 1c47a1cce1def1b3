"""What fuzzing found worth keeping: every reader returns or raises CheckpointError, whatever a file contains."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TESTS = Path(__file__).parents[2]
CORPUS = sorted((TESTS / "fixtures" / "checkpoint_corpus").iterdir())


@pytest.fixture(scope="module")
def fuzzing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_checkpoint_fuzzing", TESTS / "run_checkpoint_fuzzing.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_no_reader_fails_in_another_way(fuzzing: ModuleType, path: Path) -> None:
    fuzzing.check(path.read_bytes())


def test_the_seeds_are_valid_and_reach_every_reader(fuzzing: ModuleType) -> None:
    seeds = fuzzing.seeds()
    assert {data[0] for data in seeds} == set(range(len(fuzzing.READERS)))
    for data in seeds:
        fuzzing.READERS[data[0]](data[1:])


def test_the_corpus_reaches_every_reader(fuzzing: ModuleType) -> None:
    assert {path.read_bytes()[0] % len(fuzzing.READERS) for path in CORPUS} == set(range(len(fuzzing.READERS)))
    assert sum(path.stat().st_size for path in CORPUS) < 30_000
