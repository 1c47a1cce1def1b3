"""Names in NumPy, PyTorch, JAX and TensorFlow, and what to write instead; `polytape.foreign_names` reads them."""

from __future__ import annotations

from typing import Final

__all__ = ["LINES"]

_EAGER: Final = "ops run at once, so there is nothing to feed or to run; polytape.compat.tf1 has TensorFlow 1.7's names"
_LAYERS: Final = "polytape.nn has the layers, such as polytape.nn.Dense, and polytape.nn.Sequential"
_CROSS_ENTROPY: Final = "polytape.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)"
_BINARY_CROSS_ENTROPY: Final = "polytape.nn.sigmoid_cross_entropy_with_logits(labels, logits)"

# By namespace ("" is polytape itself), lines of the form ``name, name: what to write instead``; {name} stands for it.
LINES: Final[dict[str, str]] = {
    "": f"""
        tensor, array, as_tensor, from_numpy, constant, convert_to_tensor: polytape.asarray(data)
        asanyarray, ascontiguousarray, asfortranarray, asarray_chkfinite: polytape.asarray(data)
        Parameter, get_variable, variable: polytape.Variable(value)
        copy, clone: polytape.identity(x), or x.copy()
        cat, concatenate: polytape.concat(tensors, axis=0)
        row_stack: polytape.vstack(tensors)
        bmat: polytape.block(tensors)
        chunk: polytape.array_split(x, sections)
        vsplit: polytape.split(x, sections, axis=0)
        hsplit: polytape.split(x, sections, axis=1)
        dsplit: polytape.split(x, sections, axis=2)
        unbind: polytape.unstack(x, axis=0)
        gather: polytape.take_along_axis(x, indices, axis=...), or polytape.take for whole rows
        gather_nd: x[i, j], with an index tensor per axis
        scatter: polytape.put_along_axis(x, indices, values, axis=...)
        scatter_add: polytape.index_add(x, indices, values, axis=...)
        scatter_nd, tensor_scatter_nd_update, put, put_: x[indices] = values
        index_select: polytape.take(x, indices, axis=...)
        masked_select, boolean_mask: x[mask]
        putmask, place, copyto, masked_scatter: x[mask] = values
        repeat_interleave: polytape.repeat(x, repeats)
        add_n: polytape.sum(polytape.asarray(tensors), axis=0)
        absolute: polytape.abs(x)
        mul: polytape.multiply(x1, x2)
        sub: polytape.subtract(x1, x2)
        div, true_divide, truediv: polytape.divide(x1, x2)
        floordiv: polytape.floor_divide(x1, x2)
        floormod: polytape.remainder(x1, x2)
        neg: polytape.negative(x)
        eq: polytape.equal(x1, x2)
        ne: polytape.not_equal(x1, x2)
        lt: polytape.less(x1, x2)
        le: polytape.less_equal(x1, x2)
        gt: polytape.greater(x1, x2)
        ge: polytape.greater_equal(x1, x2)
        amax, reduce_max: polytape.max(x, axis=...)
        reduce_sum: polytape.sum(x, axis=...)
        reduce_mean: polytape.mean(x, axis=...)
        reduce_prod: polytape.prod(x, axis=...)
        reduce_all: polytape.all(x, axis=...)
        reduce_any: polytape.any(x, axis=...)
        reduce_std: polytape.std(x, axis=...)
        reduce_variance: polytape.var(x, axis=...)
        reduce_logsumexp, logsumexp: polytape.special.logsumexp(x, axis=...)
        amin, reduce_min: polytape.min(x, axis=...)
        norm: polytape.linalg.norm(x)
        cumsum: polytape.cumulative_sum(x)
        cumprod: polytape.cumulative_prod(x)
        cummax: polytape.cumulative_max(x)
        cummin: polytape.cumulative_min(x)
        topk: polytape.top_k(x, k)
        histc: polytape.histogram(x, bins)
        mm, bmm, mv: polytape.matmul(x1, x2)
        vdot: polytape.vecdot(polytape.flatten(x1), polytape.flatten(x2))
        ger: polytape.outer(x1, x2)
        permute: polytape.permute_dims(x, axes), or x.T for a matrix
        t: x.T
        rollaxis: polytape.moveaxis(x, source, destination)
        resize: polytape.tile(polytape.flatten(x), n), cut and reshaped
        sliding_window_view: polytape.nn.windows(x, size)
        ix_: x[rows[:, None], columns]
        unravel_index: polytape.divmod(index, columns), once per axis
        view: polytape.reshape(x, shape)
        ravel: polytape.flatten(x)
        unsqueeze: polytape.expand_dims(x, axis=...)
        movedim: polytape.moveaxis(x, source, destination)
        expand: polytape.broadcast_to(x, shape)
        broadcast_tensors: polytape.broadcast_arrays(*tensors)
        reverse: polytape.flip(x, axis=...)
        fliplr: polytape.flip(x, axis=1)
        flipud: polytape.flip(x, axis=0)
        diagflat: polytape.diag(polytape.flatten(x))
        tri: polytape.tril(polytape.ones((n, m)))
        tril_indices: polytape.nonzero(polytape.tril(polytape.ones((n, m))))
        triu_indices: polytape.nonzero(polytape.triu(polytape.ones((n, m))))
        fromfunction: the function, of polytape.meshgrid(*vectors, indexing="ij")
        indices: polytape.stack(polytape.meshgrid(*vectors, indexing="ij"))
        fill: polytape.full(shape, value)
        range: polytape.arange(start, stop, step)
        clamp, clip_by_value: polytape.clip(x, low, high)
        cast: polytape.astype(x, dtype)
        bitcast_convert_type: the bits of another dtype are in x.numpy().view(dtype)
        detach, stop_grad: polytape.stop_gradient(x)
        relu, sigmoid, softmax, log_softmax: polytape.nn.{{name}}(x)
        erf, erfc, erfinv, lgamma, digamma, polygamma, xlogy, logit, i0: polytape.special.{{name}}
        rand: polytape.random.uniform(shape)
        randn, random_normal: polytape.random.normal(shape)
        randint: polytape.random.integers(low, high, shape)
        randperm: polytape.random.permutation(n)
        random_uniform: polytape.random.uniform(shape)
        bernoulli: polytape.random.bernoulli(p)
        multinomial: polytape.random.categorical(logits, shape), or polytape.random.choice(n, shape, p=p)
        manual_seed, set_random_seed: polytape.random.seed(value)
        shape: x.shape
        ndim, rank: x.ndim
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
        degrees: polytape.rad2deg(x)
        radians: polytape.deg2rad(x)
        fabs: polytape.abs(x)
        rint, around: polytape.round(x)
        fix: polytape.trunc(x)
        frac: x - polytape.trunc(x)
        mod: polytape.remainder(x1, x2)
        conjugate: polytape.conj(x)
        iscomplex: polytape.imag(x) != 0
        isreal: polytape.imag(x) == 0
        real_if_close: polytape.real(x)
        iscomplexobj, isrealobj, is_complex: polytape.isdtype(x.dtype, "complex floating")
        is_floating_point: polytape.isdtype(x.dtype, "real floating")
        issubdtype: polytape.isdtype(dtype, kind)
        promote_types, common_type: polytape.result_type(dtype1, dtype2)
        isposinf: x == polytape.inf
        isneginf: x == -polytape.inf
        is_nan: polytape.isnan(x)
        array_equiv: polytape.array_equal(*polytape.broadcast_arrays(x1, x2))
        bitwise_not, invert: polytape.bitwise_invert(x)
        left_shift: polytape.bitwise_left_shift(x1, x2)
        right_shift: polytape.bitwise_right_shift(x1, x2)
        array2string, array_str: str(x)
        array_repr: repr(x)
        loadtxt, genfromtxt, fromfile, frombuffer, fromiter: NumPy's function of this name, then polytape.asarray
        savez, savez_compressed: polytape.save(path, structure)
        float: polytape.float32
        double: polytape.float64
        half: polytape.float16
        int: polytape.int32
        long: polytape.int64
        short: polytape.int16
        complex, cfloat: polytape.complex64
        cdouble: polytape.complex128
        no_grad, inference_mode: ops are recorded in a tape's block only; tape.stop_recording() pauses the tape there
        enable_grad, set_grad_enabled, autograd: {{tape}}
        grad: polytape.gradients_function(f), or tape.gradient(y, x)
        value_and_grad: polytape.value_and_gradients_function(f)
        vjp: tape.gradient(y, x, output_gradients=v)
        jit, compile: polytape.function(f)
        saved_model, export: polytape.function(f).export(path, *args), then polytape.load_graph(path)
        pmap: polytape.vmap(f), on one device
        placeholder, Session, InteractiveSession, global_variables_initializer: {_EAGER}
        custom_vjp, custom_jvp, RegisterGradient: polytape.custom_gradient(f)
        jacrev: polytape.jacobian(f)
        jacfwd: polytape.jacobian(f, mode="forward")
        vhp: polytape.hvp(f, (x,), (v,)), since a Hessian is symmetric
        ForwardAccumulator, forward_ad: polytape.jvp(f, (x,), (t,))
        grad_and_value, value_and_gradient: polytape.value_and_gradients_function(f)
        func: polytape itself has jacobian, hessian, jvp, linearize and vmap
        linear_transpose: tape.gradient(y, x, output_gradients=v)
        remat, recompute_grad: polytape.recompute(f)
        vectorize, vectorized_map: polytape.vmap(f)
        map_fn: polytape.map(f, xs), one element after the other, or polytape.vmap(f)(xs), all at once
        foldl, foldr, foreach: polytape.scan(f, carry, xs), where f returns (carry, y); reverse=True from the end
        associative_scan: polytape.scan(f, carry, xs), or polytape.cumulative_sum and its relatives
        switch, switch_case, case: polytape.cond inside polytape.cond, or x[index] of a stack of all results
        check_grads, gradcheck: polytape.check_gradients(f, x)
        gradgradcheck: polytape.check_gradients(f, x, order=2)
        gradients, backward: tape.gradient(y, x), after with polytape.GradientTape() as tape: ...
        trainable_variables: tape.watched_variables(), or those of a polytape.nn.Module
        Module, Model, Sequential: polytape.nn.{{name}}
        layers, keras: {_LAYERS}
        losses, functional: polytape.nn
        cross_entropy: {_CROSS_ENTROPY}
        binary_cross_entropy: {_BINARY_CROSS_ENTROPY}
        utils: polytape.data has data sets, polytape.summary writes for TensorBoard
        load_model, save_model: polytape.Checkpoint(model=model), .save and .restore, of a model that the program makes
        fit, evaluate, predict: polytape.training.{{name}}(module, x, ...), or the method of a polytape.nn.Sequential
        is_available: polytape.backends() lists what is installed
        optimizers: polytape.optim
        train: polytape.optim, and polytape.Checkpoint
        math, lax: polytape itself has these functions, cond, scan and while_loop too
        numpy: polytape itself has NumPy's functions; x.numpy() is a NumPy array
        device_put: x.to_device(device)
        get_device: x.device
        set_default_tensor_type, set_floatx: polytape.set_default_dtype(dtype)
        get_default_dtype: polytape.__array_namespace_info__().default_dtypes()["real floating"]
        devices, local_devices: polytape.backends()
        detect_anomaly, set_detect_anomaly, debug_nans, enable_check_numerics: polytape.debug.check_numerics()
        profiler: polytape.debug.profile()
        debugging: polytape.debug
        cuda: polytape.backends() lists the devices; with polytape.device("gpu"): selects one
        """,
    "nn": f"""
        Parameter: polytape.Variable(value)
        Linear, LazyLinear: polytape.nn.Dense(units)
        Conv1d: polytape.nn.Conv1D(filters, size)
        Conv2d, Convolution2D: polytape.nn.Conv2D(filters, size)
        Conv3d: polytape.nn.Conv3D(filters, size)
        ConvTranspose1d: polytape.nn.Conv1DTranspose(filters, size)
        ConvTranspose, ConvTranspose2d: polytape.nn.Conv2DTranspose(filters, size)
        ConvTranspose3d: polytape.nn.Conv3DTranspose(filters, size)
        Conv: polytape.nn.Conv1D, polytape.nn.Conv2D or polytape.nn.Conv3D
        DepthwiseConv1D: polytape.nn.Conv1D(filters, size, groups=channels)
        BatchNormalization, BatchNorm1d, BatchNorm2d, BatchNorm3d: polytape.nn.BatchNorm()
        LayerNormalization: polytape.nn.LayerNorm()
        GroupNormalization, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d: polytape.nn.GroupNorm(groups)
        RMSNormalization: polytape.nn.RMSNorm()
        MaxPooling1D, MaxPool1d: polytape.nn.MaxPool1D(size)
        MaxPooling2D, MaxPool2d: polytape.nn.MaxPool2D(size)
        MaxPooling3D, MaxPool3d: polytape.nn.MaxPool3D(size)
        AveragePooling1D, AvgPool1d: polytape.nn.AvgPool1D(size)
        AveragePooling2D, AvgPool2d: polytape.nn.AvgPool2D(size)
        AveragePooling3D, AvgPool3d: polytape.nn.AvgPool3D(size)
        GlobalAveragePooling1D: polytape.nn.GlobalAvgPool1D()
        GlobalAveragePooling2D, AdaptiveAvgPool2d: polytape.nn.GlobalAvgPool2D()
        GlobalAveragePooling3D: polytape.nn.GlobalAvgPool3D()
        GlobalMaxPooling1D: polytape.nn.GlobalMaxPool1D()
        GlobalMaxPooling2D, AdaptiveMaxPool2d: polytape.nn.GlobalMaxPool2D()
        GlobalMaxPooling3D: polytape.nn.GlobalMaxPool3D()
        MultiheadAttention: polytape.nn.MultiHeadAttention(num_heads)
        RNN: polytape.nn.SimpleRNN(units), polytape.nn.GRU(units) or polytape.nn.LSTM(units)
        Upsample: polytape.nn.UpSampling2D(size)
        ZeroPad1d: polytape.nn.ZeroPadding1D(padding)
        ZeroPad2d: polytape.nn.ZeroPadding2D(padding)
        ZeroPad3d: polytape.nn.ZeroPadding3D(padding)
        Lambda: polytape.nn.Activation(f), or the function itself in a Sequential
        Layer: polytape.nn.Module
        ModuleList, ModuleDict, List, Dict: a Python list or dict as an attribute of a polytape.nn.Module
        Input, InputLayer: module.build(shape) declares the shape of the input
        functional, losses: polytape.nn itself has the functions
        init: polytape.nn.initializers
        ReLU: polytape.nn.relu(x)
        Sigmoid: polytape.nn.sigmoid(x)
        Softmax: polytape.nn.softmax(x)
        LogSoftmax: polytape.nn.log_softmax(x)
        Tanh, tanh: polytape.tanh(x)
        CrossEntropyLoss, cross_entropy, softmax_cross_entropy, sparse_softmax_cross_entropy: {_CROSS_ENTROPY}
        sparse_categorical_crossentropy: {_CROSS_ENTROPY}
        categorical_crossentropy: polytape.nn.categorical_cross_entropy(labels, predictions)
        logcosh, log_cosh: polytape.nn.log_cosh_loss(labels, predictions)
        binary_focal_crossentropy, BinaryFocalCrossentropy: polytape.nn.sigmoid_focal_loss(labels, logits)
        categorical_focal_crossentropy: polytape.nn.softmax_focal_loss(labels, logits)
        gaussian_nll_loss, GaussianNLLLoss: polytape.nn.gaussian_nll(labels, predictions, variance)
        mape: polytape.nn.mean_absolute_percentage_error(labels, predictions)
        msle: polytape.nn.mean_squared_logarithmic_error(labels, predictions)
        absolute_difference: polytape.nn.l1_loss(labels, predictions)
        hinge: polytape.nn.hinge_loss(labels, logits)
        squared_hinge: polytape.nn.squared_hinge_loss(labels, logits)
        categorical_hinge: polytape.nn.categorical_hinge_loss(labels, logits)
        huber: polytape.nn.huber_loss(labels, predictions)
        dice: polytape.nn.dice_loss(labels, predictions)
        tversky: polytape.nn.tversky_loss(labels, predictions)
        NLLLoss: polytape.nn.nll_loss(labels, log_probabilities)
        MSELoss, mse_loss, mse: polytape.nn.mean_squared_error(labels, predictions)
        L1Loss, mean_absolute_error: polytape.nn.l1_loss(labels, predictions)
        smooth_l1_loss, SmoothL1Loss, HuberLoss: polytape.nn.huber_loss(labels, predictions)
        binary_cross_entropy, BCELoss, binary_crossentropy, bce: polytape.nn.log_loss(labels, predictions)
        binary_cross_entropy_with_logits, BCEWithLogitsLoss: {_BINARY_CROSS_ENTROPY}
        kl_div: polytape.nn.kl_divergence(labels, predictions)
        poisson_nll_loss: polytape.nn.poisson_nll(labels, predictions)
        triplet_margin_loss: polytape.nn.triplet_margin(anchor, positive, negative)
        GELU: polytape.nn.gelu(x)
        SiLU, swish: polytape.nn.silu(x)
        Softplus: polytape.nn.softplus(x)
        logsigmoid: polytape.nn.log_sigmoid(x)
        hardtanh: polytape.nn.hard_tanh(x)
        hardswish, hard_silu: polytape.nn.hard_swish(x)
        hardsigmoid: polytape.nn.hard_sigmoid(x)
        soft_sign: polytape.nn.softsign(x)
        Dropout1d, Dropout2d, SpatialDropout2D: polytape.nn.Dropout(rate, noise_shape=...)
        linear: x @ w.T + b
        embedding, embedding_lookup: polytape.take(table, indices, axis=0)
        bias_add: x + b
        one_hot: polytape.one_hot(indices, num_classes)
        pad: polytape.pad(x, pad_width)
        logsumexp: polytape.special.logsumexp(x, axis=...)
        standardize: polytape.nn.layer_norm(x)
        normalize: polytape.nn.l2_normalize(x)
        moments: polytape.mean(x, axis=...) and polytape.var(x, axis=...)
        top_k: polytape.top_k(x, k)
        max_pool1d, max_pool2d, max_pool3d: polytape.nn.max_pool(x, size, data_format="channels_first")
        avg_pool1d, avg_pool2d, avg_pool3d: polytape.nn.avg_pool(x, size, data_format="channels_first")
        adaptive_avg_pool1d, adaptive_avg_pool2d: polytape.nn.adaptive_avg_pool(x, size, data_format="channels_first")
        conv_transpose2d: polytape.nn.conv2d_transpose(x, weights, data_format="channels_first")
        conv_transpose1d: polytape.nn.conv1d_transpose(x, weights, data_format="channels_first")
        conv2d_backprop_input: polytape.nn.conv2d_transpose(x, weights)
        interpolate, upsample: polytape.nn.resize_bilinear(x, size), or another of the resize functions there
        unfold: polytape.nn.windows(x, size)
        dot_product_attention: polytape.nn.scaled_dot_product_attention(query, key, value)
        """,
    "linalg": """
        triangular_solve, solve_triangular_system: polytape.linalg.solve_triangular(x1, x2)
        cholesky_solve: polytape.linalg.cho_solve(factor, x2)
        lu_factor_ex: polytape.linalg.lu_factor(x)
        logdet: polytape.linalg.slogdet(x)
        band_part: polytape.tril(x, k=...) and polytape.triu(x, k=...)
        set_diag: polytape.fill_diagonal(x, value)
        diag_part: polytape.diagonal(x)
        diag: polytape.diag(x)
        eye: polytape.eye(n)
        matvec: polytape.matvec(x1, x2)
        matrix_exp: polytape.linalg.expm(x)
        adjoint: polytape.conj(x.mT)
        """,
    "special": """
        gammaln: polytape.special.lgamma(x)
        psi: polytape.special.digamma(x)
        expit: polytape.nn.sigmoid(x)
        log_expit: polytape.nn.log_sigmoid(x)
        softmax, log_softmax: polytape.nn.{name}(x)
        exp2, expm1, log1p, sinc, round: polytape.{name}(x)
        """,
    "debug": """
        detect_anomaly, set_detect_anomaly, debug_nans, nans, enable_check_numerics: polytape.debug.check_numerics()
        assert_all_finite, check_nan: polytape.debug.check_numerics(tensors)
        add_op_callback, add_execution_callback, add_check_numerics_ops: polytape.debug.callback(function)
        profiler, Profiler, start_trace, trace: polytape.debug.profile()
        record_function, TraceAnnotation, Trace, annotate_function: polytape.debug.annotate(name)
        print: print(x), since ops run at once; polytape.debug.callback(print) for those of a traced function
        breakpoint, set_trace: Python's breakpoint()
        """,
    "data": """
        DataLoader, TensorDataset: polytape.data.Dataset.from_tensor_slices((x, y)).shuffle().batch(size)
        IterableDataset: polytape.data.Dataset.from_generator(function)
        TFRecordDataset, TextLineDataset: polytape.data.Dataset.from_tfrecord(paths), or Dataset.from_text(paths)
        random_split: dataset.take(n) and dataset.skip(n)
        default_collate: dataset.batch(size), dataset.padded_batch(size)
        AUTOTUNE: num_workers=2, or another number
        from_tensors, from_tensor_slices, from_generator, from_text, from_csv: polytape.data.Dataset.{name}
        """,
    "summary": """
        SummaryWriter, create_file_writer, EventFileWriter: polytape.summary.FileWriter(folder)
        add_scalar, add_histogram, add_image, add_text: polytape.summary.scalar(name, value, step=...) and so on
        add_graph, trace_export: polytape.summary.graph(f.graph(*args)), of a polytape.function
        record_if, record_summaries_every_n_global_steps: polytape.summary.every(n)
        """,
    "optim": """
        GradientDescentOptimizer: polytape.optim.SGD(learning_rate)
        AdamOptimizer: polytape.optim.Adam(learning_rate)
        RMSprop, RMSPropOptimizer: polytape.optim.RMSProp
        NAdam: polytape.optim.Nadam
        MomentumOptimizer: polytape.optim.SGD(learning_rate, momentum)
        AdagradOptimizer, AdadeltaOptimizer, FtrlOptimizer: without Optimizer at the end, as polytape.optim.Ftrl
        ProximalGradientDescentOptimizer, ProximalAdagradOptimizer: likewise, as polytape.optim.ProximalAdagrad
        LBFGS: polytape.optim.Adam or polytape.optim.SGD
        lr_scheduler: polytape.optim.schedules has the schedules; learning_rate=schedule
        swa_utils: polytape.optim.AveragedWeights
        """,
    "random": """
        rand, random, random_sample, random_uniform, ranf, sample: polytape.random.uniform(shape)
        randn, standard_normal, random_normal: polytape.random.normal(shape)
        randint, random_integers: polytape.random.integers(low, high, shape)
        randperm: polytape.random.permutation(n)
        manual_seed, set_random_seed, set_seed, PRNGKey, key: polytape.random.seed(value)
        default_rng, RandomState, split, fold_in: polytape.random.Generator(seed)
        get_state, set_state: polytape.Checkpoint(generator=generator), .save and .restore
        standard_cauchy: polytape.random.cauchy(shape)
        standard_exponential: polytape.random.exponential(shape)
        standard_gamma: polytape.random.gamma(a, shape=shape)
        standard_t, t: polytape.random.student_t(df, shape)
        chisquare, vonmises: polytape.random.chi_square(df, shape), polytape.random.von_mises(mu, kappa, shape)
        lognormal: polytape.exp(polytape.random.normal(shape))
        """,
    "metrics": """
        accuracy, accuracy_score, MulticlassAccuracy: polytape.metrics.Accuracy()(labels, predictions)
        binary_accuracy: polytape.metrics.BinaryAccuracy()(labels, predictions)
        CategoricalCrossentropy, SparseCategoricalCrossentropy, BinaryCrossentropy: polytape.metrics.Mean() of the loss
        MSE, mean_squared_error: polytape.metrics.MeanSquaredError()(labels, predictions)
        MAE, mean_absolute_error: polytape.metrics.MeanAbsoluteError()(labels, predictions)
        F1Score, FBetaScore, f1_score: polytape.metrics.F1()(labels, predictions)
        confusion_matrix: polytape.metrics.ConfusionMatrix(classes)(labels, predictions)
        roc_auc_score, AUROC: polytape.metrics.AUC()(labels, predictions)
        JaccardIndex, IoU: polytape.metrics.MeanIoU(classes)
        TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy: polytape.metrics.TopKAccuracy(k)
        """,
    "training": """
        BackupAndRestore: polytape.training.fit(..., checkpoint=folder)
        ProgbarLogger, RichProgressBar, TQDMProgressBar: polytape.training.fit(..., progress=True)
        Trainer, Learner: polytape.training.fit(model, x, y, optimizer=..., loss=...)
        compile: optimizer=, loss= and metrics= are arguments of polytape.training.fit
        CallbackList: callbacks=[...], a list
        LearningRateMonitor: the history and polytape.training.TensorBoard have the learning rate
        RemoteMonitor: polytape.training.LambdaCallback(on_epoch_end=function)
        StochasticWeightAveraging, SwapEMAWeights: polytape.optim.AveragedWeights, updated in a callback
        GradientAccumulationScheduler: polytape.optim.GradientAccumulator in a loop of your own
    """,
}
