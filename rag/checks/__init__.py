"""A statement against the spans it cites, a draft against the articles."""
