"""Batches of what users pass: arrays, structures of them, or a dataset of batches."""

from __future__ import annotations

from typing import Any, Final

from ..data import Dataset, Iterator
from ..errors import DataError, DTypeError, SettingError
from ..tensors.tensor import Tensor, describe
from .keywords import require, whole

__all__ = ["BATCH_SIZE", "batches", "one_pass", "parts", "samples", "split"]

BATCH_SIZE: Final = 32


def samples(called: str, x: Any, y: Any, weights: Any) -> Dataset:
    """Single samples of arrays: tuples of x, y and, if there are any, weights.

    Raises:
        DTypeError: there are no labels, or x is a list of arrays. ShapeError: the lengths differ.
    """
    if isinstance(x, list) and x and hasattr(x[0], "shape") and len(x[0].shape):
        raise DTypeError(
            f"{called} cannot tell whether a list of arrays is one array or several inputs.",
            expected="one array or tensor, or a tuple or dict of several",
            got=f"a list of {len(x)} objects, the first of shape {tuple(x[0].shape)}",
            fix="pass a tuple for several inputs of the model, or stack the arrays to one",
        )
    if y is None:
        raise DTypeError(
            f"{called} needs labels.",
            expected="x and y, or a polytape.data.Dataset of batches (x, y)",
            got=f"x of type {type(x).__name__} and no y",
            fix="pass y; for an autoencoder, pass x again",
        )
    return Dataset.from_tensor_slices((x, y) if weights is None else (x, y, weights))


def batches(called: str, x: Any, y: Any, weights: Any, batch_size: int | None) -> Dataset:
    """The batches to evaluate: those of a dataset, or of arrays in order.

    Raises:
        DTypeError, SettingError, ShapeError: as from `samples`; or a dataset has company.
    """
    if isinstance(x, Dataset):
        refuse_with_dataset(called, y=y, weights=weights, batch_size=batch_size)
        return x
    return samples(called, x, y, weights).batch(checked_size(called, batch_size))


def checked_size(called: str, batch_size: int | None) -> int:
    """The batch size of arrays."""
    return BATCH_SIZE if batch_size is None else whole(called, "batch_size", batch_size, 1)


def refuse_with_dataset(called: str, **given: Any) -> None:
    """Raise if arguments that describe arrays come with a dataset.

    Raises:
        SettingError: one of them is not None.
    """
    names = [name for name, value in given.items() if value is not None]
    if names:
        raise SettingError(
            f"{called} cannot use {names[0]} with a Dataset.",
            expected="a Dataset whose elements are batches: (x, y) or (x, y, weights)",
            got=f"a Dataset and {', '.join(names)}",
            fix="put it into the dataset, for example dataset.batch(32)",
        )


def split(dataset: Dataset, fraction: float) -> tuple[Dataset, Dataset]:
    """The samples to train on, and the last ones, to validate with.

    Raises:
        SettingError: the fraction is not between 0 and 1, or leaves one side without samples.
    """
    count = len(dataset)
    left = count - round(count * fraction)
    require(
        "fit", "validation_split", fraction, 0.0 < fraction < 1.0 and 0 < left < count,
        f"a fraction between 0 and 1 that leaves some of the {count} samples on either side",
    )  # fmt: skip
    return dataset.take(left), dataset.skip(left)


def one_pass(dataset: Dataset) -> Iterator:
    """A pass whose order depends on nothing that ran before."""
    return dataset.iterator(seed=0)


def parts(called: str, element: Any) -> tuple[Any, Any, Tensor | None]:
    """x, y and the weights (or None) of a batch.

    Raises:
        DataError: it has other parts.
    """
    if type(element) is not tuple or len(element) not in (2, 3):
        raise DataError(
            f"{called} needs batches of inputs and labels.",
            expected="elements (x, y) or (x, y, weights)",
            got=f"a tuple of {len(element)} parts" if type(element) is tuple else describe(element),
            fix="map the dataset to such tuples; several inputs are a tuple or dict in the place of x",
        )
    return element if len(element) == 3 else (*element, None)
