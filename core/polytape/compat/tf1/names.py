"""The names of ``tf`` that are not rows: where each is defined, and what to write for those that do not exist here."""

from __future__ import annotations

from typing import Final

__all__ = ["ADAPTERS", "MISSING", "MODULES"]

ADAPTERS: Final[dict[str, tuple[str, ...]]] = {
    "adapters.control": (
        "Print", "case", "colocate_with", "cond", "container", "control_dependencies", "device", "group", "no_op",
        "no_regularizer", "py_func", "tuple", "while_loop",
    ),
    "graph.hessians": ("hessians",),
    "graph.initialized": (
        "assert_variables_initialized", "is_variable_initialized", "report_uninitialized_variables",
    ),
    "graph.initializing": (
        "all_variables", "global_variables", "global_variables_initializer", "initialize_all_variables",
        "initialize_local_variables", "initialize_variables", "local_variables", "local_variables_initializer",
        "model_variables", "moving_average_variables", "tables_initializer", "trainable_variables",
        "variables_initializer",
    ),
    "adapters.functional": ("custom_gradient", "divide", "einsum", "foldl", "foldr", "map_fn", "meshgrid", "scan"),
    "graph.counting": ("count_up_to",),
    "graph.defaults": ("get_default_session",),
    "graph.gradients": ("gradients",),
    "graph.graphs": ("Graph", "get_default_graph"),
    "graph.operations": ("Operation",),
    "graph.placeholders": ("placeholder", "placeholder_with_default"),
    "graph.random_states": ("set_random_seed",),
    "graph.sessions": ("InteractiveSession", "Session"),
    "graph.tensors": ("Tensor",),
    "adapters.naming": (
        "constant_initializer", "glorot_normal_initializer", "glorot_uniform_initializer", "ones_initializer",
        "orthogonal_initializer", "random_normal_initializer", "random_uniform_initializer",
        "truncated_normal_initializer", "uniform_unit_scaling_initializer", "variance_scaling_initializer",
        "zeros_initializer",
    ),
    "adapters.tensor_arrays": ("TensorArray",),
    "protos": ("ConfigProto", "GPUOptions", "GraphOptions", "OptimizerOptions", "RunMetadata", "RunOptions"),
}  # fmt: skip
MODULES: Final = (
    "app",
    "bitwise",
    "compat",
    "flags",
    "gfile",
    "image",
    "initializers",
    "linalg",
    "logging",
    "manip",
    "nn",
    "spectral",
    "train",
)

_STRINGS: Final = """
    as_string decode_base64 decode_csv decode_json_example decode_raw encode_base64 reduce_join regex_replace
    string_join string_split string_to_hash_bucket string_to_hash_bucket_fast string_to_hash_bucket_strong
    string_to_number substr strings
"""
_SPARSE: Final = """
    SparseTensor SparseTensorValue sparse_add sparse_concat sparse_fill_empty_rows sparse_mask sparse_matmul
    sparse_maximum sparse_merge sparse_minimum sparse_placeholder sparse_reduce_max sparse_reduce_sum
    sparse_reorder sparse_reset_shape sparse_reshape sparse_retain sparse_slice sparse_softmax sparse_split
    sparse_tensor_dense_matmul sparse_tensor_to_dense sparse_to_indicator sparse_transpose edit_distance
"""
_QUANTIZED: Final = """
    quantize quantize_v2 dequantize quantized_concat fake_quant_with_min_max_args fake_quant_with_min_max_vars
    fake_quant_with_min_max_vars_per_channel
"""
_FILES: Final = """
    read_file write_file matching_files python_io
"""


def _line(names: str, fix: str) -> str:
    return f"{', '.join(names.split())}: {fix}\n"


MISSING: Final = (
    _line(_STRINGS, "tensors have no strings; work with Python strings before tf.convert_to_tensor")
    + _line(_SPARSE, "polytape has no sparse tensors; use dense ones, or tf.IndexedSlices for gradients of rows")
    + _line(_QUANTIZED, "polytape has no quantized dtypes; scale and cast to int8 with tf.cast")
    + _line(_FILES, "use Python's open() and glob, or tf.data")
    + """
    import_graph_def: graphs are not read from files; build the graph again, and restore variables with tf.train.Saver
    function: TensorFlow 1.7 has tfe.defun(f); tf.function is TensorFlow 2's
    Module, math, random, strings, nest, experimental, io, autograph, distribute: a later TensorFlow's; in TensorFlow 1.7 the functions are names of tf itself
    saved_model, graph_util, profiler, user_ops, resource_loader: not for eager programs, or not here
    concatenate, cat: tf.concat(values, axis)
    eig, eigvals: tf.self_adjoint_eig(x) for symmetric matrices; polytape.linalg.eig for others
    repeat: tf.tile, or polytape.repeat
    sum: tf.reduce_sum
    mean: tf.reduce_mean
    max: tf.reduce_max
    min: tf.reduce_min
    argsort, sort: tf.nn.top_k, or polytape.argsort and polytape.sort
    mul: tf.multiply
    sub: tf.subtract
    neg: tf.negative
    pack: tf.stack
    unpack: tf.unstack
    batch_matmul: tf.matmul
    log_softmax, softmax, relu, conv2d, dropout: tf.nn.{name}
    scatter_mul, scatter_div: variable.assign(...) with tf.gather and tf.scatter_update
    ConditionalAccumulator, FIFOQueue, RandomShuffleQueue, PaddingFIFOQueue, PriorityQueue, QueueBase: tf.data.Dataset
    parse_example, parse_single_example, parse_single_sequence_example, FixedLenFeature, VarLenFeature: polytape.data reads records
"""  # noqa: E501  # a line per fix
)
