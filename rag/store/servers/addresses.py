"""Reads the addresses of the servers that a library may be kept on."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from rag.errors import InputError
from rag.models.chat import Secret
from rag.store.database import is_address

_PORTS = {"http": 8000, "https": 443}
_TENANT, _DATABASE = "default_tenant", "default_database"  # Chroma's own


@dataclass(frozen=True, slots=True)
class ChromaServer:
    """Where a Chroma server is, and the key that it wants, if any."""

    host: str
    port: int
    ssl: bool
    tenant: str = _TENANT
    database: str = _DATABASE
    key: Secret | None = None

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{'https' if self.ssl else 'http'}://{self.host}:{self.port}"


def chroma_server(address: str, *, origin: str, key: Secret | None = None) -> ChromaServer:
    """The server of an address such as `http://host:8000` or `https://host/tenant/database`."""
    parts, port = urlsplit(address), _port(address)
    path = [part for part in parts.path.split("/") if part]
    if parts.scheme not in _PORTS or not parts.hostname or port == -1 or len(path) not in (0, 2):
        raise InputError(f"{origin} is {address!r}; wanted http://HOST:PORT, or that and /TENANT/DATABASE")
    if parts.username or parts.password:
        raise InputError(f"{origin} holds a password; keep the key in the variable CHROMA_API_KEY alone")
    tenant, database = path or (_TENANT, _DATABASE)
    return ChromaServer(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "https", tenant, database, key)


def catalog_address(address: str, *, origin: str) -> str:
    """The address of a PostgreSQL database, as it was given; raises InputError, without it, if it is none."""
    if not is_address(address) or _port(address) == -1 or len(urlsplit(address).path) < 2:
        raise InputError(f"{origin} is no address of a database; wanted postgresql://USER@HOST/DATABASE")
    return address


def _port(address: str) -> int | None:
    """-1 if it has one that is none."""
    try:
        return urlsplit(address).port
    except ValueError:
        return -1
