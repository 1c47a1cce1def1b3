"""Compares the speed of two commits, or of two backends: ``polytape perf``.

A comparison has two sides: a build of polytape each, run by worker processes that this package starts. The workers load
the cases from here, so both sides run the same code, which uses only polytape's public API.

========== =========================================================================
cases      what is measured: calls on one device, whose results are checked, in families
sides      a commit, or the working tree, built into a folder of its own
worker     a process of one side; run as a script, so that no other polytape loads
workers    starts workers and asks them
measures   opcodes, kernels and bytes of a call; the workers load it by its path too
counting   what a call costs, counted: opcodes, kernels, bytes (lane A)
pairs      what a call takes, timed in turns by two workers (lane B)
gate       the verdict: which backend got worse, or is gone
accepted   slowdowns that were accepted, each with its reason
report     the verdict as text, Markdown and JSON
machine    the machine's record: a change of it starts a new series of times
history    times of commits, kept in files, and where they became longer
site       pages of these files
suite      the cases as benchmarks of asv
asv_plugin what asv does with quick runs, and with a Python that exists already
initial    the files that a backend's own repository needs for all this
commands   the actions of the command line
========== =========================================================================
"""
