"""Other people's sets: each layout by its shape, with gold that stands in the articles it brings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_embeddings import FakeEmbeddings

from rag.errors import InputError
from rag.evaluation.cases import CaseSet, Claim, QaCase, SearchCase
from rag.evaluation.formats import load_set
from rag.evaluation.observe import places
from rag.evaluation.run import run
from rag.ingest.loaders import load
from rag.library import Library
from rag.schema import Article

FERRY = {
    "title": "Ferry to Torsk closes",
    "author": "Ana Lind",
    "source": "Harbour Times",
    "published_at": "2023-10-02T08:00:00+00:00",
    "category": "business",
    "url": "https://example.org/ferry",
    "body": "The ferry to Torsk closes in May.\n\nIts owner,  Mads Holm, has\nsold both ships to a yard in Riga.",
}
BRIDGE = {
    "title": "Bridge at Torsk opens",
    "author": None,
    "source": "Coast Daily",
    "published_at": "2023-11-20T10:30:00+00:00",
    "category": "travel",
    "url": "https://example.org/bridge",
    "body": "The bridge at Torsk opened on Monday. Mads Holm cut the ribbon.",
}
OWNER = {
    "query": "Who sold both ships and cut the ribbon at Torsk?",
    "answer": "Mads Holm",
    "question_type": "inference_query",
    "evidence_list": [
        {**FERRY, "fact": "Its owner, Mads Holm, has sold both ships to a yard in Riga."},
        {**BRIDGE, "fact": "Mads Holm cut the ribbon."},
    ],
}
NOTHING = {
    "query": "What does the tunnel cost?",
    "answer": "Insufficient information.",
    "question_type": "null_query",
    "evidence_list": None,
}


def written(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def lines(path: Path, *values: Any) -> Path:
    path.write_text("".join(f"{json.dumps(value, ensure_ascii=False)}\n" for value in values), encoding="utf-8")
    return path


def multihop(folder: Path, *questions: Mapping[str, Any], corpus: Any = (FERRY, BRIDGE)) -> Path:
    written(folder / "corpus.json", corpus)
    return written(folder / "MultiHopRAG.json", questions)


def gold(found: CaseSet, folder: Path) -> list[list[str]]:
    """The evidence of each case as it stands in a library that the articles of the set were added to."""
    with Library(folder / "library", embeddings=FakeEmbeddings()) as library:
        report = library.add(*found.articles)
        assert (report.added, report.duplicates, report.failed, report.warnings) == (len(found.articles), 0, (), ())
        texts = {article.id: article.text for article in library.articles()}
        return [[texts[p.article][p.start : p.end] for p in places(case, library.catalog)] for case in found.cases]


def questions(found: CaseSet) -> list[QaCase]:
    return [case for case in found.cases if isinstance(case, QaCase)]


def told(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_set(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# MultiHop-RAG


def test_facts_of_multihop_stand_in_the_articles_whatever_their_white_space(tmp_path: Path) -> None:
    found = load_set(multihop(tmp_path, OWNER, NOTHING))
    sold, cut = gold(found, tmp_path)[0]
    assert sold == "Its owner,  Mads Holm, has\nsold both ships to a yard in Riga."
    assert cut == "Mads Holm cut the ribbon."
    assert found.warnings == ()


def test_questions_of_multihop_keep_their_type_and_answer(tmp_path: Path) -> None:
    first, second = questions(load_set(multihop(tmp_path, OWNER, NOTHING)))
    assert (first.id, first.type, first.answerable) == ("MultiHopRAG-0", "inference_query", True)
    assert first.claims == (Claim("Mads Holm", (("Mads Holm",),), whole_words=True),)
    assert (second.id, second.type, second.answerable, second.claims) == ("MultiHopRAG-1", "null_query", False, ())


def test_the_folder_of_multihop_is_the_same_set(tmp_path: Path) -> None:
    path = multihop(tmp_path, OWNER)
    assert replace(load_set(tmp_path), path=path) == load_set(path)


def test_articles_of_multihop_have_the_ids_that_adding_the_corpus_gives(tmp_path: Path) -> None:
    found = load_set(multihop(tmp_path, OWNER))
    loaded = [item for item in load(tmp_path / "corpus.json") if isinstance(item, Article)]
    assert [(a.id, a.sha256) for a in found.articles] == [(a.id, a.sha256) for a in loaded]


def test_a_fact_that_does_not_stand_in_its_article_is_the_whole_article_and_told(tmp_path: Path) -> None:
    loose = {**OWNER, "evidence_list": [{**BRIDGE, "fact": "Mads Holm opened the bridge."}]}
    found = load_set(multihop(tmp_path, loose))
    assert gold(found, tmp_path) == [[BRIDGE["body"]]]
    assert found.warnings == (
        "MultiHopRAG.json: 1 of 1 facts are not in their articles; the whole article is the evidence",
    )


def test_a_fact_of_an_article_that_is_not_there_is_left_out_and_told(tmp_path: Path) -> None:
    found = load_set(multihop(tmp_path, OWNER, corpus=[FERRY]))
    assert len(gold(found, tmp_path)[0]) == 1
    assert "1 facts are of articles that corpus.json does not have" in found.warnings[0]


def test_a_short_answer_counts_as_a_word_of_its_own(tmp_path: Path) -> None:
    question = {**OWNER, "answer": "No", "question_type": "comparison_query"}
    claim = questions(load_set(multihop(tmp_path, question)))[0].claims[0]
    assert claim.is_in("no, they differ")
    assert not claim.is_in("Nobody knows.")


def test_an_answer_of_several_words_may_stand_on_two_lines(tmp_path: Path) -> None:
    claim = questions(load_set(multihop(tmp_path, OWNER)))[0].claims[0]
    assert claim.is_in("It was Mads\nHolm.")


def test_multihop_without_its_corpus_says_what_to_do(tmp_path: Path) -> None:
    path = written(tmp_path / "MultiHopRAG.json", [OWNER])
    assert "has no corpus.json beside it; put the articles there" in told(path)


def test_a_question_of_multihop_without_an_answer_is_told_with_its_index(tmp_path: Path) -> None:
    bad = {key: value for key, value in OWNER.items() if key != "answer"}
    assert told(multihop(tmp_path, OWNER, bad)).startswith("MultiHopRAG.json[1]: the field 'answer' is missing; wanted")


def test_an_article_of_multihop_without_text_is_told_with_its_index(tmp_path: Path) -> None:
    assert told(multihop(tmp_path, OWNER, corpus=[FERRY, {"title": "Empty"}])).startswith("corpus.json[1]: has no text")


def test_two_articles_with_one_url_are_told(tmp_path: Path) -> None:
    twice = {**BRIDGE, "url": FERRY["url"]}
    assert "corpus.json[1]: an earlier document has the id" in told(multihop(tmp_path, OWNER, corpus=[FERRY, twice]))


# RGB

NOISE = {
    "id": 0,
    "query": "Where does the Torsk regatta start?",
    "answer": [["Pier 4", "the fourth pier"]],
    "positive": ["The Torsk regatta starts at Pier 4 at noon.", "Boats leave the fourth pier for the Torsk regatta."],
    "negative": ["The Torsk regatta was founded by a baker.", "  "],
}
PARTS = {
    "id": 1,
    "query": "Who won the regatta in 2021 and in 2022?",
    "answer": ["Ida Brandt", ["Olaf Nyborg", "O. Nyborg"]],
    "positive": [["Ida Brandt won the regatta of 2021."], ["In 2022 Olaf Nyborg won.", "O. Nyborg took the 2022 cup."]],
    "negative": ["Nobody won in 2020."],
}
FALSE = {
    "id": 2,
    "query": "How many boats sailed in the regatta?",
    "answer": "70",
    "fakeanswer": "170",
    "positive": ["In all 70 boats sailed in the regatta."],
    "positive_wrong": ["In all 170 boats sailed in the regatta."],
    "negative": ["The boats were blue."],
}


def test_documents_of_rgb_become_articles_and_the_right_ones_evidence(tmp_path: Path) -> None:
    found = load_set(lines(tmp_path / "en.json", NOISE, PARTS, FALSE))
    assert gold(found, tmp_path) == [
        NOISE["positive"],
        [text for part in PARTS["positive"] for text in part],
        FALSE["positive"],
    ]
    assert len(found.articles) == 10
    assert found.warnings == ("en.json: 1 passages have no text and are left out",)


def test_answers_of_rgb_are_claims_with_their_alternatives(tmp_path: Path) -> None:
    noise, parts, false = questions(load_set(lines(tmp_path / "en.jsonl", NOISE, PARTS, FALSE)))
    assert [claim.any_of for claim in noise.claims] == [(("Pier 4", "the fourth pier"),)]
    assert [claim.any_of for claim in parts.claims] == [(("Ida Brandt",),), (("Olaf Nyborg", "O. Nyborg"),)]
    assert (noise.type, parts.type, false.type) == ("noise", "integration", "counterfactual")


def test_a_wrong_answer_of_rgb_is_forbidden_and_does_not_pass_for_the_right_one(tmp_path: Path) -> None:
    (case,) = questions(load_set(lines(tmp_path / "en_fact.json", FALSE)))
    (wrong,), (right,) = case.forbidden, case.claims
    assert wrong.is_in("In all 170 boats sailed.")
    assert not right.is_in("In all 170 boats sailed.")
    assert not wrong.is_in("In all 70 boats sailed.")


def test_a_wrong_answer_that_right_passages_have_too_is_not_forbidden_but_told(tmp_path: Path) -> None:
    both = {**FALSE, "positive": ["Of 170 boats that came, 70 sailed."]}
    found = load_set(lines(tmp_path / "en_fact.json", both))
    assert questions(found)[0].forbidden == ()
    assert "1 wrong answers are not forbidden" in found.warnings[0]


def test_a_question_of_rgb_that_no_passage_answers_is_unanswerable(tmp_path: Path) -> None:
    (case,) = questions(load_set(lines(tmp_path / "en.json", {**NOISE, "positive": []})))
    assert (case.answerable, case.claims, case.evidence) == (False, (), ())


def test_numbers_in_chinese_text_stand_without_spaces(tmp_path: Path) -> None:
    chinese = {**FALSE, "query": "多少?", "positive": ["共有70个议席。"], "positive_wrong": ["共有170个议席。"]}
    (case,) = questions(load_set(lines(tmp_path / "zh_fact.json", chinese)))
    assert case.claims[0].is_in("共有70个议席。")
    assert not case.claims[0].is_in("共有170个议席。")
    assert case.forbidden[0].is_in("共有170个议席。")


def test_a_bad_line_of_rgb_is_told_with_its_number(tmp_path: Path) -> None:
    path = lines(tmp_path / "en.json", NOISE, {**PARTS, "positive": "no list"})
    assert told(path).startswith("en.json:2: the field 'positive': ")


def test_a_line_may_have_a_line_separator_in_its_text(tmp_path: Path) -> None:
    path = lines(tmp_path / "en.json", {**NOISE, "negative": ["One\u2028two\u0085three."]})
    assert len(load_set(path).cases) == 1


# BEIR and TREC

DOCUMENTS = (
    {"_id": "d1", "title": "Ferry", "text": "The ferry to Torsk closes in May.", "metadata": {}},
    {"_id": "d2", "title": "", "text": "The bridge at Torsk opened on Monday."},
    {"_id": "d3", "title": "The harbour at Torsk", "text": ""},
    {"_id": "d4", "title": "Ferry again", "text": "The ferry to Torsk closes in May."},
    {"_id": "d5", "title": "", "text": ""},
)
QUERIES = ({"_id": "q1", "text": "When does the ferry close?"}, {"_id": "q2", "text": "Which bridge opened?"})


def beir(folder: Path, *splits: str, rows: str = "q1\td1\t2\nq1\td2\t0\nq2\td2\t1\nq2\td3\t1\n") -> Path:
    lines(folder / "corpus.jsonl", *DOCUMENTS)
    lines(folder / "queries.jsonl", *QUERIES)
    (folder / "qrels").mkdir()
    for split in splits:
        (folder / "qrels" / f"{split}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}", encoding="utf-8")
    return folder


def searches(found: CaseSet) -> dict[str, list[str | None]]:
    cases = [case for case in found.cases if isinstance(case, SearchCase)]
    assert len(cases) == len(found.cases)
    return {case.id: [evidence.article for evidence in case.evidence] for case in cases}


def test_relevant_documents_of_beir_are_the_evidence_of_a_search(tmp_path: Path) -> None:
    found = load_set(beir(tmp_path, "test"))
    assert searches(found) == {"q1": ["d1"], "q2": ["d2", "d3"]}
    assert gold(found, tmp_path) == [
        ["The ferry to Torsk closes in May."],
        ["The bridge at Torsk opened on Monday.", "The harbour at Torsk"],
    ]


def test_a_set_in_the_layout_of_beir_is_run_like_any_other(tmp_path: Path) -> None:
    found = load_set(beir(tmp_path, "test"))
    with Library(tmp_path / "library", embeddings=FakeEmbeddings()) as library:
        library.add(*found.articles)
        results = run(found, library).results
    assert [{hit.article for hit in result.hits} for result in results] == [{"d1", "d2", "d3"}] * 2


def test_a_document_with_the_text_of_another_stands_for_it(tmp_path: Path) -> None:
    found = load_set(beir(tmp_path, "test", rows="q1\td4\t1\nq2\td2\t1\n"))
    assert searches(found)["q1"] == ["d1"]


def test_of_several_splits_of_beir_test_is_read_unless_another_is_named(tmp_path: Path) -> None:
    folder = beir(tmp_path, "dev", "test", "train")
    found, dev = load_set(folder), load_set(folder / "qrels" / "dev.tsv")
    assert found.warnings[0] == "test.tsv is read, dev.tsv, train.tsv not; name another one by its path"
    assert (found.name, dev.name) == (f"{tmp_path.name}-test", f"{tmp_path.name}-dev")
    assert found.cases == dev.cases


def test_splits_of_beir_of_which_none_is_meant_are_told(tmp_path: Path) -> None:
    assert "several files of judgements: qrels/dev.tsv, qrels/train.tsv; name the one" in told(
        beir(tmp_path, "dev", "train")
    )


def test_what_beir_does_not_judge_or_have_is_told(tmp_path: Path) -> None:
    found = load_set(beir(tmp_path, "test", rows="q1\td1\t1\nq1\tgone\t1\n"))
    assert searches(found) == {"q1": ["d1"]}
    assert found.warnings == (
        "test.tsv: 1 of 2 questions are not judged and left out",
        "test.tsv: 1 relevant documents are not in corpus.jsonl and left out of the evidence",
        "corpus.jsonl: 1 documents have neither title nor text and are left out",
    )


def test_a_judged_question_without_a_relevant_document_is_left_out_and_told(tmp_path: Path) -> None:
    found = load_set(beir(tmp_path, "test", rows="q1\td1\t1\nq2\td2\t0\n"))
    assert searches(found) == {"q1": ["d1"]}
    assert "1 judged questions have no relevant document" in found.warnings[0]


def test_qrels_of_trec_need_no_corpus_if_the_library_has_the_articles(tmp_path: Path) -> None:
    (tmp_path / "queries.tsv").write_text("401\tferry to Torsk\n402\tbridge\n", encoding="utf-8")
    (tmp_path / "robust.qrels").write_text("401 0 d1 1\n401 0 d2 0\n402 0 d2 2\n402 0 d9 -1\n", encoding="utf-8")
    found = load_set(tmp_path / "robust.qrels")
    assert searches(found) == {"401": ["d1"], "402": ["d2"]}
    assert found.articles == ()
    assert load_set(tmp_path).cases == found.cases


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("q1\td1\n", "test.tsv:3: 'q1\\td1' is no judgement; wanted"),
        ("q1\td1\thigh\n", "test.tsv:3: 'q1\\td1\\thigh' is no judgement; wanted"),
        ("q9\td1\t1\n", "test.tsv:3: there is no query 'q9' in queries.jsonl; give the queries"),
    ],
)
def test_a_bad_judgement_is_told_with_its_line(tmp_path: Path, row: str, message: str) -> None:
    assert told(beir(tmp_path, "test", rows=f"q1\td1\t1\n{row}")).startswith(message)


def test_a_document_without_an_id_is_told_with_its_line(tmp_path: Path) -> None:
    beir(tmp_path, "test")
    lines(tmp_path / "corpus.jsonl", DOCUMENTS[0], {"text": "No id."})
    assert told(tmp_path).startswith("corpus.jsonl:2: is no document; wanted")


# SQuAD

CONTEXT = "Torsk has a ferry. It was built in 1956 by Dr. Holm, who also built the pier.  It sank in 1990."
PIER = "The pier is made of oak."


def squad(path: Path, *asked: Mapping[str, Any]) -> Path:
    paragraphs = [{"context": PIER, "qas": []}, {"context": CONTEXT, "qas": list(asked)}]
    return written(path, {"version": "v2.0", "data": [{"title": "Torsk_(town)", "paragraphs": paragraphs}]})


def asked(id: str, *answers: str, **more: Any) -> dict[str, Any]:
    spans = [{"text": text, "answer_start": CONTEXT.index(text)} for text in answers]
    return {"id": id, "question": "What is asked?", "answers": spans, **more}


def test_the_evidence_of_squad_is_the_sentence_around_the_answer(tmp_path: Path) -> None:
    found = load_set(squad(tmp_path / "dev.json", asked("a", "1956"), asked("b", "pier.  It sank")))
    sentence = "It was built in 1956 by Dr. Holm, who also built the pier."
    assert gold(found, tmp_path) == [[sentence], [f"{sentence}  It sank in 1990."]]
    (town,) = found.articles
    assert (town.title, town.text) == ("Torsk (town)", f"{PIER}\n\n{CONTEXT}")


def test_any_answer_of_squad_is_right(tmp_path: Path) -> None:
    (case,) = questions(load_set(squad(tmp_path / "dev.json", asked("a", "Dr. Holm", "Holm", "Holm"))))
    assert case.claims == (Claim("Dr. Holm", (("Dr. Holm", "Holm"),), whole_words=True),)


def test_an_impossible_question_of_squad_is_unanswerable(tmp_path: Path) -> None:
    (case,) = questions(load_set(squad(tmp_path / "dev.json", asked("a", is_impossible=True))))
    assert (case.answerable, case.claims, case.evidence) == (False, (), ())


def test_offsets_of_squad_hold_where_control_characters_are_taken_out(tmp_path: Path) -> None:
    context = "A\u200bB is a ship. C\ufeffD is\u00ad a pier."
    question = {"id": "a", "question": "?", "answers": [{"text": "pier", "answer_start": context.index("pier")}]}
    entry = {"title": "x", "paragraphs": [{"context": context, "qas": [question]}]}
    found = load_set(written(tmp_path / "dev.json", {"data": [entry]}))
    assert gold(found, tmp_path) == [["CD is a pier."]]
    assert found.warnings == ()


def test_an_answer_of_squad_that_is_elsewhere_makes_the_article_the_evidence_and_is_told(tmp_path: Path) -> None:
    wrong = {"id": "a", "question": "?", "answers": [{"text": "1956", "answer_start": 3}]}
    found = load_set(squad(tmp_path / "dev.json", wrong))
    assert gold(found, tmp_path) == [[f"{PIER}\n\n{CONTEXT}"]]
    assert "1 answers are not at their `answer_start`" in found.warnings[0]


def test_a_question_of_squad_without_answers_is_told_with_its_place(tmp_path: Path) -> None:
    path = squad(tmp_path / "dev.json", asked("a", "1956"), asked("b"))
    assert told(path).startswith("dev.json: data[0].paragraphs[1].qas[1]: has no answers; wanted one")


def test_a_question_of_squad_without_an_id_is_told_with_its_place(tmp_path: Path) -> None:
    path = squad(tmp_path / "dev.json", {"question": "?"})
    assert told(path).startswith("dev.json: the field 'data.0.paragraphs.1.qas.0.id' is missing; wanted")


# None of them


def test_cases_of_our_own_are_read_as_before(tmp_path: Path) -> None:
    path = lines(tmp_path / "own.json", {"id": "a", "question": "q?", "answerable": False, "claims": []})
    assert [case.id for case in load_set(path).cases] == ["a"]


def test_json_of_another_shape_is_told_with_what_was_seen(tmp_path: Path) -> None:
    assert "other.json is a list of JSON objects with 'title', 'words'; wanted the layout of MultiHop-RAG" in told(
        written(tmp_path / "other.json", [{"title": "t", "words": 1}])
    )


def test_broken_json_is_told(tmp_path: Path) -> None:
    path = tmp_path / "MultiHopRAG.json"
    path.write_text('[\n{"query": ', encoding="utf-8")
    assert "MultiHopRAG.json: no JSON: Expecting value: line 2" in told(path)


def test_json_that_is_nested_without_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000, encoding="utf-8")
    assert told(path).startswith("deep.json: no JSON: ")


def test_a_folder_without_a_set_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("No judgement here at all.\n", encoding="utf-8")
    assert "is a folder and no set; wanted" in told(tmp_path)


def test_evidence_needs_an_article_or_a_quote(tmp_path: Path) -> None:
    case = {"task": "search", "id": "a", "question": "q?", "evidence": [{"title": "t"}]}
    assert "wanted a quote, an article, or both" in told(lines(tmp_path / "own.jsonl", case))


def test_a_claim_is_checked_against_quotes_only(tmp_path: Path) -> None:
    case = {"task": "check", "id": "a", "text": "t", "supported": True, "evidence": [{"article": "d1"}]}
    assert "wanted a quote in all evidence" in told(lines(tmp_path / "own.jsonl", case))
