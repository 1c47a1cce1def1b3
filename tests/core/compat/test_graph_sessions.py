"""Sessions: which values variables have, what a run needs, and what it must not mix up."""

from __future__ import annotations

from collections.abc import Callable

Program = Callable[[str], str]


def test_two_sessions_have_values_and_optimizer_states_of_their_own(program: Program) -> None:
    program(
        """
        w = tf.Variable([1.0, 2.0])
        x = tf.placeholder(tf.float32, [2])
        train = tf.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(tf.square(w - x)))

        def losses(steps, between=lambda: None):
            with tf.Session() as sess:
                sess.run(tf.global_variables_initializer())
                found = []
                for _ in range(steps):
                    sess.run(train, {x: [3.0, 4.0]})
                    between()
                    found.append(sess.run(w))
                return np.array(found)

        alone = losses(6)
        other = tf.Session()
        other.run(tf.global_variables_initializer())
        mixed = losses(6, lambda: other.run(train, {x: [-1.0, 0.5]}))
        assert (alone == mixed).all(), (alone, mixed)
        assert other.run(w)[0] < 1.0
        """
    )


def test_a_variable_outside_of_runs_has_no_value_that_a_computation_could_take(program: Program) -> None:
    program(
        """
        import polytape as pt
        w = tf.Variable(2.0)
        with tf.Session() as sess:
            sess.run(w.initializer)
            for compute in (lambda: pt.square(w), lambda: float(w), lambda: w.numpy(), lambda: np.asarray(w)):
                try:
                    found = compute()
                except (pt.PolytapeError, TypeError, NotImplementedError):
                    continue
                raise AssertionError(found)
            assert sess.run(w * 2.0) == 4.0
        """
    )


def test_only_what_is_fetched_runs(program: Program) -> None:
    program(
        """
        calls = []
        def seen(x):
            calls.append(x.tolist())
            return x
        x = tf.placeholder(tf.float32, [2])
        used, unused = (tf.py_func(seen, [y], tf.float32) for y in (x * 2.0, x * 3.0))
        w = tf.Variable(1.0)
        change = w.assign_add(10.0)
        with tf.Session() as sess:
            sess.run(w.initializer)
            for _ in range(3):
                assert sess.run([used, w], {x: [1.0, 2.0]})[1] == 1.0
            assert calls == [[2.0, 4.0]] * 3
            assert sess.run(used + 1.0, {used: [5.0, 6.0]}).tolist() == [6.0, 7.0] and len(calls) == 3
            assert sess.run([change, w, w.value() + 0.0])[:2] == [11.0, 11.0]
        """
    )


def test_a_run_that_is_traced_gives_the_bits_of_one_that_is_not(program: Program) -> None:
    program(
        """
        x = tf.placeholder(tf.float32, [None, 3])
        h = tf.layers.dense(x, 4, activation=tf.nn.tanh)
        loss = tf.reduce_mean(tf.square(tf.layers.dense(h, 1) - tf.reduce_sum(x, 1, keepdims=True)))
        train = tf.train.MomentumOptimizer(0.05, 0.9).minimize(loss)
        start = [tf.assign(v, tf.fill(v.shape, 0.1)) for v in tf.trainable_variables()]
        data = np.linspace(-1.0, 1.0, 12, dtype=np.float32).reshape(4, 3)

        def trained(fetches):
            with tf.Session() as sess:
                sess.run(tf.global_variables_initializer())
                sess.run(start)
                for step in range(4):
                    sess.run(fetches[step], {x: data})
                return np.concatenate([v.ravel() for v in sess.run(tf.trainable_variables())])

        # Each list is another set of fetches, so that none of them is traced.
        untraced = trained([[train, *[loss] * step] for step in range(4)])
        traced = trained([[loss, train]] * 4)
        assert (untraced == traced).all(), (untraced, traced)
        """
    )


def test_feeds_of_other_shapes_and_python_structures_are_fine(program: Program) -> None:
    program(
        """
        import collections
        Pair = collections.namedtuple("Pair", "a b")
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        y = {"sum": tf.reduce_sum(x, 0), "rest": Pair(tf.no_op(), [x[0], "x:0"])}
        with tf.Session() as sess:
            for rows in (1, 3, 2, 1):
                found = sess.run(y, {"x:0": [[1.0, 2.0]] * rows})
                assert found["sum"].tolist() == [rows * 1.0, rows * 2.0]
                assert found["rest"].a is None and found["rest"].b[1].shape == (rows, 2)
                assert type(found["rest"]) is Pair
            fetched = sess.run(x * 1.0, {x: [[1.0, 2.0]]})
            fetched[0, 0] = 7.0  # the program's own array
            assert sess.run(x * 1.0, {x: [[1.0, 2.0]]})[0, 0] == 1.0
        """
    )


def test_a_graph_inside_an_eager_program_has_sessions_of_its_own(program: Program) -> None:
    printed = program(
        """
        tf.enable_eager_execution()
        w = tfe.Variable(3.0)
        with tf.Graph().as_default() as graph:
            assert not tf.executing_eagerly()
            v = tf.Variable(4.0)
            y = tf.square(v)
        with tf.Session(graph=graph) as sess:
            sess.run(v.initializer)
            print(sess.run(y), float(tf.square(w)) if tf.executing_eagerly() else "graph")
        print(float(tf.square(w)), tf.executing_eagerly())
        for call in (tf.Session, lambda: tf.placeholder(tf.float32)):
            try:
                call()
            except RuntimeError as error:
                print("RuntimeError")
        """
    )
    assert printed.splitlines() == ["16.0 graph", "9.0 True", "RuntimeError", "RuntimeError"]


def test_runs_in_several_threads_do_not_mix_their_values(program: Program) -> None:
    program(
        """
        import threading
        w = tf.Variable(0.0)
        step = tf.assign_add(w, 1.0)
        sessions = [tf.Session() for _ in range(4)]
        def work(sess):
            sess.run(w.initializer)
            for _ in range(50):
                sess.run(step)
        threads = [threading.Thread(target=work, args=(sess,)) for sess in sessions]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert [sess.run(w) for sess in sessions] == [50.0] * 4
        """
    )


def test_a_variable_can_be_fed_and_keeps_its_value(program: Program) -> None:
    program(
        """
        w, unset = tf.Variable(2.0), tf.Variable(1.0)
        y = w * 3.0
        with tf.Session() as sess:
            sess.run(w.initializer)
            for key in (w, w.value(), "Variable:0"):
                for _ in range(3):
                    assert sess.run(y, {key: 5.0}) == 15.0
                assert sess.run(y) == 6.0
            assert sess.run(unset + w, {unset: 7.0}) == 9.0
            assert sess.run([w.assign_add(1.0), w], {w: 10.0}) == [11.0, 11.0] and sess.run(w) == 11.0
            try:
                sess.run(unset)
            except tf.errors.FailedPreconditionError:
                pass
            else:
                raise AssertionError("the value of a feed was kept")
        """
    )


def test_a_function_in_the_graph_may_run_its_own_session(program: Program) -> None:
    program(
        """
        w = tf.Variable(1.0)
        step = w.assign_add(10.0)
        def again(x):
            return x + sess.run(step)
        x = tf.placeholder(tf.float32, [])
        y = tf.py_func(again, [x], tf.float32)
        sess, other = tf.Session(), tf.Session()
        sess.run(w.initializer), other.run(w.initializer)
        assert [sess.run(y, {x: 0.5}) for _ in range(3)] == [11.5, 21.5, 31.5] and sess.run(w) == 31.0
        assert other.run(y, {x: 0.5}) == 41.5 and other.run(w) == 1.0 and sess.run(w) == 41.0
        """
    )
