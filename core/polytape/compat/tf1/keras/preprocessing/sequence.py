"""TensorFlow 1.7's ``tf.keras.preprocessing.sequence``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["make_sampling_table", "pad_sequences"]


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float = 0.0,
) -> Any:
    """Sequences of one length, as the rows of a NumPy array.

    Args:
        sequences: lists of numbers, or of arrays of one shape.
        maxlen: the length; default: the longest sequence's.
        dtype: of the array.
        padding: "pre" pads at the beginning, "post" at the end.
        truncating: "pre" cuts longer sequences at the beginning, "post" at the end.
        value: of the padding.
    Raises:
        ValueError: something is no sequence, their elements differ in shape, or another ``padding`` or ``truncating``.
    """
    for sequence in sequences:
        if not hasattr(sequence, "__len__"):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {sequence}")
    for name, mode in (("Truncating", truncating), ("Padding", padding)):
        if mode not in ("pre", "post"):
            raise ValueError(f'{name} type "{mode}" not understood')
    length = max((len(sequence) for sequence in sequences), default=0) if maxlen is None else maxlen
    sample = next((np.asarray(sequence).shape[1:] for sequence in sequences if len(sequence)), ())
    result = np.empty((len(sequences), length, *sample), dtype)
    result[...] = value
    for row, sequence in zip(result, sequences, strict=True):
        if not len(sequence) or not length:
            continue
        cut = np.asarray(sequence[-length:] if truncating == "pre" else sequence[:length], dtype)
        if cut.shape[1:] != sample:
            raise ValueError(f"Shape of sample {cut.shape[1:]} of sequence is different from expected shape {sample}")
        if padding == "post":
            row[: len(cut)] = cut
        else:
            row[length - len(cut) :] = cut
    return result


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> Any:
    """The probability that word number i is sampled, if frequencies follow Zipf's law.

    Args:
        size: the number of words.
        sampling_factor: of word2vec's subsampling.
    Source:
        T. Mikolov et al. (2013), NeurIPS, arXiv:1310.4546.
    """
    probabilities = []
    for rank in range(size):
        n = max(rank, 1)
        inverse = n * (math.log(n) + 0.577) + 0.5 - 1.0 / (12.0 * n)
        probabilities.append(min(1.0, math.sqrt(sampling_factor * inverse)))
    return np.asarray(probabilities)
