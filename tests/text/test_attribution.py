"""Who says what: by name, by a label of a transcript, by a pronoun that stands for a name before it."""

from collections.abc import Iterator

import pytest

from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Note, Statement
from rag.text.sentences import sentences
from rag.text.speakers import voice

NEWS = article(
    "The road to Herat is open again, Governor Abdul Sabur Qani, the head of the province, said on Monday. He said "
    "that lorries could pass. The mayor, Farida Noori, denied this. She asked drivers to wait.\n\n"
    "Snow fell in the hills.",
    title="The road to Herat",
    published="2021-07-06",
)
BRIEFING = article(
    "MS. BARAN: Good afternoon. The flights go on. We expect forty a day.\n\nQ And the gates?\n\n"
    "MS. BARAN: Two of them are shut. The general said this morning that the third will open.\n\n"
    "THE PRESIDENT: I spoke to the crews. They are tired.",
    title="A briefing",
    published="2021-08-20",
)


def voices(text: str) -> list[str | None]:
    found = (voice(text, span) for span in sentences(text))
    return [v.name if v else None for v in found]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("voices")) as made:
        made.add(NEWS, BRIEFING)
        yield made


@pytest.mark.parametrize(
    ("before", "meant"),
    [
        ("Norvik's manager, Ulf Dahl, was disappointed.", "Ulf Dahl"),
        ("The manager of Norvik in Ondal, Ulf Dahl, was disappointed.", "Ulf Dahl"),
        ("In Ondal the port was shut.", None),
    ],
)
def test_a_pronoun_stands_for_no_company_or_place(before: str, meant: str | None) -> None:
    assert voices(f"{before} He said that the offer stood.")[-1] == meant


def test_a_pronoun_stands_for_who_spoke_before() -> None:
    assert voices(NEWS.text) == [
        *("Governor Abdul Sabur Qani", "Governor Abdul Sabur Qani", "Farida Noori", "Farida Noori", None),
    ]


def test_a_label_of_a_transcript_holds_until_the_next_one() -> None:
    assert voices(BRIEFING.text) == [
        *(
            "Ms. Baran",
            "Ms. Baran",
            "Ms. Baran",
            "a reporter",
            "Ms. Baran",
            "general",
            "The President",
            "The President",
        ),
    ]


def test_a_heading_in_capitals_is_no_label() -> None:
    assert voices("UPDATE: The bridge is closed.\n\nTrains wait.") == ["Update", None]


@pytest.mark.parametrize(
    ("question", "speaker", "shown"),
    [
        ("Who asked drivers to wait?", "Farida Noori", "Farida Noori, denied this. She asked drivers to wait."),
        ("Who said that the flights go on?", "Ms. Baran", "[Ms. Baran:] The flights go on."),
    ],
)
def test_an_answer_names_the_speaker_that_its_sentence_does_not(
    library: Library, question: str, speaker: str, shown: str
) -> None:
    answer = library.ask(question)
    said = next(s for s in answer.statements if shown in s.shown)
    assert said.speaker == speaker
    assert said.text in " ".join(said.citations[0].article.text.split())
    assert shown in answer.text


def test_a_mark_is_no_part_of_the_quote(library: Library) -> None:
    answer = library.ask("Who said that the flights go on?")
    told = answer.to_dict()["statements"][0]
    assert told["notes"] == [{"at": 0, "text": "Ms. Baran:"}]
    assert all(c.article.text[c.start : c.end] == c.quote for c in answer.citations)


@pytest.mark.parametrize(
    ("notes", "shown"),
    [
        ((), "He came."),
        ((Note(0, "Ms. Baran:"),), "[Ms. Baran:] He came."),
        ((Note(2, "Qani"),), "He [Qani] came."),
        ((Note(0, "Ms. Baran:"), Note(2, "Qani")), "[Ms. Baran:] He [Qani] came."),
    ],
)
def test_notes_are_shown_in_brackets_where_they_belong(notes: tuple[Note, ...], shown: str) -> None:
    assert Statement("He came.", (), notes=notes).shown == shown


def test_they_are_who_spoke_not_a_word_for_a_people() -> None:
    text = "The Uzbek sides ended their talks on Sunday. They promised to meet again."
    assert voice(text, sentences(text)[1]) is None
