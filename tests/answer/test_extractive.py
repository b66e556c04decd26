"""Answers: verbatim, cited to the exact span, or an abstention with the nearest evidence."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import pytest

from rag.answer import extractive
from rag.answer.introductions import introducing
from rag.ingest.metadata import article
from rag.library import Library
from rag.retrieval.rerank import Sentence
from rag.schema import Answer, Reason, Span, Status, Turn, Verdict, Window

TALKS = article(
    "Delegations met in Doha on Saturday. Mullah Baradar led the Taliban side. He called for patience.\n\n"
    "The government sent Abdullah Abdullah. About 300 families fled Kunduz during the talks because shells fell on the "
    "bazaar. The hosts served lunch at noon.",
    title="Talks open in Doha",
    source="Gulf Ledger",
    published="2021-07-17",
)
LATER = article(
    "By August about 900 families had fled Kunduz, aid workers said. Roads to the south were closed.",
    title="More families leave Kunduz",
    source="Gulf Ledger",
    published="2021-08-09",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("library")) as made:
        made.add("seeds", TALKS, LATER)
        yield made


def best(answer: Answer) -> str:
    return answer.statements[0].text


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Who led the Taliban side in Doha?", "Mullah Baradar led the Taliban side."),
        ("Whom did the government send to Doha?", "The government sent Abdullah Abdullah."),
        ("Why did families flee Kunduz during the talks?", "because shells fell"),
    ],
)
def test_the_sentence_that_answers_comes_first(library: Library, question: str, words: str) -> None:
    assert words in best(library.ask(question))


def test_each_statement_is_verbatim_and_cited_to_its_span(library: Library) -> None:
    answer = library.ask("How many families fled Kunduz?")
    for number, statement in enumerate(answer.statements, start=1):
        (citation,) = statement.citations
        assert citation.number == number
        assert citation.article.text[citation.start : citation.end] == citation.quote == statement.text
        assert statement.verdict is Verdict.SUPPORTED
        assert [(c.kind, c.passed) for c in statement.checks] == [("quote", True)]


def test_an_answer_has_three_sentences_at_most(library: Library) -> None:
    answer = library.ask("What happened in the talks between the Taliban and the government?")
    assert len(answer.text.split(". ")) <= 3


def test_a_sentence_that_leans_on_the_one_before_comes_with_it(library: Library) -> None:
    answer = library.ask("Who called for patience?")
    assert any("Mullah Baradar led the Taliban side. He called for patience." in s.text for s in answer.statements)


def test_statements_have_no_sentence_in_common(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractive, "_NEARLY", 50.0)
    answer = library.ask("Who led the Taliban side and called for patience?")
    spans = sorted((c.article.id, c.start, c.end) for c in answer.citations)
    assert len(spans) > 1
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(spans))


def test_what_leads_in_comes_with_what_it_leads_to(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Library(tmp_path_factory.mktemp("lead-in")) as bills:
        bills.add(article("On Thursday, 16 December 2021, the President signed:\n\nThe bill that honours the medics."))
        answer = bills.ask("When was the bill that honours the medics signed?")
    assert answer.statements[0].text.startswith("On Thursday, 16 December 2021, the President signed: The bill")


def test_another_number_is_another_statement(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Library(tmp_path_factory.mktemp("tolls")) as tolls:
        report = "The ministry of health said that {} people were killed in the blast at the gate of the airport."
        tolls.add(*(article(report.format(n), published=f"2021-08-{day}") for n, day in ((60, 27), (170, 28))))
        answer = tolls.ask("How many people were killed in the blast at the airport?")
    assert "60 people" in answer.text
    assert "170 people" in answer.text


@pytest.mark.parametrize(
    "question",
    ["Who won the 1998 World Cup final?", "How do I bake sourdough bread?", "What is the capital of Mongolia?"],
)
def test_a_question_off_the_topic_is_not_answered(library: Library, question: str) -> None:
    answer = library.ask(question)
    assert (answer.status, answer.reason, answer.statements) == (Status.ABSTAINED, Reason.NOT_IN_ARTICLES, ())
    assert answer.text == "The articles do not answer this question."


def test_an_answer_that_is_not_sure_says_so(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    monkeypatch.setattr(extractive, "confidence", lambda *_: extractive.LIKELY)
    for certainty in (extractive.SURE, extractive.SURE - 0.01):
        monkeypatch.setattr(extractive, "certainty", lambda *_, found=certainty: found)
        answers.append(library.ask("Who led the Taliban side in Doha?"))
    sure, unsure = answers
    assert (sure.status, sure.reason) == (Status.ANSWERED, None)
    assert (unsure.status, unsure.reason) == (Status.PARTIAL, Reason.UNCLEAR)
    assert [[s.unsure for s in answer.statements] for answer in answers] == [[False], [True]]
    assert [answer.text.startswith("Possibly: ") for answer in answers] == [False, True]


def test_what_somebody_said_is_a_sentence_that_has_them_say_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Library(tmp_path_factory.mktemp("said")) as told:
        told.add(
            article("Ms. Lind was cleared on Monday. Her rival Mr. Holm said that she should resign.", title="Court")
        )
        answer, other = told.ask("What did Mr. Holm say?"), told.ask("What did Ms. Lind say?")
    assert answer.statements[0].text.endswith("Her rival Mr. Holm said that she should resign.")
    assert other.status is Status.ABSTAINED


def test_an_answer_is_less_certain_beside_one_that_is_nearly_as_good(tmp_path_factory: pytest.TempPathFactory) -> None:
    def certainty(*texts: str) -> float:
        with Library(tmp_path_factory.mktemp("rivals")) as rivals:
            rivals.add(*(article(text, published=f"2021-08-1{n}") for n, text in enumerate(texts)))
            searcher = rivals._pipeline.searcher
            query = searcher.query("Who leads the council in Herat?", Window(), [])
            found = searcher.find(query, k=10, window=Window())
        return extractive.certainty(sorted(found.sentences, key=lambda s: -s.score))

    first = "Sima Rahimi leads the council in Herat."
    assert certainty(first, "Omar Daud leads the council in Herat.") < certainty(first, "Wheat prices fell in Farah.")
    assert extractive.certainty([]) == 0.0


def test_what_is_less_than_likely_is_not_answered(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractive, "confidence", lambda *_: extractive.LIKELY - 0.01)
    answer = library.ask("Who led the Taliban side in Doha?")
    assert (answer.status, answer.statements) == (Status.ABSTAINED, ())
    assert "Mullah Baradar led the Taliban side." in [citation.quote for citation in answer.nearest]


def test_an_abstention_shows_the_nearest_evidence(library: Library) -> None:
    answer = library.ask("How many families fled Faizabad by boat?")
    assert answer.status is Status.ABSTAINED
    assert answer.nearest
    assert all(c.article.text[c.start : c.end] == c.quote for c in answer.nearest)


def test_a_question_without_content_is_unclear(library: Library) -> None:
    answer = library.ask("Who said that?")
    assert (answer.status, answer.reason) == (Status.ABSTAINED, Reason.UNCLEAR)


def test_what_came_later_is_not_known_as_of_a_day(library: Library) -> None:
    question, window = "How many families fled Kunduz?", Window(as_of=date(2021, 7, 31))
    assert "900" in library.ask(question).text
    answer = library.ask(question, window=window)
    assert answer.as_of == date(2021, 7, 31)
    assert "300" in answer.text
    shown = [c.quote for c in (*answer.citations, *answer.nearest)] + [hit.passage.text for hit in answer.hits]
    assert not any("900" in text for text in (answer.text, *shown))


def test_an_outlet_that_is_asked_answers(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Library(tmp_path_factory.mktemp("outlets")) as library:
        library.add(
            article("Flour rose by 12 percent in Herat, traders said.", title="Prices rise", source="Herat Daily"),
            article("Flour fell by 3 percent in Herat, bakers said.", title="Prices fall", source="Kabul Bazaar"),
        )
        answer = library.ask("What did Herat Daily report about flour?")
    shown = (*answer.citations, *answer.nearest)
    assert {c.article.source for c in shown} == {"Herat Daily"}
    assert "12 percent" in shown[0].quote


def test_a_window_that_admits_nothing_says_so(library: Library) -> None:
    answer = library.ask("How many families fled Kunduz?", window=Window(until=date(2020, 1, 1)))
    assert (answer.status, answer.reason) == (Status.ABSTAINED, Reason.OUTSIDE_DATES)
    assert not answer.hits


def test_a_follow_up_is_understood_from_the_turn_before(library: Library) -> None:
    history = [Turn("Who led the Taliban side in Doha?", "Mullah Baradar led the Taliban side.")]
    answer = library.ask("And what did he call for?", history=history)
    assert any("patience" in s.text for s in answer.statements)
    assert answer.question == "And what did he call for?"
    assert "Baradar" in answer.standalone_question


def test_the_same_question_has_the_same_answer(library: Library) -> None:
    first, second = (library.ask("Who led the Taliban side in Doha?").to_dict() for _ in range(2))
    assert {k: v for k, v in first.items() if k != "timings"} == {k: v for k, v in second.items() if k != "timings"}


VALLEY = (
    article(
        "The mayor of Torvik, Helge Dalum, opened the new bridge on Monday. Ines Marak, a lawyer, thanked the "
        "builders.\n\n"
        "Ferrymen blocked the old pier in the morning. They demanded work for 40 crews.",
        title="Bridge opens in Torvik",
        source="Fjord Post",
        published="2021-05-03",
    ),
    article(
        "The mayor of Lasko Brod said on Tuesday that flood water had reached the mill. Engineers sent nine pumps.",
        title="Flood at the mill",
        source="River Times",
        published="2021-05-04",
    ),
)


@pytest.fixture(scope="module")
def valley(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("valley")) as made:
        made.add(*VALLEY)
        yield made


@pytest.mark.parametrize(
    ("question", "words"), [("Who is Helge Dalum?", "The mayor of Torvik"), ("who is ines marak", "a lawyer")]
)
def test_who_somebody_is_is_told_by_the_words_beside_the_name(valley: Library, question: str, words: str) -> None:
    answer = valley.ask(question)
    assert words in best(answer)
    assert answer.status is Status.ANSWERED


@pytest.mark.parametrize(
    ("text", "is_introduced"),
    [
        ("The prosecutor, Emil Varga, will decide in May.", True),
        ("Its manager, Dr Emil Varga, called the sum an insult.", True),
        ("It was noticed by Emil Varga, the engineer who built the tower.", True),
        ("Emil Varga is a judge in the north of the island.", True),
        ("Half of the towers are closed, General Emil Varga, the chief of the Joint States Council, said.", True),
        ("In the morning, Emil Varga, tired and cold, left the tower.", False),
        ("According to Emil Varga, the tower was closed in May.", False),
        ("The tower had burned, Emil Varga said.", False),
    ],
)
def test_only_words_without_a_verb_introduce_somebody(text: str, *, is_introduced: bool) -> None:
    sentence = Sentence("p", Span(0, len(text)), text, frozenset(), {}, 1.0)
    found = introducing("Who is Emil Varga?", [sentence], {"p": article(text, title="A tower")})
    assert bool(found) is is_introduced


def test_who_somebody_is_is_told_by_the_latest_article(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Library(tmp_path_factory.mktemp("roles")) as roles:
        roles.add(
            article("The director of the works, Emil Varga, spoke on Monday.", title="Works", published="2021-05-03"),
            article("Emil Varga, the former director of the works, is ill.", title="Ill", published="2021-08-03"),
        )
        assert "former" in best(roles.ask("Who is Emil Varga?"))


def test_the_number_of_the_latest_article_leads(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Library(tmp_path_factory.mktemp("hectares")) as fires:
        fires.add(
            article(
                "A wildfire near the quarry has burned 340 hectares of heath and pine in the Sall hills, the fire "
                "service said on Friday.",
                title="Fire in the Sall hills",
                source="Hill Post",
                published="2021-08-06",
            ),
            article(
                "In all 5,350 hectares burned and 94 houses were destroyed.",
                title="Inquiry into the fire in the Sall hills ends",
                source="River Times",
                published="2021-10-19",
            ),
        )
        answer = fires.ask("How many hectares burned in the Sall hills?")
        before = fires.ask("How many hectares burned in the Sall hills?", as_of="2021-09-01")
    assert "5,350" in best(answer)
    assert "340" in answer.text
    assert answer.status is Status.PARTIAL
    assert "340" in best(before)


def test_a_sentence_that_was_shown_can_answer_what_is_asked_of_it(library: Library) -> None:
    asked = "Who met in Doha?"
    first = library.ask(asked)
    assert "on Saturday" in best(library.ask("When?", history=[Turn(asked, first.text, first.citations)]))


def test_a_name_that_is_parted_otherwise_is_found(valley: Library) -> None:
    answer = valley.ask("What did the mayor of Laskobrod say about the flood water?")
    assert "had reached the mill" in answer.text


def test_a_count_of_other_things_is_no_sure_answer_to_how_many(valley: Library) -> None:
    sure, unsure = (
        valley.ask("How many pumps did the engineers send?"),
        valley.ask("How many builders built the bridge?"),
    )
    assert "nine pumps" in best(sure)
    assert sure.status is Status.ANSWERED
    assert unsure.status is not Status.ANSWERED


def test_a_sentence_without_money_does_not_answer_how_much_was_paid(valley: Library) -> None:
    assert valley.ask("How much did Torvik pay for the bridge?").status is Status.ABSTAINED


def test_another_articles_answer_stands_beside_the_best_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Library(tmp_path_factory.mktemp("fort")) as fort:
        fort.add(
            article(
                "Rebels captured the fort of Osk on Monday, their spokesman said.", title="Osk", published="2021-07-06"
            ),
            article("The fort of Osk has not fallen, the governor said.", title="Governor", published="2021-07-06"),
            article("The market of Osk sells pears and plums.", title="Market", published="2021-07-06"),
        )
        answer = fort.ask("Did rebels capture the fort of Osk?")
        assert "captured" in answer.statements[0].text
        assert [s.text for s in answer.statements[1:]] == ["The fort of Osk has not fallen, the governor said."]
