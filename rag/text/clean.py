"""Turns bytes from outside into text that is safe to show, index or cite."""

from __future__ import annotations

import codecs
import hashlib
import re
import unicodedata

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
    b"PK\x03\x04",
    b"%PDF-",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"\xd0\xcf\x11\xe0",
    b"SQLite format 3",
)
# Python's own codecs, which no document declares in earnest; some take quadratic time.
_NOT_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7", "mbcs", "oem"}


def clean(text: str) -> str:
    """The text with `\\n` line ends, without control characters, bidi marks or invisible format characters."""
    text = _UNSEEN.sub("", _BREAKS.sub("\n", text.replace("\r\n", "\n")))
    return _JOINER.sub("", text) if "\u200c" in text or "\u200d" in text else text


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


def decode(body: bytes, charset: str | None = None) -> str:
    """The text of a file: UTF-8, UTF-16 with its byte order mark, or the charset that its server declared.

    Raises LoadError for anything else; a charset is never guessed.
    """
    if body.startswith(_UTF16):
        return _decoded_utf16(body)
    refuse_binary(body)
    declared = charset_name(charset) if charset else None
    if declared and not body.startswith(codecs.BOM_UTF8):
        return body.decode(declared, "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LoadError(not_utf8(f"byte 0x{body[error.start]:02x} at offset {error.start}")) from None


def refuse_binary(body: bytes) -> None:
    """Raises LoadError if the bytes are no text: a known binary signature, or more than 2 % control characters."""
    controls = len(body) - len(body.translate(None, _CONTROLS))
    if body.startswith(_MAGIC) or controls > max(2, len(body) // 50):
        raise LoadError(f"is binary (it starts with {body[:8]!r}), wanted text; give the file its true extension")


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


def _decoded_utf16(body: bytes) -> str:
    try:
        text = body.decode("utf-16")
    except UnicodeDecodeError as error:
        raise LoadError(
            f"starts like UTF-16 but is not (offset {error.start}); convert it with iconv to UTF-8"
        ) from None
    refuse_binary(text[:65536].encode("utf-8", "replace"))
    return text
