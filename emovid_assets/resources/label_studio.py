"""Label Studio: its own environment, its server process, and its HTTP interface.

Belongs here: everything that knows Label Studio's program and addresses. Does not belong here: what a project or a
task looks like (`core.label_studio`), and what is pushed and pulled (`people.server`).

Label Studio pins libraries that ours do not go with, so it lives in an environment of its own. Its server is told to
listen on this machine only, to report nothing to anybody, and to serve nothing but clip files.
"""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from emovid_assets.core.label_studio import SKIP_KEY, SUBMIT_KEY
from emovid_assets.core.placing import put_text
from emovid_assets.core.redaction import Redactor
from emovid_assets.core.retry_after import is_busy, may_pass, retry_after_s
from emovid_assets.core.video.clip_container import CLIP_CONTAINERS
from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources.key_places import may_carry_key, refusal, session_for
from emovid_assets.resources.retrying import AttemptError, Patience, patiently, was_reached

VERSION = "1.23.2"
PROGRAM_VARIABLE = "EMOVID_LABEL_STUDIO"
URL_VARIABLE, TOKEN_VARIABLE = "EMOVID_LABEL_STUDIO_URL", "EMOVID_LABEL_STUDIO_TOKEN"
"""Name a server that somebody else has started, such as that of compose, and the personal access token of a user."""
DEFAULT_PORT = 8080
ADMIN_EMAIL = "admin@emovid.local"
CONSTRAINTS = "deploy/label-studio-constraints.txt"

_START_ADVICE = "start it with: emovid annotate serve"
_NAMED = f"{URL_VARIABLE} says that it is there"
_HOST = "127.0.0.1"
_REQUEST_TIMEOUT_S = (5.0, 120.0)
_START = Patience(sys.maxsize, 0.25, 0.25, jitter=0, total_s=300.0)
"""The first start makes the database."""
_PATIENCE = Patience(attempts=5, first_pause_s=0.5, jitter=0)
"""Without jitter: nobody else waits for it."""
_TASKS_PER_REQUEST = 500


class LabelStudioError(AttemptError):
    """Something that a person can put right; the message says how."""


@dataclass
class Access:
    """How to reach a server as its administrator. Lies in a file that only its owner may read."""

    url: str
    email: str
    password: str
    token: str = ""

    @staticmethod
    def path(home: Home) -> Path:
        return folder(home) / "credentials.json"

    @classmethod
    def read(cls, home: Home) -> "Access":
        """Raises LabelStudioError where no server has been set up for this home."""
        try:
            return cls(**json.loads(cls.path(home).read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise LabelStudioError(
                f"no Label Studio has been set up for {home.root}; start one with: emovid annotate serve"
            ) from error
        except (ValueError, TypeError, OSError) as error:
            raise LabelStudioError(
                f"{cls.path(home)} cannot be used ({error}); repair it, it holds the password"
            ) from error

    def write(self, home: Home) -> None:
        path = self.path(home)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # It holds the password.
        put_text(path, json.dumps(asdict(self), indent=1), is_private=True)


def folder(home: Home) -> Path:
    """Where Label Studio keeps what is its own: environment, database, log, credentials."""
    return home.root / "label-studio"


def program(home: Home, say: Callable[[str], None] = lambda text: None) -> Path:
    """The program `label-studio`: the one that EMOVID_LABEL_STUDIO names, else that of the home's own environment.

    The environment is made on first use (a few minutes, from the package index). Raises LabelStudioError.
    """
    named = os.environ.get(PROGRAM_VARIABLE)
    if named:
        path = Path(named).expanduser().absolute()
        if not os.access(path, os.X_OK) or path.is_dir():
            raise LabelStudioError(f"{PROGRAM_VARIABLE} names {path}, which is no program; correct or unset it")
        return path
    environment = folder(home) / "venv"
    path = environment / "bin" / "label-studio"
    # The marker is written last, so that an installation that was interrupted is done again.
    marker = environment / f".installed-{VERSION}"
    if not marker.exists():
        say(f"Setting up Label Studio {VERSION} in {environment} (once, a few minutes)")
        python = environment / "bin" / "python"
        requirement = ["-c", str(shipped_file(CONSTRAINTS)), f"label-studio=={VERSION}"]
        for command in (
            [sys.executable, "-m", "venv", str(environment)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirement],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=_clean_environment())
            if done.returncode:
                # The address of a package index may hold a password.
                detail = Redactor()((done.stderr or done.stdout).strip())[-600:]
                raise LabelStudioError(
                    f"Label Studio could not be installed; is the package index reachable? "
                    f"Or install it elsewhere and name its program in {PROGRAM_VARIABLE}. {detail}"
                )
        marker.touch()
    return path


def _clean_environment() -> dict[str, str]:
    """Ours without what would lead another Python to our packages."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


def _server_environment(home: Home, access: Access) -> dict[str, str]:
    keys = {
        "annotation:submit": {"key": SUBMIT_KEY, "mac": SUBMIT_KEY, "description": "Submit"},
        "annotation:skip": {"key": SKIP_KEY, "mac": SKIP_KEY, "description": "Skip"},
    }
    settings = {
        "BASE_DATA_DIR": str(folder(home) / "data"),
        # Anyone with an account may add a storage below the document root: so credentials must lie outside of it.
        "LOCAL_FILES_SERVING_ENABLED": "true",
        "LOCAL_FILES_DOCUMENT_ROOT": str(home.media),
        "DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "USERNAME": access.email,
        "PASSWORD": access.password,
        "HOST": "",
        "ALLOWED_HOSTS": f"{_HOST},localhost",
        "CORS_ALLOW_ALL_ORIGINS": "false",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "EDITOR_KEYMAP": json.dumps(keys),
        "LOG_LEVEL": "WARNING",
    }
    return _clean_environment() | {f"LABEL_STUDIO_{name}": value for name, value in settings.items()}


@contextmanager
def running_server(
    home: Home, port: int = DEFAULT_PORT, say: Callable[[str], None] = lambda text: None
) -> Iterator["RunningServer"]:
    """A Label Studio on 127.0.0.1 with the data of this home, ready to answer; ends with the block.

    Its output is in `label-studio/server.log`. Raises LabelStudioError where it cannot start.
    """
    executable = program(home, say)
    _require_free(port)
    url = f"http://{_HOST}:{port}"
    path = Access.path(home)
    access = Access.read(home) if path.exists() else Access(url, ADMIN_EMAIL, secrets.token_urlsafe(18))
    access.url = url
    access.write(home)
    home.clips.mkdir(parents=True, exist_ok=True)
    log = folder(home) / "server.log"
    command = [str(executable), "start", "--no-browser", "--internal-host", _HOST, "--port", str(port)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_server_environment(home, access),
            cwd=folder(home),
            start_new_session=True,
        )
    try:
        patiently(lambda: _require_health(process, access, log), _START)
        if not access.token:
            access.token = _new_token(url, access)
            access.write(home)
        yield RunningServer(access, process, log)
    finally:
        _end(process)


def _require_free(port: int) -> None:
    # Label Studio would silently take the next free port.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except (OSError, OverflowError) as error:
            raise LabelStudioError(
                f"port {port} on {_HOST} cannot be used ({error}); choose another with --port"
            ) from error


def _require_health(process: subprocess.Popen[bytes], access: Access, log: Path) -> None:
    if process.poll() is not None:
        tail = " / ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:])
        redact = Redactor([access.password, access.token])
        raise LabelStudioError(f"Label Studio did not start; see {log}: {redact(tail)}")
    with suppress(requests.RequestException):
        if session_for(access.url).get(f"{access.url}/health", timeout=2).ok:
            return
    raise LabelStudioError(f"Label Studio was not ready after {_START.total_s:.0f} s; see {log}", passes=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            process.wait(timeout=10)
            return
        except subprocess.TimeoutExpired:
            continue


def signed_in(url: str, email: str, password: str, *, invitation: str | None = None) -> requests.Session:
    """A browser-like session; with the token of an invitation the account is made first. Raises LabelStudioError."""
    session = session_for(url)
    address = f"{url}/user/login/" if invitation is None else f"{url}/user/signup/?token={invitation}"
    page = session.get(address, timeout=_REQUEST_TIMEOUT_S)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    if token is None:
        shown = Redactor([invitation or ""])(address)
        raise LabelStudioError(f"{shown} shows no form ({page.status_code}); is this Label Studio {VERSION}?")
    fields = {"email": email, "password": password, "csrfmiddlewaretoken": token[1], "allow_newsletters": "false"}
    answer = session.post(
        address, data=fields, headers={"Referer": address}, allow_redirects=False, timeout=_REQUEST_TIMEOUT_S
    )
    if answer.status_code != 302:
        raise LabelStudioError(f"{url} does not let {email} in: check the password in the credentials file")
    session.headers.update({"X-CSRFToken": session.cookies.get("csrftoken") or "", "Referer": url})
    return session


def _new_token(url: str, access: Access) -> str:
    """A personal access token. A user has one at most: an older one, whose text cannot be read again, is revoked."""
    session = signed_in(url, access.email, access.password)
    answer = session.post(f"{url}/api/token/", json={}, timeout=_REQUEST_TIMEOUT_S)
    if answer.status_code == 409:
        for old in session.get(f"{url}/api/token/", timeout=_REQUEST_TIMEOUT_S).json():
            body = {"refresh": old["token"]}
            session.post(f"{url}/api/token/blacklist/", json=body, timeout=_REQUEST_TIMEOUT_S)
        answer = session.post(f"{url}/api/token/", json={}, timeout=_REQUEST_TIMEOUT_S)
    if not answer.ok:
        detail = Redactor([access.password])(answer.text)[:200]
        raise LabelStudioError(f"{url} gives {access.email} no access token ({answer.status_code}: {detail})")
    return str(answer.json()["token"])


def _named_access(url: str, token: str) -> Access:
    """Raises LabelStudioError where the address cannot be used, or would give the token away on its way."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise LabelStudioError(f"{URL_VARIABLE} is no address such as http://127.0.0.1:8080")
    if not token:
        raise LabelStudioError(
            f"{URL_VARIABLE} is set and {TOKEN_VARIABLE} is not: make a personal access token in Label Studio "
            "(Account & Settings) and set it"
        )
    return Access(url, "", "", token)


class LabelStudio:
    """The HTTP interface, as the user whose token is given. All methods raise LabelStudioError."""

    def __init__(
        self, access: Access, *, sleep: Callable[[float], None] = time.sleep, start: str = _START_ADVICE
    ) -> None:
        self._start_advice = start
        self.url = access.url.rstrip("/")
        if not may_carry_key(self.url):
            raise LabelStudioError(refusal("the access token of Label Studio", self.url))
        self._refresh_token = access.token
        self._session = session_for(self.url)
        self._sleep = sleep

    @classmethod
    def of(cls, home: Home, environment: Mapping[str, str] = os.environ) -> "LabelStudio":
        """The server that the environment names, else the one that was set up for this home; running or not."""
        url = environment.get(URL_VARIABLE, "").strip()
        if url:
            return cls(_named_access(url, environment.get(TOKEN_VARIABLE, "").strip()), start=f"start it; {_NAMED}")
        access = Access.read(home)
        if not access.token:
            raise LabelStudioError("Label Studio was never ready so far; start it with: emovid annotate serve")
        return cls(access)

    def invite_link(self) -> str:
        """The page where people make their own account."""
        return f"{self.url}{self._call('GET', '/api/invite')['invite_url']}"

    def projects(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"next": True}
        while page["next"]:
            number = len(found) // 100 + 1
            page = self._call("GET", "/api/projects/", params={"page": number, "page_size": 100})
            found += page["results"]
        return found

    def create_project(self, settings: dict[str, Any], media: Path) -> dict[str, Any]:
        """A new project that may serve the files below `media`."""
        project: dict[str, Any] = self._call("POST", "/api/projects/", json=settings)
        storage = {
            "project": project["id"],
            "title": "clips",
            "path": str(media),
            "use_blob_urls": True,
            "regex_filter": rf".*({'|'.join(re.escape(container.suffix) for container in CLIP_CONTAINERS)})",
        }
        self._call("POST", "/api/storages/localfiles/", json=storage)
        return project

    def change_project(self, project_id: int, settings: dict[str, Any]) -> None:
        self._call("PATCH", f"/api/projects/{project_id}/", json=settings)

    def add_tasks(self, project_id: int, tasks: list[dict[str, Any]]) -> None:
        for start in range(0, len(tasks), _TASKS_PER_REQUEST):
            self._call("POST", f"/api/projects/{project_id}/import", json=tasks[start : start + _TASKS_PER_REQUEST])

    def change_task(self, task_id: int, data: dict[str, Any]) -> None:
        """Gives a task other data; its annotations stay."""
        self._call("PATCH", f"/api/tasks/{task_id}/", json={"data": data})

    def tasks(self, project_id: int) -> list[dict[str, Any]]:
        """All tasks with all annotations, skipped ones too, as the format "JSON" of Label Studio's export."""
        parameters = {"exportType": "JSON", "download_all_tasks": "true"}
        exported: list[dict[str, Any]] = self._call("GET", f"/api/projects/{project_id}/export", params=parameters)
        return exported

    def emails(self) -> dict[int, str]:
        """E-mail address by user id."""
        return {user["id"]: user["email"] for user in self._call("GET", "/api/users/")}

    def _call(self, method: str, path: str, **options: Any) -> Any:
        """The decoded answer. A request that may be repeated without harm is, while the server is busy or away."""
        return patiently(lambda: self._attempt(method, path, **options), _PATIENCE, self._sleep)

    def _attempt(self, method: str, path: str, **options: Any) -> Any:
        is_repeatable = method in ("GET", "PATCH")
        try:
            answer = self._request(method, path, **options)
        except requests.ConnectionError as error:
            # Where a connection broke later, the server may have done what it was asked.
            raise LabelStudioError(
                f"Label Studio does not answer at {self.url}; {self._start_advice}",
                passes=is_repeatable or not was_reached(error),
            ) from error
        except requests.Timeout as error:
            raise LabelStudioError(
                f"Label Studio takes too long for {method} {path}; try again", passes=is_repeatable
            ) from error
        if answer.ok:
            return _decoded(answer)
        status = answer.status_code
        bearer = str(self._session.headers.get("Authorization", ""))
        redact = Redactor([self._refresh_token, bearer.removeprefix("Bearer ")])
        raise LabelStudioError(
            f"Label Studio refuses {method} {path} ({status}): {redact(answer.text)[:300]}",
            passes=is_busy(status) or (is_repeatable and may_pass(status)),
            retry_after_s=retry_after_s(answer.headers),
        )

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        """The answer, with an access token that is valid: these live for five minutes."""
        for _ in range(2):
            if "Authorization" not in self._session.headers:
                signed_in = self._sign_in()
                if not signed_in.ok:
                    return signed_in
            answer = self._session.request(method, f"{self.url}{path}", timeout=_REQUEST_TIMEOUT_S, **options)
            if answer.status_code != 401:
                return answer
            del self._session.headers["Authorization"]
        return answer

    def _sign_in(self) -> requests.Response:
        body = {"refresh": self._refresh_token}
        # Where it led elsewhere, the token would go along.
        answer = session_for(self.url).post(
            f"{self.url}/api/token/refresh/", json=body, timeout=_REQUEST_TIMEOUT_S, allow_redirects=False
        )
        if answer.is_redirect:
            raise LabelStudioError(
                f"{self.url} leads elsewhere, where our access token is not sent; correct its address"
            )
        if answer.status_code in (400, 401, 403):
            raise LabelStudioError(
                "Label Studio does not accept our access token; empty `token` in label-studio/credentials.json and "
                f"start the server again: it makes a new one. One that {URL_VARIABLE} names needs another "
                f"{TOKEN_VARIABLE}"
            )
        if answer.ok:
            self._session.headers["Authorization"] = f"Bearer {answer.json()['access']}"
        return answer


class RunningServer(LabelStudio):
    """A server that this process has started."""

    def __init__(self, access: Access, process: "subprocess.Popen[bytes]", log: Path) -> None:
        super().__init__(access)
        self._process = process
        self._log = log

    def wait(self) -> None:
        """Blocks while the server runs. Raises LabelStudioError when it has ended by itself."""
        self._process.wait()
        raise LabelStudioError(f"Label Studio has ended by itself; see {self._log}")


def _decoded(answer: requests.Response) -> Any:
    try:
        return answer.json() if answer.content else None
    except ValueError as error:
        raise LabelStudioError(f"{answer.url} does not answer in JSON: is this Label Studio {VERSION}?") from error
