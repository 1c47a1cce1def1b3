"""An op is two files, a primitive three: made-up ops in a copy of the sources, seen by every check."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[2]
ROOTS = ("core", "backends/numpy")
LOADED = """
import polytape as pt, sys
pt.asarray([1.0]) + 1.0
print(sorted(name for name in sys.modules if "polytape" in name))
"""
DECLARATION = '''

@op(dtype=dtype_rules.same_real_floating, shape=shape_rules.same_shape, elementwise=True)
def ramp(x: TensorLike, /) -> Tensor:
    """Smooth ramp, ``log(1 + exp(x))``, elementwise.

    Source:
        C. Dugas et al. (2001), NIPS 13, pp. 472-478.
    """
    # max(x, 0) carries the large part, so exp never sees a positive number.
    return maximum(x, 0.0) + log(exp(-(maximum(x, 0.0) - minimum(x, 0.0))) + 1.0)


ramp.gradient(x=lambda g, x: g * sigmoid(x))
'''
ROW = "    Case(activations.ramp, reference=lambda x: np.logaddexp(0.0, x), ulp=16.0, scale=1.0),\n"
NEXT_ROW = "    Case(activations.relu,"
PRIMITIVE = '''

@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True)
def wave(x: TensorLike, /) -> Tensor:
    """Sine, elementwise.

    Source:
        L. Euler (1748), Introductio in analysin infinitorum.
    """
    return primitive()


@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True)
def ahead(x: TensorLike, /) -> Tensor:
    """Cosine, elementwise.

    Source:
        L. Euler (1748), Introductio in analysin infinitorum.
    """
    return primitive()


wave.gradient(x=lambda g, x: g * ahead(x))
ahead.gradient(x=lambda g, x: -(g * wave(x)))
'''
PRIMITIVE_ROWS = "    Case(trigonometric.wave, reference=np.sin),\n    Case(trigonometric.ahead, reference=np.cos),\n"
OTHER_ROW = "    Case(trigonometric.sin,"


class Copy:
    """A copy of the sources, run as it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in (*ROOTS, "tools", "docs/api"):
            shutil.copytree(
                CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
            )
        roots = os.pathsep.join(str(folder / root) for root in ROOTS)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")}
        self.environment = {**kept, "PYTHONPATH": roots, "MYPYPATH": roots}

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands there once."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old, text.count(old))
        path.write_text(text.replace(old, new), encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        """Add to the end of a file."""
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python with the copy."""
        command = [sys.executable, *words]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=self.environment, cwd=self.folder, timeout=600
        )

    def output(self, code: str) -> str:
        """What a program prints."""
        done = self.run("-c", code)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def write_table(self) -> None:
        """Make the table of ops anew, as after every change of names."""
        done = self.run("tools/write_op_table.py")
        assert done.returncode == 0, done.stdout + done.stderr

    def missing(self) -> str:
        """What the test of completeness says."""
        return self.output(
            "from polytape.testing import CASES, incomplete_ops, own_ops\n"
            "print('\\n'.join(incomplete_ops(own_ops(), CASES)))"
        )

    def suite(self, op: str) -> str:
        """The kit's tests of one op on numpy: pytest's output."""
        words = ["-m", "pytest", "-q", "-p", "polytape.testing.plugin", "--pyargs", "polytape.testing.suite"]
        return self.run(*words, "--polytape-backend", "numpy", "-k", f"[{op}-numpy]", "-p", "no:cacheprovider").stdout


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A copy with a made-up composite op: its declaration and its row."""
    made = Copy(tmp_path)
    declaration = "core/polytape/ops/nn/activations.py"
    made.append(declaration, DECLARATION)
    made.edit(declaration, '"log_softmax", "relu"', '"log_softmax", "ramp", "relu"')
    made.edit(declaration, "import divide, maximum, multiply,", "import divide, maximum, minimum, multiply,")
    made.edit("core/polytape/testing/cases/nn/activations.py", NEXT_ROW, ROW + NEXT_ROW)
    made.write_table()
    return made


def test_a_composite_op_of_two_files_is_public_typed_documented_and_tested(copy: Copy) -> None:
    show = "print('ramp' in pt.nn.__all__, pt.nn.ramp(pt.asarray(0.0)), pt.nn.ramp.__doc__)"
    shown = copy.output(f"import polytape as pt; {show}")
    assert shown.startswith("True 0.693147")
    for part in (
        "x: real floating[...].",
        "Shape and dtype of ``x``.",
        "DTypeError: ``x`` is not real floating.",
        "Dugas",
    ):
        assert part in shown
    assert copy.missing() == ""
    done = copy.suite("ramp")
    assert re.search(r"\b\d+ passed", done) and "failed" not in done, done
    assert copy.run("tools/write_reference.py").returncode == 0
    assert "`pt.nn.ramp(x, /)` | Smooth ramp" in (copy.folder / "docs/api/nn.md").read_text(encoding="utf-8")


def test_a_checker_sees_the_declared_signature(copy: Copy) -> None:
    program = copy.folder / "program.py"
    program.write_text("import polytape as pt\nx = pt.nn.ramp(pt.asarray(1.0))\nreveal_type(x)\npt.nn.ramp()\n")
    options = ["--strict", "--config-file=", "--always-false=COMPILING", "--follow-imports=silent", "--no-incremental"]
    done = copy.run("-m", "mypy", *options, str(program))
    assert 'Revealed type is "polytape.tensors.tensor.Tensor"' in done.stdout, done.stdout
    assert "program.py:4: error" in done.stdout and done.stdout.count("error:") == 1


def test_an_op_without_its_row_or_its_public_name_fails_by_name(copy: Copy) -> None:
    copy.edit("core/polytape/testing/cases/nn/activations.py", ROW, "")
    assert "ramp: 0 rows in polytape/testing/cases, expected one" in copy.missing()
    copy.edit("core/polytape/ops/nn/activations.py", '"ramp", ', "")
    copy.write_table()
    assert "ramp: neither in its module's __all__ nor internal" in copy.missing()


def test_a_primitive_is_a_kernel_as_well_and_without_it_fails_by_name(tmp_path: Path) -> None:
    made = Copy(tmp_path)
    declarations = "core/polytape/ops/trigonometric.py"
    made.append(declarations, PRIMITIVE)
    made.edit(declarations, '    "acos",\n', '    "acos",\n    "ahead",\n    "wave",\n')
    rows = "core/polytape/testing/cases/trigonometric.py"
    made.edit(rows, OTHER_ROW, PRIMITIVE_ROWS + OTHER_ROW)
    made.write_table()
    assert "FAILED" in made.suite("wave") and "wave has no kernel" in made.suite("wave")
    made.edit(
        "backends/numpy/polytape_numpy/kernels/trigonometric.py",
        "        *own,\n",
        '        *own,\n        Kernel("wave", xp.sin, out=True),\n        Kernel("ahead", xp.cos, out=True),\n',
    )
    assert made.missing() == ""
    assert "failed" not in made.suite("wave") and "passed" in made.suite("ahead")


def test_250_ops_more_load_nothing_at_import_or_at_the_first_tensor(tmp_path: Path) -> None:
    made = Copy(tmp_path)
    before = made.output(LOADED)
    families = [f"made_{number:02}" for number in range(14)]
    for number, family in enumerate(families):
        names = [f"made_op_{number}_{k}" for k in range(18)]
        ops = "".join(
            f"\n\n@op(dtype=dtype_rules.same_floating, shape=shape_rules.same_shape, elementwise=True)\n"
            f'def {name}(x: TensorLike, /) -> Tensor:\n    """Op {name}."""\n    return exp(x)\n'
            for name in names
        )
        listed = ",\n    ".join(f'"{name}"' for name in names)
        made.append(
            f"core/polytape/ops/{family}.py",
            '"""Made-up ops."""\n\nfrom __future__ import annotations\n\n'
            "from ..tensors.tensor import Tensor, TensorLike\nfrom . import dtype_rules, shape_rules\n"
            f"from .declaration import op\nfrom .exponential import exp\n\n__all__ = [\n    {listed},\n]\n{ops}",
        )
    made.write_table()
    assert made.output(LOADED) == before
    assert made.output("import polytape as pt; print(len([n for n in dir(pt) if 'made_op' in n]))") == "252"
    show = "print(pt.made_op_7_3([0.0]).tolist(), [name for name in sys.modules if '.made_' in name])"
    assert made.output(f"import polytape as pt, sys; {show}") == "[1.0] ['polytape.ops.made_07']"
