"""Measures how right the answers are, with no judge and no network; or with a judge where there is one."""

from rag.evaluation.campaign import Asked, Doors, Found, campaign
from rag.evaluation.cases import schema
from rag.evaluation.scoreboard import score_lines

__all__ = ["Asked", "Doors", "Found", "campaign", "schema", "score_lines"]
