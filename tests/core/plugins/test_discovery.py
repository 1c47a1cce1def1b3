"""The scanner, against real metadata on disk and against importlib.metadata in the environment that runs the tests."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from polytape.errors import SettingError
from polytape.plugins.discovery import EntryPoint, PluginFilter, normalise, scan


def write_dist(site: Path, name: str, entry_points: str, version: str = "1.0", suffix: str = "dist-info") -> Path:
    folder = site / f"{name.replace('-', '_')}-{version}.{suffix}"
    folder.mkdir(parents=True)
    metadata = "METADATA" if suffix == "dist-info" else "PKG-INFO"
    (folder / metadata).write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: not this\n")
    (folder / "entry_points.txt").write_text(entry_points)
    return folder


def entry(dist: str, name: str, major: int = 1) -> EntryPoint:
    return EntryPoint("polytape.backends", major, name, "module", dist, "1.0", "")


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


@pytest.mark.parametrize("name", ["A.b_c", "a-b-c", "a__b--c"])
def test_distribution_names_are_normalised_for_comparison(name: str) -> None:
    assert normalise(name) == "a-b-c"


@pytest.mark.parametrize(
    ("text", "blocked"),
    [
        ("", set()),
        ("none", {"one/a", "one/b", "two/c"}),
        ("one", {"two/c"}),
        ("one/a", {"one/b", "two/c"}),
        ("-one", {"one/a", "one/b"}),
        ("-One/b , -two", {"one/b", "two/c"}),
        ("one/a,-one", {"one/b", "two/c"}),
        ("-polytape", set()),
        ("-polytape/numpy,one", {"two/c"}),
    ],
)
def test_the_filter_allows_what_it_lists(text: str, blocked: set[str]) -> None:
    entries = [entry("one", "a"), entry("one", "b"), entry("two", "c"), entry("polytape", "numpy")]
    plugin_filter = PluginFilter(text)
    assert {f"{item.dist}/{item.name}" for item in entries if plugin_filter.blocks(item)} == blocked


@pytest.mark.parametrize("text", [",", "one,,two", "one/", "/a", "none,one", "a b", "--one", "one/a/b"])
def test_a_filter_that_does_not_follow_the_grammar_is_rejected(text: str) -> None:
    with pytest.raises(SettingError, match=r"POLYTAPE_PLUGINS=.*is not understood"):
        PluginFilter(text)


def test_items_that_match_no_plugin_are_reported() -> None:
    assert PluginFilter("one,onne/a,-two").unmatched([entry("one", "a")]) == ["onne/a", "-two"]
