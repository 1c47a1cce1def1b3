"""TensorFlow 1.7's graph mode: programs that describe a graph and run it in a `Session`.

`graphs` has the graph with its names and collections, `tensors` and `operations` its parts; `recording` turns a call
of a function of ``tf`` into an operation, whose shapes `shapes` infers; `variables` has what variables are in a graph;
`planning` says which operations a run needs, `running` runs them, `sessions` has the sessions; `gradients` is
`tf.gradients`. Decision 0014 says why.

What runs inside another operation is a region (`regions`): the branches of `branching`, the bodies of `loops` and
`mapping`, the functions of `datasets`, whose `iterators` have a position in each session. `arrays` has
`tf.TensorArray`, `python_functions` `tf.py_func`. `staging` says which part of a run is traced although such operations
need Python. `summaries`, `writing` and `saving` are what leaves a session.
"""
