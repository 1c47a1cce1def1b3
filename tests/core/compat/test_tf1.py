"""TensorFlow 1.7's names, as in its introductory eager programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Program = Callable[[str], str]

# The linear fit that introduces eager execution: y = 3x + 2 + noise, from W = 5, B = 10.
FIT = """
tf.enable_eager_execution()
tf.set_random_seed(0)

NUM_EXAMPLES = 1000
training_inputs = tf.random_normal([NUM_EXAMPLES])
noise = tf.random_normal([NUM_EXAMPLES])
training_outputs = training_inputs * 3 + 2 + noise

def prediction(input, weight, bias):
    return input * weight + bias

def loss(weights, biases):
    error = prediction(training_inputs, weights, biases) - training_outputs
    return tf.reduce_mean(tf.square(error))

def grad(weights, biases):
    with tfe.GradientTape() as tape:
        loss_value = loss(weights, biases)
    return tape.gradient(loss_value, [weights, biases])

W = tfe.Variable(5.)
B = tfe.Variable(10.)
print(float(loss(W, B)))
"""


def check_fit(printed: str) -> None:
    first, last, weight, bias = map(float, printed.split())
    assert 60.0 < first < 76.0
    assert 0.8 < last < 1.2
    assert abs(weight - 3.0) < 0.2 and abs(bias - 2.0) < 0.3


def test_the_introductory_fit_with_assignments(program: Program) -> None:
    check_fit(
        program(
            FIT
            + """
for i in range(200):
    dW, dB = grad(W, B)
    W.assign_sub(dW * 0.01)
    B.assign_sub(dB * 0.01)
print(float(loss(W, B)), W.numpy(), B.numpy())
"""
        )
    )


def test_the_introductory_fit_with_an_optimizer(program: Program) -> None:
    check_fit(
        program(
            FIT
            + """
optimizer = tf.train.GradientDescentOptimizer(learning_rate=0.01)
step = tf.train.get_or_create_global_step()
for i in range(200):
    grads = grad(W, B)
    optimizer.apply_gradients(zip(grads, [W, B]), global_step=tf.train.get_or_create_global_step())
print(float(loss(W, B)), W.numpy(), B.numpy())
assert step is tf.train.get_or_create_global_step() and int(step) == 200
"""
        )
    )


def test_the_introductory_fit_with_implicit_gradients_and_minimize(program: Program) -> None:
    check_fit(
        program(
            FIT
            + """
value_and_gradients = tfe.implicit_value_and_gradients(lambda: loss(W, B))
optimizer = tf.train.GradientDescentOptimizer(0.01)
for i in range(100):
    value, pairs = value_and_gradients()
    optimizer.apply_gradients(pairs)
    optimizer.minimize(lambda: loss(W, B), var_list=[W, B])
print(float(loss(W, B)), W.numpy(), B.numpy())
"""
        )
    )


def test_implicit_gradients_of_an_embedding_are_slices(program: Program) -> None:
    printed = program(
        """
        tf.enable_eager_execution()
        table = tfe.Variable([[1.], [2.], [3.]])
        def loss():
            return tf.reduce_sum(tf.square(tf.nn.embedding_lookup(table, [2, 0])))
        (gradient, variable), = tfe.implicit_gradients(loss)()
        print(isinstance(gradient, tf.IndexedSlices), gradient.values.numpy().tolist(), gradient.indices.numpy())
        value, pairs = tfe.implicit_value_and_gradients(loss)()
        clipped, norm = tf.clip_by_global_norm([g for g, _ in pairs], 100.)
        tf.train.GradientDescentOptimizer(0.5).apply_gradients(zip(clipped, [variable]))
        print(float(value), variable.numpy().tolist())
        """
    )
    assert printed == "True [[6.0], [2.0]] [2 0]\n10.0 [[0.0], [2.0], [0.0]]\n"


def test_gradients_of_functions_up_to_third_order(program: Program) -> None:
    printed = program(
        """
        tf.enable_eager_execution()
        def square(x):
            return tf.multiply(x, x)
        grad = tfe.gradients_function(square)
        gradgrad = tfe.gradients_function(lambda x: grad(x)[0])
        third = tfe.gradients_function(lambda x: gradgrad(x)[0])
        print([float(g) for g in grad(3.)], [float(g) for g in gradgrad(3.)], third(3.))
        def absolute(x):
            return x if x > 0. else -x
        grad = tfe.gradients_function(absolute)
        print(float(grad(3.0)[0]), float(grad(-3.0)[0]))
        value, gradients = tfe.value_and_gradients_function(square)(3.)
        print(float(value), float(gradients[0]))
        """
    )
    assert printed.splitlines() == ["[6.0] [2.0] [None]", "1.0 -1.0", "9.0 6.0"]


def test_the_defaults_are_tensorflow_s(program: Program) -> None:
    program(
        """
        tf.enable_eager_execution()
        assert tf.constant(1.0).dtype == tf.float32 and tf.constant(1).dtype == tf.int32
        assert tf.constant(True).dtype == tf.bool and tf.constant(np.zeros(2)).dtype == tf.float64
        assert tf.constant(2, dtype=tf.half).dtype == tf.float16
        assert tf.constant(1.0, shape=[2, 3]).tolist() == [[1.0] * 3] * 2
        assert tf.constant([1, 2, 3, 4], shape=[2, 2]).tolist() == [[1, 2], [3, 4]]
        assert tf.zeros([2]).tolist() == [0.0, 0.0] and tf.ones([1, 2], tf.int32).tolist() == [[1, 1]]
        assert tf.convert_to_tensor([1.0]).dtype == tf.float32
        assert tf.cast(1.7, tf.int32).tolist() == 1
        assert tf.random_normal([2, 3]).shape == (2, 3)
        assert tf.random_uniform([5], 1, 3, dtype=tf.int64).dtype == tf.int64
        assert (tf.random_uniform([2], seed=1).numpy() != tf.random_uniform([2], seed=1).numpy()).all()
        """
    )


def test_ops_accept_lists_numbers_and_a_name(program: Program) -> None:
    program(
        """
        tf.enable_eager_execution()
        assert tf.add([1, 2], 3, name="sum").tolist() == [4, 5]
        assert tf.subtract(5.0, [1.0]).tolist() == [4.0] and tf.multiply(2, [3]).tolist() == [6]
        x = [[1.0, 2.0], [3.0, 4.0]]
        assert tf.matmul(x, x).tolist() == [[7.0, 10.0], [15.0, 22.0]]
        assert tf.matmul(x, x, transpose_a=True).tolist() == [[10.0, 14.0], [14.0, 20.0]]
        assert tf.matmul(x, x, transpose_b=True).tolist() == [[5.0, 11.0], [11.0, 25.0]]
        assert float(tf.reduce_sum(x)) == 10.0 and tf.reduce_sum(x, [0, 1]).shape == ()
        assert tf.reduce_sum(x, axis=1).tolist() == [3.0, 7.0]
        assert tf.reduce_mean(x, 0, keepdims=True).tolist() == [[2.0, 3.0]]
        assert tf.reduce_mean(x, reduction_indices=[1], keep_dims=True).tolist() == [[1.5], [3.5]]
        assert tf.reduce_max(x, axis=0).tolist() == [3.0, 4.0]
        assert tf.abs([-1.0]).tolist() == [1.0] and tf.square([3]).tolist() == [9]
        assert tf.maximum([1.0], 2.0).tolist() == [2.0] and tf.minimum([1.0], 2.0).tolist() == [1.0]
        assert tf.negative([1.0]).tolist() == [-1.0] and tf.sqrt([4.0]).tolist() == [2.0]
        assert tf.divide(tf.constant([1.0]), 4.0).tolist() == [0.25] and tf.reshape(x, [-1]).shape == (4,)
        assert tf.exp([0.0]).tolist() == [1.0] and tf.log([1.0]).tolist() == [0.0] == tf.tanh([0.0]).tolist()
        assert tf.identity(x).tolist() == tf.stop_gradient(x).tolist() == x
        assert tf.nn.relu([-1.0, 1.0]).tolist() == [0.0, 1.0] and tf.nn.sigmoid([0.0]).tolist() == [0.5]
        assert tf.nn.softmax([[0.0], [0.0]], dim=0).tolist() == [[0.5], [0.5]]
        assert abs(float(tf.nn.log_softmax([0.0, 0.0])[0]) + 0.6931472) < 1e-6
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1], logits=[[0.0, 0.0]])
        assert abs(float(loss[0]) - 0.6931472) < 1e-6
        """
    )


def test_variables_are_polytape_variables(program: Program) -> None:
    program(
        """
        import polytape as pt
        tf.enable_eager_execution()
        v = tfe.Variable(lambda: tf.zeros([2]), name="v", trainable=False)
        assert type(v) is pt.Variable and isinstance(v, tfe.Variable) and isinstance(v, tf.Variable)
        assert not isinstance(tf.zeros([2]), tfe.Variable) and not v.trainable and v.name == "v:0"
        assert tf.Variable(1, dtype=tf.float64).dtype == tf.float64
        v.assign_add([1.0, 2.0])
        assert v.read_value().numpy().tolist() == [1.0, 2.0]
        with tf.device("/cpu:0"):
            assert tf.zeros([]).device.kind == "cpu"
        assert tfe.num_gpus() >= 0
        """
    )


def test_optimizers_have_tensorflow_s_methods_and_polytape_s_state(program: Program, tmp_path: Path) -> None:
    program(
        f"""
        import polytape as pt
        tf.enable_eager_execution()
        w = tfe.Variable([1.0, 2.0])
        def loss():
            return tf.reduce_sum(tf.square(w))
        adam = tf.train.AdamOptimizer(0.1)
        pairs = adam.compute_gradients(loss)
        assert pairs[0][0].tolist() == [2.0, 4.0] and pairs[0][1] is w
        adam.apply_gradients(pairs)
        adam.minimize(loss, global_step=tf.train.get_or_create_global_step())
        assert len(adam.variables()) == 4 and adam.get_slot_names() == ["m", "v"]
        assert adam.get_slot(w, "m").shape == (2,) and isinstance(adam, tf.train.Optimizer)
        for bad in (loss(), None):
            try:
                adam.minimize(bad)
            except RuntimeError as error:
                assert "a function without arguments" in str(error)
            else:
                raise AssertionError(bad)
        try:
            adam.minimize(lambda: tf.constant(1.0))
        except ValueError as error:
            assert "No gradients provided for any variable" in str(error)
        else:
            raise AssertionError
        path = tfe.Checkpoint(w=w, optimizer=adam).save({str(tmp_path / "model")!r})
        assert path == tf.train.latest_checkpoint({str(tmp_path)!r})
        other = pt.optim.Adam(0.1)
        tfe.Checkpoint(w=w, optimizer=other).restore(path)
        other.apply_gradients(pairs)
        assert int(other.step) == 3
        """
    )
