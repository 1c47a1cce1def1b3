"""Programs that run in both modes: ``python both_modes.py eager|graph``, for test_both_modes.py.

Each is a function of the same text in both modes; only `value`, `initialize` and `training` ask which mode it is. What
the programs return is printed as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from polytape.compat import tf1 as tf, tfe

if "eager" in sys.argv:
    tf.enable_eager_execution()

session: list[Any] = []


def value(fetches: Any) -> Any:
    """Numbers of tensors and variables, in any structure of lists."""
    if isinstance(fetches, (list, tuple)):
        return [value(x) for x in fetches]
    return fetches.numpy() if tf.executing_eagerly() else session[-1].run(fetches)


def initialize() -> None:
    """Give the variables their initial values."""
    if not tf.executing_eagerly():
        session[-1].run(tf.global_variables_initializer())


def training(optimizer: Any, loss: Callable[[], Any], steps: int) -> list[Any]:
    """Minimize ``loss()``, and return it before each step."""
    if tf.executing_eagerly():
        losses = []
        for _ in range(steps):
            losses.append(value(loss()))
            optimizer.minimize(loss)
        return losses
    computed = loss()
    step = optimizer.minimize(computed)
    initialize()
    return [session[-1].run([computed, step])[0] for _ in range(steps)]


def numbers(*shape: int) -> Any:
    """Numbers without a pattern that a wrong axis could keep."""
    return (np.arange(int(np.prod(shape))) * 7 % 11 / 8.0 - 0.5).reshape(shape).astype(np.float32)


def arithmetic() -> Any:
    """Operators, reductions, indexing and linear algebra."""
    x, y = tf.constant(numbers(3, 4)), tf.constant(numbers(4, 2))
    product = tf.matmul(x, y)
    return value(
        [
            product, x[1:, ::2] * 2 - 1, tf.reduce_mean(tf.square(x), 1), tf.nn.softmax(x), tf.argmax(x, 1),
            7 // tf.constant([2, -3]), tf.concat([x, x], 0), tf.where(x > 0, x, -x), tf.one_hot([0, 2], 3),
            tf.cumsum(x, 1), tf.norm(product), tf.unique([3, 1, 3]).y,
            tf.nn.conv2d(numbers(1, 4, 4, 2), numbers(2, 2, 2, 3), [1, 1, 1, 1], "SAME"),
        ]
    )  # fmt: skip


def control_flow() -> Any:
    """Branches and loops that depend on tensors."""
    x = tf.constant(numbers(5))
    total = tf.reduce_sum(x)
    branch = tf.cond(total > 0.0, lambda: total * 2.0, lambda: -total)
    cases = [(total > 9.0, lambda: tf.constant(1)), (total > -9.0, lambda: tf.constant(2))]
    chosen = tf.case(cases, lambda: tf.constant(3))
    start = [tf.constant(0), tf.constant(1.5)]
    count, grown = tf.while_loop(lambda n, v: v < 100.0, lambda n, v: (n + 1, v * 2.0), start)
    array = tf.TensorArray(tf.float32, size=4)
    filled = tf.while_loop(
        lambda i, a: i < 4, lambda i, a: (i + 1, a.write(i, tf.cast(i, tf.float32) ** 2)), [tf.constant(0), array]
    )[1]
    return value(
        [
            branch, chosen, count, grown, filled.stack(), tf.map_fn(lambda v: v * v, x), tf.scan(lambda a, v: a + v, x),
            tf.foldl(lambda a, v: a * 0.5 + v, x), tf.foldr(lambda a, v: a * 0.5 + v, x, tf.constant(1.0)),
            tf.py_func(lambda a: [a + a.max()], [x], [tf.float32])[0],
            tfe.py_func(lambda a: a * 2.0 if a[0] > 0 else a * 3.0, [x], tf.float32),
        ]
    )  # fmt: skip


def optimizers() -> Any:
    """A regression by each of some optimizers."""
    x, found = numbers(20), []
    t = tf.train
    for number, optimizer in enumerate(
        [t.GradientDescentOptimizer(0.1), t.MomentumOptimizer(0.05, 0.9), t.AdamOptimizer(0.1), t.AdagradOptimizer(0.3)]
    ):
        w, b = tfe.Variable(0.0, name=f"w{number}"), tfe.Variable(0.0, name=f"b{number}")

        def loss(w: Any = w, b: Any = b) -> Any:
            return tf.reduce_mean(tf.square(w * x + b - (3.0 * x + 2.0)))

        found += [training(optimizer, loss, 8), value(w), value(b)]
    return found


def network() -> Any:
    """Layers, a loss of labels, and a measure of accuracy."""
    images, labels = numbers(6, 8, 8, 1), np.arange(6) % 3
    ones = tf.constant_initializer(0.1)
    first = tf.layers.Conv2D(2, 3, activation=tf.nn.relu, kernel_initializer=ones)
    second = tf.layers.Dense(3, kernel_initializer=tf.constant_initializer(numbers(18, 3)))

    def logits() -> Any:
        return second(tf.layers.flatten(tf.layers.max_pooling2d(first(images), 2, 2)))

    def loss() -> Any:
        return tf.losses.sparse_softmax_cross_entropy(labels, logits())

    losses = training(tf.train.GradientDescentOptimizer(0.5), loss, 5)
    hits = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits(), 1), labels), tf.float32))
    return [losses, value(hits), value(first.kernel), value(second.bias)]


def data() -> Any:
    """The elements of a dataset."""
    dataset = (
        tf.data.Dataset.range(10).filter(lambda v: v > 2).map(lambda v: (v, tf.cast(v, tf.float32) * 0.5)).batch(3)
    )
    if tf.executing_eagerly():
        return [value(list(element)) for element in tfe.Iterator(dataset)]
    following, found = dataset.make_one_shot_iterator().get_next(), []
    while True:
        try:
            found.append(session[-1].run(list(following)))
        except tf.errors.OutOfRangeError:
            return found


def derivatives() -> Any:
    """Gradients of the first and the second order."""
    x = tf.constant(numbers(4) + 1.0)

    def f(v: Any) -> Any:
        return tf.reduce_sum(v * v * tf.log(v + 1.0))

    if tf.executing_eagerly():
        first = tfe.gradients_function(f)
        return value([first(x)[0], tfe.gradients_function(lambda v: tf.reduce_sum(first(v)[0]))(x)[0]])
    (first,) = tf.gradients(f(x), x)
    return value([first, tf.gradients(first, x)[0]])


PROGRAMS = (arithmetic, control_flow, optimizers, network, data, derivatives)


def plain(found: Any) -> Any:
    """Numbers in JSON's types, with their dtype."""
    if isinstance(found, (list, tuple)):
        return [plain(x) for x in found]
    return [str(found.dtype), np.asarray(found).tolist()]


def main() -> None:
    """Print what each program returns."""
    results = {}
    for program in PROGRAMS:
        tf.reset_default_graph()
        session[:] = [] if tf.executing_eagerly() else [tf.Session()]
        results[program.__name__] = plain(program())
    print(json.dumps(results))


if __name__ == "__main__":
    main()
