"""Speaks HTTP with an OpenAI-compatible server, politely, and keeps its key to itself.

Belongs here: one request until it is answered or given up. Does not belong here: what is asked (`endpoint_requests`),
what an answer's JSON says (`endpoint_answers`), clips (`endpoint`).

The key is read from the environment, goes into one header of requests to `base_url`, and nowhere else: redirects are
not followed, and whatever the server says is cleared of it before it can reach a message or a payload.
"""

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from emovid_assets.core.addresses import is_loopback
from emovid_assets.core.redaction import Redactor
from emovid_assets.core.retry_after import may_pass, retry_after_s
from emovid_assets.core.video.errors import MediaError
from emovid_assets.resources.endpoint_answers import Answer, WrongShapeError, answer_of, complaint_of, cut
from emovid_assets.resources.endpoint_manners import Manners
from emovid_assets.resources.endpoint_requests import Dialect
from emovid_assets.resources.retrying import AttemptError, patiently, was_reached

MOST_BYTES = 16_000_000
"""Of an answer. Twenty log-probabilities for each of 192 tokens take a tenth of a megabyte."""


class EndpointError(RuntimeError):
    """The server cannot be used at all, so the run ends; what has not been answered stays to do."""


class NoAnswerError(MediaError):
    """A request that was given up. `is_refused`: the server did answer, and said no."""

    def __init__(self, detail: str, *, is_refused: bool = False) -> None:
        super().__init__("server_refused" if is_refused else "no_answer", detail)


class _FailedError(AttemptError):
    """One attempt."""

    def __init__(self, what: str, retry_after_s: float | None = None) -> None:
        super().__init__(what, passes=True, retry_after_s=retry_after_s)


class _Bearer(requests.auth.AuthBase):
    """Its being there also keeps `requests` from looking for passwords in ~/.netrc."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Endpoint:
    """A server at `base_url`. Safe between threads; each keeps a connection of its own. Raises EndpointError."""

    def __init__(
        self, base_url: str, key_variable: str, *, timeout_s: float, attempts: int, manners: Manners | None = None
    ) -> None:
        self.url = f"{_checked(base_url)}/chat/completions"
        self.dialect = Dialect()
        self.request_count = 0
        self.retry_count = 0
        self._is_local = is_loopback(urlsplit(base_url).hostname or "")
        self._key = _key(key_variable)
        self.redact = Redactor([self._key])
        self._key_variable = key_variable
        self._timeout_s = timeout_s
        self._manners = replace(manners or Manners(), attempts=attempts)
        self._is_over = threading.Event()
        self._local = threading.local()
        self._lock = threading.Lock()
        self._reached_at = 0.0
        self._quiet_until = 0.0

    def end(self) -> None:
        """Requests that wait for their next attempt are given up at once; those under way run out by themselves."""
        self._is_over.set()

    def ask(self, request: Mapping[str, Any]) -> Answer:
        """The answer to a request of `endpoint_requests`, after as many attempts as it takes and the settings allow.

        Raises NoAnswerError where this request has none, EndpointError where no request would have one.
        """
        began = time.monotonic()
        try:
            return patiently(lambda: self._in_its_words(request), self._manners, self._before_retry)
        except _FailedError as error:
            failure = error
        if not self._manners.bears(failure):
            wait_s = failure.retry_after_s or 0.0
            raise EndpointError(f"{self.url} asks to wait for {wait_s:.0f} s ({failure}). Build again then.")
        if self._reached_at < began:
            raise EndpointError(f"Nothing answers at {self.url}: {failure}. Start the server, or correct base_url.")
        times = "attempt" if self._manners.attempts == 1 else "attempts"
        raise NoAnswerError(f"No answer after {self._manners.attempts} {times}: {failure}")

    def _in_its_words(self, request: Mapping[str, Any]) -> Answer:
        """One attempt, said anew for as long as the server names a field that it does not take."""
        while True:
            sent = self.dialect.spoken(request)
            try:
                return self._attempt(sent)
            except _RefusedError as refusal:
                if not self.dialect.learns(sent, str(refusal)):
                    raise NoAnswerError(str(refusal), is_refused=True) from None

    def _before_retry(self, pause_s: float) -> None:
        self._count(is_retry=True)
        self._wait(pause_s)

    def _wait(self, pause_s: float) -> None:
        if self._is_over.wait(pause_s):
            raise EndpointError("The run is over.")

    def _attempt(self, sent: Mapping[str, Any]) -> Answer:
        # When the server has asked one request to wait, it means all of them.
        self._wait(max(0.0, self._quiet_until - time.monotonic()))
        self._count()
        status, headers, content = self._send(json.dumps(sent).encode())
        if status == 200:
            try:
                return answer_of(content)
            except WrongShapeError as error:
                raise _FailedError(str(error)) from None
        complaint = cut(self.redact(complaint_of(content)))
        target = cut(self.redact(headers.get("Location", "nowhere")))
        pause_s = retry_after_s(headers)
        # From here on an error may be raised, and what the server repeats of our headers shall not be in its frames.
        del headers, content
        raise self._error(status, f"HTTP {status}: {complaint}" if complaint else f"HTTP {status}", target, pause_s)

    def _error(self, status: int, what: str, target: str, pause_s: float | None) -> Exception:
        """What a status other than 200 means."""
        if 300 <= status < 400:
            return EndpointError(f"{self.url} leads to {target}, where the key is not sent. Correct base_url.")
        if status in (401, 403):
            return EndpointError(f"{self.url} refuses us ({what}). Check the key in {self._key_variable}.")
        if status == 404:
            return EndpointError(
                f"{self.url} is not known there ({what}). Check base_url, with its /v1, and the model."
            )
        if may_pass(status):
            failure = _FailedError(what, pause_s)
            if pause_s is not None and self._manners.bears(failure):
                with self._lock:
                    self._quiet_until = max(self._quiet_until, time.monotonic() + pause_s)
            return failure
        return _RefusedError(what) if status >= 400 else _FailedError(what)

    def _send(self, content: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body. Nothing of the request gets into an error: its headers hold the key."""
        deadline = time.monotonic() + self._timeout_s
        try:
            with self._session().post(
                self.url,
                data=content,
                timeout=(self._manners.connect_timeout_s, self._timeout_s),
                allow_redirects=False,
                stream=True,
            ) as answer:
                self._reached_at = time.monotonic()
                return answer.status_code, answer.headers, _body(answer, deadline)
        except (requests.ConnectTimeout, requests.exceptions.SSLError) as error:
            failure = _FailedError(f"no connection ({type(error).__name__})")
        except requests.Timeout:
            self._reached_at = time.monotonic()
            failure = _FailedError(f"no answer in {self._timeout_s:g} s")
        except requests.ConnectionError as error:
            failure = _FailedError("no connection")
            if was_reached(error):
                self._reached_at = time.monotonic()
                failure = _FailedError("the connection broke")
        except (requests.RequestException, HTTPError, OSError) as error:
            failure = _FailedError(f"the answer ended early ({type(error).__name__})")
        # Raised out here, so that no traceback leads into the request.
        raise failure

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.auth = _Bearer(self._key)
            # A proxy has no business with a server on this machine, nor with its key.
            session.trust_env = not self._is_local
            session.headers.update({"Content-Type": "application/json", "User-Agent": "emovid-assets"})
        return session

    def _count(self, *, is_retry: bool = False) -> None:
        with self._lock:
            if is_retry:
                self.retry_count += 1
            else:
                self.request_count += 1


class _RefusedError(Exception):
    """The server says no to this request; it would say it again."""


def _body(answer: requests.Response, deadline: float) -> bytes:
    """The whole body. A server that sends drop by drop, or without end, is timed out or cut off."""
    parts: list[bytes] = []
    size = 0
    while part := answer.raw.read1(65536, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise requests.RequestException(f"more than {MOST_BYTES} bytes")
        if time.monotonic() > deadline:
            raise requests.Timeout
    return b"".join(parts)


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url)
    try:
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    # The address itself is not repeated: it may hold what must not be shown.
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise EndpointError(
            "base_url holds more than an address. Put the key into the environment variable that key_variable names, "
            'and leave an address such as "http://127.0.0.1:8000/v1".'
        )
    if not is_address:
        raise EndpointError('base_url is not an address such as "http://127.0.0.1:8000/v1".')
    return base_url.rstrip("/")


def _key(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not all("!" <= character <= "~" for character in key):
        raise EndpointError(f"The key in {variable} has characters that cannot be sent. Copy it again.")
    return key
