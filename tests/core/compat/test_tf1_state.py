"""Checkpoints, state and errors of tf1's training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Program = Callable[[str], str]

START = "import os, polytape as pt\ntf.enable_eager_execution()\nimport numpy as np\n"


SAVERS = """
folder = FOLDER
v, w = tfe.Variable([1.0, 2.0], name="v"), tfe.Variable(3.0, name="w")
saver = tfe.Saver([v, w])
first = saver.save(os.path.join(folder, "plain"))
later = saver.save(os.path.join(folder, "numbered"), global_step=tfe.Variable(7, dtype=tf.int64))
assert tf.train.latest_checkpoint(folder) == later and later.endswith("numbered-7.safetensors")
assert tf.train.checkpoint_exists(os.path.join(folder, "numbered-7")) and not tf.train.checkpoint_exists(folder)
state = tf.train.get_checkpoint_state(folder)
assert state.model_checkpoint_path == later and state.all_model_checkpoint_paths == [first, later]
for path in (first, later, os.path.join(folder, "plain")):
    v.assign([0.0, 0.0]); w.assign(0.0)
    saver.restore(path)
    assert v.numpy().tolist() == [1.0, 2.0] and w.numpy() == 3.0
reader = tf.train.NewCheckpointReader(later)
assert reader.get_variable_to_shape_map() == {"v": [2], "w": []} and reader.get_tensor("w") == 3.0
assert tf.train.load_variable(folder, "v:0").tolist() == [1.0, 2.0]
assert pt.load(later)["v"].tolist() == [1.0, 2.0]

# A checkpoint that fits one variable only changes none.
v.assign([5.0, 5.0])
for var_list, kind in (([v, tfe.Variable(1.0, name="other")], tf.errors.NotFoundError),
                       ({"v": v, "w": tfe.Variable([1.0])}, tf.errors.InvalidArgumentError)):
    try:
        tfe.Saver(var_list).restore(first)
    except kind as error:
        assert isinstance(error, tf.errors.OpError) and isinstance(error, pt.errors.CheckpointError)
    else:
        raise AssertionError(kind)
    assert v.numpy().tolist() == [5.0, 5.0]
for bad in (lambda: saver.restore(os.path.join(folder, "absent")), lambda: reader.get_tensor("absent")):
    try:
        bad()
    except FileNotFoundError as error:
        assert isinstance(error, tf.errors.NotFoundError)
    else:
        raise AssertionError
keeping = tf.train.Saver({"v": v}, max_to_keep=2)
paths = [keeping.save(None, os.path.join(folder, "few", "c"), global_step=n) for n in range(4)]
assert keeping.last_checkpoints == paths[2:] and [os.path.exists(path) for path in paths] == [False, False, True, True]
"""


def test_savers_restore_by_name_completely_or_not_at_all(program: Program, tmp_path: Path) -> None:
    program(START + f"FOLDER = {str(tmp_path)!r}\n" + SAVERS)


ADAM = """
w = tfe.Variable([1.0, 2.0], name="w")
loss = lambda: tf.reduce_sum(w * w)
adam = tf.train.AdamOptimizer(0.1)
step = tf.train.get_or_create_global_step()
for _ in range(3):
    adam.minimize(loss, global_step=step)
saver = tfe.Saver([w, *adam.variables()])
path = saver.save(os.path.join(FOLDER, "adam"))
for _ in range(2):
    adam.minimize(loss, global_step=step)
wanted, powers = w.numpy().tolist(), [v.numpy().tolist() for v in adam.variables()]
saver.restore(path)
for _ in range(2):
    adam.minimize(loss, global_step=step)
assert w.numpy().tolist() == wanted and [v.numpy().tolist() for v in adam.variables()] == powers
assert int(step.numpy()) == 7 and tf.train.global_step(None, step) == 7

other_w = tfe.Variable([9.0, 9.0], name="w")
other = tf.train.AdamOptimizer(0.1)
checkpoint = tfe.Checkpoint(w=w, adam=adam)
file = checkpoint.save(os.path.join(FOLDER, "objects", "ckpt"))
assert checkpoint.save_counter.numpy() == 1
for _ in range(2):
    adam.minimize(loss)
restored = tfe.Checkpoint(w=other_w, adam=other)
status = restored.restore(file)
for _ in range(2):
    other.minimize(lambda: tf.reduce_sum(other_w * other_w))
status.assert_consumed().run_restore_ops()
assert other_w.numpy().tolist() == w.numpy().tolist() and restored.save_counter.numpy() == 1

# A traced step computes the same.
first, second = tfe.Variable([1.0, 2.0]), tfe.Variable([1.0, 2.0])
adams = [tf.train.AdamOptimizer(0.1), tf.train.AdamOptimizer(0.1)]
adams[0].minimize(lambda: tf.reduce_sum(first * first))
adams[1].minimize(lambda: tf.reduce_sum(second * second))
traced = tfe.defun(lambda: adams[1].minimize(lambda: tf.reduce_sum(second * second)))
for _ in range(3):
    adams[0].minimize(lambda: tf.reduce_sum(first * first))
    traced()
np.testing.assert_allclose(first.numpy(), second.numpy(), rtol=1e-6)
powers = [[v.numpy() for v in adam.variables() if "power" in v.name] for adam in adams]
np.testing.assert_allclose(*powers, rtol=1e-5)
"""


def test_a_saver_of_adam_s_variables_continues_as_if_uninterrupted(program: Program, tmp_path: Path) -> None:
    program(START + f"FOLDER = {str(tmp_path)!r}\n" + ADAM)


OBJECTS = """
class Model(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = tf.keras.layers.Dense(3)
        self.rnn = tf.keras.layers.LSTM(2)
        self.norm = tf.layers.BatchNormalization()
    def call(self, x):
        return self.rnn(self.norm(self.dense(x), training=True))

x = tf.ones([2, 4, 3])
model, mean = Model(), tfe.metrics.Mean()
model(x); mean([1.0, 3.0])
path = tfe.Checkpoint(model=model, mean=mean).save(os.path.join(FOLDER, "m"))
values = model.get_weights()
fresh, counted = Model(), tfe.metrics.Mean()
status = tfe.Checkpoint(model=fresh, mean=counted).restore(path)
fresh(tf.zeros([2, 4, 3]))
averages = {v.name for v in model.non_trainable_weights}
for a, b, v in zip(values, fresh.get_weights(), model.variables):
    assert v.name in averages or (a == b).all(), v.name
counted(5.0)
assert counted.result().numpy() == 3.0
status.assert_consumed()

model.save_weights(os.path.join(FOLDER, "weights.safetensors"))
model.set_weights([np.zeros_like(value) for value in values])
model.load_weights(os.path.join(FOLDER, "weights.safetensors"))
assert all((a == b).all() for a, b in zip(values, model.get_weights()))

class Root(tfe.Checkpointable):
    pass
root = Root(); root.a = tfe.Variable(1.0)
saved = tfe.CheckpointableSaver(root).save(os.path.join(FOLDER, "root"))
later = Root()
tfe.CheckpointableSaver(later).restore(saved)
later.a = tfe.Variable(8.0)
assert later.a.numpy() == 1.0

v = tfe.Variable([4.0], name="scope/v")
path = tfe.Saver([v]).save(os.path.join(FOLDER, "named"))
with tfe.restore_variables_on_create(path):
    with tf.variable_scope("scope"):
        assert tf.get_variable("v", [1]).numpy().tolist() == [4.0]
    try:
        tfe.Variable(1.0, name="absent")
    except tf.errors.NotFoundError:
        pass
    else:
        raise AssertionError
with tfe.restore_variables_on_create(path, lambda name: "scope/v"):
    assert tfe.Variable([0.0], name="other").numpy().tolist() == [4.0]
for status in (tfe.Checkpoint(v=v).restore(None), tfe.Checkpoint(v=v, more=tfe.Variable(1.0)).restore(None)):
    try:
        status.assert_consumed()
    except AssertionError as error:
        assert isinstance(error, pt.PolytapeError)
    else:
        raise SystemExit("restore(None) consumed something")
"""


def test_objects_are_restored_as_they_are_created(program: Program, tmp_path: Path) -> None:
    program(START + f"FOLDER = {str(tmp_path)!r}\n" + OBJECTS)


NETWORKS = """
class Inner(tfe.Network):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.one = self.track_layer(tf.layers.Dense(2, kernel_regularizer=tf.contrib.layers.l2_regularizer(1.0)))
    def call(self, x):
        return self.one(x)

class Outer(tfe.Network):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.first, self.second = self.track_layer(Inner()), self.track_layer(Inner("named"))
    def call(self, x):
        return self.second(self.first(x))

x = tf.ones([1, 3])
net = Outer()
assert net.layers == [net.first, net.second] and net.get_layer("named") is net.second
net(x)
assert [v.name for v in net.variables][::2] == ["outer/inner/dense/kernel:0", "outer/named/dense/kernel:0"]
np.testing.assert_allclose(
    [loss.numpy() for loss in net.losses], [np.sum(v.numpy() ** 2) / 2 for v in net.variables[::2]], rtol=1e-6)
path = tfe.save_network_checkpoint(net, FOLDER, global_step=4)
for before in (False, True):
    other = Outer("other%d" % before)
    if before:
        other(x)
    tfe.restore_network_checkpoint(other, path)
    assert (other(x).numpy() == net(x).numpy()).all()
for wrong, kind in ((lambda: net.track_layer(tf.layers.Dense(2, name="inner")), None),
                    (lambda: Inner("a/b"), ValueError), (lambda: net.track_layer(3), TypeError),
                    (lambda: tfe.save_network_checkpoint(Inner(), path), ValueError),
                    (lambda: Outer("outer")(x), ValueError),
                    (lambda: setattr(net, "trainable", False), AttributeError)):
    try:
        wrong()
    except Exception as error:
        assert kind is None or isinstance(error, kind), error
    else:
        raise AssertionError(kind)
"""


def test_networks_save_and_restore_by_stripped_names(program: Program, tmp_path: Path) -> None:
    program(START + f"FOLDER = {str(tmp_path)!r}\n" + NETWORKS)


def test_optimizers_reject_what_does_not_fit_and_change_nothing(program: Program) -> None:
    program(
        START
        + """
w = tfe.Variable([1.0, 2.0], constraint=lambda x: tf.minimum(x, 1.5))
frozen = tfe.Variable(1.0, trainable=False)
sgd = tf.train.GradientDescentOptimizer(0.1)
cases = [(lambda: sgd.apply_gradients([]), ValueError), (lambda: sgd.apply_gradients([(None, w)]), ValueError),
         (lambda: sgd.minimize(w), RuntimeError), (lambda: sgd.minimize(lambda: frozen * 2.0), ValueError),
         (lambda: sgd.apply_gradients([(tf.ones([3]), w)]), tf.errors.InvalidArgumentError),
         (lambda: tf.train.AdagradOptimizer(0.1, initial_accumulator_value=0.0), ValueError),
         (lambda: tf.train.FtrlOptimizer(0.1, l2_shrinkage_regularization_strength=1.0), ValueError),
         (lambda: tf.train.GradientDescentOptimizer(0.1, name=""), ValueError),
         (lambda: tf.train.exponential_decay(0.1, None, 1, 0.5), ValueError),
         (lambda: tf.train.piecewise_constant(1, [1], [0.1]), ValueError),
         (lambda: tf.train.piecewise_constant(tf.constant(1.0), [1], [0.1, 0.2]), ValueError)]
for call, kind in cases:
    try:
        call()
    except kind:
        assert w.numpy().tolist() == [1.0, 2.0]
    else:
        raise AssertionError(kind)
pairs = sgd.compute_gradients(lambda: w[0] * 3.0 + frozen)
assert len(pairs) == 1 and pairs[0][1] is w and pairs[0][0].numpy().tolist() == [3.0, 0.0]
sgd.apply_gradients(pairs)
assert w.numpy().tolist() == [np.float32(0.7), 1.5] and sgd.variables() == [] and sgd.get_slot(w, "m") is None
assert sgd.minimize(lambda: w[0]) is None
first, second = tfe.Variable(1.0), tfe.Variable(2.0)
order = [v for _, v in sgd.compute_gradients(lambda: second * first)]
assert order[0] is second and order[1] is first
"""
    )


def test_variables_and_collections(program: Program) -> None:
    program(
        START
        + """
v = tfe.Variable([1.0, 2.0], name="v")
assert str(v) == repr(v) == "<tf.Variable 'v:0' shape=(2,) dtype=float32, numpy=array([1., 2.], dtype=float32)>"
assert v.op.name == "v" and v.value().numpy().tolist() == [1.0, 2.0] and v.constraint is None
assert tf.assign_add(v, [1.0, 1.0]) is v and tf.assign(v, np.array([3.0, 4.0])).numpy().tolist() == [3.0, 4.0]
tf.scatter_update(v, [1], [9.0]); tf.scatter_add(v, [0, 0], [1.0, 1.0]); tf.scatter_sub(v, [1], [1.0])
assert v.numpy().tolist() == [5.0, 8.0]
store = tfe.EagerVariableStore()
with store.as_default():
    a = tf.get_variable("a", [2], regularizer=tf.nn.l2_loss)
    assert tf.get_variable("a", [2]) is a
    for call in (lambda: tf.get_variable("a", [3]), lambda: tf.get_variable("a", [2], tf.float64),
                 lambda: tf.get_variable("b"), lambda: tf.get_variable("b", [1], initializer=1.0)):
        try:
            call()
        except ValueError:
            continue
        raise AssertionError
assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 1 and len(tf.losses.get_losses()) == 0
assert tf.losses.get_total_loss().numpy() == tf.nn.l2_loss(a).numpy()
with tf.variable_scope("s", initializer=tf.constant_initializer(2.0)) as scope:
    assert tf.get_variable("x", [1]).numpy() == 2.0 and tf.get_variable_scope() is scope
    doubled = lambda getter, name, *args, **kwargs: getter(name, *args, **kwargs) * 2.0
    assert tf.get_variable("y", [1], custom_getter=doubled).numpy() == 4.0
template = tf.make_template("t", lambda: tf.get_variable("z", [1]))
assert template() is template() and template.variables[0].name == "t/z:0"
step = tf.train.get_or_create_global_step()
tf.reset_default_graph()
assert tf.train.get_global_step() is None and tf.train.create_global_step() is not step
for module, name, hint in ((tf, "SparseTensor", "dense ones"), (tf.train, "batch", "tf.data"),
                           (tfe, "seterr", "check_numerics"),
                           (tf.keras, "callbacks", "train_on_batch"), (tf.layers, "LSTM", "tf.keras.layers.LSTM")):
    try:
        getattr(module, name)
    except AttributeError as error:
        assert hint in str(error), error
    else:
        raise AssertionError(name)
"""
    )
