"""What an asset reads of the settings and what it declares are the same."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emovid_assets.assets.table_asset import table_asset
from emovid_assets.definitions import defs
from emovid_assets.home.settings import Settings, UndeclaredSettingError
from emovid_assets.home.settings_groups import GROUPS, OF_THE_LIBRARY, WITHOUT_INFLUENCE, keys_of
from emovid_assets.home.settings_guard import view_of
from emovid_assets.resources.project import Project
from emovid_assets_tests.assets.homes import Demo

MODEL = "read where a model of the user's looks at clips; the demo has none (tests in vlm/ do)"
VIDEOS = "read where there are generated videos; the demo has none (tests in generation/ do)"
UNREAD: dict[tuple[str, str], str] = {
    ("emotion_labeller", "fine_tuning_settings"): MODEL,
    # The forest learns for the comparison only where another labeller is in use.
    ("labeller_answers", "labeller_settings"): MODEL,
    ("labeller_answers", "labeller_training"): MODEL,
    ("labeller_answers", "benchmark_settings"): MODEL,
    ("labeller_answers", "review_annotators"): MODEL,
    ("labeller_answers", "seed"): MODEL,
    ("generation_scores", "labeller_settings"): VIDEOS,
    ("generator_adapters", "seed"): "read where an adapter is trained; the demo has none (tests in tuning/ do)",
    **{
        (asset, group): VIDEOS
        for asset in ("generation_features", "generation_scores")
        for group in ("scoring_models", "common_settings", "scene_settings", "frame_sampling")
    },
}
"""Declared groups of which a build of the demo reads no key, and why they are declared all the same."""


def value(settings: Settings, key: str) -> Any:
    for name in key.split("."):
        settings = getattr(settings, name)
    return settings


def seen_by(reader: str, *groups: str) -> Settings:
    return view_of(reader, groups)(Settings())


@pytest.mark.parametrize("group", GROUPS)
def test_of_the_groups_only_the_declared_one_can_be_read(group: str) -> None:
    shown, whole = seen_by("clips", group), Settings()
    for other, keys in GROUPS.items():
        for key in keys:
            if other == group:
                assert value(shown, key) == value(whole, key)
            else:
                with pytest.raises(
                    UndeclaredSettingError, match=f"^asset clips reads {key}, which is in group {other}: "
                ):
                    value(shown, key)


def test_what_no_result_depends_on_is_free_to_all() -> None:
    free = WITHOUT_INFLUENCE | {key for key in _keys(Settings()) if key.startswith(OF_THE_LIBRARY)}
    assert free == _keys(Settings()) - {key for keys in GROUPS.values() for key in keys}
    shown, whole = seen_by("clips"), Settings()
    assert [value(shown, key) for key in free] == [value(whole, key) for key in free]


def _keys(settings: Settings) -> set[str]:
    return keys_of(settings) | {f"collection.{name}" for name in type(settings.collection).model_fields}


@pytest.mark.parametrize(
    ("read", "key"),
    [
        (lambda settings: settings.annotation.model_dump(), "annotation.label_annotators"),
        (lambda settings: settings.annotation.digest(), "annotation.label_annotators"),
        (lambda settings: settings.model_dump(), "seed"),
        (lambda settings: dict(settings.fine_tuning.model_dump(exclude={"rank"})), "fine_tuning.min_clips"),
        (lambda settings: settings.labeller.learns, "labeller.backend"),
        (lambda settings: hasattr(settings.scenes, "max_s"), "scenes.max_s"),
    ],
)
def test_a_section_is_not_read_as_a_whole_where_a_part_of_it_is_undeclared(
    read: Callable[[Settings], Any], key: str
) -> None:
    with pytest.raises(UndeclaredSettingError, match=f"^asset tasks reads {key}, "):
        read(seen_by("tasks", "annotation_settings"))


def test_a_section_of_which_all_is_declared_is_read_as_a_whole() -> None:
    shown = seen_by("tasks", "annotation_settings", "label_annotators", "review_annotators", "fine_tuning_settings")
    assert shown.annotation.model_dump() == Settings().annotation.model_dump()
    # One key of it is how much of the machine is used, which is free.
    assert shown.fine_tuning.model_dump() == Settings().fine_tuning.model_dump()
    assert isinstance(shown.labeller, type(Settings().labeller))


@pytest.mark.parametrize(
    "read",
    [
        lambda project: project.settings.scenes.max_s,
        lambda project: project.home.settings().scenes.max_s,
    ],
)
def test_an_asset_that_reads_what_it_has_not_declared_fails_and_says_what_to_do(
    tmp_path: Path, read: Callable[[Project], Any]
) -> None:
    @table_asset(group="planted", code_version="1", settings=["seed"])
    def labeller_comparison(project: Project) -> None:
        assert project.settings.seed == "emovid"
        read(project)

    sentence = (
        "asset labeller_comparison reads scenes.max_s, which is in group scene_settings: "
        r"name it in table_asset\(settings=…\)"
    )
    with pytest.raises(UndeclaredSettingError, match=f"^{sentence}$"):
        dg.materialize(
            [labeller_comparison],
            resources={"project": Project(home_folder=str(tmp_path)), "io_manager": dg.mem_io_manager},
            instance=dg.DagsterInstance.ephemeral(),
        )


def bodies() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Each asset that is built, with the function that builds it as its module has written it."""
    for definition in defs.assets or ():
        if isinstance(definition, dg.AssetsDefinition) and definition.is_executable and definition.is_materializable:
            yield definition.key.to_user_string(), inspect.unwrap(definition.op.compute_fn.decorated_fn)


@pytest.mark.integration
def test_every_asset_is_built_under_the_guard_and_reads_of_each_group_that_it_declares(demo: Demo) -> None:
    readers = demo.settings_read
    assert set(readers) == {name for name, body in bodies() if "project" in inspect.signature(body).parameters}
    graph = defs.resolve_asset_graph()
    declared = {
        (name, group)
        for name in readers
        for group in GROUPS
        if dg.AssetKey(group) in graph.get(dg.AssetKey(name)).parent_keys
    }
    unread = {(name, group) for name, group in declared if readers[name].isdisjoint(GROUPS[group])}
    assert unread == set(UNREAD)
