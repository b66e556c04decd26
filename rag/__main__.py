"""Runs the command `rag`, also as `python -m rag`."""

import sys

_INTERRUPTED = 130


def main() -> None:
    """Runs the command line; Ctrl-C ends it quietly even while its parts are loaded."""
    try:
        from rag.cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
