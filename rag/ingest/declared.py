"""Reads what a web page declares of itself, and takes out of its tree what is no part of its article."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from rag.text.calendar import parse_published

_ARCHIVED = re.compile(
    r"https?://(?:web\.archive\.org/web|archive\.(?:ph|today|is|md)(?:/o/\w+)?)/(?:\d{4,14}[a-z_]{0,3}/)?(?=https?:/)"
)
_ONE_SLASH = re.compile(r"^(https?):/(?!/)")
_TOOLBARS = (
    "//*[@id='wm-ipp-base' or @id='wm-ipp' or @id='wm-ipp-print' or @id='donato'] | "
    "//amp-ad | //amp-embed | //amp-sticky-ad | //amp-consent | //amp-sidebar | //nav"
)
_WALLS = re.compile(
    r"(?<![a-z])(?:pay-?wall|reg-?wall|subscriber-?only|subscribe-?wall|subscription-?wall|barrier|upsell|offer)", re.I
)
_ASIDES = re.compile(
    r"\b(?:related(?:-(?:articles?|stor(?:y|ies)|content|links|posts))?|recommended|most-(?:read|popular)|more-on-this|"
    r"newsletter(?:-(?:signup|box|promo))?|promo(?:-box)?|share-(?:bar|tools|buttons)|social-share|cookie-(?:banner|consent)|"
    r"(?:about-the-)?author-?(?:bio|card|box)|bottom-of-article)(?![\w-])",
    re.I,
)
_POINTER = re.compile(
    r"(?:read|see|watch|listen)(?: (?:more|also|next|too))?(?: (?:on|about) [^:]{1,30})?\s*[:|»>–—]|"
    r"(?:read|see) (?:more|also|next)\b|(?:also|more|related|recommended)(?: \w+){0,3}\s*[:|»>]|"
    r"lesen sie (?:auch|mehr)|mehr (?:zum|dazu)|(?:à )?lire aussi|le(?:a|er|ia|ggi)(?: también| também| mais| anche)|"
    r"our standards:|читайте также|اقرأ (?:أيض|المزيد)|بیشتر بخوانید|همچنین بخوانید",
    re.I,
)
_LONGEST_LABEL = 30
_SIGN_UP = re.compile(r"(?=.*\b(?:sign up|subscribe)\b).*\b(?:newsletter|inbox|briefing)", re.I | re.S)
_LONG_CELL = 500  # characters; a table with one lays out the page
_OFFER = re.compile(r"subscri|sign ?(?:in|up)|log ?in|regist|membership|ab+on|suscr|assin|подпис", re.I)
_LIVE = re.compile(
    r"^live ?[:|–—-]|[-–—:|,] *live(?: ?[|–—-]|$)|\blive-? ?(?:blog|ticker|updates|coverage)\b|\ben directo?\b|"
    r"\bas it happened\b",
    re.I,
)
_SHOWN = "(//article | //main)//*[self::time or @itemprop='datePublished' or @class]"
_DATED = re.compile(
    r"(?:(?:article|post|entry|news|story|content|meta|pub\w*)[-_]*)*(?:date(?:time)?|time|datum|fecha|publi\w+)", re.I
)
_UPDATED = re.compile(r"updat|modif|aktualis|mis à jour|actuali[sz]|aggiorn|обновл|تحديث|روزرسانی", re.I)
_LONGEST_DATE = 60
_LINE_END = re.compile(r"[ \t]*\r?\n[ \t]*")
_SELECTOR = re.compile(r"[.#][\w-]+")
_LONGEST_OFFER = 800  # characters; what is longer behind a wall is the article, which was open to whoever saved it
_MOST_BLOCKS, _MOST_POSTS = 10_000, 1000
_CHANGED = (
    "//meta[contains(@property, 'modified') or contains(@property, 'updated_time') or contains(@name, 'modified') or "
    "contains(@name, 'revised') or @itemprop='dateModified' or @http-equiv='last-modified'] | "
    "//time[@itemprop='dateModified' or contains(@class, 'updated') or contains(@class, 'modified')]"
)
_CHANGE = re.compile(r'"(?:dateModified|dateUpdated|lastmod|modified|updated(?:_?[aA]t)?)"\s*:\s*"[^"]*"')


@dataclass(frozen=True, slots=True)
class Post:
    """A post of a live blog, with its own time; None is unknown."""

    text: str
    title: str | None
    published: str | None
    url: str | None


def original(url: str | None) -> str | None:
    """The address of a page that an archive has a copy of, instead of the archive's."""
    if not url or not (found := _ARCHIVED.match(url)):
        return url
    return _ONE_SLASH.sub(r"\1://", url[found.end() :])


def json_ld(tree: Any) -> list[dict[str, Any]]:
    """The objects of its JSON-LD, those in lists and graphs too; what cannot be parsed is left out."""
    found: list[dict[str, Any]] = []
    pending = [value for script in tree.iter("script") for value in _parsed(script)]
    while pending and len(found) < _MOST_BLOCKS:
        value = pending.pop()
        pending += value if isinstance(value, list) else []
        if isinstance(value, dict):
            found.append(value)
            pending.append(value.get("@graph"))
    return found


def _parsed(script: Any) -> list[Any]:
    if (script.get("type") or "").strip().lower() != "application/ld+json":
        return []
    try:
        return [json.loads(script.text or "null", strict=False)]
    except (ValueError, RecursionError):
        return []


def names(objects: list[dict[str, Any]], role: str) -> str | None:
    """Who has a role in what a page declares, such as `author` or `publisher`."""
    for value in objects:
        given = value.get(role)
        listed = [p.get("name") if isinstance(p, dict) else p for p in (given if isinstance(given, list) else [given])]
        if found := [name for name in listed if isinstance(name, str) and name and "://" not in name]:
            return ", ".join(found)
    return None


def shown_date(tree: Any) -> str | None:
    """The date that an article shows in a place of its own, and is not that of a change."""
    for node in filter(_is_date_line, tree.xpath(_SHOWN)):
        text = " ".join(node.text_content().split())
        is_change = _UPDATED.search(f"{_names(node)} {text}")
        if len(text) < _LONGEST_DATE and not is_change and parse_published(text):
            return text
    return None


def _is_date_line(node: Any) -> bool:
    """Whether an element has the place of a date by its name, and is no part of a sentence."""
    named = node.tag == "time" or node.get("itemprop") or any(map(_DATED.fullmatch, (node.get("class") or "").split()))
    parent = node.getparent()
    return bool(named) and parent is not None and (parent.tag != "p" or len(parent.text_content()) < 2 * _LONGEST_DATE)


def posts(tree: Any, objects: list[dict[str, Any]]) -> list[Post]:
    """The posts of a live blog in the order of their times; none if the page is none."""
    updates: list[Any] = []
    for value in objects:
        listed = value.get("liveBlogUpdate")
        updates += listed if isinstance(listed, list) else [listed] if isinstance(listed, dict) else []
    found = [_post(update) for update in updates if isinstance(update, dict)]
    found = [post for post in found if post.text.strip()] or [_marked(node) for node in _post_nodes(tree)]
    return sorted(found, key=lambda post: post.published or "")


def cut_to_article(tree: Any, objects: list[dict[str, Any]]) -> bool:
    """Takes out breaks within sentences, bars of archives, boxes of links, and offers; whether a wall was there."""
    for node in tree.xpath(_TOOLBARS):
        node.drop_tree()
    for cell in list(tree.iter("td")):
        if cell.tag == "td" and len(cell.text_content()) > _LONG_CELL:
            for node in (*cell.getparent(), *cell.iterancestors()):
                node.tag = "div" if node.tag in ("table", "tbody", "tr", "td") else node.tag
    breaks = list(tree.iter("br"))
    for parent in {line_break.getparent() for line_break in breaks}:
        _unwrap(parent)
    for line_break in breaks:
        _mend(line_break)
    walled = False
    for node in list(_boxes(tree, _walls(objects))):
        if node.getparent() is not None and _is_offer(node):
            node.drop_tree()
            walled = True
    for node in list(tree.iter("div", "section", "aside", "ul", "nav")):
        if (
            node.getparent() is not None
            and _ASIDES.search(_names(node))
            and next(node.iter("article", "h1"), None) is None
        ):
            node.drop_tree()
    drop_pointers(tree)
    opened = any(str(node.text_content()).strip() for node in _boxes(tree, _walls(objects)))
    return walled or (any(map(_is_closed, objects)) and not opened)


def drop_pointers(tree: Any) -> None:
    """Takes out paragraphs that only lead to other articles, or to a newsletter."""
    for node in list(tree.iter("p", "li", "h3", "h4", "h5")):
        if node.getparent() is not None and _is_pointer(node):
            node.drop_tree()


def forget_changes(tree: Any) -> str | None:
    """Takes out of the tree when the page was changed, which is not when it was published; the last such stamp."""
    found: str | None = None
    for node in list(tree.xpath(_CHANGED)):
        found = node.get("content") or node.get("datetime") or node.text_content().strip() or found
        node.drop_tree()
    for script in tree.iter("script"):
        if script.text and (changes := _CHANGE.findall(script.text)):
            found = changes[-1].rpartition(":")[2].strip(' "') if found is None else found
            script.text = _CHANGE.sub('"dropped": ""', script.text)
    return found


def _post(update: dict[str, Any]) -> Post:
    title, url = update.get("headline"), update.get("url")
    return Post(
        text=next(filter(None, (_text(update.get(key)) for key in ("articleBody", "text", "description"))), ""),
        title=title if isinstance(title, str) else None,
        published=next((update[k] for k in ("datePublished", "dateCreated") if isinstance(update.get(k), str)), None),
        url=url if isinstance(url, str) else None,
    )


def _text(value: Any) -> str:
    value = value.get("@value") if isinstance(value, dict) else value
    return value if isinstance(value, str) else ""


def _post_nodes(tree: Any) -> list[Any]:
    """The elements of posts: by microdata, or on a live page, neighbours of one kind that have a time each."""
    if marked := tree.xpath("//*[contains(@itemprop, 'liveBlogUpdate')]"):
        return list(marked)
    title = " ".join((tree.findtext(".//title") or "").split())
    if not _LIVE.search(title) and not tree.xpath("//*[contains(@class, 'liveblog') or contains(@class, 'live-blog')]"):
        return []
    timed: dict[Any, tuple[Any, ...]] = {}
    for stamp in tree.xpath("//time[contains(@datetime, 'T')]")[:_MOST_POSTS]:
        timed.update((node, (node.getparent(), node.tag, node.get("class"))) for node in stamp.iterancestors())
    several = Counter(timed.values())
    nodes = [node for node, kind in timed.items() if several[kind] > 1 and len(node.findall(".//time")) == 1]
    return [node for node in nodes if node.getparent() not in nodes]


def _marked(node: Any) -> Post:
    """The post of an element, whose heading and time are no part of its text."""
    node = deepcopy(node)
    stamp = next(node.iter("time"), None)
    heading = next(node.iter("h1", "h2", "h3", "h4", "h5", "h6"), None)
    found = Post(
        text="",
        title=" ".join(heading.text_content().split()) if heading is not None else None,
        published=stamp.get("datetime") if stamp is not None else None,
        url=None,
    )
    for part in (stamp, heading):
        if part is not None:
            part.drop_tree()
    paragraphs = list(node.iter("p", "li", "blockquote")) or [node]
    return replace(found, text="\n\n".join(" ".join(p.text_content().split()) for p in paragraphs))


def _unwrap(parent: Any) -> None:
    """Line ends of the source between breaks are spaces."""
    parent.text = parent.text and _LINE_END.sub(" ", parent.text)
    for child in parent:
        child.tail = child.tail and _LINE_END.sub(" ", child.tail)


def _mend(line_break: Any) -> None:
    """A single break is a space; of two in a row, which end a paragraph, one stays."""
    following = line_break.getnext()
    if following is not None and following.tag == "br" and not (line_break.tail or "").strip():
        return
    previous = line_break.getprevious()
    if previous is not None and previous.tag == "br" and not (previous.tail or "").strip():
        return
    line_break.tail = f" {line_break.tail or ''}"
    line_break.drop_tag()


def _is_closed(value: dict[str, Any]) -> bool:
    return str(value.get("isAccessibleForFree")).lower() == "false"


def _walls(objects: list[dict[str, Any]]) -> set[str]:
    """The classes and ids of what a page declares as closed."""
    found: set[str] = set()
    for value in objects:
        parts = value.get("hasPart") or []
        for part in parts if isinstance(parts, list) else [parts]:
            if isinstance(part, dict) and _is_closed(part):
                selectors = part.get("cssSelector") or []
                joined = " ".join(map(str, selectors)) if isinstance(selectors, list) else str(selectors)
                found |= {name[1:] for name in _SELECTOR.findall(joined)}
    return found


def _boxes(tree: Any, declared: set[str]) -> Iterator[Any]:
    for node in tree.iter("div", "section", "aside", "p", "form", "dialog"):
        names = _names(node)
        if declared & set(names.split()) or _WALLS.search(names):
            yield node


def _names(node: Any) -> str:
    return " ".join(filter(None, map(node.get, ("class", "id", "data-testid"))))


def _is_offer(node: Any) -> bool:
    text = str(node.text_content())
    return len(text) < _LONGEST_OFFER and bool(_OFFER.search(text))


def _is_pointer(node: Any) -> bool:
    """Whether a paragraph only leads to another article, as `Read more: Mayor resigns` does, of which all is a link."""
    text, linked = (
        " ".join(t.split()) for t in (node.text_content(), " ".join(a.text_content() for a in node.iter("a")))
    )
    leads = _POINTER.match(text) and len(text) - len(linked) < _LONGEST_LABEL
    return bool(linked) and bool(leads or (len(text) < _LONGEST_OFFER and _SIGN_UP.match(text)))
