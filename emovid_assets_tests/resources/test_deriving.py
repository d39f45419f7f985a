"""Derived tables as files: the same however many clips are joined at once, and made only where something changed."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from emovid_assets.resources import deriving
from emovid_assets.resources.project import Project
from emovid_assets.resources.warehouse import content_hash
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import ROOT
from emovid_assets_tests.core.test_derived_tables import in_arrow, random_tables
from emovid_assets_tests.sql.facts_query import clip_facts_query
from emovid_assets_tests.sql.planting import answer_of, label, row


def _write(project: Project, table: str, *rows: dict[str, object]) -> None:
    project.write(table, "movie", TABLES[table].from_rows(rows))


@pytest.mark.parametrize("clips_at_once", [1, 7, 1000])
def test_the_facts_are_the_same_however_many_clips_are_joined_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clips_at_once: int
) -> None:
    monkeypatch.setattr(deriving, "CLIPS_AT_ONCE", clips_at_once)
    project, tables = Project(home_folder=str(tmp_path)), in_arrow(random_tables(Random(1), "abcdefg"))
    for name, rows in tables.items():
        project.write(name, "movie", rows)
    assert deriving.derive_clip_facts(project, "movie")
    assert content_hash(project.read("clip_facts", "movie")) == content_hash(
        answer_of(clip_facts_query(), tables, "clip_facts")
    )


def test_a_table_is_derived_anew_only_where_what_it_is_made_of_or_it_itself_has_changed(tmp_path: Path) -> None:
    project = Project(home_folder=str(tmp_path))
    clip = row("clips", clip_id="a-1", source_id="a")
    _write(project, "clips", clip)
    assert deriving.derive_clip_facts(project, "movie")
    assert not deriving.derive_clip_facts(project, "movie")
    _write(project, "clips", clip)
    assert not deriving.derive_clip_facts(project, "movie")
    _write(project, "emotion_labels", label("a-1", "movie", "fear"))
    assert deriving.derive_clip_facts(project, "movie")
    assert project.read("clip_facts", "movie")["emotion"].to_pylist() == ["fear"]
    for damage in (Path.unlink, lambda path: path.write_bytes(b"damaged")):
        damage(project.warehouse.path("clip_facts", "movie"))
        assert deriving.derive_clip_facts(project, "movie")
        assert project.read("clip_facts", "movie").num_rows == 1


SPILLING = """
import sys, time
from pathlib import Path
from emovid_assets.resources import deriving
with deriving._reading(Path(sys.argv[1]), ()) as connection:
    print("spilling", flush=True)
    time.sleep(600)
"""


def test_what_a_killed_derivation_has_spilled_is_removed_and_that_of_a_running_one_is_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SPILLING, str(tmp_path)]
    processes = []
    for _ in range(2):
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT))
        assert processes[-1].stdout is not None
        assert processes[-1].stdout.readline() == "spilling\n"
    try:
        killed, running = processes
        folders = sorted(tmp_path.glob(".deriving-*"), key=lambda path: path.stat().st_mtime_ns)
        assert [len(list(folder.iterdir())) > 0 for folder in folders] == [True, True]
        killed.kill()
        killed.wait()
        project = Project(home_folder=str(tmp_path))
        deriving.derive_clip_facts(project, "movie")
        assert list(tmp_path.glob(".deriving-*")) == [folders[1]]
        assert len(list(folders[1].iterdir())) > 0
    finally:
        running.kill()
        running.wait()
    deriving.derive_disputed_clips(project, "movie")
    assert list(tmp_path.glob(".deriving-*")) == []


def test_an_empty_library_has_empty_derived_tables(tmp_path: Path) -> None:
    project = Project(home_folder=str(tmp_path))
    deriving.derive_clip_facts(project, "movie")
    deriving.derive_disputed_clips(project, "movie")
    deriving.derive_caption_phrase_counts(project)
    assert [project.warehouse.row_count(name, "movie") for name in ("clip_facts", "disputed_clips")] == [0, 0]
    assert project.warehouse.row_count("caption_phrase_counts") == 0


def test_phrases_and_disputes_are_derived_from_the_files(tmp_path: Path) -> None:
    project = Project(home_folder=str(tmp_path))
    _write(project, "captions", row("captions", clip_id="a", caption="A dark tunnel."))
    _write(project, "emotion_labels", label("a", "movie", "fear"))
    votes = [row("human_annotations", clip_id="a", annotator_id=who, label=choice) for who, choice in ("xa", "yb")]
    _write(project, "human_annotations", *votes)
    deriving.derive_caption_phrase_counts(project)
    deriving.derive_disputed_clips(project, "movie")
    assert project.read("caption_phrase_counts")["phrase"].to_pylist() == ["dark tunnel"]
    assert project.read("disputed_clips", "movie")["votes"].to_pylist() == [["a", "b"]]
    assert not list(tmp_path.glob(".deriving-*"))
