"""What an op is, and which kernels there are for it: declarations, tables, and what a kernel must be to enter them.

May import the contract (`backend`, `device`, `dtypes`, `errors`) and nothing else of polytape.
"""
