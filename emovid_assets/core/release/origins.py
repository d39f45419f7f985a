"""What the terms of an origin allow of its files in a release, whatever the licence of a file says.

Belongs here: a rule for each origin that files are collected from, and for platforms that people take files from by
hand. Does not belong here: how an origin wants to be named (`core.collection.terms`), what follows for a clip (`gate`).

Each says where it was read, and of what date that was. Where nobody could read the terms it is decided on the safe
side, and said.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple
from urllib.parse import unquote

from emovid_assets.core.cells import plain
from emovid_assets.core.release.scan import without_unseen

Allowed = Literal["metadata", "nothing"]


class OriginRule(NamedTuple):
    """`allowed`: what a release may hold of its files at most. `why`: a clause. `read_in`: where, with
    its date. `hosts`: of addresses that mean this platform, with all below them."""

    origin: str
    title: str
    allowed: Allowed
    code: str
    why: str
    read_in: str
    hosts: tuple[str, ...] = ()


_YOUTUBE = (
    "YouTube's terms bar copies and downloads unless the service or the owner allows them, and films are their studios'"
)
_YOUTUBE_READ = (
    "developers.google.com/youtube/terms/developer-policies (its summary); youtube.com/t/terms by an undated report"
)
ORIGIN_RULES: Final = (
    OriginRule(
        "giphy",
        "GIPHY",
        "nothing",
        "origin_forbids_index",
        "GIPHY's API terms forbid to make a database, directory or index of its GIFs and stickers, which labels with "
        "links already are",
        "GIPHY's API terms (support article 360028134111) as the undated sarahjschultz/kittengif#5 quotes them",
        ("giphy.com", "gph.is"),
    ),
    OriginRule(
        "condensed_movies",
        "videos that Condensed Movies lists, on YouTube",
        "metadata",
        "origin_forbids_copies",
        _YOUTUBE,
        _YOUTUBE_READ,
    ),
    OriginRule(
        "youtube",
        "YouTube",
        "metadata",
        "origin_forbids_copies",
        _YOUTUBE,
        _YOUTUBE_READ,
        ("youtube.com", "youtu.be", "youtube-nocookie.com", "googlevideo.com"),
    ),
    OriginRule(
        "klipy",
        "KLIPY",
        "metadata",
        "origin_terms_unread",
        "KLIPY's terms could not be read when this rule was made",
        "no stored copy; docs.klipy.com/attribution asks for a credit",
        ("klipy.com", "klipy.co"),
    ),
    OriginRule(
        "tenor",
        "Tenor, or a service that speaks Tenor v2",
        "metadata",
        "origin_forbids_copies",
        "Tenor's terms bar commercial use and use for others, and want files to be fetched from Tenor again each day",
        "tenor.com/de/legal-terms of 2021-03-03; developers.google.com/tenor (rate limits) of 2026-01-13",
        ("tenor.com", "tenor.co", "tenor.googleapis.com"),
    ),
    OriginRule(
        "magicanime",
        "MagicAnime or another set in its form, by application",
        "metadata",
        "origin_by_application",
        "the set is given to whoever applies for it, and no text of its makers allows to pass it on",
        "the set's paper; no licence text was found",
    ),
    OriginRule(
        "gifukai",
        "gifukai",
        "nothing",
        "origin_forbids_dataset",
        "gifukai's terms forbid to host its files as a dataset and any use in datasets for machine learning",
        "gifukai.com/legal/terms of 2026-06-25",
        ("gifukai.com",),
    ),
)
"""Other origins have no rule of their own: on Wikimedia Commons, archive.org or a person's disk the licence of each
file decides."""
_BY_NAME = {plain(name): rule for rule in ORIGIN_RULES for name in (rule.origin, *rule.hosts)}


_BY_HOST = {host: rule for rule in ORIGIN_RULES for host in rule.hosts}
_ANY_HOST = re.compile("|".join(map(re.escape, _BY_HOST)))
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")


def rule_of(origin: str | None, origin_url: str | None) -> OriginRule | None:
    """The rule that holds for a file: by what its origin is called, or by where its address points; of several the one
    that allows less. Null where its licence alone decides."""
    found = [*_of_name(origin or ""), *_of_hosts(origin or ""), *_of_hosts(origin_url or "")]
    return max(found, key=lambda rule: rule.allowed == "nothing", default=None)


def _of_name(text: str) -> Iterator[OriginRule]:
    """Also where it stands among other words, such as `Giphy (API)`."""
    for word in (text, *re.split(r"[\W_]+", _seen(text))):
        if rule := _BY_NAME.get(plain(word)):
            yield rule


def _of_hosts(text: str) -> Iterator[OriginRule]:
    """By names of hosts anywhere in it: who copies an address writes it with a password, through an archive, beside
    another one or with a slip, and none of that makes it another file."""
    seen = _seen(unquote(text) if "%" in text else text)
    # Most addresses hold none of them.
    for host in _HOST.findall(seen) if _ANY_HOST.search(seen) else ():
        parts = host.split(".")
        for at in range(len(parts) - 1):
            if rule := _BY_HOST.get(".".join(parts[at:])):
                yield rule


def _seen(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", without_unseen(text)).casefold().replace("\u3002", ".")
