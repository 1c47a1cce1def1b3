"""Record what TensorFlow 1.7 gives for expressions: ``python tests/record_tensorflow_values.py EXPRESSIONS > JSON``.

Development only. It runs under Python 3.6 with tensorflow==1.7.0, so it uses that version's Python. EXPRESSIONS has an
expression per line, in the names of `NAMES`. The JSON is the file tests/core/compat/data/values.json.
"""

import json
import sys

import numpy as np
import tensorflow as tf
import tensorflow.contrib.eager as tfe

tf.enable_eager_execution()


def ramp(*shape: int) -> tf.Tensor:
    """Numbers without a pattern that a wrong axis could keep."""
    count = int(np.prod(shape))
    return tf.constant((np.arange(count) * 7 % 11 / 8.0 - 0.5).reshape(shape).astype(np.float32))


def rnn(cell: object, **options: object) -> object:
    """A cell's outputs and state on a batch of two sequences, its weights set to numbers without a pattern."""
    x, lengths = ramp(2, 3, 4), tf.constant([3, 2])
    tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    for number, weight in enumerate(cell.variables, 1):
        weight.assign(ramp(*[int(size) for size in weight.shape]) * number)
    return tf.nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype=tf.float32, **options)


NAMES = {
    "tf": tf, "np": np, "c": tf.constant, "grad": tfe.gradients_function, "rnn": rnn, "rc": tf.nn.rnn_cell,
    "x3": ramp(1, 5, 2), "w3": ramp(2, 2, 3), "x4": ramp(1, 4, 4, 2), "w4": ramp(2, 2, 2, 3), "g4": ramp(1, 4, 4, 3),
    "wt": ramp(2, 2, 3, 2), "wd": ramp(2, 2, 2, 2), "wp": ramp(1, 1, 4, 3), "x5": ramp(1, 2, 2, 2, 2),
    "w5": ramp(2, 2, 2, 2, 3), "w5t": ramp(2, 2, 2, 2, 2), "im": tf.abs(ramp(4, 4, 3)),
}  # fmt: skip


def described(value: object) -> object:
    """A result in JSON's types: tensors with dtype, shape and values to 6 digits."""
    if isinstance(value, tf.IndexedSlices):
        value = tf.convert_to_tensor(value)
    if isinstance(value, tf.Tensor):
        array = value.numpy()
        numbers = np.asarray(array).ravel().tolist()
        if value.dtype.is_complex:
            numbers = [[float(f"{part:.6g}") for part in (number.real, number.imag)] for number in numbers]
        elif value.dtype.is_floating:
            numbers = [float(f"{number:.6g}") for number in numbers]
        return {"dtype": value.dtype.name, "shape": value.shape.as_list(), "values": numbers}
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    if isinstance(value, (np.generic,)):
        return value.item()
    return value


def main() -> None:
    """Print the expressions with their results, or the names of the classes of their errors."""
    rows = []
    with open(sys.argv[1]) as lines:
        texts = list(lines)
    for line in texts:
        text = line.strip()
        if not text:
            continue
        try:
            rows.append([text, described(eval(text, dict(NAMES)))])
        except Exception as error:
            rows.append([text, {"error": type(error).__name__}])
    print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")


if __name__ == "__main__":
    main()
