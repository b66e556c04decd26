"""Tells how much sentences are about a topic."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from rag.digest.excerpts import Pool
from rag.models.embeddings import Vector
from rag.rules.wordvectors import vector
from rag.text.words import STOP_WORDS, stem, words

Kin: TypeAlias = Mapping[str, Mapping[str, float]]
"""For each stem of a topic the words that say much the same, by how much."""

_LETTERS = re.compile(r"[^\W\d_]{3,}")
_KIN = 0.4
"""The cosine of word vectors from which a word counts for another: "army" does for "military"."""
_SHARED = 0.4
_RELATED, _FEWEST, _STILL = 0.65, 12, 0.5
_PART = 4
"""From what share of the highest on a sentence is about the topic; of the nearest few a lower one will do, if these are
no more than a part of all."""
_AROUND, _NEAREST = 0.35, 3
"""How much the nearest sentences of its passage count for a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """What a summary is to be about: its text, the stems of its names, and its embedding if there is one."""

    text: str
    names: frozenset[str]
    vector: Vector | None

    @property
    def terms(self) -> frozenset[str]:
        """Its stems, stop words left out."""
        return frozenset(words(self.text)) - STOP_WORDS


def relevance(pool: Pool, topic: Topic) -> Vector:
    """How much each excerpt is about a topic, by its words, or words like them, and by the cosine; 0 if none is.

    No excerpt is about a topic if all of the topic's names are missing, or if nothing like its words stands anywhere.
    """
    said = [_said(excerpt.sentence) for excerpt in pool.excerpts]
    kin = _kin(topic, {word for row in said for word in row})
    weights = _rarity(topic.terms, said, kin)
    shares = np.array([_share(row, weights, kin) for row in said], np.float32)
    stems = {s for row in said for s in row.values()}
    if not shares.any() or (topic.names and not topic.names & stems):
        return np.zeros(len(said), np.float32)
    if pool.embedded and topic.vector is not None:
        shares = np.maximum(pool.vectors @ topic.vector, np.float32(0)) + np.float32(_SHARED) * shares
    return _in_context(pool, shares)


def shares(topic: Topic, texts: Sequence[str], pool: Pool) -> list[float]:
    """The share of the topic's words that each text holds, from 0 to 1; rare ones of the pool weigh more.

    A word that is like one of the topic counts by how much it is.
    """
    said = [_said(excerpt.sentence) for excerpt in pool.excerpts]
    kin = _kin(topic, {word for row in said for word in row})
    weights = _rarity(topic.terms, said, kin)
    return [_share(_said(text), weights, kin) for text in texts]


def related(near: Vector) -> list[int]:
    """The places of what is about the topic nearly as much as the nearest is; of a few, half as much."""
    highest = near.max() if len(near) else 0.0
    order = sorted((i for i in range(len(near)) if near[i] > 0), key=lambda i: (-near[i], i))
    few = min(_FEWEST, len(near) // _PART)
    floors = (_STILL if rank < few else _RELATED for rank in range(len(order)))
    return sorted(i for i, floor in zip(order, floors, strict=True) if near[i] >= floor * highest)


def _in_context(pool: Pool, own: Vector) -> Vector:
    """How much each is about the topic by itself, and by the passage that it stands in.

    "Ismail Khan was captured" is about Herat in a passage about Herat.
    """
    by_passage: dict[str, list[float]] = defaultdict(list)
    for excerpt, value in zip(pool.excerpts, own, strict=True):
        by_passage[excerpt.passage_id].append(float(value))
    around = {id: float(np.mean(sorted(values)[-_NEAREST:])) for id, values in by_passage.items()}
    whole = np.array([around[excerpt.passage_id] for excerpt in pool.excerpts], np.float32)
    found: Vector = np.where(own > 0, (1 - _AROUND) * own + _AROUND * whole, np.float32(0)).astype(np.float32)
    return found


def _said(text: str) -> Mapping[str, str]:
    """The lower-case words of a text with their stems, stop words left out; numbers are their own."""
    found = {word: stem(word) for word in map(str.lower, _LETTERS.findall(text))}
    return {word: root for word, root in found.items() if root not in STOP_WORDS} | {s: s for s in _digits(text)}


def _digits(text: str) -> list[str]:
    return [s for s in words(text) if s[0].isdigit()]


def _kin(topic: Topic, said: Collection[str]) -> Kin:
    """The words of what was said that count for each stem of the topic."""
    own = [(stem(word), vector(word)) for word in map(str.lower, _LETTERS.findall(topic.text))]
    found: dict[str, dict[str, float]] = {}
    for root, direction in own:
        if root in topic.terms and len(direction) > 1:
            found[root] = dict(_close(direction, said))
    return found


def _close(direction: Vector, said: Iterable[str]) -> Iterable[tuple[str, float]]:
    for word in said:
        cosine = float(direction @ vector(word)) if word.isalpha() else 0.0
        if cosine >= _KIN:
            yield word, min(1.0, cosine)


def _rarity(terms: frozenset[str], said: Sequence[Mapping[str, str]], kin: Kin) -> dict[str, float]:
    """The share of weight of each term, by inverse document frequency; a word that all sentences have says little."""
    counts = {t: sum(_held(row, t, kin) > 0 for row in said) for t in sorted(terms)}
    weights = {t: math.log(1 + (len(said) + 1) / (count + 1)) for t, count in counts.items()}
    total = sum(weights.values()) or 1.0
    return {t: weight / total for t, weight in weights.items()}


def _share(said: Mapping[str, str], weights: Mapping[str, float], kin: Kin) -> float:
    """The weight of the terms that stand among the words, one that only stands in another word counting less."""
    return sum(weight * _held(said, t, kin) for t, weight in weights.items())


def _held(said: Mapping[str, str], term: str, kin: Kin) -> float:
    if term in said.values():
        return 1.0
    return max((kin.get(term, {}).get(word, 0.0) for word in said), default=0.0)
