"""The files that deploy the project say what they mean, agree with each other, and run.

Compose itself needs a Docker engine. `scripts/postgres_stack.py` starts the same processes with the same
`deploy/*.yaml` on a real PostgreSQL instead, and the last test of this file runs it.
"""

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import jsonschema
import pytest
import yaml
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from emovid_assets.home.folders import Home
from emovid_assets.home.settings import AlertSettings, CaptionerSettings, LabellerSettings
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.orchestration.instance import (
    GENERATED,
    INSTANCE_VARIABLE,
    instance_folder,
    prepare_instance_folder,
    rendered,
)
from emovid_assets.resources.key_places import TRUSTED_VARIABLE, may_carry_key
from emovid_assets.resources.label_studio import TOKEN_VARIABLE as LABEL_STUDIO_TOKEN
from emovid_assets.resources.label_studio import URL_VARIABLE as LABEL_STUDIO_URL
from emovid_assets_tests.integration.compose_schema import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
DAGSTER_SERVICES = {"migrate", "code", "webserver", "daemon"}
ALWAYS_ON = DAGSTER_SERVICES | {"postgres"}
CONDITIONS = {"service_healthy", "service_completed_successfully"}
SECRETS = {"DAGSTER_PG_PASSWORD": "one", "LABEL_STUDIO_PASSWORD": "two"}


def read_yaml(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


COMPOSE = read_yaml("docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")

service_by_service = pytest.mark.parametrize("name", sorted(SERVICES))


def without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def example_settings() -> dict[str, str]:
    lines = without_comments((ROOT / ".env.example").read_text(encoding="utf-8")).splitlines()
    return dict(line.split("=", 1) for line in lines if line)


def variables_read_by(node: Any) -> Iterator[str]:
    """Names in `{env: NAME}`, Dagster's way to read the environment."""
    if isinstance(node, dict):
        if set(node) == {"env"}:
            yield node["env"]
        for value in node.values():
            yield from variables_read_by(value)
    elif isinstance(node, list):
        for value in node:
            yield from variables_read_by(value)


def filled_in(node: Any) -> Any:
    """What was read of the Compose file, its variables replaced by secrets and defaults, as Compose does it."""

    def value(match: re.Match[str]) -> str:
        return SECRETS[match["name"]] if match["rest"].startswith(":?") else match["rest"].removeprefix(":-")

    if isinstance(node, dict):
        return {key: filled_in(one) for key, one in node.items()}
    if isinstance(node, list):
        return [filled_in(one) for one in node]
    return re.sub(r"\$\{(?P<name>[A-Z_]+)(?P<rest>:[-?][^}]*)\}", value, node) if isinstance(node, str) else node


def test_the_file_is_written_in_the_words_of_the_compose_specification() -> None:
    jsonschema.validate(filled_in(COMPOSE), SCHEMA)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("healthcheck:", "healtcheck:"),
        ("interval: 5s", "interval: 5"),
        ("restart: on-failure", "restart: sometimes"),
        ("condition: service_healthy", "condition: service_well"),
        ('EMOVID_CODE_PORT: "4000"', "EMOVID_CODE_PORT: 4000"),
        (":/data:ro", ":/data:readonly"),
        ("image: postgres:17.6-bookworm", "image: [postgres]"),
        ("\nvolumes:", "\nvolume:"),
        ("mem_limit: 1g", "mem_limit: 1 GB"),
        ("pull_policy: never", "pull_policy: sometimes"),
        ("internal: true", "internal: yes, please"),
        ("aliases: [dagster-code]", "aliases: dagster-code"),
    ],
)
def test_a_slip_in_the_compose_file_is_no_word_of_the_specification(right: str, wrong: str) -> None:
    assert right in COMPOSE_TEXT
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(filled_in(yaml.safe_load(COMPOSE_TEXT.replace(right, wrong))), SCHEMA)


@service_by_service
def test_a_service_reports_its_health_unless_it_ends_by_itself(name: str) -> None:
    if name == "migrate":
        assert SERVICES[name]["restart"] == "on-failure"
    else:
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
        assert SERVICES[name]["restart"] == "unless-stopped"


def test_only_annotation_and_gpu_are_optional() -> None:
    profiles = {name: service.get("profiles") for name, service in SERVICES.items()}
    assert {name for name, profile in profiles.items() if profile is None} == ALWAYS_ON
    assert profiles["label-studio"] == ["annotate"]
    assert profiles["vlm"] == ["gpu"]


@service_by_service
def test_a_published_port_is_bound_to_the_loopback_address(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_the_database_and_the_code_server_publish_no_port() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"webserver", "label-studio"}


@service_by_service
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    image = SERVICES[name]["image"]
    assert "latest" not in image
    tag = image.split(":", 1)[1]
    assert re.search(r"\d+\.\d+", tag)


def test_the_image_that_is_built_has_the_version_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    images = {SERVICES[name]["image"] for name in DAGSTER_SERVICES}
    assert images == {f"emovid-assets:${{EMOVID_IMAGE_TAG:-{version}}}"}
    assert example_settings()["EMOVID_IMAGE_TAG"] == version


@service_by_service
def test_a_secret_comes_from_the_environment_and_has_no_default(name: str) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|SECRET|TOKEN|API_KEY", key):
            assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), key


def test_the_example_settings_are_those_that_compose_reads_and_hold_no_secret() -> None:
    settings = example_settings()
    assert set(settings) == set(re.findall(r"\$\{([A-Z_]+)", without_comments(COMPOSE_TEXT)))
    assert {key for key in settings if "PASSWORD" in key} == {"DAGSTER_PG_PASSWORD", "LABEL_STUDIO_PASSWORD"}
    assert all(value == "" for key, value in settings.items() if "PASSWORD" in key)


def test_the_example_settings_repeat_the_defaults_of_compose() -> None:
    settings = example_settings()
    for key, default in re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", without_comments(COMPOSE_TEXT)):
        # An empty EMOVID_DATA means the named volume, which compose spells out.
        assert settings[key] == ("" if key == "EMOVID_DATA" else default)


def test_a_local_dagster_dev_takes_nothing_from_the_settings_of_compose() -> None:
    # Dagster loads .env into the processes that `dagster dev` starts.
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "emovid_assets").rglob("*.py"))
    assert not [key for key in example_settings() if re.search(rf"\b{key}\b", code)]


def test_the_environment_has_every_variable_that_the_deployed_instance_reads() -> None:
    read = {
        *variables_read_by(read_yaml("deploy/dagster.yaml")),
        *variables_read_by(read_yaml("deploy/workspace.yaml")),
    }
    assert "DAGSTER_PG_PASSWORD" in read
    for name in DAGSTER_SERVICES:
        assert read <= set(SERVICES[name]["environment"]), name


def test_every_volume_in_use_is_declared_and_every_declared_one_is_used() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    sources = {re.sub(r"\$\{EMOVID_DATA:-(\w+)\}", r"\1", mount).split(":")[0] for mount in mounts}
    assert sources == set(COMPOSE["volumes"])


def test_only_the_code_server_can_write_the_data() -> None:
    writers = {
        name
        for name, service in SERVICES.items()
        for mount in service.get("volumes", [])
        if ":/data" in mount and not mount.endswith(":ro")
    }
    assert writers == {"code"}


def test_a_service_waits_for_what_it_needs_in_a_way_that_can_come_true() -> None:
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] in CONDITIONS
            # Waiting for health needs a health check; waiting for an end needs a service that ends.
            assert (how["condition"] == "service_healthy") == ("healthcheck" in SERVICES[needed])
    assert set(SERVICES["webserver"]["depends_on"]) == set(SERVICES["daemon"]["depends_on"]) == {"migrate", "code"}


def test_the_code_server_listens_where_the_others_look_for_it() -> None:
    command, environment = SERVICES["code"]["command"], SERVICES["webserver"]["environment"]
    port = command[command.index("--port") + 1]
    host = command[command.index("--host") + 1]
    assert environment["EMOVID_CODE_HOST"] == host
    assert environment["EMOVID_CODE_PORT"] == port
    assert SERVICES["code"]["healthcheck"]["test"][-4:] == ["--host", host, "--port", port]
    # A name that it has in one network only: it serves nobody in the others.
    names = {network: (options or {}).get("aliases", []) for network, options in SERVICES["code"]["networks"].items()}
    assert names == {"dagster": [host], "people": [], "models": []}
    location = read_yaml("deploy/workspace.yaml")["load_from"][0]["grpc_server"]["location_name"]
    assert command[command.index("--location-name") + 1] == location


def networks_of(name: str) -> set[str]:
    return set(SERVICES[name]["networks"])


def test_who_has_a_page_and_who_runs_a_model_reach_neither_the_database_nor_each_other() -> None:
    assert set(COMPOSE["networks"]) == {"dagster", "people", "models"}
    assert COMPOSE["networks"]["dagster"] == {"internal": True}
    members = {network: {name for name in SERVICES if network in networks_of(name)} for network in COMPOSE["networks"]}
    assert members == {
        "dagster": ALWAYS_ON,
        "people": {"code", "webserver", "label-studio"},
        "models": {"code", "vlm"},
    }
    # A network without a way out publishes no port.
    assert all(networks_of(name) - {"dagster"} for name, service in SERVICES.items() if "ports" in service)


def test_the_image_is_built_once_and_the_others_never_look_for_it_elsewhere() -> None:
    assert {name for name, service in SERVICES.items() if "build" in service} == {"migrate"}
    assert "pull_policy" not in SERVICES["migrate"]
    assert {name for name in DAGSTER_SERVICES if SERVICES[name].get("pull_policy") == "never"} == {
        *DAGSTER_SERVICES - {"migrate"}
    }


@service_by_service
def test_no_service_may_use_all_memory(name: str) -> None:
    assert filled_in(SERVICES[name]["mem_limit"]).endswith("g")


def test_a_model_runs_no_code_of_its_own_unless_somebody_asks() -> None:
    command = filled_in(SERVICES["vlm"]["command"])
    assert "trust" not in command
    assert command.split()[-2:] == ["--port", "30000"]
    asked = SERVICES["vlm"]["command"].replace("${VLM_SERVER_EXTRA:-}", "--trust-remote-code")
    assert filled_in(asked).split()[-1] == "--trust-remote-code"


def test_the_code_server_knows_where_label_studio_is_and_serves_it_the_same_paths() -> None:
    url = SERVICES["code"]["environment"][LABEL_STUDIO_URL]
    port = SERVICES["label-studio"]["ports"][0].rpartition(":")[2]
    assert url == f"http://label-studio:{port}"
    trusted = {TRUSTED_VARIABLE: SERVICES["code"]["environment"][TRUSTED_VARIABLE]}
    assert may_carry_key(url, environment=trusted)
    assert may_carry_key("http://vlm:30000/v1", environment=trusted)
    assert networks_of("code") & networks_of("label-studio")
    root = SERVICES["label-studio"]["environment"]["LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"]
    assert Path(root) == Home(Path(SERVICES["code"]["environment"]["EMOVID_HOME"])).media


def test_label_studio_tells_nobody_what_it_does() -> None:
    environment = SERVICES["label-studio"]["environment"]
    assert environment["COLLECT_ANALYTICS"] == "False"
    assert environment["SENTRY_DSN"] == environment["FRONTEND_SENTRY_DSN"] == ""
    assert environment["LATEST_VERSION_CHECK"] == "0"


def test_the_containers_of_dagster_run_without_privileges() -> None:
    for name in DAGSTER_SERVICES:
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    last_user = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1]
    assert last_user == "emovid"
    assert "RUN" not in DOCKERFILE[DOCKERFILE.rindex("\nUSER ") :]


def test_the_dockerfile_names_no_registry_and_installs_no_system_package() -> None:
    assert "://" not in DOCKERFILE
    assert "apt-get" not in DOCKERFILE
    assert re.search(r'^ARG PIP_EXTRA_INDEX_URL=""$', DOCKERFILE, re.MULTILINE)


def test_what_the_image_copies_exists_and_enters_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    admitted = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        source
        for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE)
        for source in [word for word in line.split() if not word.startswith("--")][:-1]
    }
    assert {Path(source).parts[0] for source in copied} == admitted
    assert not [source for source in copied if not (ROOT / source).exists()]


def test_the_wheel_of_the_image_is_made_where_all_its_parts_are() -> None:
    first_stage = DOCKERFILE.split("\nFROM ")[1]
    copied = {word for line in re.findall(r"^COPY (.+)$", first_stage, re.MULTILINE) for word in line.split()[:-1]}
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    needed = {Path(source).parts[0] for source in (*wheel["wheel"]["force-include"], *wheel["wheel"]["packages"])}
    assert needed | {"pyproject.toml", "README.md"} <= copied


def test_keys_of_services_come_from_a_file_of_their_own_for_the_code_server_only() -> None:
    assert {name: service["env_file"] for name, service in SERVICES.items() if "env_file" in service} == {
        "code": [{"path": "services.env", "required": False}]
    }
    lines = without_comments((ROOT / "services.env.example").read_text(encoding="utf-8")).split()
    given = {line.removesuffix("=") for line in lines}
    assert all(line.endswith("=") for line in lines)
    assert "/services.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    keys = {section.model_fields["key_variable"].default for section in (LabellerSettings, CaptionerSettings)}
    keys |= {AlertSettings.model_fields["key_variable"].default, LABEL_STUDIO_TOKEN}
    assert given == {"KLIPY_API_KEY", "TENOR_API_KEY", "GIPHY_API_KEY", *keys}


def test_commands_in_the_code_container_use_its_instance() -> None:
    environment = SERVICES["code"]["environment"]
    assert environment[INSTANCE_VARIABLE] == environment["DAGSTER_HOME"]


@pytest.mark.parametrize("extras", ["", "generation", " generation  postgres "])
def test_the_image_gets_the_dependencies_of_the_package_of_postgresql_and_of_what_is_asked_for(extras: str) -> None:
    # The very program that the Dockerfile runs.
    program = re.search(r'RUN python -c "([^"]+)" > requirements.txt', DOCKERFILE)
    assert program
    assert 'ARG EMOVID_EXTRAS=""' in DOCKERFILE
    command, environment = [sys.executable, "-c", program[1]], {**os.environ, "EMOVID_EXTRAS": extras}
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    printed = run.stdout.splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [one for name in ("postgres", *extras.split()) for one in project["optional-dependencies"][name]]
    assert printed == project["dependencies"] + wanted


def test_the_check_for_machines_with_an_engine_names_what_there_is_and_says_that_it_was_not_run() -> None:
    program = ROOT / "scripts" / "compose_check.sh"
    text = program.read_text(encoding="utf-8")
    assert os.access(program, os.X_OK)
    assert not subprocess.run(["bash", "-n", str(program)], check=False).returncode
    assert "has not been run" in text
    asked = re.findall(r"^is_closed ([a-z-]+) ([a-z.-]+) (\d+)$", text, re.MULTILINE)
    assert len(asked) >= 4
    names = {*SERVICES, "dagster-code", "pypi.org"}
    assert {name for pair in asked for name in pair[:2]} <= names
    assert set(re.findall(r"compose exec -T ([a-z]+) ", text)) <= set(SERVICES)
    given = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    assert given <= set(example_settings())
    assert set(SECRETS) <= given


DOCKER = shutil.which("docker")
HAS_COMPOSE = bool(DOCKER) and not subprocess.run([DOCKER, "compose", "version"], capture_output=True).returncode


@pytest.mark.skipif(not HAS_COMPOSE, reason="needs a Docker engine's Compose; the schema above says the same without")
def test_compose_accepts_the_file(tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.write_text("".join(f"{name}={value}\n" for name, value in SECRETS.items()))
    command = [str(DOCKER), "compose", "--env-file", str(settings), "--profile", "annotate", "--profile", "gpu"]
    done = subprocess.run([*command, "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_deployed_instance_differs_from_the_local_one_in_its_storage_only() -> None:
    local, deployed = read_yaml("dagster.yaml"), read_yaml("deploy/dagster.yaml")
    # Its folders are the defaults under DAGSTER_HOME.
    for section in ("storage", "local_artifact_storage", "compute_logs"):
        local.pop(section)
    assert list(deployed.pop("storage")) == ["postgres"]
    assert deployed == local


def test_both_workspaces_give_the_code_location_the_same_name() -> None:
    local = read_yaml("workspace.yaml")["load_from"][0]["python_module"]
    deployed = read_yaml("deploy/workspace.yaml")["load_from"][0]["grpc_server"]
    assert local["location_name"] == deployed["location_name"] == "emovid_assets"
    assert local["module_name"] == "emovid_assets.definitions"


def test_every_number_of_the_instance_is_explained() -> None:
    lines = (ROOT / "dagster.yaml").read_text(encoding="utf-8").splitlines()
    numbers = [index for index, line in enumerate(lines) if re.search(r": -?\d+$", line)]
    assert len(numbers) >= 15
    assert not [lines[index] for index in numbers if not lines[index - 1].lstrip().startswith("#")]


@pytest.mark.parametrize("name", ["plain", 'a "quoted" größe, it\'s'])
def test_the_prepared_instance_keeps_all_its_state_under_emovid_home(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    folder = prepare_instance_folder(home)
    assert folder == home / "dagster"
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        run = instance.create_run_for_job(_nothing)
        assert instance.get_run_by_id(run.run_id) is not None
        assert Path(instance.storage_directory()).is_relative_to(folder)
        compute_logs = instance.compute_log_manager
        assert isinstance(compute_logs, LocalComputeLogManager)
        log = compute_logs.get_captured_local_path([run.run_id, "step"], "out")
        assert Path(log).is_relative_to(folder / "compute_logs")
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_max_runtime_seconds == 86_400
        concurrency = instance.get_concurrency_config()
        assert concurrency.run_queue_config is not None
        assert concurrency.run_queue_config.max_concurrent_runs == 2
        assert concurrency.pool_config.default_pool_limit == 1
    assert (folder / "history" / "runs.db").is_file()
    assert {path.name for path in home.iterdir()} == {"dagster"}


@dg.job
def _nothing() -> None:
    """A job without ops: enough to write one row into the run storage."""


def test_an_instance_named_by_the_environment_is_used_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    with pytest.raises(ValueError, match=r"EMOVID_DAGSTER_HOME is .*own, which has no dagster.yaml"):
        instance_folder(tmp_path, {"EMOVID_DAGSTER_HOME": str(own)})
    (own / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert instance_folder(tmp_path, {"EMOVID_DAGSTER_HOME": str(own)}) == own
    assert [path.name for path in own.iterdir()] == ["dagster.yaml"]
    assert instance_folder(tmp_path, {"EMOVID_DAGSTER_HOME": ""}) == tmp_path / "dagster"


OPEN = """
import multiprocessing, sys
from pathlib import Path
from emovid_assets.home.folders import Home
from emovid_assets.building.runner import open_instance

processes = multiprocessing.get_context("fork")
at_once = processes.Barrier(6)

def open_at_once():
    at_once.wait()
    with open_instance(Home(Path(sys.argv[1]))) as instance:
        sys.exit(instance.get_runs_count())

openers = [processes.Process(target=open_at_once) for _ in range(at_once.parties)]
for opener in openers:
    opener.start()
for opener in openers:
    opener.join()
print([opener.exitcode for opener in openers])
"""
"""What takes long, the imports, is done once; then processes begin at the same moment."""


@pytest.mark.integration
def test_processes_that_open_a_new_instance_at_the_same_moment_all_get_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == f"{[0] * 6}\n", done.stderr


def test_preparing_again_changes_nothing_and_follows_the_project(tmp_path: Path) -> None:
    target = prepare_instance_folder(tmp_path) / "dagster.yaml"
    first = target.stat().st_mtime_ns
    prepare_instance_folder(tmp_path)
    assert target.stat().st_mtime_ns == first
    target.write_text(GENERATED + "telemetry: {enabled: true}\n")
    prepare_instance_folder(tmp_path)
    assert yaml.safe_load(target.read_text())["telemetry"] == {"enabled": False}
    # What a power cut has left of it is nobody's own.
    target.write_text("")
    prepare_instance_folder(tmp_path)
    assert target.read_text().startswith(GENERATED)
    assert [path.name for path in target.parent.iterdir()] == ["dagster.yaml"]


def test_an_instance_that_a_person_has_taken_over_stays_as_it_is(tmp_path: Path) -> None:
    target = prepare_instance_folder(tmp_path) / "dagster.yaml"
    own = "concurrency: {runs: {max_concurrent_runs: 8}}\n"
    target.write_text(own)
    prepare_instance_folder(tmp_path)
    assert target.read_text() == own


def test_a_relative_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert prepare_instance_folder(Path("data")) == tmp_path / "data" / "dagster"


def test_the_comments_survive_the_rendering(tmp_path: Path) -> None:
    text = (ROOT / "dagster.yaml").read_text(encoding="utf-8")
    assert re.findall("#.*", rendered(text, tmp_path)) == re.findall("#.*", text)


@pytest.mark.parametrize("base_dir", ["elsewhere", "../data/dagster", "data/dagster-2"])
def test_state_outside_emovid_home_is_refused(tmp_path: Path, base_dir: str) -> None:
    with pytest.raises(ValueError, match="begin it with data/dagster"):
        rendered(f"storage:\n  sqlite:\n    base_dir: {base_dir}\n", tmp_path)


@pytest.mark.parametrize("name", ["dagster.yaml", "workspace.yaml", "sql"])
def test_a_checkout_has_its_project_files_at_the_root(name: str) -> None:
    assert shipped_file(name) == ROOT / name


def test_a_wheel_has_its_project_files_inside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "emovid_assets"
    (package / "_project" / "sql").mkdir(parents=True)
    # A stranger's folder beside the installed package.
    (tmp_path / "site-packages" / "dagster.yaml").touch()
    assert shipped_file("sql", package=package) == package / "_project" / "sql"
    with pytest.raises(FileNotFoundError, match="install emovid-assets again"):
        shipped_file("dagster.yaml", package=package)


def _stop(process: subprocess.Popen[str]) -> str:
    """Ask the process to end, as Ctrl-C does, and return what it printed."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=60)[0]
    except subprocess.TimeoutExpired:
        # Its children hold the other end of the pipe: without them gone, reading would not end.
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0]


@pytest.mark.integration
def test_a_plain_dagster_dev_keeps_its_state_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    shutil.copyfile(ROOT / "dagster.yaml", tmp_path / "dagster.yaml")
    (tmp_path / "tiny.py").write_text("import dagster as dg\n\ndefs = dg.Definitions()\n")
    port = _stack_program().free_ports(1)[0]
    command = [sys.executable, "-m", "dagster", "dev", "--host", "127.0.0.1", "--port", str(port), "-f", "tiny.py"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    database = tmp_path / "data" / "dagster" / "history" / "runs.db"
    deadline = time.monotonic() + 60
    # Only what has started all of its parts can take them down again.
    while not (database.exists() and _answers(port)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    try:
        output = _stop(process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert database.is_file(), output
    # What Dagster calls its home is temporary and holds nothing. It goes at exit, unless Dagster has to be killed.
    assert [file for folder in tmp_path.glob(".tmp_dagster_home_*") for file in folder.rglob("*")] == []


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _stack_program() -> Any:
    spec = importlib.util.spec_from_file_location("postgres_stack", ROOT / "scripts" / "postgres_stack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_free_ports_are_distinct() -> None:
    assert len(set(_stack_program().free_ports(20))) == 20


def test_missing_postgresql_programs_are_named_with_the_way_out(tmp_path: Path) -> None:
    program = _stack_program()
    with pytest.raises(program.StackError, match="--postgres-bin"):
        program.postgres_programs(tmp_path)


@pytest.mark.integration
def test_the_deployment_runs_a_partition_and_a_backfill_on_a_real_postgresql() -> None:
    program = _stack_program()
    try:
        program.postgres_programs()
    except program.StackError as error:
        pytest.skip(str(error))
    pytest.importorskip("dagster_postgres", reason="the extra emovid-assets[postgres] is not installed")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "postgres_stack.py"), "--check"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output = process.communicate(timeout=420)[0]
    except subprocess.TimeoutExpired:
        pytest.fail(f"the check took longer than seven minutes:\n{_stop(process)}")
    assert process.returncode == 0, output
    assert "run of source_videos[movie] succeeded" in output
    assert "backfill of source_videos over movie, animation, sticker succeeded" in output
    assert "emovid build of source_videos[movie] is recorded in PostgreSQL too" in output
    assert "check passed" in output
    assert "all stopped and deleted" in output
