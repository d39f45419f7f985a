"""What has failed or was left behind is told once, by a real server and a real program, and never holds a tick."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emovid_assets.assets.partitions import domain_partitions
from emovid_assets.freshness.age_checks import AGE_CHECKS
from emovid_assets.freshness.ages import DAY_S, age_of, ages
from emovid_assets.freshness.staleness import Place
from emovid_assets.home.settings import AlertSettings
from emovid_assets.orchestration import alerting
from emovid_assets.orchestration.beside_ticks import Beside
from emovid_assets.resources.alerts import deliver
from emovid_assets.resources.project import Project

KEY = "sk-very-secret-alert-key"


class Receiver:
    """A server that keeps what it is sent. `statuses`: what it answers, the last one from then on."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.statuses = [200]
        self.may_answer = threading.Event()
        self.may_answer.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.may_answer.wait()
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = receiver.statuses.pop(0) if len(receiver.statuses) > 1 else receiver.statuses[0]
                receiver.keys.append(self.headers.get("Authorization"))
                if status == 200:
                    receiver.got.append(body)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://192.0.2.1/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook/T0K3N-in-the-path"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr("emovid_assets.resources.alerts.FIRST_PAUSE_S", 0.01)
    made = Receiver()
    yield made
    made.may_answer.set()
    made.server.shutdown()
    made.server.server_close()


@dg.asset(partitions_def=domain_partitions)
def clips() -> None: ...


@dg.asset(partitions_def=domain_partitions)
def broken() -> None:
    raise dg.Failure("No film: http://host/?api_key=abc123456 says no")


judgement: dict[str, Any] = {"passed": True, "severity": dg.AssetCheckSeverity.ERROR, "metadata": {"fault": "3 rows"}}


@dg.asset_check(asset=clips, partitions_def=domain_partitions)
def holds() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(**judgement)


DEFINITIONS = dg.Definitions([clips, broken], asset_checks=[holds])


class Ticks:
    """The sensor `alerts`, with its cursor. `since_s`: as if it had been on since then."""

    def __init__(self, home: Path, instance: dg.DagsterInstance) -> None:
        self._project, self._instance = Project(home_folder=str(home)), instance
        self.cursor: str | None = None

    def __call__(self) -> str:
        context = dg.build_sensor_context(self._instance, self.cursor, repository_def=DEFINITIONS.get_repository_def())
        answer = alerting.alerts(context, self._project)
        self.cursor = answer.cursor
        return str(answer.skip_reason.skip_message)


def run(instance: dg.DagsterInstance, *things: Any, domain: str = "movie") -> str:
    done = dg.materialize(things, instance=instance, partition_key=domain, raise_on_error=False)
    return str(done.run_id)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(autouse=True)
def passing() -> None:
    judgement.update(passed=True, severity=dg.AssetCheckSeverity.ERROR)


def told_to(home: Path, *lines: str) -> None:
    (home / "emovid.toml").write_text("\n".join(["[alerts]", *lines]), encoding="utf-8")


def test_a_failed_run_is_told_once_with_what_failed_and_without_keys(receiver, instance, tmp_path: Path) -> None:
    run(instance, broken)
    ticks = Ticks(tmp_path, instance)
    assert "not set" in ticks()
    told_to(tmp_path, f'alert_url = "{receiver.url}"')
    # What failed before anybody was to be told is no news.
    assert ticks() == "0 known, nothing new"
    failed = run(instance, broken)
    assert ticks() == "1 told"
    (message,) = receiver.got
    assert (message["kind"], message["run_id"], message["domain"]) == ("failed_run", failed, "movie")
    assert message["home"] == str(tmp_path)
    assert "broken [movie]: No film" in message["sentence"]
    assert "abc123456" not in json.dumps(message)
    assert ticks() == "1 known, nothing new"
    assert len(receiver.got) == 1


def test_a_failed_check_is_told_where_it_counts_as_an_error_and_again_when_it_fails_again(
    receiver, instance, tmp_path: Path
) -> None:
    told_to(tmp_path, f'alert_url = "{receiver.url}"')
    ticks = Ticks(tmp_path, instance)
    judgement.update(passed=False, severity=dg.AssetCheckSeverity.WARN)
    run(instance, clips, holds)
    assert ticks() == "0 known, nothing new"
    judgement.update(passed=False, severity=dg.AssetCheckSeverity.ERROR)
    run(instance, clips, holds)
    run(instance, clips, holds, domain="sticker")
    assert ticks() == "2 told"
    assert {(one["check"], one["domain"]) for one in receiver.got} == {("holds", "movie"), ("holds", "sticker")}
    assert "fault 3 rows" in receiver.got[0]["sentence"]
    assert ticks() == "2 known, nothing new"
    judgement.update(passed=True)
    run(instance, clips, holds)
    assert ticks() == "1 known, nothing new"
    judgement.update(passed=False)
    run(instance, clips, holds)
    assert ticks() == "1 told"


def test_a_domain_that_was_left_behind_is_told_though_another_was_built_since(
    receiver, instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_to(tmp_path, f'alert_url = "{receiver.url}"')
    ticks = Ticks(tmp_path, instance)
    built_s = time.time()
    run(instance, clips)
    monkeypatch.setattr(time, "time", lambda: built_s + 7.9 * DAY_S)
    assert ticks() == "0 known, nothing new"
    run(instance, clips, domain="sticker")
    monkeypatch.setattr(time, "time", lambda: built_s + 8.2 * DAY_S)
    assert [age.place.domain for age in ages(instance) if age.is_old] == ["movie"]
    assert ticks() == "1 told"
    (message,) = receiver.got
    assert (message["kind"], message["asset"], message["domain"]) == ("not_built_lately", "clips", "movie")
    assert "8.2 days ago" in message["sentence"]
    assert ticks() == "1 known, nothing new"


def test_a_server_that_hangs_holds_no_tick_and_the_message_is_told_once_when_it_answers(
    receiver, instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(alerting._beside, str(tmp_path), Beside(wait_s=0.05))
    told_to(tmp_path, f'alert_url = "{receiver.url}"')
    ticks = Ticks(tmp_path, instance)
    ticks()
    run(instance, broken)
    receiver.may_answer.clear()
    began = time.monotonic()
    assert "1 to be told: no answer" in ticks()
    assert "1 to be told: no answer" in ticks()
    assert time.monotonic() - began < 5
    receiver.may_answer.set()
    said = ticks()
    while "no answer" in said:
        said = ticks()
    assert said == "1 told"
    assert len(receiver.got) == 1


def test_one_way_that_fails_is_tried_again_and_the_other_is_not(receiver, instance, tmp_path: Path) -> None:
    log = tmp_path / "told.jsonl"
    program = f"import sys; open({str(log)!r}, 'a').write(sys.stdin.read() + chr(10))"
    told_to(
        tmp_path,
        f'alert_url = "{receiver.url}"',
        f"alert_command = {json.dumps([sys.executable, '-c', program])}",
        "attempts = 2",
    )
    ticks = Ticks(tmp_path, instance)
    ticks()
    run(instance, broken)
    receiver.statuses = [503, 503, 503, 200]
    assert ticks() == "1 told; alert_url: answers 503"
    assert ticks() == "1 told"
    assert len(receiver.got) == 1
    (line,) = log.read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == receiver.got[0]


def test_settings_that_cannot_be_read_are_told_of_by_the_tick(instance, tmp_path: Path) -> None:
    told_to(tmp_path, 'alert_url = "mailto:me"')
    assert "alerts.alert_url" in Ticks(tmp_path, instance)()


MESSAGE = {"id": "run/1", "sentence": "It failed; $(touch hacked)"}


def faults(settings: AlertSettings, environment: dict[str, str] | None = None) -> list[str]:
    told, found = deliver(MESSAGE, settings, {"alert_url", "alert_command"}, environment or {})
    assert bool(told) != bool(found)
    return found


def command(program: str, **settings: Any) -> AlertSettings:
    return AlertSettings(alert_command=(sys.executable, "-c", program), **settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (command("import sys; sys.exit('token=abcdef is wrong')"), "ended with 1: token=[hidden] is wrong"),
        (command("import time; time.sleep(60)", timeout_s=0.3), "was ended after 0.3 s"),
        (AlertSettings(alert_command=("/no/such/program",)), "does not start: "),
    ],
)
def test_a_program_that_fails_is_said_without_keys(settings: AlertSettings, said: str) -> None:
    (fault,) = told_by_command(settings)
    assert fault.startswith(f"alert_command: {said}")


def told_by_command(settings: AlertSettings) -> list[str]:
    told, found = deliver(MESSAGE, settings, {"alert_command"}, {})
    assert not told
    return found


def test_a_message_is_no_part_of_a_command_line(tmp_path: Path) -> None:
    arguments = tmp_path / "arguments"
    program = f"import sys; open({str(arguments)!r}, 'w').write(repr(sys.argv[1:]) + sys.stdin.read())"
    settings = AlertSettings(alert_command=(sys.executable, "-c", program, "$HOME; rm -rf x"))
    assert deliver(MESSAGE, settings, {"alert_command"}, {}) == ({"alert_command"}, [])
    assert arguments.read_text(encoding="utf-8") == repr(["$HOME; rm -rf x"]) + json.dumps(MESSAGE)
    assert not (tmp_path / "hacked").exists()


def told_by_url(url: str, environment: dict[str, str] | None = None, **settings: Any) -> tuple[set[str], list[str]]:
    return deliver(MESSAGE, AlertSettings(alert_url=url, **settings), {"alert_url"}, environment or {})


def test_a_key_goes_to_the_server_and_into_no_sentence(receiver: Receiver) -> None:
    environment = {"EMOVID_ALERT_KEY": KEY}
    assert told_by_url(receiver.url, environment) == ({"alert_url"}, [])
    assert receiver.keys == [f"Bearer {KEY}"]
    receiver.statuses = [302]
    assert told_by_url(receiver.url, environment)[1] == ["alert_url: answers 302"]
    receiver.server.shutdown()
    receiver.server.server_close()
    _, (fault,) = told_by_url(receiver.url, environment, attempts=1)
    assert KEY not in fault
    assert "T0K3N" not in fault
    assert "refused" in fault.lower()


def test_a_key_is_not_sent_in_the_open() -> None:
    _, (fault,) = told_by_url("http://alerts.invalid/hook", {"EMOVID_ALERT_KEY": KEY})
    assert "begins with https" in fault
    assert KEY not in fault


def test_the_checks_pass_when_built_and_warn_by_domain_once_time_has_passed(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    built_s = time.time()
    result = dg.materialize([clips, AGE_CHECKS[0]], instance=instance, partition_key="movie")
    passed = {
        (one.asset_key.to_user_string(), one.check_name): one.passed for one in result.get_asset_check_evaluations()
    }
    assert passed[("clips", "built_lately")]
    assert age_of(instance, Place("clips", "sticker")) is None

    def look() -> dg.SensorResult:
        return alerting.freshness_by_domain(dg.build_sensor_context(instance))

    assert look().run_requests == []
    assert "built lately" in look().skip_reason.skip_message
    keys = set()
    for days in (8.5, 9.5):
        monkeypatch.setattr(time, "time", lambda days=days: built_s + days * DAY_S)
        (request,) = look().run_requests
        keys.add(request.run_key)
        assert request.asset_check_keys == [dg.AssetCheckKey(clips.key, "built_lately")]
        (warning,) = judged_by(instance, request)
        assert (warning.passed, warning.severity, warning.partition) == (False, dg.AssetCheckSeverity.WARN, "movie")
        assert "clips [movie] was last built" in warning.metadata["what_to_do"].value
    assert len(keys) == 1, "Dagster starts a key once"


def judged_by(instance: dg.DagsterInstance, request: dg.RunRequest) -> list[dg.AssetCheckEvaluation]:
    """What the run says that a sensor asks for."""
    definitions = dg.Definitions([clips], asset_checks=[AGE_CHECKS[0]])
    job = definitions.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection=set(request.asset_selection), asset_check_selection=set(request.asset_check_keys)
    )
    done = job.execute_in_process(instance=instance, partition_key=request.partition_key)
    assert done.get_asset_materialization_events() == []
    return done.get_asset_check_evaluations()
