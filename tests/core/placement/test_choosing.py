"""Lists of backends, and the environment variables that polytape reads or does not."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from polytape.placement.choosing import VARIABLES, unknown_variables

Child = Callable[..., "CompletedProcess[str]"]

SHOW = """
import sys, warnings
def shown(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    for w in caught:
        print(w.category.__name__, w.filename, w.lineno, w.message)
"""


def test_a_variable_that_polytape_does_not_read_is_warned_about_once_at_the_user_s_line(child: Child) -> None:
    code = f"{SHOW}\ndef imports():\n    import polytape\nshown(imports); shown(imports)\n"
    line = code.splitlines().index("    import polytape") + 1
    result = child(code, POLYTAPE_BACKND="numba", POLYTAPE_DEVICE="gpu", POLYTAPE_MIXED_DEVICE="silent")
    warned = sorted(result.stdout.splitlines())
    assert len(warned) == 3
    start = f"PolytapeWarning <string> {line} polytape does not read the environment variable"
    assert warned[0] == f"{start} POLYTAPE_BACKND; did you mean POLYTAPE_BACKEND?"
    assert warned[1].startswith(f"{start} POLYTAPE_DEVICE; it reads POLYTAPE_BACKEND, POLYTAPE_CHECK, ")
    assert warned[2] == f"{start} POLYTAPE_MIXED_DEVICE; did you mean POLYTAPE_MIXED_DEVICES?"


def test_variables_of_plugins_and_those_that_polytape_reads_are_not_warned_about(child: Child) -> None:
    settings = {"POLYTAPE_SIM_LIMIT_NBYTES": "1", "POLYTAPE_COMPILE": "1"}
    result = child("import polytape", POLYTAPE_FALLBACK="warn", POLYTAPE_CHECK="results", **settings)
    assert result.stderr == ""


def test_variables_of_known_backends_are_known() -> None:
    names = ["PATH", "POLYTAPE_SIM_LIMIT", "POLYTAPE_MY_GPU_X", "POLYTAPE_FALBACK", *VARIABLES]
    assert unknown_variables(names, ["sim", "my-gpu"]) == [("POLYTAPE_FALBACK", "POLYTAPE_FALLBACK")]
    assert [name for name, _ in unknown_variables(names)] == names[1:4]


def test_a_miss_in_a_list_is_warned_about_once_at_the_line_that_chooses(child: Child) -> None:
    code = f"{SHOW}\nimport polytape as pt\ndef use():\n    print(pt.ones(()).device)\nshown(use); shown(use)\n"
    line = code.splitlines().index("    print(pt.ones(()).device)") + 1
    first, warned, second = child(code, "broken", POLYTAPE_BACKEND="numbaa,broken,numpy").stdout.splitlines()
    assert first == second == "numpy:cpu:0"
    start = f"PolytapeWarning <string> {line} POLYTAPE_BACKEND='numbaa,broken,numpy' uses numpy:cpu:0, because "
    assert warned.startswith(f"{start}no backend 'numbaa'")
    assert "did you mean 'numba'?" in warned and "the driver's table is damaged" in warned
    assert warned.endswith("; an item that ends with '?' is skipped silently")


@pytest.mark.parametrize("text", ["numbaa?,broken?,numpy", "numpy,numbaa", "numbaa?"])
def test_optional_items_and_those_after_the_choice_are_not_warned_about(child: Child, text: str) -> None:
    code = "import polytape as pt; print(pt.ones(()).device)"
    assert child(code, "broken", POLYTAPE_BACKEND=text).stdout == "numpy:cpu:0\n"


def test_set_backend_warns_about_misses_too(child: Child) -> None:
    code = f"{SHOW}\nimport polytape as pt\nshown(lambda: pt.set_backend('numbaa,numpy'))"
    assert "set_backend='numbaa,numpy' uses numpy:cpu:0, because 'numbaa' is neither a backend" in child(code).stdout


def test_the_import_checks_the_environment_without_loading_what_it_does_not_need(child: Child) -> None:
    code = "import sys, polytape; print([m for m in ('polytape.placement.choosing', 'difflib') if m in sys.modules])"
    assert child(code).stdout == "[]\n"
    assert child(code, POLYTAPE_BACKEND="numpy").stdout == "['polytape.placement.choosing']\n"
