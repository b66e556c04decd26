"""The examples that the help of each command shows."""

from __future__ import annotations

EXAMPLES = {
    "add": (
        "rag add seeds/ article.html",
        "rag add https://example.org/feed.xml",
        "rag add --listing files.txt --library my-library",
    ),
    "ask": (
        'rag ask "How many Afghan soldiers fled to Tajikistan?"',
        'rag ask -a seeds/ "Who met in Tehran?" --as-of 2021-07-31 --format markdown',
        'rag ask --model openai:gpt-5-mini --deep "Who met in Tehran, and why?"',
        "rag ask --batch questions.jsonl --json > answers.jsonl",
    ),
    "check": (
        "rag check draft.txt",
        "rag check draft.txt --against seeds/2021-07-07-tehran-talks.txt --strict",
        "echo '1,000 soldiers fled.' | rag check -",
    ),
    "search": ('rag search "consulates in Mazar-i-Sharif"', 'rag search "consulates" --since 2021-07 -k 3 --json'),
    "chat": ("rag chat", "rag chat -a seeds/ --until 2021-07-31", "rag chat < questions.txt"),
    "summarize": (
        "rag summarize",
        'rag summarize --topic "negotiations" --words 60 --format markdown',
        'rag summarize --length long --sections "negotiations, military situation"',
        "rag summarize seeds/2021-07-07-tehran-talks.txt --length short",
    ),
    "timeline": (
        "rag timeline --max-events 5",
        'rag timeline --topic "military situation" --format html > page.html',
        "rag timeline --since 2021-08 --format ics > events.ics",
    ),
    "conflicts": ("rag conflicts", 'rag conflicts --topic "airport attack" --json'),
    "figures": ("rag figures --topic districts", "rag figures --topic districts --counting captured --format csv"),
    "watch": (
        "rag watch https://example.org/feed.xml --every 900",
        'rag watch articles/ --topic "consulates" --draft draft.txt',
    ),
    "new": ("rag new --since 2021-07-07", 'rag new --since 2021-07 --topic "consulates" --json'),
    "topics": ('rag topics "airport attack" consulates', "rag topics --json", 'rag topics --remove "airport attack"'),
    "mcp": ("claude mcp add dispatches -- rag mcp --offline", "rag mcp --http 8765 --as-of 2021-07-31"),
    "eval": ("rag eval my-questions.yaml -a my-articles/", "rag eval --gates gates.toml --out results"),
    "articles": ("rag articles", "rag articles --json", "rag articles | cut -f 1,4"),
    "remove": ("rag remove fb6a5cdc7596b558",),
    "work": ("rag work", "rag work --watch 60"),
    "reindex": ("rag reindex",),
    "doctor": ("rag doctor", "rag doctor --json"),
}
"""A few whole lines for each command, the plainest first."""
