"""`polytape backends` and `polytape doctor` with plugins that hang, crash or print."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Child = Callable[..., "CompletedProcess[str]"]

HANG = "import time\ntime.sleep(600)\n"


def write_plugin(site: Path, name: str, body: str, group: str = "backends", entry: str = "") -> None:
    """Write a distribution as pip would install it."""
    info = site / f"polytape_{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: polytape-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[polytape.{group}.v1]\n{entry or name} = polytape_{name}\n")
    (site / f"polytape_{name}.py").write_text(body)


def command(*words: str) -> list[str]:
    return ["-m", "polytape", *words]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Plugins of all kinds that a command must survive."""
    site = tmp_path / "site"
    write_plugin(site, "hang", HANG)
    write_plugin(site, "exits", "import os\nos._exit(3)\n")
    write_plugin(site, "interrupts", "raise KeyboardInterrupt\n")
    write_plugin(site, "prints", 'print(\'{"result": {}}\')\nraise ValueError("after printing")\n')
    write_plugin(site, "kernels", HANG, "kernels", "numba")
    body = "import polytape as pt\n@pt.hookimpl\ndef polytape_backend():\n    return pt.Backend(name='child', extends="
    write_plugin(site, "child", body + "'hang')\n")
    return site


@pytest.mark.slow
def test_a_plugin_that_hangs_or_ends_the_process_is_named_and_the_others_are_listed(child: Child, site: Path) -> None:
    # A plugin hangs for longer than a child may run.
    result = child(command("backends", "--json", "--timeout", "6"), site, "good")
    statuses: dict[str, Any] = {status["name"]: status for status in json.loads(result.stdout)}
    reasons = {name: status["reason"] for name, status in statuses.items() if status["status"] == "import-failed"}
    assert reasons["hang"] == "polytape_hang of polytape-hang did not finish within 6 s"
    assert reasons["exits"] == "polytape_exits of polytape-exits ended the process: exit status 3"
    assert reasons["interrupts"] == "KeyboardInterrupt" and reasons["prints"] == "ValueError: after printing"
    assert reasons["child"].startswith("backend 'hang' cannot be used: polytape_hang of polytape-hang did not finish")
    assert "POLYTAPE_PLUGINS=-polytape-hang" in statuses["hang"]["remedy"]
    assert statuses["numpy"]["status"] == statuses["good"]["status"] == "ready"
    assert statuses["numba"]["status"] != "ready" or statuses["numba"]["disabled"] == [
        "polytape-kernels: polytape_kernels of polytape-kernels did not finish within 6 s"
    ]


def test_doctor_says_which_plugin_hangs_if_it_is_the_requested_one(child: Child, tmp_path: Path) -> None:
    write_plugin(tmp_path, "hang", HANG)
    text = child(command("doctor", "--timeout", "1"), tmp_path, status=1, POLYTAPE_BACKEND="hang").stdout
    assert "POLYTAPE_BACKEND='hang': backend 'hang' cannot be used: polytape_hang of polytape-hang did not" in text


def test_doctor_and_backends_report_metadata_misses_and_unknown_variables(child: Child, tmp_path: Path) -> None:
    info = tmp_path / "evil-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[polytape.backends.v\u00b2]\nx = y\n[polytape.backends.v1]\nnumpy = evil\n")
    problem = "evil-1.dist-info: the group 'polytape.backends.v\u00b2' is not one of"
    text = child(command("backends"), tmp_path).stdout
    assert problem in text and "numpy: ignored: evil provides one too; POLYTAPE_PLUGINS=evil/numpy selects" in text
    settings = {"POLYTAPE_BACKEND": "numbaa,numpy", "POLYTAPE_SIM_LIMIT_NBYTES": "1000", "POLYTAPE_MY_OWN": "1"}
    facts = json.loads(child(command("doctor", "--json"), tmp_path, **settings).stdout)
    assert facts["chosen"]["device"] == "numpy:cpu:0" and len(facts["warnings"]) == 3
    assert facts["warnings"][0].startswith("POLYTAPE_BACKEND='numbaa,numpy' uses numpy:cpu:0, because no backend")
    assert facts["warnings"][1] == "POLYTAPE_MY_OWN: no such setting" and problem in facts["warnings"][2]


@pytest.mark.skipif(os.name == "nt", reason="it sends SIGINT")
def test_ctrl_c_ends_the_command_names_the_plugin_and_leaves_no_process(tmp_path: Path) -> None:
    write_plugin(tmp_path, "hang", f"import os\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n{HANG}")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, *command("backends")],
        env={**os.environ, "PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background jobs of a shell ignore it
    )
    pid = tmp_path / "pid"
    deadline = time.monotonic() + 60
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "polytape backends: interrupted; it was loading polytape_hang, a plugin of polytape-hang\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
