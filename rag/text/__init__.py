"""What a text says: its sentences, words, names, dates, quantities, speakers."""
