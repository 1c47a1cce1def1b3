"""A classifier of handwritten digits: trained, watched in TensorBoard, and continued where it was stopped.

    python examples/digits.py --epochs 40 --output output/digits
    tensorboard --logdir output/digits

Start it again with the same folder, after a crash too: it goes on from the last checkpoint, and ends with the same bits
as a run that nothing disturbed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import common
import polytape as pt

__all__ = ["main"]


def data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Images and their digits, to train on and to test with: four fifths and one fifth, with as many of each digit."""
    images, labels = common.digits()
    split = common.library("sklearn.model_selection").train_test_split
    x, x_test, y, y_test = split(images, labels, test_size=0.2, random_state=0, stratify=labels)
    return (x, y), (x_test, y_test)


def network(kind: str) -> pt.nn.Module:
    """A network of dense layers, or one of convolutions."""
    if kind == "mlp":
        return pt.nn.Sequential(
            pt.nn.Flatten(), pt.nn.Dense(128, activation=pt.nn.relu), pt.nn.Dropout(0.2), pt.nn.Dense(10)
        )
    return pt.nn.Sequential(
        pt.nn.Conv2D(16, 3, padding="same", activation=pt.nn.relu),
        pt.nn.MaxPool2D(2),
        pt.nn.Conv2D(32, 3, padding="same", activation=pt.nn.relu),
        pt.nn.Flatten(),
        pt.nn.Dropout(0.2),
        pt.nn.Dense(10),
    )


def accuracy(model: pt.nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """The share of images whose digit is recognized."""
    metric = pt.metrics.SparseCategoricalAccuracy()
    metric(labels, model(pt.asarray(images)))
    return float(metric.result())


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, and print the accuracy on the test images after each epoch."""
    parser = common.options(__doc__)
    parser.add_argument("--model", choices=["mlp", "cnn"], default="mlp", help="dense layers or convolutions")
    parser.add_argument("--epochs", type=common.positive(int), default=40, metavar="N", help="passes through the data")
    parser.add_argument("--batch", type=common.positive(int), default=32, metavar="N", help="images per step")
    folder, text = Path("output/digits"), "folder of checkpoints and event files"
    parser.add_argument("--output", type=Path, default=folder, metavar="DIR", help=text)
    options = parser.parse_args(arguments)
    common.output_folder(options.output)
    pt.random.seed(0)
    train, test = data()
    model, optimizer = network(options.model), pt.optim.Adam(0.002)
    model.build((None, 8, 8, 1))
    batches = pt.data.Dataset.from_tensor_slices(train).shuffle(seed=0).batch(options.batch).iterator()
    state = pt.Checkpoint(model=model, optimizer=optimizer, batches=batches, random=pt.random.default_generator())
    manager = pt.CheckpointManager(state, options.output, max_to_keep=2)
    if manager.latest:
        manager.restore().assert_existing_objects_matched()  # an error if the folder has another --model

    @pt.function
    def step(images: pt.Tensor, labels: pt.Tensor) -> pt.Tensor:
        with pt.GradientTape() as tape:
            logits = model(images, training=True)
            loss = pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    with pt.summary.FileWriter(options.output, step=optimizer.step):
        while batches.epoch < options.epochs:
            for images, labels in batches:
                loss = step(images, labels)
                with pt.summary.every(10):
                    pt.summary.scalar("digits/train_loss", loss)
            score = accuracy(model, *test)
            pt.summary.scalar("digits/test_accuracy", score)
            pt.summary.histogram("digits/first_weights", model.trainable_variables[0])
            manager.save(int(batches.epoch), wait=False)
            print(f"epoch {int(batches.epoch):3}  loss {float(loss):.4f}  test accuracy {score:.3f}", flush=True)
    state.wait()


if __name__ == "__main__":
    common.run(main)
