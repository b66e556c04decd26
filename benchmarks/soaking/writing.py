"""Writes to the library of the soak, and writes down what was reported to it."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, sleep

from rag.errors import RagError
from rag.library import Library
from soaking.ledger import Change, Edition, Ledger
from soaking.shelf import Scene
from soaking.world import identity

_MOST = 8
_BETWEEN_TRIES = 0.2  # seconds, while a server is down


@dataclass(slots=True)
class Writer:
    """One process that adds, corrects and removes; `size` is how many articles it keeps the library at, about."""

    scene: Scene
    library: Library
    ledger: Ledger
    size: int
    outages: int = 0

    def once(self) -> None:
        """One change, from its intent to its report."""
        change = self._chosen()
        number = self.ledger.begin(change)
        begun = self.scene.board.any_outages
        try:
            self._make(change)
        except RagError as error:
            self._failed(error)
            return
        self.ledger.end(number, done=True)
        self.outages = begun

    def settle(self) -> None:
        """Looks what a change did of which no report came: it must be all there, or not at all."""
        self.library.add()  # waits for the lock, so nobody is at it still
        self.ledger.read()
        for number, change in list(self.ledger.open.items()):
            before = {n: self.ledger.settled.get(n) for n in change}
            found = self._found(change)
            if found not in (change, before):
                self.scene.board.violation("a change was made by half", found=found, meant=change, before=before)
            self.ledger.end(number, done=found == change)
            self._count("settled")

    def _make(self, change: Change) -> None:
        gone = [identity(n) for n, edition in change.items() if edition is None]
        wanted = [self.scene.world.article(n, edition) for n, edition in change.items() if edition]
        known = self.ledger.settled
        if gone:
            done = self.library.remove(*gone)
            self._count("removed", done)
        else:
            report = self.library.add(*wanted)
            done = report.added + report.updated
            self._count("added", report.added)
            self._count("corrected", report.updated)
            if report.added != sum(known.get(n) is None for n in change):
                self.scene.board.violation("a report of other numbers", report=report, meant=change)
        if done != len(change):
            self.scene.board.violation("less was reported than was meant", done=done, meant=change)

    def _chosen(self) -> Change:
        """New articles, or corrections, or removals; more of the last the more there are."""
        there = {n: edition for n, edition in self.ledger.settled.items() if edition}
        count = self.scene.chance.randint(1, _MOST)
        add = self.size / (self.size + len(there))
        kind = self.scene.chance.choices(("add", "correct", "remove"), (add, 0.3, 1 - add))[0]
        if kind == "add" or len(there) < count:
            return self._new(count)
        chosen = self.scene.chance.sample(sorted(there), count)
        return {n: self.ledger.highest[n] + 1 if kind == "correct" else None for n in chosen}

    def _new(self, count: int) -> Change:
        """New articles, and now and then the next edition of some that were removed."""
        highest = self.ledger.highest
        removed = sorted(n for n in highest if self.ledger.settled.get(n) is None)
        if len(removed) > count and self.scene.chance.random() < 0.3:
            return {n: highest[n] + 1 for n in self.scene.chance.sample(removed, count)}
        first = max(highest, default=-1) + 1
        return dict.fromkeys(range(first, first + count), 1)

    def _found(self, change: Change) -> Change:
        articles = {a.id: a.text for a in self.library.catalog.articles([identity(n) for n in change])}
        return {n: self._edition(n, articles.get(identity(n)), change[n]) for n in change}

    def _edition(self, number: int, text: str | None, meant: Edition) -> Edition:
        """Which edition has a text; -1 if none that it can be has."""
        if text is None:
            return None
        editions = [e for e in (meant, self.ledger.settled.get(number)) if e]
        return next((e for e in editions if self.scene.world.article(number, e).text == text), -1)

    def _count(self, name: str, by: int = 1) -> None:
        self.scene.board.count(self.scene.row, name, by)

    def _failed(self, error: RagError) -> None:
        """An error is right only of a server that was down since a change last went well."""
        self._count("errors")
        if not self.scene.board.any_down and self.scene.board.any_outages == self.outages:
            self.scene.board.violation("a writer got an error", error=f"{type(error).__name__}: {error}")
        if "\n" in str(error):
            self.scene.board.violation("an error of more than one line", error=error)

    def settle_at_last(self, until: float) -> None:
        """Settles as soon as the servers are there."""
        while monotonic() < until:
            try:
                self.settle()
            except RagError as error:
                self._failed(error)
                sleep(_BETWEEN_TRIES)
            else:
                return


def write_on(scene: Scene, until: float, size: int) -> None:
    """Writes until then, first settling what a writer before it left."""
    writer = Writer(scene, scene.library(), scene.ledger(), size)
    writer.settle_at_last(until)
    while monotonic() < until:
        writer.once()
        scene.board.count(scene.row, "beats")
        if writer.ledger.open:
            writer.settle_at_last(until)
        if scene.chance.random() < 0.02:
            writer.library.close()
            scene.board.count(scene.row, "reopened")
    writer.library.close()


def fill(scene: Scene, count: int) -> None:
    """The first articles, before the readers begin."""
    ledger = scene.ledger()
    number = ledger.begin(dict.fromkeys(range(count), 1))
    with scene.library() as library:
        report = library.add(*(scene.world.article(n, 1) for n in range(count)))
    assert report.added == count, report
    ledger.end(number, done=True)
    scene.board.count(scene.row, "added", count)
