"""What is kept of articles: the catalog, its tables, the indexes of words and vectors."""
