"""Module: an object with variables that is called; base of layers and models (docs/decisions/0010-training.md)."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar, Final, Self

from ..checkpoint.objects import collect_variables
from ..errors import DTypeError, PolytapeError, UnknownNameError
from ..foreign_names import add_to_module
from ..state.trackable import Trackable
from ..tensors.scope import current_scope
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable
from . import building, describing, replacing
from .keywords import check_keywords
from .walking import variables_below, walk

__all__ = ["Module"]

# Whether the module that is being called trains, for the modules that it calls; and the trace that was open when this
# was chosen.
_mode: Final[ContextVar[tuple[bool, Any]]] = ContextVar("polytape.nn.training", default=(False, None))


class _FrozenState:
    """Counts how often any module was frozen or thawed: a graph that depends on it is traced again."""

    version = 0


_frozen_state: Final = _FrozenState()


def _guard() -> None:
    """Let a graph that is being traced be traced again once a module is frozen or thawed."""
    guard = getattr(current_scope.get().trace, "guard", None)  # a trace that computes at once has none
    if guard is not None:
        version = _frozen_state.version
        guard(lambda: _frozen_state.version == version)


def _inherited_mode() -> bool:
    training, chosen_in = _mode.get()
    trace = current_scope.get().trace
    guard = getattr(trace, "guard", None)
    if guard is not None and chosen_in is not trace:
        # A caller of the traced function chose, and another call of it may choose otherwise.
        guard(lambda: _mode.get()[0] is training)
    return training


class Module(Trackable):
    """Base class of layers and models: an object with variables, and with a method `call` that uses them.

    A subclass defines ``call(self, x)``; users call the object itself. Modules in its attributes, and in lists, tuples
    and dicts there, belong to it. A subclass that makes weights defines ``build(self, shape)``, which runs once, at the
    first call, with the shape of the input; there, `add_weight` makes a weight and assigns it to an attribute.
    Weights are made on the input's device, also inside a traced function.

    ``module(x, training=True)`` trains: layers such as `Dropout` and `BatchNorm` then behave differently. The choice
    holds for every module that is called inside, so that ``call`` needs a parameter ``training`` only if it uses it.

    Attributes:
        built: whether the weights exist.
        trainable: False freezes the module: no variable below it is trained. It may be assigned at any time.

    Example:
        >>> import polytape as pt
        >>> class Classifier(pt.nn.Module):
        ...     def __init__(self, classes):
        ...         self.hidden = pt.nn.Dense(32, activation=pt.nn.relu)
        ...         self.dropout = pt.nn.Dropout(0.5)
        ...         self.head = pt.nn.Dense(classes)
        ...     def call(self, x):
        ...         return self.head(self.dropout(self.hidden(x)))
        >>> model = Classifier(10)
        >>> model(pt.ones((4, 20)), training=True).shape
        (4, 10)
        >>> list(model.named_variables)
        ['hidden/weight', 'hidden/bias', 'head/weight', 'head/bias']
    """

    _untracked: ClassVar[tuple[str, ...]] = ("_frozen", "_regularizers", "_constraints", "_output")
    # Defaults, so that a subclass need not call `Module.__init__`.
    built: bool = False
    _trainable: bool = True
    _frozen: Sequence[Variable] = ()
    _output: str = ""  # the result of the first call, for `summary`
    _training_at: ClassVar[int | None] = None  # the position of the parameter `training` of `call`; None: it has none
    _build_count: ClassVar[int] = 0  # how many shapes `build` takes

    def __new__(cls, *args: Any, **keywords: Any) -> Self:
        """A module without weights; the arguments are those of ``__init__``."""
        if keywords and cls.__module__.startswith(f"{__package__}."):
            check_keywords(cls, keywords)
        return super().__new__(cls)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "call" in vars(cls):
            cls._training_at = _position_of_training(cls.call)
        if "build" in vars(cls):
            kinds = [x.kind for x in list(inspect.signature(cls.build).parameters.values())[1:]]
            several = inspect.Parameter.VAR_POSITIONAL in kinds
            cls._build_count = (
                1000 if several else sum(kind <= inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in kinds)
            )
            cls.build = _complete(cls.build)  # type: ignore[method-assign]  # it has the same signature

    # --- calling ------------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make the weights if they do not exist yet, then run `call`.

        Args:
            args, kwargs: of `call`; ``training=`` is accepted in any case.
        """
        try:
            if self.built:
                return self._run(args, kwargs)
            return self._first_run(args, kwargs)
        except PolytapeError as error:
            from ..tracebacks import shortened

            if not getattr(error, "__notes__", None):  # the innermost module is named, not those around it
                error.add_note(f"  in: {describing.line(self)}")
            raise shortened(error)  # noqa: B904  # it is the same error

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        at = self._training_at
        by_position = at is not None and len(args) > at
        training = args[at] if by_position else kwargs.pop("training", None)  # type: ignore[index]  # at is not None
        chosen = training is not None
        training = bool(training) if chosen or at is None else _inherited_mode()
        if by_position:
            args = (*args[:at], training, *args[at + 1 :])  # type: ignore[operator]  # at is not None
        elif at is not None:
            kwargs["training"] = training
        if not chosen:
            return self.call(*args, **kwargs)
        token = _mode.set((training, current_scope.get().trace))
        try:
            return self.call(*args, **kwargs)
        finally:
            _mode.reset(token)

    def _first_run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if type(self).build is not Module.build:
            building.build_for(functools.partial(_build, self), args, kwargs, self._build_count)
        result = self._run(args, kwargs)
        self._output = describing.result(result)
        self.built = True
        return result

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; a subclass defines it, with any parameters."""
        raise UnknownNameError(
            f"{type(self).__name__} does not say what it computes.",
            expected="a method call(self, x, ...)",
            got="a method forward" if hasattr(self, "forward") else "no method of this name",
            fix="define call; the base class's __call__ makes the weights and runs it",
        )

    def build(self, *shapes: Any, **options: Any) -> None:  # so annotated, it may be overridden with one shape
        """Make all weights now, for inputs of these shapes, without computing anything.

        A subclass that makes weights overrides this with ``build(self, shape)``.

        Args:
            shapes: of the arguments of a call, in order; None in a shape stands for any size.
            options: ``dtype=`` of these arguments; default: the default real floating dtype.
        Raises:
            ShapeError: ``call`` does not accept these shapes.
        """
        if type(self).build is Module.build and not self.built:  # a subclass's super().build() adds nothing
            building.build_by_tracing(self, shapes, **options)
            self.built = True

    # --- weights ------------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        name: str,
        shape: Sequence[int],
        initializer: Any = "glorot_uniform",
        *,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Callable[[Tensor], Tensor] | None = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
    ) -> Variable:
        """Make a variable and assign it to the attribute ``name``. A checkpoint restored earlier gives its value.

        Args:
            name: of the attribute, and of the variable.
            shape: of the weight.
            initializer: of `polytape.nn.initializers`, or its name in lower case; a number or an array is the value
                itself; or a function ``(shape, dtype) -> tensor``.
            dtype: default: the default real floating dtype.
            trainable: whether it is trained, unless the module is frozen.
            regularizer: ``weight -> loss``, of `polytape.nn.regularizers`; see `losses`.
            constraint: ``weight -> weight``, of `polytape.nn.constraints`; see `apply_constraints`.
        Returns:
            The variable.
        Raises:
            ShapeError: the initial value has another shape. SettingError: no initializer has this name.
        """
        variable = building.new_weight(name, tuple(shape), initializer, dtype, trainable)
        if trainable and not self.trainable:
            variable.trainable = False
            self._frozen = [*self._frozen, variable]
        with building.outside():  # a restore that waits for the weight reads a file
            setattr(self, name, variable)
        for kind, function in (("_regularizers", regularizer), ("_constraints", constraint)):
            if function is not None:
                self.__dict__.setdefault(kind, {})[name] = function
        return variable

    @property
    def variables(self) -> list[Variable]:
        """The variables of this module and all below it, in the order of the attributes, each once."""
        return variables_below(self)

    @property
    def trainable_variables(self) -> list[Variable]:
        """Those of `variables` that tapes watch."""
        _guard()
        return [variable for variable in variables_below(self) if variable.trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """Those of `variables` that are not trained, such as moving averages, and frozen ones."""
        return [variable for variable in variables_below(self) if not variable.trainable]

    @property
    def named_variables(self) -> dict[str, Variable]:
        """`variables` by path, the key that a checkpoint of the module has for it.

        Raises:
            CheckpointError: a variable has no path, such as a member of a set.
        """
        names = {id(variable): name for name, variable in collect_variables(self).items()}
        return {names[id(variable)]: variable for variable in self.variables}

    @property
    def submodules(self) -> dict[str, Module]:
        """The modules below this one by path, each once."""
        return {path: value for path, _, value in walk(self) if isinstance(value, Module) and value is not self}

    @property
    def trainable(self) -> bool:
        """Whether the module is trained; assigning it holds for all modules below, and for weights made later."""
        _guard()
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        modules = [self, *self.submodules.values()]
        if value:
            thawed = [variable for module in modules for variable in module._frozen]
            for module in modules:
                module._frozen = ()
            for variable in thawed:
                variable.trainable = True
        else:
            # Each module keeps what it has to train again, so that any of them can be thawed.
            frozen = [[x for x in variables_below(module) if x.trainable] for module in modules]
            for module, variables in zip(modules, frozen, strict=True):
                module._frozen = [*module._frozen, *variables]
            for variable in frozen[0]:
                variable.trainable = False
        for module in modules:
            module._trainable = bool(value)
        _frozen_state.version += 1

    @property
    def losses(self) -> list[Tensor]:
        """The losses of the weights that have a regularizer, of this module and all below; computed at each access.

        Add them to the loss inside the tape's block: ``loss + sum(model.losses)``.
        """
        return [regularizer(weight) for weight, regularizer in self._functions("_regularizers")]

    def apply_constraints(self) -> None:
        """Assign to each weight that has a constraint the nearest value that fulfils it.

        Call it after each step of the optimizer, also in a traced function. Optimizers do not call it: they know
        variables, and a constraint belongs to the module.
        """
        for weight, constraint in self._functions("_constraints"):
            weight.assign(constraint(weight.read_value()))

    def _functions(self, kind: str) -> Iterator[tuple[Variable, Callable[[Tensor], Tensor]]]:
        for _, _, module in walk(self):
            if isinstance(module, Module):
                for name, function in module.__dict__.get(kind, {}).items():
                    yield getattr(module, name), function

    # --- values -------------------------------------------------------------------------------------------------------

    def functional_call(self, values: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The result of a call with other values in the place of variables, which are not changed.

        Gradients, `polytape.jvp` and `polytape.vmap` then work with respect to ``values``, as tensors.

        Args:
            values: tensors by name, as in `named_variables`; other variables keep theirs.
            args, kwargs: of the call.
        Raises:
            UnknownNameError: there is no variable of a name. ShapeError: another shape than the variable's.
            DTypeError: a call that assigns a variable that was replaced, such as an average of `BatchNorm` in training.
        """
        return replacing.with_values(self, self.named_variables, values)(*args, **kwargs)

    # --- showing ------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return describing.text(self)

    def summary(self, print_fn: Callable[[str], object] = print) -> None:
        """Print a table of the modules: path, class, result of the first call, number of elements of their weights.

        Args:
            print_fn: takes the table as one text.
        Raises:
            DTypeError: ``print_fn`` is not a function.
        """
        if not callable(print_fn):
            raise DTypeError(
                f"summary takes no shape or other value: {print_fn!r}.",
                expected="no argument, or a function that takes the table as a text",
                got=f"{print_fn!r} of type {type(print_fn).__name__}",
                fix="module.build((None, ...)) declares the shape of the input, then module.summary()",
            )
        print_fn(describing.table(self))


def _position_of_training(call: Callable[..., Any]) -> int | None:
    """The position of the parameter ``training`` among the arguments of a call; None if there is no such parameter."""
    parameters = list(inspect.signature(call).parameters.values())[1:]
    for position, parameter in enumerate(parameters):
        if parameter.name == "training":
            return sys.maxsize if parameter.kind is parameter.KEYWORD_ONLY else position
    return None


def _build(module: Module, *shapes: Any, **options: Any) -> None:
    """Make the weights of the module itself, outside of tapes and traces, unless they exist."""
    with building.lock:
        if not module.built:
            build: Any = type(module).build
            with building.outside():
                build.__wrapped__(module, *[building.sizes(shape) for shape in shapes], **options)
            module.built = True


def _complete(build: Callable[..., None]) -> Callable[..., None]:
    """``build`` as users call it: it runs once, and makes the weights of the modules below as well."""

    @functools.wraps(build)
    def completed(self: Module, *shapes: Any, **options: Any) -> None:
        if getattr(type(self).build, "__wrapped__", None) is not build:
            build(self, *shapes, **options)  # called as super().build() by a subclass's own
            return
        _build(self, *shapes, **options)
        if not all(module.built for module in self.submodules.values()):
            building.build_by_tracing(self, shapes)

    return completed


add_to_module(Module)
