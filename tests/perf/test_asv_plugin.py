"""The plugin of asv: quick runs leave no results, and an existing Python is one pass with its own label."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from polytape import buildinfo
from polytape_perf import asv_plugin


class Command:
    """As one of asv's: it saves a result in the folder that the configuration names."""

    folders: ClassVar[list[Path]] = []
    selections: ClassVar[list[str | None]] = []

    @classmethod
    def run(cls, conf: Any, quick: bool = False, bench: Any = None) -> int:
        cls.selections.append(os.environ.get(asv_plugin.SELECTION))
        folder = Path(conf.results_dir)
        folder.mkdir(exist_ok=True)
        (folder / "result.json").write_text("1", encoding="utf-8")
        cls.folders.append(folder)
        return 7


def test_values_of_a_quick_run_are_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = asv_plugin._unsaved_if_quick(Command.run.__func__)  # type: ignore[attr-defined]
    conf = SimpleNamespace(results_dir=str(tmp_path / "results"))
    assert run(Command, conf, quick=True) == 7
    assert not (tmp_path / "results").exists() and not Command.folders[-1].exists()
    assert conf.results_dir == str(tmp_path / "results")
    assert "its values are not saved" in capsys.readouterr().out
    assert run(Command, conf, quick=False) == 7
    assert (tmp_path / "results" / "result.json").exists()


def test_a_quick_run_has_the_panel_unless_benchmarks_are_chosen(tmp_path: Path) -> None:
    run = asv_plugin._unsaved_if_quick(Command.run.__func__)  # type: ignore[attr-defined]
    conf = SimpleNamespace(results_dir=str(tmp_path / "results"))
    for options in ({"quick": True}, {"quick": True, "bench": ["Dispatch"]}, {"quick": False}):
        run(Command, conf, **options)
    assert Command.selections[-3:] == ["panel", None, None]
    assert asv_plugin.SELECTION not in os.environ


def test_an_existing_python_is_one_pass_labelled_with_the_ring_that_runs() -> None:
    def environments() -> Any:
        for ring in ("1", "0"):
            yield SimpleNamespace(_executable=sys.executable, _tagged_env_vars={asv_plugin._RING: ring})
        yield "built"

    found = [*asv_plugin._one_pass(environments, SimpleNamespace)()]
    assert [x._tagged_env_vars[asv_plugin._RING] for x in found[:1]] == [str(int(buildinfo.compiled()))]
    assert found[1:] == ["built"]


def test_the_plugin_fits_the_asv_that_is_pinned() -> None:
    pytest.importorskip("asv", reason="asv is in the extra 'bench'")
    asv_plugin.setup()
    asv_plugin.setup()
    for name in ("run", "continuous"):
        command = getattr(importlib.import_module(f"asv.commands.{name}"), name.capitalize())
        assert not hasattr(command.run.__func__.__wrapped__, "__wrapped__")


@pytest.mark.slow
def test_a_quick_run_of_asv_saves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("asv", reason="asv is in the extra 'bench'")
    folder = Path(__file__).parents[2] / "asv_bench"
    text = (folder / "asv.conf.json").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.strip().startswith("//"))
    conf = {**json.loads(lines), "benchmark_dir": str(folder / "benchmarks"), "repo": str(folder.parent)}
    conf |= {"results_dir": str(tmp_path / "results")}
    (tmp_path / "asv.conf.json").write_text(json.dumps(conf), encoding="utf-8")
    config = ["--config", str(tmp_path / "asv.conf.json")]
    command = [sys.executable, "-m", "asv", "run", *config, "--python=same", "--quick", "--machine", "test",
               "--bench", "Dispatch.time_case.*numpy:cpu.*add", "--show-stderr"]  # fmt: skip
    subprocess.run([sys.executable, "-m", "asv", "machine", *config, "--yes", "--machine", "test"], check=True)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "its values are not saved" in result.stdout
    assert not [path for path in (tmp_path / "results").rglob("*.json") if path.name not in ("machine.json",)]
