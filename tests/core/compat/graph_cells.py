"""The cells of a guide to eager execution that need graph mode: (title, code, pattern of what it prints).

They run in a process of their own, as in the guide, which starts a new one for them; see seed_cells.py.
"""

from __future__ import annotations

CELLS = [
    ("imports", "from __future__ import absolute_import, division, print_function\nimport tensorflow as tf", ""),
    (
        "graph mode",
        """
x = [[2.]]
m = tf.matmul(x, x)
print("hello, {}".format(m))
""",
        r'hello, Tensor\("MatMul:0", shape=\(1, 1\), dtype=float32\)\n',
    ),
    (
        "eager function in a session",
        """
import tensorflow as tf
import tensorflow.contrib.eager as tfe

def my_py_func(x):
  x = tf.matmul(x, x)  # an op
  print(x)  # which computes at once
  return x

with tf.Session() as sess:
  x = tf.placeholder(dtype=tf.float32)
  pf = tfe.py_func(my_py_func, [x], tf.float32)
  sess.run(pf, feed_dict={x: [[2.0]]})
""",
        r"tf\.Tensor\(\[\[4\.\]\], shape=\(1, 1\), dtype=float32\)\n",
    ),
    (
        "enabling eager execution too late",
        """
try:
  tf.enable_eager_execution()
except ValueError as error:
  print(error)
""",
        r"tf\.enable_eager_execution must be called at program startup\.\n",
    ),
]
