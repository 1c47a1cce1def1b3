"""A pytest plugin that runs each test with an argument ``backend`` on every usable backend.

Enable it with ``-p polytape.testing.plugin`` or ``pytest_plugins = ["polytape.testing.plugin"]``. A test that also has
an argument ``case`` is run for every row. A backend that cannot be used appears as one skipped test with the reason.
On a backend that extends another, an op that runs the other's kernel is only tested for its values.
"""

from __future__ import annotations

from typing import Any

import pytest

from .. import plugins

__all__ = ["pytest_addoption", "pytest_collection_modifyitems", "pytest_configure", "pytest_generate_tests"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options.

    ``--polytape-backend NAME``: default: all installed backends. ``--polytape-tier T``: default: all tiers.
    """
    parser.getgroup("polytape").addoption(
        "--polytape-tier",
        action="append",
        default=[],
        metavar="T",
        help="of the conformance kit, run the tests of this tier only, such as T2 (may be repeated)",
    )
    parser.getgroup("polytape").addoption(
        "--polytape-backend",
        action="append",
        default=[],
        metavar="NAME",
        help="run the tests of all backends on this backend only (may be repeated)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "polytape_tier(name): the tier of the conformance kit that the test belongs to")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the kit's tests of tiers that were not asked for."""
    wanted = {name.upper() for name in config.getoption("--polytape-tier")}
    if not wanted:
        return
    left = [x for x in items if (marker := x.get_closest_marker("polytape_tier")) and marker.args[0] not in wanted]
    config.hook.pytest_deselected(items=left)
    items[:] = [x for x in items if x not in set(left)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize the tests with an argument ``backend`` or ``case`` over the backends and the rows."""
    names = metafunc.fixturenames
    if any("backend" in str(marker.args[:1]) for marker in metafunc.definition.iter_markers("parametrize")):
        return  # the test parametrizes it itself
    if getattr(metafunc, "_arg2fixturedefs", {}).get("backend"):
        return  # the test suite has a fixture of that name
    if "backend" in names and "case" in names:
        metafunc.parametrize(("case", "backend"), _crossed(metafunc.config, metafunc.function))
    elif "backend" in names:
        metafunc.parametrize("backend", _backends(metafunc.config))
    elif "case" in names:
        from .cases import CASES

        metafunc.parametrize("case", CASES, ids=str)


def usable(config: pytest.Config) -> dict[str, str]:
    """The backends to test, each with the reason why it cannot be used, or "" if it can."""
    requested: list[str] = config.getoption("--polytape-backend")
    if requested:
        for name in requested:
            plugins.get_backend(name)  # raises an error: a backend that was requested by name must not be skipped
        return dict.fromkeys(requested, "")
    return {
        status.name: "" if status.status == "ready" else f"{status.name} is {status.status}: {status.reason}"
        for status in plugins.backends()
    }


def _backends(config: pytest.Config) -> list[Any]:
    return [
        pytest.param(name, marks=pytest.mark.skip(reason=reason)) if reason else name
        for name, reason in usable(config).items()
    ]


def _crossed(config: pytest.Config, test: Any) -> list[Any]:
    """The rows and backends of a test; without those that its check (``polytape_check``) is not for."""
    from .cases import CASES
    from .tiers import checks_of, inherited

    checks = checks_of(getattr(test, "polytape_check", None))
    parameters: list[Any] = []
    for name, reason in usable(config).items():
        needs = [check.needs(name) for check in checks if check.needs is not None]
        if reason or any(needs):
            skipped = pytest.mark.skip(reason=reason or needs[0])
            parameters.append(pytest.param(CASES[0], name, id=name, marks=skipped))
            continue
        everywhere = any(check.inherited for check in checks)
        for case in CASES:
            applies = not checks or any(check.applies is not None and check.applies(case, name) for check in checks)
            if applies and (everywhere or not inherited(case.op, name)):
                parameters.append(pytest.param(case, name, id=f"{case}-{name}"))
    return parameters
