"""The names of ``tf.nn``."""

from __future__ import annotations

__all__ = ["ROWS"]

ROWS = """
atrous_conv2d(value, filters, rate, padding, name=None):
    convolved(*same(value, filters), None, padding, None, [rate, rate])
atrous_conv2d_transpose(value, filters, output_shape, rate, padding, name=None):
    deconvolved(*same(value, filters), output_shape, None, padding, None, [rate, rate])
avg_pool(value, ksize, strides, padding, data_format="NHWC", name=None):
    pooled(pt.nn.avg_pool, real(value), ksize, strides, padding, data_format)
avg_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    pooled(pt.nn.avg_pool, real(input), ksize, strides, padding, data_format)
batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    normalized(x, mean, variance, offset, scale, variance_epsilon)
bias_add(value, bias, data_format=None, name=None):
    biased(*same(value, bias), data_format)
conv1d(value, filters, stride, padding, use_cudnn_on_gpu=None, data_format=None, name=None):
    convolved(*same(value, filters), [stride], padding, first(data_format, "NWC"))
conv2d(input, filter, strides, padding, use_cudnn_on_gpu=True, data_format="NHWC", dilations=[1, 1, 1, 1], name=None):
    convolved(*same(input, filter), strides, padding, data_format, dilations)
conv2d_backprop_filter(input, filter_sizes, out_backprop, strides, padding, use_cudnn_on_gpu=True, data_format="NHWC",
    dilations=[1, 1, 1, 1], name=None):
    filter_gradient(convolved, *same(input, out_backprop), filter_sizes, strides, padding, data_format, dilations)
conv2d_backprop_input(input_sizes, filter, out_backprop, strides, padding, use_cudnn_on_gpu=True, data_format="NHWC",
    dilations=[1, 1, 1, 1], name=None):
    input_gradient(convolved, *same(filter, out_backprop), input_sizes, strides, padding, data_format, dilations)
conv2d_transpose(value, filter, output_shape, strides, padding="SAME", data_format="NHWC", name=None):
    deconvolved(*same(value, filter), output_shape, strides, padding, data_format)
conv3d(input, filter, strides, padding, data_format="NDHWC", dilations=[1, 1, 1, 1, 1], name=None):
    convolved(*same(input, filter), strides, padding, data_format, dilations)
conv3d_backprop_filter_v2(input, filter_sizes, out_backprop, strides, padding, data_format="NDHWC",
    dilations=[1, 1, 1, 1, 1], name=None):
    filter_gradient(convolved, *same(input, out_backprop), filter_sizes, strides, padding, data_format, dilations)
conv3d_transpose(value, filter, output_shape, strides, padding="SAME", data_format="NDHWC", name=None):
    deconvolved(*same(value, filter), output_shape, strides, padding, data_format)
convolution(input, filter, padding, strides=None, dilation_rate=None, name=None, data_format=None):
    convolved(*same(input, filter), strides, padding, data_format, dilation_rate)
crelu(features, name=None, axis=-1):
    pt.nn.relu(pt.concat([features := real(features), -features], axis=axis))
depthwise_conv2d(input, filter, strides, padding, rate=None, name=None, data_format=None):
    depthwise(*same(input, filter), strides, padding, data_format, rate)
depthwise_conv2d_native(input, filter, strides, padding, data_format="NHWC", dilations=[1, 1, 1, 1], name=None):
    depthwise(*same(input, filter), strides, padding, data_format, dilations)
depthwise_conv2d_native_backprop_filter(input, filter_sizes, out_backprop, strides, padding, data_format="NHWC",
    dilations=[1, 1, 1, 1], name=None):
    filter_gradient(depthwise, *same(input, out_backprop), filter_sizes, strides, padding, data_format, dilations)
depthwise_conv2d_native_backprop_input(input_sizes, filter, out_backprop, strides, padding, data_format="NHWC",
    dilations=[1, 1, 1, 1], name=None):
    input_gradient(depthwise, *same(filter, out_backprop), input_sizes, strides, padding, data_format, dilations)
dropout(x, keep_prob, noise_shape=None, seed=None, name=None):
    dropped(real(x), keep_prob, noise_shape, seed)
elu(features, name=None):
    pt.nn.elu(real(features))
embedding_lookup(params, ids, partition_strategy="mod", name=None, validate_indices=True, max_norm=None):
    looked_up(params, ids, partition_strategy, max_norm)
fused_batch_norm(x, scale, offset, mean=None, variance=None, epsilon=0.001, data_format="NHWC", is_training=True,
    name=None):
    batch_normalized(real(x), scale, offset, mean, variance, epsilon, data_format, is_training)
in_top_k(predictions, targets, k, name=None):
    among_largest(real(predictions), tensor(targets), integer(k))
l2_loss(t, name=None):
    pt.sum(pt.square(real(t))) / 2
l2_normalize(x, axis=None, epsilon=1e-12, name=None, dim=None):
    pt.nn.l2_normalize(real(x), axis=axes(axis, dim), epsilon=epsilon)
leaky_relu(features, alpha=0.2, name=None):
    pt.maximum(*same(features := real(features), features * alpha))
local_response_normalization(input, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    response_normalized(real(input), depth_radius, bias, alpha, beta)
lrn(input, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    response_normalized(real(input), depth_radius, bias, alpha, beta)
log_poisson_loss(targets, log_input, compute_full_loss=False, name=None):
    poisson_loss(*same(log_input, targets), compute_full_loss)
log_softmax(logits, axis=None, name=None, dim=None):
    pt.nn.log_softmax(real(logits), axis=first(axes(axis, dim), -1))
max_pool(value, ksize, strides, padding, data_format="NHWC", name=None):
    pooled(pt.nn.max_pool, numeric(value), ksize, strides, padding, data_format)
max_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    pooled(pt.nn.max_pool, numeric(input), ksize, strides, padding, data_format)
moments(x, axes, shift=None, name=None, keep_dims=False):
    mean_and_variance(real(x), axes, keep_dims)
normalize_moments(counts, mean_ss, variance_ss, shift, name=None):
    from_statistics(counts, mean_ss, variance_ss, shift)
pool(input, window_shape, pooling_type, padding, dilation_rate=None, strides=None, name=None, data_format=None):
    pooled_by_name(real(input), window_shape, pooling_type, padding, dilation_rate, strides, data_format)
relu(features, name=None):
    pt.nn.relu(numeric(features))
relu6(features, name=None):
    pt.nn.relu6(numeric(features))
relu_layer(x, weights, biases, name=None):
    pt.nn.relu(pt.add(pt.matmul(*same(x, weights)), tensor(biases)))
selu(features, name=None):
    pt.nn.selu(real(features))
separable_conv2d(input, depthwise_filter, pointwise_filter, strides, padding, rate=None, name=None, data_format=None):
    separable(*same(input, depthwise_filter, pointwise_filter), strides, padding, data_format, rate)
sigmoid(x, name=None):
    pt.nn.sigmoid(floating(x))
sigmoid_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None):
    pt.nn.sigmoid_cross_entropy_with_logits(*labels_and_logits(_sentinel, labels, logits))
softmax(logits, axis=None, name=None, dim=None):
    pt.nn.softmax(real(logits), axis=first(axes(axis, dim), -1))
softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, dim=-1, name=None):
    softmax_loss(*probabilities_and_logits(_sentinel, labels, logits), dim, constant_labels=True)
softmax_cross_entropy_with_logits_v2(_sentinel=None, labels=None, logits=None, dim=-1, name=None):
    softmax_loss(*probabilities_and_logits(_sentinel, labels, logits), dim)
softplus(features, name=None):
    pt.nn.softplus(real(features))
softsign(features, name=None):
    pt.nn.softsign(real(features))
sparse_softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None):
    pt.nn.sparse_softmax_cross_entropy_with_logits(*indices_and_logits(_sentinel, labels, logits))
sufficient_statistics(x, axes, shift=None, keep_dims=False, name=None):
    statistics(real(x), axes, shift, keep_dims)
swish(features):
    pt.nn.silu(real(features))
tanh(x, name=None):
    pt.tanh(floating(x))
top_k(input, k=1, sorted=True, name=None):
    largest(numeric(input), integer(k))
weighted_cross_entropy_with_logits(targets, logits, pos_weight, name=None):
    weighted_loss(*same(logits, targets), pos_weight)
weighted_moments(x, axes, frequency_weights, name=None, keep_dims=False):
    weighted_mean_and_variance(real(x), axes, frequency_weights, keep_dims)
xw_plus_b(x, weights, biases, name=None):
    pt.add(pt.matmul(*same(x, weights)), tensor(biases))
zero_fraction(value, name=None):
    pt.mean(pt.astype(pt.equal(value := tensor(value), pt.zeros_like(value)), lookup("float32")))
"""
