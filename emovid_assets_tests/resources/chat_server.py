"""A chat server on loopback for tests: real HTTP in OpenAI's shape, with any fault, and a record of what was asked.

What it answers is a function of the request: `tiny_server` lets a model answer.
"""

import json
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/v1/chat/completions"


@dataclass(frozen=True)
class Call:
    """A request. `clip` is the first word like clip-007 of its prompt; `number` counts requests about it, from 1."""

    body: dict[str, Any]
    headers: Mapping[str, str]
    clip: str
    number: int

    @property
    def text(self) -> str:
        return str(self.body["messages"][0]["content"][-1]["text"])

    @property
    def frames(self) -> list[str]:
        """Data URLs."""
        return [part["image_url"]["url"] for part in self.body["messages"][0]["content"][:-1]]


@dataclass(frozen=True)
class Reply:
    """`sent_share` of the body is sent before the connection ends; `drip_s` is the pause after each byte of it."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    sent_share: float = 1.0
    drip_s: float = 0.0


def completion(
    text: str,
    positions: Sequence[tuple[str, Mapping[str, float]]] = (),
    *,
    finish_reason: str = "stop",
    usage: Mapping[str, int] | None = None,
) -> Reply:
    """An answer; `positions` are the token written at each place and probabilities of the likeliest."""

    def told(token: str, probability: float) -> dict[str, Any]:
        return {"token": token, "logprob": math.log(probability) if probability else -9999.0, "bytes": None}

    content = [
        {
            **told(token, top.get(token, 1e-6)),
            "top_logprobs": [told(*one) for one in top.items()],
        }
        for token, top in positions
    ]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "logprobs": {"content": content} if content else None,
        "finish_reason": finish_reason,
    }
    body = {"id": "1", "object": "chat.completion", "model": "tiny", "choices": [choice]}
    counts = {"prompt_tokens": 100, "completion_tokens": 1} if usage is None else usage
    return Reply(body=json.dumps(body | {"usage": counts}).encode())


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None, **more: Any) -> Reply:
    body = {"error": {"message": message, "type": "invalid_request_error", **more}}
    return Reply(status, json.dumps(body).encode(), headers or {})


class ChatServer:
    """`answer` is called once a request, from several threads; what it raises is an HTTP 500."""

    def __init__(self, answer: Callable[[Call], Reply]) -> None:
        self.answer = answer
        self.calls: list[Call] = []
        self.most_at_once = 0
        self._at_once = 0
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def counts(self) -> Counter[str]:
        """Requests per clip."""
        with self._lock:
            return Counter(self._counts)

    def taken(self, body: dict[str, Any], headers: Mapping[str, str]) -> Call:
        found = re.search(r"clip-\d+", body["messages"][0]["content"][-1]["text"])
        clip = found.group() if found else ""
        with self._lock:
            self._counts[clip] += 1
            call = Call(body, headers, clip, self._counts[clip])
            self.calls.append(call)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        return call

    def leave(self) -> None:
        with self._lock:
            self._at_once -= 1

    @contextmanager
    def running(self) -> Iterator[str]:
        """The base URL while it serves."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != PATH:
                self._send(refusal(404, "Not Found"))
                return
            call = server.taken(json.loads(content), dict(self.headers))
            try:
                reply = server.answer(call)
            except Exception as error:  # noqa: BLE001 - as servers do
                reply = refusal(500, repr(error))
            finally:
                server.leave()
            try:
                self._send(reply)
            except OSError:
                self.close_connection = True

        def _send(self, reply: Reply) -> None:
            time.sleep(reply.delay_s)
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            sent = reply.body[: int(len(reply.body) * reply.sent_share)]
            if reply.drip_s:
                for start in range(len(sent)):
                    self.wfile.write(sent[start : start + 1])
                    self.wfile.flush()
                    time.sleep(reply.drip_s)
            else:
                self.wfile.write(sent)
            if reply.sent_share < 1:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
