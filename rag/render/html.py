"""Writes pages of HTML that need nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import NewType

from rag.render.lines import safe

Html = NewType("Html", str)
"""Markup; a text becomes one by `html`, never by itself."""
BREAK = Html("<br>")

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --line: #8888; --mark: #2563eb; --pale: #696969; --bad: #b91c1c; --good: #15803d; }
@media (prefers-color-scheme: dark) {
  :root { --mark: #7aa7ff; --pale: #aaa; --bad: #ff8a80; --good: #6ddc8b; } a { color: var(--mark); }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
p { margin: .1rem 0; } time { font-weight: 600; font-variant-numeric: tabular-nums; }
.doubt { color: var(--bad); } .pale, cite, summary { color: var(--pale); font-style: normal; font-size: .9rem; }
blockquote { margin: .4rem 0; padding-left: .8rem; border-left: 3px solid var(--line); font-size: .9rem; }
"""


def html(text: str) -> Html:
    """A text from outside as it is to be read, on one line: nothing in it is markup."""
    return Html(escape(" ".join(safe(text).split())))


def element(name: str, *inside: Html, **attributes: str) -> Html:
    """An element with texts as attributes; `class_` stands for `class`, `aria_label` for `aria-label`."""
    found = [f' {key.rstrip("_").replace("_", "-")}="{html(value)}"' for key, value in attributes.items()]
    return Html(f"<{name}{''.join(found)}>{''.join(inside)}</{name}>")


def joined(parts: Iterable[Html], between: str = "") -> Html:
    """The parts one after another, with a text between them."""
    return Html(escape(between).join(parts))


def page(title: str, *body: Html, style: str = "") -> str:
    """A page with the title as its heading; `style` is CSS on top of what all pages have."""
    named = html(title)
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{named}</title>\n<style>{_STYLE}{style}</style>\n</head>\n<body>\n<h1>{named}</h1>",
            *body,
            "</body>\n</html>\n",
        )
    )
