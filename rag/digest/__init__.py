"""Summaries, briefings and timelines."""
