"""A run says who has started it, by which command, and no secret."""

import getpass

import dagster as dg
import yaml

from emovid_assets.building.launched import (
    CODE_LOCATION,
    COMMAND_TAG,
    LONGEST,
    PERSON_TAG,
    name_code_location,
    terminal_tags,
)
from emovid_assets.definitions import defs
from emovid_assets.home.shipped_files import shipped_file


def command(*arguments: str, **environment: str) -> str:
    return terminal_tags(["/opt/venv/bin/emovid", *arguments], environment)[COMMAND_TAG]


def test_a_command_is_told_as_it_can_be_typed_again() -> None:
    assert command("build", "-d", "movie", "--select", "+key:clips+") == "emovid build -d movie --select +key:clips+"
    assert command("sql", "SELECT 'a b'\nFROM clips") == """emovid sql 'SELECT '"'"'a b'"'"' FROM clips'"""
    assert terminal_tags()[PERSON_TAG] == getpass.getuser()


def test_keys_are_hidden_wherever_they_stand() -> None:
    assert command("collect", "--url", "https://me:pass@host/?api_key=abc") == (
        "emovid collect --url 'https://[hidden]@host/?api_key=[hidden]'"
    )
    assert "f00dcafe" not in command("build", "f00dcafe-key-of-klipy", KLIPY_API_KEY="f00dcafe-key-of-klipy")
    assert command("build", "/home/ann", HOME="/home/ann") == "emovid build /home/ann"


def test_a_long_command_is_cut() -> None:
    assert len(command("build", "x" * 1000)) == LONGEST


def test_a_run_is_of_the_code_location_that_the_ui_loads() -> None:
    @dg.asset
    def thing() -> None: ...

    job = dg.Definitions([thing]).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        name_code_location(instance)
        run = job.execute_in_process(instance=instance, tags=terminal_tags()).dagster_run
    (served,) = yaml.safe_load(shipped_file("workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    location = run.remote_job_origin.repository_origin
    assert location.code_location_origin.location_name == served["python_module"]["location_name"] == CODE_LOCATION
    assert (location.repository_name, run.job_name) == (defs.get_repository_def().name, "__ASSET_JOB")
    assert run.tags["dagster/max_retries"] == "0"
