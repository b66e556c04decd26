"""Rules of language that the checker still needs: what the reader does not judge well enough (evals/results.md)."""
