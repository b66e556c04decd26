"""A conversation with a library, without a screen."""
