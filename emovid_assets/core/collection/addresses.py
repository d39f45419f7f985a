"""Which addresses may be asked: public ones over HTTP, and those that the settings name.

Belongs here: judging addresses. Does not belong here: resolving names and opening connections.

A list of media is written by others; one of its addresses may point into the network of whoever collects.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit


class ForbiddenAddressError(ValueError):
    """An address that is not asked; the message says why."""


def require_fetchable(url: str, *, allowed_hosts: Collection[str] = (), previous: str | None = None) -> None:
    """Raises ForbiddenAddressError unless the URL is one to ask; `previous` is the URL that redirected here.

    Names are judged by what they resolve to, once that is known (`require_public`).
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ForbiddenAddressError(f"it is no valid address ({error})") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ForbiddenAddressError("only http and https addresses are fetched")
    if parts.username or parts.password:
        raise ForbiddenAddressError("it holds a user name or password")
    if is_allowed(parts.hostname, port, allowed_hosts):
        return
    if previous is not None and urlsplit(previous).scheme == "https" and parts.scheme == "http":
        raise ForbiddenAddressError("an encrypted address redirects to one that is not")
    try:
        require_public(parts.hostname)
    except ForbiddenAddressError:
        raise
    except ValueError:
        # A name.
        pass


def is_allowed(host: str, port: int | None, allowed_hosts: Collection[str]) -> bool:
    """Whether the settings name the host, as `host` or `host:port`."""
    return host in allowed_hosts or (port is not None and f"{host}:{port}" in allowed_hosts)


def require_public(address: str) -> None:
    """Raises ForbiddenAddressError where an IP address is not a public one, ValueError where it is none."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    for one in (ip, mapped):
        if one is not None and (not one.is_global or one.is_multicast):
            raise ForbiddenAddressError(f"{address} is a private, local or reserved address")
    # The well-known prefix that carries IPv4 addresses through IPv6 networks.
    if ip.version == 6 and ip in ipaddress.ip_network("64:ff9b::/96"):
        require_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
