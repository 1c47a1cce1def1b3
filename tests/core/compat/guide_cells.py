"""The cells of a guide to eager execution, in order: (title, code, pattern of what it prints); see seed_cells.py."""

from __future__ import annotations


def tensor(value: str, shape: str = r"\(\)") -> str:
    """The pattern of a tensor's repr."""
    return rf"<tf\.Tensor: id=\d+, shape={shape}, dtype=float32, numpy={value}>"


CELLS = [
    ("imports", "from __future__ import absolute_import, division, print_function\nimport tensorflow as tf", ""),
    (
        "enable",
        """
tf.enable_eager_execution()

x = [[2.]]
m = tf.matmul(x, x)
print("hello, {}".format(m))
""",
        r"hello, \[\[4\.\]\]\n",
    ),
    (
        "values",
        """
a = tf.constant([[1, 2],
                 [3, 4]])
print(a)
b = tf.add(a, 1)  # a number is broadcast
print(b)
print(a * b)  # operators are ops

print("\\nNumPy")
import numpy as np
c = np.multiply(a, b)
print(c)
print(a.numpy())
""",
        r"tf\.Tensor\(\n\[\[1 2\]\n \[3 4\]\], shape=\(2, 2\), dtype=int32\)\n"
        r"tf\.Tensor\(\n\[\[2 3\]\n \[4 5\]\], shape=\(2, 2\), dtype=int32\)\n"
        r"tf\.Tensor\(\n\[\[ 2  6\]\n \[12 20\]\], shape=\(2, 2\), dtype=int32\)\n"
        r"\nNumPy\n\[\[ 2  6\]\n \[12 20\]\]\n\[\[1 2\]\n \[3 4\]\]\n",
    ),
    ("eager names", "import tensorflow.contrib.eager as tfe", ""),
    (
        "tape",
        """
w = tfe.Variable([[1.0]])
with tfe.GradientTape() as tape:
  loss = w * w

grad = tape.gradient(loss, [w])
print(grad)
""",
        r"\[" + tensor(r"array\(\[\[2\.\]\], dtype=float32\)", r"\(1, 1\)") + r"\]\n",
    ),
    (
        "fit by assignments",
        """
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

train_steps = 200
learning_rate = 0.01
W = tfe.Variable(5.)
B = tfe.Variable(10.)

print("Initial loss: {:.3f}".format(loss(W, B)))
for i in range(train_steps):
  dW, dB = grad(W, B)
  W.assign_sub(dW * learning_rate)
  B.assign_sub(dB * learning_rate)
  if i % 20 == 0:
    print("Loss at step {:03d}: {:.3f}".format(i, loss(W, B)))
print("Final loss: {:.3f}".format(loss(W, B)))
print("W = {}, B = {}".format(W.numpy(), B.numpy()))
""",
        r"Initial loss: [67]\d\.\d{3}\n"
        + "".join(rf"Loss at step {step:03d}: \d+\.\d{{3}}\n" for step in range(0, 200, 20))
        + r"Final loss: [01]\.\d{3}\nW = [23]\.\d+, B = [12]\.\d+\n",
    ),
    (
        "line search",
        """
def line_search_step(fn, init_x, rate=1.0):
  with tfe.GradientTape() as tape:
    tape.watch(init_x)  # a tensor is watched on request only
    value = fn(init_x)
  grad, = tape.gradient(value, [init_x])
  grad_norm = tf.reduce_sum(grad * grad)
  init_value = value
  while value > init_value - rate * grad_norm:
    x = init_x - rate * grad
    value = fn(x)
    rate /= 2.0
  return x, value

print(line_search_step(lambda x: tf.reduce_sum(x * x), tf.constant([3., 4.])))
""",
        r"\(" + tensor(r"array\(\[0\., 0\.\], dtype=float32\)", r"\(2,\)") + ", " + tensor("0.0") + r"\)\n",
    ),
    (
        "first derivative",
        """
def square(x):
  return tf.multiply(x, x)

grad = tfe.gradients_function(square)
print(square(3.))
print(grad(3.))
""",
        rf"tf\.Tensor\(9\.0, shape=\(\), dtype=float32\)\n\[{tensor('6.0')}\]\n",
    ),
    (
        "second derivative",
        "gradgrad = tfe.gradients_function(lambda x: grad(x)[0])\nprint(repr(gradgrad(3.)))",
        rf"\[{tensor('2.0')}\]\n",
    ),
    (
        "third derivative",
        "gradgradgrad = tfe.gradients_function(lambda x: gradgrad(x)[0])\nprint(gradgradgrad(3.))",
        r"\[None\]\n",
    ),
    (
        "control flow",
        """
def abs(x):
  return x if x > 0. else -x

grad = tfe.gradients_function(abs)
print(grad(3.))
print(grad(-3.))
""",
        rf"\[{tensor('1.0')}\]\n\[{tensor('-1.0')}\]\n",
    ),
    (
        "sequential model",
        """
model = tf.keras.Sequential([
  tf.keras.layers.Dense(10, input_shape=(784,)),
  tf.keras.layers.Dense(10)
])
""",
        "",
    ),
    (
        "model class",
        '''
class MNISTModel(tf.keras.Model):
  def __init__(self):
    super(MNISTModel, self).__init__()
    self.dense1 = tf.keras.layers.Dense(units=10)
    self.dense2 = tf.keras.layers.Dense(units=10)

  def call(self, input):
    """Apply the first layer, and the second one twice."""
    result = self.dense1(input)
    result = self.dense2(result)
    result = self.dense2(result)
    return result

model = MNISTModel()
''',
        "",
    ),
    (
        "call of a model",
        """
batch = tf.zeros([1, 1, 784])
print(batch.shape)
result = model(batch)
print(result)
""",
        r"\(1, 1, 784\)\ntf\.Tensor\(\[\[\[0\. 0\. 0\. 0\. 0\. 0\. 0\. 0\. 0\. 0\.\]\]\], shape=\(1, 1, 10\), "
        r"dtype=float32\)\n",
    ),
    (
        "fit by an optimizer",
        """
class Model(tf.keras.Model):
  def __init__(self):
    super(Model, self).__init__()
    self.W = tfe.Variable(5., name='weight')
    self.B = tfe.Variable(10., name='bias')
  def predict(self, inputs):
    return inputs * self.W + self.B

NUM_EXAMPLES = 2000
training_inputs = tf.random_normal([NUM_EXAMPLES])
print("inputs : {}".format(training_inputs))
noise = tf.random_normal([NUM_EXAMPLES])
print("noise : {}".format(noise))
training_outputs = training_inputs * 3 + 2 + noise

def loss(model, inputs, targets):
  error = model.predict(inputs) - targets
  return tf.reduce_mean(tf.square(error))

def grad(model, inputs, targets):
  with tfe.GradientTape() as tape:
    loss_value = loss(model, inputs, targets)
  return tape.gradient(loss_value, [model.W, model.B])

model = Model()
optimizer = tf.train.GradientDescentOptimizer(learning_rate=0.01)
print("Initial loss: {:.3f}".format(loss(model, training_inputs, training_outputs)))
for i in range(300):
  grads = grad(model, training_inputs, training_outputs)
  optimizer.apply_gradients(zip(grads, [model.W, model.B]),
                            global_step=tf.train.get_or_create_global_step())
  if i % 20 == 0:
    print("Loss at step {:03d}: {:.3f}".format(i, loss(model, training_inputs, training_outputs)))
print("Final loss: {:.3f}".format(loss(model, training_inputs, training_outputs)))
print("W = {}, B = {}".format(model.W.numpy(), model.B.numpy()))
""",
        r"inputs : \[[-+\de. ]+ \.\.\. [-+\de. \n]+\]\n"
        r"noise : \[[-+\de. ]+ \.\.\. [-+\de. \n]+\]\n"
        r"Initial loss: [67]\d\.\d{3}\n"
        + "".join(rf"Loss at step {step:03d}: \d+\.\d{{3}}\n" for step in range(0, 300, 20))
        + r"Final loss: [01]\.\d{3}\nW = [23]\.\d+, B = [12]\.\d+\n",
    ),
    (
        "lifetime of a variable",
        """
with tf.device("CPU:0"):
  v = tfe.Variable(tf.random_normal([1000, 1000]))
  v = None
""",
        "",
    ),
    (
        "checkpoint of a variable",
        """
x = tfe.Variable(10.)
checkpoint = tfe.Checkpoint(x=x)
x.assign(2.)
save_path = checkpoint.save('./ckpt/')
x.assign(11.)
checkpoint.restore(save_path)
print(x)
""",
        r"<tf\.Variable 'Variable:0' shape=\(\) dtype=float32, numpy=2\.0>\n",
    ),
    (
        "checkpoint of a model",
        """
import os
model = Model()
optimizer = tf.train.AdamOptimizer(learning_rate=0.001)
checkpoint_dir = './ckpt/'
checkpoint_prefix = os.path.join(checkpoint_dir, "ckpt")
root = tfe.Checkpoint(optimizer=optimizer,
                      model=model,
                      optimizer_step=tf.train.get_or_create_global_step())
root.save(file_prefix=checkpoint_prefix)
status = root.restore(tf.train.latest_checkpoint(checkpoint_dir))
print(status is not None)
""",
        r"True\n",
    ),
    (
        "metrics",
        """
m = tfe.metrics.Mean("loss")
m(0)
m(5)
print("m.result() : {}".format(m.result()))
m([8, 9])
print("m.result() : {}".format(m.result()))
""",
        r"m\.result\(\) : 2\.5\nm\.result\(\) : 5\.5\n",
    ),
    (
        "summaries",
        """
writer = tf.contrib.summary.create_file_writer('./logs')
global_step = tf.train.get_or_create_global_step()
writer.set_as_default()
for _ in range(200):
  global_step.assign_add(1)
  with tf.contrib.summary.record_summaries_every_n_global_steps(100):
    tf.contrib.summary.scalar('loss', 0.5)
tf.contrib.summary.flush()
print(any(name.startswith('events') for name in os.listdir('./logs')))
""",
        r"True\n",
    ),
    (
        "session in eager mode",
        """
def my_py_func(x):
  x = tf.matmul(x, x)
  print(x)
  return x

try:
  with tf.Session() as sess:
    x = tf.placeholder(dtype=tf.float32)
    pf = tfe.py_func(my_py_func, [x], tf.float32)
    sess.run(pf, feed_dict={x: [[2.0]]})
except RuntimeError as error:
  print("RuntimeError:", error)
""",
        r"RuntimeError: tf\.Session\(\) is not compatible with eager execution\.\n",
    ),
]
