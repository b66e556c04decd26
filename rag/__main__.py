"""Runs the command `rag` as `python -m rag`."""

from rag.cli.app import main

if __name__ == "__main__":
    main()
