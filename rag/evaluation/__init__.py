"""Measures how right the answers are, with no judge and no network; or with a judge where there is one."""

from rag.evaluation.campaign import Campaign, Outcome, Surroundings, measure
from rag.evaluation.cases import schema
from rag.evaluation.views import score_lines

__all__ = ["Campaign", "Outcome", "Surroundings", "measure", "schema", "score_lines"]
