"""A generative adversarial network: one network draws digits, the other tells them from real ones.

    python examples/gan.py

Both are trained in turns, each by its own optimizer. Writes a grid of generated digits into a PNG file, and with
``--logdir`` the losses and pictures for TensorBoard. Method: I. Goodfellow and others (2014), "Generative adversarial
nets", with the non-saturating loss of its section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import common
import polytape as pt

__all__ = ["main"]

NOISE = 32  # numbers from which an image is made


def generator() -> pt.nn.Module:
    """Noise to images of 8 x 8 pixels from 0 to 1."""
    return pt.nn.Sequential(
        pt.nn.Dense(128, use_bias=False), pt.nn.BatchNorm(), pt.nn.relu,
        pt.nn.Dense(128, use_bias=False), pt.nn.BatchNorm(), pt.nn.relu,
        pt.nn.Dense(64, activation=pt.nn.sigmoid), pt.nn.Reshape((8, 8, 1)),
    )  # fmt: skip


def discriminator() -> pt.nn.Module:
    """Images to a logit each: positive if it takes the image for a real one."""
    return pt.nn.Sequential(
        pt.nn.Conv2D(32, 3, padding="same", activation=pt.nn.leaky_relu),
        pt.nn.Conv2D(64, 3, stride=2, padding="same", activation=pt.nn.leaky_relu),
        pt.nn.Flatten(), pt.nn.Dropout(0.3), pt.nn.Dense(1),
    )  # fmt: skip


def cross_entropy(logits: pt.Tensor, label: float) -> pt.Tensor:
    """How far the logits are from one label for all."""
    return pt.mean(pt.nn.sigmoid_cross_entropy_with_logits(pt.full_like(logits, label), logits))


class Gan(pt.nn.Module):
    """Both networks and their optimizers; ``step`` trains each of them once.

    Args:
        rate: the learning rate of both.
    """

    def __init__(self, rate: float) -> None:
        self.generator, self.discriminator = generator(), discriminator()
        self.generator.build((None, NOISE))
        self.discriminator.build((None, 8, 8, 1))
        self.generator_optimizer, self.discriminator_optimizer = (pt.optim.Adam(rate, beta1=0.5) for _ in range(2))
        self.step = pt.function(self._step)

    def _step(self, real: pt.Tensor) -> dict[str, pt.Tensor]:
        """Train both networks on a batch of real images; return their losses by name."""
        noise = pt.random.normal((real.shape[0], NOISE))
        with pt.GradientTape() as generator_tape, pt.GradientTape() as discriminator_tape:
            fake = self.generator(noise, training=True)
            real_logits, fake_logits = (self.discriminator(images, training=True) for images in (real, fake))
            generator_loss = cross_entropy(fake_logits, 1.0)
            # A label of 0.9 keeps the discriminator from becoming too sure (T. Salimans and others, 2016).
            discriminator_loss = cross_entropy(real_logits, 0.9) + cross_entropy(fake_logits, 0.0)
        # Both gradients are computed before either network changes.
        of_g, of_d = self.generator.trainable_variables, self.discriminator.trainable_variables
        generator_gradients = generator_tape.gradient(generator_loss, of_g)
        discriminator_gradients = discriminator_tape.gradient(discriminator_loss, of_d)
        self.generator_optimizer.apply_gradients(zip(generator_gradients, of_g, strict=True))
        self.discriminator_optimizer.apply_gradients(zip(discriminator_gradients, of_d, strict=True))
        return {"generator": generator_loss, "discriminator": discriminator_loss}


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, print the losses of each epoch, and write the grid."""
    parser = common.options(__doc__)
    parser.add_argument("--epochs", type=common.positive(int), default=60, metavar="N", help="passes through the data")
    parser.add_argument("--batch", type=common.positive(int), default=64, metavar="N", help="images per step")
    parser.add_argument("--learning-rate", type=common.positive(float), default=0.001, metavar="RATE", help="of Adam")
    parser.add_argument("--output", type=Path, default=Path("output/gan"), metavar="DIR", help="folder of the grid")
    parser.add_argument("--logdir", type=Path, metavar="DIR", help="folder of event files for TensorBoard")
    options = parser.parse_args(arguments)
    images, _ = common.digits()
    if options.batch > len(images):
        raise common.InputError(f"--batch {options.batch} is more than the {len(images)} images that there are")
    folder = common.output_folder(options.output)
    print(common.backend_line())
    pt.random.seed(0)
    data = pt.data.Dataset.from_tensor_slices(images).shuffle(seed=0).batch(options.batch, drop_remainder=True)
    gan = Gan(options.learning_rate)
    noise = pt.random.normal((64, NOISE))  # the same all the time, so that pictures can be compared
    with ExitStack() as stack:
        if options.logdir:  # without a writer, summaries do nothing
            logs = common.output_folder(options.logdir, "--logdir")
            stack.enter_context(pt.summary.FileWriter(logs, step=gan.generator_optimizer.step))
        for epoch in (bar := common.progress(options.epochs)):
            for real in data:
                losses = gan.step(real)
            for name, loss in losses.items():
                pt.summary.scalar(f"{name}/loss", loss)
            pt.summary.image("digits", common.grid(gan.generator(noise))[..., None])
            if (epoch + 1) % max(1, options.epochs // 10) == 0:
                shown = [f"{name} {float(loss):.3f}" for name, loss in losses.items()]
                bar.write("  ".join([f"epoch {epoch + 1:3}", *shown]))
    with common.figure(folder / "gan.png", f"Digits drawn after {options.epochs} epochs") as axes:
        axes.imshow(common.grid(gan.generator(noise)).numpy(), cmap="gray_r", vmin=0, vmax=1)
        axes.set_axis_off()
    print(f"figure saved to {folder / 'gan.png'}")


if __name__ == "__main__":
    common.run(main)
