"""Teaches a tiny model of random weights one sentence, so that a captioner can be watched end to end."""

from pathlib import Path

import numpy as np
import torch

from emovid_assets.core.model_place import find_model
from emovid_assets.core.vlm.chat_model import load_chat_model
from emovid_assets.core.vlm.learning import log_p

SENTENCE = "A person feels fear in the dark while the video shows awe and sadness."
STEPS, LEARNT = 400, 0.02


def teach(folder: Path, prompt: str, frame_count: int = 2, sentence: str = SENTENCE) -> Path:
    """Saves the model of the folder in place after it has learnt to answer the prompt with the sentence."""
    chat = load_chat_model(find_model(str(folder), Path()), device="cpu", precision="float32")
    answer = [*chat.processor.tokenizer(sentence, add_special_tokens=False)["input_ids"], chat.format.end_ids[0]]
    chance = np.random.default_rng(0)
    optimiser = torch.optim.AdamW(chat.model.parameters(), lr=3e-3)
    for _ in range(STEPS):
        frames = [
            np.clip(chance.integers(0, 255, 3) + chance.integers(-20, 20, (24, 32, 3)), 0, 255).astype(np.uint8)
            for _ in range(frame_count)
        ]
        clip = chat.prepare(frames, [0.25 + 0.5 * place for place in range(frame_count)], prompt)
        loss = -log_p(chat, [clip], [answer]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if loss.item() < LEARNT:
            break
    chat.model.save_pretrained(folder)
    return folder
