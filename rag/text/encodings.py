"""Decodes what a text has in Base64, hexadecimal, escapes, spaced letters or a simple cipher."""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import unquote

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
