"""A recurrent network that writes: an LSTM learns a text character by character, and continues it.

    python examples/char_lstm.py                    # on the licence of polytape
    python examples/char_lstm.py --text FILE        # on a text of your own, of at least a few thousand characters

Prints the loss in bits per character, and a sample. A sample is drawn one character at a time: the layer's state goes
from one call to the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import common
import polytape as pt

__all__ = ["CharModel", "main", "sample"]

LICENSE = Path(__file__).parents[1] / "LICENSE"


class CharModel(pt.nn.Model):
    """Characters to logits of the next character, through an embedding and an LSTM."""

    def __init__(self, characters: int, units: int) -> None:
        self.embedding = pt.nn.Embedding(characters, 32)
        self.lstm = pt.nn.LSTM(units, return_sequences=True, return_state=True)
        self.head = pt.nn.Dense(characters)

    def call(self, codes: pt.Tensor, state: pt.nn.LSTMState | None = None) -> tuple[pt.Tensor, pt.nn.LSTMState]:
        """Logits floating[batch, time, characters] and the state after integer[batch, time]."""
        outputs, state = self.lstm(self.embedding(codes), state)
        return self.head(outputs), state


def sample(model: CharModel, prompt: Sequence[int], length: int, temperature: float) -> list[int]:
    """Continue a prompt; a temperature below 1 prefers likely characters."""
    logits, state = model(pt.asarray([prompt]))
    codes = []
    for _ in range(length):
        code = pt.random.categorical(logits[:, -1] / temperature)
        codes.append(int(code))
        logits, state = model(pt.reshape(code, (1, 1)), state)
    return codes


def train(model: CharModel, codes: np.ndarray, steps: int, batch: int, window: int) -> None:
    """Train on windows that start at random places of the text."""
    optimizer = pt.optim.Adam(0.01)

    @pt.function
    def step(inputs: pt.Tensor, labels: pt.Tensor) -> pt.Tensor:
        with pt.GradientTape() as tape:
            logits, _ = model(inputs)
            loss = pt.mean(pt.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        variables = model.trainable_variables
        gradients, _ = pt.optim.clip_by_global_norm(tape.gradient(loss, variables), 1.0)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    windows = np.lib.stride_tricks.sliding_window_view(codes, window + 1)
    batches = iter(pt.data.Dataset.from_tensor_slices(windows).shuffle(seed=0).repeat().batch(batch))
    bar = common.progress(steps + 1)
    for number in bar:
        rows = next(batches)
        loss = step(rows[:, :-1], rows[:, 1:])
        if number % max(1, steps // 10) == 0:
            bar.write(f"step {number:4}  {float(loss) / math.log(2):.3f} bits per character")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, and print a sample."""
    parser = common.options(__doc__)
    parser.add_argument("--text", type=Path, default=LICENSE, metavar="FILE", help="what to learn, in UTF-8")
    parser.add_argument("--steps", type=common.positive(int), default=600, metavar="N", help="training steps")
    parser.add_argument("--units", type=common.positive(int), default=128, metavar="N", help="size of the LSTM's state")
    parser.add_argument("--batch", type=common.positive(int), default=32, metavar="N", help="windows per step")
    parser.add_argument("--window", type=common.positive(int), default=40, metavar="N", help="characters per window")
    parser.add_argument(
        "--length", type=common.positive(int), default=300, metavar="N", help="characters of the sample"
    )
    parser.add_argument("--temperature", type=common.positive(float), default=0.7, help="of the sample")
    options = parser.parse_args(arguments)
    text = common.read_text(options.text)
    if len(text) <= options.window:
        raise common.InputError(f"{options.text} has {len(text)} characters; --window {options.window} needs more")
    print(common.backend_line())
    pt.random.seed(0)
    characters = sorted(set(text))
    code_of = {character: code for code, character in enumerate(characters)}
    codes = np.array([code_of[character] for character in text], dtype=np.int32)
    print(f"{len(text)} characters, {len(characters)} different")
    model = CharModel(len(characters), options.units)
    train(model, codes, options.steps, options.batch, options.window)
    prompt = codes[: options.window].tolist()
    written = sample(model, prompt, options.length, options.temperature)
    print("".join(characters[code] for code in (*prompt, *written)))


if __name__ == "__main__":
    common.run(main)
