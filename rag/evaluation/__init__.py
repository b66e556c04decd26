"""Measures how right the answers are, with no judge and no network; or with a judge where there is one."""

from rag.evaluation.cases import schema
from rag.evaluation.report import score_lines
from rag.evaluation.run import Campaign, Outcome, Surroundings, measure

__all__ = ["Campaign", "Outcome", "Surroundings", "measure", "schema", "score_lines"]
