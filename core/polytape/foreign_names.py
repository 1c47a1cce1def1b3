"""Names that other libraries have for what polytape has under another name; the errors for them give ours.

The modules and optimizers of polytape look here when a name is not found. Tensor gets an attribute for each of
`TENSOR_NAMES`, which raises the error: `__getattr__` would slow down every access to an attribute.
"""

from __future__ import annotations

import functools
from typing import Any, Final, TypeVar

from .errors import DTypeError, UnknownNameError

__all__ = ["MODULE_NAMES", "TENSOR_NAMES", "add_to_tensor", "checks_keywords", "numpy_counterpart", "unknown"]

F = TypeVar("F", bound=Any)

_TAPE: Final = "gradients come from a tape: with polytape.GradientTape() as tape: ...; tape.gradient(y, x)"
_EAGER: Final = "ops run at once, so there is nothing to feed or to run; polytape.compat.tf1 has TensorFlow 1.7's names"
_LAYER: Final = "there are no layers yet: keep polytape.Variable objects in a polytape.Trackable, and call x @ w + b"
_LIKE: Final = "polytape.{}(x.shape, dtype=x.dtype, device=x.device)"
_CLIP: Final = "polytape.minimum(polytape.maximum(x, low), high)"
_CROSS_ENTROPY: Final = "polytape.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)"


def _table(lines: str) -> dict[str, str]:
    """Lines of the form ``name, name: what to write`` as a dict."""
    table: dict[str, str] = {}
    for line in lines.strip().splitlines():
        names, fix = line.strip().split(": ", 1)
        table.update(dict.fromkeys(names.split(", "), fix))
    return table


# By namespace ("" is polytape itself), the names and what to write instead.
MODULE_NAMES: Final[dict[str, dict[str, str]]] = {
    "": _table(f"""
        tensor, array, as_tensor, from_numpy, constant, convert_to_tensor: polytape.asarray(data)
        Parameter, get_variable, variable: polytape.Variable(value)
        cat, concatenate: polytape.concat(tensors, axis=0)
        stack: polytape.asarray(tensors) stacks a list of tensors
        absolute: polytape.abs(x)
        pow: polytape.power(x1, x2)
        mul: polytape.multiply(x1, x2)
        sub: polytape.subtract(x1, x2)
        div, true_divide, truediv: polytape.divide(x1, x2)
        neg: polytape.negative(x)
        amax, reduce_max: polytape.max(x, axis=...)
        reduce_sum: polytape.sum(x, axis=...)
        reduce_mean: polytape.mean(x, axis=...)
        dot, inner: polytape.vdot(x1, x2), or polytape.matmul(x1, x2)
        mm, bmm, mv: polytape.matmul(x1, x2)
        transpose, swapaxes, moveaxis, permute: polytape.permute_dims(x, axes), or x.T for a matrix
        view, flatten, ravel, squeeze, unsqueeze, expand_dims: polytape.reshape(x, shape)
        expand: polytape.broadcast_to(x, shape)
        clip, clamp, clip_by_value: {_CLIP}
        cast: polytape.astype(x, dtype)
        detach, stop_grad: polytape.stop_gradient(x)
        relu, sigmoid, softmax, log_softmax: polytape.nn has the neural ops, such as polytape.nn.relu
        rand: polytape.random.uniform(shape)
        randn, random_normal: polytape.random.normal(shape)
        randint: polytape.random.integers(low, high, shape)
        random_uniform: polytape.random.uniform(shape)
        manual_seed, set_random_seed: polytape.random.seed(value)
        zeros_like: {_LIKE.format("zeros")}
        ones_like: {_LIKE.format("ones")}
        full_like: polytape.full(x.shape, value, dtype=x.dtype, device=x.device)
        empty: polytape.zeros(shape)
        float: polytape.float32
        double: polytape.float64
        half: polytape.float16
        int: polytape.int32
        long: polytape.int64
        short: polytape.int16
        complex, cfloat: polytape.complex64
        cdouble: polytape.complex128
        no_grad, inference_mode: ops are recorded in a tape's block only; tape.stop_recording() pauses the tape there
        enable_grad, set_grad_enabled, autograd: {_TAPE}
        grad: polytape.gradients_function(f), or tape.gradient(y, x)
        value_and_grad: polytape.value_and_gradients_function(f)
        vjp: tape.gradient(y, x, output_gradients=v)
        jit, compile: polytape.function(f)
        vmap, pmap: give the function's arguments one more axis, since ops work on arrays of any rank
        placeholder, Session, InteractiveSession, global_variables_initializer: {_EAGER}
        Module: polytape.Trackable
        save, load: polytape.Checkpoint(model=model).save(folder), and .restore(path)
        cuda: polytape.backends() lists the devices; with polytape.device("gpu"): selects one
        """),
    "nn": _table(f"""
        Module: polytape.Trackable
        Parameter: polytape.Variable(value)
        Linear, Dense, Conv1d, Conv2d, Embedding, LSTM, BatchNorm1d, BatchNorm2d, LayerNorm, Sequential: {_LAYER}
        functional: polytape.nn itself has the functions
        init: polytape.random has the distributions
        ReLU: polytape.nn.relu(x)
        Sigmoid: polytape.nn.sigmoid(x)
        Softmax: polytape.nn.softmax(x)
        LogSoftmax: polytape.nn.log_softmax(x)
        Tanh, tanh: polytape.tanh(x)
        CrossEntropyLoss, cross_entropy, NLLLoss, nll_loss: {_CROSS_ENTROPY}
        MSELoss, mse_loss: polytape.mean(polytape.square(prediction - target))
        L1Loss, l1_loss: polytape.mean(polytape.abs(prediction - target))
        """),
    "optim": _table("""
        GradientDescentOptimizer, sgd: polytape.optim.SGD(learning_rate)
        AdamOptimizer, adam: polytape.optim.Adam(learning_rate)
        AdamW, RMSprop, Adagrad, Adadelta, Adamax, NAdam, LBFGS: polytape.optim.Adam or polytape.optim.SGD
        lr_scheduler: learning_rate may be a function, and optimizer.learning_rate may be assigned
        """),
}

# Attributes of a tensor `x`.
TENSOR_NAMES: Final[dict[str, str]] = _table(f"""
    backward, grad, grad_fn, retain_grad: {_TAPE}
    requires_grad, requires_grad_: tape.watch(x), or polytape.Variable(x), which tapes watch by themselves
    detach, detach_, data: polytape.stop_gradient(x)
    cpu: x.to_device("cpu"), or x.numpy() for a NumPy array
    cuda: x.to_device("gpu")
    to: x.to_device(device), or polytape.astype(x, dtype)
    is_cuda: x.device.kind
    clone, copy: polytape.identity(x), since a tensor's array is never written
    at: x[k] = v points this tensor at an updated copy
    assign, assign_add, assign_sub: polytape.Variable(x) can be assigned to
    float: polytape.astype(x, "float32"), or float(x) for a Python number
    double: polytape.astype(x, "float64")
    half: polytape.astype(x, "float16")
    int: polytape.astype(x, "int32"), or int(x) for a Python number
    long: polytape.astype(x, "int64")
    bool: polytape.astype(x, "bool"), or bool(x) for a Python bool
    astype, cast, type_as: polytape.astype(x, dtype)
    view, view_as, reshape, flatten, ravel, squeeze, unsqueeze: polytape.reshape(x, shape)
    permute, transpose, swapaxes: polytape.permute_dims(x, axes), or x.T for a matrix
    t: x.T
    expand, expand_as: polytape.broadcast_to(x, shape)
    sum: polytape.sum(x, axis=...)
    mean: polytape.mean(x, axis=...)
    max: polytape.max(x, axis=...)
    argmax: polytape.argmax(x, axis=...)
    exp: polytape.exp(x)
    log: polytape.log(x)
    sqrt: polytape.sqrt(x)
    abs: polytape.abs(x)
    square: polytape.square(x)
    tanh: polytape.tanh(x)
    pow: x ** y
    add, add_, sub, sub_, mul, mul_, div, div_: x = x + y, and so on, since a tensor's array is never written
    matmul, mm, dot: x @ y
    relu: polytape.nn.relu(x)
    sigmoid: polytape.nn.sigmoid(x)
    softmax: polytape.nn.softmax(x)
    clip, clamp: {_CLIP}
    fill_, zero_: polytape.full(x.shape, value)
    masked_fill: polytape.where(mask, value, x)
    get_shape: x.shape
    dim: x.ndim
    numel: x.size
    eval: x.numpy()
    block_until_ready: polytape.synchronize(x.device)
    """)

# NumPy's functions that the array API standard, or polytape, names otherwise.
_NUMPY: Final = {
    "absolute": "abs",
    "amax": "max",
    "concatenate": "concat",
    "dot": "matmul",
    "float_power": "power",
    "inner": "vdot",
    "swapaxes": "permute_dims",
    "transpose": "permute_dims",
    "true_divide": "divide",
}


def numpy_counterpart(name: str) -> str:
    """The name that polytape would give to NumPy's function ``name``."""
    return _NUMPY.get(name, name)


def unknown(namespace: str, name: str) -> AttributeError:
    """The error for a name that is not in a namespace of polytape.

    Args:
        namespace: ``""`` for polytape itself, or ``nn``, ``optim``.
        name: the name.
    """
    module = f"polytape.{namespace}" if namespace else "polytape"
    fix = MODULE_NAMES.get(namespace, {}).get(name)
    text = f"module {module!r} has no attribute {name!r}"
    return AttributeError(text) if fix is None else _error(f"{text}.", f"a name of {module}", name, fix)


def _error(summary: str, expected: str, name: str, fix: str) -> UnknownNameError:
    return UnknownNameError(summary, expected=expected, got=f"{name!r}, a name of another library", fix=fix)


class _TensorName:
    """An attribute of Tensor that only raises the error for its name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<no attribute: {TENSOR_NAMES[self.name]}>"

    def __get__(self, x: object, owner: type) -> Any:
        summary = f"{owner.__name__!r} object has no attribute {self.name!r}."
        raise _error(summary, "an attribute of polytape.Tensor", self.name, TENSOR_NAMES[self.name])


def _names_of_tensor(x: object) -> list[str]:
    real = {
        name for cls in type(x).__mro__ for name, value in cls.__dict__.items() if not isinstance(value, _TensorName)
    }
    return [name for name in object.__dir__(x) if name in real]


def add_to_tensor(tensor_class: Any) -> None:
    """Give the class Tensor an attribute for each of `TENSOR_NAMES`; ``dir(x)`` does not list them."""
    for name in TENSOR_NAMES:
        setattr(tensor_class, name, _TensorName(name))
    tensor_class.__dir__ = _names_of_tensor


# Arguments of optimizers.
_ARGUMENTS: Final = _table("""
    lr: learning_rate=...
    betas, b1, b2: beta1=..., beta2=...
    eps: epsilon=...
    params, parameters, model: apply_gradients takes the variables, each with its gradient
    momentum, nesterov, dampening, rho, amsgrad: polytape.optim.Adam keeps a running mean of the gradient
    weight_decay: add the penalty to the loss, or to the gradients
    """)


def checks_keywords(init: F) -> F:
    """Decorate an optimizer's ``__init__``: a keyword argument that has another name here raises an error with ours."""
    accepted = init.__code__.co_varnames[1 : init.__code__.co_argcount]

    @functools.wraps(init)
    def checked(self: Any, *args: Any, **keywords: Any) -> None:
        for keyword in keywords:
            if keyword not in accepted and keyword in _ARGUMENTS:
                raise DTypeError(
                    f"{type(self).__name__}() got an unexpected keyword argument {keyword!r}.",
                    expected=", ".join(accepted),
                    got=f"{keyword}={keywords[keyword]!r}",
                    fix=_ARGUMENTS[keyword],
                )
        init(self, *args, **keywords)

    return checked  # type: ignore[return-value]  # it has the signature of `init`
