"""From passages to statements."""
