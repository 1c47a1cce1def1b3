"""TensorFlow 1.7's ``tf.contrib.seq2seq``: the loss of sequences."""

from __future__ import annotations

from typing import Any

from ... import tf1 as tf

__all__ = ["sequence_loss"]


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Any = None,
    name: str | None = None,
) -> Any:
    """Weighted cross entropy of a batch of sequences.

    Args:
        logits: floating[batch, time, classes].
        targets: integer[batch, time]: the classes.
        weights: floating[batch, time]: 0 for padding.
        average_across_timesteps, average_across_batch: which axes are averaged; sums are divided by those of the
            weights.
        softmax_loss_function: ``(labels=, logits=) -> losses``, in place of the cross entropy with softmax.
        name: of the scope.
    Returns:
        Shape (), [time], [batch] or [batch, time], after what is averaged.
    Raises:
        ValueError: an argument has another number of axes.
    """
    for label, x, rank in (("Logits", logits, 3), ("Targets", targets, 2), ("Weights", weights, 2)):
        if len(x.get_shape()) != rank:
            raise ValueError(f"{label} must be a [batch_size x sequence_length{' x logits' * (rank == 3)}] tensor")
    with tf.name_scope(name or "sequence_loss"):
        classes = tf.shape(logits)[2]
        flat, labels = tf.reshape(logits, [-1, classes]), tf.reshape(targets, [-1])
        loss = softmax_loss_function or tf.nn.sparse_softmax_cross_entropy_with_logits
        losses = loss(labels=labels, logits=flat) * tf.reshape(weights, [-1])
        if average_across_timesteps and average_across_batch:
            return tf.reduce_sum(losses) / (tf.reduce_sum(weights) + 1e-12)
        losses = tf.reshape(losses, tf.shape(logits)[0:2])
        for average, axis in ((average_across_timesteps, 1), (average_across_batch, 0)):
            if average:
                return tf.reduce_sum(losses, axis=[axis]) / (tf.reduce_sum(weights, axis=[axis]) + 1e-12)
        return losses
