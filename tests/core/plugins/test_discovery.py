"""The scanner, against real metadata on disk and against importlib.metadata in the environment that runs the tests."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from polytape.plugins import discovery
from polytape.plugins.discovery import scan


def write_dist(site: Path, name: str, entry_points: str, version: str = "1.0", suffix: str = "dist-info") -> Path:
    folder = site / f"{name.replace('-', '_')}-{version}.{suffix}"
    folder.mkdir(parents=True)
    metadata = "METADATA" if suffix == "dist-info" else "PKG-INFO"
    (folder / metadata).write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: not this\n")
    (folder / "entry_points.txt").write_text(entry_points)
    return folder


def test_an_entry_point_is_read_with_its_distribution(tmp_path: Path) -> None:
    folder = write_dist(
        tmp_path,
        "polytape-sim",
        "[console_scripts]\nsim = sim:main\n# polytape.backends\n[polytape.backends.v1]\n"
        "sim = polytape_sim.plugin [x]\n"
        "\n[polytape.kernels.v1]\nnumpy=polytape_sim.kernels:plugin\n[other]\na = b\n",
    )
    backend, kernels = scan([str(tmp_path)])
    assert (backend.group, backend.major, backend.name, backend.value) == (
        "polytape.backends", 1, "sim", "polytape_sim.plugin",
    )  # fmt: skip
    assert (backend.dist, backend.version, backend.path) == ("polytape-sim", "1.0", str(folder))
    assert (kernels.group, kernels.name, kernels.value) == (
        "polytape.kernels", "numpy", "polytape_sim.kernels:plugin",
    )  # fmt: skip


def test_distributions_without_plugins_are_ignored(tmp_path: Path) -> None:
    write_dist(tmp_path, "pytest", "[console_scripts]\npytest = pytest:main\n")
    (tmp_path / "half-1.0.dist-info").mkdir()
    (tmp_path / "file-1.0.egg-info").write_text("Name: file\n")
    assert scan([str(tmp_path)]) == ()


def test_egg_info_is_read_as_well(tmp_path: Path) -> None:
    write_dist(tmp_path, "old-style", "[polytape.backends.v1]\nold = old\n", suffix="egg-info")
    (plugin,) = scan([str(tmp_path)])
    assert (plugin.dist, plugin.name) == ("old-style", "old")


def test_the_first_on_the_path_hides_a_later_distribution_of_the_same_name(tmp_path: Path) -> None:
    write_dist(tmp_path / "one", "Some.Plugin", "[console_scripts]\nx = y\n")
    write_dist(tmp_path / "two", "some-plugin", "[polytape.backends.v1]\nhidden = module\n", version="2.0")
    assert scan([str(tmp_path / "one"), str(tmp_path / "two")]) == ()
    assert len(scan([str(tmp_path / "two"), str(tmp_path / "one")])) == 1


def test_leftovers_of_an_uninstall_by_pip_are_ignored(tmp_path: Path) -> None:
    write_dist(tmp_path, "~olytape-sim", "[polytape.backends.v1]\nsim = polytape_sim\n")
    assert scan([str(tmp_path)]) == ()


def test_an_unsupported_major_version_is_recognised_from_metadata_alone(tmp_path: Path) -> None:
    write_dist(tmp_path, "future", "[polytape.backends.v9]\nfuture = module\n")
    (plugin,) = scan([str(tmp_path)])
    assert plugin.major == 9 and not plugin.readable


def test_the_readable_one_of_several_versions_of_a_plugin_is_used(tmp_path: Path) -> None:
    write_dist(tmp_path, "both", "[polytape.backends.v9]\nboth = new\n[polytape.backends.v1]\nboth = old\n")
    (plugin,) = scan([str(tmp_path)])
    assert plugin.value == "old"


def test_a_zip_file_on_the_path_is_searched(tmp_path: Path) -> None:
    archive = tmp_path / "plugins.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("zipped-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: zipped\nVersion: 1.0\n")
        target.writestr("zipped-1.0.dist-info/entry_points.txt", "[polytape.backends.v1]\nzipped = module\n")
    (plugin,) = scan([str(archive)])
    assert (plugin.dist, plugin.version, plugin.name) == ("zipped", "1.0", "zipped")


def test_damaged_metadata_does_not_hide_other_plugins(tmp_path: Path) -> None:
    folder = write_dist(tmp_path, "aaa", "")
    (folder / "entry_points.txt").write_bytes(b"\xff\xfe[polytape.backends.v1\nx\n= y\n")
    (write_dist(tmp_path, "nameless", "[polytape.backends.v1]\nn = module\n") / "METADATA").write_bytes(b"\xff\n\n")
    write_dist(tmp_path, "good", "[polytape.backends.v1]\ngood = module\n")
    assert {plugin.dist for plugin in scan([str(tmp_path), str(tmp_path / "missing")])} >= {"good", "nameless"}


def test_the_scanner_finds_the_same_plugins_as_importlib_metadata() -> None:
    points = importlib.metadata.entry_points()
    expected = {
        (group, point.name, point.value)
        for group in ("polytape.backends.v1", "polytape.kernels.v1")
        for point in points.select(group=group)
    }
    assert {(f"{plugin.group}.v{plugin.major}", plugin.name, plugin.value) for plugin in scan()} == expected


def test_a_distribution_installed_by_pip_is_found_without_importing_anything(install: Callable[[str], Path]) -> None:
    code = "import sys; from polytape.plugins.discovery import scan; print(scan(sys.argv[1:])); "
    code += "print('pluggy' in sys.modules)"
    completed = subprocess.run(
        [sys.executable, "-c", code, str(install("future"))], capture_output=True, text=True, check=True, timeout=120
    )
    assert completed.stdout.splitlines() == [
        "(EntryPoint(polytape-future/future 9.1, polytape.backends.v9, 'polytape_future'),)", "False",
    ]  # fmt: skip


# --- Metadata is not trusted ---

GROUP = "[polytape.backends.v1]\n"


def names_and_problems(*places: Path) -> tuple[list[str], str]:
    """The names of the plugins that a scan finds, and its problems as one text."""
    problems: list[str] = []
    entries = scan([str(place) for place in places], problems)
    return sorted(entry.name for entry in entries), "\n".join(problems)


def test_names_with_hyphens_do_not_hide_each_other(tmp_path: Path) -> None:
    for name in ("acme-fast", "acme-slow"):
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"{GROUP}{name[5:]} = acme.{name[5:]}\n")
    entries = scan([str(tmp_path)])
    assert sorted((entry.dist, entry.name, entry.version) for entry in entries) == [
        ("acme-fast", "fast", "1.0"), ("acme-slow", "slow", "1.0"),
    ]  # fmt: skip


def test_a_plugin_that_is_installed_and_editable_is_listed_once(tmp_path: Path) -> None:
    write_dist(tmp_path / "site", "my-plug", f"{GROUP}mine = my_plug\n")
    source = tmp_path / "src" / "my_plug.egg-info"
    source.mkdir(parents=True)
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: my-plug\nVersion: 1.0\n")
    (source / "entry_points.txt").write_text(f"{GROUP}mine = my_plug\n")
    (tmp_path / "link").symlink_to(tmp_path / "site")
    assert names_and_problems(*(tmp_path / name for name in ("site", "src", "link", "site")))[0] == ["mine"]


def test_egg_info_named_with_the_python_version_has_the_name_before_it(tmp_path: Path) -> None:
    write_dist(tmp_path / "one", "plug", f"{GROUP}first = plug\n")
    write_dist(tmp_path / "two", "plug", f"{GROUP}hidden = plug\n", "2.0-py3.11", "egg-info")
    assert names_and_problems(tmp_path / "one", tmp_path / "two")[0] == ["first"]


@pytest.mark.parametrize(
    ("text", "found", "problem"),
    [
        ("[polytape.backends.v\u00b2]\nx = y\n", [], "the group 'polytape.backends.v\u00b2' is not one of"),
        (f"[polytape.backends.v{'1' * 5000}]\nx = y\n", [], "is not one of polytape.backends.v1"),
        ("[polytape.backend.v1]\nx = y\n", [], "the group 'polytape.backend.v1' is not one of"),
        ("[polytape.backends]\nx = y\n", [], "the group 'polytape.backends' is not one of"),
        (f"{GROUP}good = module\nb\x1b[31md = module\n", ["good"], r"the entry 'b\x1b[31md = module' is not of"),
        (f"{GROUP}a = ../../x\nb = a b c\nc =\nd = x:y:z\ne = sys:exit\n", ["e"], "'a = ../../x' is not of the form"),
        (GROUP + "".join(f"b{i} = nope\n" for i in range(10_000)), None, "more than 256 entries"),
        (GROUP + "#" * (2 << 20), [], "entry_points.txt is larger than 1 MiB"),
    ],
)
def test_metadata_that_does_not_follow_the_rules_is_reported_and_ignored(
    tmp_path: Path, text: str, found: list[str] | None, problem: str
) -> None:
    write_dist(tmp_path, "evil", "").joinpath("entry_points.txt").write_text(text, encoding="utf-8")
    names, problems = names_and_problems(tmp_path)
    assert len(names) == 256 if found is None else names == found
    assert problem in problems and "evil-1.0.dist-info: " in problems
    assert len(problems) < 2000 and "\x1b" not in problems


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_metadata_that_is_no_file_does_not_stop_the_scan(tmp_path: Path) -> None:
    for name in ("fifo", "loop", "folder", "meta"):
        path = write_dist(tmp_path, name, f"{GROUP}{name} = module\n") / "entry_points.txt"
        if name == "meta":
            path = path.with_name("METADATA")
        path.unlink()
        if name == "loop":
            path.symlink_to(path.name)
        elif name == "folder":
            path.mkdir()
        else:
            os.mkfifo(path)
    (tmp_path / "file-1.dist-info").write_text("")
    (tmp_path / ".dist-info").mkdir()
    write_dist(tmp_path, "good", f"{GROUP}good = module\n")
    os.mkfifo(tmp_path / "on_the_path")
    code = "import sys; from polytape.plugins.discovery import scan; problems = []\n"
    code += "print(*[entry.name for entry in scan(sys.argv[1:], problems)], *problems, sep='\\n')"
    command = [sys.executable, "-c", code, str(tmp_path), str(tmp_path / "on_the_path")]
    found, *problems = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120
    ).stdout.splitlines()  # in a child, since a scan that waits for a FIFO would wait for ever
    assert found == "good"
    for name in ("fifo", "loop", "folder", "meta"):
        assert sum(f"{name}-1.0.dist-info: its metadata cannot be read" in line for line in problems) == 1


def test_a_distribution_cannot_claim_the_name_of_another(tmp_path: Path) -> None:
    folder = write_dist(tmp_path, "evil", f"{GROUP}mine = module\n")
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: polytape\nVersion: 9\x1b[0m\n")
    problems: list[str] = []
    (plugin,) = scan([str(tmp_path)], problems)
    assert (plugin.dist, plugin.version, plugin.own) == ("evil", "1.0", False)
    assert "it claims to be the distribution 'polytape'; it is treated as 'evil'" in problems[0]


def test_damaged_archives_and_ordinary_files_on_the_path_are_reported(tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04broken")
    (tmp_path / "plain.txt").write_text("not a zip")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("big-1.0.dist-info/entry_points.txt", GROUP + "#" * (8 << 20))
        target.writestr("good-1.0.dist-info/entry_points.txt", f"{GROUP}good = module\n")
    names, problems = names_and_problems(*(tmp_path / name for name in ("broken.zip", "plain.txt", "bomb.zip")))
    assert names == ["good"]
    for name in ("broken.zip", "plain.txt"):
        assert f"{name}: it cannot be read as an archive" in problems
    assert "larger than 1 MiB" in problems


# --- Which distribution is polytape's own ---


def test_the_polytape_that_runs_is_found_by_its_location() -> None:
    own = [entry for entry in scan() if entry.own]
    assert {entry.name for entry in own} >= {"numpy", "numba", "cupy"}
    (root,) = {entry.root for entry in own}
    assert Path(discovery.__file__).resolve().is_relative_to(root)


def test_a_stranger_named_polytape_hides_nothing_and_is_not_polytape_s_own(tmp_path: Path) -> None:
    write_dist(tmp_path, "polytape", f"{GROUP}numpy = evil\nextra = evil\n", version="9.0")
    problems: list[str] = []
    entries = scan([str(tmp_path), *sys.path], problems)
    assert [entry.version for entry in entries if entry.name == "numpy"] != ["9.0"]
    assert "extra" not in {entry.name for entry in entries}
    assert any("it is not the polytape that runs, so 'extra' is ignored" in problem for problem in problems)
    (alone,) = (entry for entry in scan([str(tmp_path)]) if entry.name == "numpy")  # if polytape is not installed
    assert not alone.own


def test_an_editable_install_is_found_by_the_checkout_that_it_refers_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "a checkout"
    monkeypatch.setattr(discovery, "_ROOT", str(checkout / "core"))
    (checkout / "core").mkdir(parents=True)
    folder = write_dist(tmp_path / "site", "polytape", f"{GROUP}numpy = module\n")
    for text, own in (
        (json.dumps({"url": checkout.as_uri(), "dir_info": {"editable": True}}), True),
        (json.dumps({"url": checkout.as_uri(), "dir_info": {}}), False),
        (json.dumps({"url": tmp_path.as_uri(), "dir_info": {"editable": True}}), False),
        ("[" * 100_000, False),
        ('{"url": 3, "dir_info": {"editable": true}}', False),
        ("null", False),
    ):
        (folder / "direct_url.json").write_text(text)
        (plugin,) = scan([str(tmp_path / "site")])
        assert plugin.own == own, text[:80]
