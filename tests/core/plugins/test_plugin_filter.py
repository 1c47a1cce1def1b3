"""POLYTAPE_PLUGINS: which plugins it allows, and its grammar."""

from __future__ import annotations

import pytest

from polytape.errors import SettingError
from polytape.plugins.discovery import EntryPoint
from polytape.plugins.plugin_filter import PluginFilter


def entry(dist: str, name: str, root: str = "") -> EntryPoint:
    return EntryPoint("polytape.backends", 1, name, "module", dist, "1.0", "", root)


@pytest.mark.parametrize(
    ("text", "blocked"),
    [
        ("", set()),
        ("none", {"one/a", "one/b", "two/c"}),
        ("one", {"two/c"}),
        ("one/a", {"one/b", "two/c"}),
        ("-one", {"one/a", "one/b"}),
        ("-One/b , -two", {"one/b", "two/c"}),
        ("one/a,-one", {"one/b", "two/c"}),
        ("-polytape", set()),
        ("-polytape/numpy,one", {"two/c"}),
    ],
)
def test_the_filter_allows_what_it_lists(text: str, blocked: set[str]) -> None:
    entries = [entry("one", "a"), entry("one", "b"), entry("two", "c"), entry("polytape", "numpy", "root")]
    plugin_filter = PluginFilter(text)
    assert {f"{item.dist}/{item.name}" for item in entries if plugin_filter.blocks(item)} == blocked


@pytest.mark.parametrize("text", [",", "one,,two", "one/", "/a", "none,one", "a b", "--one", "one/a/b"])
def test_a_filter_that_does_not_follow_the_grammar_is_rejected(text: str) -> None:
    with pytest.raises(SettingError, match=r"POLYTAPE_PLUGINS=.*is not understood"):
        PluginFilter(text)


def test_items_that_match_no_plugin_are_reported() -> None:
    assert PluginFilter("one,onne/a,-two").unmatched([entry("one", "a")]) == ["onne/a", "-two"]
