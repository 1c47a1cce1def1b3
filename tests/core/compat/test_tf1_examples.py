"""Small programs with the structure of TensorFlow 1.7's eager examples, and what they use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Program = Callable[[str], str]

START = "import os, polytape as pt\ntf.enable_eager_execution()\ntf.set_random_seed(0)\nimport numpy as np\n"


def test_linear_regression_with_a_dataset_a_network_and_summaries(program: Program, tmp_path: Path) -> None:
    program(
        START
        + f"""
class Linear(tfe.Network):
    def __init__(self):
        super().__init__()
        self.hidden = self.track_layer(tf.layers.Dense(1))
    def call(self, xs):
        return self.hidden(xs)

true_w = tf.constant([[3.0], [1.0]])
xs = tf.random_normal([64, 2])
data = tf.data.Dataset.from_tensor_slices((xs, tf.matmul(xs, true_w) + 2.0)).repeat(5).shuffle(64, seed=1).batch(16)
model, optimizer = Linear(), tf.train.GradientDescentOptimizer(0.1)
loss = lambda model, xs, ys: tf.reduce_mean(tf.square(model(xs) - ys))
writer = tf.contrib.summary.create_file_writer({str(tmp_path)!r})
step = tf.train.get_or_create_global_step()
gradients = tfe.implicit_value_and_gradients(loss)
first = last = None
with writer.as_default(), tf.contrib.summary.record_summaries_every_n_global_steps(5):
    for number, (x, y) in enumerate(tfe.Iterator(data)):
        last, pairs = gradients(model, x, y)
        first = last if first is None else first
        optimizer.apply_gradients(pairs, global_step=step)
        with tf.name_scope("fit"):
            tf.contrib.summary.scalar("loss", last)
            tf.contrib.summary.histogram("w", model.variables[0])
assert number == 19 and step.numpy() == 20 and last.numpy() < 0.05 * first.numpy()
with writer.as_default():
    tf.contrib.summary.scalar("outside", last)  # nothing is recorded without a choice of steps
    with tf.contrib.summary.always_record_summaries():
        metric = tfe.metrics.Mean("metric")
        metric(4.0)
        assert metric.result().numpy() == 4.0 and tf.contrib.summary.should_record_summaries()
        with tf.contrib.summary.never_record_summaries():
            tf.contrib.summary.scalar("never", last)
tf.contrib.summary.flush(writer)
writer.close()
from tensorboardX.proto.event_pb2 import Event
found = [(event.step, value.tag) for path in os.listdir({str(tmp_path)!r})
         for record in pt.data.Dataset.from_tfrecord(os.path.join({str(tmp_path)!r}, path))
         for event in [Event.FromString(bytes(record))] for value in event.summary.value]
assert sorted(set(found)) == [(5, "fit/loss"), (5, "fit/w"), (10, "fit/loss"), (10, "fit/w"), (15, "fit/loss"),
                              (15, "fit/w"), (20, "fit/loss"), (20, "fit/w"), (20, "metric")], found
with tf.summary.FileWriter({str(tmp_path / "classic")!r}) as classic:
    classic.add_summary(tf.summary.merge([tf.summary.scalar("a", 1.0), tf.summary.histogram("b", [1.0])]), step)
assert os.listdir(classic.get_logdir())
"""
    )


def test_images_classified_by_a_model_of_convolutions(program: Program) -> None:
    program(
        START
        + """
class Model(tf.keras.Model):
    def __init__(self):
        super().__init__(name="images")
        self.conv = tf.layers.Conv2D(4, 3, padding="same", activation=tf.nn.relu)
        self.pool = tf.layers.MaxPooling2D((2, 2), (2, 2), padding="same")
        self.dropout = tf.layers.Dropout(0.3)
        self.norm = tf.layers.BatchNormalization()
        self.head = tf.layers.Dense(3)
    def call(self, x, training=None):
        x = self.pool(self.conv(tf.reshape(x, [-1, 8, 8, 1])))
        x = tf.layers.flatten(self.norm(x, training=training))
        return self.head(self.dropout(x, training=training))

rng = np.random.RandomState(0)
labels = np.arange(48) % 3
images = (rng.rand(48, 64) + np.repeat(np.eye(3), [22, 21, 21], axis=1)[labels]).astype("float32")
data = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(48, seed=2).batch(16)
model, optimizer = Model(), tf.train.MomentumOptimizer(0.05, 0.9)
losses, accuracy = [], tfe.metrics.Accuracy()
for epoch in range(8):
    for x, y in tfe.Iterator(data):
        with tfe.GradientTape() as tape:
            loss = tf.losses.sparse_softmax_cross_entropy(labels=y, logits=model(x, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        losses.append(float(loss))
for x, y in tfe.Iterator(data):
    accuracy(tf.argmax(model(x, training=False), axis=1, output_type=tf.int64), y)
assert accuracy.result().numpy() > 0.9 and losses[-1] < 0.5 * losses[0], (accuracy.result(), losses)
assert (model(images[:2]).numpy() == model(images[:2], training=False).numpy()).all()
assert [v.name for v in model.variables][:2] == ["images/conv2d/kernel:0", "images/conv2d/bias:0"]
model.norm.trainable = False
assert len(model.trainable_variables) == 4 and len(model.variables) == 8
averages = model.norm.moving_mean.numpy().copy()
model(images, training=True)
assert (model.norm.moving_mean.numpy() == averages).all()
"""
    )


def test_a_language_model_of_lstm_cells_with_clipped_gradients(program: Program) -> None:
    program(
        START
        + """
class Language(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(6, 8)
        self.cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(16), tf.nn.rnn_cell.GRUCell(12)])
        self.head = tf.layers.Dense(6)
    def call(self, tokens):
        state = self.cell.zero_state(tokens.shape[1], tf.float32)
        outputs = []
        for step in tf.unstack(self.embedding(tokens)):
            output, state = self.cell(step, state)
            outputs.append(output)
        return self.head(tf.stack(outputs))

words = tf.constant((np.arange(12)[:, None] + np.arange(5)) % 6)  # each word follows from the one before
model, rate = Language(), tfe.Variable(0.02, trainable=False)
optimizer = tf.train.AdamOptimizer(rate)
def loss():
    return tf.losses.sparse_softmax_cross_entropy(labels=words[1:], logits=model(words[:-1]))
before = float(loss())
for _ in range(60):
    pairs = optimizer.compute_gradients(loss)
    grads, variables = zip(*pairs)
    clipped, norm = pt.optim.clip_by_global_norm(list(grads), 1.0)
    optimizer.apply_gradients(zip(clipped, variables))
assert float(loss()) < 0.2 * before and any(isinstance(g, tf.IndexedSlices) for g in grads)
assert len(model.variables) == 9, [v.name for v in model.variables]
"""
    )


def test_two_networks_that_compete(program: Program) -> None:
    program(
        START
        + """
def sequential(*layers):
    return tf.keras.Sequential(list(layers))
K = tf.keras.layers
generator = sequential(K.Dense(8, activation="relu", input_shape=(2,)), K.Dense(1))
discriminator = sequential(K.Dense(8, activation="relu", input_shape=(1,)), K.Dense(1))
assert len(generator.variables) == len(discriminator.variables) == 4
optimizers = [tf.train.AdamOptimizer(0.01, beta1=0.5) for _ in range(2)]
ones, zeros = tf.ones([32, 1]), tf.zeros([32, 1])
for _ in range(100):
    real, noise = tf.random_normal([32, 1], 4.0, 0.5), tf.random_uniform([32, 2], -1.0, 1.0)
    with tfe.GradientTape(persistent=True) as tape:
        fake = generator(noise)
        on_fake, on_real = discriminator(fake), discriminator(real)
        d_loss = (tf.losses.sigmoid_cross_entropy(ones, on_real, label_smoothing=0.25)
                  + tf.losses.sigmoid_cross_entropy(zeros, on_fake))
        g_loss = tf.losses.sigmoid_cross_entropy(ones, on_fake)
    for model, optimizer, loss in zip((generator, discriminator), optimizers, (g_loss, d_loss)):
        optimizer.apply_gradients(zip(tape.gradient(loss, model.variables), model.variables))
produced = generator(tf.random_uniform([256, 2], -1.0, 1.0)).numpy()
assert 1.0 < produced.mean() < 8.0, produced.mean()  # it began near 0; the data has mean 4
"""
    )


KERAS = """
K = tf.keras.layers
x = np.random.RandomState(0).randn(90, 4).astype("float32")
y = (x.sum(axis=1) > 0).astype("int64")
head = K.Dense(2, activation="softmax")
model = tf.keras.Sequential([K.Dense(8, activation="tanh", input_shape=(4,)), K.Dropout(0.1), head])
model.compile(tf.train.AdamOptimizer(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, batch_size=30, epochs=8, validation_split=0.2, verbose=0)
assert sorted(history.history) == ["acc", "loss", "val_acc", "val_loss"] and history.epoch == list(range(8))
loss, accuracy = model.evaluate(x, y, verbose=0)
assert accuracy > 0.85 and history.history["loss"][-1] < history.history["loss"][0]
predicted = model.predict(x, batch_size=40)
assert predicted.shape == (90, 2)
np.testing.assert_allclose(np.mean(predicted.argmax(axis=1) == y), accuracy, rtol=1e-6)
assert model.metrics_names == ["loss", "acc"] and len(model.train_on_batch(x[:5], y[:5])) == 2

first, second = K.Input((4,)), K.Input((2,))
hidden = K.Dense(3, activation="relu", name="shared")
joined = K.concatenate([hidden(first), second])
functional = tf.keras.Model([first, second], K.Dense(1)(joined))
assert [layer.name for layer in functional.layers if layer.name == "shared"] == ["shared"]
functional.compile(tf.train.GradientDescentOptimizer(0.05), "mse")
extra = x[:, :2] * 2.0
before = functional.evaluate([x, extra], x[:, :1])
functional.fit([x, extra], x[:, :1], epochs=4, verbose=0)
assert functional.evaluate([x, extra], x[:, :1]) < before
functional.summary()
for call, kind in ((lambda: model.compile("adam", "mse"), ValueError),
                   (lambda: model.fit(x, y, callbacks=[1]), ValueError),
                   (lambda: tf.keras.Model().fit(x, y), RuntimeError), (lambda: K.Dense(3)(tf.ones([3])), ValueError),
                   (lambda: K.Dense(3, unknown=1), TypeError), (lambda: tf.keras.Model(first, joined), ValueError),
                   (lambda: tf.keras.Model()(x), NotImplementedError), (lambda: hidden.input_shape, RuntimeError),
                   (lambda: functional(x), ValueError), (lambda: model.get_layer("absent"), ValueError)):
    try:
        call()
    except kind:
        continue
    raise AssertionError(kind)

class Own(K.Layer):
    def build(self, input_shape):
        assert isinstance(input_shape, tf.TensorShape)
        self.scale = self.add_weight("scale", [input_shape[-1].value], initializer="ones")
        super().build(input_shape)
    def call(self, inputs):
        return inputs * self.scale
own = Own(name="mine")
assert own(tf.ones([2, 3])).shape.as_list() == [2, 3] and own.weights[0].name == "mine/scale:0"
assert own.compute_output_shape((None, 3)).as_list() == [None, 3] and own.count_params() == 3
"""


def test_keras_models_are_compiled_and_fitted(program: Program, tmp_path: Path) -> None:
    printed = program(START + KERAS)
    assert "Total params: 21" in printed


def test_datasets_read_files_and_remember_their_position(program: Program, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x\ny\n\nz", encoding="utf-8")
    (tmp_path / "b.bin").write_bytes(b"HEaabbccF")
    program(
        START
        + f"""
D, folder = tf.data.Dataset, {str(tmp_path)!r}
text = tf.data.TextLineDataset(os.path.join(folder, "a.txt"))
assert [x.numpy() for x in tfe.Iterator(text)] == [b"x", b"y", b"", b"z"]
assert [x.numpy().tolist() for x in tfe.Iterator(text.skip(1).batch(2))] == [[b"y", b""], [b"z"]]
assert [x.numpy() for x in tfe.Iterator(text.map(lambda line: line + b"!").take(1))] == [b"x!"]
fixed = lambda size: tf.data.FixedLengthRecordDataset(os.path.join(folder, "b.bin"), size, 2, 1)
assert [x.numpy() for x in tfe.Iterator(fixed(2))] == [b"aa", b"bb", b"cc"]
with pt.data.TFRecordWriter(os.path.join(folder, "c")) as writer:
    writer.write(b"one"); writer.write(b"two")
assert [x.numpy() for x in tfe.Iterator(tf.data.TFRecordDataset([os.path.join(folder, "c")]))] == [b"one", b"two"]
assert [os.path.basename(x.numpy()) for x in tfe.Iterator(D.list_files(os.path.join(folder, "*.txt")))] == [b"a.txt"]

iterator = D.range(3).make_one_shot_iterator()
assert [int(iterator.get_next()) for _ in range(3)] == [0, 1, 2]
for call, kind in ((iterator.get_next, tf.errors.OutOfRangeError), (iterator.next, StopIteration),
                   (iterator.get_next, pt.errors.OutOfRangeError),
                   (lambda: D.from_tensor_slices(([1, 2], [1])), ValueError),
                   (lambda: D.range(2).batch(0), tf.errors.InvalidArgumentError),
                   (lambda: list(tfe.Iterator(fixed(4))), tf.errors.InvalidArgumentError),
                   (lambda: list(D.from_tensors([1, 2]).padded_batch(1, [1])), tf.errors.InvalidArgumentError),
                   (lambda: D.range(2).apply(lambda d: 3), TypeError),
                   (lambda: D.range(2).make_initializable_iterator(), RuntimeError)):
    try:
        call()
    except kind:
        continue
    raise AssertionError(kind)
assert list(iterator) == []

shuffled = D.range(20).shuffle(20, seed=3).repeat(2)
running = tfe.Iterator(shuffled)
seen = [int(next(running)) for _ in range(7)]
path = tfe.Checkpoint(running=running).save(os.path.join(folder, "position"))
rest = [int(x) for x in running]
again = tfe.Iterator(shuffled)
tfe.Checkpoint(running=again).restore(path)
assert [int(x) for x in again] == rest and sorted(seen + rest) == sorted(list(range(20)) * 2)
assert tfe.py_func(lambda a: a * 2.0, [1.5], tf.float32).numpy() == 3.0 and tfe.list_devices()
"""
    )
