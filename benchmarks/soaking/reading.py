"""Reads the library of the soak as its users do, with an eye on every citation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic, sleep

from rag.errors import RagError
from rag.library import Library
from rag.schema import Answer, Summary, Timeline, Window
from soaking.checking import Checker, Wrong
from soaking.ledger import Ledger
from soaking.shelf import Scene
from soaking.world import CITIES, GOODS, SOURCES, VERBS, World, day, word

_BETWEEN_TRIES = 0.2  # seconds, while a server is down
_KINDS = {"word": 8, "answer": 8, "city": 4, "summary": 1, "timeline": 1, "list": 1}
"""What is asked, and how often beside the others."""


@dataclass(slots=True)
class Reader:
    """One process that asks."""

    scene: Scene
    library: Library
    ledger: Ledger
    outages: int = 0
    """How many outages there had been when a question last went well."""

    def once(self) -> None:
        """One question of any kind, checked."""
        self.ledger.mark()
        window = self._window()
        begun = self.scene.board.outages
        try:
            wrong = list(self._asked(window, Checker(self.scene.world, self.ledger, window)))
        except RagError as error:
            self._failed(error)
            sleep(_BETWEEN_TRIES)
            return
        self.outages = begun
        for each in wrong:
            self.scene.board.violation(each.what, seen=each.seen, window=window)

    def _asked(self, window: Window, checker: Checker) -> Iterator[Wrong]:
        kind = self.scene.chance.choices(("word", "answer", "city", "summary", "timeline", "list"), (8, 8, 4, 1, 1, 1))[
            0
        ]
        known = list(self.ledger.certain().items())
        match kind:
            case "word" if known:
                yield from self._word(*self.scene.chance.choice(known), window, checker)
            case "answer" if known:
                yield from self._answer(self.scene.world.question(*self.scene.chance.choice(known)), window, checker)
            case "summary":
                self._count("summaries")
                told = self.library.summarize(topic=self._topic(), window=window)
                yield from self._told(told, checker)
            case "timeline":
                self._count("timelines")
                yield from self._told(self.library.timeline(topic=self._topic(), window=window), checker)
            case "list":
                self._count("listings")
                found = self.library.articles()
                self.ledger.read()
                yield from Checker(self.scene.world, self.ledger).articles(found)
            case _:
                yield from self._answer(f"How many {self._topic()}?", window, checker)

    def _word(self, number: int, edition: int, window: Window, checker: Checker) -> Iterator[Wrong]:
        self._count("searches")
        hits = self.library.search(word(number), k=5, window=window).hits
        self.ledger.read()
        self._count("passages", len(hits))
        self._count("found", any(hit.article.text == _text(self.scene.world, number, edition) for hit in hits))
        yield from checker.hits(hits)
        yield from checker.found(number, edition, hits)

    def _answer(self, question: str, window: Window, checker: Checker) -> Iterator[Wrong]:
        self._count("questions")
        answer = self.library.ask(question, window=window)
        self._count("answered", bool(answer.statements))
        yield from self._told(answer, checker)
        yield from checker.hits(answer.hits)
        yield from checker.citations(answer.nearest)

    def _told(self, told: Answer | Summary | Timeline, checker: Checker) -> Iterator[Wrong]:
        self.ledger.read()
        conflicts = () if isinstance(told, Timeline) else told.conflicts
        cited = [
            *told.citations,
            *(c for statement in told.statements for c in statement.citations),
            *(position.citation for conflict in conflicts for position in conflict.positions),
        ]
        self._count("citations", len(cited))
        yield from checker.citations(cited)
        yield from checker.statements(told.statements)

    def _count(self, name: str, by: int = 1) -> None:
        self.scene.board.count(self.scene.row, name, by)

    def _topic(self) -> str:
        goods, verb, city = (self.scene.chance.choice(words) for words in (GOODS, VERBS, CITIES))
        return f"{goods} {verb} in {city}"

    def _window(self) -> Window:
        first = day(self.scene.chance.randrange(200))
        sources = tuple(self.scene.chance.sample(SOURCES, self.scene.chance.choice((1, 2))))
        return self.scene.chance.choice(
            (
                *(Window(), Window()),
                *(Window(as_of=first), Window(sources=sources), Window(as_of=first, sources=sources)),
                Window(since=first, until=first + timedelta(days=30)),
            )
        )

    def _failed(self, error: RagError) -> None:
        """An error is right only of a server that was down since a question last went well."""
        self._count("errors")
        if not self.scene.board.is_down and self.scene.board.outages == self.outages:
            self.scene.board.violation("a reader got an error", error=f"{type(error).__name__}: {error}")
        if "\n" in str(error):
            self.scene.board.violation("an error of more than one line", error=error)


def read_on(scene: Scene, until: float) -> None:
    """Asks until then; lets go of the library now and then, as programs that come and go do."""
    reader = Reader(scene, scene.library(), scene.ledger())
    while monotonic() < until:
        reader.once()
        scene.board.count(scene.row, "beats")
        if scene.chance.random() < 0.02:
            reader.library.close()
            scene.board.count(scene.row, "reopened")
    reader.library.close()


def sweep(library: Library, world: World, ledger: Ledger) -> Iterator[Wrong]:
    """Looks for every article there is, by its word."""
    ledger.mark()
    checker = Checker(world, ledger)
    yield from checker.articles(library.articles())
    for number, edition in ledger.certain().items():
        hits = library.search(word(number), k=5).hits
        yield from checker.hits(hits)
        yield from checker.found(number, edition, hits)


def answers(library: Library, world: World, editions: Iterable[tuple[int, int]]) -> list[str]:
    """What the library says of some articles, to be compared with what it says later."""
    return [library.ask(world.question(number, edition)).text for number, edition in editions]


def _text(world: World, number: int, edition: int) -> str:
    return world.article(number, edition).text
