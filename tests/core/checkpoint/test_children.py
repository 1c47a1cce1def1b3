"""What a checkpoint finds in an object: every variable is saved by name, or saving is an error that says where."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import logging
import threading
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.checkpoint.children import Children
from polytape.checkpoint.objects import collect
from polytape.errors import CheckpointError

Pair = collections.namedtuple("Pair", ["first", "second"])


class Model(pt.Trackable):
    """An object with one attribute, named ``held``."""

    def __init__(self, held: object) -> None:
        self.held = held


class Plain:
    """An ordinary object."""

    def __init__(self, w: object) -> None:
        self.w = w


class Slotted:
    """An object without a ``__dict__``."""

    __slots__ = ("__w", "empty", "w")

    def __init__(self, w: object, private: object = None) -> None:
        self.w = w
        self.__w = private


class SlottedTrackable(pt.Trackable):
    """A trackable that keeps an attribute in a slot."""

    __slots__ = ("w",)

    def __init__(self, w: object) -> None:
        self.w = w


@dataclasses.dataclass(frozen=True)
class Frozen:
    """A frozen dataclass."""

    w: object


@dataclasses.dataclass(slots=True)
class FrozenSlots:
    """A dataclass with slots."""

    w: object


class Shared:
    """A variable that all instances have."""

    w = pt.Variable(1.0)


class Entries(list[object]):
    """A list with an attribute."""

    def __init__(self, *entries: object, w: object = None) -> None:
        super().__init__(entries)
        self.w = w


def keys(held: object) -> list[str]:
    return list(collect(pt.Checkpoint(model=Model(held)))[1])


SAVED: list[tuple[Callable[[pt.Variable], object], str]] = [
    (lambda v: v, "model/held"),
    (lambda v: [1, [v]], "model/held/1/0"),
    (lambda v: ("x", v), "model/held/1"),
    (lambda v: {"a": v}, "model/held/a"),
    (lambda v: {3: v}, "model/held/3"),
    (lambda v: collections.deque([v]), "model/held/0"),
    (lambda v: collections.OrderedDict(a=v), "model/held/a"),
    (lambda v: collections.defaultdict(list, a=[v]), "model/held/a/0"),
    (lambda v: collections.UserDict(a=v), "model/held/data/a"),
    (lambda v: collections.UserList([v]), "model/held/data/0"),
    (lambda v: Pair(1, v), "model/held/1"),
    (Plain, "model/held/w"),
    (lambda v: Plain(Plain([v])), "model/held/w/w/0"),
    (Slotted, "model/held/w"),
    (lambda v: Slotted(None, v), "model/held/_Slotted__w"),
    (SlottedTrackable, "model/held/w"),
    (Frozen, "model/held/w"),
    (FrozenSlots, "model/held/w"),
    (lambda v: types.SimpleNamespace(w=v), "model/held/w"),
    (lambda v: Entries(1, w=v), "model/held/w"),
    (lambda v: Entries(v), "model/held/0"),
    (lambda v: {"_a": v}, "model/held/_a"),
]


@pytest.mark.parametrize(("hold", "key"), SAVED, ids=[key for _, key in SAVED])
def test_a_variable_in_an_ordinary_container_or_object_is_saved_and_restored(
    tmp_path: Path, hold: Callable[[pt.Variable], object], key: str
) -> None:
    v = pt.Variable(1.0)
    checkpoint = pt.Checkpoint(model=Model(hold(v)))
    path = checkpoint.save(tmp_path)
    v.assign(5.0)
    status = checkpoint.restore(path).assert_consumed()
    assert status.matched == (key,)
    assert float(v) == 1.0


UNNAMED: list[tuple[Callable[[pt.Variable], object], str]] = [
    (lambda v: {v}, "an object in the set at 'model/held'"),
    (lambda v: frozenset([v]), "an object in the frozenset at 'model/held'"),
    (lambda v: {(1, 2): v}, r"the entry \(1, 2\) of the dict at 'model/held'"),
    (lambda v: {1: 0, 1.5: [v]}, r"the entry 1\.5 of the dict at 'model/held'"),
    (lambda v: {"1": pt.Variable(0.0), 1: v}, r"the entry 1 of the dict at 'model/held'"),
    (lambda v: {v: 0}, "an object in the dict at 'model/held'"),
    (lambda v: [1, {"a": {v}}], "an object in the set at 'model/held/1/a'"),
    (lambda v: Plain({v}), "an object in the set at 'model/held/w'"),
    (lambda v: np.array([v, None], dtype=object), "an object in the ndarray at 'model/held'"),
    (lambda v: iter([v]), "an object in the list_iterator at 'model/held'"),
    (lambda v: types.MappingProxyType({"a": v}), "an object in the mappingproxy at 'model/held'"),
    (lambda v: {Plain(v)}, "an object in the set at 'model/held'"),
]


@pytest.mark.parametrize(("hold", "place"), UNNAMED, ids=range(len(UNNAMED)))
def test_a_variable_that_no_name_leads_to_is_an_error_at_save_that_names_the_path(
    tmp_path: Path, hold: Callable[[pt.Variable], object], place: str
) -> None:
    model = Model(hold(pt.Variable(1.0, name="weight")))
    with pytest.raises(CheckpointError, match=rf"a checkpoint cannot name {place}, which holds a variable") as caught:
        pt.Checkpoint(model=model).save(tmp_path)
    assert "_untracked" in caught.value.fix
    assert not [name.name for name in tmp_path.iterdir()]


def test_private_attributes_are_saved_and_a_public_name_comes_first() -> None:
    model = Model(pt.Variable(1.0))
    model._w = pt.Variable(2.0)  # type: ignore[attr-defined]  # a trackable takes any attribute
    model._all = [model.held, model._w]  # type: ignore[attr-defined]  # the same
    assert list(collect(pt.Checkpoint(model=model))[1]) == ["model/held", "model/_w"]


def test_untracked_attributes_are_left_out_whatever_they_hold() -> None:
    class Cached(pt.Trackable):
        _untracked = ("cache",)

        def __init__(self) -> None:
            self.w = pt.Variable(1.0)
            self.cache = {pt.Variable(2.0)}

    class Derived(Cached):
        _untracked = ("other",)

        def __init__(self) -> None:
            super().__init__()
            self.other = pt.Variable(3.0)

    assert list(collect(pt.Checkpoint(model=Derived()))[1]) == ["model/w"]


def test_objects_that_hold_no_state_are_not_entered() -> None:
    v = pt.Variable(1.0)

    def closure() -> pt.Variable:
        return v

    lock = threading.Lock()
    held = [
        closure, functools.partial(closure), weakref.ref(v), Plain, np, logging.getLogger("polytape.tests"), lock,
        pt.asarray(1.0), pt.function(closure), contextlib.nullcontext(), 10**100, "text", np.zeros(3),
    ]  # fmt: skip
    assert keys(held) == []


def test_a_class_attribute_is_saved_with_the_object() -> None:
    assert keys(Shared()) == ["model/held/w"]


def test_no_code_of_an_objects_class_is_run() -> None:
    class Hostile(Plain):
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

        @property
        def computed(self) -> Any:
            raise AssertionError

        def __eq__(self, other: object) -> bool:
            raise AssertionError

        __hash__ = None  # type: ignore[assignment]  # as Python does for a class with __eq__

    class HostileList(list[object]):
        def __iter__(self) -> Any:
            raise AssertionError

        def __len__(self) -> int:
            raise AssertionError

    assert keys([Hostile(pt.Variable(1.0)), HostileList([pt.Variable(2.0)])]) == ["model/held/0/w", "model/held/1/0"]


def test_children_says_what_it_knows_and_which_objects_have_names() -> None:
    children = Children()
    assert children.has_names([]) and children.has_names(Plain(1)) and children.has_names(pt.Variable(1.0))
    assert not children.has_names({1}) and not children.has_names(3) and not children.has_names(object())
    assert children.of(Plain([])) == {"w": []}
    assert repr(children) == "Children(3 classes)"


def test_a_list_of_a_million_numbers_makes_no_nodes() -> None:
    graph, variables = collect(pt.Checkpoint(model=Model([pt.Variable(1.0), list(range(1_000_000))])))
    assert list(variables) == ["model/held/0"] and len(graph.tensors) == 4
