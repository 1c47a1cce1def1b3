"""Loading of backends and kernels from real distributions, each in its own child process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Child = Callable[..., "CompletedProcess[str]"]

STATUS = """
import json, polytape as pt
statuses = {s.name: s for s in pt.backends()}
"""
FIELDS = (
    "name", "status", "reason", "remedy", "version", "distribution", "devices", "load_time_s", "native", "decomposed",
    "missing", "kernels_from", "disabled", "ignored", "traceback",
)  # fmt: skip
GOOD = "@pt.hookimpl\ndef polytape_backend(): return pt.Backend(name={0!r}, extends='numpy')"
LOADED = """
plugins = ("polytape_", "pluggy.", "importlib.metadata")
print(sorted(name for name in sys.modules if name.startswith(plugins) and "mypyc" not in name))
"""


def statuses(child: Child, *dists: str | Path, **settings: str) -> dict[str, dict[str, str]]:
    code = (
        f"FIELDS = {FIELDS}"
        + STATUS
        + ("print(json.dumps({n: {k: str(getattr(s, k)) for k in FIELDS} for n, s in statuses.items()}))")
    )
    fields_by_name: dict[str, dict[str, str]] = json.loads(child(code, *dists, **settings).stdout)
    return fields_by_name


def write_plugin(site: Path, name: str, body: str, group: str = "backends.v1", entry: str = "") -> Path:
    """Write a distribution as pip would install it; for the many ways in which a plugin can be wrong."""
    info = site / f"polytape_{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: polytape-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[polytape.{group}]\n{entry or name} = polytape_{name}\n")
    (site / f"polytape_{name}.py").write_text(f"import polytape as pt\n{body}")
    return site


def test_importing_polytape_neither_loads_nor_scans_for_plugins(child: Child) -> None:
    code = f"""
import os, sys, numpy
listed, listdir = [], os.listdir
os.listdir = lambda path: listed.append(path) or listdir(path)
import polytape as pt
{LOADED}
print(listed)
pt.get_backend("numpy")
print(len(listed) > 0)
"""
    assert child(code, "good", "broken").stdout.splitlines() == ["[]", "[]", "True"]


def test_the_first_use_loads_only_what_is_needed(child: Child) -> None:
    code = (
        "import sys, polytape as pt\npt.get_backend('numpy')\nprint([m for m in sys.modules if m.startswith('polyt')])"
    )
    loaded = child(code, "good", "broken").stdout
    assert "polytape_numpy" in loaded
    for module in ("polytape_good", "polytape_broken", "polytape_numba", "polytape_cupy"):
        assert module not in loaded


def test_a_third_party_backend_extends_numpy(child: Child) -> None:
    code = """
import polytape as pt
good = pt.get_backend("GOOD")
print(good, good.parent, good.device_list(), good.provider, pt.get_backend("good") is good)
print([b.name for b in pt.plugins.loaded()])
"""
    lines = child(code, "good").stdout.splitlines()
    assert lines[0] == "Backend('good', extends='numpy') Backend('numpy') [good:cpu:0] polytape-good True"
    assert lines[1] == "['numpy', 'good']"


def test_every_status_has_a_reason_and_a_remedy(child: Child) -> None:
    by_name = statuses(child, "good", "broken", "future", "clash_a", "clash_b")
    expected = {
        "numpy": "ready", "good": "ready", "broken": "import-failed", "future": "incompatible", "clash": "blocked",
    }  # fmt: skip
    assert {name: by_name[name]["status"] for name in expected} == expected
    for status in by_name.values():
        assert bool(status["reason"]) == bool(status["remedy"]) == (status["status"] != "ready"), status
    assert by_name["good"]["version"] == "1.2.3" and by_name["good"]["distribution"] == "polytape-good"
    assert float(by_name["good"]["load_time_s"]) > 0.0
    assert int(by_name["good"]["native"]) == int(by_name["numpy"]["native"]) > 0
    assert by_name["numpy"]["distribution"] == "polytape"


def test_the_status_of_a_broken_plugin_starts_with_the_root_cause_and_keeps_the_traceback(child: Child) -> None:
    broken = statuses(child, "broken")["broken"]
    assert broken["reason"] == (
        "ValueError: the driver's table is damaged (then RuntimeError: cannot start, while loading polytape_broken)"
    )
    assert "POLYTAPE_PLUGINS=-polytape-broken" in broken["remedy"]
    assert broken["traceback"].startswith("Traceback") and "RuntimeError: cannot start" in broken["traceback"]


def test_requesting_a_broken_backend_raises_the_reason_and_breaks_nothing_else(child: Child) -> None:
    code = """
import polytape as pt
for attempt in range(2):
    try:
        raise KeyError("what the caller was handling is not the cause")
    except KeyError:
        try:
            pt.get_backend("broken")
        except pt.errors.BackendError as error:
            print(error)
print(pt.get_backend("good"))
"""
    lines = child(code, "broken", "good").stdout.splitlines()
    assert lines[0] == lines[4] and lines[0].startswith("backend 'broken' cannot be used: ValueError: the driver's")
    assert "not the cause" not in "\n".join(lines)
    assert lines[-1] == "Backend('good', extends='numpy')"


def test_an_incompatible_plugin_is_never_imported(child: Child) -> None:
    future = statuses(child, "future")["future"]
    assert future["reason"] == "polytape-future 9.1 is built for plugin API 9; this polytape supports 1"


def test_neither_of_two_clashing_plugins_loads_until_one_is_selected(child: Child) -> None:
    clash = statuses(child, "clash_a", "clash_b")["clash"]
    assert clash["status"] == "blocked" and "polytape-clash-a and polytape-clash-b both provide" in clash["reason"]
    for setting in ("polytape-clash-b/clash,polytape-clash-a", "-polytape-clash-a", "polytape-clash-b"):
        selected = statuses(child, "clash_a", "clash_b", POLYTAPE_PLUGINS=setting)["clash"]
        assert (selected["status"], selected["version"]) == ("ready", "b"), setting
    remedy = clash["remedy"].split()[0]
    assert remedy == "POLYTAPE_PLUGINS=polytape-clash-a/clash"


def test_a_clash_of_three_plugins_names_them_all(child: Child, tmp_path: Path) -> None:
    for name in ("one", "three", "two"):
        write_plugin(tmp_path / "site", name, "", entry="same")
    same = statuses(child, tmp_path / "site")["same"]
    assert same["reason"] == (
        "polytape-one, polytape-three and polytape-two all provide a backend 'same'; none is loaded"
    )
    assert same["remedy"].endswith("or uninstall the others")


def test_a_backend_of_polytape_s_own_cannot_be_taken_over_by_accident(child: Child, tmp_path: Path) -> None:
    site = write_plugin(tmp_path / "site", "evil", GOOD.format("numpy"), entry="numpy")
    by_name = statuses(child, site)
    assert (by_name["numpy"]["status"], by_name["numpy"]["distribution"]) == ("ready", "polytape")
    assert by_name["numpy"]["ignored"] == "('polytape-evil',)"
    assert by_name["numba"]["status"] == statuses(child)["numba"]["status"]
    assert statuses(child, site, POLYTAPE_PLUGINS="-polytape-evil")["numpy"]["ignored"] == "()"
    code = "import sys, polytape as pt; pt.backends(); print('polytape_evil' in sys.modules)"
    assert child(code, site).stdout == "False\n"
    assert child(code, site, POLYTAPE_PLUGINS="polytape-evil/numpy").stdout == "True\n"  # but on request


@pytest.mark.parametrize("meta", ["", "Name: polytape\nVersion: 9\n"])
def test_without_other_plugins_only_polytape_s_own_files_are_loaded(child: Child, tmp_path: Path, meta: str) -> None:
    """By location: neither the name of the folder nor that in the metadata makes a plugin polytape's own."""
    site = tmp_path / "site"
    for folder, module, groups in (
        ("polytape-9.dist-info", "evil_numpy", "backends.v1]\nnumpy"),
        ("evil-1.dist-info", "evil_mine", "backends.v1]\nmine"),
        ("evil2-1.dist-info", "evil_kernels", "kernels.v1]\nnumpy"),
    ):
        (site / folder).mkdir(parents=True)
        (site / folder / "entry_points.txt").write_text(f"[polytape.{groups} = {module}\n")
        (site / folder / "METADATA").write_text(meta)
        (site / f"{module}.py").write_text("")
    code = """
import sys, polytape as pt
print((pt.asarray(1.0) + 1.0).item(), {s.name: s.status for s in pt.backends()}.get("mine"))
print([name for name in sys.modules if name.startswith("evil")])
print(len(pt.plugins.problems()))
"""
    assert child(code, site, POLYTAPE_PLUGINS="none").stdout.splitlines()[:2] == ["2.0 blocked", "[]"]
    loaded = child(code, site).stdout.splitlines()
    assert loaded[0].startswith("2.0 ") and loaded[1] == "['evil_kernels', 'evil_mine']" and int(loaded[2]) >= 1


def test_without_other_plugins_a_package_that_shadows_polytape_s_own_is_refused(child: Child, tmp_path: Path) -> None:
    (tmp_path / "site" / "polytape_numpy").mkdir(parents=True)
    (tmp_path / "site" / "polytape_numpy" / "__init__.py").write_text("print('imported')")
    code = """
import polytape as pt
try:
    pt.asarray(1.0)
except pt.errors.BackendError as error:
    print(error.summary)
"""
    text = child(code, tmp_path / "site", POLYTAPE_PLUGINS="none").stdout
    assert (
        text == "backend 'numpy' cannot be used: the package polytape_numpy that Python finds is not polytape's own.\n"
    )


def test_an_interrupted_import_names_the_plugin(child: Child, tmp_path: Path) -> None:
    code = """
import polytape as pt
try:
    pt.get_backend("odd")
except KeyboardInterrupt as error:
    print(error.__notes__)
print(pt.get_backend("numpy"), [s.name for s in pt.plugins.loaded()])
"""
    site = write_plugin(tmp_path / "site", "odd", "raise KeyboardInterrupt")
    assert child(code, site).stdout.splitlines() == [
        "['polytape was loading polytape_odd, a plugin of polytape-odd']", "Backend('numpy') ['numpy']",
    ]  # fmt: skip


def test_items_of_the_setting_that_match_nothing_are_known_before_the_first_use(child: Child) -> None:
    code = "import polytape as pt; print(pt.plugins.warnings_of_filter())"
    assert child(code, "good", POLYTAPE_PLUGINS="polytape-goood").stdout == "['polytape-goood']\n"


def test_plugins_that_the_setting_excludes_are_never_imported(child: Child) -> None:
    for setting in ("none", "-polytape-broken", "polytape-good"):
        code = STATUS + "import sys; print(statuses['broken'].reason, '|', 'polytape_broken' in sys.modules)"
        text = child(code, "broken", "good", POLYTAPE_PLUGINS=setting).stdout
        assert text == f"POLYTAPE_PLUGINS={setting} excludes polytape-broken | False\n"
    assert statuses(child, "good", POLYTAPE_PLUGINS="-polytape")["numpy"]["status"] == "ready"


def test_a_kernel_plugin_adds_kernels_to_the_backend_it_is_named_after(child: Child) -> None:
    numpy = statuses(child, "faster")["numpy"]
    assert numpy["kernels_from"] == "('polytape-faster',)" and numpy["disabled"] == "()"
    code = """
import polytape as pt
from polytape.registry.tables import kernels_of
pt.get_backend("numpy")
print(kernels_of("numpy", "add")[0].provider)
"""
    assert child(code, "faster").stdout == "polytape-faster\n"
    assert child(code, "faster", POLYTAPE_PLUGINS="none").stdout == "polytape\n"


def test_a_failing_kernel_plugin_is_disabled_completely_and_the_backend_stays_ready(child: Child) -> None:
    code = (
        STATUS
        + """
from polytape.registry.tables import kernels_of
s = statuses["numpy"]
print(s.status, s.kernels_from, s.disabled)
print({k.provider for k in kernels_of("numpy", "add")} - {"polytape"})
print(s.traceback.startswith("Traceback"))
"""
    )
    status, providers, has_traceback = child(code, "bad_kernels", "faster").stdout.splitlines()
    assert status.startswith("ready ('polytape-faster',) (\"polytape-bad-kernels: Kernel('no_such_op'")
    assert providers == "{'polytape-faster'}" and has_traceback == "True"


def test_an_unknown_name_lists_the_known_backends_and_suggests_the_nearest(child: Child) -> None:
    code = """
import polytape as pt
for name in ("nunpy", "warp"):
    try:
        pt.get_backend(name)
    except pt.errors.BackendError as error:
        print(error)
"""
    text = child(code, "good", "future").stdout
    known = "known: numpy (not loaded yet), numba (not loaded yet), cupy (not loaded yet), future (incompatible), good"
    assert f"no backend 'nunpy'; {known} (not loaded yet)" in text and "did you mean 'numpy'?" in text
    assert "install the distribution that provides 'warp'" in text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "polytape_odd of polytape-odd does not implement polytape_backend"),
        ("def polytape_backend(): pass", "polytape_odd of polytape-odd does not implement polytape_backend"),
        ("@pt.hookimpl\ndef polytape_bakend(): pass", "PluginValidationError: unknown hook 'polytape_bakend'"),
        ("@pt.hookimpl\ndef polytape_backend(config): pass", "PluginValidationError: "),
        ("@pt.hookimpl\ndef polytape_backend(): return 3", "polytape-odd does not return a backend named 'odd'"),
        (
            "@pt.hookimpl\ndef polytape_backend(): return pt.Backend(name='other')",
            "polytape-odd does not return a backend named 'odd'",
        ),
        (
            "@pt.hookimpl\ndef polytape_backend(): return pt.Backend(name='odd')",
            "backend 'odd' does not define devices",
        ),
        ("@pt.hookimpl\ndef polytape_backend(): return pt.Backend(name='odd', extends='gone')", "no backend 'gone'"),
        ("@pt.hookimpl\ndef polytape_backend(): return pt.Backend(name='odd', extends='odd')", "backend 'odd' was req"),
        ("pt.get_backend('odd')", "backend 'odd' was requested while it was being loaded"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise ValueError('red \\x1b[31m' + 'x' * 9999)", "ValueError: red ?[31mxxx"),
        (
            "class E(Exception):\n    def __str__(self): raise OSError\nraise E",
            "E: <E whose text cannot be read: OSErr",
        ),
        (
            "@pt.hookimpl\ndef polytape_backend(): return pt.Backend(name='odd', extends='numpy', probe=int)",
            "the probe of backend 'odd' returned 0",
        ),
        (
            "@pt.hookimpl\ndef polytape_backend(): return pt.Backend(name='odd', extends='numpy', rank='high')",
            "backend 'odd' from polytape-odd cannot be registered: its rank is not an int",
        ),
        ("import a_module_that_is_missing", "ModuleNotFoundError: No module named 'a_module_that_is_missing'"),
        ("this is invalid Python", "SyntaxError: "),
    ],
)
def test_the_status_of_a_faulty_plugin_says_what_is_wrong(child: Child, tmp_path: Path, body: str, reason: str) -> None:
    by_name = statuses(child, write_plugin(tmp_path / "site", "odd", body))
    assert by_name["odd"]["status"] == "import-failed"
    assert by_name["odd"]["reason"].startswith(reason)
    assert by_name["odd"]["remedy"] != ""
    assert by_name["numpy"]["status"] == "ready"


def test_late_kernels_that_cannot_be_registered_are_reported_and_break_no_other_backend(
    child: Child, tmp_path: Path
) -> None:
    body = """
def late():
    return [pt.Kernel("exp", lambda a, b: a)]
@pt.hookimpl
def polytape_backend():
    return pt.Backend(name="odd", extends="numpy", late_kernels={"exponential": late})
"""
    site = write_plugin(tmp_path / "site", "odd", body)
    code = STATUS + "print(len([s for s in pt.backends() if s.name == 'odd'][0].disabled))"
    assert child(code, site).stdout == "1\n"  # listing twice does not report twice
    by_name = statuses(child, site)
    assert by_name["odd"]["status"] == "ready"
    assert "Kernel('exp', <lambda>, odd:*" in by_name["odd"]["disabled"]
    assert by_name["numpy"]["status"] == by_name["sim"]["status"] == "ready"


def test_a_mistake_in_one_plugin_does_not_affect_the_next(child: Child, tmp_path: Path) -> None:
    site = write_plugin(tmp_path / "site", "aaa", "@pt.hookimpl\ndef polytape_typo(): pass")
    by_name = statuses(child, site, "good")
    assert (by_name["aaa"]["status"], by_name["good"]["status"]) == ("import-failed", "ready")


def test_the_status_of_a_backend_without_its_device_says_so(child: Child, tmp_path: Path) -> None:
    body = """
@pt.hookimpl
def polytape_backend():
    probe = lambda: pt.Probe(False, "no driver", "install the driver")
    return pt.Backend(name="odd", probe=probe)
"""
    odd = statuses(child, write_plugin(tmp_path / "site", "odd", body))["odd"]
    assert (odd["status"], odd["reason"], odd["remedy"]) == ("no-device", "no driver", "install the driver")


def test_kernels_for_a_backend_other_than_the_announced_one_are_rejected(child: Child, tmp_path: Path) -> None:
    body = "@pt.hookimpl\ndef polytape_kernels(): return [pt.Kernel('add', max, backend='cupy')]"
    site = write_plugin(tmp_path / "site", "odd", body, "kernels.v1", "numpy")
    assert "something other than kernels for 'numpy'" in statuses(child, site)["numpy"]["disabled"]


def test_kernels_built_for_another_plugin_api_are_rejected_without_an_import(child: Child, tmp_path: Path) -> None:
    site = write_plugin(tmp_path / "site", "odd", "raise SystemExit", "kernels.v9", "numpy")
    assert "built for plugin API 9" in statuses(child, site)["numpy"]["disabled"]


def test_a_plugin_installed_later_is_found_by_name_or_after_a_refresh(child: Child, tmp_path: Path) -> None:
    site = tmp_path / "late"
    write_plugin(
        site, "early", "@pt.hookimpl\ndef polytape_backend(): return pt.Backend(name='early', extends='numpy')"
    )
    code = f"""
import pathlib, polytape as pt
site = pathlib.Path({str(site)!r})
print("late" in [s.name for s in pt.backends()])
info = site / "polytape_late-1.0.dist-info"
info.mkdir()
info.joinpath("entry_points.txt").write_text("[polytape.backends.v1]\\nlate = polytape_late\\n")
source = (site / "polytape_early.py").read_text()
(site / "polytape_late.py").write_text("raise OSError('not yet')")
pt.refresh()
print([s for s in pt.backends() if s.name == "late"])
(site / "polytape_late.py").write_text(source.replace("early", "late") + "\\n# longer")
pt.refresh()
print(pt.get_backend("late"))
"""
    assert child(code, site).stdout.splitlines() == [
        "False",
        "[BackendStatus('late', import-failed: OSError: not yet)]",
        "Backend('late', extends='numpy')",
    ]
