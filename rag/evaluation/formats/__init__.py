"""Sets of cases in files, our own or other people's."""
