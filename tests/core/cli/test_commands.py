"""The command line, run the way a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Child = Callable[..., "CompletedProcess[str]"]


def command(*words: str) -> list[str]:
    return ["-m", "polytape.cli", *words]


def test_without_a_command_the_commands_are_listed(child: Child) -> None:
    listing = child(command(), status=2).stdout
    for name in ("backends", "doctor", "explain", "todo"):
        assert f"\n  {name} " in listing
    assert child(command("--help")).stdout == listing


def test_a_mistyped_command_suggests_the_nearest(child: Child) -> None:
    assert "did you mean 'backends'?" in child(command("backend"), status=2).stderr
    assert "see `polytape --help`" in child(command("xyzzy"), status=2).stderr


def test_the_package_runs_as_the_command(child: Child) -> None:
    assert child(["-m", "polytape", "--version"]).stdout == child(command("--version")).stdout


def test_version_prints_the_version_of_the_distribution(child: Child) -> None:
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
    assert "numpy: additional kernels from polytape-faster" in notes


def test_backends_can_print_json(child: Child) -> None:
    statuses = json.loads(child(command("backends", "--json"), "good", "broken").stdout)
    by_name = {status["name"]: status for status in statuses}
    assert by_name["good"]["status"] == "ready" and by_name["good"]["devices"] == ["good:cpu:0"]
    assert by_name["good"]["native"] > 0 and by_name["broken"]["native"] is None
    assert by_name["broken"]["remedy"] and by_name["good"]["load_time_s"] > 0.0


def test_doctor_reports_and_succeeds_if_the_backend_is_ready(child: Child, tmp_path: Path) -> None:
    printed = child(command("doctor", "--report", "report.txt"), "broken", POLYTAPE_FALLBACK="warn").stdout
    assert "new tensors: numpy:cpu:0, chosen by default" in printed
    assert "POLYTAPE_FALLBACK=warn" in printed and "kernel ring: " in printed
    report = (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert report == printed
    assert "last error of broken:\nTraceback" in report and "RuntimeError: cannot start" in report


def test_doctor_fails_if_the_requested_backend_is_not_ready(child: Child) -> None:
    printed = child(command("doctor"), "broken", status=1, POLYTAPE_BACKEND="broken").stdout
    assert "new tensors: the requested backend is not ready\nPOLYTAPE_BACKEND='broken': backend" in printed
    facts = json.loads(child(command("doctor", "--json"), "broken", status=1, POLYTAPE_BACKEND="broken").stdout)
    assert facts["chosen"]["ready"] is False and "damaged" in facts["chosen"]["error"]
    assert facts["settings"] == {"POLYTAPE_BACKEND": "broken"}
    assert {status["name"] for status in facts["backends"]} >= {"numpy", "numba", "cupy", "broken"}


def test_doctor_warns_about_a_misspelt_plugin_and_an_unwritable_report(child: Child, tmp_path: Path) -> None:
    printed = child(command("doctor"), "good", POLYTAPE_PLUGINS="polytape-goood").stdout
    assert "POLYTAPE_PLUGINS: no plugin matches 'polytape-goood'" in printed
    failed = child(command("doctor", "--report", str(tmp_path / "no" / "file")), status=1)
    assert "cannot be written" in failed.stderr


def test_explain_shows_which_kernel_would_run(child: Child) -> None:
    text = child(command("explain", "add", "float32[2,3]", "float32[2,3]"), "faster").stdout
    assert "polytape-faster" in text and "add" in text
    assert "sum" in child(command("explain", "sum", "float32[8]", "axis=0")).stdout
    assert "softmax" in child(command("explain", "nn.softmax", "float32[2, 3]")).stdout
