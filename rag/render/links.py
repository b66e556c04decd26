"""Addresses that open an article at the words that were cited."""

from __future__ import annotations

from urllib.parse import quote, urldefrag

from rag.schema import Citation

_WHOLE, _ENDS = 12, 6
"""Words: a quote up to this long is in the address as it is, of a longer one so many from either end."""


def link(citation: Citation) -> str | None:
    """The address of its article, in which a browser marks the quote; None for one that is not on the web.

    A text fragment (https://wicg.github.io/scroll-to-text-fragment/): of a long quote its first and last words.
    """
    url = citation.article.url or ""
    if not url.startswith(("https://", "http://")) or any(c.isspace() or not c.isprintable() for c in url):
        return None
    page, fragment = urldefrag(url)
    return f"{page}#{fragment.partition(':~:')[0]}:~:text={_directive(citation.quote)}"


def _directive(text: str) -> str:
    words = text.split()
    if len(words) <= _WHOLE:
        return _encoded(words)
    return f"{_encoded(words[:_ENDS])},{_encoded(words[-_ENDS:])}"


def _encoded(words: list[str]) -> str:
    """A comma, a hyphen and an ampersand are the directive's own marks."""
    return quote(" ".join(words), safe="").replace("-", "%2D")
