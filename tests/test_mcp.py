"""The server as its clients see it: the SDK's own client, over real pipes and real HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("mcp", reason="no MCP SDK; install it with `uv sync`")

from commands import command
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from rag.ingest.metadata import article
from rag.library import Library
from rag.mcp import MOST_CHARACTERS, server
from rag.text.calendar import parse_published

ROOT = Path(__file__).parents[1]
SOLDIERS = "How many Afghan soldiers fled to Tajikistan?"
OFF_TOPIC = "Which team won the 1998 football World Cup final?"
TOOLS = ["search", "fetch", "ask", "check", "timeline", "conflicts"]
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of the seeds, of a later article with an address, and of a very long one."""
    place = tmp_path_factory.mktemp("mcp") / "library"
    bridge = "The bridge over the Harirud near Herat was closed on Monday. Engineers said repairs take 40 days."
    later = article(
        bridge,
        title="Bridge closed",
        source="Harirud Post",
        published=parse_published("2021-08-02"),
        url="https://example.org/bridge",
    )
    with Library(place) as library:
        library.add(ROOT / "seeds", later, article("The talks went on. " * 5_000, title="Long"))
    return place


@pytest.fixture(scope="module")
def library(folder: Path) -> Iterator[Library]:
    with Library(folder, offline=True) as opened:
        yield opened


async def called(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool returns, which is the same as structured content and as text."""
    found = await client.call_tool(tool, arguments)
    assert not found.is_error, found.content
    assert found.structured_content is not None
    assert json.loads(found.content[0].text) == found.structured_content
    return found.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    found = await client.call_tool(tool, arguments)
    assert found.is_error
    assert found.structured_content is None
    return str(found.content[0].text)


async def conversation(client: Client) -> None:
    """What a client does: it lists the tools, searches, fetches what it found, asks."""
    assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
    found = await called(client, "search", query=SOLDIERS)
    fetched = await called(client, "fetch", id=found["results"][0]["id"])
    assert fetched["title"].startswith("Iran said an Afghan government delegation")
    answer = await called(client, "ask", question=SOLDIERS)
    (cited,) = answer["citations"]
    assert "1,000 Afghan soldiers" in cited["quote"]
    assert fetched["text"][cited["start"] : cited["end"]] == cited["quote"]


# over pipes and HTTP


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_converses_over_pipes(folder: Path, mode: str) -> None:
    arguments = [*command()[1:], "mcp", "--library", str(folder), "--offline"]
    program = StdioServerParameters(command=command()[0], args=arguments, env={"RAG_THREADS": "1"})
    async with Client(program, mode=mode) as client:
        assert client.server_info.name == "dispatches"
        await conversation(client)


async def test_a_client_converses_over_http(address: str) -> None:
    async with Client(address) as client:
        await conversation(client)


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The address of a server on a free port; when it ends it has written nothing to stdout."""
    arguments = [*command(), "mcp", "--library", str(folder), "--offline", "--http", "0"]
    process = subprocess.Popen(arguments, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    told = process.stderr.readline()
    assert told.startswith("rag: serving http://127.0.0.1:"), told
    yield told.removeprefix("rag: serving ").strip()
    process.send_signal(signal.SIGTERM)
    assert process.stdout.read() == ""
    process.wait(timeout=60)


@pytest.mark.parametrize("header", [{"host": "evil.example"}, {"origin": "https://evil.example"}])
def test_a_page_on_the_web_cannot_reach_the_server(address: str, header: dict[str, str]) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
    accepted = {"accept": "application/json, text/event-stream"}
    assert httpx.post(address, json=hello, headers=accepted).status_code == 200
    assert httpx.post(address, json=hello, headers=accepted | header).status_code in {403, 421}


def test_a_port_that_is_taken_is_one_line(address: str, folder: Path) -> None:
    port = address.rsplit(":", maxsplit=1)[1].split("/", maxsplit=1)[0]
    arguments = [*command(), "mcp", "--library", str(folder), "--http", port]
    found = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith(f"rag: port {port} of 127.0.0.1 cannot be used")
    assert found.stderr.count("\n") == 1


def test_stdout_has_nothing_but_the_protocol(tmp_path: Path) -> None:
    requests = (
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "ask", "arguments": {"question": "?"}}},
        {
            "jsonrpc": "2.0",
            "id": 3,
            "method": "tools/call",
            "params": {"name": "ask", "arguments": {"question": OFF_TOPIC}},
        },
    )
    arguments = [
        *command(),
        "mcp",
        "--library",
        str(tmp_path / "library"),
        "-a",
        str(ROOT / "seeds"),
        "-a",
        "/nowhere",
        "-v",
    ]
    with subprocess.Popen(
        arguments,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"RAG_OFFLINE": "1"},
    ) as process:
        assert process.stdin
        assert process.stdout
        replies = []
        for request in requests:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            if "id" in request:
                replies.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait(timeout=60) == 11
        assert "/nowhere" in (process.stderr.read() if process.stderr else "")
    assert [reply["id"] for reply in replies] == [1, 2, 3]
    assert replies[1]["result"]["isError"]
    assert replies[2]["result"]["structuredContent"]["status"] == "abstained"


def test_an_interrupt_ends_it_while_it_waits(folder: Path) -> None:
    arguments = [*command(), "mcp", "--library", str(folder), "--offline"]
    with subprocess.Popen(arguments, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130


def test_without_the_sdk_it_says_how_to_install_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['mcp'] = None; from rag.cli.app import main; main()"
    Library(tmp_path / "library").catalog.close()
    arguments = [sys.executable, "-c", code, "mcp", "--library", str(tmp_path / "library")]
    found = subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "rag: rag mcp needs the MCP SDK; install it with `pip install 'dispatches[mcp]'`\n"


# the tools


async def test_tools_have_typed_results_and_change_nothing(library: Library) -> None:
    async with Client(server(library)) as client:
        for tool in (await client.list_tools()).tools:
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint
            assert tool.output_schema is not None
            assert tool.output_schema["type"] == "object"
            assert tool.description
            assert all("description" in field for field in tool.input_schema["properties"].values()), tool.name
            required = {"search": ["query"], "fetch": ["id"], "ask": ["question"], "check": ["text"]}
            assert tool.input_schema.get("required", []) == required.get(tool.name, [])


async def test_search_and_fetch_have_the_keys_that_clients_expect(library: Library) -> None:
    async with Client(server(library)) as client:
        first = (await called(client, "search", query="How long do repairs of the bridge take?"))["results"][0]
        assert (first["title"], first["url"]) == ("Bridge closed", "https://example.org/bridge")
        fetched = await called(client, "fetch", id=first["id"])
        assert list(fetched) == ["id", "title", "text", "url", "metadata"]
        assert fetched["text"][first["start"] : first["end"]] == first["text"]
        assert fetched["metadata"]["source"] == "Harirud Post"
        assert fetched["metadata"]["published"] == "2021-08-02"


async def test_each_article_is_found_once_with_all_its_passages(library: Library) -> None:
    async with Client(server(library)) as client:
        results = (await called(client, "search", query="Taliban in Tehran and Tajikistan", k=20))["results"]
        assert len({result["id"] for result in results}) == len(results)
        seeds = next(result for result in results if result["title"].startswith("Iran said"))
        assert len(seeds["more"]) == 1


async def test_an_article_without_an_address_is_a_resource(library: Library) -> None:
    async with Client(server(library)) as client:
        first = (await called(client, "search", query=SOLDIERS))["results"][0]
        assert first["url"] == f"dispatches://articles/{first['id']}"
        read = await client.read_resource(first["url"])
        assert read.contents[0].text == (await called(client, "fetch", id=first["id"]))["text"]


async def test_a_long_article_comes_in_parts(library: Library) -> None:
    (whole,) = (found for found in library.articles() if found.title == "Long")
    async with Client(server(library)) as client:
        first = await called(client, "fetch", id=whole.id)
        assert first["metadata"]["next"] == MOST_CHARACTERS
        second = await called(client, "fetch", id=whole.id, start=first["metadata"]["next"])
        assert second["metadata"]["next"] is None
        assert first["text"] + second["text"] == whole.text


async def test_a_citation_has_a_link_to_its_quote_on_the_web(library: Library) -> None:
    async with Client(server(library)) as client:
        answer = await called(client, "ask", question="How many days do repairs of the bridge over the Harirud take?")
        assert answer["citations"][0]["link"].startswith("https://example.org/bridge#:~:text=")
        assert (await called(client, "ask", question=SOLDIERS))["citations"][0]["link"] is None


async def test_the_conversation_shown_is_the_one_that_a_client_has(library: Library) -> None:
    page = (ROOT / "docs/mcp.md").read_text(encoding="utf-8")
    asked, answered = (json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", page, re.M | re.S))
    async with Client(server(library)) as client:
        assert await called(client, "ask", **asked) == answered
        assert {tool.name for tool in (await client.list_tools()).tools} == set(re.findall(r"^\| `(\w+)`", page, re.M))


async def test_what_the_articles_do_not_answer_is_an_abstention(library: Library) -> None:
    async with Client(server(library)) as client:
        answer = await called(client, "ask", question=OFF_TOPIC)
        assert (answer["status"], answer["statements"], answer["citations"]) == ("abstained", [], [])


async def test_check_says_what_differs(library: Library) -> None:
    async with Client(server(library)) as client:
        found = await called(client, "check", text="About 20,000 Afghan soldiers crossed the border.")
        (statement,) = found["statements"]
        assert statement["verdict"] == "contradicted"
        assert {"kind": "number", "expected": "20,000", "found": "1,000", "passed": False} in statement["checks"]


async def test_a_timeline_and_conflicts_cite_what_they_say(library: Library) -> None:
    async with Client(server(library)) as client:
        found = await called(client, "timeline", topic="military situation", max_events=2)
        numbers = {citation["number"] for citation in found["citations"]}
        assert found["events"]
        assert all(set(event["statement"]["citations"]) <= numbers for event in found["events"])
        assert await called(client, "conflicts") == {"topic": None, "conflicts": [], "citations": []}


async def test_a_mistake_is_told_to_the_client(library: Library) -> None:
    async with Client(server(library)) as client:
        assert "as_of is 'soon'; wanted a date such as 2021-07-07" in await refused(
            client, "ask", question=SOLDIERS, as_of="soon"
        )
        assert "no article has the id 'nothing'" in await refused(client, "fetch", id="nothing")
        assert "k" in await refused(client, "ask", question=SOLDIERS, k=0)


async def test_no_call_reads_beyond_the_limits_of_the_server(library: Library) -> None:
    (bridge,) = (found for found in library.articles() if found.title == "Bridge closed")
    async with Client(server(library.window(as_of="2021-07-31"))) as client:
        question = "How many days do repairs of the bridge over the Harirud take?"
        for limits in ({}, {"as_of": "2022"}, {"until": "2022"}, {"sources": ["Harirud Post"]}):
            answer = await called(client, "ask", question=question, **limits)
            assert "bridge" not in json.dumps(answer["citations"])
            assert "Bridge closed" not in json.dumps(answer)
        assert "published up to 2021-07-31" in await refused(client, "fetch", id=bridge.id)
        assert "published up to 2021-07-31" in await refused(client, "check", text="It rained.", articles=[bridge.id])
        assert "wanted limits that leave something" in await refused(client, "ask", question=question, since="2021-08")
        with pytest.raises(Exception, match="resource"):
            await client.read_resource(f"dispatches://articles/{bridge.id}")
