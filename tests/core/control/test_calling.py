"""Keywords that other libraries have raise an error with ours."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import polytape as pt
from polytape.control.calling import KEYWORDS
from polytape.errors import DTypeError

FUNCTIONS = (pt.cond, pt.while_loop, pt.fori_loop, pt.scan, pt.map)


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_a_keyword_of_another_library_names_ours(keyword: str) -> None:
    def wrong(f: Any) -> None:
        with pytest.raises(DTypeError, match=rf"keyword argument '{keyword}'\.\n  expected: .*\n  got: .*\n  fix: \S"):
            f(**{keyword: 1})

    for f in FUNCTIONS:
        if keyword not in inspect.signature(f).parameters:
            wrong(f)
    ours = KEYWORDS[keyword].partition("=...")
    if ours[1]:
        assert any(ours[0] in inspect.signature(f).parameters for f in FUNCTIONS)


def test_any_other_wrong_keyword_raises_python_s_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'nothing'"):
        pt.scan(lambda c, x: (c, x), 0.0, pt.ones((2,)), nothing=1)  # type: ignore[call-arg]
