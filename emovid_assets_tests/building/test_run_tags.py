"""A run says who has started it, by which command, and no secret."""

import getpass

from emovid_assets.building.run_tags import COMMAND_TAG, LONGEST, PERSON_TAG, terminal_tags


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
