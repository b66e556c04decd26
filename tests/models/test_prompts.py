"""Prompts are files; whatever does not agree in one is told when it is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import InputError
from rag.models.prompts import Prompt, load_prompt

GOOD = """
version = 3
inputs = ["question"]
system = "Reply with {{}}."
user = "{question}"
"""


def load(folder: Path, text: str, *inputs: str) -> Prompt:
    (folder / "task.toml").write_text(text)
    return load_prompt("task", *inputs, folder=folder)


def test_the_answer_prompt_puts_the_passages_inside_the_fence() -> None:
    prompt = load_prompt("answer", "fence", "passages", "question")
    messages = prompt.template.invoke({"fence": "=X=", "passages": "[1] text {here}", "question": "Who?"}).to_messages()
    assert [message.type for message in messages] == ["system", "human"]
    assert messages[1].content == "Question: Who?\n\n=X=\n[1] text {here}\n=X=\n\nQuestion: Who?"
    assert "=X=" in messages[0].content
    assert '{"answered": "yes", "differ": "where it landed", "statements": [{"text": ' in messages[0].content
    assert '{"answered": "no", "differ": "", "statements": [], "missing": ' in messages[0].content


def test_a_prompt_carries_its_version_and_inputs(tmp_path: Path) -> None:
    prompt = load(tmp_path, GOOD, "question")
    assert (prompt.name, prompt.version, prompt.inputs) == ("task", 3, ("question",))
    assert prompt.template.invoke({"question": "Why?"}).to_messages()[0].content == "Reply with {}."


@pytest.mark.parametrize(
    ("text", "inputs", "told"),
    [
        (GOOD, [], "`inputs` has 'question' too many; its caller wants none"),
        (GOOD, ["question", "fence"], "`inputs` lacks 'fence'; its caller wants fence, question"),
        (GOOD.replace('["question"]', "[]"), ["question"], "`inputs` lacks 'question'; its text wants question"),
        (GOOD.replace("{question}", "Hi"), ["question"], "`inputs` has 'question' too many; its text wants none"),
        (GOOD.replace("version = 3", ""), ["question"], "the file lacks 'version'"),
        (GOOD + 'temperature = "0"', ["question"], "the file has 'temperature' too many"),
        (GOOD.replace("3", '"3"'), ["question"], "version is '3'; wanted int"),
        (GOOD.replace('["question"]', "[1]"), ["question"], "inputs is [1]; wanted a list of names"),
        (GOOD.replace("{{}}", "{"), ["question"], "its braces do not pair"),
        ("version", [], "is not TOML"),
    ],
)
def test_a_prompt_that_does_not_agree_is_refused(tmp_path: Path, text: str, inputs: list[str], told: str) -> None:
    with pytest.raises(InputError) as error:
        load(tmp_path, text, *inputs)
    assert told in str(error.value)


def test_a_prompt_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no prompt 'nothing'; wanted a file nothing\.toml in prompts/"):
        load_prompt("nothing", folder=tmp_path)
