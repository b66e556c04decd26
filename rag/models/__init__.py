"""Every model: local ones, those of a server, what they are asked and what they may cost."""
