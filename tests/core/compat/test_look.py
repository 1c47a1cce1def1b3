"""What `enable_eager_execution` changes about tensors: for programs, not for polytape itself."""

from __future__ import annotations

from collections.abc import Callable

Program = Callable[[str], str]


def test_tensors_are_native_before_and_for_polytape_s_own_code_also_after(program: Program) -> None:
    program(
        """
        import polytape as pt
        x = pt.asarray([[1, 2]])
        assert type(x.shape) is tuple and x.dtype is pt.int32 and (x == x).tolist() == [[True, True]]
        assert (x + pt.asarray(0.5)).dtype == pt.float32 and x.device.kind == "cpu" and type(x.numpy()) is np.ndarray
        tf.enable_eager_execution()
        assert type(x.shape) is tf.TensorShape and x.dtype is tf.int32 and (x == x) is True and x != pt.asarray(1)
        assert isinstance(x.shape, tuple) and x.shape == (1, 2) and hash(x.shape) == hash((1, 2)) and x.shape[1] == 2
        assert x.device == "/job:localhost/replica:0/task:0/device:CPU:0" and x.device.kind == "cpu"
        assert type(pt.asarray(2.0).numpy()) is np.float32 and {pt.asarray(2).numpy(): 1} == {2: 1}

        # Compositions, kernels, traces and checkpoints see native tensors: mixed dtypes promote inside of them.
        native = {"__name__": "polytape_third_party"}
        exec("def read(x): return x.shape, x.dtype, x == x, x + 0.5", native)
        shape, dtype, equal, total = native["read"](x)
        assert type(shape) is tuple and dtype is pt.int32 and total.dtype == tf.float32
        assert equal.tolist() == [[True, True]]
        assert pt.nn.layer_norm(pt.asarray([[1.0, 2.0]])).shape.as_list() == [1, 2]
        assert pt.function(lambda y: pt.zeros(y.shape, dtype=y.dtype) + y)(x).numpy().tolist() == [[1, 2]]
        assert pt.zeros(x.shape, dtype=x.dtype).dtype == tf.int32
        assert np.zeros(x.shape, x.dtype.as_numpy_dtype).shape == (1, 2)
        assert np.dtype(x.dtype) == np.int32 and [0] * x.shape[1] == [0, 0] and list(range(x.shape[1])) == [0, 1]
        """
    )


def test_errors_are_those_of_both(program: Program) -> None:
    program(
        """
        import pickle, polytape as pt
        tf.enable_eager_execution()
        from polytape.compat.op_errors import InvalidArgumentError, OpError
        one, half = tf.constant([1, 2]), tf.constant([0.5])
        for call in (
            lambda: one + half, lambda: half * one, lambda: one < half, lambda: half / one, lambda: half @ one,
            lambda: one[5], lambda: tf.matmul(half, half), lambda: tf.reshape(one, [3]), lambda: tf.add(one, half),
            lambda: tf.constant([1, 2]) + tf.constant([1, 2, 3]), lambda: tf.constant(2) ** -1,
        ):
            try:
                call()
            except InvalidArgumentError as error:
                assert isinstance(error, (OpError, pt.PolytapeError)) and isinstance(error, (ValueError, TypeError))
                assert error.message == str(error) and error.code == 3 and error.fix
            else:
                raise AssertionError(call)
        for call in (lambda: int(half + half[0] * [1.0, 2.0]), lambda: float(one)):
            try:
                call()
            except TypeError as error:
                assert isinstance(error, InvalidArgumentError)
        for name, kind in (("graph", AttributeError), ("op", AttributeError)):
            try:
                getattr(one, name)
            except kind as error:
                assert "not supported for Eager Tensors" in str(error)
        """
    )


def test_variables_look_like_tensors(program: Program) -> None:
    printed = program(
        """
        tf.enable_eager_execution()
        v = tfe.Variable([[1.0, 2.0]], name="w")
        assert v.shape.as_list() == [1, 2] and v.dtype.base_dtype is tf.float32 and v in [v] and (v == v) is True
        assert (v * 2 + 1).numpy().tolist() == [[3.0, 5.0]] and (2 / v).shape == (1, 2)
        print(v, "{:.1f}".format(tfe.Variable(3.0)))
        """
    )
    assert printed == "<tf.Variable 'w:0' shape=(1, 2) dtype=float32, numpy=array([[1., 2.]], dtype=float32)> 3.0\n"
