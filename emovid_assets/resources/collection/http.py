"""Requests to servers that nobody here controls: limited, checked, tried again politely.

Belongs here: one request with its redirects, and one file with its limits. Does not belong here: what a service
answers (`core.collection.providers`), and when to ask (`stickers`).

No request follows a redirect by itself: every address is judged before it is asked, and the address that a name
resolves to is judged on the open connection, before the first byte is sent. So a name that resolves differently the
second time gains nothing. Proxies and `.netrc` of the environment are not used.
"""

import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from emovid_assets.core.collection.addresses import ForbiddenAddressError, require_fetchable
from emovid_assets.core.collection.file_kinds import HEAD_BYTES, Kind, contradicts, kind_of
from emovid_assets.core.placing import put_into_place
from emovid_assets.core.redaction import RedactingFilter, Redactor
from emovid_assets.core.retry_after import is_busy, may_pass, retry_after_s
from emovid_assets.resources.collection.connections import CheckingAdapter
from emovid_assets.resources.key_places import may_carry_key
from emovid_assets.resources.retrying import AttemptError, Patience, patiently

USER_AGENT = "emovid-assets"
MAX_REDIRECTS = 5
PATIENCE = Patience(attempts=4)
"""A server that asks for a longer pause is left alone for the rest of the run."""
CHUNK_BYTES = 1 << 16
MAX_JSON_BYTES = 16 << 20
SHOWN_BYTES = 300

T = TypeVar("T")


class FetchError(AttemptError):
    """A request that gave nothing. `code` is stable, the message redacted."""

    def __init__(
        self, code: str, message: str, *, passes: bool = False, status: int = 0, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, passes=passes, retry_after_s=retry_after_s)
        self.code, self.status = code, status


@dataclass(frozen=True)
class Limits:
    """Of one request: bytes of its body, seconds for all of it, seconds without a byte."""

    max_bytes: int
    total_s: float = 300.0
    silence_s: float = 20.0


@dataclass(frozen=True)
class Fetched:
    """A file that is complete."""

    kind: Kind
    size_bytes: int
    sha256: str


class Fetcher:
    """One client. `allowed_hosts` (`host` or `host:port`) may be private; `redact` sees every word that leaves here."""

    def __init__(
        self,
        *,
        allowed_hosts: Collection[str] = (),
        redact: Redactor | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._allowed = frozenset(allowed_hosts)
        self._redact = redact or Redactor()
        self._sleep = sleep
        self._session = requests.Session()
        # Neither proxies nor passwords of the environment.
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
        adapter = CheckingAdapter(self._allowed)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._filter = RedactingFilter(self._redact)
        # At DEBUG it writes every address with all parameters.
        logging.getLogger("urllib3.connectionpool").addFilter(self._filter)

    def close(self) -> None:
        self._session.close()
        logging.getLogger("urllib3.connectionpool").removeFilter(self._filter)

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def json(self, url: str, parameters: Mapping[str, str], limits: Limits) -> tuple[Any, Mapping[str, str]]:
        """The decoded answer and its headers. Parameters, which may hold a key, go to that very server only."""

        def ask() -> tuple[Any, Mapping[str, str]]:
            with self._answer(url, limits, parameters=parameters) as (answer, deadline):
                body = b"".join(self._body(url, answer, limits, deadline))
                headers = dict(answer.headers)
            try:
                return json.loads(body), headers
            except ValueError:
                pass
            raise FetchError("wrong_type", self._told(url, "the answer is no JSON"))

        return patiently(ask, PATIENCE, self._sleep)

    def file(self, url: str, target: Path, kinds: Sequence[Kind], limits: Limits) -> Fetched:
        """Writes a media file in one step: under its name there is all of it or nothing.

        Raises FetchError `wrong_type` where the bytes are none of the kinds or the server calls them something else,
        `too_large`, `timeout`, `truncated`, and what `json` raises.
        """
        return patiently(lambda: self._file(url, target, kinds, limits), PATIENCE, self._sleep)

    def _file(self, url: str, target: Path, kinds: Sequence[Kind], limits: Limits) -> Fetched:
        digest, size, kind = hashlib.sha256(), 0, None
        with (
            put_into_place(target) as temporary,
            self._answer(url, limits) as (answer, deadline),
            temporary.open("wb") as file,
        ):
            head = b""
            for chunk in self._body(url, answer, limits, deadline):
                if kind is None:
                    head += chunk
                    if len(head) < HEAD_BYTES:
                        continue
                    kind, chunk = self._kind(url, head, answer, kinds), head
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
            if kind is None:
                raise FetchError("wrong_type", self._told(url, "the body is empty or no media file"))
        return Fetched(kind, size, digest.hexdigest())

    def _kind(self, url: str, head: bytes, answer: requests.Response, kinds: Sequence[Kind]) -> Kind:
        kind, said = kind_of(head), answer.headers.get("Content-Type", "")
        if kind is None or kind not in kinds:
            what = f"a {kind.name} file" if kind else "no media file"
            raise FetchError("wrong_type", self._told(url, f"the body is {what}, called '{said}'"))
        if contradicts(said, kind):
            raise FetchError("wrong_type", self._told(url, f"the server calls a {kind.name} file '{said}'"))
        return kind

    @contextmanager
    def _answer(
        self, url: str, limits: Limits, *, parameters: Mapping[str, str] | None = None
    ) -> Iterator[tuple[requests.Response, float]]:
        """The answer at the end of all redirects, and the moment by which its body must be there."""
        deadline = time.monotonic() + limits.total_s
        previous: str | None = None
        answer: requests.Response | None = None
        try:
            for _ in range(MAX_REDIRECTS + 1):
                self._require_fetchable(url, previous, is_api=parameters is not None)
                answer = self._ask(url, None if previous else parameters, limits)
                location = answer.headers.get("Location")
                if answer.is_redirect and location:
                    answer.close()
                    previous, url = url, self._next(url, location)
                    continue
                self._require_success(url, answer)
                yield answer, deadline
                return
            raise FetchError("redirects", self._told(url, f"more than {MAX_REDIRECTS} redirects"))
        finally:
            if answer is not None:
                answer.close()

    def _next(self, url: str, location: str) -> str:
        return self._guarded(url, lambda: urljoin(url, location))

    def _require_fetchable(self, url: str, previous: str | None, *, is_api: bool) -> None:
        fault = None
        try:
            require_fetchable(url, allowed_hosts=self._allowed, previous=previous)
            if is_api and not may_carry_key(url, self._allowed):
                fault = "a key is not sent without encryption"
            if is_api and previous is not None and _origin(url) != _origin(previous):
                fault = "the service redirects to another server"
        except ForbiddenAddressError as error:
            fault = str(error)
        if fault:
            raise FetchError("forbidden_address", self._told(url, fault))

    def _ask(self, url: str, parameters: Mapping[str, str] | None, limits: Limits) -> requests.Response:
        def ask() -> requests.Response:
            request = self._session.prepare_request(requests.Request("GET", url, params=parameters))
            # `Session.get` reads the whole body of a redirect, however long it is, even where it does not follow it.
            adapter = self._session.get_adapter(url)
            timeout = (limits.silence_s, limits.silence_s)
            # yt-dlp, once it is loaded, replaces how requests looks for a proxy by a way that wants a dictionary.
            return adapter.send(request, stream=True, timeout=timeout, proxies={})

        return self._guarded(url, ask)

    def _body(self, url: str, answer: requests.Response, limits: Limits, deadline: float) -> Iterator[bytes]:
        chunks = _chunks(answer, limits, deadline)
        while (chunk := self._guarded(url, lambda: next(chunks, None))) is not None:
            yield chunk

    def _require_success(self, url: str, answer: requests.Response) -> None:
        status = answer.status_code
        if status < 300:
            if status != 200:
                raise FetchError("http_status", self._told(url, f"status {status} brings no file"), status=status)
            return
        detail = ""
        with contextlib.suppress(Exception):
            detail = " ".join(answer.raw.read(SHOWN_BYTES).decode("utf-8", "replace").split())
        raise FetchError(
            "busy" if is_busy(status) else "http_status",
            self._told(url, f"status {status}" + (f": {detail}" if detail else "")),
            passes=may_pass(status),
            status=status,
            retry_after_s=retry_after_s(answer.headers),
        )

    def _guarded(self, url: str, act: Callable[[], T]) -> T:
        """Faults of the connection as FetchError. The original, whose text holds the whole address, goes no further."""
        try:
            return act()
        except FetchError as error:
            # As `_chunks` raises it: it does not know the address.
            fault = FetchError(error.code, self._told(url, str(error)), passes=error.passes)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            forbidden = _forbidden(error)
            if forbidden:
                fault = FetchError("forbidden_address", self._told(url, forbidden))
            else:
                fault = _connection_fault(error, lambda said: self._told(url, said))
        # Outside of the handler: the fault has no context that could be printed.
        raise fault

    def _told(self, url: str, said: str) -> str:
        """Which server said what. Paths and parameters of an address are nobody's business: they may hold a key."""
        host = urlsplit(url).netloc.rpartition("@")[2]
        return self._redact(f"{host}: {said}")


def _forbidden(error: BaseException | None) -> str | None:
    """What a refused address, somewhere among the causes, says."""
    while error is not None:
        if isinstance(error, ForbiddenAddressError):
            return str(error)
        reason = getattr(error, "reason", None)
        error = error.__cause__ or error.__context__ or (reason if isinstance(reason, BaseException) else None)
    return None


def _connection_fault(error: Exception, told: Callable[[str], str]) -> FetchError:
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return FetchError("timeout", told("it does not answer in time"), passes=True)
    text = repr(error)
    if "IncompleteRead" in text or "InvalidChunkLength" in text or "ProtocolError" in text:
        return FetchError("truncated", told("the body ends before it should"), passes=True)
    if isinstance(error, requests.exceptions.SSLError):
        return FetchError("unreachable", told("its certificate is not accepted"))
    if isinstance(error, ValueError) and not isinstance(error, requests.JSONDecodeError):
        return FetchError("forbidden_address", told("it is no valid address"))
    return FetchError("unreachable", told(f"no connection ({type(error).__name__})"), passes=True)


def _chunks(answer: requests.Response, limits: Limits, deadline: float) -> Iterator[bytes]:
    """The body as it comes in. Raises FetchError `too_large`, `timeout`, `truncated`."""
    said = answer.headers.get("Content-Length", "")
    expected = int(said) if said.isdigit() else None
    megabytes = f"{limits.max_bytes / 1e6:g} MB"
    if expected is not None and expected > limits.max_bytes:
        raise FetchError("too_large", f"{expected / 1e6:.1f} MB are more than the {megabytes} allowed")
    size = 0
    # `read1` gives what is there: `read` would wait for a whole chunk from a server that sends a byte a second.
    while chunk := answer.raw.read1(CHUNK_BYTES):
        size += len(chunk)
        if size > limits.max_bytes:
            raise FetchError("too_large", f"the body goes on after the {megabytes} allowed")
        if time.monotonic() > deadline:
            raise FetchError("timeout", f"the body is not complete after {limits.total_s:g} s", passes=True)
        yield chunk
    if expected is not None and size != expected:
        raise FetchError("truncated", f"{size} of {expected} bytes came", passes=True)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
