"""All targets."""

from __future__ import annotations

from fuzzing import asking, loading, measuring, reading, replying
from fuzzing.outcomes import Target


def every() -> list[Target]:
    """The targets of all modules, in a fixed order."""
    return [target for module in (loading, reading, asking, replying, measuring) for target in module.targets()]
