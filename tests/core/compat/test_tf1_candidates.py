"""Losses over sampled classes: values and gradients that TensorFlow 1.7.0 gave, and the samplers' distributions."""

from __future__ import annotations

from collections.abc import Callable

Program = Callable[[str], str]

START = "tf.enable_eager_execution()\n"

# What TensorFlow 1.7.0 gave: by loss, remove_accidental_hits and num_true, the losses, and of the gradients with
# respect to weights, biases and inputs the sum over their elements, each multiplied by its place.
RECORDED = """
recorded = {
    ("nce_loss", False, 1): ([13.417449, 5.539396, 4.326426, 8.015359], [-0.83306, 4.07411, 113.36939]),
    ("nce_loss", False, 2): ([18.127989, 5.955294, 4.574379, 11.050388], [3.73411, 9.29021, 138.67638]),
    ("nce_loss", True, 1): ([5.831878, 5.188845, 4.326426, 8.015359], [-10.6439, 3.07462, 109.97108]),
    ("nce_loss", True, 2): ([8.928404, 5.604742, 4.574379, 8.536773], [-21.76144, 6.6889, 107.40186]),
    ("sampled_softmax_loss", False, 1): ([0.710989, 3.750308, 3.059218, 1.065122], [-27.00511, -5.64422, 41.65542]),
    ("sampled_softmax_loss", False, 2): ([3.808519, 2.904565, 3.105075, 1.70119], [-14.65975, -6.49147, 38.34935]),
    ("sampled_softmax_loss", True, 1): ([0.035371, 3.726517, 3.059218, 1.065122], [-27.34395, -5.63318, 41.61317]),
    ("sampled_softmax_loss", True, 2): ([3.131898, 2.884383, 3.105075, 1.586535], [-14.79923, -6.29891, 37.70472]),
}
"""


def test_losses_and_gradients_are_those_of_tensorflow(program: Program) -> None:
    program(
        START
        + RECORDED
        + """
random = np.random.RandomState(0)
w, b, x = (random.randn(*shape).astype("f") for shape in ((7, 3), (7,), (4, 3)))
labels = {1: [[1], [0], [6], [3]], 2: [[1, 2], [0, 5], [6, 6], [3, 0]]}
counts = {1: [[0.5], [0.9], [0.1], [0.3]], 2: [[0.5, 0.4], [0.9, 0.15], [0.1, 0.1], [0.3, 0.9]]}
for (name, hits, true), (losses, sums) in recorded.items():
    sampled = (tf.constant([1, 2, 0], tf.int64), tf.constant(counts[true]), tf.constant([0.5, 0.4, 0.9]))
    def loss(w, b, x):
        return getattr(tf.nn, name)(
            w, b, tf.constant(labels[true], tf.int64), x, 3, 7, num_true=true, sampled_values=sampled,
            remove_accidental_hits=hits)
    np.testing.assert_allclose(loss(w, b, x).numpy(), losses, rtol=2e-6, atol=2e-6)
    for gradient, wanted in zip(tfe.gradients_function(loss)(*map(tf.constant, (w, b, x))), sums):
        value = tf.convert_to_tensor(gradient).numpy().ravel()
        np.testing.assert_allclose(value @ np.arange(value.size), wanted, rtol=2e-5, atol=2e-5)
"""
    )


def test_samplers_draw_from_the_distributions_that_they_report(program: Program) -> None:
    program(
        START
        + """
from scipy import stats
tf.set_random_seed(0)
for sampler in (tf.nn.log_uniform_candidate_sampler, tf.nn.uniform_candidate_sampler):
    every = tf.reshape(tf.range(9), [-1, 1])
    found = sampler(every, 1, 20000, False, 9, seed=1)
    counts = np.bincount(found.sampled_candidates.numpy(), minlength=9)
    expected = found.true_expected_count.numpy().ravel().astype("f8")
    assert abs(expected.sum() - 20000) < 0.1
    assert stats.chisquare(counts, expected * 20000 / expected.sum()).pvalue > 1e-3
    same = sampler(every, 1, 9, True, 9).sampled_candidates.numpy()
    assert sorted(same) == list(range(9)) and same.dtype == np.int64
# Without repetitions: how often each class occurs, by a simulation with NumPy's `choice`, and the mean of the counts
# that TensorFlow 1.7.0 reported in 3000 samples. They differ: the counts only estimate the number of occurrences.
occurs = [0.83425, 0.6705, 0.5455, 0.45075, 0.38475, 0.34075, 0.28875, 0.25175, 0.233]
reported = [0.9892533, 0.6999502, 0.5439065, 0.44495553, 0.37648103, 0.32627603, 0.28788605, 0.2575656, 0.23303173]
samples = [tf.nn.log_uniform_candidate_sampler(every, 1, 4, True, 9) for _ in range(1000)]
seen = np.array([np.bincount(s.sampled_candidates.numpy(), minlength=9) for s in samples])
assert seen.max() == 1 and (seen.sum(1) == 4).all()
np.testing.assert_allclose(seen.mean(0), occurs, atol=0.06)
np.testing.assert_allclose(np.mean([s.true_expected_count.numpy().ravel() for s in samples], 0), reported, atol=0.03)
# Values that TensorFlow 1.7.0 gave.
found = tf.nn.log_uniform_candidate_sampler([[0], [5]], 1, 4, False, 9)
np.testing.assert_allclose(found.true_expected_count.numpy(), [[1.20412], [0.26778716]], rtol=1e-6)
for wrong in (lambda: tf.nn.uniform_candidate_sampler([[0]], 1, 10, True, 9),
              lambda: tf.nn.uniform_candidate_sampler([0], 1, 2, True, 9)):
    try:
        wrong()
    except tf.errors.InvalidArgumentError as error:
        print(error)
    else:
        raise AssertionError
"""
    )


def test_word_vectors_train_on_sampled_classes_with_gradients_of_rows(program: Program) -> None:
    program(
        START
        + """
tf.set_random_seed(0)
weights, biases = tfe.Variable(tf.zeros([50, 4])), tfe.Variable(tf.zeros([50]))
table = tfe.Variable(tf.random_uniform([50, 4], -1.0, 1.0))
optimizer = tf.train.GradientDescentOptimizer(0.5)
words = tf.constant(np.arange(20) % 5)
def loss():
    center = tf.nn.embedding_lookup(table, words)
    return tf.reduce_mean(tf.nn.nce_loss(weights, biases, tf.reshape(words, [-1, 1]), center, 8, 50))
losses = []
for _ in range(60):
    pairs = optimizer.compute_gradients(loss)
    assert all(isinstance(gradient, tf.IndexedSlices) for gradient, _ in pairs), pairs
    optimizer.apply_gradients(pairs)
    losses.append(float(loss()))
assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10]), losses
assert (weights.numpy()[:5] != 0).all()
"""
    )
