"""Inputs that nobody would write, and what has to hold for every one of them.

`tests/test_fuzzing.py` tries a few of each target, `tests/fuzz.py` as many as it is told.
"""
