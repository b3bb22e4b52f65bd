"""An http or https URL, parsed once: what is checked is what is requested (RFC 3986, RFC 9110).

Stricter than a browser, because where two parsers disagree a check can be passed that was meant for
another host. Userinfo, backslashes, blanks and control characters are refused; what is no
character of a URL in path and query is percent-encoded as UTF-8. The fragment is dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Literal
from urllib.parse import quote, urljoin

from service.media.fetch.host import Host, parse_host

# The contract's bound, in characters.
MAX_URL_LENGTH = 8192
DEFAULT_PORTS = {"http": 80, "https": 443}

_MAX_PORT = 65535
_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([0-9]{0,5}))?")
_FORBIDDEN_CHARACTERS = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
# RFC 3986's reserved and unreserved characters, and the sign of those that are encoded already.
_TARGET_CHARACTERS = "/?:@!$&'()*+,;=-._~%[]"


@dataclass(frozen=True, slots=True)
class MediaUrl:
    """A URL without its fragment; `target` is path and query as they go on the wire."""

    scheme: Literal["http", "https"]
    host: Host
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if isinstance(self.host, IPv6Address) else str(self.host)
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse_media_url(text: str) -> MediaUrl:
    """Parse an absolute URL; raises ValueError with what is wrong, never with the text."""
    if len(text) > MAX_URL_LENGTH:
        raise ValueError(f"the URL is longer than {MAX_URL_LENGTH} characters")
    if _FORBIDDEN_CHARACTERS.search(text):
        raise ValueError("the URL has blanks, control characters or backslashes")
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError("must be an http or https URL")
    scheme: Literal["http", "https"] = "https" if match[1].lower() == "https" else "http"
    host, port = _parse_authority(match[2])
    path_and_query = match[3] if match[3].startswith("/") else f"/{match[3]}"
    return MediaUrl(
        scheme,
        host,
        DEFAULT_PORTS[scheme] if port is None else port,
        quote(path_and_query, safe=_TARGET_CHARACTERS, errors="strict"),
    )


def redirected(url: MediaUrl, location: bytes) -> MediaUrl:
    """Return where a Location header (RFC 9110, 10.2.2) leads; raises ValueError."""
    text = location.decode("utf-8")
    if _FORBIDDEN_CHARACTERS.search(text):
        # Before joining: the standard library drops some of them in silence.
        raise ValueError("the URL has blanks, control characters or backslashes")
    target = parse_media_url(urljoin(str(url), text))
    if url.scheme == "https" and target.scheme == "http":
        raise ValueError("from https to http")
    return target


def _parse_authority(authority: str) -> tuple[Host, int | None]:
    if "@" in authority:
        raise ValueError("the URL must not have a user name or a password")
    match = _AUTHORITY.fullmatch(authority)
    if match is None or not match[1]:
        raise ValueError("the URL has no host, or a wrong port")
    port = int(match[2]) if match[2] else None
    if port is not None and not 0 < port <= _MAX_PORT:
        raise ValueError("the URL has no host, or a wrong port")
    return parse_host(match[1]), port
