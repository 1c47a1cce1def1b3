"""Creation, shapes, joining, indexing, segments and random numbers."""

from __future__ import annotations

__all__ = ["ROWS"]

ROWS = """
constant(value, dtype=None, shape=None, name="Const", verify_shape=False):
    constant_of(value, dtype, shape)
range(start, limit=None, delta=1, dtype=None, name="range"):
    counted(start, limit, delta, lookup(dtype))
concat(values, axis, name="concat"):
    pt.concat(tensors(values), axis=integer(axis))
convert_to_tensor(value, dtype=None, name=None, preferred_dtype=None):
    preferred(value, dtype, preferred_dtype)
convert_to_tensor_or_indexed_slices(value, dtype=None, name=None):
    value if is_slices(value) else tensor(value, dtype)
convert_to_tensor_or_sparse_tensor(value, dtype=None, name=None):
    tensor(value, dtype)
depth_to_space(input, block_size, name=None, data_format="NHWC"):
    pt.nn.depth_to_space(tensor(input), block_size, data_format=layout(data_format))
expand_dims(input, axis=None, name=None, dim=None):
    pt.expand_dims(tensor(input), integer(required(axes(axis, dim), "axis")))
fill(dims, value, name=None):
    pt.broadcast_to(tensor(value), sizes(dims))
gather(params, indices, validate_indices=None, name=None, axis=0):
    gathered(table(params), tensor(indices), integer(axis))
gather_nd(params, indices, name=None):
    gathered_by_rows(tensor(params), tensor(indices))
guarantee_const(input, name=None):
    pt.identity(tensor(input))
identity(input, name=None):
    pt.identity(tensor(input))
identity_n(input, name=None):
    [pt.identity(tensor(item)) for item in input]
lin_space(start, stop, num, name=None):
    spaced(start, stop, integer(num))
linspace(start, stop, num, name=None):
    spaced(start, stop, integer(num))
one_hot(indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None):
    one_hot_of(tensor(indices), integer(depth), on_value, off_value, first(axis, -1), lookup(dtype))
ones(shape, dtype=tf.float32, name=None):
    pt.ones(sizes(shape), dtype=lookup(dtype))
ones_like(tensor, dtype=None, name=None, optimize=True):
    pt.ones_like(to_tensor(tensor), dtype=lookup(dtype))
parallel_stack(values, name="parallel_stack"):
    pt.stack(tensors(values))
rank(input, name=None):
    tensor(tensor(input).ndim)
reshape(tensor, shape, name=None):
    pt.reshape(to_tensor(tensor), sizes(shape))
reverse(tensor, axis, name=None):
    flipped(to_tensor(tensor), axis)
reverse_v2(tensor, axis, name=None):
    flipped(to_tensor(tensor), axis)
reverse_sequence(input, seq_lengths, seq_axis=None, batch_axis=None, name=None, seq_dim=None, batch_dim=None):
    pt.reverse_sequence(tensor(input), tensor(seq_lengths), axis=required(axes(seq_axis, seq_dim), "seq_axis"),
    batch_axis=first(axes(batch_axis, batch_dim), 0))
segment_max(data, segment_ids, name=None):
    pt.segment_max(tensor(data), tensor(segment_ids), num_segments=segments(segment_ids))
segment_mean(data, segment_ids, name=None):
    pt.segment_mean(tensor(data), tensor(segment_ids), num_segments=segments(segment_ids))
segment_min(data, segment_ids, name=None):
    pt.segment_min(tensor(data), tensor(segment_ids), num_segments=segments(segment_ids))
segment_prod(data, segment_ids, name=None):
    pt.segment_prod(tensor(data), tensor(segment_ids), num_segments=segments(segment_ids))
segment_sum(data, segment_ids, name=None):
    pt.segment_sum(tensor(data), tensor(segment_ids), num_segments=segments(segment_ids))
shape(input, name=None, out_type=tf.int32):
    vector(tensor(input).shape, lookup(out_type))
shape_n(input, out_type=tf.int32, name=None):
    [vector(tensor(item).shape, lookup(out_type)) for item in input]
size(input, name=None, out_type=tf.int32):
    vector(tensor(input).size, lookup(out_type))
slice(input_, begin, size, name=None):
    sliced(tensor(input_), integers(begin), integers(size))
space_to_depth(input, block_size, name=None, data_format="NHWC"):
    pt.nn.space_to_depth(tensor(input), block_size, data_format=layout(data_format))
split(value, num_or_size_splits, axis=0, num=None, name="split"):
    parts(tensor(value), num_or_size_splits, integer(axis))
squeeze(input, axis=None, name=None, squeeze_dims=None):
    squeezed(tensor(input), axes(axis, squeeze_dims))
stack(values, axis=0, name="stack"):
    stacked(values, integer(axis))
stop_gradient(input, name=None):
    pt.stop_gradient(tensor(input))
tile(input, multiples, name=None):
    pt.tile(tensor(input), sizes(multiples))
transpose(a, perm=None, name="transpose", conjugate=False):
    transposed(tensor(a), perm, conjugate)
unsorted_segment_max(data, segment_ids, num_segments, name=None):
    unsorted(pt.segment_max, tensor(data), tensor(segment_ids), integer(num_segments))
unsorted_segment_min(data, segment_ids, num_segments, name=None):
    unsorted(pt.segment_min, tensor(data), tensor(segment_ids), integer(num_segments))
unsorted_segment_prod(data, segment_ids, num_segments, name=None):
    unsorted(pt.segment_prod, tensor(data), tensor(segment_ids), integer(num_segments))
unsorted_segment_sum(data, segment_ids, num_segments, name=None):
    unsorted(pt.segment_sum, tensor(data), tensor(segment_ids), integer(num_segments))
unsorted_segment_sqrt_n(data, segment_ids, num_segments, name=None):
    unsorted_sqrt_n(tensor(data), tensor(segment_ids), integer(num_segments))
unstack(value, num=None, axis=0, name="unstack"):
    unstacked(tensor(value), num, integer(axis))
zeros(shape, dtype=tf.float32, name=None):
    pt.zeros(sizes(shape), dtype=lookup(dtype))
zeros_like(tensor, dtype=None, name=None, optimize=True):
    pt.zeros_like(to_tensor(tensor), dtype=lookup(dtype))
random_gamma(shape, alpha, beta=None, dtype=tf.float32, seed=None, name=None):
    gamma_numbers(shape, alpha, beta, lookup(dtype), seed)
random_normal(shape, mean=0.0, stddev=1.0, dtype=tf.float32, seed=None, name=None):
    pt.random.normal(sizes(shape), mean, stddev, dtype=lookup(dtype), generator=generator(seed))
random_poisson(lam, shape, dtype=tf.float32, seed=None, name=None):
    poisson_numbers(lam, shape, lookup(dtype), seed)
random_shuffle(value, seed=None, name=None):
    pt.random.permutation(tensor(value), generator=generator(seed))
random_uniform(shape, minval=0, maxval=None, dtype=tf.float32, seed=None, name=None):
    uniform_numbers(sizes(shape), minval, maxval, lookup(dtype), seed)
truncated_normal(shape, mean=0.0, stddev=1.0, dtype=tf.float32, seed=None, name=None):
    pt.random.truncated_normal(sizes(shape), mean, stddev, dtype=lookup(dtype), generator=generator(seed))
"""
