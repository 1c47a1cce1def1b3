"""Names that other libraries have for what polytape has under another name; the errors for them give ours.

The modules of polytape look here when a name is not found, ops and optimizers when they do not know a keyword. Tensor
and Optimizer get an attribute for each of `TENSOR_NAMES` and `OPTIMIZER_NAMES`, which raises the error: `__getattr__`
would slow down every access to an attribute.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from .errors import DTypeError, PolytapeError, UnknownNameError

__all__ = [
    "MODULE_NAMES",
    "OPTIMIZER_NAMES",
    "TENSOR_NAMES",
    "add_to_optimizer",
    "add_to_tensor",
    "checks_keywords",
    "numpy_counterpart",
    "unknown",
    "unknown_argument",
]

F = TypeVar("F", bound=Any)

_TAPE: Final = "gradients come from a tape: with polytape.GradientTape() as tape: ...; tape.gradient(y, x)"
_EAGER: Final = "ops run at once, so there is nothing to feed or to run; polytape.compat.tf1 has TensorFlow 1.7's names"
_LAYER: Final = "there are no layers yet: keep polytape.Variable objects in a polytape.Trackable, and call x @ w + b"
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
        cat, concatenate, append, hstack, vstack: polytape.concat(tensors, axis=0)
        chunk: polytape.split(x, sections)
        gather: polytape.take_along_axis(x, indices, axis=...)
        index_select: polytape.take(x, indices, axis=...)
        masked_select, boolean_mask: x[mask]
        add_n: polytape.sum(polytape.asarray(tensors), axis=0)
        absolute: polytape.abs(x)
        mul: polytape.multiply(x1, x2)
        sub: polytape.subtract(x1, x2)
        div, true_divide, truediv: polytape.divide(x1, x2)
        neg: polytape.negative(x)
        amax, reduce_max: polytape.max(x, axis=...)
        reduce_sum: polytape.sum(x, axis=...)
        reduce_mean: polytape.mean(x, axis=...)
        amin, reduce_min: polytape.min(x, axis=...)
        norm: polytape.linalg.norm(x)
        cumsum: polytape.cumulative_sum(x)
        cumprod: polytape.cumulative_prod(x)
        cummax: polytape.cumulative_max(x)
        topk: polytape.top_k(x, k)
        mm, bmm, mv: polytape.matmul(x1, x2)
        permute: polytape.permute_dims(x, axes), or x.T for a matrix
        view: polytape.reshape(x, shape)
        ravel: polytape.flatten(x)
        unsqueeze: polytape.expand_dims(x, axis=...)
        expand: polytape.broadcast_to(x, shape)
        clamp, clip_by_value: polytape.clip(x, low, high)
        cast: polytape.astype(x, dtype)
        detach, stop_grad: polytape.stop_gradient(x)
        relu, sigmoid, softmax, log_softmax: polytape.nn has the neural ops, such as polytape.nn.relu
        rand: polytape.random.uniform(shape)
        randn, random_normal: polytape.random.normal(shape)
        randint: polytape.random.integers(low, high, shape)
        random_uniform: polytape.random.uniform(shape)
        manual_seed, set_random_seed: polytape.random.seed(value)
        shape: x.shape
        size, numel: x.size
        ndarray: polytape.Tensor
        is_tensor: isinstance(x, polytape.Tensor)
        arccos: polytape.acos(x)
        arccosh: polytape.acosh(x)
        arcsin: polytape.asin(x)
        arcsinh: polytape.asinh(x)
        arctan: polytape.atan(x)
        arctan2: polytape.atan2(x1, x2)
        arctanh: polytape.atanh(x)
        fabs: polytape.abs(x)
        rint: polytape.round(x)
        fix: polytape.trunc(x)
        mod: polytape.remainder(x1, x2)
        conjugate: polytape.conj(x)
        bitwise_not, invert: polytape.bitwise_invert(x)
        left_shift: polytape.bitwise_left_shift(x1, x2)
        right_shift: polytape.bitwise_right_shift(x1, x2)
        fliplr, flipud: polytape.flip(x, axis=...)
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
        custom_vjp, custom_jvp, RegisterGradient: polytape.custom_gradient(f)
        hessian, jacobian: a tape inside another, or polytape.gradients_function of such a function
        gradients, backward: tape.gradient(y, x), after with polytape.GradientTape() as tape: ...
        trainable_variables: tape.watched_variables(), or the variables that you keep in a list
        Module: polytape.Trackable
        Sequential, layers, keras: {_LAYER}
        losses, functional: polytape.nn
        optimizers, train: polytape.optim
        device_put: x.to_device(device)
        get_device: x.device
        set_default_tensor_type, set_floatx: polytape.set_default_dtype(dtype)
        get_default_dtype: polytape.__array_namespace_info__().default_dtypes()["real floating"]
        cuda: polytape.backends() lists the devices; with polytape.device("gpu"): selects one
        """),
    "nn": _table(f"""
        Module: polytape.Trackable
        Parameter: polytape.Variable(value)
        Linear, Dense, Conv1d, Conv2d, Embedding, LSTM, BatchNorm1d, BatchNorm2d, LayerNorm, Sequential: {_LAYER}
        functional, losses: polytape.nn itself has the functions
        init: polytape.random has the distributions
        ReLU: polytape.nn.relu(x)
        Sigmoid: polytape.nn.sigmoid(x)
        Softmax: polytape.nn.softmax(x)
        LogSoftmax: polytape.nn.log_softmax(x)
        Tanh, tanh: polytape.tanh(x)
        CrossEntropyLoss, cross_entropy: {_CROSS_ENTROPY}
        NLLLoss: polytape.nn.nll_loss(labels, log_probabilities)
        MSELoss, mse_loss: polytape.nn.mean_squared_error(labels, predictions)
        L1Loss, mean_absolute_error: polytape.nn.l1_loss(labels, predictions)
        GELU: polytape.nn.gelu(x)
        SiLU, swish: polytape.nn.silu(x)
        Softplus: polytape.nn.softplus(x)
        Dropout: polytape.nn.dropout(x, rate)
        conv2d_backprop_input: polytape.nn.conv2d_transpose(x, weights)
        """),
    "optim": _table("""
        GradientDescentOptimizer: polytape.optim.SGD(learning_rate)
        AdamOptimizer: polytape.optim.Adam(learning_rate)
        AdamW, RMSprop, Adagrad, Adadelta, Adamax, NAdam, LBFGS: polytape.optim.Adam or polytape.optim.SGD
        lr_scheduler, schedules: learning_rate may be a function, and optimizer.learning_rate may be assigned
        """),
    "random": _table("""
        rand, random, random_sample, random_uniform: polytape.random.uniform(shape)
        randn, standard_normal, random_normal: polytape.random.normal(shape)
        randint, random_integers: polytape.random.integers(low, high, shape)
        manual_seed, set_random_seed, PRNGKey, key: polytape.random.seed(value)
        default_rng, RandomState, split: polytape.random.Generator(seed)
        """),
}

# Attributes of a tensor `x`.
TENSOR_NAMES: Final[dict[str, str]] = _table(f"""
    backward, grad, grad_fn, retain_grad: {_TAPE}
    requires_grad, requires_grad_: tape.watch(x), or polytape.Variable(x), which tapes watch by themselves
    detach_, data: x.detach()
    cpu: x.to_device("cpu"), or x.numpy() for a NumPy array
    cuda: x.to_device("gpu")
    is_cuda: x.device.kind
    clone: x.copy()
    at: x[k] = v points this tensor at an updated copy
    assign, assign_add, assign_sub: polytape.Variable(x) can be assigned to
    float: x.astype("float32"), or float(x) for a Python number
    double: x.astype("float64")
    half: x.astype("float16")
    int: x.astype("int32"), or int(x) for a Python number
    long: x.astype("int64")
    bool: x.astype("bool"), or bool(x) for a Python bool
    cast, type_as: x.astype(dtype)
    view, view_as: x.reshape(shape)
    ravel: x.flatten()
    unsqueeze: polytape.expand_dims(x, axis=...)
    permute: x.permute_dims(axes), or x.T for a matrix
    t: x.T
    expand, expand_as: polytape.broadcast_to(x, shape)
    amax: x.max(axis=...)
    amin: x.min(axis=...)
    norm: polytape.linalg.norm(x)
    tile: polytape.tile(x, repetitions)
    index_select: x.take(indices, axis=...)
    gather: polytape.take_along_axis(x, indices, axis=...)
    fill: polytape.full(x.shape, value)
    value, read_value: the tensor itself; only a variable has a value that changes
    set_shape: polytape.reshape(x, shape)
    contiguous: the tensor itself; every backend decides how it stores tensors
    itemsize, element_size: x.dtype.itemsize
    flat: polytape.reshape(x, (-1,))
    H: x.mT for a real matrix
    exp: polytape.exp(x)
    log: polytape.log(x)
    sqrt: polytape.sqrt(x)
    abs: polytape.abs(x)
    square: polytape.square(x)
    tanh: polytape.tanh(x)
    pow: x ** y
    add, add_, sub, sub_, mul, mul_, div, div_: x = x + y, and so on, since a tensor's array is never written
    matmul, mm: x @ y
    relu: polytape.nn.relu(x)
    sigmoid: polytape.nn.sigmoid(x)
    softmax: polytape.nn.softmax(x)
    clamp: x.clip(low, high)
    fill_, zero_: polytape.full(x.shape, value)
    masked_fill: polytape.where(mask, value, x)
    get_shape: x.shape
    dim: x.ndim
    numel: x.size
    eval: x.numpy()
    block_until_ready: polytape.synchronize(x.device)
    """)

# Attributes of an optimizer `optimizer`.
OPTIMIZER_NAMES: Final[dict[str, str]] = _table(f"""
    lr: optimizer.learning_rate
    betas, b1, b2: optimizer.beta1 and optimizer.beta2
    eps: optimizer.epsilon
    zero_grad: every call of tape.gradient returns new gradients, so there is nothing to reset
    minimize, compute_gradients: {_TAPE}, then optimizer.apply_gradients([(gradient, x)])
    param_groups, params, add_param_group: apply_gradients takes the variables, each with its gradient
    state_dict, load_state_dict, get_weights, set_weights: polytape.Checkpoint(optimizer=optimizer), .save and .restore
    iterations: optimizer.step
    weights: optimizer.variables
    """)

# NumPy's functions that the array API standard, or polytape, names otherwise.
_NUMPY: Final = {
    "absolute": "abs",
    "amax": "max",
    "concatenate": "concat",
    "dot": "matmul",
    "float_power": "power",
    "inner": "matmul",
    "swapaxes": "permute_dims",
    "true_divide": "divide",
    "vdot": "matmul",
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


class _Missing:
    """An attribute that only raises the error for its name, when it is read or assigned.

    A subclass defined elsewhere may use the name: what it assigns is kept in the instance's ``__dict__``.
    """

    __slots__ = ("fix", "name", "owner")

    def __init__(self, owner: str, name: str, fix: str) -> None:
        self.owner = owner
        self.name = name
        self.fix = fix

    def __repr__(self) -> str:
        return f"<no attribute: {self.fix}>"

    def __get__(self, x: object, owner: type) -> Any:
        if self.name in getattr(x, "__dict__", ()):
            return x.__dict__[self.name]
        raise self.error(owner)

    def __set__(self, x: object, value: Any) -> None:
        if type(x).__module__.startswith("polytape."):
            raise self.error(type(x))
        x.__dict__[self.name] = value

    def error(self, owner: type) -> UnknownNameError:
        summary = f"{owner.__name__!r} object has no attribute {self.name!r}."
        return _error(summary, f"an attribute of polytape.{self.owner}", self.name, self.fix)


def _existing_names(x: object) -> list[str]:
    """The result of ``dir(x)``."""
    real = {name for cls in type(x).__mro__ for name, value in cls.__dict__.items() if not isinstance(value, _Missing)}
    real.update(getattr(x, "__dict__", ()))
    return [name for name in object.__dir__(x) if name in real]


def add_to_tensor(tensor_class: Any) -> None:
    """Give the class Tensor an attribute for each of `TENSOR_NAMES`; ``dir(x)`` does not list them."""
    for name, fix in TENSOR_NAMES.items():
        setattr(tensor_class, name, _Missing("Tensor", name, fix))
    tensor_class.__dir__ = _existing_names


def add_to_optimizer(optimizer_class: Any) -> None:
    """Give the class Optimizer an attribute for each of `OPTIMIZER_NAMES`."""
    for name, fix in OPTIMIZER_NAMES.items():
        setattr(optimizer_class, name, _Missing("optim.Optimizer", name, fix))
    optimizer_class.__dir__ = _existing_names


# Keyword arguments of ops.
_OP_ARGUMENTS: Final = _table("""
    dim, dimension, reduction_indices, concat_dim: axis=...
    keepdim, keep_dims: keepdims=...
    size, sizes, newshape: shape=...
    out: an op returns a new tensor, y = op(x)
    where: polytape.where(mask, x, 0.0) before the op
    initial: combine the result with the initial value
    order: elements are taken in row-major order
    requires_grad: tape.watch(x), or polytape.Variable(x), which tapes watch by themselves
    name: ops take no name
    """)


def unknown_argument(op: str, name: str, accepted: Iterable[str]) -> TypeError:
    """The error for a keyword argument that an op does not have.

    Args:
        op: the op's name.
        name: the keyword.
        accepted: the keywords that it has.
    """
    text = f"{op}() got an unexpected keyword argument {name!r}"
    fix = _OP_ARGUMENTS.get(name)
    ours = (fix or "").partition("=")
    accepted = list(accepted)
    if fix is None or (ours[2] == "..." and ours[0] not in accepted):
        return TypeError(f"{text} (has {', '.join(accepted)})" if accepted else text)
    return DTypeError(f"{text}.", expected=", ".join(accepted) or "operands only", got=f"{name}=...", fix=fix)


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
        try:
            init(self, *args, **keywords)
        except PolytapeError as error:
            from .tracebacks import shortened

            raise shortened(error)  # noqa: B904  # it is the same error

    return checked  # type: ignore[return-value]  # it has the signature of `init`
