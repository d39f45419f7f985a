"""The client against a real server on loopback that misbehaves in every way we know of."""

import json
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from emovid_assets.core.redaction import HIDDEN
from emovid_assets.core.video.errors import ADVICE, PASSING
from emovid_assets.resources.endpoint_client import Endpoint, EndpointError, NoAnswerError
from emovid_assets.resources.endpoint_manners import Clock, Manners
from emovid_assets.resources.endpoint_requests import body, caption_fields, letter_fields, word_fields
from emovid_assets_tests.resources.chat_server import Call, ChatServer, Reply, completion, refusal

KEY = "sk-very-secret-0123456789abcdef"
VARIABLE = "EMOVID_TEST_KEY"
QUICK = Manners(first_pause_s=0.01, longest_pause_s=0.05)
Answer = Callable[[Call], Reply]
Asks = Callable[..., Any]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answer], tuple[Endpoint, ChatServer]]]:
    """A client of a server that answers as told."""
    monkeypatch.setenv(VARIABLE, KEY)
    with ExitStack() as stack:

        def start(answer: Answer, *, attempts: int = 4, timeout_s: float = 5.0) -> tuple[Endpoint, ChatServer]:
            server = ChatServer(answer)
            url = stack.enter_context(server.running())
            client = Endpoint(url, VARIABLE, timeout_s=timeout_s, attempts=attempts, manners=QUICK)
            return client, server

        yield start


def ask(client: Endpoint, **fields: Any) -> Any:
    return client.ask(body("tiny", [], "clip-1: which?", **fields))


def then(*replies: Reply) -> Answer:
    """Each reply once, the last one ever after."""
    left = list(replies)
    return lambda call: left.pop(0) if len(left) > 1 else left[0]


GOOD = completion("A", [("A", {"A": 0.9, "B": 0.1})])


@pytest.mark.parametrize(
    "bad",
    [
        refusal(429, "slow down"),
        refusal(429, "slow down", {"Retry-After": "0"}),
        *(refusal(status, "busy") for status in (408, 409, 425, 500, 502, 503, 504)),
        Reply(body=b"<html>maintenance</html>"),
        Reply(body=GOOD.body, sent_share=0.5),
        Reply(body=GOOD.body, sent_share=0.0),
        Reply(body=GOOD.body[:40]),
        Reply(body=b'{"choices": []}'),
        Reply(body=b'{"choices": [{"message": "A"}]}'),
        Reply(body=b'{"choices": [{"message": {"content": 7}}]}'),
        Reply(body=b'{"choices": [{"message": {"content": [7]}}]}'),
        Reply(body=b"[" * 100_000),
        Reply(body=b'{"choices":[{"message":{"content":"A"},"logprobs":{"content":[{"token":"A","logprob":NaN,'
              b'"top_logprobs":[{"token":"A","logprob":NaN}]}]}}]}'),
        Reply(status=204),
        Reply(body=b"\x1f\x8b not gzip", headers={"Content-Encoding": "gzip"}),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:20]!r}-{reply.sent_share}",
)  # fmt: skip
def test_what_may_pass_is_asked_again(bad: Reply, serve: Asks) -> None:
    client, server = serve(then(bad, bad, GOOD))
    assert ask(client).text == "A"
    assert (client.request_count, client.retry_count, len(server.calls)) == (3, 2, 3)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('"A hare."', "A hare."),
        ("null", ""),
        ('[{"type": "text", "text": "A "}, {"type": "text", "text": "hare."}]', "A hare."),
    ],
)
def test_an_answer_without_counts_and_in_parts_is_an_answer(content: str, text: str, serve: Asks) -> None:
    client, _ = serve(then(Reply(body=f'{{"choices": [{{"message": {{"content": {content}}}}}]}}'.encode())))
    answer = ask(client)
    assert (answer.text, answer.finish_reason, list(answer.positions)) == (text, None, [])
    assert (answer.prompt_token_count, answer.output_token_count) == (None, None)


def test_after_the_last_attempt_the_request_is_given_up_with_what_was_seen(serve: Asks) -> None:
    client, server = serve(then(refusal(503, "loading the weights")))
    with pytest.raises(NoAnswerError) as caught:
        ask(client)
    assert caught.value.code == "no_answer"
    assert str(caught.value) == ("No answer after 4 attempts: HTTP 503: loading the weights. " + ADVICE["no_answer"])
    assert len(server.calls) == 4
    assert {"no_answer", "server_refused"} <= PASSING


def test_a_server_that_is_too_slow_is_left_even_if_it_sends_drop_by_drop(serve: Asks) -> None:
    client, server = serve(then(Reply(body=b" " * 1000, drip_s=0.02), Reply(delay_s=2), GOOD), timeout_s=0.3)
    began = time.monotonic()
    assert ask(client).text == "A"
    assert time.monotonic() - began < 2.0
    assert len(server.calls) == 3


def test_an_endless_answer_is_cut_off(serve: Asks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emovid_assets.resources.endpoint_client.MOST_BYTES", 10_000)
    client, _ = serve(then(Reply(body=b" " * 10_000_000), GOOD))
    assert ask(client).text == "A"


def test_an_asked_pause_is_kept_by_all_requests(serve: Asks) -> None:
    arrivals: list[float] = []

    def answer(call: Call) -> Reply:
        arrivals.append(time.monotonic())
        return refusal(429, "slow down", {"Retry-After": "0.5"}) if len(arrivals) == 1 else GOOD

    client, _ = serve(answer)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, client)
        while client.retry_count == 0:
            time.sleep(0.005)
        ask(client)
        first.result()
    assert [arrival - arrivals[0] >= 0.45 for arrival in arrivals] == [False, True, True]


def test_pauses_double_up_to_the_longest_and_differ_between_clients() -> None:
    manners = Manners(first_pause_s=1.0, longest_pause_s=10.0)
    for attempt, middle in [(1, 1.0), (2, 2.0), (4, 8.0), (9, 10.0)]:
        pauses = {manners.pause_s(attempt) for _ in range(50)}
        assert middle * 0.5 <= min(pauses) < max(pauses) <= middle * 1.5


def test_a_server_that_asks_for_an_hour_ends_the_run(serve: Asks) -> None:
    client, _ = serve(then(refusal(429, "quota used up", {"Retry-After": "3600"})))
    with pytest.raises(EndpointError, match=r"asks to wait for 3600 s.*quota used up"):
        ask(client)


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "Check the key in EMOVID_TEST_KEY"), (403, "Check the key"), (404, "Check base_url, with its /v1")],
)
def test_a_wrong_key_or_address_ends_the_run_at_the_first_request(status: int, words: str, serve: Asks) -> None:
    client, server = serve(then(refusal(status, "no such model")))
    with pytest.raises(EndpointError, match=f"no such model.*{words}"):
        ask(client)
    assert len(server.calls) == 1


@pytest.mark.parametrize("status", [400, 413, 422, 451])
def test_a_refusal_is_not_repeated(status: int, serve: Asks) -> None:
    client, server = serve(then(refusal(status, "At most 1 image(s) may be provided in one request.")))
    with pytest.raises(NoAnswerError, match=f"HTTP {status}: At most 1 image") as caught:
        ask(client)
    assert caught.value.code == "server_refused"
    assert len(server.calls) == 1


def test_nobody_at_the_address_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer(then(GOOD)).running() as url:
        pass
    client = Endpoint(url, VARIABLE, timeout_s=1, attempts=2, manners=QUICK)
    with pytest.raises(EndpointError, match=f"Nothing answers at {url}.*Start the server, or correct base_url"):
        ask(client)


def test_a_redirect_is_not_followed(serve: Asks) -> None:
    other = ChatServer(then(GOOD))
    with other.running() as elsewhere:
        client, _ = serve(then(Reply(307, headers={"Location": f"{elsewhere}/chat/completions"})))
        with pytest.raises(EndpointError, match=f"leads to {elsewhere}"):
            ask(client)
    assert other.calls == []


def shown_with_locals(error: BaseException) -> str:
    """The traceback as the most talkative handlers print it, from our own frames on: this test's hold the key."""
    trace = error.__traceback__
    while trace is not None and "emovid_assets_tests" in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    return "".join(traceback.TracebackException(type(error), error, trace, capture_locals=True, compact=False).format())


@pytest.mark.parametrize(
    "message",
    [
        f"Incorrect API key provided: {KEY}. You can find yours at …",
        f"headers: {{'Authorization': 'Bearer {KEY}'}}",
        "x" * 250 + f" Bearer {KEY}",
        f"bad token {KEY[:14]}…",
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_server_that_repeats_the_key_does_not_make_us_tell_it(
    status: int, message: str, serve: Asks, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client, server = serve(then(refusal(status, message)), attempts=2)
    with pytest.raises((EndpointError, NoAnswerError)) as caught:
        ask(client)
    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"
    for text in (str(caught.value), repr(caught.value.args), shown_with_locals(caught.value), caplog.text):
        assert KEY[:10] not in text
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("content", [json.dumps({"detail": f"no: {KEY}"}), f"no: {KEY}", json.dumps([KEY])])
def test_error_bodies_of_any_shape_are_cleared_of_the_key(content: str, serve: Asks) -> None:
    client, _ = serve(then(Reply(418, content.encode())))
    with pytest.raises(NoAnswerError) as caught:
        ask(client)
    assert KEY[:10] not in str(caught.value)
    assert HIDDEN in str(caught.value)


def test_a_broken_connection_leads_no_traceback_into_the_request(serve: Asks) -> None:
    client, _ = serve(then(Reply(body=GOOD.body, sent_share=0.3)), attempts=1)
    with pytest.raises(NoAnswerError) as caught:
        ask(client)
    assert KEY not in shown_with_locals(caught.value)
    error: BaseException | None = caught.value
    while error is not None:
        assert "requests" not in type(error).__module__
        error = error.__context__


def test_a_password_in_netrc_does_not_replace_the_key(
    serve: Asks, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    client, server = serve(then(GOOD))
    ask(client)
    assert server.calls[0].headers["Authorization"] == f"Bearer {KEY}"
    monkeypatch.delenv(VARIABLE)
    keyless = Endpoint(client.url.removesuffix("/chat/completions"), VARIABLE, timeout_s=5, attempts=1)
    ask(keyless)
    assert "Authorization" not in server.calls[1].headers


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_server_on_this_machine_is_spoken_to_without_a_proxy(
    variable: str, serve: Asks, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = ChatServer(then(refusal(502, "not here")))
    with proxy.running() as address:
        monkeypatch.setenv(variable, address.removesuffix("/v1"))
        client, server = serve(then(GOOD))
        ask(client)
    assert (len(server.calls), proxy.calls) == (1, [])


@pytest.mark.parametrize("key", ["sk-one\nX-Header: two", "sk-ключ", "two words"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, key)
    with pytest.raises(EndpointError, match=f"The key in {VARIABLE} has characters") as caught:
        Endpoint("http://127.0.0.1:1/v1", VARIABLE, timeout_s=1, attempts=1)
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@127.0.0.1/v1",
        "https://:hunter2@example.org/v1",
        "https://example.org/v1?key=hunter2",
        "https://example.org/v1#hunter2",
        "ftp://example.org/v1",
        "example.org/v1",
        "http://",
        "http://127.0.0.1:99999/v1",
    ],
)
def test_an_address_that_is_more_or_less_than_one_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(EndpointError, match="base_url") as caught:
        Endpoint(url, VARIABLE, timeout_s=1, attempts=1)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://model.example.org/v1", "http://10.0.0.7:8000/v1", "http://127.1/v1"])
def test_a_key_does_not_go_to_another_machine_without_encryption(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    host = urlsplit(url).netloc
    with pytest.raises(
        EndpointError, match=f"The key in {VARIABLE} is not sent to {host} without encryption"
    ) as caught:
        Endpoint(url, VARIABLE, timeout_s=1, attempts=1)
    assert KEY not in str(caught.value)
    Endpoint(url.replace("http:", "https:"), VARIABLE, timeout_s=1, attempts=1)
    monkeypatch.setenv("EMOVID_TRUSTED_HOSTS", f"elsewhere, {host}")
    Endpoint(url, VARIABLE, timeout_s=1, attempts=1)
    monkeypatch.delenv("EMOVID_TRUSTED_HOSTS")
    monkeypatch.delenv(VARIABLE)
    Endpoint(url, VARIABLE, timeout_s=1, attempts=1)


def picky(*unknown: str, most_likeliest: int = 20) -> Answer:
    """A server that refuses fields by name, one at a time, as hosted ones do."""

    def answer(call: Call) -> Reply:
        for field in unknown:
            if field in call.body:
                hint = " Use 'max_completion_tokens' instead." if field == "max_tokens" else ""
                return refusal(400, f"Unrecognized request argument supplied: '{field}'.{hint}", param=field)
        if call.body.get("top_logprobs", 0) > most_likeliest:
            return refusal(400, f"Invalid value for 'top_logprobs': must be less than or equal to {most_likeliest}.")
        return GOOD

    return answer


def test_a_field_that_the_server_names_is_left_out_from_then_on(serve: Asks) -> None:
    client, server = serve(picky("structured_outputs", "regex", "seed"))
    ask(client, **word_fields())
    assert len(server.calls) == 4
    ask(client, **word_fields())
    assert len(server.calls) == 5
    assert client.dialect.notes() == {"left_out": ["regex", "seed", "structured_outputs"]}
    assert "logprobs" in server.calls[-1].body
    assert client.retry_count == 0


def test_the_new_name_of_the_length_limit_is_used_where_the_old_one_is_refused(serve: Asks) -> None:
    client, server = serve(picky("max_tokens"))
    ask(client, **caption_fields(1, 50))
    ask(client, **caption_fields(1, 50))
    assert ["max_tokens" in call.body for call in server.calls] == [True, False, False]
    assert server.calls[-1].body["max_completion_tokens"] == 50


def test_fewer_likeliest_tokens_are_asked_for_where_the_server_gives_no_more(serve: Asks) -> None:
    client, server = serve(picky(most_likeliest=5))
    ask(client, **letter_fields())
    ask(client, **letter_fields())
    assert [call.body["top_logprobs"] for call in server.calls] == [20, 5, 5]
    assert client.dialect.notes() == {"top_logprobs": 5}


def test_a_field_that_cannot_be_left_out_is_a_refusal(serve: Asks) -> None:
    client, server = serve(picky("logprobs"))
    with pytest.raises(NoAnswerError, match="'logprobs'"):
        ask(client, **letter_fields())
    assert len(server.calls) == 1


def test_the_clock_charges_each_clip_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("emovid_assets.resources.endpoint_manners.time.monotonic", lambda: now[0])
    clock = Clock()
    now[0] = 1.0
    first = clock.enter()
    now[0] = 3.0
    second = clock.enter()
    now[0] = 5.0
    assert clock.leave(first) == pytest.approx(2.0 + 1.0)
    now[0] = 6.0
    assert clock.leave(second) == pytest.approx(1.0 + 1.0)
    now[0] = 8.0
    assert clock.times() == (5.0, 3.0)
