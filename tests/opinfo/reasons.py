"""Why an entry of OpInfo is not mapped."""

from __future__ import annotations

__all__ = ["REASONS"]

_TABLE = {
    "views and storage: tensors are never written and have no strides": """
        as_strided as_strided/partial_views as_strided_copy as_strided_scatter new_empty_strided empty_strided
        empty_permuted resize_ resize_as_ chalf""",
    "sparse tensors": "sparse.sampled_addmm sparse.mm/reduce to_sparse",
    "kernels for GPUs only": """
        jiterator_unary jiterator_binary jiterator_4inputs_with_extra_args jiterator_binary_return_by_ref
        jiterator_2inputs_2outputs torch._scaled_mm_v2 torch._scaled_mm torch.ops.aten._flash_attention_forward
        torch.ops.aten._efficient_attention_forward bmm/triton_optimized""",
    "internal functions of torch, whose public form is mapped": """
        _softmax_backward_data max_pool2d_with_indices_backward native_group_norm _native_batch_norm_legit
        _batch_norm_with_update _upsample_bilinear2d_aa torch.ops.aten._safe_softmax.default _unsafe_masked_index
        _unsafe_masked_index_put_accumulate _chunk_cat native_dropout_backward grid_sampler_2d grid_sampler_3d
        hash_tensor""",
    "random numbers; torch draws others, and no other property is compared": """
        nn.functional.rrelu multinomial normal/number_mean nn.functional.dropout2d nn.functional.dropout3d
        nn.functional.alpha_dropout nn.functional.feature_alpha_dropout/with_train
        nn.functional.feature_alpha_dropout/without_train nn.functional.fractional_max_pool2d
        nn.functional.fractional_max_pool3d svd_lowrank pca_lowrank""",
    "LAPACK's packed forms: qr, lu and solve have the factors themselves": """
        geqrf ormqr linalg.householder_product lu_unpack lu_solve linalg.ldl_factor linalg.ldl_factor_ex
        linalg.ldl_solve""",
    "special functions that polytape.special does not have": """
        special.airy_ai special.bessel_j0 special.bessel_j1 special.bessel_y0 special.bessel_y1
        special.chebyshev_polynomial_t special.chebyshev_polynomial_u special.chebyshev_polynomial_v
        special.chebyshev_polynomial_w special.hermite_polynomial_h special.hermite_polynomial_he
        special.laguerre_polynomial_l special.legendre_polynomial_p special.modified_bessel_k0
        special.modified_bessel_k1 special.scaled_modified_bessel_k0 special.scaled_modified_bessel_k1
        special.shifted_chebyshev_polynomial_t special.shifted_chebyshev_polynomial_u
        special.shifted_chebyshev_polynomial_v special.shifted_chebyshev_polynomial_w special.spherical_bessel_j0""",
    "masked tensors: write polytape.where(mask, x, value) first": """
        masked.sum masked.prod masked.cumsum masked.cumprod masked.amax masked.amin masked.argmax masked.argmin
        masked.mean masked.median masked.norm masked.var masked.std masked.softmax masked.log_softmax masked.softmin
        masked.normalize masked.logaddexp masked.logsumexp""",
    "windows of signals": """
        signal.windows.hamming signal.windows.hann signal.windows.bartlett signal.windows.blackman
        signal.windows.cosine signal.windows.exponential signal.windows.gaussian signal.windows.kaiser
        signal.windows.general_cosine signal.windows.general_hamming signal.windows.nuttall stft istft""",
    "losses that polytape.nn does not have, or has with other conventions": """
        nn.functional.linear_cross_entropy nn.functional.linear_cross_entropy/chunked
        nn.functional.linear_cross_entropy/chunked_none nn.functional.soft_margin_loss nn.functional.multi_margin_loss
        nn.functional.multilabel_margin_loss nn.functional.multilabel_soft_margin_loss
        nn.functional.triplet_margin_with_distance_loss nn.functional.binary_cross_entropy nn.functional.ctc_loss
        nn.functional.cosine_embedding_loss nn.functional.gaussian_nll_loss nn.functional.hinge_embedding_loss""",
    "reductions of rows of different numbers: polytape has segment_sum and its relatives": """
        _segment_reduce/lengths _segment_reduce/offsets masked_scatter nn.functional.embedding_bag""",
    "weights of another layout: each projection has its own here": "nn.functional.multi_head_attention_forward",
    "functions that polytape does not have": """
        combinations cdist nn.functional.pdist mode unravel_index unique_consecutive histogramdd renorm nonzero_static
        round/decimals_3 round/decimals_neg_3 fft.hfft2 fft.hfftn fft.ihfft2 fft.ihfftn""",
}

# By entry.
REASONS: dict[str, str] = {name: reason for reason, names in _TABLE.items() for name in names.split()}
