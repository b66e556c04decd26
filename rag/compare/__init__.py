"""Articles against each other: what they say differently."""
