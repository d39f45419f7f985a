"""Services that find stickers for a word: what they are asked, and what their answers mean.

Belongs here: requests and answers as values, for services that speak Tenor v2 (KLIPY does) and for GIPHY. Does not
belong here: keys, connections, waiting, what happens with the items.

Answers are not trusted: whatever has another shape than it should is counted and left out, never an exception.
Sources: developers.google.com/tenor/guides/endpoints, developers.giphy.com/docs/api/endpoint, docs.klipy.com.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from emovid_assets.core.collection.file_kinds import GIF, KINDS, MATROSKA, MP4, WEBP, Kind

PAGE_SIZE = 50
"""The most that Tenor v2 and GIPHY give at once."""
MAX_TEXT = 300


@dataclass(frozen=True)
class Rendition:
    """One file of an item. `size_bytes` as the service says; null where it does not."""

    url: str
    kind_name: str
    size_bytes: int | None

    @property
    def kind(self) -> Kind:
        return next(kind for kind in KINDS if kind.name == self.kind_name)


@dataclass(frozen=True)
class FoundItem:
    """An item of an answer, its files in the order of preference. `creator`: whom the service names."""

    external_id: str
    title: str | None
    page_url: str | None
    creator: str | None
    renditions: tuple[Rendition, ...]


@dataclass(frozen=True)
class Page:
    """An answer. `next_cursor`: null at the end. `odd_count`: items without an id or a file."""

    items: tuple[FoundItem, ...]
    next_cursor: str | None
    odd_count: int = 0

    def as_plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> "Page":
        items = tuple(
            FoundItem(**{**item, "renditions": tuple(Rendition(**one) for one in item["renditions"])})
            for item in plain["items"]
        )
        return cls(items, plain["next_cursor"], plain["odd_count"])


@dataclass(frozen=True)
class Search:
    """A request without its key."""

    url: str
    parameters: dict[str, str] = field(default_factory=dict)


class Service(Protocol):
    """A service that finds stickers. Its key is in the environment under `key_variable`."""

    @property
    def origin(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def key_variable(self) -> str: ...
    @property
    def key_parameter(self) -> str: ...
    @property
    def requests_per_hour(self) -> int: ...

    def search(self, word: str, cursor: str | None, content_filter: str) -> Search:
        """What to ask for a page."""
        ...

    def page(self, answer: Any) -> Page:
        """What an answer says. Raises ValueError where it is no answer of this service."""
        ...


@dataclass(frozen=True)
class TenorService:
    """A service that speaks Tenor v2: KLIPY, or another one at `base_url`.

    One request a second and key is what Tenor allowed; KLIPY's test keys have 100 a minute.
    """

    origin: str
    base_url: str
    key_variable: str
    key_parameter: str = "key"
    requests_per_hour: int = 3600

    # Pictures with transparency come first: that is how stickers are shown.
    _FORMATS = (
        *(("gif_transparent", GIF), ("gif", GIF), ("mediumgif", GIF), ("webp_transparent", WEBP), ("webp", WEBP)),
        *(("tinygif_transparent", GIF), ("tinygif", GIF), ("mp4", MP4), ("webm", MATROSKA), ("tinymp4", MP4)),
    )

    def search(self, word: str, cursor: str | None, content_filter: str) -> Search:
        parameters = {
            "q": word,
            "limit": str(PAGE_SIZE),
            "searchfilter": "sticker",
            "contentfilter": content_filter,
            "client_key": "emovid-assets",
        }
        return Search(f"{self.base_url.rstrip('/')}/search", parameters | ({"pos": cursor} if cursor else {}))

    def page(self, answer: Any) -> Page:
        results = answer.get("results") if isinstance(answer, Mapping) else None
        if not isinstance(results, list):
            raise ValueError("the answer has no list of results")
        items = [self._item(one) for one in results]
        found = tuple(item for item in items if item is not None)
        cursor = answer.get("next")
        cursor = str(cursor) if isinstance(cursor, str | int) and str(cursor) not in ("", "0") else None
        return Page(found, cursor if results else None, len(items) - len(found))

    def _item(self, one: Any) -> FoundItem | None:
        if not isinstance(one, Mapping) or not (external_id := _identity(one.get("id"))):
            return None
        formats = one.get("media_formats")
        if not isinstance(formats, Mapping):
            return None
        renditions = tuple(_renditions((formats.get(name), kind) for name, kind in self._FORMATS))
        if not renditions:
            return None
        user = one.get("user")
        creator = _text(user.get("username")) if isinstance(user, Mapping) else None
        title = _text(one.get("title")) or _text(one.get("content_description"))
        return FoundItem(
            external_id, title, _address(one.get("itemurl")) or _address(one.get("url")), creator, renditions
        )


@dataclass(frozen=True)
class GiphyService:
    """GIPHY's own interface. Its beta keys have 100 requests an hour."""

    base_url: str
    origin: str = "giphy"
    key_variable: str = "GIPHY_API_KEY"
    key_parameter: str = "api_key"
    requests_per_hour: int = 100

    _RATINGS = {"high": "g", "medium": "pg", "low": "pg-13", "off": "r"}  # noqa: RUF012 - never changed
    _LAST_OFFSET = 4999
    _LONGEST_WORD = 50

    def search(self, word: str, cursor: str | None, content_filter: str) -> Search:
        parameters = {
            "q": word[: self._LONGEST_WORD],
            "limit": str(PAGE_SIZE),
            "offset": cursor or "0",
            "rating": self._RATINGS[content_filter],
            "lang": "en",
        }
        return Search(f"{self.base_url.rstrip('/')}/stickers/search", parameters)

    def page(self, answer: Any) -> Page:
        results = answer.get("data") if isinstance(answer, Mapping) else None
        if not isinstance(results, list):
            raise ValueError("the answer has no list of data")
        items = [self._item(one) for one in results]
        found = tuple(item for item in items if item is not None)
        return Page(found, self._next(answer.get("pagination"), len(results)), len(items) - len(found))

    def _next(self, pagination: Any, count: int) -> str | None:
        if not isinstance(pagination, Mapping) or not count:
            return None
        offset, total = _number(pagination.get("offset")), _number(pagination.get("total_count"))
        if offset is None or total is None:
            return None
        following = offset + count
        return str(following) if following < total and following <= self._LAST_OFFSET else None

    def _item(self, one: Any) -> FoundItem | None:
        if not isinstance(one, Mapping) or not (external_id := _identity(one.get("id"))):
            return None
        images = one.get("images")
        pictures = [images.get(name) for name in ("original", "fixed_height")] if isinstance(images, Mapping) else []
        ways = (("url", "size", GIF), ("webp", "webp_size", WEBP), ("mp4", "mp4_size", MP4))
        renditions = tuple(
            _renditions(
                ({"url": picture.get(url), "size": picture.get(size)}, kind)
                for picture in pictures
                if isinstance(picture, Mapping)
                for url, size, kind in ways
            )
        )
        if not renditions:
            return None
        title = _text(one.get("title")) or _text(one.get("alt_text"))
        return FoundItem(external_id, title, _address(one.get("url")), _text(one.get("username")), renditions)


def _renditions(pairs: Any) -> Iterator[Rendition]:
    for picture, kind in pairs:
        if isinstance(picture, Mapping) and (url := _address(picture.get("url"))):
            yield Rendition(url, kind.name, _number(picture.get("size")))


def _identity(value: Any) -> str | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= MAX_TEXT and text.isprintable() else None


def _text(value: Any) -> str | None:
    text = " ".join(value.split())[:MAX_TEXT] if isinstance(value, str) else ""
    return text or None


def _address(value: Any) -> str | None:
    is_one = isinstance(value, str) and len(value) <= 2000 and value.startswith(("http://", "https://"))
    return value if is_one and value.isprintable() else None


def _number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
