"""Requests to servers on this machine that misbehave in every way that is known."""

import logging
import socket
import ssl
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from emovid_assets.core.collection.addresses import ForbiddenAddressError, require_public
from emovid_assets.core.collection.file_kinds import GIF, KINDS, MP4
from emovid_assets.core.redaction import Redactor
from emovid_assets.resources.collection.http import Fetcher, FetchError, Limits
from emovid_assets_tests.collection.servers import Request, serving

GIF_BYTES = b"GIF89a" + bytes(range(256)) * 40
LIMITS = Limits(max_bytes=1 << 20, total_s=5, silence_s=1)
SECRET = "kY9-secret+key/of=mine"


def fetcher(*hosts: str, sleep: Callable[[float], None] = lambda _: None, secret: str = SECRET) -> Fetcher:
    return Fetcher(allowed_hosts=hosts, redact=Redactor([secret]), sleep=sleep)


def gif(request: Request) -> None:
    request.answer(200, GIF_BYTES, {"Content-Type": "image/gif"})


def fault_of(reply: Callable[[Request], None], tmp_path: Path, limits: Limits = LIMITS) -> FetchError:
    """What fetching a GIF from the server ends as; nothing may be left in the folder."""
    with serving(reply) as server, fetcher(server.host) as client, pytest.raises(FetchError) as caught:
        client.file(f"{server.url}/a.gif", tmp_path / "a.gif", [GIF], limits)
    assert list(tmp_path.iterdir()) == []
    return caught.value


def test_a_file_comes_whole_with_its_hash(tmp_path: Path) -> None:
    import hashlib

    with serving(gif) as server, fetcher(server.host) as client:
        got = client.file(f"{server.url}/a", tmp_path / "a.gif", KINDS, LIMITS)
    assert (tmp_path / "a.gif").read_bytes() == GIF_BYTES
    assert (got.kind, got.size_bytes, got.sha256) == (GIF, len(GIF_BYTES), hashlib.sha256(GIF_BYTES).hexdigest())
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


def test_half_a_body_is_no_file_even_after_repeated_tries(tmp_path: Path) -> None:
    fault = fault_of(lambda request: request.answer_half(GIF_BYTES, "image/gif"), tmp_path)
    assert (fault.code, fault.passes) == ("truncated", True)


def test_a_body_that_breaks_off_once_is_fetched_again(tmp_path: Path) -> None:
    def reply(request: Request) -> None:
        gif(request) if request.number == 3 else request.answer_half(GIF_BYTES, "image/gif")

    with serving(reply) as server, fetcher(server.host) as client:
        client.file(f"{server.url}/a.gif", tmp_path / "a.gif", [GIF], LIMITS)
        assert len(server.asked) == 3
    assert (tmp_path / "a.gif").read_bytes() == GIF_BYTES


def test_a_body_in_chunks_that_breaks_off_is_no_file(tmp_path: Path) -> None:
    def reply(request: Request) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"%x\r\n%s\r\n" % (len(GIF_BYTES), GIF_BYTES))
        request.close_connection = True

    assert fault_of(reply, tmp_path).code == "truncated"


def test_a_body_without_end_is_stopped_at_the_limit(tmp_path: Path) -> None:
    began = time.monotonic()
    fault = fault_of(lambda request: request.answer_without_end(GIF_BYTES, "image/gif"), tmp_path)
    assert (fault.code, fault.passes) == ("too_large", False)
    assert time.monotonic() - began < 5


def test_a_body_that_says_it_is_too_large_is_not_read(tmp_path: Path) -> None:
    def reply(request: Request) -> None:
        request.answer(200, GIF_BYTES, {"Content-Length": str(10**12), "Content-Type": "image/gif"})

    assert fault_of(reply, tmp_path).code == "too_large"


def test_a_body_that_trickles_is_stopped_in_time(tmp_path: Path) -> None:
    def reply(request: Request) -> None:
        request.answer(200, GIF_BYTES[:20], {"Content-Length": "100000", "Content-Type": "image/gif"})
        while not request.server.is_closing.wait(0.1):
            request.wfile.write(b"x")

    fault = fault_of(reply, tmp_path, Limits(1 << 20, total_s=0.3, silence_s=1))
    assert fault.code == "timeout"


def test_a_server_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    fault = fault_of(lambda request: request.server.is_closing.wait(3) and None, tmp_path, Limits(1 << 20, 5, 0.1))
    assert (fault.code, fault.passes) == ("timeout", True)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<!doctype html><title>Not found</title>", "image/gif"),
        (GIF_BYTES, "text/html"),
        (GIF_BYTES, "video/mp4"),
        (b"\0\0\0\x18ftypmp42" + bytes(100), "video/mp4"),
        (b"GIF89a", "image/gif"),
        (b"", "image/gif"),
    ],
)
def test_a_body_that_is_not_what_was_asked_for_is_no_file(tmp_path: Path, body: bytes, content_type: str) -> None:
    fault = fault_of(lambda request: request.answer(200, body, {"Content-Type": content_type}), tmp_path)
    assert (fault.code, fault.passes) == ("wrong_type", False)


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "IMAGE/GIF; charset=binary"])
def test_a_content_type_that_says_nothing_or_the_same_is_fine(tmp_path: Path, content_type: str) -> None:
    with (
        serving(lambda request: request.answer(200, GIF_BYTES, {"Content-Type": content_type})) as server,
        fetcher(server.host) as client,
    ):
        assert client.file(f"{server.url}/a", tmp_path / "a", [MP4, GIF], LIMITS).kind is GIF


def test_a_busy_server_is_asked_again_after_the_pause_that_it_names() -> None:
    def reply(request: Request) -> None:
        if request.number <= 2:
            request.answer(429, b"slow down", {"Retry-After": "7"})
        else:
            request.answer_json({"fine": True})

    pauses: list[float] = []
    with serving(reply) as server, fetcher(server.host, sleep=pauses.append) as client:
        assert client.json(f"{server.url}/search", {"q": "joy"}, LIMITS)[0] == {"fine": True}
    assert pauses == [7, 7]


def test_a_server_that_wants_an_hour_is_left_alone() -> None:
    pauses: list[float] = []
    reply = lambda request: request.answer(429, b"", {"Retry-After": "3600"})  # noqa: E731
    with (
        serving(reply) as server,
        fetcher(server.host, sleep=pauses.append) as client,
        pytest.raises(FetchError) as caught,
    ):
        client.json(f"{server.url}/search", {}, LIMITS)
    assert (caught.value.code, caught.value.retry_after_s, pauses) == ("busy", 3600, [])


def test_errors_of_the_server_are_tried_again_with_growing_pauses_and_errors_of_ours_are_not() -> None:
    pauses: list[float] = []
    for status, count in ((500, 4), (502, 4), (404, 1), (401, 1)):
        pauses.clear()
        reply = lambda request, status=status: request.answer(status)  # noqa: E731
        with serving(reply) as server, fetcher(server.host, sleep=pauses.append) as client:
            with pytest.raises(FetchError) as caught:
                client.json(f"{server.url}/search", {}, LIMITS)
            assert (caught.value.status, len(server.asked)) == (status, count)
    assert pauses == []


def test_pauses_grow() -> None:
    pauses: list[float] = []
    with (
        serving(lambda r: r.answer(503)) as server,
        fetcher(server.host, sleep=pauses.append) as client,
        pytest.raises(FetchError),
    ):
        client.json(server.url, {}, LIMITS)
    assert 0.8 <= pauses[0] <= 1.2 <= 1.6 <= pauses[1] <= 2.4 <= 3.2 <= pauses[2] <= 4.8


@pytest.mark.parametrize("where", ["http://127.0.0.1:{port}/x", "http://localhost:{port}/x", "http://[::1]:{port}/x"])
def test_a_redirect_to_a_private_address_is_not_followed(tmp_path: Path, where: str) -> None:
    with serving(gif) as private:
        target = where.format(port=private.server_address[1])
        fault = fault_of(lambda request: request.redirect(target), tmp_path)
        assert private.asked == []
    # IPv6 may be missing on a machine; then nothing was reached either way.
    assert fault.code in ("forbidden_address", "unreachable")
    if "[" not in where:
        assert fault.code == "forbidden_address"


@pytest.mark.parametrize(
    "where",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "file:///etc/passwd",
        "ftp://example.org/a.gif",
        "http://user:password@example.org/",
        "http://[::1",
    ],
)
def test_a_redirect_to_what_is_no_public_web_address_is_refused_without_a_connection(
    tmp_path: Path, where: str
) -> None:
    fault = fault_of(lambda request: request.redirect(where), tmp_path)
    assert fault.code == "forbidden_address"
    assert "password@" not in str(fault)


def test_a_name_that_resolves_to_a_private_address_gets_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def resolve(host: str, *rest: object, **options: object) -> object:
        return real("127.0.0.1" if host == "rebound.example.org" else host, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with serving(gif) as server, fetcher() as client, pytest.raises(FetchError) as caught:
        client.file(f"http://rebound.example.org:{server.server_address[1]}/", tmp_path / "a.gif", [GIF], LIMITS)
    assert caught.value.code == "forbidden_address"
    assert server.asked == []


def test_a_redirect_to_another_file_server_is_followed_and_a_circle_is_left(tmp_path: Path) -> None:
    with (
        serving(gif) as media,
        serving(lambda request: request.redirect(f"{media.url}/a.gif")) as server,
        fetcher(server.host, media.host) as client,
    ):
        client.file(f"{server.url}/a", tmp_path / "a.gif", [GIF], LIMITS)
    assert (tmp_path / "a.gif").exists()
    (tmp_path / "a.gif").unlink()
    assert fault_of(lambda request: request.redirect("/again"), tmp_path).code == "redirects"


def test_a_redirect_with_a_body_without_end_is_left_at_once(tmp_path: Path) -> None:
    def reply(request: Request) -> None:
        if request.route == "/b.gif":
            return gif(request)
        request.send_response(302)
        request.send_header("Location", "/b.gif")
        request.end_headers()
        while not request.server.is_closing.is_set():
            request.wfile.write(bytes(1 << 16))
        return None

    with serving(reply) as server, fetcher(server.host) as client:
        client.file(f"{server.url}/a", tmp_path / "a.gif", [GIF], LIMITS)
    assert (tmp_path / "a.gif").exists()


def test_a_search_is_not_redirected_to_another_server_and_its_key_goes_nowhere_else() -> None:
    with (
        serving(lambda request: request.answer_json({})) as other,
        serving(lambda request: request.redirect(f"{other.url}{request.path}")) as server,
        fetcher(server.host, other.host) as client,
    ):
        with pytest.raises(FetchError) as caught:
            client.json(f"{server.url}/v2/search", {"key": SECRET}, LIMITS)
        assert (caught.value.code, other.asked) == ("forbidden_address", [])


def test_a_key_is_not_sent_without_encryption() -> None:
    with fetcher() as client, pytest.raises(FetchError) as caught:
        client.json("http://8.8.8.8/v2/search", {"key": SECRET}, LIMITS)
    assert (caught.value.code, str(caught.value)) == (
        "forbidden_address",
        "8.8.8.8: a key is not sent without encryption",
    )


def test_encryption_is_not_given_up_on_the_way() -> None:
    from emovid_assets.core.collection.addresses import require_fetchable

    require_fetchable("https://example.org/a", previous="http://example.org/")
    with pytest.raises(ForbiddenAddressError, match="encrypted"):
        require_fetchable("http://example.org/a", previous="https://example.org/")


def everything_printed(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__) + repr(error.__cause__)


@pytest.mark.parametrize(
    "reply",
    [
        lambda r: r.answer(401, f'{{"error": "key {r.query["key"]} is not valid"}}'.encode()),
        lambda r: r.answer(400, r.path.encode()),
        lambda r: r.answer(500, f"https://x/?api_key={r.query['key']}&q=1".encode()),
        lambda r: r.answer(403, f"your key {r.query['key'][:9]}... has expired".encode()),
        lambda r: r.redirect(f"http://10.0.0.1{r.path}"),
        lambda r: r.redirect(f"http://{r.query['key'][:8]}.example.invalid/"),
        lambda r: r.answer(200, f"<html>{r.path}</html>".encode()),
        lambda r: r.answer_half(r.path.encode() * 9, "application/json"),
    ],
)
def test_a_key_is_in_no_error_and_in_no_log_whatever_the_server_echoes(
    reply: Callable[[Request], None], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    # Other libraries in this process may have switched the loggers off, or changed where they write to.
    for name in ("urllib3", "urllib3.connectionpool"):
        monkeypatch.setattr(logging.getLogger(name), "disabled", False)
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        caplog.set_level(logging.DEBUG, name)
    with serving(reply) as server, fetcher(server.host) as client:
        with pytest.raises(FetchError) as caught:
            client.json(f"{server.url}/v2/search", {"key": SECRET, "q": "joy"}, LIMITS)
        assert server.asked[0][1]["key"] == SECRET
    assert "Starting new HTTP connection" in caplog.text
    printed = everything_printed(caught.value) + caplog.text
    for part in (SECRET, "kY9-secret", "secret%2Bkey", "of=mine", "of%3Dmine"):
        assert part not in printed, printed


def test_a_key_is_in_no_error_where_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with fetcher(host) as client, pytest.raises(FetchError) as caught:
        client.json(f"http://{host}/v2/search", {"key": SECRET}, LIMITS)
    assert caught.value.code == "unreachable"
    assert "secret" not in everything_printed(caught.value)


def test_a_server_without_encryption_behind_https_is_unreachable() -> None:
    with serving(gif) as server, fetcher(server.host) as client, pytest.raises(FetchError) as caught:
        client.json(f"https://{server.host}/", {"key": SECRET}, LIMITS)
    assert caught.value.code == "unreachable"
    assert isinstance(ssl.SSLError(), OSError)


def test_neither_proxies_nor_passwords_of_the_environment_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving(lambda r: r.answer_json({})) as server, fetcher(server.host) as client:
        client.json(server.url, {}, LIMITS)
        assert "Authorization" not in server.asked[0][2]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.1.1", "100.64.0.1", "224.0.0.1", "0.0.0.0"),
        *("::1", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "255.255.255.255"),
    ],
)
def test_addresses_that_are_not_public_are_told(address: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        require_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_pass(address: str) -> None:
    require_public(address)
