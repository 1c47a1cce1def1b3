"""TensorFlow 1.7's options of sessions and runs: accepted, so that programs run unchanged, and without effect."""

from __future__ import annotations

from typing import Any, ClassVar, Final

__all__ = ["ConfigProto", "GPUOptions", "GraphOptions", "OptimizerOptions", "RunMetadata", "RunOptions"]


class _Options:
    """Values by name; a name that TensorFlow does not have is rejected.

    Args:
        values: by name.

    Raises:
        ValueError: an unknown name in the constructor. AttributeError: another unknown name.
    """

    NAMES: ClassVar[str] = ""
    PARTS: ClassVar[dict[str, type[_Options]]] = {}

    def __init__(self, **values: Any) -> None:
        unknown = sorted(set(values) - set(self._names()))
        if unknown:
            raise ValueError(f"Protocol message {type(self).__name__} has no {unknown[0]!r} field.")
        self.__dict__.update(values)

    @classmethod
    def _names(cls) -> list[str]:
        return [*cls.NAMES.split(), *cls.PARTS]

    def __getattr__(self, name: str) -> Any:
        if name in type(self).PARTS:
            part = self.__dict__[name] = self.PARTS[name]()
            return part
        if name not in self._names():
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return {} if name == "device_count" else 0

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._names():
            raise AttributeError(f"Protocol message {type(self).__name__} has no {name!r} field.")
        self.__dict__[name] = value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


class GPUOptions(_Options):
    """How TensorFlow would use a GPU's memory."""

    NAMES = (
        "per_process_gpu_memory_fraction allow_growth allocator_type deferred_deletion_bytes visible_device_list "
        "polling_active_delay_usecs polling_inactive_delay_msecs force_gpu_compatible"
    )


class OptimizerOptions(_Options):
    """How TensorFlow would optimize a graph; here, the passes of `polytape.function` run."""

    NAMES = (
        "do_common_subexpression_elimination do_constant_folding max_folded_constant_in_bytes do_function_inlining "
        "opt_level global_jit_level"
    )
    L0: Final = -1
    L1: Final = 0
    OFF: Final = -1
    ON_1: Final = 1
    ON_2: Final = 2


class GraphOptions(_Options):
    """How TensorFlow would run a graph."""

    NAMES = (
        "enable_recv_scheduling build_cost_model build_cost_model_after infer_shapes place_pruned_graph "
        "enable_bfloat16_sendrecv timeline_step rewrite_options"
    )
    PARTS: ClassVar = {"optimizer_options": OptimizerOptions}


class ConfigProto(_Options):
    """The configuration of a session."""

    NAMES = (
        "device_count intra_op_parallelism_threads inter_op_parallelism_threads use_per_session_threads "
        "session_inter_op_thread_pool placement_period device_filters allow_soft_placement log_device_placement "
        "operation_timeout_in_ms rpc_options cluster_def isolate_session_state"
    )
    PARTS: ClassVar = {"gpu_options": GPUOptions, "graph_options": GraphOptions}


class RunOptions(_Options):
    """The options of one run."""

    NAMES = (
        "trace_level timeout_in_ms inter_op_thread_pool output_partition_graphs debug_options "
        "report_tensor_allocations_upon_oom"
    )
    NO_TRACE: Final = 0
    SOFTWARE_TRACE: Final = 1
    HARDWARE_TRACE: Final = 2
    FULL_TRACE: Final = 3


class RunMetadata(_Options):
    """What TensorFlow would tell of a run; it stays empty. `polytape.debug.profile` measures."""

    NAMES = "step_stats cost_graph partition_graphs"
