"""The deployment of docker-compose.yml without containers, on a real PostgreSQL of its own.

Starts a fresh PostgreSQL cluster, the migration, the code server, the webserver and the daemon, with the very
`deploy/dagster.yaml` and `deploy/workspace.yaml` that the image carries. Everything lives in one temporary
folder and on free ports of 127.0.0.1, and goes away at the end, also on Ctrl-C.

    python scripts/postgres_stack.py            # serve until Ctrl-C
    python scripts/postgres_stack.py --check    # run one partition, then a backfill, and say how long each took

Needs the PostgreSQL server programs (Debian: the package `postgresql`) and the extra `emovid-assets[postgres]`.
"""

import argparse
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCATION = "emovid_assets"
STOP_SECONDS = 20
"""How long a process may take to end before it is killed."""
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, `kill` and the end of a terminal: each of them cleans up."""


class StackError(RuntimeError):
    """The stack cannot start, or the check failed; the message says what to do."""


class Steps:
    """Prints what happens and when, in seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._start:6.1f} s] {text}", flush=True)


@dataclass(frozen=True)
class Service:
    """A running process with a group of its own, so that it goes down with all its children."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM

    def log_tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def require_alive(self) -> None:
        if self.process.poll() is not None:
            raise StackError(f"{self.name} ended with code {self.process.returncode}. Its log:\n{self.log_tail()}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        # What is left of the group has lost its parent: run workers, the code server's own child.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Stack:
    """The services in the order they were started; leaving the context stops them in the opposite order."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._services: list[Service] = []

    def start(self, name: str, command: Sequence[str | Path], **popen: Any) -> Service:
        log = self._logs / f"{name}.log"
        stop_signal = popen.pop("stop_signal", signal.SIGTERM)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **popen,
            )
        service = Service(name, process, log, stop_signal)
        self._services.append(service)
        return service

    def run_once(self, name: str, command: Sequence[str | Path], timeout_s: float, **popen: Any) -> None:
        """Start a process that ends by itself and wait for its success."""
        service = self.start(name, command, **popen)
        try:
            code = service.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise StackError(f"{name} took longer than {timeout_s:.0f} s:\n{service.log_tail()}") from None
        if code != 0:
            raise StackError(f"{name} ended with code {code}. Its log:\n{service.log_tail()}")
        self._services.remove(service)

    def require_alive(self) -> None:
        for service in self._services:
            service.require_alive()

    def log_tails(self) -> str:
        return "\n".join(f"--- {service.name}\n{service.log_tail()}" for service in self._services)

    def stop(self) -> None:
        for service in reversed(self._services):
            service.stop()
        self._services.clear()

    def wait_for(self, what: str, is_ready: Callable[[], bool], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            self.require_alive()
            if time.monotonic() > deadline:
                raise StackError(f"{what} took longer than {timeout_s:.0f} s. The logs end with:\n{self.log_tails()}")
            time.sleep(0.3)


def free_ports(count: int) -> list[int]:
    """Distinct ports of 127.0.0.1 that nobody listens on.

    gRPC servers share a port without a word (SO_REUSEPORT) and would then answer half of each other's calls, so
    no port is ever a fixed number.
    """
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def postgres_programs(given: Path | None = None) -> Path:
    """Folder with `initdb`, `postgres`, `createdb`, `psql` and `pg_isready`: the newest version installed.

    Raises StackError where there is none.
    """
    on_path = shutil.which("initdb")
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: [int(number) for number in re.findall(r"\d+", folder.parent.name)],
        reverse=True,
    )
    places = [given] if given else ([Path(on_path).resolve().parent] if on_path else []) + debian
    for folder in places:
        if all((folder / name).exists() for name in ("initdb", "postgres", "createdb", "psql", "pg_isready")):
            return folder
    raise StackError(
        f"no PostgreSQL server programs in {', '.join(map(str, places)) or 'PATH or /usr/lib/postgresql'}: "
        "install PostgreSQL, or name their folder with --postgres-bin"
    )


def postgres_account() -> dict[str, Any]:
    """Popen arguments under which PostgreSQL agrees to run: it refuses root, so root hands over to another user."""
    if os.geteuid() != 0:
        return {}
    names = {account.pw_name: account for account in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in names:
            return {"user": names[name].pw_uid, "group": names[name].pw_gid, "extra_groups": []}
    raise StackError("PostgreSQL does not run as root and there is no user `postgres` or `nobody`: add one")


@dataclass(frozen=True)
class Database:
    """How to reach the cluster."""

    programs: Path
    port: int
    password: str
    user: str = "dagster"
    name: str = "dagster"

    def run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.programs / program, "-h", "127.0.0.1", "-p", str(self.port), "-U", self.user, *arguments],
            env={**os.environ, "PGPASSWORD": self.password},
            capture_output=True,
            text=True,
            check=check,
        )

    def environment(self) -> dict[str, str]:
        return {
            "DAGSTER_PG_HOST": "127.0.0.1",
            "DAGSTER_PG_PORT": str(self.port),
            "DAGSTER_PG_USER": self.user,
            "DAGSTER_PG_PASSWORD": self.password,
            "DAGSTER_PG_DB": self.name,
        }


def start_postgres(stack: Stack, folder: Path, programs: Path, port: int) -> Database:
    """A new cluster in `folder` with SCRAM passwords on 127.0.0.1 only, and Dagster's empty database in it."""
    account = postgres_account()
    folder.mkdir(mode=0o700)
    if account:
        os.chown(folder, account["user"], account["group"])
    cluster = folder / "cluster"
    database = Database(programs, port, secrets.token_urlsafe(24))
    password_file = folder / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(database.password)
    if account:
        os.chown(password_file, account["user"], account["group"])
    initdb = subprocess.run(
        [
            *(programs / "initdb", "--pgdata", cluster, "--username", database.user, "--encoding", "UTF8"),
            *("--locale", "C", "--auth", "scram-sha-256", "--pwfile", password_file, "--no-sync"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **account,
    )
    password_file.unlink()
    if initdb.returncode != 0:
        raise StackError(f"initdb failed: {initdb.stderr.strip() or initdb.stdout.strip()}")
    settings = {
        "listen_addresses": "127.0.0.1",
        # TCP only: a socket file has a short limit on its path and a folder to agree on.
        "unix_socket_directories": "",
        # Each Dagster process and run worker has a pool of connections.
        "max_connections": "200",
        # The cluster does not outlive this program, so it need not outlive a power cut.
        "fsync": "off",
    }
    flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
    stack.start(
        "postgres",
        [programs / "postgres", "-D", cluster, "-p", str(port), *flags],
        cwd=folder,
        stop_signal=signal.SIGINT,
        **account,
    )
    stack.wait_for("PostgreSQL", lambda: database.run("pg_isready", "-q", check=False).returncode == 0, 30)
    database.run("createdb", database.name)
    return database


class GraphQL:
    """Dagster's GraphQL endpoint."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"

    def __call__(self, query: str, **variables: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            self._url,
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        if answer.get("errors"):
            raise StackError(f"GraphQL refused the query: {json.dumps(answer['errors'])[:800]}")
        data: dict[str, Any] = answer["data"]
        return data


HEALTH = """{
  version
  workspaceOrError { ... on Workspace { locationEntries {
    name loadStatus
    locationOrLoadError { __typename ... on PythonError { message } }
  } } }
  instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } }
}"""


def is_healthy(graphql: GraphQL) -> bool:
    """Whether webserver, code server and every daemon answer. Raises StackError where the code does not load."""
    try:
        answer = graphql(HEALTH)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    entries = answer["workspaceOrError"].get("locationEntries", [])
    for entry in entries:
        found = entry["locationOrLoadError"] or {}
        # A code server that is still importing refuses the connection: that passes, an error of the code does not.
        if found.get("__typename") == "PythonError" and "DagsterUserCodeUnreachableError" not in found["message"]:
            raise StackError(f"the code location {entry['name']} does not load: {found['message'].strip()}")
    is_loaded = bool(entries) and all(
        (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation" for entry in entries
    )
    daemons = [each for each in answer["instance"]["daemonHealth"]["allDaemonStatuses"] if each["required"]]
    return is_loaded and bool(daemons) and all(each["healthy"] for each in daemons)


ASSET = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) {
  __typename
  ... on AssetNode {
    partitionKeys jobNames
    repository { name location { name } }
    partitionStats { numMaterialized numFailed }
  }
} }"""
LAUNCH_RUN = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename
  ... on LaunchRunSuccess { run { runId } }
  ... on Error { message }
} }"""
LAUNCH_BACKFILL = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename
  ... on LaunchBackfillSuccess { backfillId }
  ... on Error { message }
} }"""
RUN = """query($id: ID!) { runOrError(runId: $id) {
  ... on Run { status }
  ... on Error { message }
} }"""
BACKFILL = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status runs(limit: 100) { runId status } error { message } }
  ... on Error { message }
} }"""
RUN_FAILURES = """query($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
  __typename
  ... on ExecutionStepFailureEvent { stepKey error { ...Chain } }
  ... on RunFailureEvent { message error { ...Chain } }
} } } }
fragment Chain on PythonError { message errorChain { error { message stack } } }"""


@dataclass(frozen=True)
class Check:
    """Launches runs through the webserver, as a person in the UI does, and waits for their success."""

    stack: Stack
    graphql: GraphQL
    database: Database
    steps: Steps
    timeout_s: float
    environment: Mapping[str, str]
    """Of the code server."""

    def asset(self, name: str) -> dict[str, Any]:
        node = self.graphql(ASSET, key={"path": name.split("/")})["assetNodeOrError"]
        if node["__typename"] != "AssetNode" or not node["partitionKeys"]:
            raise StackError(f"{name!r} is no partitioned asset of this code location: name one with --asset")
        return dict(node)

    def run(self, name: str) -> None:
        """One run of the first partition, then a backfill of all; raises StackError unless everything succeeds."""
        node = self.asset(name)
        partitions = node["partitionKeys"]
        self._one_run(name, node, partitions[0])
        self._backfill(name, partitions)
        stats = self.asset(name)["partitionStats"]
        if stats["numMaterialized"] != len(partitions) or stats["numFailed"]:
            raise StackError(f"{name} should have {len(partitions)} materialised partitions and has {stats}")
        runs, events = self._successful_runs(), self._count("event_logs")
        if runs < 1 + len(partitions):
            raise StackError(f"PostgreSQL holds {runs} successful runs, expected at least {1 + len(partitions)}")
        self.steps.say(f"PostgreSQL holds {runs} successful runs and {events} events")
        self._command(name, partitions[0], runs)

    def _successful_runs(self) -> int:
        return self._count("runs where status = 'SUCCESS'")

    def _count(self, what: str) -> int:
        query = f"select count(*) from {what}"
        return int(self.database.run("psql", "-d", self.database.name, "-Atc", query).stdout)

    def _command(self, name: str, partition: str, before: int) -> None:
        """`emovid build` beside the code server keeps its runs in the same database."""
        build = [sys.executable, "-m", "emovid_assets.cli", "build", "--all", "--select", name, "--domain", partition]
        self.stack.run_once("emovid build", build, self.timeout_s, env=self.environment)
        made = self._successful_runs() - before
        if made != 1:
            raise StackError(f"emovid build should have left one more run in PostgreSQL and left {made}")
        self.steps.say(f"emovid build of {name}[{partition}] is recorded in PostgreSQL too")

    def _one_run(self, name: str, node: Mapping[str, Any], partition: str) -> None:
        job = next(each for each in node["jobNames"] if each.startswith("__ASSET_JOB"))
        launched = self.graphql(
            LAUNCH_RUN,
            params={
                "selector": {
                    "repositoryLocationName": node["repository"]["location"]["name"],
                    "repositoryName": node["repository"]["name"],
                    "jobName": job,
                    "assetSelection": [{"path": name.split("/")}],
                },
                "runConfigData": {},
                "mode": "default",
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": partition}]},
            },
        )["launchRun"]
        if launched["__typename"] != "LaunchRunSuccess":
            raise StackError(f"the run of {name}[{partition}] was not launched: {launched}")
        run_id = launched["run"]["runId"]
        started = time.monotonic()

        def is_over() -> bool:
            status = self.graphql(RUN, id=run_id)["runOrError"]["status"]
            if status in ("FAILURE", "CANCELED"):
                raise StackError(f"the run of {name}[{partition}] ended as {status}:\n{self._failures([run_id])}")
            return bool(status == "SUCCESS")

        self.stack.wait_for(f"the run of {name}[{partition}]", is_over, self.timeout_s)
        self.steps.say(f"run of {name}[{partition}] succeeded in {time.monotonic() - started:.1f} s")

    def _backfill(self, name: str, partitions: Sequence[str]) -> None:
        launched = self.graphql(
            LAUNCH_BACKFILL,
            params={"assetSelection": [{"path": name.split("/")}], "partitionNames": list(partitions)},
        )["launchPartitionBackfill"]
        if launched["__typename"] != "LaunchBackfillSuccess":
            raise StackError(f"the backfill of {name} was not launched: {launched}")
        started = time.monotonic()

        def is_over() -> bool:
            backfill = self.graphql(BACKFILL, id=launched["backfillId"])["partitionBackfillOrError"]
            if backfill["status"] in ("COMPLETED_FAILED", "FAILED", "FAILING", "CANCELED", "CANCELING"):
                failed = [run["runId"] for run in backfill["runs"] if run["status"] != "SUCCESS"]
                raise StackError(
                    f"the backfill of {name} is {backfill['status']}: {backfill['error']}\n{self._failures(failed)}"
                )
            return bool(backfill["status"] == "COMPLETED_SUCCESS")

        self.stack.wait_for(f"the backfill of {name}", is_over, self.timeout_s)
        self.steps.say(
            f"backfill of {name} over {', '.join(partitions)} succeeded in {time.monotonic() - started:.1f} s"
        )

    def _failures(self, run_ids: Sequence[str]) -> str:
        lines = []
        for run_id in run_ids:
            for event in self.graphql(RUN_FAILURES, id=run_id)["logsForRun"].get("events", []):
                if event.get("error"):
                    # The last of the chain is where the trouble began: the asset's own exception.
                    chain = [event["error"], *(link["error"] for link in event["error"]["errorChain"])]
                    lines.append(f"{event.get('stepKey', run_id)}: {chain[-1]['message'].strip()}")
                    lines.extend(line.rstrip() for line in chain[-1].get("stack", [])[-3:])
        return "\n".join(lines) or self.stack.log_tails()


@contextmanager
def running_stack(options: argparse.Namespace, steps: Steps) -> Iterator[Check]:
    """Everything started and healthy; stopped and deleted on the way out."""
    programs = postgres_programs(options.postgres_bin)
    folder = Path(tempfile.mkdtemp(prefix="emovid-stack-"))
    # The account of PostgreSQL passes through on the way to its own folder, which nobody else can read.
    folder.chmod(0o711)
    home, logs = folder / "home", folder / "logs"
    home.mkdir()
    logs.mkdir()
    stack = Stack(logs)
    try:
        postgres_port, code_port, web_port = free_ports(3)
        database = start_postgres(stack, folder / "postgres", programs, postgres_port)
        version = database.run("psql", "-d", database.name, "-Atc", "show server_version").stdout.strip()
        steps.say(f"PostgreSQL {version} on port {postgres_port}")

        for name in ("dagster.yaml", "workspace.yaml"):
            shutil.copyfile(ROOT / "deploy" / name, home / name)
        environment = {
            **os.environ,
            **database.environment(),
            "DAGSTER_HOME": str(home),
            "EMOVID_DAGSTER_HOME": str(home),
            "EMOVID_HOME": str(options.emovid_home.resolve() if options.emovid_home else folder / "data"),
            "EMOVID_CODE_HOST": "127.0.0.1",
            "EMOVID_CODE_PORT": str(code_port),
            # The processes run in DAGSTER_HOME: in a checkout Dagster would read the .env that belongs to compose.
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        }
        Path(environment["EMOVID_HOME"]).mkdir(parents=True, exist_ok=True)
        common: dict[str, Any] = {"cwd": home, "env": environment}

        stack.run_once("migrate", [sys.executable, "-m", "dagster", "instance", "migrate"], options.timeout, **common)
        steps.say("tables created")

        code_server = ["api", "grpc", "--lazy-load-user-code", "--host", "127.0.0.1", "--port", str(code_port)]
        stack.start(
            "code",
            [
                *(sys.executable, "-m", "dagster", *code_server),
                *("--module-name", options.module, "--location-name", LOCATION),
            ],
            **common,
        )
        workspace = ["--workspace", str(home / "workspace.yaml")]
        web = [sys.executable, "-m", "dagster_webserver", "--host", "127.0.0.1", "--port", str(web_port)]
        stack.start("webserver", [*web, *workspace], **common)
        stack.start("daemon", [sys.executable, "-m", "dagster._daemon", "run", *workspace], **common)
        graphql = GraphQL(web_port)
        stack.wait_for("the deployment", lambda: is_healthy(graphql), options.timeout)
        steps.say(f"webserver, code server and daemon are healthy: http://127.0.0.1:{web_port}")
        yield Check(stack, graphql, database, steps, options.timeout, environment)
    finally:
        # A second Ctrl-C must not leave half of it running; the program ends after this.
        for each in INTERRUPTS:
            signal.signal(each, signal.SIG_IGN)
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)
        steps.say("all stopped and deleted")


def parsed_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="run one partition and a backfill, then stop")
    parser.add_argument("--asset", default="source_videos", help="partitioned asset to check (default: %(default)s)")
    parser.add_argument("--module", default="emovid_assets.definitions", help="module with the definitions")
    parser.add_argument("--emovid-home", type=Path, help="data folder (default: an empty temporary one)")
    parser.add_argument("--postgres-bin", type=Path, help="folder with initdb and postgres (default: look for it)")
    parser.add_argument("--timeout", type=float, default=180, help="seconds for each wait (default: %(default)s)")
    return parser.parse_args()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    options = parsed_options()
    steps = Steps()
    for each in INTERRUPTS:
        signal.signal(each, _interrupt)
    try:
        with running_stack(options, steps) as check:
            if options.check:
                check.run(options.asset)
                steps.say("check passed")
            else:
                steps.say("Ctrl-C stops everything")
                while True:
                    check.stack.require_alive()
                    time.sleep(1)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
