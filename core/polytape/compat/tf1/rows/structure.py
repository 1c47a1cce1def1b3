"""Partitions, scattering, masks, blocks, sets, checks and gradient clipping."""

from __future__ import annotations

__all__ = ["ASSERTIONS", "ROWS"]

ROWS = """
assign(ref, value, validate_shape=None, use_locking=None, name=None):
    ref.assign(tensor(value, ref.dtype))
assign_add(ref, value, use_locking=None, name=None):
    ref.assign_add(tensor(value, ref.dtype))
assign_sub(ref, value, use_locking=None, name=None):
    ref.assign_sub(tensor(value, ref.dtype))
scatter_add(ref, indices, updates, use_locking=False, name=None):
    with_rows(ref, tensor(indices), updates, 1)
scatter_nd_add(ref, indices, updates, use_locking=False, name=None):
    with_elements(ref, tensor(indices), updates, 1)
scatter_nd_sub(ref, indices, updates, use_locking=False, name=None):
    with_elements(ref, tensor(indices), updates, -1)
scatter_nd_update(ref, indices, updates, use_locking=True, name=None):
    with_elements(ref, tensor(indices), updates, 0)
scatter_sub(ref, indices, updates, use_locking=False, name=None):
    with_rows(ref, tensor(indices), updates, -1)
scatter_update(ref, indices, updates, use_locking=True, name=None):
    with_rows(ref, tensor(indices), updates, 0)
batch_to_space(input, crops, block_size, name=None):
    unblocked(tensor(input), [integer(block_size)] * 2, crops)
batch_to_space_nd(input, block_shape, crops, name=None):
    unblocked(tensor(input), integers(block_shape), crops)
bitcast(input, type, name=None):
    same_bits(tensor(input), lookup(type))
boolean_mask(tensor, mask, name="boolean_mask", axis=None):
    masked(to_tensor(tensor), logical(mask), first(axis, 0))
broadcast_dynamic_shape(shape_x, shape_y):
    vector(pt.broadcast_shapes(sizes(shape_x), sizes(shape_y)), lookup("int32"))
broadcast_static_shape(shape_x, shape_y):
    joint_shape(shape_x, shape_y)
check_numerics(tensor, message, name=None):
    checked(to_tensor(tensor), message)
clip_by_average_norm(t, clip_norm, name=None):
    clipped_by_average(tensor(t), clip_norm)
clip_by_norm(t, clip_norm, axes=None, name=None):
    clipped(t, clip_norm, axes)
clip_by_value(t, clip_value_min, clip_value_max, name=None):
    pt.optim.clip_by_value(slices_or_tensor(t), clip_value_min, clip_value_max)
clip_by_global_norm(t_list, clip_norm, use_norm=None, name=None):
    clipped_together(t_list, clip_norm, use_norm)
confusion_matrix(labels, predictions, num_classes=None, dtype=tf.int32, name=None, weights=None):
    confusions(labels, predictions, num_classes, lookup(dtype), weights)
diag(diagonal, name=None):
    outer_diagonal(tensor(diagonal))
diag_part(input, name=None):
    inner_diagonal(tensor(input))
dynamic_partition(data, partitions, num_partitions, name=None):
    partitioned(tensor(data), tensor(partitions), integer(num_partitions))
dynamic_stitch(indices, data, name=None):
    stitched(indices, data)
extract_image_patches(images, ksizes, strides, rates, padding, name=None):
    patches(tensor(images), integers(ksizes), integers(strides), integers(rates), padding)
eye(num_rows, num_columns=None, batch_shape=None, dtype=tf.float32, name=None):
    identity_matrices(integer(num_rows), num_columns, batch_shape, lookup(dtype))
global_norm(t_list, name=None):
    norm_of_all(t_list)
histogram_fixed_width(values, value_range, nbins=100, dtype=tf.int32, name=None):
    histogram_of(values, value_range, integer(nbins), lookup(dtype))
histogram_fixed_width_bins(values, value_range, nbins=100, dtype=tf.int32, name=None):
    bins_of(values, value_range, integer(nbins), lookup(dtype))
invert_permutation(x, name=None):
    inverse_permutation(tensor(x))
is_non_decreasing(x, name=None):
    pt.all(steps_of(x) >= 0)
is_numeric_tensor(tensor):
    is_number_tensor(tensor)
is_strictly_increasing(x, name=None):
    pt.all(steps_of(x) > 0)
matrix_band_part(input, num_lower, num_upper, name=None):
    banded(tensor(input), integer(num_lower), integer(num_upper))
matrix_diag(diagonal, name=None):
    diagonal_matrices(tensor(diagonal))
matrix_diag_part(input, name=None):
    pt.diagonal(tensor(input))
matrix_set_diag(input, diagonal, name=None):
    with_diagonal(*same(input, diagonal))
multinomial(logits, num_samples, seed=None, name=None, output_dtype=None):
    drawn(real(logits), integer(num_samples), seed, lookup(output_dtype, "int64"))
norm(tensor, ord="euclidean", axis=None, keepdims=None, name=None, keep_dims=None):
    norm_of(floating(tensor), ord, axis, either(keepdims, keep_dims))
pad(tensor, paddings, mode="CONSTANT", name=None, constant_values=0):
    padded(to_tensor(tensor), paddings, mode, constant_values)
qr(input, full_matrices=False, name=None):
    qr_of(floating(input), full_matrices)
random_crop(value, size, seed=None, name=None):
    cropped_at_random(tensor(value), sizes(size), seed)
required_space_to_batch_paddings(input_shape, block_shape, base_paddings=None, name=None):
    needed_paddings(integers(input_shape), integers(block_shape), base_paddings)
scatter_nd(indices, updates, shape, name=None):
    scattered(tensor(indices), tensor(updates), sizes(shape))
sequence_mask(lengths, maxlen=None, dtype=tf.bool, name=None):
    length_mask(tensor(lengths), maxlen, lookup(dtype))
setdiff1d(x, y, index_dtype=tf.int32, name=None):
    difference(*same(x, y), lookup(index_dtype))
space_to_batch(input, paddings, block_size, name=None):
    blocked(tensor(input), [integer(block_size)] * 2, paddings)
space_to_batch_nd(input, block_shape, paddings, name=None):
    blocked(tensor(input), integers(block_shape), paddings)
sparse_segment_mean(data, indices, segment_ids, name=None, num_segments=None):
    picked_segments(pt.segment_mean, tensor(data), tensor(indices), tensor(segment_ids), num_segments)
sparse_segment_sqrt_n(data, indices, segment_ids, name=None, num_segments=None):
    picked_sqrt_n(tensor(data), tensor(indices), tensor(segment_ids), num_segments)
sparse_segment_sum(data, indices, segment_ids, name=None, num_segments=None):
    picked_segments(pt.segment_sum, tensor(data), tensor(indices), tensor(segment_ids), num_segments)
sparse_to_dense(sparse_indices, output_shape, sparse_values, default_value=0, validate_indices=True, name=None):
    dense_of(tensor(sparse_indices), sizes(output_shape), sparse_values, default_value)
strided_slice(input_, begin, end, strides=None, begin_mask=0, end_mask=0, ellipsis_mask=0, new_axis_mask=0,
    shrink_axis_mask=0, var=None, name=None):
    strided(tensor(input_), begin, end, strides, (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask))
svd(tensor, full_matrices=False, compute_uv=True, name=None):
    svd_of(floating(tensor), full_matrices, compute_uv)
tensordot(a, b, axes, name=None):
    contracted(*same(a, b), axes)
unique(x, out_idx=tf.int32, name=None):
    distinct(tensor(x), lookup(out_idx), counted=False)
unique_with_counts(x, out_idx=tf.int32, name=None):
    distinct(tensor(x), lookup(out_idx), counted=True)
unravel_index(indices, dims, name=None):
    positions(tensor(indices), sizes(dims))
verify_tensor_all_finite(t, msg, name=None):
    checked(tensor(t), msg)
where(condition, x=None, y=None, name=None):
    chosen(condition, x, y)
"""

ASSERTIONS = """
Assert(condition, data, summarize=None, name=None):
    assert_true(condition, data, summarize)
assert_equal(x, y, data=None, summarize=None, message=None, name=None):
    assert_each("x == y", pt.equal, same(x, y), data, summarize, message)
assert_greater(x, y, data=None, summarize=None, message=None, name=None):
    assert_each("x > y", pt.greater, same(x, y), data, summarize, message)
assert_greater_equal(x, y, data=None, summarize=None, message=None, name=None):
    assert_each("x >= y", pt.greater_equal, same(x, y), data, summarize, message)
assert_integer(x, message=None, name=None):
    assert_kind(tensor(x), "iu", "integer", message)
assert_less(x, y, data=None, summarize=None, message=None, name=None):
    assert_each("x < y", pt.less, same(x, y), data, summarize, message)
assert_less_equal(x, y, data=None, summarize=None, message=None, name=None):
    assert_each("x <= y", pt.less_equal, same(x, y), data, summarize, message)
assert_near(x, y, rtol=None, atol=None, data=None, summarize=None, message=None, name=None):
    assert_close(same(x, y), rtol, atol, data, summarize, message)
assert_negative(x, data=None, summarize=None, message=None, name=None):
    assert_each("x < 0", pt.less, same(x, 0), data, summarize, message)
assert_non_negative(x, data=None, summarize=None, message=None, name=None):
    assert_each("x >= 0", pt.greater_equal, same(x, 0), data, summarize, message)
assert_non_positive(x, data=None, summarize=None, message=None, name=None):
    assert_each("x <= 0", pt.less_equal, same(x, 0), data, summarize, message)
assert_none_equal(x, y, data=None, summarize=None, message=None, name=None):
    assert_each("x != y", pt.not_equal, same(x, y), data, summarize, message)
assert_positive(x, data=None, summarize=None, message=None, name=None):
    assert_each("x > 0", pt.greater, same(x, 0), data, summarize, message)
assert_proper_iterable(values):
    assert_iterable(values)
assert_rank(x, rank, data=None, summarize=None, message=None, name=None):
    assert_number_of_axes(tensor(x), [rank], message)
assert_rank_at_least(x, rank, data=None, summarize=None, message=None, name=None):
    assert_number_of_axes(tensor(x), [rank], message, at_least=True)
assert_rank_in(x, ranks, data=None, summarize=None, message=None, name=None):
    assert_number_of_axes(tensor(x), ranks, message)
assert_same_float_dtype(tensors=None, dtype=None):
    common_float_dtype(tensors, dtype)
assert_scalar(tensor, name=None):
    assert_no_axes(to_tensor(tensor))
assert_type(tensor, tf_type, message=None, name=None):
    assert_dtype(to_tensor(tensor), tf_type, message)
"""
