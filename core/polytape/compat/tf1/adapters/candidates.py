"""Losses over a sample of the classes, and the samplers: for models with very many classes, such as word vectors.

Source: Jean et al., "On Using Very Large Target Vocabulary for Neural Machine Translation" (2014), and Mnih and Teh, "A
fast and simple algorithm for training neural probabilistic language models" (2012).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import polytape as pt
from polytape import Tensor

from ...op_errors import invalid
from ..compose.neural import looked_up
from ..convert import generator, integer, tensor
from ..tables import recorded

__all__ = ["log_uniform_candidate_sampler", "nce_loss", "sampled_softmax_loss", "uniform_candidate_sampler"]


class CandidateSample(NamedTuple):
    """Sampled classes, and how often each class is expected in such a sample."""

    sampled_candidates: Tensor
    true_expected_count: Tensor
    sampled_expected_count: Tensor


@recorded()
def log_uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int | None = None,
    name: str | None = None,
) -> CandidateSample:  # fmt: skip
    """Classes sampled by Zipf's law: class k with probability ``log((k + 2) / (k + 1)) / log(range_max + 1)``.

    Classes must be sorted by falling frequency.

    Args:
        true_classes: integer[batch, num_true]: the target classes.
        num_true: how many targets an example has.
        num_sampled: how many classes to sample.
        unique: whether no class may be sampled twice.
        range_max: the number of classes.
        seed: of the random numbers.
        name: has no effect.
    Returns:
        the sampled classes, int64[num_sampled]; the expected counts of the targets, float32[batch, num_true], and of
        the samples, float32[num_sampled].
    Raises:
        InvalidArgumentError: more unique classes are wanted than there are.
    """
    width = math.log(range_max + 1)
    return _sampled(
        true_classes, num_true, num_sampled, unique, range_max, seed,
        draw=lambda uniform: (int(math.exp(uniform * width)) - 1) % range_max,
        probability=lambda classes: pt.log1p(1.0 / (classes + 1.0)) / width,
    )  # fmt: skip


@recorded()
def uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int | None = None,
    name: str | None = None,
) -> CandidateSample:  # fmt: skip
    """As `log_uniform_candidate_sampler`, with the same probability for all classes."""
    return _sampled(
        true_classes, num_true, num_sampled, unique, range_max, seed,
        draw=lambda uniform: min(int(uniform * range_max), range_max - 1),
        probability=lambda classes: pt.full_like(classes, 1.0 / range_max),
    )  # fmt: skip


def _sampled(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int | None,
    draw: Callable[[float], int], probability: Callable[[Tensor], Tensor],
) -> CandidateSample:  # fmt: skip
    targets = _labels(true_classes, num_true)
    if unique and num_sampled > range_max:
        raise invalid(f"Sampler's range is too small: {num_sampled} unique classes of {range_max}.")
    source, tries = generator(seed), 0
    chosen: list[int] = []
    seen: set[int] = set()
    while len(chosen) < num_sampled:
        numbers = pt.random.uniform((max(num_sampled, 64),), dtype=pt.float64, generator=source)
        for candidate in map(draw, numbers.numpy().tolist()):
            tries += 1
            if not unique or candidate not in seen:
                seen.add(candidate)
                chosen.append(candidate)
            if len(chosen) == num_sampled:
                break
    classes = tensor(chosen, pt.int64)

    def expected(values: Tensor) -> Tensor:
        p = probability(pt.astype(values, pt.float64))
        # Without repetitions: the probability that a class is among all the draws that were needed.
        counts = p * num_sampled if tries == num_sampled else -pt.expm1(tries * pt.log1p(-p))
        return pt.astype(counts, pt.float32)

    return CandidateSample(classes, expected(targets), expected(classes))


def _labels(labels: Any, num_true: int) -> Tensor:
    found = pt.astype(tensor(labels), pt.int64)
    if found.ndim != 2 or found.shape[1] != num_true:
        raise invalid(f"The classes must have the shape (batch, num_true={num_true}), not {tuple(found.shape)}.")
    return found


@recorded()
def nce_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int = 1,
    sampled_values: Any = None, remove_accidental_hits: bool = False, partition_strategy: str = "mod",
    name: str | None = "nce_loss",
) -> Tensor:  # fmt: skip
    """The loss of noise-contrastive estimation, for each example.

    Args:
        weights: floating[num_classes, features], or a list of its parts.
        biases: floating[num_classes].
        labels: integer[batch, num_true]: the target classes.
        inputs: floating[batch, features].
        num_sampled: how many classes to sample for the batch.
        num_classes: how many there are.
        num_true: how many targets an example has.
        sampled_values: what a sampler returned; default: `log_uniform_candidate_sampler` samples unique classes.
        remove_accidental_hits: whether a sampled class that is a target of the example does not count.
        partition_strategy: of a list of weights, ``"mod"`` or ``"div"``.
        name: has no effect.
    Returns:
        floating[batch].
    """
    logits, targets = _sampled_logits(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits,
        partition_strategy, None,
    )  # fmt: skip
    return pt.sum(pt.nn.sigmoid_cross_entropy_with_logits(targets, logits), axis=1)


@recorded()
def sampled_softmax_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int = 1,
    sampled_values: Any = None, remove_accidental_hits: bool = True, partition_strategy: str = "mod",
    name: str | None = "sampled_softmax_loss", seed: int | None = None,
) -> Tensor:  # fmt: skip
    """The cross entropy over the targets and a sample of the other classes, for each example.

    The arguments are those of `nce_loss`; ``seed`` is that of the random numbers.
    """
    logits, targets = _sampled_logits(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values, remove_accidental_hits,
        partition_strategy, seed,
    )  # fmt: skip
    return -pt.sum(targets * pt.nn.log_softmax(logits), axis=1)


def _sampled_logits(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int,
    sampled_values: Any, remove_hits: bool, strategy: str, seed: int | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The logits of the targets and the samples, less the logarithms of the expected counts; and the labels."""
    num_sampled, num_classes = integer(num_sampled), integer(num_classes)
    classes, x = _labels(labels, num_true), tensor(inputs)
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(classes, num_true, num_sampled, True, num_classes, seed)
    sampled, true_counts, sampled_counts = map(tensor, sampled_values)
    sampled = pt.astype(sampled, pt.int64)
    batch = classes.shape[0]
    # One look-up for both, so that the gradient of the weights is one set of rows.
    ids = pt.concat([pt.reshape(classes, (-1,)), sampled])
    rows, offsets = looked_up(weights, ids, strategy, None), looked_up(biases, ids, strategy, None)
    split = batch * num_true
    true_rows = pt.reshape(rows[:split], (batch, num_true, -1))
    true_logits = pt.sum(pt.expand_dims(x, 1) * true_rows, axis=2) + pt.reshape(offsets[:split], (batch, num_true))
    sampled_logits = pt.matmul(x, pt.transpose(rows[split:])) + offsets[split:]
    if remove_hits:
        hits = pt.any(pt.equal(pt.expand_dims(classes, 2), sampled), axis=1)
        sampled_logits = pt.where(hits, float(np.finfo(pt.float32).min), sampled_logits)
    true_logits = true_logits - pt.log(true_counts)
    logits = pt.concat([true_logits, sampled_logits - pt.log(sampled_counts)], axis=1)
    targets = [pt.full_like(true_logits, 1.0 / num_true), pt.zeros_like(sampled_logits)]
    return logits, pt.concat(targets, axis=1)
