"""Gets one URL within bounds, from public addresses only; sole owner of httpx."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING
from urllib.parse import urljoin
from urllib.request import getproxies, proxy_bypass

from rag.errors import BusyError, LoadError
from rag.text.clean import one_line

if TYPE_CHECKING:
    import httpx

MAX_BODY = 20_000_000
MAX_REDIRECTS = 5
MAX_SECONDS = 120
_CONNECT_SECONDS, _READ_SECONDS = 10, 30
_BUSY = (429, 503)
_LONGEST_WAIT = 6  # digits of seconds
_REDIRECTS = (301, 302, 303, 307, 308)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_DOCUMENTATION = ipaddress.ip_network("3fff::/20")
_RELAYS = ipaddress.ip_network("192.88.99.0/24")


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server calls one version of a page: its ETag, its Last-Modified (RFC 9110, 8.8)."""

    etag: str | None = None
    modified: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The request headers that ask only for another version."""
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered, decompressed; `location` is set if it sends elsewhere."""

    url: str
    content_type: str
    charset: str | None
    body: bytes
    location: str | None = None
    validators: Validators = Validators()
    unchanged: bool = False
    """Whether it is what the validators of the request stand for, and so was not sent."""


def fetch(url: str, *, allow_private: bool = False, known: Validators = Validators()) -> Response:
    """The page at a URL after up to 5 redirects, at most 20 MB of it in 2 minutes; raises LoadError for anything else.

    Each hop is resolved, its addresses are checked, and the connection goes to a checked address, so that a name cannot
    change its meaning in between. Behind a proxy (HTTPS_PROXY) the proxy resolves names that we cannot. The time is
    that of all hops together, however steadily something comes. What `known` stands for is not sent again. Raises
    BusyError if the server wants to be asked later.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_fetched(url, allow_private, known))
    with ThreadPoolExecutor(1) as beside:  # a notebook, say, has a loop of its own in this thread
        return beside.submit(asyncio.run, _fetched(url, allow_private, known)).result()


async def _fetched(url: str, allow_private: bool, known: Validators) -> Response:
    try:
        async with asyncio.timeout(MAX_SECONDS):
            return await _followed(url, allow_private, known)
    except TimeoutError:
        raise LoadError(f"took over {MAX_SECONDS} s; download it and add the file") from None


async def _followed(url: str, allow_private: bool, known: Validators) -> Response:
    for _ in range(MAX_REDIRECTS + 1):
        response = await _get(url, allow_private, known)
        if response.location is None:
            return response
        url = urljoin(url, response.location)
    raise LoadError(f"redirects more than {MAX_REDIRECTS} times; give the final address")


async def _get(url: str, allow_private: bool, known: Validators) -> Response:
    import httpx

    target = _parsed(url)
    addresses = await _addresses(target)
    refused = next((a for a in addresses if not allow_private and not _is_public(a)), None)
    if refused:
        raise LoadError(f"{target.host} is {refused}, not a public address; --allow-private permits it")
    proxy = None if proxy_bypass(target.host) else getproxies().get(target.scheme)
    if not addresses and not proxy:
        raise LoadError(f"{target.host} cannot be resolved; check the address and the network")
    try:
        return await _first(target, [target.host] if proxy else addresses, proxy, known)
    except httpx.TimeoutException:
        raise LoadError(f"{target.host} did not answer in {_READ_SECONDS} s; try again later") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError) as error:
        raise LoadError(f"{target.host} cannot be reached ({one_line(str(error), 120)}); check the address") from error


def _parsed(url: str) -> httpx.URL:
    import httpx

    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError, ValueError):  # whose text may hold a part of a password
        raise LoadError("is not a URL; wanted http://... or https://...") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise LoadError(f"{one_line(target.scheme, 20)}:// is not read; wanted http://... or https://...")
    if target.userinfo:
        raise LoadError("carries a user name or password, which the library would keep; download it and add the file")
    return target


async def _addresses(target: httpx.URL) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_public(address: str) -> bool:
    """Whether it is one of the public internet, and so is an IPv4 address inside of it."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast and not ip.is_reserved and ip not in _RELAYS
    if inner := ip.ipv4_mapped or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None):
        return _is_public(str(inner))
    hidden = ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
    if hidden and not _is_public(str(hidden)):
        return False
    return ip in _GLOBAL_UNICAST and ip.is_global and ip not in _DOCUMENTATION


async def _first(target: httpx.URL, addresses: list[str], proxy: str | None, known: Validators) -> Response:
    """From the first of the addresses that can be connected to."""
    import httpx

    for address in addresses[:-1]:
        try:
            return await _requested(target, address, proxy, known)
        except httpx.ConnectError:
            continue
    return await _requested(target, addresses[-1], proxy, known)


async def _requested(target: httpx.URL, address: str, proxy: str | None, known: Validators) -> Response:
    import httpx

    timeout = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
    headers = {"Host": target.netloc.decode("ascii"), "User-Agent": _user_agent(), "Accept-Encoding": "gzip"}
    headers |= known.headers
    async with (
        httpx.AsyncClient(trust_env=False, verify=httpx.create_ssl_context(), timeout=timeout, proxy=proxy) as client,
        client.stream(
            "GET", target.copy_with(host=address), headers=headers, extensions={"sni_hostname": target.host}
        ) as response,
    ):
        return await _answer(target, response, conditional=bool(known.headers))


async def _answer(target: httpx.URL, response: httpx.Response, *, conditional: bool) -> Response:
    validators = Validators(response.headers.get("ETag"), response.headers.get("Last-Modified"))
    if conditional and response.status_code == 304:
        return Response(str(target), "", None, b"", validators=validators, unchanged=True)
    location = response.headers.get("Location") if response.status_code in _REDIRECTS else None
    if not location and response.status_code != 200:
        seen = one_line(f"{response.status_code} {response.reason_phrase}", 60)
        if response.status_code in _BUSY:
            raise BusyError(f"{target.host} answered {seen}; try again later", _later(response))
        raise LoadError(f"{target.host} answered {seen}, wanted 200; check the address")
    body = b"" if location else _inflated(await _bounded(response), response.headers.get("Content-Encoding", ""))
    media = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Response(str(target), media, response.charset_encoding, body, location, validators)


def _later(response: httpx.Response) -> float | None:
    """The seconds of a Retry-After; None for a date, or none."""
    value = response.headers.get("Retry-After", "").strip()
    return float(value) if value.isdigit() and len(value) <= _LONGEST_WAIT else None


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > MAX_BODY:
            raise LoadError(f"is over {MAX_BODY // 10**6} MB; download it and add the file")
    return bytes(body)


def _inflated(body: bytes, encoding: str) -> bytes:
    """Decompressed here and not by httpx, whose buffers a small body could fill with gigabytes."""
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise LoadError(
            f"is compressed as {one_line(encoding, 40)!r}, wanted gzip or none; download it and add the file"
        )
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        whole = stream.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise LoadError(f"is broken gzip ({one_line(str(error), 60)}); download it and add the file") from None
    if len(whole) > MAX_BODY:
        raise LoadError(f"is over {MAX_BODY // 10**6} MB when decompressed; download it and add the file")
    if not stream.eof or stream.unused_data:
        seen = "something follows its end" if stream.eof else "it ends too early"
        raise LoadError(f"is broken gzip ({seen}); download it and add the file")
    return whole


def _user_agent() -> str:
    try:
        return f"dispatches/{version('dispatches')}"
    except PackageNotFoundError:
        return "dispatches/0"
