"""Measure how many faults in NumPy's kernels the conformance kit detects: `python tools/mutate_kernels.py reduction`.

Each mutant is one small fault in one module of `polytape_numpy.kernels` (see tools/mutations.py). A process that has
loaded everything forks for it; the child executes the changed module and those that import it, registers a backend with
the kernels that they build, and runs the kit's checks of the ops that run the changed line, until one fails. A mutant
that no check detects is run a second time with kernels built for a module that is NumPy under another name, if its
file has branches for such modules.

    python tools/mutate_kernels.py reduction sorting   these modules; without arguments, all that have no results yet
    python tools/mutate_kernels.py --every 4 random    every fourth mutant
    python tools/mutate_kernels.py --again reduction   only those that survived before, after a row was changed
    python tools/mutate_kernels.py --unexplained       of those, only the ones that tools/mutants.toml does not explain
    python tools/mutate_kernels.py --report            write docs/backends/mutants.md from the results and the reasons

Results are files in build/mutants; the reasons why mutants survive are in tools/mutants.toml. Needs os.fork.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import json
import os
import resource
import signal
import sys
import time
import types
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

import mutant_report
import polytape as pt
from mutations import Mutation, mutations
from polytape.testing import CASES, CHECKS, Case, ErrorSample, unreached_kernels
from polytape.testing.large import check_large_operands
from polytape.testing.limits import Inapplicable, checked
from polytape_numpy import kernels as package, plugin

__all__ = ["Family", "main"]

ROOT: Final = Path(package.__file__).parent
NAME: Final = package.__name__
BACKEND: Final = "mutant"
MEMBERS: Final = (
    "devices", "array_type", "from_host", "to_host", "copy", "empty", "synchronize", "lift", "exclusive", "to_dlpack",
    "from_dlpack", "dlpack_device", "dtypes", "host",
)  # fmt: skip
TRACED: Final = [check for check in CHECKS if check.__name__ in ("check_value_dtype_and_shape", "check_errors")]
LARGE: Final = "large"  # stands for the large samples of a row, which one check runs together
MANY: Final = 3  # samples for the other checks, which take longer: a mutant that only a later one detects survives
LIMIT_S: Final = 60.0  # of processor time per mutant, for loops that a fault makes endless
MOST_NBYTES: Final = 16 << 30  # of addresses per mutant


class Family:
    """One module of kernels, what imports it, and the samples that run its lines.

    Args:
        name: of the module in `polytape_numpy.kernels`, such as ``"nn.smooth"``.
        xp: the module that the kernels are built for.
    """

    def __init__(self, name: str, xp: Any = np) -> None:
        self.name, self.xp = name, xp
        self.path = ROOT / f"{name.replace('.', '/')}.py"
        self.source = self.path.read_text(encoding="utf-8")
        self.modules = dependents(name)
        self.families = [other for other in package.FAMILIES if other in self.modules]
        own = {kernel.op for kernel in package.build(xp, tuple(self.families))}
        self.cases = [case for case in CASES if case.op.name in own]
        self.others = [kernel for kernel in package.build(xp) if kernel.op not in own]
        self.setup: set[int] = set()  # the lines that run when the module is loaded and its kernels are built
        self.lines: dict[tuple[str, Any], set[int]] = {}  # those that run for each op and sample
        self.sound: dict[tuple[str, str], bool] = {}  # whether a check passes without a fault, as far as known

    def measure(self) -> list[str]:
        """Find the lines that each sample runs without a fault; the result lists what fails even so."""
        failures = []
        with Tracer(self.path) as tracer:
            backend = self.backend(ast.parse(self.source))
        self.setup = tracer.lines
        with pt.register_backend(backend):
            for case in list(self.cases):
                try:
                    self._trace(case)
                except AssertionError as error:
                    failures.append(f"{case}: {error}")
                    self.cases.remove(case)
        return failures

    def _trace(self, case: Case) -> None:
        for sample in (*case.samples, *case.errors):
            one = reduced(case, [sample])
            with Tracer(self.path) as tracer:
                for check in TRACED:
                    if not passes(check, one):
                        raise AssertionError(f"{check.__name__} fails for {sample}")
            self.lines[str(case), sample] = tracer.lines
        with Tracer(self.path) as tracer:
            if not passes(check_large_operands, case):
                raise AssertionError("it fails for large operands")
        self.lines[str(case), LARGE] = tracer.lines

    def backend(self, tree: ast.Module) -> pt.Backend:
        """A backend whose kernels come from ``tree`` in place of the module."""
        built = []
        for name in self.modules:
            module = types.ModuleType(f"{NAME}.{name}")
            module.__package__ = module.__name__.rpartition(".")[0]
            module.__file__ = str(ROOT / f"{name.replace('.', '/')}.py")
            code: Any = tree if name == self.name else Path(module.__file__).read_text(encoding="utf-8")
            sys.modules[module.__name__] = module  # those that import it come after it
            exec(compile(code, module.__file__, "exec"), module.__dict__)
            if name in self.families:
                built += module.kernels(self.xp)
        numpy = plugin.polytape_backend()
        members = {member: getattr(numpy, member) for member in MEMBERS}
        return pt.Backend(name=BACKEND, kernels=[*self.others, *built], automatic=False, **members)

    def cases_of(self, mutation: Mutation) -> list[Case]:
        """The rows with the samples that run a mutation."""
        lines = set(mutation.lines)
        built = bool(lines & self.setup)
        if built:
            lines = set(mutation.function)  # what runs when the kernels are built serves those that it builds
        found = []
        for case in self.cases:
            samples = [sample for sample in (*case.samples, *case.errors) if lines & self.lines[str(case), sample]]
            if samples or lines & self.lines[str(case), LARGE]:
                found.append(reduced(case, samples))
        return self.cases if built and not found else found

    def judge(self, tree: ast.Module, mutation: Mutation) -> str:
        """What detects a mutant: a check, ``"loading"``, ``"crash"`` or ``"time"``; ``""`` if nothing does."""
        cases = self.cases_of(mutation)
        if not cases:
            return ""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            run_mutant(self, tree, mutation, cases, writer)
        os.close(writer)
        told = os.read(reader, 1000).decode()
        os.close(reader)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            return "time" if os.WTERMSIG(status) == signal.SIGPROF else "crash"
        if os.WEXITSTATUS(status):
            raise SystemExit(f"{self.name}: the process of {mutation.text!r} failed")
        by, _, op = told.partition(" ")
        if by == "unreached_kernels" or not op:
            return by
        if not self._is_sound(by, op):
            raise SystemExit(f"{self.name}: {by} fails for {op} without a fault")
        return by

    def _is_sound(self, by: str, op: str) -> bool:
        """Whether a check passes without a fault."""
        if (by, op) not in self.sound:
            case = next(case for case in self.cases if str(case) == op)
            with pt.register_backend(self.backend(ast.parse(self.source))):
                self.sound[by, op] = all(passes(check, case) for check in CHECKS if check.__name__ == by)
        return self.sound[by, op]


class Tracer:
    """Records the lines of one file that run while it is open."""

    def __init__(self, path: Path) -> None:
        self.file = str(path)
        self.lines: set[int] = set()

    def __enter__(self) -> Tracer:
        sys.settrace(self._trace)
        return self

    def __exit__(self, *exception: Any) -> None:
        sys.settrace(None)

    def _trace(self, frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != self.file:
            return None
        self.lines.add(frame.f_lineno)
        return self._trace


def reduced(case: Case, samples: Sequence[Any]) -> Case:
    """A row with only these samples, or its first one if they are all errors."""
    other = copy.copy(case)
    other.errors = tuple(sample for sample in samples if isinstance(sample, ErrorSample))
    other.samples = tuple(sample for sample in samples if not isinstance(sample, ErrorSample)) or case.samples[:1]
    return other


def run_mutant(family: Family, tree: ast.Module, mutation: Mutation, cases: list[Case], writer: int) -> None:
    """The child: apply the mutation, run the checks, write what fails first, and exit."""
    try:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_NBYTES, MOST_NBYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        mutation.apply()
        try:
            backend = family.backend(ast.fix_missing_locations(tree))
            polytape_scope = pt.register_backend(backend)
        except Exception:
            os.write(writer, b"loading")
            os._exit(0)
        with polytape_scope:
            os.write(writer, detection(family, cases).encode())
        os._exit(0)
    finally:
        os._exit(1)


def detection(family: Family, cases: list[Case]) -> str:
    """The first check that fails and the op it fails for; ``""`` if none fails."""
    for case in cases:
        for sample in (*case.samples, *case.errors):
            one = reduced(case, [sample])
            for check in TRACED:
                if not passes(check, one):
                    return f"{check.__name__} {case}"
    for case in cases:
        some = reduced(case, [*case.samples[:MANY], *case.samples[-1:]])
        for check in CHECKS:
            if check not in TRACED and not passes(check, some):
                return f"{check.__name__} {case}"
    if "when=" in family.source:
        names = {str(case) for case in family.cases}
        if any(line.split("'")[1] in names for line in unreached_kernels(BACKEND, family.cases)):
            return "unreached_kernels"
    return ""


def passes(check: Any, case: Case) -> bool:
    """Whether a check of a row passes; one that does not apply does."""
    try:
        checked(check, case, BACKEND)
    except Inapplicable:
        pass
    except AssertionError:
        return False
    return True


def dependents(name: str) -> list[str]:
    """The modules of kernels that import one of them, directly or not, each after those that it imports."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sorted(ROOT.rglob("[!_]*.py"))]
    imports = {other: _imports(other, names) for other in names}
    found, ordered = {name}, [name]
    while True:
        more = [other for other in names if other not in found and imports[other] & found]
        if not more:
            return sorted(ordered, key=lambda other: (len(_reached(other, imports)), other))
        found.update(more)
        ordered += more


def _imports(name: str, names: Iterable[str]) -> set[str]:
    tree = ast.parse((ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8"))
    parts, found = name.split("."), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            found.add(".".join([*parts[: len(parts) - node.level], *([node.module] if node.module else [])]))
    return found & set(names)


def _reached(name: str, imports: dict[str, set[str]]) -> set[str]:
    return imports[name].union(*[_reached(other, imports) for other in imports[name]])


def renamed_numpy() -> Any:
    """NumPy under another name, for which kernels are built as for another library."""
    module: Any = types.ModuleType("elsewhere")
    module.__getattr__ = lambda name: getattr(np, name)
    return module


def run_family(
    name: str, earlier: dict[str, Any] | None, every: int = 1, skipped: Collection[str] = ()
) -> dict[str, Any]:
    """The results of a module: of every so many mutants, or of those that survived ``earlier``.

    Those in ``skipped`` are not run again: they survive.
    """
    every = earlier["every"] if earlier else every
    family = Family(name)
    failures = family.measure()
    if failures:
        raise SystemExit(f"{name} fails without a fault:\n" + "\n".join(failures))
    tree = ast.parse(family.source)
    found = mutations(tree)[::every]
    gc.collect()
    gc.freeze()  # so that children do not copy pages to count references
    killed: dict[str, int] = dict(earlier["killed"]) if earlier else {}
    wanted = [m for m in found if not earlier or m.text in earlier["survivors"]]
    elsewhere: Family | None = None
    survivors = []
    start = time.monotonic()
    for count, mutation in enumerate(wanted):
        if mutation.text in skipped:
            survivors.append(mutation.text)
            continue
        by = family.judge(tree, mutation)
        if not by and "__name__ " in family.source:  # it asks which library the kernels are for
            if elsewhere is None:
                elsewhere = Family(name, renamed_numpy())
                elsewhere.measure()  # which leaves out ops that need NumPy itself
            by = elsewhere.judge(tree, mutation)
        if by:
            killed[by] = killed.get(by, 0) + 1
        else:
            survivors.append(mutation.text)
        if count % 50 == 49:
            print(f"{name}: {count + 1} of {len(wanted)}, {len(survivors)} survive", flush=True)
    elapsed = time.monotonic() - start
    print(f"{name}: {len(found) - len(survivors)} of {len(found)} killed ({elapsed:.0f} s)", flush=True)
    return {"name": name, "every": every, "total": len(found), "killed": killed, "survivors": survivors}


def main(arguments: list[str] | None = None) -> int:
    """Run the mutants of the named modules, or write the report; the exit status is 1 if a survivor has no reason."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="modules of polytape_numpy.kernels, such as nn.smooth")
    parser.add_argument("--again", action="store_true", help="run only the mutants that survived before")
    parser.add_argument("--unexplained", action="store_true", help="run only the survivors that have no reason")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="run every N-th mutant only")
    parser.add_argument("--report", action="store_true", help="write docs/backends/mutants.md")
    parser.add_argument("--results", type=Path, default=mutant_report.RESULTS, help="the folder of results")
    options = parser.parse_args(arguments)
    if options.report:
        return mutant_report.write(options.results)
    options.results.mkdir(parents=True, exist_ok=True)
    again, entries = options.again or options.unexplained, mutant_report.reasons()
    for name in options.names or modules():
        file = options.results / f"{name}.json"
        earlier = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
        if earlier and not again and not options.names:
            continue
        skipped: list[str] = []
        if options.unexplained and earlier:
            texts = earlier["survivors"]
            skipped = [text for text in texts if mutant_report.reason_of(entries, name, text) >= 0]
            if len(skipped) == len(texts):
                continue
        results = run_family(name, earlier if again else None, options.every, skipped)
        file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def modules() -> list[str]:
    """All modules that have mutants."""
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sorted(ROOT.rglob("[!_]*.py"))]


if __name__ == "__main__":
    raise SystemExit(main())
