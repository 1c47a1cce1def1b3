"""The character model: it learns more than how frequent characters are, and writes with those of the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tqdm")
TEXT = "the cat sat on the mat; the rat ate the hat. " * 40
SMALL = ("--units", "24", "--batch", "16", "--window", "12", "--length", "90")


@pytest.mark.parametrize(("backend", "steps"), [("numpy", 120), ("numba", 2), ("sim", 2)])
def test_it_learns_a_text_and_continues_it(run: Callable[..., str], backend: str, steps: int, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    printed = run("char_lstm", "--text", "text.txt", "--steps", str(steps), *SMALL, backend=backend)
    losses = [float(loss) for loss in re.findall(r"([\d.]+) bits", printed)]
    written = printed.splitlines()[-1]
    assert written.startswith(TEXT[:12]) and len(written) == 12 + 90 and set(written) <= set(TEXT)
    _, counts = np.unique(list(TEXT), return_counts=True)
    shares = counts / counts.sum()
    assert losses[0] == pytest.approx(np.log2(len(counts)), rel=0.05)  # untrained, each character is as likely
    if backend == "numpy":
        entropy = -(shares * np.log2(shares)).sum()  # of a model that knows the frequencies alone
        assert losses[-1] < 0.3 * entropy
        words = written[12:].split()[1:-1]
        assert np.mean([word in TEXT.split() for word in words]) > 0.8


def test_a_text_that_is_too_short_or_does_not_exist_is_one_line(run: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("short", encoding="utf-8")
    assert "text.txt has 5 characters; --window 40 needs more" in run("char_lstm", "--text", "text.txt", fails=True)
    assert "did you mean 'text.txt'" in run("char_lstm", "--text", "txet.txt", fails=True)
