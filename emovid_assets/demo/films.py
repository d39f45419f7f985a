"""Films: scenes of one emotion each, joined by hard cuts.

Belongs here: the plan of a film, the staging of a scene, its frames. Does not belong here: how faces,
places and particles look, and where files go.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES
from emovid_assets.demo.chance import generator_for
from emovid_assets.demo.drawing import Canvas, Image
from emovid_assets.demo.encoding import write_mp4
from emovid_assets.demo.faces import Look, draw_face, draw_figure, draw_look
from emovid_assets.demo.moods import Draw, draw_mood, mix
from emovid_assets.demo.particles import Particles
from emovid_assets.demo.scenery import PLACES, make_place
from emovid_assets.demo.sound import SAMPLE_RATE_HZ, Samples, synthesise
from emovid_assets.demo.truth import Span

FPS = 12
WIDTH, HEIGHT = 256, 144
KEPT_SCENE_S = (4.2, 6.0)
SHORT_SCENE_S = (2.0, 3.0)

_MARGIN = 36
_SAME_EMOTION_SHARE = 0.45
_SAME_POLARITY_SHARE = 0.35
_ATTEMPTS = 24
# A cut must stand out for PySceneDetect's AdaptiveDetector: it compares the change of a frame with the
# changes around it (ratio 3) and with a floor (15). These are well above both.
_MIN_CUT_CHANGE = 30.0
_MIN_CUT_RATIO = 5.0


@dataclass(frozen=True)
class ScenePlan:
    """What a scene is about and how many frames it has."""

    emotion: str
    frame_count: int


@dataclass(frozen=True)
class _Actor:
    look: Look
    x: float
    walk_px: float
    foot: float
    height: float
    is_mirrored: bool
    is_close: bool


def plan_scenes(
    rng: np.random.Generator, kept_count: int, first: str, used: dict[str, int], *, has_short_scene: bool
) -> list[ScenePlan]:
    """Plan a film whose emotions tend to persist, then to stay in their polarity.

    `used` counts the scenes per emotion so far and is updated: rare emotions are preferred, so that all
    eight occur. A short scene, if any, is an extra one between two others.
    """
    plans: list[ScenePlan] = []
    emotion = first
    short_at = int(rng.integers(1, kept_count)) if has_short_scene else -1
    for index in range(kept_count):
        if index:
            emotion = _next_emotion(rng, emotion, used)
        if index == short_at:
            plans.append(ScenePlan(emotion, _frame_count(rng, SHORT_SCENE_S)))
        used[emotion] = used.get(emotion, 0) + 1
        plans.append(ScenePlan(emotion, _frame_count(rng, KEPT_SCENE_S)))
    return plans


def _frame_count(rng: np.random.Generator, limits_s: tuple[float, float]) -> int:
    return round(float(rng.uniform(*limits_s)) * FPS)


def _next_emotion(rng: np.random.Generator, emotion: str, used: dict[str, int]) -> str:
    polarity = EMOTION_BY_NAME[emotion].polarity
    weights = []
    for name in EMOTION_NAMES:
        if name == emotion:
            weight = _SAME_EMOTION_SHARE
        elif EMOTION_BY_NAME[name].polarity == polarity:
            weight = _SAME_POLARITY_SHARE / 3
        else:
            weight = (1 - _SAME_EMOTION_SHARE - _SAME_POLARITY_SHARE) / 4
        weights.append(weight * math.exp(-0.35 * used.get(name, 0)))
    chances = np.asarray(weights) / sum(weights)
    return EMOTION_NAMES[int(rng.choice(len(EMOTION_NAMES), p=chances))]


class Scene:
    """One scene, staged by chance; `frame(i)` paints its i-th frame."""

    def __init__(self, rng: np.random.Generator, plan: ScenePlan, cast: Sequence[Look]) -> None:
        self.plan = plan
        self.draw: Draw = draw_mood(rng, plan.emotion)
        palette, motion = self.draw.palette, self.draw.motion
        self._place = make_place(rng, str(rng.choice(PLACES)), palette, WIDTH + 2 * _MARGIN, HEIGHT)
        self._particles = Particles(rng, motion.particles, motion.particle_count, palette)
        self._pan = float(rng.choice((-1, 1))) * min(1.0, 0.45 * motion.speed + 0.15)
        self._is_mirrored = bool(rng.random() < 0.5)
        self._actors = self._cast(rng, cast)
        self._shake = np.rint(rng.normal(0, motion.shake_px, (plan.frame_count, 2))).clip(-4, 4).astype(int)
        self._light = self._vignette(rng)

    def _cast(self, rng: np.random.Generator, cast: Sequence[Look]) -> list[_Actor]:
        shot = str(rng.choice(("wide", "pair", "close", "empty"), p=(0.3, 0.3, 0.3, 0.1)))
        if shot == "empty":
            return []
        count = {"wide": int(rng.integers(1, 4)), "pair": 2, "close": 1}[shot]
        actors = []
        for index in range(count):
            tall = {"wide": rng.uniform(0.34, 0.5), "pair": rng.uniform(0.5, 0.72), "close": rng.uniform(1.3, 1.8)}[
                shot
            ]
            x = (index + float(rng.uniform(0.25, 0.75))) / count
            foot = {"wide": self._place.horizon + 0.18, "pair": 0.97, "close": 0.42 + 0.58 * float(tall)}[shot]
            actors.append(
                _Actor(
                    look=cast[int(rng.integers(len(cast)))],
                    x=x,
                    walk_px=float(rng.uniform(-24, 24)) * self.draw.motion.speed * (shot != "close"),
                    foot=min(foot, 1.0) if shot != "close" else foot,
                    height=float(tall) * HEIGHT,
                    is_mirrored=bool(rng.random() < 0.5),
                    is_close=shot == "close",
                )
            )
        return actors

    def _vignette(self, rng: np.random.Generator) -> Image:
        depth = float(rng.uniform(0.05, 0.25))
        if self.plan.emotion in ("fear", "sadness", "anger"):
            depth += 0.25
        y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
        light = 1 - depth * np.clip(np.hypot(x, y) - 0.35, 0, 1)
        return np.repeat(np.rint(light * 255).astype(np.uint8)[..., None], 3, axis=2)

    def frame(self, index: int) -> Image:
        import cv2

        motion = self.draw.motion
        time_s = index / FPS
        moved = self._pan * (2 * index / max(1, self.plan.frame_count) - 1)
        shake_x, shake_y = (int(value) for value in self._shake[index])
        far_x = _MARGIN + round(moved * 9) + shake_x
        near_x = _MARGIN + round(moved * 28) + shake_x
        pixels = np.ascontiguousarray(np.roll(self._place.far[:, far_x : far_x + WIDTH], shake_y, axis=0))
        canvas = Canvas(pixels)
        time = time_s * motion.speed
        if self._particles.is_behind:
            self._particles.draw(canvas, time)
        for actor in self._actors:
            if not actor.is_close:
                self._draw_actor(canvas, actor, time_s, time, moved)
        near = np.ascontiguousarray(self._place.near[:, near_x : near_x + WIDTH])
        mask = np.ascontiguousarray(self._place.near_mask[:, near_x : near_x + WIDTH])
        cv2.copyTo(near, mask, pixels)
        for actor in self._actors:
            if actor.is_close:
                self._draw_actor(canvas, actor, time_s, time, moved)
        if not self._particles.is_behind:
            self._particles.draw(canvas, time)
        if self._is_mirrored:
            pixels = cv2.flip(pixels, 1)
        return np.asarray(cv2.multiply(pixels, self._light, scale=1 / 255))

    def _draw_actor(self, canvas: Canvas, actor: _Actor, time_s: float, time: float, moved: float) -> None:
        x = actor.x * WIDTH + actor.walk_px * time_s / 5 - moved * 12
        foot = actor.foot * HEIGHT
        bounce = self.draw.motion.bounce
        if not actor.is_close:
            canvas.ellipse(
                x, foot, actor.height * 0.17, actor.height * 0.035, mix(self.draw.palette.ground, (0, 0, 0), 0.4)
            )
            draw_figure(
                canvas,
                x,
                foot,
                actor.height,
                actor.look,
                self.plan.emotion,
                time,
                bounce=bounce,
                is_mirrored=actor.is_mirrored,
            )
            return
        radius = actor.height * 0.2
        y = HEIGHT * 0.5 + radius * 0.12 * math.sin(time * 4) * bounce
        canvas.ellipse(x, HEIGHT * 1.02, radius * 1.5, HEIGHT * 1.02 - y - radius * 0.5, actor.look.clothes)
        sway = 5 * math.sin(time * 2.3) * (0.3 + bounce)
        draw_face(canvas, x, y, radius, actor.look, self.plan.emotion, time, angle=sway, is_mirrored=actor.is_mirrored)

    def sound(self, rng: np.random.Generator, sample_count: int) -> Samples:
        return synthesise(rng, self.draw.sound, sample_count)


def _change(first: Image, second: Image) -> float:
    """Mean absolute change over hue, saturation and value, as PySceneDetect's content detectors see it."""
    import cv2

    both = [cv2.cvtColor(image, cv2.COLOR_RGB2HSV) for image in (first, second)]
    return float(sum(cv2.mean(cv2.absdiff(*both))[:3]) / 3)


def _stands_out(before: Scene, after: Scene) -> float:
    """How clear the cut is; 1 or more is clear."""
    last = before.plan.frame_count - 1
    left = [before.frame(last - 1), before.frame(last)]
    right = [after.frame(0), after.frame(1)]
    unrest = (_change(*left) + _change(*right)) / 2
    change = _change(left[1], right[0])
    return min(change / _MIN_CUT_CHANGE, change / max(unrest, 1.0) / _MIN_CUT_RATIO)


def stage_film(seed: int, name: str, plans: Sequence[ScenePlan]) -> list[Scene]:
    """Stage every scene; one that looks too much like the scene before it is staged anew."""
    rng = generator_for(seed, "cast", name)
    cast_mood = draw_mood(rng, plans[0].emotion)
    cast = [draw_look(rng, cast_mood.palette.accent) for _ in range(3)]
    scenes: list[Scene] = []
    for index, plan in enumerate(plans):
        best, best_score = None, -1.0
        for attempt in range(_ATTEMPTS):
            scene = Scene(generator_for(seed, "scene", name, index, attempt), plan, cast)
            score = _stands_out(scenes[-1], scene) if scenes else 1.0
            if score > best_score:
                best, best_score = scene, score
            if score >= 1:
                break
        if best is not None:
            scenes.append(best)
    return scenes


def write_film(path: Path, seed: int, name: str, plans: Sequence[ScenePlan]) -> list[Span]:
    """Make one film file; return its scenes with times in seconds."""
    scenes = stage_film(seed, name, plans)
    spans, sounds, frame = [], [], 0
    for index, scene in enumerate(scenes):
        end = frame + scene.plan.frame_count
        count = end * SAMPLE_RATE_HZ // FPS - frame * SAMPLE_RATE_HZ // FPS
        sounds.append(scene.sound(generator_for(seed, "sound", name, index), count))
        spans.append(Span(round(frame / FPS, 6), round(end / FPS, 6), scene.plan.emotion))
        frame = end
    write_mp4(path, _frames(scenes), FPS, np.concatenate(sounds))
    return spans


def _frames(scenes: Sequence[Scene]) -> Iterator[Image]:
    for scene in scenes:
        for index in range(scene.plan.frame_count):
            yield scene.frame(index)
