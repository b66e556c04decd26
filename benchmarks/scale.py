"""How adding and searching grow with the library: synthetic news of 1,000 to 1,000,000 passages.

    uv run python benchmarks/scale.py [--sizes 1k,10k,100k] [--folder DIR] [--out FILE.json] [--write]

Each library is made by `synthetic.py` through the project's own catalog and vector index, without a model: the vectors
are given. It is kept in `--folder`, and making it goes on where it was stopped. Every step has a process of its own.
Times are seconds of processors, which other programs disturb less than those of the clock; both are in `--out`.
`--write` puts the table and the curves into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from curves import Curves, curves
from synthetic import BLOCK, SHARES, SIZE, Limit, Maker, limits, simply_found

from rag.ingest.metadata import article
from rag.library import Library
from rag.models.embeddings import ModelIdentity
from rag.retrieval.query import read
from rag.schema import Window
from rag.store.catalog import Catalog
from rag.store.embedding_table import StoredModel
from rag.store.vector_index import VectorIndex, nearest

HERE = Path(__file__).parent
Record: TypeAlias = dict[str, Any]
MODEL = ModelIdentity("synthetic", hashlib.sha256(b"synthetic").hexdigest())
DEPTH, FIRST = 100, 10
SIMPLY_OVER = 10_000
"""Above this many passages names and dates are found by the shapes that the maker gives them."""
PARTS = ("vectors", "words", "new", "search")
_NEAR = 0.98
_ALL = Limit("none", 1.0, Window())


@dataclass(frozen=True, slots=True)
class Job:
    """A library of a size, in its folder, and how many questions it is asked in each window."""

    passages: int
    folder: Path
    questions: int


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds of the clock, and of processors."""

    clock: float
    processor: float


class Known:
    """Has the vectors of the questions; any other text gets one of its own."""

    id, digest = MODEL.id, MODEL.digest

    def __init__(self, maker: Maker) -> None:
        self._vectors = {question.text: question.vector for question in maker.questions}

    def embed_query(self, text: str) -> list[float]:
        if text not in self._vectors:
            seed = list(hashlib.sha256(text.encode()).digest()[:8])
            self._vectors[text] = np.random.default_rng(seed).normal(size=SIZE).astype(np.float32)
        found: list[float] = self._vectors[text].tolist()
        return found

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]


# In the parent


def main() -> None:
    given = _arguments()
    if given.child:
        job = Job(int(given.child[1]), Path(given.child[2]), given.questions)
        print("\n" + json.dumps(CHILDREN[given.child[0]](job)), flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        jobs = [Job(n, (given.folder or Path(folder)) / f"{n}", given.questions) for n in given.sizes]
        records = [_finished(measured(job), given.out) for job in jobs]
    if given.out:
        records = _merged(given.out, records)
    text = described(records)
    print(text)
    if given.write:
        write(text, records)


def measured(job: Job) -> Record:
    """All numbers of one size."""
    job.folder.mkdir(parents=True, exist_ok=True)
    record: Record = {"passages": job.passages, "date": str(date.today()), "build": _kept("build", job)}
    for name in ("open", "search", "exact", "change"):
        record[name] = _kept(name, job) if name == "exact" else _run(name, job)
        print(f"{job.passages} {name}: {json.dumps(record[name])[:400]}", file=sys.stderr, flush=True)
    nearest_ids = record["exact"].pop("nearest")
    record["recall"] = {name: _recall(record["search"][name]["found"], ids) for name, ids in nearest_ids.items()}
    for limit in record["recall"]:
        del record["search"][limit]["found"]
    return record


def _recall(found: Sequence[Sequence[str]], exact: Sequence[Sequence[str]]) -> float:
    shares = [len(set(a) & set(b)) / len(b) for a, b in zip(found, exact, strict=True) if b]
    return statistics.mean(shares) if shares else 1.0


def _kept(name: str, job: Job) -> Record:
    """What making the library took, or what is nearest in it; read again if it was measured before."""
    kept = job.folder / f"{name}-{job.questions}.json"
    if not kept.is_file():
        kept.write_text(json.dumps(_run(name, job)))
    found: Record = json.loads(kept.read_text())
    return found


def _run(name: str, job: Job) -> Record:
    command = [sys.executable, __file__, "--questions", str(job.questions), "--child", name, str(job.passages)]
    output = subprocess.run([*command, str(job.folder)], text=True, check=True, stdout=subprocess.PIPE).stdout
    found: Record = json.loads(output.splitlines()[-1])
    return found


def _finished(record: Record, out: Path | None) -> Record:
    """Kept as soon as it is there: the next size may take an hour."""
    if out:
        _merged(out, [record])
    return record


def _merged(out: Path, records: Sequence[Record]) -> list[Record]:
    earlier = json.loads(out.read_text()) if out.is_file() else []
    merged = {record["passages"]: record for record in [*earlier, *records]}
    found = [merged[size] for size in sorted(merged)]
    out.write_text(json.dumps(found, indent=1))
    return found


# In a child


def build(job: Job) -> Record:
    """Makes the library, or the rest of it."""
    maker, catalog = Maker(job.passages), Catalog(job.folder / "catalog.sqlite")
    index = VectorIndex(job.folder / "vectors", catalog)
    with catalog.writing():
        catalog.embedded.set_model(StoredModel(MODEL, SIZE))
    done = catalog.passage_count(Window()) // BLOCK
    __import__("chromadb")  # told by itself
    saving, indexing = [], []
    with simply_found() if job.passages > SIMPLY_OVER else nullcontext():
        for number in range(done, job.passages // BLOCK):
            block = maker.block(number)
            saving.append(_timed(lambda b=block: catalog.save(b.drafts, b.embedded)))  # type: ignore[misc]
            indexing.append(_timed(index.synchronize))
    return {"made": job.passages - done * BLOCK, "catalog": _sum(saving), "vectors": _sum(indexing), "memory": _peak()}


def opened(job: Job) -> Record:
    """From a new process to its first results; the import of Chroma by itself."""
    imported = _timed(lambda: __import__("chromadb")) if job.passages > _exact() else Time(0, 0)
    questions, library = Maker(job.passages).questions, Library(job.folder, embeddings=Known(Maker(job.passages)))
    first = _timed(lambda: library.search(questions[0].text))
    second = _timed(lambda: library.search(questions[1].text))
    as_of = Window(as_of=next(limits()).window.as_of)
    return {
        "chroma": _pair(imported),
        "first": _pair(first),
        "second": _pair(second),
        "first as_of": _pair(_timed(lambda: library.search(questions[2].text, window=as_of))),
        "memory": _peak(),
    }


def searched(job: Job) -> Record:
    """Each part of a search by itself and the whole, in each window, when a question is new and once more."""
    maker = Maker(job.passages)
    library = Library(job.folder, embeddings=Known(maker))
    asked = maker.questions[:: len(maker.questions) // job.questions][: job.questions]
    library.search(asked[0].text)
    found: Record = {}
    for limit in (_ALL, *limits()):
        window, texts = limit.window, [question.text for question in asked]
        times = {name: [_timed(lambda f=find, t=t, w=window: f(library, t, w)) for t in texts] for name, find in FINDS}  # type: ignore[misc]
        found[_name(limit)] = {
            "found": [library.vectors.search(q.vector, limit=DEPTH, window=window)[:FIRST] for q in asked],
            **{name: [_pair(taken) for taken in taken_by] for name, taken_by in times.items()},
        }
    return {**found, "memory": _peak(), "disk": _sizes(job.folder)}


def compared(job: Job) -> Record:
    """The ids that comparing with every vector finds, and how many of the first ten were planted."""
    maker, catalog = Maker(job.passages), Catalog(job.folder / "catalog.sqlite")
    asked = maker.questions[:: len(maker.questions) // job.questions][: job.questions]
    found = {_name(limit): _exactly(catalog, limit.window, asked) for limit in (_ALL, *limits())}
    planted = [score > _NEAR for best in found[_name(_ALL)] for score, _ in best]
    ids = {name: [[id for _, id in best] for best in lists] for name, lists in found.items()}
    return {"nearest": ids, "planted": statistics.mean(planted)}


def changed(job: Job) -> Record:
    """What a reader takes for its next search after another process added an article, and what that one took."""
    maker = Maker(job.passages)
    library = Library(job.folder, embeddings=Known(maker))
    library.search(maker.questions[0].text)
    writer = _run("touch", job)
    return {
        "writer": writer,
        "next": _pair(_timed(lambda: library.search(maker.questions[1].text))),
        "after": _pair(_timed(lambda: library.search(maker.questions[2].text))),
    }


def touched(job: Job) -> Record:
    """Adds one article."""
    with Library(job.folder, embeddings=Known(Maker(job.passages))) as library:
        added = article(
            f"A bridge was opened at {time.time_ns()}.", id="touched", title="Bridge", published="2022-05-05"
        )
        return {**_pair(_timed(lambda: library.add(added))), "memory": _peak()}


def _exactly(catalog: Catalog, window: Window, asked: Sequence[Any]) -> list[list[tuple[float, str]]]:
    best: list[list[tuple[float, str]]] = [[] for _ in asked]
    for part in catalog.embedded.slices(window, 20_000):
        places = {id: place for place, id in enumerate(part.ids)}
        for number, question in enumerate(asked):
            ids = nearest(part, question.vector, FIRST)
            scored = [(float(part.matrix[places[id]] @ question.vector), id) for id in ids]
            best[number] = sorted([*best[number], *scored], key=lambda pair: (-pair[0], pair[1]))[:FIRST]
    return best


def _by_vectors(library: Library, text: str, window: Window) -> object:
    assert library.embeddings is not None
    return library.vectors.search(
        np.array(library.embeddings.embed_query(text), np.float32), limit=DEPTH, window=window
    )


def _by_words(library: Library, text: str, window: Window) -> object:
    from rag.retrieval import retriever

    query = read(text)
    return retriever._lexical(library.catalog, (*query.terms, *query.name_keys), limit=DEPTH, window=window)


def _whole(library: Library, text: str, window: Window) -> object:
    return library.search(text, window=window)


FINDS = tuple(zip(PARTS, (_by_vectors, _by_words, _whole, _whole), strict=True))
CHILDREN: Mapping[str, Callable[[Job], Record]] = {
    "build": build,
    "open": opened,
    "search": searched,
    "exact": compared,
    "change": changed,
    "touch": touched,
}


def _timed(job: Callable[[], object]) -> Time:
    clock, processor = time.perf_counter(), time.process_time()
    job()
    return Time(time.perf_counter() - clock, time.process_time() - processor)


def _sum(times: Sequence[Time]) -> Record:
    return _pair(Time(sum(t.clock for t in times), sum(t.processor for t in times)))


def _pair(taken: Time) -> Record:
    return {"clock": taken.clock, "processor": taken.processor}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _sizes(folder: Path) -> Record:
    files = [path for path in folder.rglob("*") if path.is_file()]
    inside = [path for path in files if "vectors" in path.parts]
    return {
        "vectors": sum(p.stat().st_size for p in inside) / 1e6,
        "catalog": sum(p.stat().st_size for p in files if p not in inside) / 1e6,
    }


def _exact() -> int:
    from rag.store.vector_index import EXACT

    return EXACT


def _name(limit: Limit) -> str:
    return f"{limit.kind} {100 * limit.share:g} %"


# The report


def described(records: Sequence[Record]) -> str:
    """What was measured, and the table."""
    asked = len(records[0]["search"][_name(_ALL)]["search"])
    sizes = [f"{record['passages']:,}" for record in records]
    lines = [f"| passages | {' | '.join(sizes)} |", f"|---|{'---:|' * len(records)}"]
    lines += [f"| {name} | {' | '.join(_told(value, r) for r in records)} |" for name, value in _rows()]
    return (
        f"{asked} questions in each window; {max(r['date'] for r in records)}, 2 cores shared with other programs "
        f"({platform.machine()}), Python {platform.python_version()}.\n\n" + "\n".join(lines) + "\n"
    )


def _rows() -> Iterator[tuple[str, Callable[[Record], str]]]:
    yield "added to the catalog, passages a second", lambda r: _rate(r, "catalog")
    yield (
        "added to the vector index, passages a second",
        lambda r: _rate(r, "vectors") if r["passages"] > _exact() else "none",
    )
    names = ("vectors alone", "words alone", "a new question", "a question again")
    for name, text in zip(PARTS, names, strict=True):
        yield f"{text}, p50 / p95, ms", lambda r, n=name: _both(_spread(r, n, [_ALL]))
    for share in SHARES:
        chosen = [limit for limit in limits() if limit.share == share]
        yield f"vectors, a window that admits {100 * share:g} %", lambda r, c=chosen: _both(_spread(r, "vectors", c))
        yield f"words, a window that admits {100 * share:g} %", lambda r, c=chosen: _both(_spread(r, "words", c))
        yield f"new, a window that admits {100 * share:g} %", lambda r, c=chosen: _both(_spread(r, "new", c))
        yield f"again, a window that admits {100 * share:g} %", lambda r, c=chosen: _both(_spread(r, "search", c))
    yield "vectors and words of the first question in a new window, the longest, ms", lambda r: f"{_longest(r):.0f}"
    yield "recall@10 of the vectors", lambda r: f"{r['recall'][_name(_ALL)]:.3f}"
    yield "recall@10, the least of the windows", lambda r: f"{min(r['recall'].values()):.3f}"
    yield "memory of a reader, MB", lambda r: f"{r['search']['memory']:,.0f}"
    yield "memory of the writer, MB", lambda r: f"{r['change']['writer']['memory']:,.0f}"
    yield "catalog on disk, MB", lambda r: f"{r['search']['disk']['catalog']:,.0f}"
    yield "vectors on disk, MB", lambda r: f"{r['search']['disk']['vectors']:,.0f}"
    yield "import of Chroma, s", lambda r: _or_none(r["open"]["chroma"]["processor"])
    yield "opening to the first result, s", lambda r: f"{r['open']['first']['processor']:.2f}"
    yield "first result as of a day, s", lambda r: f"{r['open']['first as_of']['processor']:.2f}"
    yield "next result after another's write, s", lambda r: f"{r['change']['next']['processor']:.2f}"
    yield "adding one article, s", lambda r: f"{r['change']['writer']['processor']:.2f}"


def _told(value: Callable[[Record], str], record: Record) -> str:
    """What a row says of a size; a record that was put together by hand may lack some."""
    try:
        return value(record)
    except KeyError:
        return "-"


def _rate(record: Record, part: str) -> str:
    build = record["build"]
    if part == "vectors" and record["passages"] <= _exact():
        return "none"
    return f"{build['made'] / build[part]['processor']:,.0f}" if build["made"] else "-"


def _spread(record: Record, part: str, chosen: Sequence[Limit]) -> list[float]:
    return sorted(taken["processor"] for limit in chosen for taken in record["search"][_name(limit)][part])


def _longest(record: Record) -> float:
    firsts = [[record["search"][_name(limit)][part][0]["processor"] for part in PARTS[:2]] for limit in limits()]
    return 1000 * max(map(sum, firsts))


def _both(times: Sequence[float]) -> str:
    return f"{1000 * statistics.median(times):.0f} / {1000 * times[int(0.95 * (len(times) - 1))]:.0f}"


def _or_none(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds else "none"


def write(text: str, records: Sequence[Record]) -> None:
    """Puts the report between its marks in the README, and the curves beside it."""
    (HERE / "scale.svg").write_text(curves("Dispatches by the number of passages", _panels(records)), "utf-8")
    readme, start, end = HERE / "README.md", "<!-- scale -->\n", "<!-- end of scale -->"
    before, rest = readme.read_text("utf-8").split(start)
    after = rest.split(end)[1]
    readme.write_text(f"{before}{start}{text}\n![The same numbers as curves](scale.svg)\n{end}{after}", "utf-8")


def _panels(records: Sequence[Record]) -> list[Curves]:
    def line(value: Callable[[Record], float]) -> dict[int, float]:
        return {r["passages"]: value(r) for r in records if "change" in r or _told(lambda r: str(value(r)), r) != "-"}

    def p95(part: str, share: float) -> dict[int, float]:
        chosen = [limit for limit in (_ALL, *limits()) if limit.share == share]
        return line(lambda r: 1000 * (t := _spread(r, part, chosen))[int(0.95 * (len(t) - 1))])

    return [
        Curves("p95 of a search, ms of processors", {n: p95(n, 1.0) for n in PARTS}),
        Curves("p95 of a search in a window, ms", {f"{100 * share:g} %": p95("search", share) for share in SHARES}),
        Curves(
            "MB",
            {
                "memory of a reader": line(lambda r: r["search"]["memory"]),
                "catalog on disk": line(lambda r: r["search"]["disk"]["catalog"]),
                "vectors on disk": line(lambda r: max(0.1, r["search"]["disk"]["vectors"])),
            },
        ),
        Curves(
            "seconds of processors",
            {
                "to the first result": line(lambda r: r["open"]["first"]["processor"]),
                "after another's write": line(lambda r: r["change"]["next"]["processor"]),
                "adding one article": line(lambda r: r["change"]["writer"]["processor"]),
            },
        ),
    ]


def _size(text: str) -> int:
    unit = {"k": 1_000, "m": 1_000_000}.get(text[-1].lower())
    return int(text[:-1]) * unit if unit else int(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = [1_000, 10_000, 100_000]
    parser.add_argument("--sizes", type=lambda text: [_size(part) for part in text.split(",")], default=sizes)
    parser.add_argument("--folder", type=Path, help="keeps the libraries; a temporary one without it")
    parser.add_argument("--questions", type=int, default=20, help="questions in each window, at most 50")
    parser.add_argument("--out", type=Path, help="keeps the raw numbers as JSON, with those of other sizes in it")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
