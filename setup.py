"""The part of the build that must be code: which modules mypyc compiles, and when.

POLYTAPE_COMPILE=1 compiles or fails, POLYTAPE_COMPILE=0 never compiles. Unset, an ordinary install compiles where a C
compiler works and falls back to pure Python where none does; an editable install is pure.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.editable_wheel import editable_wheel

HERE = Path(__file__).resolve().parent
ROOTS = ("core", "backends/numpy", "backends/numba", "backends/cupy")
# The kernel ring: what runs per op, and so what mypyc compiles (docs/decisions/0003-the-ring.md). Everything else in
# core/polytape runs as Python: it sets up, prints or saves.
RING = (
    "device", "dtypes", "settings",
    "registry/gradient_rule", "registry/op", "registry/resolution", "registry/tables", "registry/tensor_type",
    "placement/selection",
    "tensors/node", "tensors/operators", "tensors/scope", "tensors/structure", "tensors/symbol", "tensors/tensor",
    "tensors/variable",
    "autodiff/backward", "autodiff/cotangent", "autodiff/gradient_arguments", "autodiff/gradient_plan",
    "autodiff/record", "autodiff/tape",
    "dispatch/convert", "dispatch/fast_path", "dispatch/mixed_devices", "dispatch/resolve", "dispatch/slow_path",
    "dispatch/transfer", "dispatch/wrappers",
    "state/update",
)  # fmt: skip


def say(text: str) -> None:
    """Print one line that stands out in pip's output (shown with -v, and always when the build fails)."""
    print(f"polytape: {text}", file=sys.stderr, flush=True)


def ring_files() -> list[str]:
    """The files to compile, relative to core/."""
    return [f"polytape/{name}.py" for name in RING]


def why_not() -> str:
    """Why this build is not compiled, or "" if it is to be."""
    choice = os.environ.get("POLYTAPE_COMPILE", "").strip()
    if choice not in ("", "0", "1"):
        raise SystemExit(f"POLYTAPE_COMPILE={choice!r} is not understood: use 1, 0, or leave it unset")
    commands = set(sys.argv[1:])
    if not commands & {"bdist_wheel", "build", "build_ext", "editable_wheel", "install"}:
        return "no command that builds"
    if choice:
        return "" if choice == "1" else "POLYTAPE_COMPILE=0"
    if "editable_wheel" in commands:
        return "an editable install is pure Python unless POLYTAPE_COMPILE=1"
    if platform.python_implementation() != "CPython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "mypyc serves CPython with its global lock"
    return compiler_trouble()


def compiler_trouble() -> str:
    """Compile an empty extension, since a compiler without Python's headers is none; why that fails, or ""."""
    from setuptools import Distribution  # bound late: distutils is looked up through setuptools

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text("#include <Python.h>\nPyMODINIT_FUNC PyInit_probe(void) { return 0; }\n", encoding="utf-8")
        command = build_ext(Distribution({"ext_modules": [Extension("probe", [str(source)])]}))
        command.build_temp = command.build_lib = folder
        try:
            command.ensure_finalized()
            with quiet():
                command.run()
        except (Exception, SystemExit) as error:
            return f"no working C compiler ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
    return ""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide what the probe prints, also what the compiler itself prints."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with open(os.devnull, "w", encoding="utf-8") as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for target, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, target)
            os.close(copy)


def ring_extensions(target: str) -> list[Extension]:
    """The ring as C extensions; a type error or a refusal of mypyc's ends the build or falls back, see `fall_back`."""
    from mypyc.build import mypycify  # a pure build needs no mypyc

    # The build environment holds mypyc alone, so whatever the ring imports from elsewhere counts as Any; and the
    # configuration in pyproject.toml is for the developer's check, which sees more.
    options = [
        "--config-file=",
        "--explicit-package-bases",
        "--ignore-missing-imports",
        "--follow-imports=silent",
        "--always-true=COMPILING",  # see tensors/tensor.py
    ]
    previous = os.getcwd()
    os.chdir(HERE / "core")  # module names are paths relative to here
    try:
        with environment("MYPYPATH", os.pathsep.join(str(HERE / root) for root in ROOTS)):
            extensions: list[Extension] = mypycify(
                [*options, *ring_files()],
                only_compile_paths=ring_files(),
                opt_level="3",
                debug_level="0",
                target_dir=target,
                group_name="polytape",
            )
    finally:
        os.chdir(previous)
    if os.name != "nt":
        for extension in extensions:
            # mypyc asks for -Werror: a compiler newer than it could reject code that is fine. Nothing outside needs
            # the ring's symbols: hidden, they are not looked up by name when the library loads (2,000 of them).
            extension.extra_compile_args = [*extension.extra_compile_args, "-Wno-error", "-fvisibility=hidden"]
    return extensions


@contextlib.contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Set one environment variable for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def fall_back(error: BaseException) -> None:
    """Go on without compiled code, unless that was asked for."""
    if os.environ.get("POLYTAPE_COMPILE", "").strip() == "1":
        say("POLYTAPE_COMPILE=1, and the kernel ring did not compile")
        raise error
    reason = textwrap.shorten(str(error), 200) or type(error).__name__
    say(f"the kernel ring did not compile ({reason}); going on in pure Python, which computes the same, more slowly")


class BuildRing(build_ext):
    """build_ext that removes everything again where compiling fails and is not forced."""

    def run(self) -> None:
        """Build all of the ring or nothing of it: half of it would not import."""
        try:
            super().run()
        except (Exception, SystemExit) as error:
            fall_back(error)
            for output in self.get_outputs():
                Path(output).unlink(missing_ok=True)
            self.extensions = self.distribution.ext_modules = []
            return
        for extension in self.extensions if self.inplace else ():
            # Unchanged extensions are not copied again, yet they are up to date (buildinfo compares times).
            built = Path(self.get_ext_fullpath(extension.name))
            if built.exists():
                os.utime(built)


class EditableRoots(editable_wheel):
    """An editable install by a .pth file with every source root, which mypy, pyright and IDEs can follow.

    setuptools' own choice for several roots is an import hook, which they cannot, and which slows each import.
    """

    def _select_strategy(self, name: str, tag: str, build_lib: Any) -> Any:
        """setuptools' hook for this choice; should it go, its default still works, for Python if not for IDEs."""
        from setuptools.command import editable_wheel as module

        roots = [HERE / root for root in ROOTS]
        try:
            return module._StaticPth(self.distribution, name, roots)
        except (AttributeError, TypeError):
            return super()._select_strategy(name, tag, build_lib)


def main() -> None:
    """Build in a scratch folder: setuptools' own keeps modules that no longer exist, and metadata found twice."""
    scratch = tempfile.mkdtemp(prefix="polytape-build-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    extensions: list[Extension] = []
    reason = why_not()
    if not reason:
        try:
            extensions = ring_extensions(scratch)
            say(f"compiling the kernel ring ({len(ring_files())} modules)")
        except (Exception, SystemExit) as error:
            fall_back(error)
    elif reason != "no command that builds":
        say(f"pure Python: {reason}")
    setup(
        packages=[package for root in ROOTS for package in find_packages(root)],
        ext_modules=extensions,
        cmdclass={"build_ext": BuildRing, "editable_wheel": EditableRoots},
        options={"build": {"build_base": scratch}, "egg_info": {"egg_base": scratch}},
    )


if __name__ == "__main__":
    main()
