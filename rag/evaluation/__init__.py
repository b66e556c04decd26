"""Measures how right the answers are, with no judge and no network."""
