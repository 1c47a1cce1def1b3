"""The part of the build that pyproject.toml cannot express: which modules mypyc compiles, and when.

POLYTAPE_COMPILE=1 compiles or fails; POLYTAPE_COMPILE=0 never compiles. If it is not set, an ordinary install compiles
if a C compiler works and otherwise falls back to pure Python; an editable install is pure Python.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import platform
import re
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
ROOTS = ("core", "backends/numpy", "backends/numba", "backends/cupy", "perf")
# The kernel ring: the modules that run for every op, which mypyc compiles (docs/decisions/0003-the-ring.md). The rest
# of core/polytape, such as set-up, printing and checkpoints, always runs as Python.
RING = (
    "device", "dtypes", "settings",
    "registry/gradient_rule", "registry/op", "registry/resolution", "registry/tables", "registry/tensor_type",
    "placement/selection",
    "tensors/in_place", "tensors/node", "tensors/operators", "tensors/scope", "tensors/structure", "tensors/symbol",
    "tensors/temporaries", "tensors/tensor", "tensors/variable",
    "autodiff/backward", "autodiff/cotangent", "autodiff/gradient_arguments", "autodiff/gradient_plan",
    "autodiff/ordering", "autodiff/record", "autodiff/tape",
    "dispatch/convert", "dispatch/fast_path", "dispatch/items", "dispatch/slow_path", "dispatch/wrappers",
    "state/update",
    "graph/calls",
)  # fmt: skip
# Kernels that overwrite variables' own buffers, which they may do only when compiled: see `atomic` in
# polytape.backend.Kernel. They are compiled together with the ring.
KERNELS = (
    "numpy/polytape_numpy/kernels/optim",
    "numpy/polytape_numpy/kernels/update_formulas",
    "numpy/polytape_numpy/kernels/updating",
    "numba/polytape_numba/kernels/optim",
)

NO_BUILD = "no command builds anything"


def say(text: str) -> None:
    """Print one line that is easy to find in pip's output (shown with -v, and always if the build fails)."""
    print(f"polytape: {text}", file=sys.stderr, flush=True)


def ring_files() -> list[str]:
    """The files to compile, relative to core/."""
    return [*(f"polytape/{name}.py" for name in RING), *(f"../backends/{name}.py" for name in KERNELS)]


def why_not() -> str:
    """Why this build is not compiled, or "" if it is."""
    choice = os.environ.get("POLYTAPE_COMPILE", "").strip()
    if choice not in ("", "0", "1"):
        raise SystemExit(f"POLYTAPE_COMPILE={choice!r} is not valid: use 1 or 0, or leave it unset")
    commands = set(sys.argv[1:])
    if not commands & {"bdist_wheel", "build", "build_ext", "editable_wheel", "install"}:
        return NO_BUILD
    if choice:
        return "" if choice == "1" else "POLYTAPE_COMPILE=0"
    if "editable_wheel" in commands:
        return "an editable install is pure Python unless POLYTAPE_COMPILE=1"
    if platform.python_implementation() != "CPython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "mypyc supports only CPython with the global interpreter lock"
    return compiler_problem()


def compiler_problem() -> str:
    """Why an empty extension cannot be compiled, or "" if it can; a compiler without Python's headers is useless."""
    from setuptools import Distribution  # only needed for this check

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
    """Hide the output of the probe, including that of the compiler's own process."""
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
    """The ring as C extensions; raises for a type error, or for code that mypyc does not support."""
    from mypyc.build import mypycify  # late: a pure build does not need mypyc

    # The build environment has mypyc but not all of polytape's dependencies, so what the ring imports from the missing
    # ones is Any. The configuration in pyproject.toml is for the developer's check, where all are installed.
    options = [
        "--config-file=",
        "--explicit-package-bases",
        "--ignore-missing-imports",
        "--follow-imports=silent",
        "--always-true=COMPILING",  # see tensors/tensor.py
    ]
    previous = os.getcwd()
    os.chdir(HERE / "core")  # mypyc derives module names from relative paths
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
    repair(Path(target))
    if os.name != "nt":
        for extension in extensions:
            # mypyc sets -Werror, and a newer compiler could reject correct code. Nothing outside the ring needs its
            # symbols; if they are hidden, 2,000 lookups by name are not needed when the library loads.
            extension.extra_compile_args = [*extension.extra_compile_args, "-Wno-error", "-fvisibility=hidden"]
    return extensions


def repair(folder: Path) -> None:
    """Change two things in the C code that mypyc 2.4 generates.

    Instances of Tensor and its subclass get a list of weak references; mypyc has no option for that. And an instance
    that is freed may be reused (``free_list_len``) only when it is empty: mypyc offers it first, and then clears it.
    Clearing it may run a finalizer, or another thread, that creates a tensor, whose attributes are then cleared.
    """
    files = {path: path.read_text(encoding="utf-8") for path in folder.glob("__native_polytape.[ch]")}
    changes: list[tuple[str, Any]] = [(r"(\w+_free_instance) = self;\n(.*?)return;", emptied)]
    for name in ("polytape___tensors___tensor___TensorObject", "polytape___tensors___variable___VariableObject"):
        changes += [
            (rf"(struct {{\s*PyObject_HEAD\s*CPyVTableItem \*vtable;)([^}}]*}} {name};)", r"\1 PyObject *weakrefs;\2"),
            (rf"(\.tp_basicsize = sizeof\({name}\),)", rf"\1 .tp_weaklistoffset = offsetof({name}, weakrefs),"),
            (
                rf"(_dealloc\({name} \*self\)\s*{{\s*PyObject_GC_UnTrack\(self\);)",
                r"\1 if (self->weakrefs != NULL) PyObject_ClearWeakRefs((PyObject *)self);",
            ),
        ]
    for pattern, replacement in changes:
        count = 0
        for path, text in files.items():
            files[path], found = re.subn(pattern, replacement, text, flags=re.DOTALL)
            count += found
        if not count or (replacement is not emptied and count != 1):
            raise SystemExit("this mypyc generates other C code than `repair` in setup.py expects")
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")


def emptied(match: re.Match[str]) -> str:
    """C code that empties an instance, makes it available, and then drops the references it had."""
    attributes = re.findall(r"Py_CLEAR\((self->\w+)\);", match[2])
    rest = re.sub(r"Py_CLEAR\(self->\w+\);", "", match[2])
    taken = "".join(f"PyObject *old{i} = (PyObject *){name}; {name} = NULL; " for i, name in enumerate(attributes))
    dropped = " ".join(f"Py_XDECREF(old{i});" for i in range(len(attributes)))
    return f"{taken}{rest}{match[1]} = self; {dropped} return;"


@contextlib.contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Set one environment variable inside the ``with`` block."""
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
    """Report that the build continues without compiled code, or raise if POLYTAPE_COMPILE=1 demands compiled code."""
    if os.environ.get("POLYTAPE_COMPILE", "").strip() == "1":
        say("the kernel ring did not compile, and POLYTAPE_COMPILE=1 requires it")
        raise error
    reason = textwrap.shorten(str(error), 200) or type(error).__name__
    say(f"the kernel ring did not compile ({reason}); continuing in pure Python: the same results, more slowly")


class BuildRing(build_ext):
    """build_ext that removes all its output if compiling fails and POLYTAPE_COMPILE=1 is not set."""

    def run(self) -> None:
        """Build all of the ring or none of it: a partly compiled ring cannot be imported."""
        try:
            super().run()
        except (Exception, SystemExit) as error:
            fall_back(error)
            for output in self.get_outputs():
                Path(output).unlink(missing_ok=True)
            self.extensions = self.distribution.ext_modules = []
            return
        for extension in self.extensions if self.inplace else ():
            # Unchanged extensions are not copied again, but they are up to date: buildinfo compares timestamps.
            library = Path(self.get_ext_fullpath(extension.name))
            if library.exists():
                os.utime(library)


class EditableRoots(editable_wheel):
    """An editable install with a .pth file that lists every source root, which mypy, pyright and IDEs can follow.

    For several roots, setuptools would install an import hook, which these tools cannot follow and which slows down
    every import.
    """

    def _select_strategy(self, name: str, tag: str, build_lib: Any) -> Any:
        """Override a private method of setuptools; if that changes, use its default, which works except in IDEs."""
        from setuptools.command import editable_wheel as module

        roots = [HERE / root for root in ROOTS]
        try:
            return module._StaticPth(self.distribution, name, roots)
        except (AttributeError, TypeError):
            return super()._select_strategy(name, tag, build_lib)


def main() -> None:
    """Build in a temporary folder: setuptools' own build folder keeps deleted modules and a second copy of metadata."""
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
    elif reason != NO_BUILD:
        say(f"pure Python: {reason}")
    setup(
        packages=[package for root in ROOTS for package in find_packages(root)],
        ext_modules=extensions,
        cmdclass={"build_ext": BuildRing, "editable_wheel": EditableRoots},
        options={"build": {"build_base": scratch}, "egg_info": {"egg_base": scratch}},
    )


if __name__ == "__main__":
    main()
