"""The prompt of `emovid sql`: lines in, answers out, and no way to end it by a mistake."""

import json
import os
import pty
import select
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.home.folders import Home
from emovid_assets.queries.running import session
from emovid_assets.queries.shell import HELP, MORE, PROMPT, is_complete, talk
from emovid_assets_tests.planted_tables import plant, valid_row

Typing = Callable[..., tuple[str, str, list[str]]]


@pytest.fixture
def typing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typing:
    """Types lines, then Ctrl-D; gives what was written, what was complained of, and the prompts."""
    plant(tmp_path, "source_videos", [valid_row("source_videos", number) for number in range(2)])

    def type_lines(*lines: str | type[BaseException]) -> tuple[str, str, list[str]]:
        prompts: list[str] = []
        waiting = iter(lines)

        def read(prompt: str) -> str:
            prompts.append(prompt)
            line = next(waiting, EOFError)
            if isinstance(line, str):
                return line
            raise line

        with session(Home(tmp_path)) as opened:
            talk(opened, read)
        written = capsys.readouterr()
        return written.out, written.err, prompts

    return type_lines


def test_a_statement_may_span_lines_and_ends_with_a_semicolon(typing: Typing) -> None:
    out, err, prompts = typing("select count(*) as n", "from source_videos", ";", "select 'a;", "b' as t;")
    assert [line.split() for line in out.splitlines()[:2]] == [["n"], ["2"]]
    assert "a;" in out
    assert err == ""
    assert prompts == [PROMPT, MORE, MORE, PROMPT, MORE, PROMPT]


def test_a_mistake_is_told_and_the_prompt_goes_on(typing: Typing) -> None:
    out, err, _ = typing("selec 1;", "select domian from clips;", ".nope", ".describe clip", "select 7 as a;")
    assert 'syntax error at or near "selec"' in err
    assert '"domain"' in err
    assert "'.nope' is no command; .help lists them" in err
    assert "no table, view or query is named 'clip'" in err
    assert out == "a\n7\n\n"


def test_the_commands_show_names_meanings_and_help(typing: Typing) -> None:
    out, err, _ = typing(".tables paper", ".describe domains", ".help")
    assert "paper_comparison" in out
    assert "clip_catalogue" not in out.split("domains (view)")[0]
    assert "one row per: domain" in out
    assert HELP in out
    assert err == ""


def test_named_queries_run_with_their_values_and_formats_last(typing: Typing) -> None:
    out, err, _ = typing(".format json", ".run duplicate_files", ".run what_follows emotion=joy", "select 1 as a;")
    rows = out.split("]\n")
    assert len(json.loads(rows[0] + "]")) == 2
    assert json.loads(rows[1] + "]") == [{"a": 1}]
    assert "emotion='joy': use one of" in err


def test_control_c_drops_the_statement_and_quit_leaves(typing: Typing) -> None:
    out, _, prompts = typing("select 1 as", KeyboardInterrupt, "select 2 as b;", ".quit", "select 3 as c;")
    assert out == "\nb\n2\n"
    assert prompts == [PROMPT, MORE, PROMPT, PROMPT]


def test_a_statement_without_a_semicolon_is_not_run(typing: Typing) -> None:
    out, err, _ = typing("select 1 as a")
    assert out == "\n"
    assert err == "the last statement has no semicolon and was not run\n"


def test_no_rows_are_told_with_what_is_not_built(typing: Typing) -> None:
    _, err, _ = typing("select clip_id from clips;", "select path from source_videos where path = 'x';")
    assert err.splitlines() == ["no rows: not built yet: clips; `emovid status` shows what is missing", "no rows"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1;", True),
        ("select 1; ", True),
        ("select 1", False),
        ("select ';", False),
        ("select ';';", True),
        ('select 1 as ";', False),
        ("select 1 -- ;", False),
        ("select 1 /* ;", False),
        ("select 1; select 2;", True),
        ("selec;", True),
        (";", True),
    ],
)
def test_only_a_semicolon_of_its_own_ends_a_statement(text: str, expected: bool) -> None:
    assert is_complete(text) is expected


@given(st.text(max_size=20))
def test_whatever_stands_in_a_string_does_not_end_a_statement(words: str) -> None:
    quoted = "'" + words.replace("'", "''").replace("\0", "") + "'"
    assert is_complete(f"select {quoted} as a;")
    assert not is_complete(f"select {quoted} as a")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """`emovid sql` on a terminal of its own."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.environ["EMOVID_HOME"] = str(tmp_path)
        os.execv(sys.executable, [sys.executable, "-m", "emovid_assets.cli", "sql"])
    yield descriptor, tmp_path
    os.close(descriptor)
    os.waitpid(pid, 0)


def _read_until(descriptor: int, words: str, timeout_s: float = 60) -> str:
    text, end = "", time.monotonic() + timeout_s
    while words not in text and time.monotonic() < end:
        if select.select([descriptor], [], [], 0.1)[0]:
            text += os.read(descriptor, 65536).decode()
    assert words in text
    return text


@pytest.mark.integration
def test_on_a_terminal_there_is_a_prompt_completion_and_a_history(terminal: tuple[int, Path]) -> None:
    descriptor, home = terminal
    assert "read-only" in _read_until(descriptor, PROMPT)
    os.write(descriptor, b"select 40 + 2 as answer;\n")
    assert "42" in _read_until(descriptor, f"42\r\n{PROMPT}")
    os.write(descriptor, b"from dataset_stat\t\n;\n")
    assert "dataset_statistics" in _read_until(descriptor, "total")
    os.write(descriptor, b".quit\n")
    end = time.monotonic() + 20
    while not (home / ".sql_history").exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert "select 40 + 2 as answer;" in (home / ".sql_history").read_text(encoding="utf-8")
