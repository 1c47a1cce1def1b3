"""TensorFlow 1.7's ``tf.nn``."""

from __future__ import annotations

from typing import Any

from ..rows.nn import ROWS
from ..tables import Table

MISSING = """
    bidirectional_dynamic_rnn: tf.nn.dynamic_rnn twice, once on reversed inputs
    raw_rnn, static_state_saving_rnn: a Python loop over the steps that calls the cell
    ctc_loss, ctc_greedy_decoder, ctc_beam_search_decoder: not here yet; they need sparse tensors
    fixed_unigram_candidate_sampler, learned_unigram_candidate_sampler: tf.nn.log_uniform_candidate_sampler
    all_candidate_sampler: tf.nn.uniform_candidate_sampler
    embedding_lookup_sparse: tf.nn.embedding_lookup, then tf.segment_sum
    with_space_to_batch: tf.nn.convolution with dilation_rate
    gelu, silu, max_pool2d, conv: a later TensorFlow's; polytape.nn has them
"""
TABLE = Table(
    "nn",
    rows=ROWS,
    adapters={
        "adapters.candidates": (
            "log_uniform_candidate_sampler",
            "nce_loss",
            "sampled_softmax_loss",
            "uniform_candidate_sampler",
        ),
        "adapters.recurrent": ("dynamic_rnn", "static_bidirectional_rnn", "static_rnn"),
    },
    missing=MISSING,
    modules=("rnn_cell",),
)
__all__ = TABLE.names()


def __getattr__(name: str) -> Any:
    return TABLE.find(name)


def __dir__() -> list[str]:
    return TABLE.names()
