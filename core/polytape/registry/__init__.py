"""What an op is, and which kernels there are: Op, its gradient rules, the tables, and what a kernel must be to enter.

May import the contract (`backend`, `device`, `dtypes`, `errors`) and nothing else of polytape. No tensor is known here.
"""
