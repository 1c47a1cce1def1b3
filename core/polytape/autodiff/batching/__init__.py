"""Batching: a function of one element, run on a whole batch (`polytape.vmap`).

`interpreter` is the trace that is open while the function runs: a symbol stands for one element, and holds the tensor
of all elements, with the batch axis first. Each op that the function calls runs at once on all elements: by its rule
(`rules` has the table; `elementwise`, `axes`, `movement`, `indexing`, `products` and `network` declare them), otherwise
by its body, otherwise once per element. `mapping` is `polytape.vmap`.
"""
