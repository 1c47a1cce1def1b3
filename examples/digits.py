"""A classifier of handwritten digits: trained, watched in TensorBoard, and continued where it was stopped.

    python examples/digits.py --epochs 20 --output output/digits
    tensorboard --logdir output/digits

Start it again with the same folder, after a crash too: it goes on from the last checkpoint, and ends with the same bits
as a run that nothing disturbed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import polytape as pt

__all__ = ["main"]


def data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Images of 8 x 8 pixels from 0 to 1 and their digits, to train on and to test with."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).astype("float32").reshape(-1, 8, 8, 1)
    x, x_test, y, y_test = train_test_split(images, labels, test_size=0.2, random_state=0, stratify=labels)
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


def main(arguments: list[str] | None = None) -> float:
    """Train, and print the accuracy on the test images after each epoch; returns the last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=["mlp", "cnn"], default="mlp")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--output", type=Path, default=Path("output/digits"), help="of checkpoints and event files")
    options = parser.parse_args(arguments)

    pt.random.seed(0)
    train, test = data()
    model, optimizer = network(options.model), pt.optim.Adam(0.002)
    model.build((None, 8, 8, 1))
    batches = pt.data.Dataset.from_tensor_slices(train).shuffle(seed=0).batch(options.batch).iterator()
    state = pt.Checkpoint(model=model, optimizer=optimizer, batches=batches, random=pt.random.default_generator())
    manager = pt.CheckpointManager(state, options.output, max_to_keep=2)
    manager.restore()

    @pt.function
    def step(images: pt.Tensor, labels: pt.Tensor) -> pt.Tensor:
        with pt.GradientTape() as tape:
            logits = model(images, training=True)
            loss = pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    score = accuracy(model, *test)
    with pt.summary.FileWriter(options.output, step=optimizer.step):
        while batches.epoch < options.epochs:
            for images, labels in batches:
                loss = step(images, labels)
                with pt.summary.every(10):
                    pt.summary.scalar("train/loss", loss)
            score = accuracy(model, *test)
            pt.summary.scalar("test/accuracy", score)
            pt.summary.histogram("first weights", model.trainable_variables[0])
            manager.save(int(batches.epoch), wait=False)
            print(f"epoch {int(batches.epoch):3}  loss {float(loss):.4f}  test accuracy {score:.3f}", flush=True)
    state.wait()
    return score


if __name__ == "__main__":
    main()
