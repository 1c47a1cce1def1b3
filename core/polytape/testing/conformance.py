"""The conformance kit as a function: `conformance` runs it tier by tier and returns a report. It needs no pytest."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Iterable, Iterator

from .. import plugins
from ..device import Device
from ..errors import DeviceError, DTypeError, KernelError, SettingError
from .calls import device_of, on_device
from .case import Case
from .cases import CASES
from .coverage import coverage
from .limits import Inapplicable, checked, limits_of, without_fallback
from .narrowing import program
from .reporting import Outcome, Report
from .tiers import TIERS, Check, Tier, inherited

__all__ = ["conformance"]


def conformance(
    backend: str,
    *,
    tiers: Iterable[str] = (),
    ops: Iterable[str] = (),
    device: str = "",
    exhaustive: bool = False,
    stop_at_first: bool = False,
    with_coverage: bool = True,
    modules: Iterable[str] = (),
    after_tier: Callable[[Report, Tier], None] | None = None,
) -> Report:
    """Run the conformance kit on a backend.

    Args:
        backend: its name.
        tiers: names of the tiers to run, such as ``T2``; default: all.
        ops: names of the ops to check; default: all. With some, checks of the whole backend are left out.
        device: a device of the backend; default: its first.
        exhaustive: also run all checks for ops whose kernel belongs to a backend that this one extends, which by
            default are only checked for their values.
        stop_at_first: stop at the first failure.
        with_coverage: whether to find out how each op runs.
        modules: modules that register the backend, which the programs of failures import.
        after_tier: called with the report after each tier.
    Returns:
        The report; ``report.passed`` says whether all is right, and ``print(report)`` shows it.
    Raises:
        BackendError: the backend cannot be used.
        SettingError: there is no such tier or op.

    Example:
        >>> from polytape.testing import conformance
        >>> conformance("numpy", tiers=["T2"], ops=["add", "exp"], with_coverage=False).passed
        True
    """
    plugins.get_backend(backend)
    chosen, cases, target = _tiers(list(tiers)), _cases(list(ops)), _device(backend, device)
    with on_device(target), _warnings_as_errors():
        report = Report(backend, plugins.get_backend(backend).version, str(device_of(backend)))
        for tier in chosen:
            outcomes = _run(tier, cases, backend, exhaustive, bool(ops), list(modules))
            stopped = _add(report, tier, outcomes, stop_at_first)
            if after_tier is not None:
                after_tier(report, tier)
            if stopped:
                break
        if with_coverage:
            report.coverage = coverage(backend, cases)
    return report


@contextlib.contextmanager
def _warnings_as_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning from a kernel is a fault, as in the test suite
        warnings.filterwarnings("ignore", message="This process .* is multi-threaded")
        yield


def _add(report: Report, tier: Tier, outcomes: Iterable[Outcome], stop_at_first: bool) -> bool:
    """Add the outcomes of a tier to the report; whether to stop."""
    start = time.perf_counter()
    report.tiers.append(tier.name)
    stopped = False
    for outcome in outcomes:
        report.outcomes.append(outcome)
        stopped = stop_at_first and outcome.status == "failed"
        if stopped:
            break
    report.times_s[tier.name] = time.perf_counter() - start
    return stopped


def _run(
    tier: Tier, cases: list[Case], backend: str, exhaustive: bool, only_ops: bool, modules: list[str]
) -> Iterable[Outcome]:
    for check in tier.checks:
        reason = check.needs(backend) if check.needs is not None else ""
        if reason:
            yield Outcome(tier.name, check.name, "", "skipped", reason)
            continue
        if check.applies is None:
            if not only_ops:
                yield _outcome(tier, check, None, backend, modules)
            continue
        for case in cases:
            if check.applies(case, backend):
                if not exhaustive and not check.inherited and inherited(case.op, backend):
                    text = "its kernel belongs to a backend that this one extends (--exhaustive checks it here too)"
                    yield Outcome(tier.name, check.name, str(case), "skipped", text)
                else:
                    yield _outcome(tier, check, case, backend, modules)


def _outcome(tier: Tier, check: Check, case: Case | None, backend: str, modules: list[str]) -> Outcome:
    op = "" if case is None else str(case)
    try:
        if case is None:
            run_whole(check.fn, backend)
        else:
            checked(check.fn, case, backend)
    except Inapplicable as reason:
        return Outcome(tier.name, check.name, op, "skipped", str(reason))
    except Exception as error:
        text = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        shown = program(check, case, backend, device_of(backend), modules)
        return Outcome(tier.name, check.name, op, "failed", text, shown)
    return Outcome(tier.name, check.name, op, "passed")


def run_whole(fn: Callable[[str], None], backend: str) -> None:
    """Run a check of the whole backend.

    Raises:
        Inapplicable: it needs a primitive that the backend declares as missing, or a dtype that it does not have.
        Exception: it failed.
    """
    try:
        with without_fallback():
            fn(backend)
    except KernelError as error:
        needed = [name for name in limits_of(backend).missing if error.summary.startswith(f"{name} has no kernel")]
        if not needed:
            raise
        raise Inapplicable(f"it needs {needed[0]}, which {backend} declares as missing") from None
    except DTypeError as error:
        if not error.summary.startswith(f"backend {backend!r} does not support "):
            raise
        raise Inapplicable(f"it computes in a dtype that {backend} does not support: {error.summary}") from None


def _tiers(names: list[str]) -> list[Tier]:
    known = {tier.name: tier for tier in TIERS}
    for name in names:
        if name not in known:
            raise SettingError(
                f"there is no tier {name!r}.",
                expected=", ".join(known),
                got=repr(name),
                fix="use these names, such as T0 and T1",
            )
    return [tier for tier in TIERS if not names or tier.name in names]


def _cases(names: list[str]) -> list[Case]:
    import difflib

    known = {str(case): case for case in CASES}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 3)
            raise SettingError(
                f"there is no op {name!r} in the kit.",
                expected=f"names of ops, such as {', '.join(near) or 'add, exp'}",
                got=repr(name),
                fix="correct the name",
            )
    return [known[name] for name in dict.fromkeys(names)] if names else list(CASES)


def _device(backend: str, name: str) -> Device | None:
    if not name:
        return None
    devices = plugins.get_backend(backend).device_list()
    for device in devices:
        short = f"{device.kind}:{device.index}"
        if name in (str(device), short, f"{backend}:{device.index}", device.kind if device.index == 0 else short):
            return device
    raise DeviceError(
        f"{backend} has no device {name!r}.",
        expected=", ".join(map(str, devices)),
        got=repr(name),
        fix="use one of these",
    )
