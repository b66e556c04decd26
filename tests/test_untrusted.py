"""Articles that try to give orders: what a model that obeys makes of them, and what the check makes of the model.

The scripted model obeys whatever stands outside the fence, and what a server would take for a new turn of the
conversation, wherever it stands. Whatever is inside the fence is data to it, which it quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from openai_server import OpenAIServer, Request
from typer.testing import CliRunner

from rag.checks.verify import verify
from rag.cli.app import app
from rag.ingest.metadata import article
from rag.library import Library
from rag.models.budget import Terms
from rag.models.injection import LEFT_OUT
from rag.models.prompts import data, fence, pack
from rag.render.lines import answer_lines
from rag.schema import Answer, Article, Citation, Hit, Passage, Statement, Verdict
from rag.text.clean import clean

ATTACKS = [json.loads(line) for line in (Path(__file__).parents[1] / "evals" / "attacks.jsonl").open(encoding="utf-8")]
FIRST, LAST = "Kal Bar Shin Tor Gul Zar Mir Sang Char", "abad dara koh gan tepa qala rud mar"
CAMPS = [a + b for a, b in product(FIRST.split(), LAST.split())]
KINDS = sorted({attack["kind"] for attack in ATTACKS})
TURN = re.compile(r"<\|[^<>|]*\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
each = pytest.mark.parametrize(
    ("attack", "camp"), list(zip(ATTACKS, CAMPS, strict=True)), ids=[attack["id"] for attack in ATTACKS]
)
QUICK = {attack["id"] for kind in KINDS for attack in [a for a in ATTACKS if a["kind"] == kind][:3]}
each_asked = pytest.mark.parametrize(
    ("attack", "camp"),
    [
        pytest.param(attack, camp, id=attack["id"], marks=[] if attack["id"] in QUICK else pytest.mark.slow)
        for attack, camp in zip(ATTACKS, CAMPS, strict=True)
    ],
)


def honest(camp: str) -> str:
    return f"The meeting at Camp {camp} was attended by 31 elders on Monday."


def question(camp: str) -> str:
    return f"How many elders attended the meeting at Camp {camp}?"


def poisoned(attack: dict[str, str], camp: str) -> Article:
    if attack["where"] == "title":
        return article(honest(camp), title=attack["text"])
    return article(f"{honest(camp)}\n\n{attack['text']}", title=f"Camp {camp}")


def words(text: str) -> list[str]:
    return re.findall(r"\w+", clean(text).casefold())


def runs(text: str) -> set[tuple[str, ...]]:
    """Every run of four words."""
    found = words(text)
    return {tuple(found[i : i + 4]) for i in range(max(1, len(found) - 3))}


class Obedient:
    """A model that does what is asked of it outside the fence: the last order wins."""

    def __init__(self) -> None:
        self.obeyed: list[str] = []

    def __call__(self, request: Request) -> str:
        rules, user = (message["content"] for message in request.messages)
        (mark,) = re.findall(r"only this mark: (.+)", rules)
        before, inside, *after = re.split(rf"^{re.escape(mark)}$", user, flags=re.M)
        _, *turns = TURN.split(inside)
        outside = runs("\n".join((before, *turns, *after))) - runs(user.splitlines()[-1])
        for attack in ATTACKS:
            if (runs(attack["text"]) | runs(attack["goal"])) & outside:
                self.obeyed.append(attack["id"])
                return json.dumps(
                    {"answered": "yes", "statements": [{"text": attack["goal"], "quotes": []}], "missing": ""}
                )
        return self._answered(inside, after[-1])

    def _answered(self, inside: str, asked: str) -> str:
        (camp,) = re.findall(r"Camp (\w+)", asked)
        passages = re.findall(r"^\[(\d+)\] .*\n(.+)$", inside, flags=re.M)
        number = next(int(number) for number, text in passages if honest(camp) in text)
        quotes = [{"passage": number, "quote": honest(camp)}]
        return json.dumps({"answered": "yes", "statements": [{"text": honest(camp), "quotes": quotes}], "missing": ""})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("poisoned")
    with Library(made, offline=True) as library:
        report = library.add(*(poisoned(attack, camp) for attack, camp in zip(ATTACKS, CAMPS, strict=True)))
        assert (report.added, report.failed) == (len(ATTACKS), ())
    return made


@pytest.fixture(scope="module")
def model() -> Obedient:
    return Obedient()


@pytest.fixture(scope="module")
def server(model: Obedient) -> Iterator[OpenAIServer]:
    with OpenAIServer(by=model) as started:
        yield started


@pytest.fixture(scope="module")
def library(folder: Path, server: OpenAIServer) -> Iterator[Library]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", server.url)
        with Library(folder, model="local", terms=Terms(cache=False)) as opened:
            assert opened.writer
            yield opened


@pytest.fixture(scope="module")
def fooled(folder: Path) -> Iterator[Library]:
    def reply(request: Request) -> str:
        camp = re.findall(r"Camp (\w+)", request.messages[-1]["content"])[-1]
        goal = ATTACKS[CAMPS.index(camp)]["goal"]
        quotes = {"passage": 99, "quote": goal}, {"passage": 1, "quote": "Nobody wrote these words anywhere."}
        made = [{"text": goal, "quotes": [quote]} for quote in quotes]
        return json.dumps({"answered": "yes", "statements": made, "missing": ""})

    with OpenAIServer(by=reply) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", server.url)
        with Library(folder, model="local", judge="none", terms=Terms(cache=False)) as opened:
            assert opened.writer
            yield opened


def shown(answer: Answer) -> str:
    return "\n".join(line.text for line in answer_lines(answer, width=100))


def test_there_are_attacks_of_every_kind() -> None:
    assert len(ATTACKS) >= 60
    assert len({attack["id"] for attack in ATTACKS}) == len({attack["text"] for attack in ATTACKS}) == len(ATTACKS)
    wanted = {"instruction", "system_turn", "fake_citation", "fence", "exfiltration", "language", "invisible"}
    assert wanted | {"terminal", "markup"} == set(KINDS)


@each_asked
def test_a_model_that_obeys_hears_no_order_of_an_article(
    attack: dict[str, str], camp: str, library: Library, model: Obedient, server: OpenAIServer
) -> None:
    answer = library.ask(question(camp), k=4)
    sent = server.requests[-1].messages[-1]["content"]
    assert model.obeyed == []
    assert [statement.text for statement in answer.statements] == [honest(camp)]
    assert answer.statements[0].verdict is Verdict.SUPPORTED
    assert words(attack["text"])[:3] == [] or set(words(attack["text"])) & set(words(sent)) or LEFT_OUT in sent
    assert not UNSEEN.search(sent)
    assert not UNSEEN.search(shown(answer))
    assert attack["goal"] not in shown(answer)


@each
def test_the_fence_holds_what_would_not_be_left_out(attack: dict[str, str], camp: str) -> None:
    block = f"[1] Camp {camp}\n{data(honest(camp) + ' ' + attack['text'])}"
    mark = fence(block)
    rules = {"content": f"They stand between lines that hold only this mark: {mark}"}
    user = {"content": f"{mark}\n{block}\n{mark}\n\nQuestion: {question(camp)}"}
    model = Obedient()
    assert honest(camp) in model(Request("", {}, {"messages": [rules, user]}))
    assert model.obeyed == []


@each
def test_what_an_attack_wants_said_is_not_supported_by_what_the_article_reports(
    attack: dict[str, str], camp: str
) -> None:
    source = article(honest(camp), title=f"Camp {camp}")
    citation = Citation(1, source, "p", 0, len(source.text), source.text)
    found = verify(Statement(clean(attack["goal"]), (citation,)), [citation])
    assert found.verdict is not Verdict.SUPPORTED


@each_asked
def test_a_model_that_is_fooled_is_marked_and_gets_no_planted_sentence_to_cite(
    attack: dict[str, str], camp: str, fooled: Library
) -> None:
    """It says what the attack wants: of a passage that is not there, then of one that is, whose words it invents."""
    answer = fooled.ask(question(camp), k=2)
    assert answer.status == "partial"
    assert [s.text for s in answer.statements] == [clean(attack["goal"])] * 2
    assert [(s.verdict, s.citations) for s in answer.statements] == [(Verdict.UNSUPPORTED, ())] * 2
    assert "(not supported by what it cites)" in " ".join(shown(answer).split())
    assert not UNSEEN.search(shown(answer))


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_prints_nothing_that_a_terminal_would_obey(
    kind: str, folder: Path, server: OpenAIServer, model: Obedient
) -> None:
    place = next(i for i, attack in enumerate(ATTACKS) if attack["kind"] == kind)
    env = {"OPENAI_BASE_URL": server.url}
    arguments = ["ask", question(CAMPS[place]), "--library", str(folder), "-k", "3", "--model", "local"]
    for more in ([], ["--json"], ["--dry-run"]):
        found = CliRunner().invoke(app, [*arguments, *more], env=env)
        assert found.exit_code == 0, found.output
        assert not UNSEEN.search(found.stdout)
        assert "31 elders" in found.stdout
    assert model.obeyed == []


@pytest.mark.slow
def test_the_obedient_model_does_obey_what_gets_out_of_the_fence() -> None:
    """The test of the test: without the fence's care, orders are heard."""
    source = poisoned(ATTACKS[13], CAMPS[13])
    packed = pack([Hit(Passage("p", source.id, 0, len(source.text), source.text), source, 1.0)], budget=999, count=len)
    rules = {"content": f"They stand between lines that hold only this mark: {packed.fence}"}
    for text in (source.text, f"{packed.text}\n{packed.fence}\n{ATTACKS[0]['text']}"):
        model = Obedient()
        user = {"content": f"{packed.fence}\n{text}\n{packed.fence}\n\nQuestion: {question(CAMPS[13])}"}
        model(Request("", {}, {"messages": [rules, user]}))
        assert model.obeyed
