"""The adversarial networks: both losses stay near their equilibrium, and the images come to resemble digits."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import polytape as pt

datasets = pytest.importorskip("sklearn.datasets")
neighbors = pytest.importorskip("sklearn.neighbors")


def test_it_draws_a_grid_and_writes_pictures_for_tensorboard(run: Callable[..., str], tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    printed = run("gan", "--epochs", "2", "--output", "out", "--logdir", "logs")
    losses = np.array(re.findall(r"generator (\S+)  discriminator (\S+)", printed), dtype=float)
    assert losses.shape == (2, 2) and np.isfinite(losses).all()
    assert (tmp_path / "out" / "gan.png").read_bytes().startswith(b"\x89PNG")
    events = accumulators.EventAccumulator(str(tmp_path / "logs"))
    events.Reload()
    assert [event.step for event in events.Images("digits")] == [28, 56]
    logged = [round(event.value, 3) for event in events.Scalars("discriminator/loss")]
    assert logged == pytest.approx(losses[:, 1].tolist(), abs=1e-3)


@pytest.mark.slow
def test_a_batch_or_a_folder_that_is_impossible_is_one_line(run: Callable[..., str], tmp_path: Path) -> None:
    assert "--batch 5000 is more than the 1797 images" in run("gan", "--batch", "5000", fails=True)
    (tmp_path / "logs").touch()
    assert "--logdir logs is not a writable folder" in run("gan", "--logdir", "logs", fails=True)


def test_training_brings_generated_images_nearer_to_digits(module: Callable[[str], ModuleType]) -> None:
    gan = module("gan")
    pt.random.seed(0)
    images = (datasets.load_digits().data / 16).astype("float32")
    model = gan.Gan(0.001)
    noise = pt.random.normal((64, gan.NOISE))
    nearest = neighbors.NearestNeighbors(n_neighbors=1).fit(images)

    def distance() -> float:
        return float(np.mean(nearest.kneighbors(model.generator(noise).numpy().reshape(-1, 64))[0]))

    before = distance()
    batches = pt.data.Dataset.from_tensor_slices(images.reshape(-1, 8, 8, 1)).shuffle(seed=0).repeat().batch(64)
    for _, batch in zip(range(120), batches, strict=False):
        model.step(batch)
    assert distance() < 0.75 * before
