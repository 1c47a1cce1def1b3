"""TensorFlow 1.7's ``tf.train``.

`optimizers` and `adam` have the optimizers, `decays` the learning rates that change, `steps` the global step,
`savers` the checkpoints by variables' names, `checkpoints` what finds them.
"""

from __future__ import annotations

from typing import Any

from ..tables import Table

TABLE = Table(
    "train",
    adapters={
        "train.optimizers": (
            "AdadeltaOptimizer",
            "AdagradOptimizer",
            "FtrlOptimizer",
            "GradientDescentOptimizer",
            "MomentumOptimizer",
            "ProximalAdagradOptimizer",
            "ProximalGradientDescentOptimizer",
            "RMSPropOptimizer",
        ),
        "train.base": ("Optimizer",),
        "train.adam": ("AdamOptimizer",),
        "train.decays": (
            "cosine_decay",
            "cosine_decay_restarts",
            "exponential_decay",
            "inverse_time_decay",
            "linear_cosine_decay",
            "natural_exp_decay",
            "noisy_linear_cosine_decay",
            "piecewise_constant",
            "polynomial_decay",
        ),
        "train.steps": (
            "assert_global_step",
            "create_global_step",
            "get_global_step",
            "get_or_create_global_step",
            "global_step",
        ),
        "train.checkpoints": (
            "Checkpoint",
            "CheckpointState",
            "NewCheckpointReader",
            "checkpoint_exists",
            "generate_checkpoint_state_proto",
            "get_checkpoint_mtimes",
            "get_checkpoint_state",
            "latest_checkpoint",
            "list_variables",
            "load_checkpoint",
            "load_variable",
            "update_checkpoint_state",
        ),
        "train.averages": ("ExponentialMovingAverage",),
        "train.savers": ("Saver",),
        "graph.writing": ("write_graph",),
    },
    missing="""
        AdagradDAOptimizer: tf.train.AdagradOptimizer, whose steps are computed without the dual averages
        SyncReplicasOptimizer, Server, ClusterSpec: gradients of several processes are not averaged here
        MonitoredSession, MonitoredTrainingSession, SingularMonitoredSession, Scaffold: tf.Session and a loop in Python, with tf.train.Saver and tf.summary.FileWriter
        Supervisor, Coordinator, QueueRunner, start_queue_runners: tf.data.Dataset reads the data
        batch, shuffle_batch, string_input_producer, slice_input_producer, input_producer: tf.data.Dataset
        export_meta_graph, import_meta_graph: run the program that makes the graph again, and restore its variables by tf.train.Saver
        Example, Features, Feature, Int64List, FloatList, BytesList: polytape.data.write_example
    """,  # noqa: E501  # a line per fix
)
__all__ = TABLE.names()


def __getattr__(name: str) -> Any:
    return TABLE.find(name)


def __dir__() -> list[str]:
    return TABLE.names()
