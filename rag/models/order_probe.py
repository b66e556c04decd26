"""The trained detector of sentences that are addressed to a program.

Three logistic regressions (`training/fit_orders.py`), each of which lets most sentences pass: on the mean of a
sentence's word embeddings; on that mean and the hashed runs of its characters and words, in which all names and all
digits are alike; on all of these and its vector by MiniLM. What is in a code is decoded first.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from html import unescape
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rag.models.embeddings import WINDOW, MiniLM, Vector, shared_tokenizer
from rag.models.minilm import installed_weights, load_weights, load_words

WEIGHTS = Path(__file__).parent / "orders.safetensors"
_FEWEST = 3  # words: of less it cannot tell
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_GOES_ON = re.compile(r"(?<=[.!?])\s+(?=[a-z/$@#<{\[])")
_AT_ONCE = 256  # sentences, whose word pieces take 10 MB
_PIECE, _STEP = 300, 200  # characters: an order inside a long sentence is not averaged away
_GARBLED = 0.35  # word pieces for a character, from which on ciphers are tried; English has 0.25, ROT13 0.5
_PLAINER = 0.7  # of the word pieces: what a deciphered text has at most
_RUNS = range(2, 6)
_BUCKETS = 4096
_WORD_BUCKETS = 8192
_WEIGHT = 1.5
_NAME = re.compile(r"(?<=[\w,] )[A-ZÀ-ÞĀ-ŽА-Я][a-zß-ÿā-žа-я]+")
_DIGIT = re.compile(r"\d")
_MASK, _FACTOR, _SPREAD = np.uint64(0xFFFFFFFF), np.uint64(1000003), np.uint64(2654435761)


def digest() -> str:
    """Identifies the weights."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()


def scores(texts: Sequence[str]) -> list[float]:
    """How surely each sentence is addressed to a program: from 0 on it is; -inf if it does not come near, or
    is too short to tell.

    Raises EmbeddingError if the local embedding model is not installed.
    """
    probe = _probe()
    found = [-np.inf] * len(texts)
    for first in range(0, len(texts), _AT_ONCE):
        read = probe.means.readings(texts[first : first + _AT_ONCE])
        parts = [(i, piece) for i, text in enumerate(read, first) for piece in pieces(text)]
        for (i, _), score in zip(parts, probe.scores([piece for _, piece in parts]), strict=True):
            found[i] = max(found[i], float(score))
    return found


def pieces(text: str) -> list[str]:
    """The parts of a text that are scored, each alone, the first ones of all of it; none that is too short to tell.

    What goes on in small letters after a full stop, as programs are written, is a part too.
    """
    inner = _GOES_ON.split(text)
    texts = [text, *(inner if len(inner) > 1 else ())]
    return [
        part[start : start + _PIECE]
        for part in texts
        if len(_WORD.findall(part)) >= _FEWEST
        for start in range(0, max(1, len(part) - _PIECE + _STEP), _STEP)
    ]


class WordMeans:
    """The unit mean of the unit embeddings of a text's word pieces."""

    def __init__(self) -> None:
        folder = installed_weights()
        self._words = load_words(folder / "model.safetensors")
        self._lengths = np.linalg.norm(self._words, axis=1, keepdims=True)
        self._tokenizer = shared_tokenizer(folder, WINDOW)

    def of(self, texts: Sequence[str]) -> Vector:
        """Those of texts, a row each."""
        ids = [found or [0] for found in self._ids(texts)]
        listed, starts = np.concatenate(ids), np.cumsum([0, *map(len, ids[:-1])])
        return _unit(np.add.reduceat(self._words[listed] / self._lengths[listed], starts))

    def readings(self, texts: Sequence[str]) -> list[str]:
        """The texts with their codes decoded; deciphered if they then have far fewer word pieces, as they are read."""
        plain = [decoded(text) for text in texts]
        sizes = [len(ids) for ids in self._ids(plain)]
        garbled = [i for i, (text, size) in enumerate(zip(plain, sizes, strict=True)) if size > _GARBLED * len(text)]
        ciphers = [list(deciphered(plain[i])) for i in garbled]
        others = iter([len(ids) for ids in self._ids([text for found in ciphers for text in found])])
        for i, found in zip(garbled, ciphers, strict=True):
            least, plainest = min(((next(others), text) for text in found), key=lambda sized: sized[0])
            if least <= _PLAINER * sizes[i]:
                plain[i] = plainest
        return plain

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [e.ids for e in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def runs(texts: Sequence[str]) -> Vector:
    """The runs of two to five characters of texts, hashed, a row each; of unit length times a fixed weight."""
    rows = np.zeros((len(texts), _BUCKETS), np.float32)
    for row, text in zip(rows, texts, strict=True):
        buckets, counts = np.unique(_hashed(f" {text.lower()} "), return_counts=True)
        row[buckets] = np.sqrt(counts)
    return np.asarray(_WEIGHT * _unit(rows), np.float32)


def word_runs(texts: Sequence[str]) -> Vector:
    """Words, pairs of neighbours and of those with a word between, hashed, a row each; of the same length."""
    rows = np.zeros((len(texts), _WORD_BUCKETS), np.float32)
    for row, text in zip(rows, texts, strict=True):
        parts = ["^", *_TOKEN.findall(text.lower()), "$"]
        pairs = (f"{a} {b}" for a, b in pairwise(parts))
        for run in (*parts, *pairs, *(f"{a}*{b}" for a, b in zip(parts, parts[2:], strict=False))):
            row[crc32(run.encode("utf-8", "replace")) % _WORD_BUCKETS] += 1
    return np.asarray(_WEIGHT * _unit(np.sqrt(rows)), np.float32)


def surface(texts: Sequence[str], means: Vector) -> Vector:
    """What the second regression reads of texts with such means, a row each."""
    plain = [_DIGIT.sub("0", _NAME.sub("Xxx", text)) for text in texts]
    return np.concatenate([means, runs(plain), word_runs(plain)], axis=1)


def features(texts: Sequence[str], surfaces: Vector, model: MiniLM) -> Vector:
    """What the third regression reads of texts with such surfaces, a row each."""
    return np.concatenate([surfaces, np.array(model.embed_documents(list(texts)), np.float32)], axis=1)


class _Probe:
    """The regressions with the embeddings that they read; loaded once in a process."""

    def __init__(self) -> None:
        self._weights = {name: value.astype(np.float32) for name, value in load_weights(WEIGHTS).items()}
        self.means, self._model = WordMeans(), MiniLM()

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        found = np.full(len(texts), -np.inf)
        if not texts:
            return found
        means = self.means.of(texts)
        near = np.flatnonzero(self._scores("fast", means) >= 0)
        if not len(near):
            return found
        surfaces = surface([texts[int(i)] for i in near], means[near])
        is_near = self._scores("surface", surfaces) >= 0
        near, surfaces = near[is_near], surfaces[is_near]
        if len(near):
            found[near] = self._scores("whole", features([texts[int(i)] for i in near], surfaces, self._model))
        return found

    def _scores(self, name: str, rows: Vector) -> Vector:
        return np.asarray(rows @ self._weights[name] + self._weights[f"{name}_bias"], np.float32)


_probe = lru_cache(maxsize=1)(_Probe)


def _hashed(text: str) -> NDArray[np.intp]:
    """The bucket of each run of characters."""
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    found = []
    for size in _RUNS:
        last = max(0, len(codes) - size + 1)
        run = np.full(last, size, np.uint64)
        for offset in range(size):
            run = (run * _FACTOR + codes[offset : last + offset]) & _MASK
        found.append(((run * _SPREAD) & _MASK) >> np.uint64(20))
    return np.concatenate(found).astype(np.intp)


def _unit(rows: Vector) -> Vector:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), np.float32)


_CODED = re.compile(r"%[0-9a-f]{2}|\\[ux][0-9a-f]{2}|&#?\w{2,8};|[01]{8}|[a-z0-9+/]{20}|(?:[0-9a-f]{2}[ :]){9}", re.I)
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})|\\x([0-9a-f]{2})", re.I)
_BITS = re.compile(r"(?<!\w)[01]{8}(?: ?[01]{8}){4,4000}(?!\w)")
_HEX = re.compile(r"(?<!\w)[0-9a-f]{2}(?:[ :]?[0-9a-f]{2}){9,4000}(?!\w)", re.I)
_BASE64 = re.compile(r"(?<![\w+/=])[A-Za-z0-9+/]{20,4000}={0,2}(?![\w+/=])")
_DIGITS = str.maketrans("013457@$", "oieastas")
_MIXED = re.compile(r"[^\W\d_][013457@$]|[013457@$][^\W\d_]")
_GAP = re.compile(r"(?<=\w)([-.*|])_\1(?=\w)")
_SPELT = re.compile(r"(?<!\w)\w([-._*|])\w(?:\1\w)+(?!\w)|(?<!\S)\w(?: \w){2,}(?!\S)")
_MARKS = re.compile(r"[-._*| ]")


def decoded(text: str) -> str:
    """The text with each part of it that is in a code decoded; the text itself if none is."""
    if not _CODED.search(text):
        return text
    text = _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), unescape(unquote(text)))
    for pattern, decode in ((_BITS, _of_bits), (_HEX, bytes.fromhex), (_BASE64, _of_base64)):
        text = pattern.sub(_replacement(decode), text)
    return text


def deciphered(text: str) -> Iterator[str]:
    """How it reads in ROT13, backwards, with letters for digits, and with spelt-out words joined.

    Most texts are in none of these ciphers, and what comes out is no language.
    """
    yield codecs.encode(text, "rot13")
    yield text[::-1]
    if len(_MIXED.findall(text)) > 1:
        yield text.translate(_DIGITS)
    spelt = _SPELT.sub(lambda match: _MARKS.sub("", match[0]), _GAP.sub(" ", text))
    if spelt != text:
        yield " ".join(spelt.split())


def _replacement(decode: Callable[[str], bytes]) -> Callable[[re.Match[str]], str]:
    """What stands in the place of a match: its text, if it is one."""

    def replaced(match: re.Match[str]) -> str:
        try:
            text = decode(match[0].replace(":", " ")).decode()
        except ValueError:
            return match[0]
        return text if " " in text.strip() and text.isprintable() else match[0]

    return replaced


def _of_bits(text: str) -> bytes:
    bits = text.replace(" ", "")
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def _of_base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
