"""Names that depend on content only: source ids, clip ids, and ranks drawn from them.

Belongs here: how an id is made and taken apart, and `keyed_rank`, the one source of randomness of
samples and splits. Does not belong here: what is sampled or split by it.
"""

import hashlib
import math
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from emovid_assets.core.domains import DOMAINS

RANK_COUNT = 2**64
"""Ranks are integers 0 ≤ rank < RANK_COUNT."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CLIP_ID = re.compile(r"(?P<source_id>.+)-[0-9]{8,}-[0-9]{8,}", re.DOTALL)


def file_sha256(path: Path) -> str:
    """SHA-256 of the file's bytes, 64 lower-case hex digits. The file is streamed, never held whole."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def source_id(domain: str, sha256: str) -> str:
    """`<domain>-<first 16 hex digits>`. Raises ValueError for an unknown domain or a malformed digest."""
    if domain not in DOMAINS:
        raise ValueError(f"'{domain}' is no domain: use one of {', '.join(DOMAINS)}.")
    digest = sha256.lower()
    if not _SHA256.fullmatch(digest):
        raise ValueError(f"'{sha256}' is no SHA-256: pass the 64 hex digits that file_sha256 gives.")
    return f"{domain}-{digest[:16]}"


def clip_id(source_id: str, start_s: float, end_s: float) -> str:
    """`<source_id>-<start_ms>-<end_ms>`, milliseconds rounded half up and zero-padded to 8 digits.

    The times are rounded as the decimal numbers that they print as, so 1.0005 s is 1001 ms although the
    nearest binary number lies below it. Raises ValueError unless 0 ≤ start_s < end_s, both finite.
    """
    start_s, end_s = float(start_s), float(end_s)
    if not (math.isfinite(end_s) and 0 <= start_s < end_s):
        raise ValueError(f"A clip from {start_s} s to {end_s} s has no id: it needs 0 ≤ start < end in seconds.")
    return f"{source_id}-{_milliseconds(start_s):08d}-{_milliseconds(end_s):08d}"


def source_of(clip_id: str) -> str:
    """The source id within a clip id. Raises ValueError where the text is no clip id."""
    match = _CLIP_ID.fullmatch(clip_id)
    if match is None:
        raise ValueError(f"'{clip_id}' is no clip id: it should read <source_id>-<start_ms>-<end_ms>.")
    return match["source_id"]


def domain_of(identifier: str) -> str | None:
    """The domain that a source id or clip id begins with; None where it names no known domain."""
    domain, _, rest = identifier.partition("-")
    return domain if rest and domain in DOMAINS else None


def keyed_rank(identifier: str, seed: str) -> int:
    """A 64-bit rank that depends on the identifier and the seed alone (BLAKE2b keyed with the seed).

    Ranks of different items are independent of each other: an item that is added to a library changes
    the rank of no other. Text that is not valid Unicode is ranked as well.
    """
    key = seed.encode("utf-8", "surrogatepass")
    if len(key) > hashlib.blake2b.MAX_KEY_SIZE:
        key = hashlib.blake2b(key).digest()
    digest = hashlib.blake2b(identifier.encode("utf-8", "surrogatepass"), key=key, digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _milliseconds(seconds: float) -> int:
    return int((Decimal(repr(seconds)) * 1000).quantize(Decimal(1), rounding=ROUND_HALF_UP))
