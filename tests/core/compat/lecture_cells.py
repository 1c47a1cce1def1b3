"""The cells of a lecture on eager execution, in order: (title, code, pattern of what it prints); see seed_cells.py."""

from __future__ import annotations

NUMBER = r"-?\d+\.\d+"


def tensor(value: str, shape: str = r"\(\)") -> str:
    """The pattern of a tensor's repr."""
    return rf"<tf\.Tensor: id=\d+, shape={shape}, dtype=float32, numpy={value}>"


CELLS = [
    (
        "enable",
        "import tensorflow as tf\nimport tensorflow.contrib.eager as tfe\ntfe.enable_eager_execution()",
        "",
    ),
    (
        "no session",
        "x = [[2.]]\nm = tf.matmul(x, x)\nprint(m)",
        r"tf\.Tensor\(\[\[4\.\]\], shape=\(1, 1\), dtype=float32\)\n",
    ),
    (
        "derivative",
        """
def square(x):
  return x ** 2

grad = tfe.gradients_function(square)
print(square(3.))
print(grad(3.))
""",
        rf"9\.0\n\[{tensor('6.0')}\]\n",
    ),
    (
        "imports",
        "import time\nimport numpy as np\nimport tensorflow as tf\nimport tensorflow.contrib.eager as tfe",
        "",
    ),
    (
        "data",
        """
tfe.enable_eager_execution()  # again, as the lecture does
rate = np.linspace(1.0, 7.0, 40).astype(np.float32)
data = np.stack([rate, 90.0 - 6.0 * rate + np.cos(9.0 * rate)], axis=1).astype(np.float32)
n_samples = len(data)
dataset = tf.data.Dataset.from_tensor_slices((data[:,0], data[:,1]))
""",
        "",
    ),
    ("parameters", "w = tfe.Variable(0.0)\nb = tfe.Variable(0.0)", ""),
    (
        "losses",
        '''
def prediction(x):
  return x * w + b

def squared_loss(y, y_predicted):
  return (y - y_predicted) ** 2

def huber_loss(y, y_predicted, m=1.0):
  """Quadratic near 0, linear elsewhere."""
  t = y - y_predicted
  return t ** 2 if tf.abs(t) <= m else m * (2 * tf.abs(t) - m)
''',
        "",
    ),
    (
        "training",
        """
def train(loss_fn):
  print('Training; loss function: ' + loss_fn.__name__)
  optimizer = tf.train.GradientDescentOptimizer(learning_rate=0.01)

  def loss_for_example(x, y):
    return loss_fn(y, prediction(x))

  grad_fn = tfe.implicit_value_and_gradients(loss_for_example)

  start = time.time()
  for epoch in range(20):
    total_loss = 0.0
    for x_i, y_i in tfe.Iterator(dataset):
      loss, gradients = grad_fn(x_i, y_i)
      optimizer.apply_gradients(gradients)
      total_loss += loss
    if epoch % 10 == 0:
      print('Epoch {0}: {1}'.format(epoch, total_loss / n_samples))
  print('Took: %f seconds' % (time.time() - start))
""",
        "",
    ),
    (
        "results",
        "train(huber_loss)\nprint(np.isfinite(data[:,0] * w.numpy() + b.numpy()).all())",
        rf"Training; loss function: huber_loss\nEpoch 0: {NUMBER}\nEpoch 10: {NUMBER}\nTook: \d+\.\d+ seconds\nTrue\n",
    ),
]
