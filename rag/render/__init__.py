"""Results as lines for a terminal, or as pages."""
