"""Office files, books, mail, subtitles and references to be damaged: whole ones, and containers whose parts are."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from hypothesis import strategies as st

from fuzzing import material

PROSE = "The ferry ran aground on Monday with 212 people on board. Nobody was hurt. " * 2
_WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OPEN = "urn:oasis:names:tc:opendocument:xmlns:"
_PARTS = {
    ".docx": (
        "word/document.xml",
        f'<w:document xmlns:w="{_WORDS}"><w:body><w:p><w:r><w:t>{PROSE}</w:t></w:r></w:p></w:body></w:document>',
    ),
    ".odt": (
        "content.xml",
        f'<office:document-content xmlns:office="{_OPEN}office:1.0" xmlns:text="{_OPEN}text:1.0"><office:body>'
        f"<office:text><text:p>{PROSE}</text:p></office:text></office:body></office:document-content>",
    ),
    ".epub": ("OEBPS/a.xhtml", f'<html xmlns="http://www.w3.org/1999/xhtml"><body><p>{PROSE}</p></body></html>'),
}
_BESIDE = {
    ".epub": {
        "META-INF/container.xml": f'<container xmlns="{_OPEN}container"><rootfiles>'
        '<rootfile full-path="OEBPS/c.opf"/></rootfiles></container>',
        "OEBPS/c.opf": '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml" '
        'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>',
    }
}
_MAIL = f"From: Wire <news@example.org>\nSubject: Ferry\nDate: Wed, 7 Jul 2021 10:00:00 +0000\n\n{PROSE}\n"


def _container(extension: str, body: bytes) -> bytes:
    parts: Mapping[str, str | bytes] = {**_BESIDE.get(extension, {}), _PARTS[extension][0]: body}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


SAMPLES = {extension: [_container(extension, body.encode())] for extension, (_, body) in _PARTS.items()} | {
    ".rtf": [(r"{\rtf1\ansi\ansicpg1252{\fonttbl\f0 Times;}\f0 " + PROSE + r"\par Caf\'e9 \u8217?s.\par}").encode()],
    ".eml": [
        _MAIL.encode(),
        f"Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: message/rfc822\n\n{_MAIL}\n--B--".encode(),
        _MAIL.replace("\n\n", "\nContent-Type: text/html; charset=x\n\n<p>").encode(),
    ],
    ".mhtml": [f"Snapshot-Content-Location: https://a.example/b\nContent-Type: text/html\n\n<p>{PROSE}</p>".encode()],
    ".srt": [f"1\n00:00:01,000 --> 00:00:04,000\n<v Ada>{PROSE}</v>\n\n2\n00:05.000 --> 00:06.000\n- {PROSE}".encode()],
    ".ris": [f"TY  - NEWS\nTI  - Ferry\nAU  - Writer, Ada\nPY  - 2021/07/07/\nAB  - {PROSE}\nER  - \n".encode()],
    ".mbox": [f"From news@example.org Wed Jul  7 10:00:00 2021\n{_MAIL}\n".encode() * 2],
}
"""Whole files of each format."""


def _damaged(extension: str, body: str) -> st.SearchStrategy[bytes]:
    return material.mutated([body.encode()]).map(lambda part: _container(extension, part))


SHAPED: Mapping[str, list[st.SearchStrategy[bytes]]] = {
    extension: [_damaged(extension, _PARTS[extension][1])] if extension in _PARTS else [] for extension in SAMPLES
}
"""Containers that are sound, with a part that is damaged."""
