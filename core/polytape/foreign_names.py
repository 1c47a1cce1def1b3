"""Names that other libraries have for what polytape has under another name; the errors for them give ours.

The modules of polytape look here when a name is not found, ops and optimizers when they do not know a keyword. Tensor,
Module and Optimizer get an attribute for each of `TENSOR_NAMES`, `MODULE_NAMES` and `OPTIMIZER_NAMES`, which raises the
error: `__getattr__` would slow down every access to an attribute. The names in modules are in
`polytape.foreign_modules`, which is loaded with the first such error.
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
    "add_to_module",
    "add_to_optimizer",
    "add_to_tensor",
    "checks_keywords",
    "module_names",
    "near_or",
    "numpy_counterpart",
    "unknown",
    "unknown_argument",
]

F = TypeVar("F", bound=Any)

_TAPE: Final = "gradients come from a tape: with polytape.GradientTape() as tape: ...; tape.gradient(y, x)"


def _table(lines: str) -> dict[str, str]:
    """Lines of the form ``name, name: what to write`` as a dict."""
    fixes: dict[str, str] = {}
    for line in lines.strip().splitlines():
        names, fix = line.strip().split(": ", 1)
        fixes.update({name: fix.replace("{name}", name) for name in names.split(", ")})
    return fixes


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
    split, chunk: polytape.split(x, sections, axis=...)
    get_shape: x.shape
    dim: x.ndim
    numel: x.size
    eval: x.numpy()
    block_until_ready: polytape.synchronize(x.device)
    """)

# Attributes of an optimizer `optimizer`.
OPTIMIZER_NAMES: Final[dict[str, str]] = _table(f"""
    lr: optimizer.learning_rate
    betas, b1, b2, beta_1, beta_2: optimizer.beta1 and optimizer.beta2
    eps: optimizer.epsilon
    zero_grad: every call of tape.gradient returns new gradients, so there is nothing to reset
    update: optimizer.apply_gradients(zip(gradients, variables))
    compute_gradients: {_TAPE}, then optimizer.apply_gradients([(gradient, x)])
    param_groups, params, add_param_group: apply_gradients takes the variables, each with its gradient
    state_dict, load_state_dict, get_weights, set_weights: polytape.Checkpoint(optimizer=optimizer), .save and .restore
    iterations: optimizer.step
    weights: optimizer.variables
    """)

# Attributes of a module `module`.
MODULE_NAMES: Final[dict[str, str]] = _table("""
    parameters, trainable_weights: module.trainable_variables
    weights: module.variables
    non_trainable_weights, buffers: module.non_trainable_variables
    named_parameters: module.named_variables
    named_modules, modules, children, named_children: module.submodules
    train: module(x, training=True), at each call
    eval: module(x), since a call does not train by default
    requires_grad_: module.trainable = False freezes it
    zero_grad: every call of tape.gradient returns new gradients, so there is nothing to reset
    state_dict, load_state_dict, get_weights, set_weights: polytape.Checkpoint(module=module), .save and .restore
    save, save_weights, load_weights: polytape.Checkpoint(module=module), .save and .restore
    register_buffer: module.add_weight(name, shape, trainable=False), or a polytape.Variable as an attribute
    register_parameter: module.add_weight(name, shape), or a polytape.Variable as an attribute
    add_module: a module as an attribute, or in a list that is one
    count_params: module.summary()
    add, append: polytape.nn.Sequential(layers), with all layers at once
    to: with polytape.device(...): module.build(shape) makes the weights there
    fit, fit_generator: polytape.training.fit(module, x, y, optimizer=..., loss=...)
    evaluate: polytape.training.evaluate(module, x, y, loss=...)
    predict: polytape.training.predict(module, x)
    compile: optimizer=, loss= and metrics= are arguments of polytape.training.fit
    train_on_batch, test_on_batch, predict_on_batch, train_step: polytape.training.fit, or a polytape.GradientTape
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


@functools.cache
def module_names() -> dict[str, dict[str, str]]:
    """By namespace (``""`` is polytape itself), the names of other libraries and what to write instead."""
    from .foreign_modules import LINES

    return {namespace: _table(lines.replace("{tape}", _TAPE)) for namespace, lines in LINES.items()}


def unknown(namespace: str, name: str) -> AttributeError:
    """The error for a name that is not in a namespace of polytape.

    Args:
        namespace: ``""`` for polytape itself, or ``nn``, ``optim``.
        name: the name.
    """
    module = f"polytape.{namespace}" if namespace else "polytape"
    fix = module_names().get(namespace, {}).get(name)
    text = f"module {module!r} has no attribute {name!r}"
    return AttributeError(text) if fix is None else _error(f"{text}.", f"a name of {module}", name, fix)


def near_or(name: str, names: Iterable[str], fix: str) -> str:
    """How to correct a name that is not among ``names``: the similar one, or else ``fix``."""
    import difflib  # 4 ms, for errors only

    near = difflib.get_close_matches(name, [*names], 1, cutoff=0.7)
    return f"did you mean {near[0]!r}?" if near else fix


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


def add_to_module(module_class: Any) -> None:
    """Give the class Module an attribute for each of `MODULE_NAMES`."""
    for name, fix in MODULE_NAMES.items():
        setattr(module_class, name, _Missing("nn.Module", name, fix))
    module_class.__dir__ = _existing_names


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
    minval: low=...
    maxval: high=...
    loc: mean=...
    scale, std, sigma: stddev=...
    rate: lam=...
    key, seed, rng: generator=..., a polytape.random.Generator
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
    betas, b1, b2, beta_1, beta_2: beta1=..., beta2=...
    eps: epsilon=...
    params, parameters, model: apply_gradients takes the variables, each with its gradient
    momentum, nesterov: polytape.optim.SGD takes it
    rho, alpha: polytape.optim.RMSProp takes rho
    amsgrad: polytape.optim.Adam takes it
    dampening: scale the learning rate
    weight_decay: polytape.optim.AdamW takes it
    clipvalue, clipnorm, global_clipnorm: clip_value=..., clip_norm=... or global_clip_norm=...
    """)


def _keyword_only(cls: type) -> list[str]:
    """The keyword arguments of the base classes of an optimizer."""
    inits = [vars(base).get("__init__") for base in cls.__mro__]
    return [name for init in inits for name in getattr(init, "__kwdefaults__", None) or ()]


def checks_keywords(init: F) -> F:
    """Decorate an optimizer's ``__init__``: a keyword argument that it does not have raises an error with ours."""
    own = init.__code__.co_varnames[1 : init.__code__.co_argcount + init.__code__.co_kwonlyargcount]

    @functools.wraps(init)
    def checked(self: Any, *args: Any, **keywords: Any) -> None:
        for keyword in keywords:
            # Those of the base class are passed on.
            if keyword not in own and keyword not in (accepted := [*own, *_keyword_only(type(self))]):
                raise DTypeError(
                    f"{type(self).__name__}() got an unexpected keyword argument {keyword!r}.",
                    expected=", ".join(accepted),
                    got=f"{keyword}={keywords[keyword]!r}",
                    fix=_ARGUMENTS.get(keyword, "use one of these names, or leave it out"),
                )
        try:
            init(self, *args, **keywords)
        except PolytapeError as error:
            from .tracebacks import shortened

            raise shortened(error)  # noqa: B904  # it is the same error

    return checked  # type: ignore[return-value]  # it has the signature of `init`
