"""Record what TensorFlow 1.7 gives for a program: ``python tests/record_tensorflow_training.py CASES > JSON``.

Development only. It runs under Python 3.6 with tensorflow==1.7.0, so it uses that version's Python. CASES is the file
tests/core/compat/data/training_cases.txt, and the JSON tests/core/compat/data/training.json. With the argument
``polytape`` behind CASES it runs the program on `polytape.compat`, under any Python that polytape supports.
"""

import json
import sys

import numpy as np

if "polytape" in sys.argv:
    from polytape.compat import tf1 as tf, tfe
else:
    import tensorflow as tf
    import tensorflow.contrib.eager as tfe

tf.enable_eager_execution()
LONGEST = 24  # of an array; of a longer one, these elements and the sum are recorded
records = []


def numbers(*shape: int) -> object:
    """Numbers without a pattern that a wrong axis could keep, the same for each call with a shape."""
    count = int(np.prod(shape))
    return (np.arange(count) * 7 % 11 / 8.0 - 0.5).reshape(shape).astype(np.float32)


def described(value: object) -> object:
    """A value in JSON's types."""
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    array = np.asarray(value.numpy(), dtype=np.float64)
    flat = [float(f"{number:.6g}") for number in array.ravel()[:LONGEST].tolist()]
    total = [float(f"{array.sum():.6g}")] if array.size > LONGEST else []
    return {"shape": list(array.shape), "dtype": str(value.numpy().dtype), "values": flat + total}


def show(name: str, *values: object) -> None:
    """Record values."""
    records.append([name, *[described(value) for value in values]])


def main() -> None:
    """Run the program and print what it showed."""
    with open(sys.argv[1]) as lines:
        program = compile(lines.read(), sys.argv[1], "exec")
    exec(program, {"tf": tf, "tfe": tfe, "np": np, "show": show, "numbers": numbers})
    print("[\n" + ",\n".join(json.dumps(record) for record in records) + "\n]")


main()
