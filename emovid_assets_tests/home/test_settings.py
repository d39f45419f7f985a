"""`emovid.toml`: every mistake is named, and values count where they should."""

import os
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from emovid_assets.core.sampling import SamplingSettings
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SceneSettings, Settings, SettingsError
from emovid_assets.resources.project import Project


def settings_of(tmp_path, text):
    (tmp_path / "emovid.toml").write_text(text, encoding="utf-8")
    return Home(tmp_path).settings()


def test_no_file_means_the_protocol_of_the_paper(tmp_path):
    scenes = Home(tmp_path).settings().scenes
    assert (scenes.detector, scenes.min_cut_s, scenes.max_s, scenes.min_whole_s) == ("adaptive", 4.0, 30.0, 0.2)
    assert scenes.frame_stride == 20
    assert Home(tmp_path).settings().annotation.human_fraction == 0.2


def test_the_annotation_plan_can_be_configured_in_every_number(tmp_path):
    people = Home(tmp_path).settings().annotation
    plan = SamplingSettings()
    assert people.model_dump() == {name: getattr(plan, name) for name in type(people).model_fields}
    assert {field.name for field in fields(plan)} == {*type(people).model_fields, "seed"}


def toml_blocks(page):
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    return "\n".join(block.split("```")[0] for block in text.split("```toml\n")[1:])


@pytest.mark.parametrize("page", ["README.md", "docs/settings.md"])
def test_a_page_that_shows_settings_shows_their_defaults(page):
    shown = tomllib.loads(toml_blocks(page))
    assert Settings.model_validate(shown) == Settings()


def test_the_page_of_settings_shows_every_key_and_what_it_means():
    lines = toml_blocks("docs/settings.md").splitlines()
    for name, section in Settings():
        if name == "seed":
            continue
        assert f"[{name}]" in lines
        for key in type(section).model_fields:
            line = next(line for line in lines if line.removeprefix("# ").startswith(f"{key} ="))
            assert " # " in line.removeprefix("# "), f"{name}.{key} does not say what it means"


def test_a_partial_file_changes_what_it_names(tmp_path):
    settings = settings_of(tmp_path, 'seed = "x"\n[scenes]\ndetector = "content"\n')
    assert (settings.seed, settings.scenes.detector, settings.scenes.max_s) == ("x", "content", 30.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[media]\nmemory_mb = 1\n", "media.memory_mb: Value error, a worker needs 512"),
        ("[scenes]\nmin_cuts = 3\n", "scenes.min_cuts"),
        ("[scene]\nmax_s = 3\n", "scene:"),
        ("[scenes]\nmax_s = -1\n", "scenes.max_s"),
        ('[scenes]\ndetector = "histogram"\n', "scenes.detector"),
        ("[media]\nworkers = 1.5\n", "media.workers"),
        ("[annotation]\nhuman_fraction = 20\n", "annotation.human_fraction"),
        ("[annotation]\nlabel_annotators = 0\n", "annotation.label_annotators"),
        ("[annotation]\nreview_annotators = -1\n", "annotation.review_annotators"),
        ('[annotation]\nadjudicate = "sometimes"\n', "annotation.adjudicate"),
        ("[scenes\n", "not valid TOML"),
        ("seed = x\n", "not valid TOML"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(tmp_path, text, words):
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, text)
    assert str(tmp_path / "emovid.toml") in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("seeds = [-1]", 'generation.models "wan".seeds 1: Input should be greater than or equal to 0'),
        (
            "seeds = [99999999999999999999]",
            'generation.models "wan".seeds 1: Input should be less than 9223372036854775',
        ),
        ("seeds = [true]", 'generation.models "wan".seeds 1: Input should be a valid integer'),
        ("seeds = []", 'generation.models "wan".seeds: The list should have at least 1 item'),
        ("seeds = 3", 'generation.models "wan".seeds: Input should be a list'),
        ("fps = inf", 'generation.models "wan".fps: Input should be a finite number'),
        ("guidanze = 3", 'generation.models "wan".guidanze: there is no such setting'),
    ],
)
def test_a_mistake_in_a_generator_names_it_in_words_of_the_file(tmp_path, line, said):
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, f'[[generation.models]]\nname = "wan"\ntask = "t2v"\nmodel = "m"\n{line}\n')
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("wan 2",), 'generation.models "wan 2".name: letters, digits, dots, _ and - are allowed, at most 64'),
        (("Wan", "wan"), '"Wan" and "wan" differ by case alone'),
    ],
)
def test_names_of_generators_are_names_of_folders_anywhere(tmp_path, names, said):
    table = '[[generation.models]]\nname = "{}"\ntask = "t2v"\nmodel = "m"\n'
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, "".join(map(table.format, names)))
    assert said in str(caught.value)


def test_a_file_in_another_encoding_is_named(tmp_path):
    (tmp_path / "emovid.toml").write_bytes('seed = "été"\n'.encode("latin-1"))
    with pytest.raises(SettingsError, match=r"emovid\.toml: cannot be read as UTF-8"):
        Home(tmp_path).settings()


def test_models_are_read_ahead_by_as_many_threads_as_workers_are_set_or_the_machine_has_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    project = Project(home_folder=str(tmp_path))
    assert project.threads == 5
    settings_of(tmp_path, "[media]\nworkers = 3\n")
    assert project.threads == 3


def test_the_digest_changes_with_any_value_and_with_nothing_else():
    plain = SceneSettings()
    assert plain.digest() == SceneSettings(max_s=30).digest()
    others = [SceneSettings(max_s=29), SceneSettings(frame_stride=19), SceneSettings(detector="content")]
    assert len({plain.digest(), *(other.digest() for other in others)}) == 4
    assert Settings().scenes.digest() == plain.digest()


def test_the_home_is_read_from_the_environment_when_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOVID_HOME", str(tmp_path / "elsewhere"))
    assert Home.from_environment().root == tmp_path / "elsewhere"
    monkeypatch.setenv("EMOVID_HOME", "~/emovid")
    assert Home.from_environment().root == Path.home() / "emovid"
    monkeypatch.delenv("EMOVID_HOME")
    monkeypatch.chdir(tmp_path)
    assert Home.from_environment().root == tmp_path / "data"


def test_paths_in_tables_are_relative_with_forward_slashes(tmp_path):
    home = Home(tmp_path)
    assert home.relative(home.clips / "movie" / "a.mp4") == "media/clips/movie/a.mp4"
