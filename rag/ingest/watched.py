"""Looks at feeds and folders again and again, and at a feed only as often as its server wants."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rag.errors import BusyError, InputError, LoadError
from rag.files import write_private
from rag.ingest.fetch import Validators, fetch
from rag.ingest.loaders import expand, load, read_response
from rag.schema import Article, Failure
from rag.text.clean import one_line, without_password

_LONGEST_PAUSE = 86_400.0


@dataclass(frozen=True, slots=True)
class Feed:
    """What is known of a feed: the version seen last, how often it has failed since, when to ask again (Unix time)."""

    validators: Validators = field(default_factory=Validators)
    failures: int = 0
    resume: float = 0.0


@dataclass(slots=True)
class Watched:
    """Feeds, files and folders; what is known of the feeds outlasts the process in a private file."""

    file: Path
    feeds: dict[str, Feed] = field(default_factory=dict)

    @classmethod
    def opened(cls, file: Path) -> Watched:
        """Raises InputError if the file is none of ours."""
        try:
            records = json.loads(file.read_text(encoding="utf-8"))
            return cls(file, {url: _feed(record) for url, record in records.items()})
        except FileNotFoundError:
            return cls(file)
        except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise InputError(f"{file} cannot be read ({one_line(str(error), 80)}); remove it") from None

    def look(
        self, places: Sequence[str], *, now: float, interval: float, allow_private: bool = False
    ) -> list[Article | Failure]:
        """What the places have; of a feed nothing if it is unchanged, or is not to be asked yet.

        A feed that fails is asked after twice the `interval`, then twice that, at most a day; or when its server says.
        """
        found: list[Article | Failure] = []
        for place in expand(places):
            if "://" not in place:
                found += load(place)
            elif self.feeds.get(place, Feed()).resume <= now:
                found += self._fetched(place, now, interval, allow_private=allow_private)
        return found

    def save(self) -> None:
        """Writes what is known of the feeds, for its user alone to read."""
        write_private(self.file, json.dumps({url: asdict(feed) for url, feed in self.feeds.items()}))

    def _fetched(self, url: str, now: float, interval: float, *, allow_private: bool) -> list[Article | Failure]:
        feed = self.feeds.get(url, Feed())
        try:
            response = fetch(url, allow_private=allow_private, known=feed.validators)
            found = [] if response.unchanged else list(read_response(url, response))
        except LoadError as error:
            self.feeds[url] = _later(feed, error, now, interval)
            return [Failure(one_line(without_password(url), 1000), one_line(str(error)))]
        whole = not any(isinstance(item, Failure) for item in found)
        known = feed.validators if response.unchanged else response.validators if whole else Validators()
        self.feeds[url] = Feed(known)
        return found


def _later(feed: Feed, error: LoadError, now: float, interval: float) -> Feed:
    pause = min(_LONGEST_PAUSE, interval * 2 ** min(feed.failures + 1, 20))
    asked = error.seconds if isinstance(error, BusyError) and error.seconds else 0.0
    return replace(feed, failures=feed.failures + 1, resume=now + max(pause, asked))


def _feed(record: dict[str, Any]) -> Feed:
    return Feed(Validators(**record["validators"]), int(record["failures"]), float(record["resume"]))
