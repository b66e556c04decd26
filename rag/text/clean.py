"""Turns bytes from outside into text that is safe to show, index or cite."""

from __future__ import annotations

import codecs
import hashlib
import re
import unicodedata
from dataclasses import dataclass

from rag.errors import LoadError

_BREAKS = re.compile(r"[\r\f\v\x1c-\x1e\x85\u2028\u2029]")
# Control characters; marks that reorder, hide or smuggle text; lone surrogates. The joiners are spelling in Persian,
# Pashto and the Indic scripts, and are kept between their letters.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff\U000e0000-\U000e0fff]"
)
_JOINER = re.compile(r"(?<![\u0600-\u0dff])[\u200c\u200d]|[\u200c\u200d](?![\u0600-\u0dff])")
# Up to the last "@" where the password was written with a "/", "?" or "#" in it, and so is no port.
_USER = re.compile(r"://(?:[^/?#]*@|[^/?#:\[]*:(?!\d*(?:[/?#]|$)).*@)", re.S)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS = bytes(c for c in range(32) if c not in b"\t\n\v\f\r\x1b")
_MAGIC = (
    *(b"PK\x03\x04", b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"\xd0\xcf\x11\xe0"),
    b"SQLite format 3",
)
_LIGATURES = {ord(sign): unicodedata.normalize("NFKC", sign) for sign in "ﬀﬁﬂﬃﬄﬅﬆ"}
_LIGATURE = re.compile("[ﬀ-ﬆ]")
# Encodings of news files, for a library to choose from.
_COMMON = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "mac_roman"),
    *("cp932", "gb18030", "big5", "cp949"),
)
# Accents, an apostrophe and quotation marks of MacRoman, where windows-1252 would have a capital or a sign in a word.
_MAC = re.compile(
    rb"[a-z](?:[\x8a\x8c-\x90]|[\x87-\x89\x95\x98\x99\x9f\xd5](?=[a-z]))|(?:^|[\s(])\xd2(?=\w)[^\xd2]{1,400}\xd3(?:[\s,.;)]|$)"
)
_SAMPLE, _WHOLE = 65536, 4
_FEW = 8  # different bytes; a text of a hundred times as many characters has more
# Python's own codecs, which no document declares in earnest; some take quadratic time.
_NOT_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7", "mbcs", "oem"}


def clean(text: str) -> str:
    """The text in NFC with `\\n` line ends, without control characters, bidi marks, ligatures or soft hyphens."""
    text = _UNSEEN.sub("", _BREAKS.sub("\n", text.replace("\r\n", "\n")))
    if text.isascii():
        return text
    if "\u200c" in text or "\u200d" in text:
        text = _JOINER.sub("", text)
    if _LIGATURE.search(text):
        text = text.translate(_LIGATURES)
    return unicodedata.normalize("NFC", text)


def one_line(text: str, limit: int = 500) -> str:
    """The text cleaned, on one line, and cut to `limit` characters."""
    line = " ".join(clean(text[: 4 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def content_digest(text: str) -> str:
    """SHA-256 of the text in Unicode NFC with each run of white space as one space: equal for reflowed copies."""
    normal = " ".join(unicodedata.normalize("NFC", text).split())
    return hashlib.sha256(normal.encode("utf-8", "replace")).hexdigest()


def without_password(place: str) -> str:
    """An address without the user name and password in it; a path as it is."""
    return _USER.sub("://***@", place)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and what a reader should know of how it was decoded."""

    text: str
    note: str | None = None


def decode(body: bytes, charset: str | None = None) -> Decoded:
    """The text of a file: UTF-8, UTF-16 with its byte order mark, a declared charset, or a detected one.

    Raises LoadError for what is no text.
    """
    if codec := utf16(body):
        return Decoded(_decoded_utf16(body, codec))
    refuse_binary(body)
    declared = charset_name(charset) if charset else None
    if declared and not body.startswith(codecs.BOM_UTF8):
        return Decoded(body.decode(declared, "replace"))
    try:
        return Decoded(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return _guessed(body, error.start)


def utf16(body: bytes) -> str | None:
    """The codec of UTF-16: by its byte order mark, or as every other byte of Latin text is 0 there."""
    if body.startswith(_UTF16):
        return "utf-16"
    head = body[:2000]
    halves = {"utf-16-le": (head[1::2], head[::2]), "utf-16-be": (head[::2], head[1::2])}
    return next((c for c, (zero, text) in halves.items() if zero.count(0) > 0.9 * len(zero) > text.count(0) * 9), None)


def refuse_binary(body: bytes) -> None:
    """Raises LoadError if the bytes are no text: a known binary signature, or more than 2 % control characters."""
    controls = len(body) - len(body.translate(None, _CONTROLS))
    if body.startswith(_MAGIC) or controls > max(2, len(body) // 50):
        raise _binary(body)


def _binary(body: bytes) -> LoadError:
    return LoadError(
        f"is binary (it starts with {body[:8]!r}), wanted text; give the file its true extension, or get it anew"
    )


def charset_name(label: str) -> str | None:
    """Python's name of a charset that a page or server declares; None if it is unknown or says nothing.

    Latin-1 means windows-1252 on the web, and UTF-16 has a byte order mark: https://encoding.spec.whatwg.org/
    """
    try:
        info = codecs.lookup(label)
    except (LookupError, ValueError):
        return None
    if info.name in _NOT_CHARSETS or info.name.startswith("utf-16") or not info._is_text_encoding:
        return None
    return "windows-1252" if info.name in ("iso8859-1", "ascii") else info.name


def not_utf8(seen: str) -> str:
    """What is wrong and how to mend it."""
    return f"is not UTF-8 ({seen}); convert it with iconv, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"


def _guessed(body: bytes, first: int) -> Decoded:
    """A text that is not UTF-8 from a place on: damaged UTF-8, or another encoding."""
    if len(body) > _FEW * 100 and len(set(body[:_SAMPLE])) < _FEW:
        raise _binary(body)
    text = body.decode("utf-8-sig", "replace")
    bad = text.count("\ufffd")
    if sum(c > "\x7f" for c in text) > _WHOLE * bad:
        return Decoded(text, f"has {bad} characters that cannot be read, shown as \ufffd; get it whole")
    found = _detected(body[max(0, first - _SAMPLE // 2) :][:_SAMPLE])
    if found is None:
        raise LoadError(not_utf8(f"byte 0x{body[first]:02x} at offset {first}"))
    return Decoded(
        body.decode(found, "replace"), f"is not UTF-8, read as {found}; if that is wrong, convert it to UTF-8"
    )


def _detected(sample: bytes) -> str | None:
    """The encoding of a sample; windows-1252 wherever it explains the bytes as well as any other."""
    from charset_normalizer import from_bytes

    found = from_bytes(sample, cp_isolation=list(_COMMON))
    best = found.best()
    western = next((m for m in found if "cp1252" in (m.encoding, *m.could_be_from_charset)), None)
    if best is None:
        return None
    mostly_ascii = sum(byte > 127 for byte in sample) * 10 < len(sample)
    ambiguous = western and (western.chaos <= best.chaos or (best.multi_byte_usage and mostly_ascii))
    if (ambiguous or best.encoding in ("cp1250", "cp1254")) and _MAC.search(sample):
        return "mac_roman"
    return "windows-1252" if ambiguous else best.encoding


def _decoded_utf16(body: bytes, codec: str) -> str:
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        raise LoadError(
            f"starts like UTF-16 but is not (offset {error.start}); convert it with iconv to UTF-8"
        ) from None
    refuse_binary(text[:65536].encode("utf-8", "replace"))
    return text
