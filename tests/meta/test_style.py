"""The habits of the code that a linter does not know."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PRODUCT = ("core", "backends", "perf", "examples", "tools")
FOLDERS = (*PRODUCT, "tests", "asv_bench/benchmarks")
FILES = [CHECKOUT / "setup.py", *(path for folder in FOLDERS for path in sorted((CHECKOUT / folder).rglob("*.py")))]
PUBLIC_FILES = {path for path in FILES if path.relative_to(CHECKOUT).parts[0] in ("core", "backends")}
# What setup.py compiles, read from there.
RING_NAMES = ast.literal_eval(re.search(r"^RING = (\(.*?^\))", FILES[0].read_text(encoding="utf-8"), re.M | re.S)[1])  # type: ignore[index]  # it is there
RING = [CHECKOUT / "core/polytape" / f"{name}.py" for name in RING_NAMES]
MOST_LINES = 400
MOST_FUNCTION_LINES = 50
MOST_RING_LINES = 5900

# Put together here, so that this file passes its own test.
MACHINE_PATHS = [f"/{top}/" for top in ("work", "root", "farm", "home", "Users")] + ["C:" + "\\Users"]
HOSTS = [name + ".org" for name in ("pypi", "pythonhosted", "npmjs", "anaconda", "debian")]


def title(path: Path) -> str:
    """A test's name for a file."""
    return path.relative_to(CHECKOUT).as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a file, at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def long_functions(path: Path, tree: ast.Module) -> list[str]:
    """A function has at most 50 lines."""
    lines = {f.name: f.end_lineno - f.lineno + 1 for f in functions(tree) if f.end_lineno is not None}
    return [f"{name} has {count} lines" for name, count in lines.items() if count > MOST_FUNCTION_LINES]


def test_the_kernel_ring_stays_small() -> None:
    lines = sum(path.read_text(encoding="utf-8").count("\n") for path in RING)
    assert lines < MOST_RING_LINES, f"the kernel ring has {lines} lines"


def bare_names(path: Path, tree: ast.Module) -> list[str]:
    """In what is installed, every parameter and result is annotated."""
    bad: list[str] = []
    for function in functions(tree) if path in PUBLIC_FILES else ():
        spec = function.args
        named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *filter(None, (spec.vararg, spec.kwarg))]
        bare = [arg.arg for arg in named if arg.annotation is None and arg.arg not in ("self", "cls")]
        bad += [f"{function.name}({', '.join(bare)})"] if bare else []
        bad += [f"{function.name} -> ?"] if function.returns is None else []
    return bad


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """Public functions, classes and methods, but for overloads and gradient rules (`def _`)."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            yield from public(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
            if not any("overload" in text or text.endswith(".setter") for text in decorators):
                yield prefix + node.name, node


def undocumented(path: Path, tree: ast.Module) -> list[str]:
    """In what is installed, but for kernels, every module and public name has a docstring."""
    if path not in PUBLIC_FILES or "kernels" in path.parts:
        return []
    bad = [f"{name} has no docstring" for name, node in public(tree.body) if not ast.get_docstring(node)]
    return bad if ast.get_docstring(tree) or not tree.body else [*bad, "it does not say what it is for"]


@pytest.mark.parametrize("rule", [long_functions, bare_names, undocumented], ids=lambda rule: rule.__name__)
def test_a_rule_detects_its_fault(rule: Callable[[Path, ast.Module], list[str]]) -> None:
    body = "\n    x = 1" * MOST_FUNCTION_LINES
    assert rule(RING[0], ast.parse(f"def faulty(x):{body}"))


def test_functions_are_short_and_what_is_installed_is_annotated_and_documented() -> None:
    bad = []
    for path in FILES:  # one test, since reading a file as Python costs more than all rules, and a test as much as one
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bad += [f"{title(path)}: {x}" for rule in (long_functions, bare_names, undocumented) for x in rule(path, tree)]
    assert not bad, "\n".join(bad)


def test_a_module_tells_one_story_in_400_lines() -> None:
    lines = {title(path): path.read_text(encoding="utf-8").count("\n") for path in FILES}
    bad = {name: count for name, count in lines.items() if count > MOST_LINES}
    assert not bad, f"lines of each: {bad}; split them by family"


def faulty_ignores(text: str) -> list[str]:
    """The lines with an ignore without a rule, or without a reason."""
    bad = []
    for number, line in enumerate(text.splitlines(), start=1):
        if "ignore" not in line and "noqa" not in line:
            continue
        bare_type = re.search(r"#\s*type:\s*ignore(?!\[[\w-]+)", line)
        lint = re.search(r"#\s*noqa\b:?\s*((?:[A-Z]+\d+[,\s]*)*)(.*)", line)
        reasonless = lint and not (lint[1] and re.search(r"\w{3}", lint[2]))
        # A pattern that looks for such comments is none.
        if (bare_type or reasonless) and "re.search" not in line:
            bad.append(f"line {number}: {line.strip()}")
    return bad


def test_an_ignore_names_its_rule_and_its_reason() -> None:
    bad = {title(path): faulty_ignores(path.read_text(encoding="utf-8")) for path in FILES}
    assert not any(bad.values()), {name: lines for name, lines in bad.items() if lines}
    comments = ["x = 1  # type: " + "ignore", "x = 1  # no" + "qa", "x = 1  # no" + "qa: E501"]
    assert [len(faulty_ignores(x)) for x in [*comments, "x = 1  # no" + "qa: E501  # a table"]] == [1, 1, 1, 0]


def tracked() -> list[Path]:
    """The files git tracks, or would with `git add`; none outside a git checkout."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        return []
    return [path for name in listed.split("\0") if name and (path := CHECKOUT / name).is_file()]


def test_no_file_names_a_machine_s_paths_or_a_package_registry() -> None:
    files = tracked()
    if not files:
        pytest.skip("not a git checkout, so nothing tells the project's files from others")
    bad = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        bad += [f"{title(path)}: {word}" for word in (*MACHINE_PATHS, *HOSTS) if word in text]
    assert not bad, bad
