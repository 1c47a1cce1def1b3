"""Control flow, Python functions, datasets and summaries in graphs, where TensorFlow 1.7's own output is no oracle."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Program = Callable[[str], str]


def test_what_is_inside_a_branch_or_a_loop_stays_there(program: Program) -> None:
    printed = program(
        """
        inner = []
        x = tf.placeholder(tf.float32, [])
        tf.cond(x > 0.0, lambda: (inner.append(x * 2.0), x)[1], lambda: x)
        tf.while_loop(lambda i: i < 3, lambda i: (inner.append(i + 5), i + 1)[1], [tf.constant(1)])
        session = tf.Session()
        for y in inner:
            for use in (lambda: y + y, lambda: session.run(y, {x: 1.0})):
                try:
                    use()
                except ValueError as error:
                    print(str(error).partition(":")[0])
        """
    )
    assert printed.splitlines() == [
        "Cannot use 'cond/mul' as input to 'add' because 'cond/mul' is in a while loop or in a branch of tf.cond",
        "Operation 'cond/mul' has been marked as not fetchable.",
        "Cannot use 'while/add' as input to 'add_1' because 'while/add' is in a while loop or in a branch of tf.cond",
        "Operation 'while/add' has been marked as not fetchable.",
    ]


def test_branches_may_give_tensors_of_different_shapes(program: Program) -> None:
    printed = program(
        """
        x = tf.placeholder(tf.float32, [])
        y = tf.cond(x > 0.0, lambda: tf.ones([2]), lambda: tf.zeros([3]))
        with tf.Session() as session:
            print(y.shape, [session.run(y, {x: v}).tolist() for v in (1.0, -1.0, 1.0, -1.0)])
        """
    )
    assert printed == "(?,) [[1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0], [0.0, 0.0, 0.0]]\n"


def test_branches_of_unknown_shapes_may_differ_in_a_run(program: Program) -> None:
    printed = program(
        """
        x, y = tf.placeholder(tf.float32, [None]), tf.placeholder(tf.float32, [None])
        first = tf.placeholder(tf.bool, [])
        z = tf.cond(first, lambda: x * 2.0, lambda: y + 1.0)
        with tf.Session() as session:
            for chosen in (True, False, True, False):
                print(session.run(z, {x: [1.0, 2.0], y: [3.0], first: chosen}))
        """
    )
    assert printed.splitlines() == ["[2. 4.]", "[4.]"] * 2


def test_an_eager_function_in_a_graph_has_a_gradient(program: Program) -> None:
    printed = program(
        """
        def huber(e, d):
            return e * e if abs(e) <= d else d * (2 * abs(e) - d)
        e = tf.placeholder(tf.float32, [])
        w = tf.Variable(2.0)
        h = tfe.py_func(huber, [e * w, tf.constant(2.0)], tf.float32)
        gradients = tf.gradients(h, [e, w])
        second = tf.gradients(gradients[0], e)
        with tf.Session() as session:
            session.run(w.initializer)
            for _ in range(2):
                print([float(x) for x in session.run(gradients + second, {e: 0.5})], session.run(gradients, {e: -3.0}))
        """
    )
    first, again = printed.splitlines()
    assert first == again and first.startswith("[4.0, 1.0, 8.0] [")


def test_a_case_without_a_true_condition_or_with_several_fails(program: Program) -> None:
    printed = program(
        """
        x = tf.placeholder(tf.float32, [])
        pairs = [(x > 0.0, lambda: tf.constant(1)), (x > 1.0, lambda: tf.constant(2))]
        chosen = tf.case(pairs)
        only = tf.case(pairs, default=lambda: tf.constant(3), exclusive=True)
        with tf.Session() as session:
            print(session.run(chosen, {x: 0.5}), session.run(only, {x: 0.5}), session.run(only, {x: -1.0}))
            for fetch, value in ((chosen, -1.0), (only, 2.0)):
                try:
                    session.run(fetch, {x: value})
                except tf.errors.InvalidArgumentError as error:
                    print(str(error).splitlines()[0])
        """
    )
    assert printed.splitlines() == [
        "1 1 3",
        "case: None of the conditions evaluated as True, and there is no default.",
        "case: more than one condition evaluated as True but exclusive=True.",
    ]


def test_gradients_flow_through_arrays_and_loops(program: Program) -> None:
    printed = program(
        """
        x = tf.placeholder(tf.float32, [None])
        n = tf.shape(x)[0]
        array = tf.TensorArray(tf.float32, size=n).unstack(x)
        out = tf.TensorArray(tf.float32, size=n)
        def body(i, a, total):
            total = total * 0.5 + array.read(i)
            return i + 1, a.write(i, total), total
        _, out, total = tf.while_loop(lambda i, *_: i < n, body, [0, out, 0.0])
        y = out.stack()
        g, = tf.gradients(y, x)
        gg, = tf.gradients(tf.reduce_sum(g * x) * total, x)
        with tf.Session() as session:
            for length in (3, 2, 3):
                print([v.round(4).tolist() for v in session.run([y, g, gg], {x: np.arange(1.0, length + 1)})])
        """
    )
    # y = [1, 2.5, 4.25]; dy = [1.75, 1.5, 1]; d(sum(g x) y[-1]) = g y[-1] + sum(g x) [0.25, 0.5, 1].
    three, two, again = printed.splitlines()
    assert three == again == "[[1.0, 2.5, 4.25], [1.75, 1.5, 1.0], [9.375, 10.25, 12.0]]"
    assert two == "[[1.0, 2.5], [1.5, 1.0], [5.5, 6.0]]"


def test_a_training_step_on_a_dataset_with_summaries_is_traced_between_them(program: Program) -> None:
    printed = program(
        """
        from polytape.compat.tf1.graph import planning
        data = tf.data.Dataset.from_tensor_slices(np.arange(12.0, dtype=np.float32)).repeat().batch(3)
        x = data.make_one_shot_iterator().get_next()
        w = tf.Variable(0.0)
        loss = tf.reduce_mean(tf.square(w * x - 2.0 * x))
        train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
        tf.summary.scalar("loss", loss)
        merged = tf.summary.merge_all()
        with tf.Session() as session:
            session.run(w.initializer)
            for _ in range(4):
                found = session.run([train, loss, merged])
            print(type(found[2]).__name__, found[1] > 0, session.run(w) > 0.5)
            plan, = [plan for plan in session.graph.states["plans"].values() if merged in plan.fetches]
            before, middle, after = plan.stages
            print([op.type for op in before.operations], [op.type for op in after.operations])
            print(middle.function is not None, any(op.eager for op in middle.operations), plan.runs)
        """
    )
    assert printed.splitlines() == [
        "bytes True True",
        "['IteratorGetNext'] ['ScalarSummary', 'MergeSummary']",
        "True False 4",
    ]


def test_a_gradient_through_a_python_function_is_not_divided(program: Program) -> None:
    printed = program(
        """
        w = tf.Variable(3.0)
        y = tfe.py_func(lambda v: v * v, [w * 2.0], tf.float32)
        train = tf.train.GradientDescentOptimizer(0.01).minimize(y * w)
        with tf.Session() as session:
            session.run(w.initializer)
            for _ in range(3):
                session.run(train)
                print(round(float(session.run(w)), 4))
        """
    )
    values, w = [], 3.0
    for _ in range(3):
        w -= 0.01 * 12.0 * w * w
        values.append(w)
    assert [float(line) for line in printed.splitlines()] == pytest.approx(values, abs=1e-3)


def test_each_session_has_its_own_position_in_a_dataset(program: Program) -> None:
    printed = program(
        """
        x = tf.data.Dataset.range(4).make_one_shot_iterator().get_next()
        one, two = tf.Session(), tf.Session()
        print([int(one.run(x)) for _ in range(3)], two.run(x), one.run(x), *two.run([x, x]))
        """
    )
    assert printed == "[0, 1, 2] 0 3 1 1\n"


def test_functions_of_a_dataset_use_tensors_around_them(program: Program) -> None:
    printed = program(
        """
        scale = tf.placeholder(tf.int64, [])
        size = tf.placeholder(tf.int64, [])
        numbers = tf.data.Dataset.range(6)
        data = numbers.map(lambda v: v * scale).filter(lambda v: v >= scale)
        data = data.flat_map(lambda v: tf.data.Dataset.range(v, v + 2)).batch(size)
        pairs = tf.data.Dataset.zip((data, {"a": numbers}))
        iterator = pairs.make_initializable_iterator()
        print(iterator.output_types, iterator.output_shapes)
        following = iterator.get_next()
        with tf.Session() as session:
            for s in (2, 3):
                session.run(iterator.initializer, {scale: s, size: 4})
                print(session.run(following))
        """
    )
    assert printed.splitlines() == [
        "(tf.int64, {'a': tf.int64}) (TensorShape([Dimension(None)]), {'a': TensorShape([])})",
        "(array([2, 3, 4, 5]), {'a': np.int64(0)})",
        "(array([3, 4, 6, 7]), {'a': np.int64(0)})",
    ]


def test_text_files_are_read_in_a_session(program: Program) -> None:
    printed = program(
        """
        import os, tempfile
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "lines.txt")
            with open(path, "w") as file:
                file.write("one\\ntwo\\n")
            line = tf.data.TextLineDataset([path]).make_one_shot_iterator().get_next()
            print(line)
            with tf.Session() as session:
                print(session.run(line), session.run(line))
        """
    )
    assert printed == "Tensor(\"IteratorGetNext:0\", shape=(), dtype=string)\nb'one' b'two'\n"


def test_a_graph_is_drawn_and_written(program: Program) -> None:
    printed = program(
        """
        import os, tempfile
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        with tf.name_scope("layer"):
            y = tf.matmul(x, tf.ones([2, 3]), name="y")
        graph = tf.get_default_graph()
        nodes = {node.name: node for node in graph.as_graph_def().node}
        shape = nodes["x"].attr["_output_shapes"].list.shape[0]
        print(nodes["layer/y"].op, list(nodes["layer/y"].input), [axis.size for axis in shape.dim])
        with tempfile.TemporaryDirectory() as folder:
            path = tf.train.write_graph(graph, folder, "graph.pbtxt")
            print('op: "MatMul"' in open(path).read())
            tf.summary.FileWriter(folder, graph).close()
            print(sorted(os.path.splitext(name)[0].split(".")[0] for name in os.listdir(folder)))
        """
    )
    assert printed.splitlines() == ["MatMul ['x', 'layer/ones'] [-1, 2]", "True", "['events', 'graph']"]


def test_a_printed_tensor_is_printed_in_each_run(program: Program) -> None:
    printed = program(
        """
        import contextlib, io
        x = tf.placeholder(tf.float32, [2])
        y = tf.Print(x, [x], "x is ", first_n=2) * 2.0
        error = io.StringIO()
        with tf.Session() as session, contextlib.redirect_stderr(error):
            for _ in range(3):
                found = session.run(y, {x: [1.0, 2.0]})
        print(found, error.getvalue().splitlines())
        """
    )
    assert printed == "[2. 4.] ['x is [1.0 2.0]', 'x is [1.0 2.0]']\n"


def test_moving_averages_need_a_graph(program: Program) -> None:
    printed = program(
        """
        tf.enable_eager_execution()
        try:
            tf.train.ExponentialMovingAverage(0.9).apply([tfe.Variable(1.0)])
        except ValueError as error:
            print(error)
        """
    )
    assert "AveragedWeights(variables, decay)" in printed


def test_no_gradient_goes_through_a_loop_without_back_prop(program: Program) -> None:
    # TensorFlow 1.7.0 prints the same.
    printed = program(
        """
        v = tf.constant(2.0)
        loop = tf.while_loop(lambda x: x < 100.0, tf.square, [v], back_prop=False)
        pair = tf.stack([v, v])
        others = [
            tf.reduce_sum(tf.map_fn(lambda x: x * x, pair, back_prop=False)),
            tf.foldl(lambda a, x: a * x, pair, back_prop=False),
            tf.reduce_sum(tf.scan(lambda a, x: a * x, pair, back_prop=False)),
        ]
        print(tf.gradients(loop, v), tf.gradients(others, v))
        print([float(g) for g in tf.Session().run([tf.gradients(x + v, v)[0] for x in [loop, *others]])])
        """
    )
    assert printed == "[None] [None]\n[1.0, 1.0, 1.0, 1.0]\n"


def test_gradients_inside_a_loop_follow_what_is_inside(program: Program) -> None:
    printed = program(
        """
        p = tf.constant(5.0)
        outer = tf.square(p)

        def summed(inside):
            def body(i, x):
                y = tf.constant([1.0, 2.0, 3.0]) * (tf.square(p) if inside else outer)
                return i + 1, x + tf.gradients(y, p)[0]
            return tf.while_loop(lambda i, x: i < 10, body, [tf.constant(0), tf.constant(0.0)])[1]

        print(tf.Session().run(summed(True)))  # TensorFlow 1.7.0 prints it for both
        branch = lambda: tf.gradients(outer * 3.0, p)[0]
        for build in (lambda: summed(False), lambda: tf.cond(p > 0, branch, lambda: p)):
            try:
                build()
            except NotImplementedError as error:
                print(str(error).partition(",")[0])
        """
    )
    expected = "tf.gradients in a branch or a loop cannot follow Square:0"
    assert printed.splitlines() == ["600.0", expected, expected]


def test_operations_with_the_same_seed_draw_the_same_numbers(program: Program) -> None:
    # The numbers are not TensorFlow's; which are equal is.
    printed = program(
        """
        a, b, c = [tf.random_normal([2], seed=seed) for seed in (42, 42, 43)]
        runs = []
        for graph_seed in (None, 5):
            if graph_seed is not None:
                tf.set_random_seed(graph_seed)
            for _ in range(2):
                session = tf.Session()
                runs.append([session.run([a, b, c]), session.run([a, b, c])])
        for first, second in runs:
            print(*[(first[0] == x).all() for x in (first[1], first[2], second[0])], (second[0] == second[1]).all())
        print((runs[0][1][0] == runs[1][1][0]).all(), (runs[2][1][0] == runs[3][1][0]).all())
        """
    )
    assert printed.splitlines() == ["True False False True"] * 4 + ["True True"]


def test_a_prediction_beside_nan_or_infinity_is_not_among_the_largest(program: Program) -> None:
    # TensorFlow 1.7.0 prints the same.
    printed = program(
        """
        nan, inf = float("nan"), float("inf")
        rows = [[0.1, nan, 0.2, 0.4], [0.1, 0.2, 0.3, inf], [0.1, 0.2, 0.3, 0.4], [nan, 1.0, 2.0, 3.0]]
        print(tf.Session().run(tf.nn.in_top_k(tf.constant(rows), tf.constant([0, 2, 3, 0]), 2)))
        """
    )
    assert printed == "[False False  True False]\n"
