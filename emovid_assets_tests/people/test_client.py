"""The HTTP client against a server that is busy, away, or has forgotten us; and where secrets lie."""

import http.server
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.home.folders import Home
from emovid_assets.resources.label_studio import Access, LabelStudio, LabelStudioError, program, running_server


class Script(http.server.BaseHTTPRequestHandler):
    """Answers `/api/token/refresh/` with ever new tokens, everything else with the next status of `statuses`."""

    statuses: list[int]
    headers_sent: dict[str, str]
    body: Any
    seen: list[str]
    refresh_count: int

    def do_GET(self) -> None:
        type(self).seen.append(f"{self.command} {self.headers.get('Authorization')}")
        self.answer(self.statuses.pop(0), self.body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/api/token/refresh/":
            type(self).refresh_count += 1
            self.answer(200, {"access": f"access-{self.refresh_count}"})
        else:
            self.do_GET()

    def answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **self.headers_sent}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        pass


class Scripted:
    def __init__(self, url: str, handler: type[Script]) -> None:
        self.handler = handler
        self.pauses: list[float] = []
        self.client = LabelStudio(Access(url, "a", "b", "token"), sleep=self.pauses.append)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    handler = type("Fresh", (Script,), {"statuses": [], "headers_sent": {}, "body": [], "seen": [], "refresh_count": 0})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield Scripted(f"http://127.0.0.1:{server.server_port}", handler)
    server.shutdown()
    server.server_close()


def test_a_busy_server_is_asked_again_with_growing_pauses(scripted: Scripted) -> None:
    scripted.handler.statuses = [503, 429, 502, 200]
    assert scripted.client.tasks(1) == []
    assert scripted.pauses == [0.5, 1.0, 2.0]


def test_a_pause_that_the_server_names_is_kept_and_an_hour_is_not_waited_for(scripted: Scripted) -> None:
    scripted.handler.headers_sent = {"Retry-After": "7"}
    scripted.handler.statuses = [503, 200]
    scripted.client.tasks(1)
    scripted.handler.headers_sent = {"Retry-After": "3600"}
    scripted.handler.statuses = [503]
    with pytest.raises(LabelStudioError, match="refuses GET"):
        scripted.client.tasks(1)
    assert scripted.pauses == [7.0]


@pytest.mark.parametrize("secret", ["refresh-token-0123456789", "access-1"])
def test_a_server_that_repeats_a_token_does_not_make_us_tell_it(scripted: Scripted, secret: str) -> None:
    client = LabelStudio(Access(scripted.client.url, "a", "b", "refresh-token-0123456789"))
    scripted.handler.statuses, scripted.handler.body = [404], {"detail": f"not for {secret}"}
    with pytest.raises(LabelStudioError, match="not for") as caught:
        client.tasks(1)
    assert secret not in str(caught.value)


def test_a_request_that_adds_something_is_not_repeated_after_an_error_that_may_have_come_too_late(
    scripted: Scripted,
) -> None:
    scripted.handler.statuses = [500, 200]
    with pytest.raises(LabelStudioError, match="500"):
        scripted.client.add_tasks(1, [{"data": {}}])
    scripted.handler.statuses = [503, 200]
    scripted.client.add_tasks(1, [{"data": {}}])


def test_an_access_token_that_has_run_out_is_renewed(scripted: Scripted) -> None:
    scripted.handler.statuses = [200, 401, 200]
    scripted.client.tasks(1)
    scripted.client.tasks(1)
    assert scripted.handler.seen == ["GET Bearer access-1", "GET Bearer access-1", "GET Bearer access-2"]


def test_a_refusal_is_told_at_once_with_what_the_server_says(scripted: Scripted) -> None:
    scripted.handler.statuses = [404]
    with pytest.raises(LabelStudioError, match="refuses GET /api/projects/1/export"):
        scripted.client.tasks(1)
    assert scripted.pauses == []


def test_a_token_goes_to_no_other_machine_without_encryption_and_past_every_proxy(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LabelStudioError, match=r"not sent to label\.example:8080 without encryption"):
        LabelStudio(Access("http://label.example:8080", "a", "b", "token"))
    monkeypatch.setenv("EMOVID_TRUSTED_HOSTS", "label.example:8080")
    LabelStudio(Access("http://label.example:8080", "a", "b", "token"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    scripted.handler.statuses = [200]
    assert scripted.client.tasks(1) == []


def test_a_token_is_not_sent_to_where_its_server_leads(scripted: Scripted) -> None:
    elsewhere = type("Elsewhere", (Script,), {"refresh_count": 0, "headers_sent": {}})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), elsewhere) as other:
        threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        scripted.handler.do_POST = lambda self: self.answer(307, {})  # type: ignore[method-assign, misc]
        scripted.handler.headers_sent = {"Location": f"http://127.0.0.1:{other.server_port}/api/token/refresh/"}
        with pytest.raises(LabelStudioError, match="leads elsewhere, where our access token is not sent"):
            scripted.client.tasks(1)
        other.shutdown()
    assert elsewhere.refresh_count == 0


def test_a_server_that_is_not_there_is_told_how_to_start() -> None:
    client = LabelStudio(Access("http://127.0.0.1:9", "a", "b", "token"), sleep=lambda seconds: None)
    with pytest.raises(LabelStudioError, match="start it with: emovid annotate serve"):
        client.projects()


def test_what_adds_something_is_sent_again_only_where_nobody_was_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    pauses: list[float] = []
    with pytest.raises(LabelStudioError, match="does not answer"):
        LabelStudio(Access(url, "a", "b", "token"), sleep=pauses.append).create_project({}, Path("clips"))
    assert pauses == [0.5, 1.0, 2.0, 4.0]


def test_what_adds_something_is_not_sent_again_after_a_connection_that_broke(scripted: Scripted) -> None:
    # Nothing is left to answer with, so the server hangs up.
    scripted.handler.statuses = []
    with pytest.raises(LabelStudioError, match="does not answer"):
        scripted.client.create_project({}, Path("clips"))
    assert (len(scripted.handler.seen), scripted.pauses) == (1, [])


def test_the_password_of_a_package_index_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Looking in indexes: https://me:hunter2@packages.example/simple\nERROR: no match"
    monkeypatch.delenv("EMOVID_LABEL_STUDIO", raising=False)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", said))
    with pytest.raises(LabelStudioError, match="ERROR: no match") as caught:
        program(Home(tmp_path))
    assert "hunter2" not in str(caught.value)


def test_a_home_that_never_had_a_server_is_told_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(LabelStudioError, match="start one with: emovid annotate serve"):
        LabelStudio.of(Home(tmp_path))


def test_only_the_owner_can_read_the_password(tmp_path: Path) -> None:
    home = Home(tmp_path)
    access = Access("http://x", "a", "secret", "token")
    access.write(home)
    assert Access.path(home).stat().st_mode & 0o777 == 0o600
    assert Access.path(home).parent.stat().st_mode & 0o077 == 0
    assert Access.read(home) == access


def test_a_wrong_name_of_the_program_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOVID_LABEL_STUDIO", str(tmp_path / "missing"))
    with pytest.raises(LabelStudioError, match="which is no program"):
        program(Home(tmp_path))


def test_a_port_that_is_taken_is_told_before_anything_starts(
    scripted: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOVID_LABEL_STUDIO", "/bin/false")
    port = int(scripted.client.url.rsplit(":", 1)[1])
    with (
        pytest.raises(LabelStudioError, match="choose another with --port"),
        running_server(Home(tmp_path), port),
    ):
        pass


def test_a_program_that_ends_at_once_is_told_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOVID_LABEL_STUDIO", "/bin/false")
    with pytest.raises(LabelStudioError, match=r"did not start; see .*server\.log"), running_server(Home(tmp_path), 0):
        pass


NAMED = {"EMOVID_LABEL_STUDIO_URL": "https://label-studio:8080/", "EMOVID_LABEL_STUDIO_TOKEN": "token"}


def test_a_server_that_the_environment_names_is_spoken_to_with_its_token(scripted: Scripted, tmp_path: Path) -> None:
    scripted.handler.statuses[:] = [200]
    scripted.handler.body = [{"id": 1, "email": "ann@example.org"}]
    environment = {**NAMED, "EMOVID_LABEL_STUDIO_URL": scripted.client.url}
    assert LabelStudio.of(Home(tmp_path), environment).emails() == {1: "ann@example.org"}
    assert scripted.handler.seen == ["GET Bearer access-1"]
    assert LabelStudio.of(Home(tmp_path), NAMED).url == "https://label-studio:8080"
    assert not (tmp_path / "label-studio").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"EMOVID_LABEL_STUDIO_TOKEN": " "}, "EMOVID_LABEL_STUDIO_TOKEN is not"),
        ({"EMOVID_LABEL_STUDIO_URL": "label-studio:8080"}, "is no address"),
        ({"EMOVID_LABEL_STUDIO_URL": "http://me:secret@label-studio:8080"}, "is no address"),
        ({"EMOVID_LABEL_STUDIO_URL": "http://labels.example.org"}, "without encryption"),
        ({"EMOVID_LABEL_STUDIO_URL": "http://192.168.0.5:8080"}, "without encryption"),
        ({"EMOVID_LABEL_STUDIO_URL": "http://[fd00::1]:8080"}, "without encryption"),
    ],
)
def test_a_named_server_that_cannot_be_used_is_refused_without_its_secrets(
    tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    with pytest.raises(LabelStudioError, match=said) as error:
        LabelStudio.of(Home(tmp_path), {**NAMED, **changed})
    assert "secret" not in str(error.value)


def test_a_named_server_that_is_away_is_told_by_its_variable(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        away = LabelStudio.of(
            Home(tmp_path), {**NAMED, "EMOVID_LABEL_STUDIO_URL": f"http://127.0.0.1:{held.getsockname()[1]}"}
        )
        away._sleep = lambda pause_s: None
        with pytest.raises(LabelStudioError, match="EMOVID_LABEL_STUDIO_URL says that it is there"):
            away.projects()
