"""numba's cache: announced when it is cold, mended when it is damaged, not used where others can write."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

CODE = """
import numpy as np, polytape as pt
x = pt.asarray(np.ones((64, 16), "float32"), device="numba")
assert abs(float(pt.nn.sigmoid(x)[0, 0]) - 0.731) < 1e-3  # a universal function, which is cached in another way
print(float(pt.nn.softmax(x)[0, 0]))
"""
ANNOUNCED = "numba is compiling polytape's kernels, which takes about 2 s each; "


def run(cache: Path | str, code: str = CODE, *options: str) -> tuple[str, str]:
    """What a process with this cache folder prints to standard output and error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("POLYTAPE_", "NUMBA_"))}
    environment |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, *options, "-c", code]
    process = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout, process.stderr


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that holds the compiled softmax."""
    folder = tmp_path_factory.mktemp("cache")
    out, errors = run(folder, CODE, "-W", "error")
    assert out == "0.0625\n"
    assert errors.count(ANNOUNCED) == 1 and f"later runs load them from {folder}" in errors
    return folder


def test_a_warm_cache_is_not_announced(warm: Path) -> None:
    assert run(warm) == ("0.0625\n", "")


@pytest.mark.slow
def test_the_announcement_can_be_turned_off_by_logging(tmp_path: Path) -> None:
    quiet = "import logging; logging.getLogger('polytape').setLevel(logging.ERROR)\n"
    assert run(tmp_path, quiet + CODE) == ("0.0625\n", "")


@pytest.mark.slow
@pytest.mark.parametrize(("content", "pattern"), [*itertools.product([b"garbage", b"", None], ["*.nbi", "*.nbc"])])
def test_a_damaged_cache_is_compiled_again_and_mended(warm: Path, pattern: str, content: bytes | None) -> None:
    paths = list(warm.rglob(pattern))
    assert paths
    for path in paths:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if content is None else content)
    out, errors = run(warm, CODE, "-W", "error")
    assert out == "0.0625\n" and errors.count(ANNOUNCED) == 1
    assert run(warm) == ("0.0625\n", "")


@pytest.mark.slow
def test_a_cache_that_cannot_be_saved_is_no_error(warm: Path) -> None:
    for path in warm.rglob("*.nbi"):
        path.unlink()
        path.mkdir()  # numba can neither read nor replace it
    out, errors = run(warm, CODE, "-W", "error")
    assert out == "0.0625\n" and ANNOUNCED in errors
    for path in warm.rglob("*.nbi"):
        path.rmdir()


@pytest.mark.slow
def test_kernels_run_if_the_cache_directory_is_not_writable(tmp_path: Path) -> None:
    # A file takes the place of the directory, since root could write to a read-only directory.
    (tmp_path / "file").write_text("")
    out, errors = run(
        tmp_path / "file" / "cache", f"import os; os.environ['HOME'] = {str(tmp_path / 'file')!r}\n{CODE}"
    )
    assert out == "0.0625\n"
    assert errors == "" or ANNOUNCED in errors


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no modes")
@pytest.mark.slow
def test_a_cache_where_others_can_write_is_not_used_and_warned_about_once(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    out, errors = run(folder)
    assert out == "0.0625\n" and errors.count("PolytapeWarning: numba's cache in") == 1
    assert f"is not used, because every user can write to {folder}" in errors and "NUMBA_CACHE_DIR" in errors
    assert f"{ANNOUNCED}without a cache, every process does so" in errors
    assert not list(folder.rglob("*.nbi"))


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no modes")
def test_the_owners_and_modes_of_all_folders_above_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from polytape_numba import cache

    folder = tmp_path / "one" / "two"
    folder.mkdir(parents=True)
    assert cache.why_unsafe(str(folder)) == ""
    link = tmp_path / "link"
    link.symlink_to(folder)
    for path, mode, reason in (
        (folder, 0o777, f"every user can write to {folder}"),
        (folder, 0o1777, f"every user can write to {folder}"),  # others could add files to it
        (folder.parent, 0o777, f"every user can write to {folder.parent}"),
        (folder.parent, 0o1777, ""),  # as /tmp: others cannot replace the folder in it
        (folder.parent, 0o775, f"a group of users can write to {folder.parent}"),
    ):
        monkeypatch.setattr(cache, "_has_others", lambda gid: True)
        path.chmod(mode)
        assert cache.why_unsafe(str(folder)) == cache.why_unsafe(str(link)) == reason
        monkeypatch.setattr(cache, "_has_others", lambda gid: False)
        assert (cache.why_unsafe(str(folder)) == "") == (reason == "" or "group" in reason)
        path.chmod(0o755)
    monkeypatch.setattr(os, "getuid", lambda: os.stat(folder).st_uid + 4711)
    assert cache.why_unsafe(str(folder)) == ("" if os.stat(folder).st_uid == 0 else f"{folder} belongs to another user")


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no groups")
def test_a_group_has_others_if_a_member_is_neither_this_user_nor_root(monkeypatch: pytest.MonkeyPatch) -> None:
    import grp
    import pwd

    from polytape_numba import cache

    def user(name: str, uid: int, gid: int) -> pwd.struct_passwd:
        return pwd.struct_passwd((name, "", uid, gid, "", "", ""))

    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(pwd, "getpwall", lambda: [user("root", 0, 0), user("me", 1000, 1000), user("you", 1001, 50)])
    for members, gid, others in (
        ([], 1000, False),
        (["me", "root"], 7, False),
        (["me", "you"], 7, True),
        ([], 50, True),
    ):
        monkeypatch.setattr(grp, "getgrgid", lambda gid, members=members: grp.struct_group(("g", "", gid, members)))
        assert cache._has_others(gid) == others
