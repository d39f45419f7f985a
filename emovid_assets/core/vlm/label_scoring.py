"""log P(label and end | prompt) for the eight labels: one prefill of the prompt, then the labels from its cache.

Belongs here: the three ways to do it, and the check that a fast one gives what the slow one gives. Does not belong
here: how a prompt is made, which clips.

Label tokens are appended to the prompt's ids: encoding prompt and label as one text would let the tokenizer merge
letters across the seam.
"""

import copy
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emovid_assets.core.vlm.halving import is_out_of_memory

Inputs = Mapping[str, Any]

CACHE_COPY_BYTES = 2**30
"""Where a label needs a row of its own, the cache is copied for as many clips at once as fit in this."""
TOLERANCE, HALF_TOLERANCE, HALF_SHARE = 1e-3, 0.25, 0.03
"""Difference of two log-probabilities of the same label that is rounding: of full weights, and of half ones, whose
logits have two to three digits: there also a share of the logarithm, which for unlikely labels is large."""


class LabelScorer:
    """Scores batches by the fastest way that the model at hand does right.

    `tree`: the labels stand in one row behind the prompt, each blind to the others by a mask: the cache is not copied.
    `rows`: a row per label over a copied cache, for caches whose layers are not all alike.
    `naive`: prompt and label anew for each label, for models without a cache that can be continued.
    """

    def __init__(self, model: Any, answers: Sequence[Sequence[int]], pad_id: int, log: logging.Logger) -> None:
        self._model, self._answers, self._pad_id, self._log = model, answers, pad_id, log
        self._ways = {"tree": self._by_tree, "rows": self._by_rows}
        self.forget()

    def forget(self) -> None:
        """Begins anew with the fastest way, which is then judged again: after the model has changed."""
        self.way = "tree"
        self._trusted: set[tuple[str, bool]] = set()

    def score(self, inputs: Inputs, alone: Callable[[int], Inputs]) -> list[list[float]]:
        """Logarithms, one list per row of `inputs` (tensors on the model's device, prompts padded on the left).

        `alone` gives a row by itself, without padding.
        """
        import torch

        with torch.inference_mode():
            while self.way != "naive":
                found = self._checked(inputs, alone)
                if found is not None:
                    return found
                others = list(self._ways)[list(self._ways).index(self.way) + 1 :]
                self.way = others[0] if others else "naive"
            return [self.naive(alone(row)) for row in range(len(inputs["input_ids"]))]

    def naive(self, inputs: Inputs) -> list[float]:
        """The eight logarithms of one unpadded prompt, each label in a pass of its own: the judge of the others."""
        import torch

        length = inputs["input_ids"].shape[1]
        scores = []
        with torch.inference_mode():
            for ids in self._answers:
                logits = self._model(**appended(inputs, ids), **self._kept(len(ids) + 1)).logits
                rows = logits[0, -len(ids) - 1 : -1] if logits.shape[1] == len(ids) + 1 else logits[0, length - 1 : -1]
                scores.append(float(log_p_of(rows, torch.tensor(ids, device=rows.device)).sum()))
        return scores

    def _checked(self, inputs: Inputs, alone: Callable[[int], Inputs]) -> list[list[float]] | None:
        """Scores by the present way; null where it fails or gives other numbers than the judge.

        A way is judged once without and once with padding, on the row that is padded most.
        """
        mask = inputs["attention_mask"]
        is_padded = bool((mask == 0).any())
        if (self.way, is_padded) in self._trusted:
            return self._ways[self.way](inputs)
        try:
            found = self._ways[self.way](inputs)
        # What a model of unknown make does with a mask or a cache of ours is its own business.
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self._log.info(f"labels by {self.way} do not work with this model: {type(error).__name__}: {error}")
            return None
        row = int(mask.sum(dim=1).argmin())
        judged = self.naive(alone(row))
        differences = [abs(one - other) for one, other in zip(found[row], judged, strict=True)]
        # Written so that numbers that are none do not pass.
        if not all(map(self._is_rounding, differences, judged)):
            off = max(differences)
            self._log.warning(f"labels by {self.way} are off by {off:.2g} with this model; a slower way is taken")
            return None
        self._trusted.add((self.way, is_padded))
        return found

    def _is_rounding(self, difference: float, judged: float) -> bool:
        is_half = self._model.dtype.itemsize < 4
        return difference <= (HALF_TOLERANCE + HALF_SHARE * abs(judged) if is_half else TOLERANCE)

    def _kept(self, count: int) -> dict[str, int]:
        """Logits of the last positions alone, where the model can be told so: a vocabulary is large."""
        model = self._model.get_base_model() if hasattr(self._model, "get_base_model") else self._model
        return {"logits_to_keep": count} if "logits_to_keep" in inspect.signature(model.forward).parameters else {}

    def _prefill(self, inputs: Inputs) -> tuple[Any, Any]:
        """Logits of the first answer token (rows, vocabulary) and the cache of the prompts.

        By way of `generate`, which knows what each model wants beside the ids: positions, masks, kinds of caches.
        """
        out = self._model.generate(
            **inputs,
            max_new_tokens=1,
            do_sample=False,
            num_beams=1,
            use_cache=True,
            return_dict_in_generate=True,
            output_logits=True,
            pad_token_id=self._pad_id,
        )
        return out.logits[0], out.past_key_values

    def _by_tree(self, inputs: Inputs) -> list[list[float]]:
        import torch

        first, cache = self._prefill(inputs)
        kinds = {type(layer).__name__ for layer in cache.layers}
        if kinds != {"DynamicLayer"}:
            raise ValueError(f"one mask does not fit cache layers of the kinds {sorted(kinds)}")
        mask, device = inputs["attention_mask"], first.device
        fed = [list(ids[:-1]) for ids in self._answers]
        owner = torch.tensor([label for label, ids in enumerate(fed) for _ in ids], device=device)
        depth = torch.tensor([place for ids in fed for place in range(len(ids))], device=device)
        ids = torch.tensor([token for ids in fed for token in ids], device=device)
        rows, width = len(mask), len(ids)
        sees = (owner[:, None] == owner) & (depth[:, None] >= depth)
        allowed = torch.cat([mask.bool()[:, None].expand(-1, width, -1), sees.expand(rows, -1, -1)], dim=2)
        bias = torch.zeros(allowed.shape, dtype=self._model.dtype, device=device)
        bias.masked_fill_(~allowed, torch.finfo(bias.dtype).min)
        logits = self._model(
            input_ids=ids.expand(rows, -1),
            attention_mask=bias[:, None],
            position_ids=self._next_positions(mask) + depth,
            past_key_values=cache,
            use_cache=True,
        ).logits
        later = torch.tensor([token for ids in self._answers for token in ids[1:]], device=device)
        parts = log_p_of(logits, later.expand(rows, -1))
        starts = torch.tensor([ids[0] for ids in self._answers], device=device)
        scores = log_p_of(first[:, None].expand(-1, len(starts), -1), starts.expand(rows, -1))
        return scores.index_add(1, owner, parts).tolist()

    def _by_rows(self, inputs: Inputs) -> list[list[float]]:
        import torch

        first, cache = self._prefill(inputs)
        mask, device = inputs["attention_mask"], first.device
        count, longest = len(self._answers), max(map(len, self._answers))
        ids = torch.full((count, longest), self._pad_id, device=device)
        is_there = torch.zeros((count, longest), dtype=mask.dtype, device=device)
        for label, answer in enumerate(self._answers):
            ids[label, : len(answer)] = torch.tensor(answer, device=device)
            is_there[label, : len(answer)] = 1
        positions = self._next_positions(mask) + torch.arange(longest - 1, device=device)
        scores: list[list[float]] = []
        at_once = max(1, CACHE_COPY_BYTES // max(1, count * _bytes_of(cache) // len(mask)))
        for start in range(0, len(mask), at_once):
            chosen = torch.arange(start, min(start + at_once, len(mask)), device=device).repeat_interleave(count)
            clips = len(chosen) // count
            logits = self._model(
                input_ids=ids[:, :-1].repeat(clips, 1),
                attention_mask=torch.cat([mask[chosen], is_there[:, :-1].repeat(clips, 1)], dim=1),
                position_ids=positions[chosen],
                past_key_values=_copied(cache, chosen),
                use_cache=True,
            ).logits
            parts = torch.cat([first[chosen][:, None], logits], dim=1)
            found = log_p_of(parts, ids.repeat(clips, 1)) * is_there.repeat(clips, 1)
            scores.extend(found.sum(dim=1).reshape(clips, count).tolist())
        return scores

    def _next_positions(self, mask: Any) -> Any:
        """(rows, 1): the position behind the prompt, where models with a grid of positions count otherwise."""
        positions = mask.sum(dim=1, keepdim=True)
        grids = (getattr(module, "rope_deltas", None) for module in self._model.modules())
        delta = next((found for found in grids if found is not None), None)
        return positions if delta is None else positions + delta.reshape(-1, 1).to(positions)


def appended(inputs: Inputs, ids: Sequence[int]) -> dict[str, Any]:
    """The inputs of one prompt with further tokens behind it; what belongs to pictures stays as it is."""
    import torch

    shape = inputs["input_ids"].shape
    more = torch.tensor([list(ids)], device=inputs["input_ids"].device)
    longer = dict(inputs)
    for name, values in inputs.items():
        if torch.is_tensor(values) and values.shape == shape:
            fill = more if name == "input_ids" else torch.ones_like(more) * (name == "attention_mask")
            longer[name] = torch.cat([values, fill.to(values.dtype)], dim=1)
    return longer


def log_p_of(logits: Any, ids: Any) -> Any:
    """The logarithm of the probability of `ids` (…) under `logits` (…, vocabulary)."""
    logits = logits.float()
    return logits.gather(-1, ids[..., None])[..., 0] - logits.logsumexp(dim=-1)


def _copied(cache: Any, rows: Any) -> Any:
    """The rows of a cache, in a cache of their own: `cache` stays as it is."""
    taken = copy.copy(cache)
    taken.layers = [copy.copy(layer) for layer in cache.layers]
    for layer in taken.layers:
        for name, value in vars(layer).items():
            if isinstance(value, list | dict):
                setattr(layer, name, copy.copy(value))
    taken.reorder_cache(rows)
    return taken


def _bytes_of(cache: Any) -> int:
    import torch

    values = [value for layer in cache.layers for value in vars(layer).values()]
    return sum(value.nbytes for value in values if torch.is_tensor(value))
