"""Loads larger public models from folders: one that points at answers, one that judges what follows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import VerifierError
from rag.models.embeddings import batches, load_tokenizer
from rag.models.minilm import graph_errors, open_session
from rag.models.reader import Extract, Pair, Probabilities, Reading, readings, softmax
from rag.schema import Span
from rag.text.clean import one_line

if TYPE_CHECKING:
    from rag.models.embeddings import Encoded, WordPieces
    from rag.models.minilm import Session

_LONGEST, _QUESTION = 512, 400  # tokens of a pair, characters of a question
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_THREE = {"entailment": "entailment", "neutral": "neutral", "contradiction": "contradiction"}
_TWO = {"entailment": "entailment", "not_entailment": "neutral"}


class _Folder:
    """A model in a folder: `model.onnx`, `tokenizer.json` and `config.json`, which is read when it is made.

    The graph is loaded when it is first needed. Either raises VerifierError, which names the `setting` and the `kind`.
    """

    setting, kind = "RAG_VERIFIER", "sequence classifier"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._graph, _, config = _files(folder, self.setting)
        self._config = _config(config)
        self._longest = _longest(self._config)
        pad = self._config.get("pad_token_id")
        self._pad = pad if isinstance(pad, int) else 0

    def _outputs(self, encodings: Sequence[Encoded]) -> list[NDArray[np.float64]]:
        shape = len(encodings), max(len(encoding.ids) for encoding in encodings)
        arrays = {name: np.zeros(shape, np.int64) for name in _INPUTS}
        arrays["input_ids"] += self._pad
        for row, encoding in enumerate(encodings):
            for name, values in zip(_INPUTS, (encoding.ids, encoding.attention_mask, encoding.type_ids), strict=True):
                arrays[name][row, : len(values)] = values
        try:
            outputs = self._session.run(None, {name: arrays[name] for name in self._inputs})
        except graph_errors() as error:
            raise self._unusable(str(error)) from None
        return [np.asarray(output, np.float64) for output in outputs]

    def _checked(self, logits: NDArray[np.float64], wanted: tuple[int, ...]) -> NDArray[np.float64]:
        if logits.shape != wanted or not np.isfinite(logits).all():
            raise self._unusable(f"it gave {logits.shape} numbers, wanted {wanted}, all finite")
        return logits

    @cached_property
    def _session(self) -> Session:
        try:
            return open_session(self._graph)
        except graph_errors() as error:
            raise self._unusable(str(error)) from None

    @cached_property
    def _inputs(self) -> list[str]:
        """The inputs of the graph: not all have token types."""
        names = [item.name for item in self._session.get_inputs()]
        if not {"input_ids"} <= set(names) <= set(_INPUTS):
            raise self._unusable(f"it takes {', '.join(names)}; wanted {', '.join(_INPUTS)}")
        return names

    @cached_property
    def _tokenizer(self) -> WordPieces:
        try:
            tokenizer = load_tokenizer(self._folder)
        except (OSError, ValueError) as error:
            raise self._unusable(f"tokenizer.json: {error}") from None
        tokenizer.enable_truncation(self._longest, strategy=self._cut)
        return tokenizer

    _cut = "only_first"

    def _unusable(self, seen: str) -> VerifierError:
        return VerifierError(
            f"the model in {self._folder} cannot be used ({one_line(seen, 200)}); "
            f"export it anew as a {self.kind} in ONNX, or leave out {self.setting}"
        )


class CrossEncoder(_Folder):
    """A natural-language-inference cross-encoder, used instead of the reader's judgement."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._labels = _labels(self._config, folder)

    def entail(self, pairs: Sequence[Pair]) -> list[Probabilities]:
        """The probabilities for each pair; of a pair that is too long, the end of the premise is left out.

        Raises VerifierError if a hypothesis alone is too long, as a part of it must not be judged for the whole.
        """
        encodings = self._encoded(pairs)
        found: dict[int, Probabilities] = {}
        for batch in batches([len(encoding.ids) for encoding in encodings]):
            logits = self._outputs([encodings[i] for i in batch])[0]
            rows = softmax(self._checked(logits, (len(batch), len(self._labels))))
            for place, row in zip(batch, rows.tolist(), strict=True):
                shares = dict(zip(self._labels, row, strict=True))
                found[place] = Probabilities(shares["entailment"], shares["neutral"], shares.get("contradiction", 0.0))
        return [found[i] for i in range(len(pairs))]

    def _encoded(self, pairs: Sequence[Pair]) -> list[Encoded]:
        room = self._longest - self._tokenizer.num_special_tokens_to_add(True) - 1
        alone = self._tokenizer.encode_batch([pair.hypothesis for pair in pairs], add_special_tokens=False)
        for pair, encoding in zip(pairs, alone, strict=True):
            if len(encoding.ids) > room:
                raise VerifierError(
                    f"the verifier in {self._folder} can read {room} tokens of a statement, this one has more: "
                    f"{one_line(pair.hypothesis, 60)!r}; make it shorter"
                )
        premises = (f"{pair.header}. {pair.premise}" if pair.header else pair.premise for pair in pairs)
        return self._tokenizer.encode_batch(list(zip(premises, (pair.hypothesis for pair in pairs), strict=True)))


class SpanModel(_Folder):
    """An extractive question-answering model with a null answer (SQuAD 2.0), used instead of the reader's spans.

    Its log-odds are against the null answer, the first token's, as those of the reader are.
    """

    setting, kind = "RAG_READER", "model for question answering"
    _cut = "only_second"

    def read(self, question: str, extracts: Sequence[Extract]) -> list[tuple[Reading, ...]]:
        """For each extract, the reading of each of its sentences; those past the longest text score least."""
        texts = [f"{e.header}\n{e.text}" if e.header else e.text for e in extracts]
        encodings = self._tokenizer.encode_batch([(question[:_QUESTION], text) for text in texts])
        found: dict[int, tuple[Reading, ...]] = {}
        for batch in batches([len(encoding.ids) for encoding in encodings]):
            taken = [encodings[i] for i in batch]
            shape = len(batch), max(len(encoding.ids) for encoding in taken)
            outputs = self._outputs(taken)
            if len(outputs) < 2:
                raise self._unusable(f"it gave {len(outputs)} outputs, wanted start and end logits")
            starts, ends = (self._checked(output, shape) for output in outputs[:2])
            for row, place in enumerate(batch):
                logits = np.stack([starts[row], ends[row]], axis=1)
                offset = len(texts[place]) - len(extracts[place].text)
                found[place] = tuple(_readings(encodings[place], logits, extracts[place].sentences, offset))
        return [found[i] for i in range(len(extracts))]


def _readings(
    encoding: Encoded, logits: NDArray[np.float64], sentences: Sequence[Span], offset: int
) -> Iterator[Reading]:
    """The readings of an extract's sentences, whose text begins at `offset` of what was read."""
    parts = enumerate(zip(encoding.sequence_ids, encoding.offsets, strict=True))
    inside = [i for i, (part, (a, b)) in parts if part == 1 and a >= offset and b > a]
    spans = [(encoding.offsets[i][0] - offset, encoding.offsets[i][1] - offset) for i in inside]
    yield from readings((logits[inside] - logits[0]).astype(np.float32), spans, sentences)


def _files(folder: Path, setting: str) -> list[Path]:
    """The graph, the tokenizer and the configuration of a folder."""
    found: list[Path] = []
    for names in (("model.onnx", "onnx/model.onnx"), ("tokenizer.json",), ("config.json",)):
        file = next((folder / name for name in names if (folder / name).is_file()), None)
        if file is None:
            raise VerifierError(
                f"the model's folder {folder} has no {names[0]}; wanted model.onnx, tokenizer.json and config.json: "
                f"set {setting} to the folder that has them, or leave it out"
            )
        found.append(file)
    return found


def _config(file: Path) -> Mapping[str, Any]:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise VerifierError(f"{file} is no JSON ({error}); download the model anew") from None
    return config if isinstance(config, dict) else {}


def _labels(config: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
    """What each column of the output means; models differ in their order."""
    given = config.get("id2label")
    items = given if isinstance(given, dict) else {}
    names = [str(items.get(str(i))).lower().replace("-", "_") for i in range(len(items))]
    for known in (_THREE, _TWO):
        if sorted(names) == sorted(known):
            return tuple(known[name] for name in names)
    raise VerifierError(
        f"{folder / 'config.json'} has id2label = {one_line(str(given), 120)}; wanted entailment, neutral and "
        "contradiction, or entailment and not_entailment: take a model of natural-language inference"
    )


def _longest(config: Mapping[str, Any]) -> int:
    """The most tokens of a pair; RoBERTa and its kin begin to count positions at 2."""
    positions, kind = config.get("max_position_embeddings"), str(config.get("model_type"))
    if not isinstance(positions, int) or positions < 1:
        return _LONGEST
    return min(_LONGEST, positions - 2 if "roberta" in kind or kind in ("camembert", "mpnet") else positions)
