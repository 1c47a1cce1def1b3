"""Positions: every pipeline resumes after every element exactly where an undisturbed pass goes on."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.data import Dataset, TFRecordWriter


def stream() -> Dataset:
    return Dataset.from_generator(lambda: range(13))


def noisy(x: Any, generator: pt.random.Generator) -> Any:
    return pt.random.uniform(generator=generator) + pt.astype(x, pt.float32)


def plus(x: Any) -> Any:
    return x + 1


def upto(n: Any) -> Dataset:
    return Dataset.range(int(n) % 4).shuffle()


PIPELINES: dict[str, Callable[[], Dataset]] = {
    "rows": lambda: Dataset.range(13).shuffle().map(plus).batch(3),
    "batched": lambda: Dataset.range(13).shuffle().map(plus, batched=True).batch(3, drop_remainder=True),
    "random map": lambda: Dataset.range(13).map(noisy, random=True).shuffle(seed=1).batch(2),
    "random workers": lambda: stream().shuffle(4).map(noisy, random=True, num_workers=3).batch(2),
    "generator": lambda: stream().map(plus),
    "buffer": lambda: stream().shuffle(5).map(plus).batch(2),
    "buffer, no seed, twice": lambda: stream().shuffle(5).shuffle(3).repeat(2),
    "workers": lambda: Dataset.range(13).shuffle().map(plus, num_workers=3).batch(3).prefetch(2),
    "prefetch": lambda: stream().shuffle(5).prefetch(3).map(plus).prefetch(2),
    "filter": lambda: Dataset.range(13).shuffle().filter(lambda x: x % 3 != 0).batch(2),
    "repeat": lambda: Dataset.range(5).shuffle().repeat(3).batch(4),
    "repeat of a stream": lambda: stream().filter(lambda x: x > 4).shuffle(4).repeat(2).batch(4),
    "flat map": lambda: Dataset.range(9).shuffle().flat_map(upto),
    "interleave": lambda: Dataset.range(9).interleave(upto, cycle_length=3, block_length=2).batch(2),
    "concatenate": lambda: stream().concatenate(Dataset.range(4).shuffle(), stream()),
    "zip": lambda: Dataset.zip((stream().shuffle(3), Dataset.range(20).shuffle())).batch(2),
    "enumerate": lambda: stream().shuffle(3).enumerate(),
    "choose": lambda: stream().skip(2).shard(2, 1).take(4),
    "take of a stream": lambda: stream().skip(2).take(9).batch(2),
    "window": lambda: stream().window(4, shift=3),
    "window with gaps": lambda: stream().window(2, shift=4),
    "padded": lambda: Dataset.range(9).shuffle().map(lambda n: pt.ones((int(n),))).padded_batch(2),
    "unbatch": lambda: stream().batch(4).shuffle(2).unbatch(),
    "cache": lambda: stream().map(plus).shuffle(4).cache().shuffle(3),
    "cache of rows": lambda: Dataset.range(9).map(noisy, random=True).cache().shuffle().batch(2),
    "to": lambda: Dataset.range(9).shuffle().batch(2).to("numpy").prefetch(2),
}


def plain(element: Any) -> Any:
    return tuple(map(plain, element)) if isinstance(element, tuple) else element.tolist()


@pytest.mark.parametrize("name", PIPELINES)
def test_a_restored_iterator_goes_on_exactly(name: str, tmp_path: Path) -> None:
    pt.random.seed(3)
    it = PIPELINES[name]().iterator()
    checkpoint = pt.Checkpoint(data=it)
    epochs = []
    paths = []
    for epoch in range(2):
        elements: list[Any] = []
        paths.append((epoch, 0, checkpoint.save(tmp_path / "at", keep=None)))
        for element in it:
            elements.append(plain(element))
            paths.append((epoch, len(elements), checkpoint.save(tmp_path / "at", keep=None)))
        assert elements
        epochs.append(elements)
    assert it.epoch == 2
    step = max(1, len(paths) // 7)
    for epoch, position, path in paths[::-step]:
        pt.random.seed(99)  # the order must come from the checkpoint alone
        other = PIPELINES[name]().iterator()
        pt.Checkpoint(data=other).restore(path).assert_consumed()
        assert (other.epoch, other.position) == (epoch, position)
        assert [plain(x) for x in other] == epochs[epoch][position:]
        if epoch == 0:
            assert [plain(x) for x in other] == epochs[1]


def test_a_restore_moves_a_running_iterator(tmp_path: Path) -> None:
    it = Dataset.range(10).shuffle(seed=1).prefetch(3).iterator()
    checkpoint = pt.Checkpoint(data=it)
    first = [next(it).item() for _ in range(4)]
    path = checkpoint.save(tmp_path / "at")
    rest = [x.item() for x in it]
    assert sorted(first + rest) == list(range(10))
    checkpoint.restore(path)
    assert [x.item() for x in it] == rest


def test_a_position_of_another_pipeline_is_an_error(tmp_path: Path) -> None:
    it = Dataset.range(10).batch(2).iterator()
    next(it)
    path = pt.Checkpoint(data=it).save(tmp_path / "at")
    for other in (Dataset.range(10).batch(3), Dataset.range(9).batch(2), Dataset.range(10).shuffle(seed=0).batch(2)):
        moved = other.iterator()
        pt.Checkpoint(data=moved).restore(path)
        with pytest.raises(pt.errors.DataError, match="over another dataset"):
            next(moved)
    same = Dataset.range(10).batch(2).prefetch(2).to("numpy").iterator()  # how it is computed does not matter
    pt.Checkpoint(data=same).restore(path)
    assert next(same).tolist() == [2, 3]


def test_an_ended_pass_stays_ended_until_the_next_loop() -> None:
    it = Dataset.range(2).iterator()
    assert [x.item() for x in it] == [0, 1]
    for _ in range(2):
        with pytest.raises(StopIteration):
            next(it)
    assert (it.epoch, it.position) == (1, 0)
    assert [x.item() for x in it] == [0, 1]
    assert it.epoch == 2


def test_a_loop_over_an_iterator_continues_the_pass() -> None:
    it = Dataset.range(5).iterator()
    for x in it:
        if int(x) == 2:
            break
    assert [x.item() for x in it] == [3, 4]


def test_a_failed_element_is_tried_again() -> None:
    fails = [True]

    def flaky(x: Any) -> Any:
        if int(x) == 2 and fails:
            fails.clear()
            raise OSError("once")
        return x

    it = stream().map(flaky, num_workers=2).iterator()
    assert [next(it).item() for _ in range(2)] == [0, 1]
    with pytest.raises(OSError, match="once"):
        next(it)
    assert [x.item() for x in it] == list(range(2, 13))


@pytest.mark.parametrize("name", ["_pull", "_move", "_drop"])
def test_ctrl_c_within_a_step_loses_no_element(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after each part of a step; the state says which elements were given."""
    for before in (True, False):
        it = Dataset.range(3).iterator()
        original = getattr(it, name)
        seen: list[int] = []
        pending = [True]

        def interrupted(*args: Any, original: Any = original, pending: Any = pending, before: bool = before) -> Any:
            now = bool(pending and it.position == 1)  # noqa: B023  # used in this turn of the loop only
            if now:
                pending.clear()
            if now and before:
                raise KeyboardInterrupt
            result = original(*args)
            if now:
                raise KeyboardInterrupt
            return result

        monkeypatch.setattr(it, name, interrupted)
        while it.epoch == 0:
            position = it.position
            try:
                seen.append(next(it).item())
                assert seen[-1] == position
            except KeyboardInterrupt:
                if it.position == position + 1:  # the step was complete
                    seen.append(position)
            except StopIteration:
                break
        assert seen == [0, 1, 2]


def test_threads_that_share_an_iterator_get_different_elements() -> None:
    it = Dataset.range(2000).map(plus).iterator()
    seen: list[int] = []

    def consume() -> None:
        for _ in range(500):
            seen.append(next(it).item())

    threads = [threading.Thread(target=consume) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 1501))


def test_an_iterator_that_is_dropped_ends_its_threads_and_closes_its_files(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    with TFRecordWriter(path) as writer:
        for i in range(1000):
            writer.write(bytes([i % 256]))
    before = set(threading.enumerate())
    it = Dataset.from_tfrecord(path).map(lambda x: x, num_workers=2).prefetch(3).iterator()
    next(it)
    threads = set(threading.enumerate()) - before
    assert len(threads) == 3
    gone = weakref.ref(it)
    del it
    gc.collect()
    assert gone() is None
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_close_ends_what_runs_and_the_next_element_starts_it_again() -> None:
    with stream().map(plus, num_workers=2).prefetch().iterator() as it:
        assert next(it).item() == 1
        it.close()
        assert next(it).item() == 2


@pytest.mark.parametrize("steps", ["prefetch", "workers"])
def test_close_wakes_a_thread_that_waits_for_an_element(steps: str) -> None:
    never, waiting, errors = threading.Event(), threading.Event(), []

    def wait(x: Any) -> Any:
        waiting.set()
        never.wait()
        return x

    ds = Dataset.range(3).map(wait).prefetch() if steps == "prefetch" else Dataset.range(3).map(wait, num_workers=1)
    it = ds.iterator()

    def consume() -> None:
        try:
            list(it)
        except pt.errors.DataError as error:
            errors.append(error)

    consumer = threading.Thread(target=consume)
    consumer.start()
    waiting.wait()
    it.close()
    consumer.join(60) if steps == "prefetch" else never.set()
    consumer.join()
    assert (it.epoch, it.position) == (0, 0)
    assert "was closed" in str(errors[0])
    never.set()


def test_a_generator_is_closed_with_its_iterator() -> None:
    closed = []

    def numbers() -> Any:
        try:
            yield from range(10)
        finally:
            closed.append(True)

    it = iter(Dataset.from_generator(numbers))
    next(it)
    del it
    gc.collect()
    assert closed == [True]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_on_by_itself() -> None:
    it = Dataset.range(10).map(plus, num_workers=2).prefetch(2).iterator()
    assert next(it).item() == 1
    pid = os.fork()
    if pid == 0:
        os._exit(0 if [x.item() for x in it] == list(range(2, 11)) else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert [x.item() for x in it] == list(range(2, 11))


def test_an_iterator_cannot_be_copied() -> None:
    import copy
    import pickle

    it = Dataset.range(3).iterator()
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied"):
            attempt(it)


def test_a_model_next_to_an_iterator_is_saved_with_it(tmp_path: Path) -> None:
    class Program(pt.Trackable):
        def __init__(self) -> None:
            self.w = pt.Variable(np.zeros(2, np.float32))
            self.data = Dataset.from_tensor_slices(np.arange(8.0)).shuffle().iterator()

    program = Program()
    next(program.data)
    path = pt.Checkpoint(program=program).save(tmp_path / "at")
    rest = [x.item() for x in program.data]
    other = Program()
    pt.Checkpoint(program=other).restore(path).assert_consumed()
    assert [x.item() for x in other.data] == rest
