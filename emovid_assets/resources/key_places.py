"""Where a key, a token or a password may go: over TLS, to this machine, or to a host that somebody has named for it.

Belongs here: that one rule, and sessions that keep it. Does not belong here: which key is sent, and to whom
(collection, endpoints, Label Studio).

Whoever can read a network can read what goes through it without TLS, and use it afterwards.
"""

import os
from collections.abc import Collection, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests

from emovid_assets.core.collection.addresses import is_allowed

TRUSTED_VARIABLE = "EMOVID_TRUSTED_HOSTS"
"""Hosts (`host` or `host:port`, with commas between) to which keys go without TLS, such as those of a network of
containers that nobody else is in."""


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def may_carry_key(url: str, hosts: Collection[str] = (), environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a key may go to an address. `hosts`: those that the settings of the caller name."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    trusted = {name.strip() for name in environment.get(TRUSTED_VARIABLE, "").split(",")} - {""}
    return parts.scheme == "https" or is_loopback(host) or is_allowed(host, parts.port, {*hosts, *trusted})


def refusal(what: str, url: str) -> str:
    """What is said where a key may not go to an address."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    return (
        f"{what} is not sent to {host} without encryption: take an address that begins with https://, or name the "
        f"host in {TRUSTED_VARIABLE} if nobody else is in its network"
    )


def session_for(url: str) -> requests.Session:
    """A session for an address to which a key goes. Without TLS no proxy of the environment gets to read it."""
    session = requests.Session()
    session.trust_env = urlsplit(url).scheme == "https"
    return session
