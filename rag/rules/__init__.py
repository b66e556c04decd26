"""Rules of language that are deleted when the reader serves; nothing new belongs here."""
