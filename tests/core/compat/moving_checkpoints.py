"""Train a model, or go on from a checkpoint: ``python moving_checkpoints.py eager|graph ACTION:FOLDER ...``.

For test_moving_checkpoints.py. ``save`` trains 3 steps and saves; ``load`` restores the objects, and ``named`` the
variables by name, in all cases before 2 more steps. It prints a JSON list with the losses and global steps of those.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from polytape.compat import tf1 as tf, tfe

MODE = sys.argv[1]
if MODE == "eager":
    tf.enable_eager_execution()

X = np.linspace(-1, 1, 12).reshape(6, 2).astype(np.float32)
Y = X.sum(1, keepdims=True)


class Model(tf.keras.Model):
    """Two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.a = tf.keras.layers.Dense(3, activation="tanh", kernel_initializer="ones")
        self.b = tf.keras.layers.Dense(1, kernel_initializer="ones")

    def call(self, x: Any) -> Any:
        """The model."""
        return self.b(self.a(x))


def run(action: str, folder: str) -> list[Any]:
    """The losses and steps of two training steps."""
    tf.reset_default_graph()
    model, optimizer, step = Model(), tf.train.AdamOptimizer(0.1), tf.train.get_or_create_global_step()
    step.assign(0)

    def loss() -> Any:
        return tf.losses.mean_squared_error(Y, model(X))

    checkpoint = tfe.Checkpoint(model=model, optimizer=optimizer, step=step)
    objects, names = f"{folder}/objects", f"{folder}/names"
    if MODE == "eager":
        loss()
        if action == "save":
            for _ in range(3):
                optimizer.minimize(loss, global_step=step)
            assert checkpoint.save(objects) == f"{objects}-1.safetensors"
            tf.train.Saver(model.variables).save(None, names)
        elif action == "load":
            checkpoint.restore(f"{objects}-1")
        else:
            tf.train.Saver(model.variables).restore(None, names)
        found = []
        for _ in range(2):
            optimizer.minimize(loss, global_step=step)
            found.append([float(loss()), int(step)])
        return found
    value = loss()
    train = optimizer.minimize(value, global_step=step)
    with tf.Session() as session:
        if action != "load":
            session.run(tf.global_variables_initializer())
        if action == "save":
            for _ in range(3):
                session.run(train)
            assert checkpoint.save(objects) == f"{objects}-1.safetensors"
            tf.train.Saver(model.variables).save(session, names)
        elif action == "load":
            status = checkpoint.restore(f"{objects}-1")
            status.initialize_or_restore(session)
            status.assert_consumed()
        else:
            tf.train.Saver(model.variables).restore(session, names)
        found = []
        for _ in range(2):
            session.run(train)
            found.append([float(session.run(value)), int(session.run(step))])
        return found


print(json.dumps([run(*argument.split(":", 1)) for argument in sys.argv[2:]]))
