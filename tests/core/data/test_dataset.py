from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.data import Dataset, TensorSpec


def values(dataset: Any) -> list[Any]:
    """The elements as nested Python lists."""

    def plain(element: Any) -> Any:
        if isinstance(element, tuple):
            return tuple(plain(part) for part in element)
        if isinstance(element, dict):
            return {key: plain(part) for key, part in element.items()}
        return element.tolist() if isinstance(element, pt.Tensor) else element

    return [plain(element) for element in dataset]


def streamed(dataset: Dataset) -> Dataset:
    """The same elements, which can only be read in order."""
    return Dataset.from_generator(lambda: iter(dataset), length=dataset.cardinality)  # type: ignore[arg-type]


SOURCES = [pytest.param(lambda ds: ds, id="rows"), pytest.param(streamed, id="stream")]


@pytest.mark.parametrize("kind", SOURCES)
def test_batch_take_skip_shard_agree_for_rows_and_streams(kind: Any) -> None:
    ds = kind(Dataset.range(10))
    assert values(ds.batch(4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert values(ds.batch(4, drop_remainder=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert values(ds.take(3)) == [0, 1, 2]
    assert values(ds.take(0)) == []
    assert values(ds.skip(7)) == [7, 8, 9]
    assert values(ds.skip(70)) == []
    assert values(ds.shard(3, 1)) == [1, 4, 7]
    assert values(ds.skip(2).shard(3, 1).take(2)) == [3, 6]
    assert values(ds.take(3).concatenate(ds.skip(8))) == [0, 1, 2, 8, 9]
    assert values(ds.take(3).concatenate(ds.skip(8)).batch(4)) == [[0, 1, 2, 8], [9]]


@pytest.mark.parametrize("kind", SOURCES)
def test_windows_overlap_and_leave_out(kind: Any) -> None:
    ds = kind(Dataset.range(7))
    assert values(ds.window(3, shift=2)) == [[0, 1, 2], [2, 3, 4], [4, 5, 6], [6]]
    assert values(ds.window(3, shift=2, drop_remainder=True)) == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert values(ds.window(2, shift=4, stride=2)) == [[0, 2], [4, 6]]
    assert values(ds.window(2, shift=3)) == [[0, 1], [3, 4], [6]]


@pytest.mark.parametrize("kind", SOURCES)
def test_a_length_is_what_a_pass_gives(kind: Any) -> None:
    ds = kind(Dataset.range(11))
    steps = [
        ds.batch(3), ds.batch(3, drop_remainder=True), ds.take(4), ds.skip(4), ds.shard(4, 3), ds.repeat(3),
        ds.window(3, shift=2), ds.window(3, shift=2, stride=2, drop_remainder=True), ds.window(2, shift=5),
        ds.concatenate(ds), Dataset.zip((ds, ds.take(3))), ds.enumerate(), ds.shuffle(seed=0), ds.cache(),
        ds.prefetch(), ds.map(lambda x: x), ds.map(lambda x: x, num_workers=2), ds.padded_batch(4),
        ds.batch(11).unbatch(), ds.batch(4, drop_remainder=True).unbatch(),
    ]  # fmt: skip
    for step in steps:
        assert len(step) == len(list(step)), step


def test_an_unknown_or_infinite_length_is_an_error() -> None:
    for ds in (Dataset.range(3).filter(lambda x: True), Dataset.range(3).repeat(), Dataset.range(3).batch(2).unbatch()):
        with pytest.raises(TypeError, match="the length of this dataset"):
            len(ds)
        assert ds  # has no truth value by length
    assert Dataset.range(3).repeat().cardinality == Dataset.range(3).repeat().enumerate().cardinality == float("inf")
    assert Dataset.range(3).filter(lambda x: True).enumerate().cardinality is None
    assert Dataset.range(3).filter(lambda x: True).cardinality is None


def test_elements_are_structures() -> None:
    data = {"x": np.arange(6.0).reshape(3, 2), "name": ["a", "b", "c"], "pair": (np.arange(3), [1.0, 2.0, 3.0])}
    ds = Dataset.from_tensor_slices(data)
    assert values(ds)[1] == {"x": [2.0, 3.0], "name": "b", "pair": (1, 2.0)}
    batch = values(ds.batch(2))[0]
    assert batch == {"x": [[0.0, 1.0], [2.0, 3.0]], "name": ["a", "b"], "pair": ([0, 1], [1.0, 2.0])}
    assert values(ds.batch(2).unbatch()) == values(ds)
    assert ds.element_spec["x"] == TensorSpec((2,), pt.float64)
    assert values(ds.map(lambda element: element["x"]))[2] == [4.0, 5.0]


def test_a_named_tuple_stays_one() -> None:
    from collections import namedtuple

    Pair = namedtuple("Pair", "a b")
    first = next(iter(Dataset.from_tensor_slices(Pair(np.arange(3), np.arange(3))).batch(2)))
    assert type(first).__name__ == "Pair"
    assert first.b.tolist() == [0, 1]


def test_arrays_of_other_libraries_become_tensors() -> None:
    class Other:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.arange(3.0)

    assert values(Dataset.from_generator(lambda: [Other(), Other()]).batch(2)) == [[[0.0, 1.0, 2.0]] * 2]
    assert values(Dataset.from_tensor_slices((Other(), [1, 2, 3]))) == [(0.0, 1), (1.0, 2), (2.0, 3)]
    assert values(Dataset.range(1).map(lambda x: Other())) == [[0.0, 1.0, 2.0]]


def test_arrays_of_strings_give_strings() -> None:
    for array in (np.asarray(["a", "bc"]), np.asarray(["a", "bc"], object)):
        assert list(Dataset.from_tensor_slices(array)) == ["a", "bc"]
        assert list(Dataset.from_generator(lambda array=array: iter(array)).batch(2)) == [["a", "bc"]]  # type: ignore[misc]


def test_a_variable_gives_its_value_at_the_time() -> None:
    w = pt.Variable(1.0)
    elements = []
    for x in Dataset.range(2).map(lambda x: w):
        elements.append(x)
        w.assign(5.0)
    assert values(elements) == [1.0, 5.0]
    assert not any(isinstance(x, pt.Variable) for x in elements)


def test_what_a_function_or_generator_returns_may_change_later() -> None:
    buffer, tensor = np.zeros(2), pt.zeros((2,))

    def items() -> Any:
        for i in range(3):
            buffer[:] = i
            tensor[0] = float(i)
            yield buffer, tensor

    assert values(Dataset.from_generator(items).batch(3)) == [
        ([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    ]


@pytest.mark.parametrize("kind", SOURCES)
def test_a_consumer_may_assign_to_items_of_a_cached_tensor(kind: Any) -> None:
    ds = kind(Dataset.from_tensor_slices(np.ones((3, 2)))).map(lambda x: x * 2).cache()
    for _ in range(2):
        for x in ds.map(lambda x: x):
            assert x.tolist() == [2.0, 2.0]
            x[0] = 7.0
        for x in ds:
            assert x.tolist() == [2.0, 2.0]
            x[0] = 7.0


def test_one_dataset_is_a_structure_of_datasets() -> None:
    assert values(Dataset.zip(Dataset.range(2))) == [0, 1]
    assert values(Dataset.zip({"a": Dataset.range(9), "b": (Dataset.range(1),)})) == [{"a": 0, "b": (0,)}]


def test_specs_follow_the_steps() -> None:
    ds = Dataset.from_tensor_slices(np.zeros((10, 3), np.float32))
    assert ds.batch(5).element_spec == TensorSpec((5, 3), pt.float32)
    assert ds.batch(4).element_spec == TensorSpec((None, 3), pt.float32)
    assert ds.batch(4, drop_remainder=True).element_spec == TensorSpec((4, 3), pt.float32)
    assert ds.map(lambda x: pt.sum(x)).element_spec == TensorSpec((), pt.float32)
    assert ds.padded_batch(5).element_spec == TensorSpec((5, None), pt.float32)
    assert ds.enumerate().element_spec == (TensorSpec((), pt.int64), TensorSpec((3,), pt.float32))
    assert ds.batch(5).unbatch().element_spec == TensorSpec((3,), pt.float32)


def test_elements_do_not_alias_the_source() -> None:
    source = np.arange(4.0)
    elements = list(Dataset.from_tensor_slices(source)) + list(Dataset.from_tensor_slices(source).batch(4))
    source[:] = -1
    assert [x.tolist() for x in elements] == [0.0, 1.0, 2.0, 3.0, [0.0, 1.0, 2.0, 3.0]]


def test_padded_batches_have_the_largest_or_the_given_size() -> None:
    rows = [[1.0], [2.0, 3.0, 4.0], [5.0, 6.0]]
    ds = Dataset.from_generator(lambda: rows)
    assert values(ds.padded_batch(2)) == [[[1.0, 0.0, 0.0], [2.0, 3.0, 4.0]], [[5.0, 6.0]]]
    padded = values(ds.padded_batch(2, padded_shapes=(4,), padding_value=-1))
    assert padded[0] == [[1.0, -1.0, -1.0, -1.0], [2.0, 3.0, 4.0, -1.0]]
    pairs = Dataset.from_generator(lambda: [(row, row) for row in rows])
    batch = next(iter(pairs.padded_batch(3, padded_shapes=((None,), (4,)), padding_value=(7, 8))))
    assert batch[0].shape == (3, 3)
    assert batch[1].shape == (3, 4)
    assert (batch[0][0, 1].item(), batch[1][0, 1].item()) == (7.0, 8.0)
    with pytest.raises(ValueError, match="larger than padded_shapes"):
        list(ds.padded_batch(2, padded_shapes=(2,)))


def test_a_batch_of_different_shapes_dtypes_or_structures_is_an_error() -> None:
    with pytest.raises(pt.errors.ShapeError, match="use padded_batch"):
        list(Dataset.from_generator(lambda: [[1.0], [1.0, 2.0]]).batch(2))
    with pytest.raises(pt.errors.DTypeError, match="different dtypes"):
        list(Dataset.from_generator(lambda: [1.0, 2]).batch(2))
    with pytest.raises(pt.errors.DataError, match="different structures"):
        list(Dataset.from_generator(lambda: [(1.0, 2.0), 2.0]).batch(2))
    with pytest.raises(pt.errors.DataError, match="different structures"):
        list(Dataset.from_generator(lambda: [{"a": 1}, {"b": 1}]).batch(2))


def test_interleave_takes_turns() -> None:
    def rows(n: Any) -> Dataset:
        return Dataset.from_tensor_slices(np.full(3, int(n)))

    ds = Dataset.range(3)
    assert values(ds.flat_map(rows)) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert values(ds.interleave(rows, cycle_length=2)) == [0, 1, 0, 1, 0, 1, 2, 2, 2]
    assert values(ds.interleave(rows, cycle_length=2, block_length=2)) == [0, 0, 1, 1, 0, 2, 2, 1, 2]
    assert values(ds.interleave(rows, cycle_length=9)) == [0, 1, 2, 0, 1, 2, 0, 1, 2]
    with pytest.raises(TypeError, match="must return a Dataset"):
        list(ds.flat_map(lambda n: n))


def test_repeat_crosses_the_ends_of_passes_in_a_batch() -> None:
    assert values(Dataset.range(3).repeat(3).batch(4)) == [[0, 1, 2, 0], [1, 2, 0, 1], [2]]
    assert values(Dataset.range(3).repeat(0)) == []
    assert values(Dataset.range(0).repeat()) == []
    assert values(Dataset.range(5).filter(lambda x: x > 9).repeat().batch(2)) == []
    assert [x.item() for x in itertools.islice(Dataset.range(3).repeat(), 7)] == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize("kind", SOURCES)
def test_a_shuffle_is_a_permutation_anew_in_each_pass(kind: Any) -> None:
    ds = kind(Dataset.range(50)).shuffle(seed=5)
    first, second = values(ds), values(ds)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second != list(range(50))
    again = kind(Dataset.range(50)).shuffle(seed=5)
    assert [values(again), values(again)] == [first, second]
    repeated = values(kind(Dataset.range(50)).shuffle(seed=5).repeat(2))
    assert repeated[:50] != repeated[50:]
    fixed = kind(Dataset.range(50)).shuffle(seed=5, reshuffle=False)
    assert values(fixed) == values(fixed)


def test_the_order_of_a_shuffle_does_not_change_between_versions() -> None:
    assert values(Dataset.range(8).shuffle(seed=0)) == [4, 2, 0, 7, 3, 5, 1, 6]
    assert values(streamed(Dataset.range(8)).shuffle(4, seed=0)) == [0, 2, 1, 6, 3, 4, 7, 5]


def test_a_buffered_shuffle_draws_from_the_next_elements_only() -> None:
    order = values(streamed(Dataset.range(100)).shuffle(10, seed=1))
    assert sorted(order) == list(range(100))
    assert all(value < position + 10 for position, value in enumerate(order))


def test_shuffles_with_one_seed_agree_and_those_without_differ() -> None:
    ds = Dataset.range(30)
    assert all(a == b for a, b in values(Dataset.zip((ds.shuffle(seed=3), ds.shuffle(seed=3)))))
    assert not all(a == b for a, b in values(Dataset.zip((ds.shuffle(), ds.shuffle()))))
    pt.random.seed(1)
    first = values(ds.shuffle())
    second = values(ds.shuffle())
    pt.random.seed(1)
    assert values(ds.shuffle()) == first != second


def test_a_stream_of_unknown_length_needs_a_buffer_size() -> None:
    with pytest.raises(ValueError, match="shuffle needs a buffer_size"):
        list(Dataset.from_generator(lambda: [1, 2]).shuffle())


def test_map_is_called_once_per_row_and_batched_once_per_batch() -> None:
    shapes: list[tuple[int, ...]] = []

    def double(x: Any) -> Any:
        shapes.append(x.shape)
        return x * 2

    ds = Dataset.from_tensor_slices(np.arange(12).reshape(6, 2))
    assert values(ds.map(double, batched=True).batch(3))[1] == [[12, 14], [16, 18], [20, 22]]
    assert shapes == [(3, 2), (3, 2)]
    shapes.clear()
    assert values(ds.map(double).shuffle(seed=0).skip(4).batch(2))
    assert shapes == [(2,), (2,)]  # only what is needed
    assert values(streamed(ds).map(double, batched=True)) == values(ds.map(double))
    with pytest.raises(ValueError, match="another number of rows"):
        list(ds.map(lambda x: x[:1], batched=True).batch(3))


def test_a_random_map_depends_on_element_and_epoch_alone() -> None:
    def noisy(x: Any, generator: pt.random.Generator) -> Any:
        return pt.random.uniform(generator=generator) + pt.astype(x, pt.float32)

    ds = Dataset.range(6)
    plain = values(ds.map(noisy, random=True).iterator(seed=4))
    assert len({x - int(x) for x in plain}) == 6
    assert values(ds.map(noisy, random=True, num_workers=3).iterator(seed=4)) == plain
    it = ds.map(noisy, random=True).iterator(seed=4)
    assert values(it) == plain != values(it)


def test_a_cache_computes_each_element_once() -> None:
    calls: list[int] = []

    def counted(x: Any) -> Any:
        calls.append(int(x))
        return x

    ds = streamed(Dataset.range(4)).map(counted).cache()
    assert values(ds.take(2)) == [0, 1]
    assert values(ds) == values(ds) == [0, 1, 2, 3]
    assert calls == [0, 1, 0, 1, 2, 3]
    calls.clear()
    rows = Dataset.range(4).map(counted).cache().shuffle(seed=0)
    assert sorted(values(rows)) == sorted(values(rows)) == [0, 1, 2, 3]
    assert sorted(calls) == [0, 1, 2, 3]


def test_a_cache_in_a_file_is_complete_or_absent(tmp_path: Any) -> None:
    data = {"x": np.arange(6.0).reshape(3, 2), "name": ["a", "b\udc80", "c"], "n": (np.arange(3, dtype=np.uint8),)}
    path = tmp_path / "cache"
    ds = Dataset.from_tensor_slices(data)
    it = iter(ds.cache(path))
    next(it)
    del it
    assert list(tmp_path.iterdir()) == []
    assert values(ds.cache(path)) == values(ds)
    assert [p.name for p in tmp_path.iterdir()] == ["cache"]
    other = Dataset.from_tensor_slices({**data, "x": np.zeros((3, 2))})
    assert values(other.cache(path)) == values(ds)  # read from the file
    assert values(ds.cache(path).batch(2)) == values(ds.batch(2))
    with pytest.raises(pt.errors.DataError, match="not the cache of this pipeline"):
        list(ds.take(2).cache(path))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(pt.errors.DataError, match=r"cache: record 3 at byte \d+ is bad"):
        list(ds.cache(path))


def test_elements_go_where_new_tensors_go_or_to_a_device(backend: str) -> None:
    ds = Dataset.from_tensor_slices(np.arange(4.0)).map(lambda x: x + 1).batch(2)
    with pt.device(backend):
        here = list(ds)
        host = list(ds.to("numpy"))
    there = list(ds.to(backend).prefetch())
    assert {x.device.backend for x in here} == {backend} == {x.device.backend for x in there}
    assert {x.device.backend for x in host} == {"numpy"}
    assert values(here) == values(there) == values(host) == [[1.0, 2.0], [3.0, 4.0]]


def test_steps_after_to_keep_the_device(backend: str) -> None:
    ds = Dataset.range(4).to(backend)
    for step in (ds.batch(2), ds.map(lambda x: 3.0), ds.map(lambda x: x + x), ds.batch(2).unbatch().prefetch()):
        assert {x.device.backend for x in step} == {backend}, step
    assert {x.device.backend for x in Dataset.range(4).to(backend).to("numpy").map(lambda x: 1)} == {"numpy"}
    mixed = next(iter(Dataset.zip((ds, Dataset.range(4)))))
    assert [x.device.backend for x in mixed] == [backend, "numpy"]


def test_the_order_is_the_same_on_every_backend(backend: str) -> None:
    with pt.device(backend):
        order = values(Dataset.range(20).shuffle(seed=2).concatenate(streamed(Dataset.range(20)).shuffle(5, seed=2)))
    assert order == values(
        Dataset.range(20).shuffle(seed=2).concatenate(streamed(Dataset.range(20)).shuffle(5, seed=2))
    )
