"""Targets: the files of `rag eval`, of the settings and of the prompts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from fuzzing import material
from fuzzing.invariants import sound_article
from fuzzing.loading import PARAGRAPHS, folder
from fuzzing.outcomes import Target, holds, printable
from rag.evaluation.formats import load_set
from rag.evaluation.gates import load_gates, save_gates
from rag.evaluation.report import load_baseline
from rag.models.prompts import load_prompt
from rag.settings import read_settings

_CLAIM = {"text": "third", "vital": True, "any_of": [["third", "a third"], ["140"]], "whole_words": True}
_QA = {
    "id": "windows-001",
    "type": "windows",
    "question": "How many districts?",
    "history": [{"question": "Who?", "answer": "They. [1]"}],
    "turns": ["Why?"],
    "as_of": "2021-07-08",
    "since": None,
    "sources": ["Wire"],
    "answerable": True,
    "claims": [_CLAIM],
    "forbidden": [_CLAIM],
    "evidence": [{"article": "nt-0706-districts", "quote": "a third"}],
    "conflicts": [{"kind": "conflict", "values": [["five"], ["seven"]]}],
    "speaker": ["Shams"],
    "independent": 2,
    "reason": None,
}
CASES: list[dict[str, Any]] = [
    _QA,
    {"id": "s", "task": "search", "question": "Who?", "evidence": [{"article": "a"}]},
    {
        "id": "c",
        "task": "check",
        "text": "5 fled.",
        "verdict": "supported",
        "evidence": [{"article": "a", "quote": "5"}],
    },
    {"id": "d", "task": "check", "text": "5 fled.", "supported": False, "against": "6 fled."},
    {"id": "t", "task": "timeline", "topic": "war", "max_events": 3, "events": {"2021-08-06": "Zaranj fell."}},
    {"id": "u", "task": "summary", "articles": ["a"], "words": 50, "claims": [_CLAIM], "reference": "It fell."},
]
_BODY = "The ferry to Torsk closes in May. Its owner sold both ships."
MULTIHOP = [
    {
        "query": "Who sold the ships?",
        "answer": "Its owner",
        "question_type": "inference_query",
        "evidence_list": [{"title": "Ferry", "url": "https://example.org/f", "fact": "Its owner sold both ships."}],
    },
    {"query": "What?", "answer": "Insufficient information.", "question_type": "null_query", "evidence_list": None},
]
CORPUS = [
    {"title": "Ferry", "url": "https://example.org/f", "body": _BODY, "published_at": "2021-07-07T08:00:00+00:00"}
]
SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "A_ferry",
            "paragraphs": [
                {
                    "context": f"{_BODY}\x07 It sank.",
                    "qas": [
                        {"id": "q1", "question": "Who?", "answers": [{"text": "Its owner", "answer_start": 34}]},
                        {"id": "q2", "question": "Why?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
    ],
}
RGB = {
    "id": 1,
    "query": "Who?",
    "answer": ["owner", ["a", "b"]],
    "positive": [_BODY, ["x y"]],
    "negative": [PARAGRAPHS],
}
RGB_WRONG = {**RGB, "positive_wrong": ["The mayor sold them."], "fakeanswer": "The mayor"}
GATES: dict[str, Any] = {
    "smoke": {
        "cases": "sets/smoke.jsonl",
        "articles": ["../seeds"],
        "set": "ab",
        "corpus": "",
        "gates": {"right_cases": 0.9},
    }
}
BASELINE = {
    "schema": 1,
    "sets": {"seed": {"cases": [{"id": "a", "right": True}], "rates": {"right_cases": {"value": 0.9}}}},
}
CONFIG = {
    "library": "articles",
    "offline": False,
    "model": "openai:gpt-5-mini",
    "base_url": "http://x/v1",
    "embeddings": "minilm",
    "verifier": "m",
}
PROMPT = {"version": 3, "inputs": ["question"], "system": "Reply with {{}}.", "user": "{question}"}


def _line(value: Any) -> bytes:
    return material.encoded(material.dumped(value))


def _lines(*seeds: Any) -> st.SearchStrategy[bytes]:
    """Lines of JSON: valid ones, damaged ones, and whatever else."""
    line = st.one_of(
        st.sampled_from(seeds).flatmap(material.damaged).map(_line),
        st.sampled_from(seeds).flatmap(material.damaged).map(_line),
        st.sampled_from(seeds).map(_line),
        material.values.map(_line),
        material.deep.map(str.encode),
    )
    return st.one_of(
        st.lists(line, min_size=1, max_size=3).map(b"\n".join),
        material.mutated([b"\n".join(map(_line, seeds))]),
        material.texts_as_bytes,
    )


def _document(*seeds: Any) -> st.SearchStrategy[bytes]:
    whole = st.sampled_from(seeds).flatmap(material.damaged)
    return st.one_of(
        whole.map(_line),
        whole.map(lambda value: json.dumps(value, indent=1).encode()),
        material.mutated([_line(seed) for seed in seeds]),
        material.deep.map(str.encode),
        material.texts_as_bytes,
    )


def _toml(value: Any) -> str:
    """A value as TOML, as far as TOML can say it."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float() | str():
            return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            return f"{{{', '.join(f'{json.dumps(str(k))} = {_toml(v)}' for k, v in value.items())}}}"
        case _:
            return '"none"'


def _table(value: Any) -> bytes:
    if not isinstance(value, Mapping):
        return material.encoded(_toml(value))
    return material.encoded("\n".join(f"{json.dumps(str(k))} = {_toml(v)}" for k, v in value.items()))


def _tables(seed: dict[str, Any]) -> st.SearchStrategy[bytes]:
    return st.one_of(
        material.damaged(seed).map(_table),
        material.damaged(seed).map(_table),
        st.dictionaries(st.sampled_from(list(seed)), material.values, max_size=4).map(_table),
        material.mutated([_table(seed)]),
        material.texts_as_bytes,
        material.deep.map(str.encode),
    )


_yaml = st.one_of(
    st.lists(st.sampled_from(CASES).flatmap(material.damaged), max_size=3).map(
        lambda cases: yaml.safe_dump(json.loads(json.dumps(cases))).encode("utf-8", "surrogatepass")
    ),
    material.mutated(
        [yaml.safe_dump(CASES).encode(), b"- &a {id: x, question: *a}\n- !!python/name:os.system x\n- 2021-07-07"]
    ),
    material.texts_as_bytes,
    material.deep.map(str.encode),
)
_files: dict[str, st.SearchStrategy[dict[str, bytes]]] = {
    "set.jsonl": st.one_of(_lines(*CASES), _lines(RGB, RGB_WRONG)).map(lambda body: {"set.jsonl": body}),
    "set.yaml": _yaml.map(lambda body: {"set.yaml": body}),
    "set.json": _document(SQUAD, RGB, MULTIHOP).map(lambda body: {"set.json": body}),
    "multihop": st.builds(
        lambda questions, corpus: {"MultiHopRAG.json": questions, "corpus.json": corpus},
        _document(MULTIHOP),
        st.one_of(st.just(_line(CORPUS)), _document(CORPUS)),
    ),
    "beir": st.builds(
        lambda queries, corpus, grades: {"queries.jsonl": queries, "corpus.jsonl": corpus, "qrels.tsv": grades},
        st.one_of(st.just(b'{"_id": "1", "text": "Who?"}'), _lines({"_id": "1", "text": "Who?"})),
        _lines({"_id": "d", "title": "T", "text": _BODY}, {"_id": 2, "title": "T"}),
        material.mutated([b"query-id\tcorpus-id\tscore\n1\td\t1\n1\t2\t0\n", b"1 0 d 1\n1 0 2 -1\n"]),
    ),
}


def _place(files: Mapping[str, bytes]) -> Path:
    """A folder with these files and no others."""
    made = folder() / "set"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    for name, body in files.items():
        (made / name).write_bytes(body)
    return made


def _measured(files: Mapping[str, bytes]) -> None:
    made = _place(files)
    path = made / next(iter(files)) if len(files) == 1 else made
    found = load_set(path)
    holds(found == load_set(path), "loading twice gives two sets")
    holds(len({case.id for case in found.cases}) == len(found.cases) > 0, "cases without an id of their own")
    for article in found.articles:
        sound_article(article)
    printable(iter(found.warnings))


def _gated(body: bytes) -> None:
    path = _place({"gates.toml": body}) / "gates.toml"
    found = load_gates(path)
    save_gates(path, found)
    none = {name: replace(gates, gates=gates.gates or {}) for name, gates in found.items()}
    holds(repr(load_gates(path)) == repr(none), "gates are read otherwise than they were written")


def _before(body: bytes) -> None:
    load_baseline(_place({"report.json": body}) / "report.json")


def _configured(body: bytes) -> None:
    file = _place({"config.toml": body}) / "config.toml"
    found = read_settings(environment={}, file=file)
    found.chat()
    found.embedding()


def _prompted(body: bytes) -> None:
    made = _place({"task.toml": body})
    load_prompt("task", "question", folder=made).template.invoke({"question": "{x}"})


def targets() -> list[Target]:
    """A target for each kind of file."""
    sets = [Target(f"eval-{name}", files, _measured, 3) for name, files in _files.items()]
    return [
        *sets,
        Target("gates", _tables(GATES), _gated, 2),
        Target("baseline", _document(BASELINE), _before, 2),
        Target("config", _tables(CONFIG), _configured, 3),
        Target("prompt", _tables(PROMPT), _prompted, 2),
    ]
