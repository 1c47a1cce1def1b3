"""The ops and public names of each family; written by tools/write_op_table.py, never by hand."""

from __future__ import annotations

from typing import Final

__all__ = ["FAMILIES"]

# Per family, the names of its ops, and its public names.
FAMILIES: Final[dict[str, tuple[str, str]]] = {
    "applying": (
        "",
        "apply_along_axis apply_over_axes piecewise",
    ),
    "arithmetic": (
        "abs add divide maximum minimum multiply negative power sign square subtract",
        "abs add divide maximum minimum multiply negative power sign square subtract",
    ),
    "bitwise": (
        "bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor",
        "bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor",
    ),
    "choosing": (
        "",
        "choose compress delete extract fill_diagonal insert select",
    ),
    "complex_parts": (
        "angle complex conj imag real",
        "angle conj imag real",
    ),
    "contractions": (
        "",
        "cross diagonal dot inner kron multi_dot outer tensordot trace vecdot",
    ),
    "counting": (
        "",
        "Histogram bincount digitize histogram",
    ),
    "creation": (
        "arange eye full linspace ones zeros",
        "arange empty eye full geomspace linspace logspace ones zeros",
    ),
    "cumulative": (
        "cumulative_max cumulative_min cumulative_prod cumulative_prod_gradient cumulative_sum logcumsumexp "
        "other_products",
        "cumulative_max cumulative_min cumulative_prod cumulative_sum diff logcumsumexp",
    ),
    "distributions": (
        "random_binomial random_gamma random_poisson random_von_mises",
        "",
    ),
    "einsum": (
        "",
        "einsum",
    ),
    "elementwise": (
        "clip deg2rad gcd heaviside lcm lerp positive rad2deg reciprocal sinc",
        "clip deg2rad float_power fmax fmin gcd heaviside lcm lerp logaddexp2 nan_to_num positive rad2deg "
        "reciprocal sinc",
    ),
    "exponential": (
        "cbrt exp exp2 expm1 log log10 log1p log2 logaddexp rsqrt sqrt",
        "cbrt exp exp2 expm1 log log10 log1p log2 logaddexp rsqrt sqrt",
    ),
    "fft.several": (
        "",
        "fft2 fftfreq fftn fftshift ifft2 ifftn ifftshift irfft2 irfftn rfft2 rfftfreq rfftn",
    ),
    "fft.transforms": (
        "fft ifft irfft rfft",
        "fft hfft ifft ihfft irfft rfft",
    ),
    "gathering": (
        "add_along_axis take_along_axis",
        "diag index_add masked_fill put_along_axis reverse_sequence take_along_axis",
    ),
    "indexing": (
        "getitem scatter_add setitem",
        "",
    ),
    "joining": (
        "roll stack",
        "array_split broadcast_arrays broadcast_shapes meshgrid repeat roll split stack tile unstack",
    ),
    "likeness": (
        "tril triu",
        "empty_like full_like ones_like tril triu zeros_like",
    ),
    "linalg.eigen": (
        "eig eigh",
        "EigResult EighResult eig eigh",
    ),
    "linalg.factorizations": (
        "cholesky lu_factor qr svd",
        "LUFactors QRResult SVDResult cholesky lu_factor qr svd",
    ),
    "linalg.functions": (
        "pinv",
        "LUResult block_diag cho_solve expm lstsq lu matrix_power pinv tensorinv tensorsolve",
    ),
    "linalg.norms": (
        "euclidean_norm",
        "cond eigvals eigvalsh matrix_norm matrix_rank norm svdvals vector_norm",
    ),
    "linalg.solving": (
        "cofactors det inv slogdet solve solve_triangular",
        "SlogdetResult det inv lu_solve slogdet solve solve_triangular",
    ),
    "logic": (
        "equal greater greater_equal isfinite larger_share less less_equal logical_and logical_not logical_or "
        "not_equal where",
        "equal greater greater_equal isfinite less less_equal logical_and logical_not logical_or not_equal where",
    ),
    "manipulation": (
        "astype broadcast_to concat identity permute_dims reshape stop_gradient",
        "astype broadcast_to concat identity permute_dims reshape stop_gradient to",
    ),
    "movement": (
        "scatter slice slice_update take",
        "take",
    ),
    "nan_statistics": (
        "",
        "nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmin nanprod nanstd nansum nanvar",
    ),
    "nn.activations": (
        "glu log_softmax log_softmax_gradient relu relu_gradient sigmoid sigmoid_gradient softmax "
        "softmax_gradient",
        "glu log_softmax relu sigmoid softmax softmin",
    ),
    "nn.attention": (
        "scaled_dot_product_attention",
        "multi_head_attention rotary_embedding scaled_dot_product_attention",
    ),
    "nn.attention_gradients": (
        "attention_gradient",
        "",
    ),
    "nn.channel_norms": (
        "",
        "batch_norm group_norm instance_norm local_response_norm",
    ),
    "nn.classification_losses": (
        "",
        "categorical_cross_entropy categorical_hinge_loss dice_loss sigmoid_focal_loss softmax_focal_loss "
        "squared_hinge_loss tversky_loss",
    ),
    "nn.convolution": (
        "conv fold windows",
        "fold windows",
    ),
    "nn.convolution_forms": (
        "",
        "conv conv1d conv1d_transpose conv2d conv2d_transpose conv3d conv3d_transpose depthwise_conv2d "
        "separable_conv2d",
    ),
    "nn.convolution_gradients": (
        "conv_weight_gradient",
        "",
    ),
    "nn.distances": (
        "",
        "cosine_similarity hinge_loss huber_loss kl_divergence l1_loss log_loss mean_squared_error poisson_nll "
        "triplet_margin",
    ),
    "nn.images": (
        "",
        "depth_to_space pixel_shuffle pixel_unshuffle resize_bicubic resize_bilinear resize_nearest "
        "space_to_depth",
    ),
    "nn.losses": (
        "nll_loss sigmoid_cross_entropy_with_logits softmax_cross_entropy_gradient "
        "softmax_cross_entropy_with_logits sparse_softmax_cross_entropy_with_logits",
        "nll_loss sigmoid_cross_entropy_with_logits softmax_cross_entropy_with_logits "
        "sparse_softmax_cross_entropy_with_logits",
    ),
    "nn.norm_gradients": (
        "batch_norm_gradient layer_norm_gradients",
        "",
    ),
    "nn.norms": (
        "batch_norm layer_norm layer_norm_gradient rms_norm rms_norm_gradient",
        "BatchNormResult l2_normalize layer_norm rms_norm",
    ),
    "nn.pooling": (
        "avg_pool max_pool max_pool_gradient",
        "avg_pool max_pool",
    ),
    "nn.pooling_forms": (
        "",
        "PoolIndices adaptive_avg_pool adaptive_max_pool global_avg_pool global_max_pool lp_pool "
        "max_pool_with_indices max_unpool",
    ),
    "nn.rectifiers": (
        "celu elu elu_gradient hard_sigmoid hard_swish hard_tanh hardshrink leaky_relu leaky_relu_gradient prelu "
        "relu6 selu softshrink",
        "celu elu hard_sigmoid hard_swish hard_tanh hardshrink leaky_relu prelu relu6 selu softshrink",
    ),
    "nn.recurrent": (
        "",
        "LSTMState gru gru_cell lstm lstm_cell rnn rnn_cell",
    ),
    "nn.reducing": (
        "",
        "",
    ),
    "nn.regression_losses": (
        "",
        "cosine_distance gaussian_nll log_cosh_loss mean_absolute_percentage_error mean_pairwise_squared_error "
        "mean_squared_logarithmic_error",
    ),
    "nn.regularization": (
        "masked_scale",
        "",
    ),
    "nn.sampling": (
        "",
        "affine_grid grid_sample",
    ),
    "nn.smooth": (
        "gelu gelu_gradient log_sigmoid mish silu silu_gradient softplus softsign tanhshrink",
        "gelu log_sigmoid mish silu softplus softsign tanhshrink",
    ),
    "numerical": (
        "convolve",
        "convolve correlate cumulative_trapezoid ediff1d gradient interp trapezoid unwrap",
    ),
    "optim": (
        "adam_update adamax_update amsgrad_update flat_part momentum_update nadam_update set_rows sgd_update",
        "",
    ),
    "padding": (
        "pad",
        "pad",
    ),
    "polynomials": (
        "",
        "poly polyadd polyder polydiv polyfit polyint polymul polysub polyval roots vander",
    ),
    "predicates": (
        "isclose isinf isnan logical_xor",
        "allclose array_equal isclose isinf isnan logical_xor",
    ),
    "products": (
        "matmul vdot",
        "matmul matrix_transpose matvec vecmat",
    ),
    "quantiles": (
        "",
        "median nanmedian nanpercentile nanquantile percentile quantile",
    ),
    "random": (
        "random_bits random_integers random_mask random_normal random_permutation random_uniform",
        "",
    ),
    "rearranging": (
        "",
        "atleast_1d atleast_2d atleast_3d expand_dims flatten flip moveaxis rot90 squeeze swapaxes transpose",
    ),
    "reduction": (
        "all any argmax argmin count_nonzero max mean min prod std sum var",
        "all any argmax argmin count_nonzero max mean min prod std sum var",
    ),
    "representation": (
        "bitcast copysign frexp ldexp nextafter signbit",
        "Frexp copysign frexp ldexp nextafter signbit",
    ),
    "rooted_updates": (
        "centered_rmsprop_rooted_update rmsprop_rooted_update",
        "",
    ),
    "rounding": (
        "ceil floor floor_divide fmod remainder round trunc",
        "ceil divmod floor floor_divide fmod modf remainder round trunc",
    ),
    "scaled_updates": (
        "adadelta_update adagrad_update centered_rmsprop_update ftrl_update lion_update proximal_adagrad_update "
        "proximal_sgd_update rmsprop_update",
        "",
    ),
    "segment": (
        "one_hot segment_max segment_mean segment_min segment_prod segment_sum",
        "one_hot segment_max segment_mean segment_min segment_prod segment_sum",
    ),
    "sets": (
        "isin",
        "UniqueAll UniqueCounts UniqueInverse intersect1d isin setdiff1d setxor1d union1d unique unique_all "
        "unique_counts unique_inverse unique_values",
    ),
    "sorting": (
        "argsort nonzero searchsorted sort top_k",
        "TopK argpartition argsort argwhere flatnonzero lexsort nonzero partition searchsorted sort top_k",
    ),
    "special.bessel": (
        "i0 i0e i1 i1e",
        "i0 i0e i1 i1e",
    ),
    "special.error": (
        "erf erfc erfcx erfinv log_ndtr ndtr ndtri",
        "erf erfc erfcx erfinv log_ndtr ndtr ndtri",
    ),
    "special.gamma": (
        "beta betaln digamma gammasgn lgamma polygamma zeta",
        "beta betaln digamma gammasgn lgamma polygamma zeta",
    ),
    "special.incomplete": (
        "betainc gammainc gammaincc",
        "betainc gammainc gammaincc",
    ),
    "special.information": (
        "entr kl_div logit logsumexp rel_entr xlog1py xlogy",
        "entr kl_div logit logsumexp rel_entr xlog1py xlogy",
    ),
    "stacking": (
        "",
        "append block column_stack dstack hstack vstack",
    ),
    "statistics": (
        "",
        "average corrcoef cov ptp",
    ),
    "trigonometric": (
        "acos acosh asin asinh atan atan2 atanh cos cosh hypot sin sinh tan tanh",
        "acos acosh asin asinh atan atan2 atanh cos cosh hypot sin sinh tan tanh",
    ),
}
