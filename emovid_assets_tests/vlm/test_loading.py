"""Models that cannot be used: each is refused with a sentence that says what to do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from emovid_assets.core.model_place import ModelNotUsableError, find_model
from emovid_assets.core.vlm.chat_model import load_chat_model
from emovid_assets_tests.resources.tiny_models import tiny_clip, tiny_language_model

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tiny_chat_model: Callable[[str], Path], tmp_path: Path) -> Path:
    shutil.copytree(tiny_chat_model("llava_onevision"), tmp_path / "mine")
    return tmp_path / "mine"


def loaded(folder: Path, **options: Any) -> Any:
    place = find_model(str(folder), folder, setting="labeller.model")
    return load_chat_model(place, **{"device": "cpu", "precision": "float32", **options})


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_folder_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ModelNotUsableError, match=r"labeller\.model = '.*nowhere': there is no config.json"):
        loaded(tmp_path / "nowhere")


def test_a_model_without_a_chat_template_is_refused(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelNotUsableError, match=r"no chat template.*instructions"):
        loaded(folder)


def test_a_model_without_a_processor_is_refused(folder: Path) -> None:
    for name in ("processor_config.json", "preprocessor_config.json", "video_preprocessor_config.json"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(ModelNotUsableError, match="processor"):
        loaded(folder)


@pytest.mark.parametrize("make", [tiny_language_model, tiny_clip])
def test_a_model_that_does_not_look_and_speak_is_refused(make: Callable[[Path], Path], tmp_path: Path) -> None:
    with pytest.raises(ModelNotUsableError, match=r"no vision-language model|processor|cannot be loaded"):
        loaded(make(tmp_path / "blind"))


def test_a_model_with_code_of_its_own_is_loaded_only_when_it_is_trusted(folder: Path) -> None:
    changed(folder / "config.json", model_type="own", auto_map={"AutoConfig": "own.OwnConfig"})
    (folder / "own.py").write_text(
        "from transformers import PretrainedConfig\nclass OwnConfig(PretrainedConfig):\n    model_type = 'own'\n"
    )
    with pytest.raises(ModelNotUsableError, match="set trust_remote_code = true"):
        loaded(folder)
    # Trusted, its code is read; here it knows no model.
    with pytest.raises(ModelNotUsableError, match="no vision-language model"):
        loaded(folder, trust_remote_code=True)


def test_a_model_that_thinks_aloud_is_refused(folder: Path) -> None:
    path = folder / "chat_template.jinja"
    path.write_text(path.read_text().replace("<|im_start|>assistant\n", "<|im_start|>assistant\n<think>\n"))
    with pytest.raises(ModelNotUsableError, match="take its Instruct variant"):
        loaded(folder)


def test_a_template_that_asks_whether_to_think_is_told_not_to(folder: Path) -> None:
    path = folder / "chat_template.jinja"
    asks = "{% if enable_thinking is not defined or enable_thinking %}<think>\n{% endif %}"
    path.write_text(path.read_text().replace("<|im_start|>assistant\n", f"<|im_start|>assistant\n{asks}"))
    assert loaded(folder).format.as_video


def test_weights_that_do_not_fit_the_configuration_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelNotUsableError, match="cannot be loaded by transformers"):
        loaded(folder)


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a GPU")
@pytest.mark.parametrize("options", [{"device": "cuda"}, {"precision": "4bit", "device": "auto"}])
def test_a_gpu_that_is_needed_and_not_there_is_an_error(folder: Path, options: dict[str, str]) -> None:
    with pytest.raises(ModelNotUsableError, match="torch sees no"):
        loaded(folder, **options)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_weights_are_read_in_the_precision_that_was_asked_for(folder: Path, precision: str) -> None:
    assert str(loaded(folder, precision=precision).model.dtype) == f"torch.{precision}"


def test_a_model_is_loaded_once_and_gives_way_to_the_next(folder: Path) -> None:
    first = loaded(folder)
    assert loaded(folder) is first
    assert loaded(folder, precision="bfloat16") is not first
    assert loaded(folder) is not first
