"""The command line, run as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Child = Callable[..., "CompletedProcess[str]"]


def command(*words: str) -> list[str]:
    return ["-m", "polytape.cli", *words]


def test_without_a_command_it_lists_them(child: Child) -> None:
    done = child(command(), status=2)
    for name in ("backends", "doctor", "explain"):
        assert f"\n  {name} " in done.stdout
    assert child(command("--help")).stdout == done.stdout


def test_a_mistyped_command_is_answered_with_the_nearest(child: Child) -> None:
    assert "did you mean 'backends'?" in child(command("backend"), status=2).stderr
    assert "`polytape --help` lists them" in child(command("xyzzy"), status=2).stderr


def test_the_version_is_that_of_the_distribution(child: Child) -> None:
    name, version = child(command("--version")).stdout.split(maxsplit=1)
    assert name == "polytape" and version[0].isdigit()


def test_backends_lists_status_reason_and_remedy(child: Child) -> None:
    text = child(command("backends"), "good", "broken", "faster").stdout
    table, notes = text.split("\n\n")
    rows = {line.split()[0]: line.split() for line in table.splitlines()}
    assert rows["backend"][:5] == ["backend", "status", "devices", "version", "distribution"]
    assert rows["good"][1:5] == ["ready", "cpu", "1.2.3", "polytape-good"]
    assert rows["broken"][1] == "import-failed"
    assert all(number.isdigit() for number in rows["numpy"][-4:])
    assert "broken: import-failed: ValueError: the driver's table is damaged" in notes
    assert "\n  fix: `polytape doctor` shows the traceback" in notes
    assert "numpy: more kernels from polytape-faster" in notes


def test_backends_speaks_json(child: Child) -> None:
    found = {one["name"]: one for one in json.loads(child(command("backends", "--json"), "good", "broken").stdout)}
    assert found["good"]["status"] == "ready" and found["good"]["devices"] == ["good:cpu:0"]
    assert found["good"]["native"] > 0 and found["broken"]["native"] is None
    assert found["broken"]["remedy"] and found["good"]["load_time_s"] > 0.0


def test_doctor_reports_and_passes_where_the_backend_is_ready(child: Child, tmp_path: Path) -> None:
    done = child(command("doctor", "--report", "report.txt"), "broken", POLYTAPE_FALLBACK="warn")
    assert "new tensors: numpy:cpu:0, chosen by default" in done.stdout
    assert "POLYTAPE_FALLBACK=warn" in done.stdout and "kernel ring: " in done.stdout
    report = (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert report == done.stdout
    assert "last error of broken:\nTraceback" in report and "RuntimeError: cannot start" in report


def test_doctor_fails_where_the_requested_backend_is_not_ready(child: Child) -> None:
    done = child(command("doctor"), "broken", status=1, POLYTAPE_BACKEND="broken")
    assert "new tensors: the requested backend is not ready\nPOLYTAPE_BACKEND='broken': backend" in done.stdout
    facts = json.loads(child(command("doctor", "--json"), "broken", status=1, POLYTAPE_BACKEND="broken").stdout)
    assert facts["chosen"]["ready"] is False and "damaged" in facts["chosen"]["error"]
    assert facts["settings"] == {"POLYTAPE_BACKEND": "broken"}
    assert {one["name"] for one in facts["backends"]} >= {"numpy", "numba", "cupy", "broken"}


def test_doctor_tells_what_a_setting_misses(child: Child, tmp_path: Path) -> None:
    done = child(command("doctor"), "good", POLYTAPE_PLUGINS="polytape-goood")
    assert "POLYTAPE_PLUGINS: no plugin fits 'polytape-goood'" in done.stdout
    failed = child(command("doctor", "--report", str(tmp_path / "no" / "file")), status=1)
    assert "cannot be written" in failed.stderr


def test_explain_shows_which_kernel_would_run(child: Child) -> None:
    text = child(command("explain", "add", "float32[2,3]", "float32[2,3]"), "faster").stdout
    assert "polytape-faster" in text and "add" in text
    assert "sum" in child(command("explain", "sum", "float32[8]", "axis=0")).stdout
    assert "softmax" in child(command("explain", "nn.softmax", "float32[2, 3]")).stdout


def test_explain_says_what_it_cannot_read(child: Child) -> None:
    assert "did you mean 'add'?" in child(command("explain", "addd", "float32[2]"), status=1).stderr
    for word in ("float32[x]", "float32[2", "hello"):
        assert f"{word!r} is no operand" in child(command("explain", "add", word, "2.0"), status=1).stderr
