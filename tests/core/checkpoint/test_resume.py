"""Training that is killed at any moment and started again ends with the bits of a run that nothing disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

safetensors = pytest.importorskip("safetensors.numpy")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="it is killed by a POSIX signal")

STEPS = 30

# Saves in the middle of epochs: a position in shuffled data, dropout's next numbers and the optimizer's slots matter.
TRAINING = f"""
import sys
import numpy as np
import polytape as pt

folder, optimizer, traced = sys.argv[1], eval(sys.argv[2], {{"pt": pt}}), sys.argv[3] == "traced"
pt.random.seed(3)
rng = np.random.default_rng(0)
x, y = rng.standard_normal((70, 6)).astype("float32"), rng.integers(0, 4, 70)
model = pt.nn.Sequential(pt.nn.Dense(16, activation=pt.nn.relu), pt.nn.Dropout(0.3), pt.nn.Dense(4))
model.build((None, 6))
batches = pt.data.Dataset.from_tensor_slices((x, y)).shuffle(seed=1).batch(8).iterator()
state = pt.Checkpoint(model=model, optimizer=optimizer, batches=batches, random=pt.random.default_generator())
manager = pt.CheckpointManager(state, folder, max_to_keep=3)
manager.restore()

def step(x, y):
    with pt.GradientTape() as tape:
        loss = pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True)))
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))

step = pt.function(step) if traced else step
while int(optimizer.step) < {STEPS}:
    for batch in batches:
        step(*batch)
        if int(optimizer.step) % 2 == 0:
            manager.save(int(optimizer.step), wait=False)
        print(int(optimizer.step), flush=True)
        if int(optimizer.step) == {STEPS}:
            break
state.wait()
"""


def command(folder: Path, optimizer: str, how: str) -> list[str]:
    return [sys.executable, "-c", TRAINING, str(folder), optimizer, how]


ADAM, SGD = "pt.optim.Adam(0.01)", "pt.optim.SGD(0.1, momentum=0.9, nesterov=True)"


@pytest.mark.parametrize(
    ("backend", "optimizer", "how"),
    [
        ("numpy", ADAM, "eager"),
        *(
            pytest.param(*row, marks=pytest.mark.slow)
            for row in [
                ("numpy", SGD, "traced"),
                ("numba", SGD, "eager"),
                ("numba", ADAM, "traced"),
                ("sim", ADAM, "eager"),
                ("sim", SGD, "traced"),
            ]
        ),
    ],
)
def test_training_killed_at_random_steps_ends_with_the_same_bits(
    tmp_path: Path, backend: str, optimizer: str, how: str
) -> None:
    if backend != "numpy":
        pytest.importorskip(f"polytape_{backend}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "POLYTAPE_BACKEND": backend}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(whole, optimizer, how), env=environment, capture_output=True, check=True)
    rng = random.Random(f"{backend} {optimizer} {how}")
    reached = []
    for _ in range(3):
        steps = rng.randrange(4, STEPS // 3)
        process = subprocess.Popen(command(killed, optimizer, how), env=environment, stdout=subprocess.PIPE, text=True)
        with process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(steps)]
            process.send_signal(signal.SIGKILL)
        reached.append((int(lines[0]), int(lines[-1])))
    result = subprocess.run(
        command(killed, optimizer, how), env=environment, capture_output=True, text=True, check=True
    )
    # A process that is killed early may not have saved yet; the next one then goes on from an older checkpoint.
    starts = [*(first for first, _ in reached), int(result.stdout.split()[0])]
    assert starts == sorted(starts) and 1 < starts[-1] < STEPS, (starts, reached)
    expected, found = (safetensors.load_file(folder / f"ckpt-{STEPS}.safetensors") for folder in (whole, killed))
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
