"""What an address says about whoever listens behind it.

Belongs here: rules about addresses as text. Does not belong here: asking them.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, as it is written: no name is looked up."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def keeps_secrets(address: str) -> bool:
    """Whether what is sent to an address can be read on the way by nobody: TLS, or this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")
