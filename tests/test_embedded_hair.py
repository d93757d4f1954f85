"""Hair that falls before shoulders and chest stays in front; what only has its colour does not."""

from __future__ import annotations

import cv2
import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.embedded_people import drawn_person
from vastra_live.synthesis.embedded.hair import _without
from vastra_live.synthesis.embedded.places import HAIR, SKIN, TOP, Places
from vastra_live.synthesis.embedded.reading import Memory, read_person
from vastra_live.synthesis.embedded.skeleton import Skeleton, read_skeleton
from vastra_live.types import F32, U8

BROWN, FAIR, RED, SKIN_TONE = (40, 70, 95), (120, 165, 205), (40, 40, 190), (130, 160, 215)


def long_haired(
    colour: tuple[int, int, int] = BROWN, depth: float = 0.5, top: tuple[int, int, int] | None = None
) -> tuple[U8, F32, Skeleton]:
    """The drawn person with a lock on each side of the face, down to a depth of the torso; picture and silhouette."""
    frame, body = drawn_person()
    s = read_skeleton(body)
    bgr, alpha = np.array(frame.bgr), body.person_alpha.copy()
    if top is not None:
        bgr[(np.abs(bgr.astype(int) - RED).max(axis=-1) < 60) & (alpha > 0.5)] = top
    crown = (int(s.eyes[0]), int(s.eyes[1] - 0.6 * s.face_span))
    for picture, value in ((bgr, colour), (alpha, 1.0)):
        cv2.ellipse(picture, crown, (int(1.7 * s.face_span), int(1.2 * s.face_span)), 0, 180, 360, value, -1)
    end = int(s.neck[1] + depth * s.torso_length)
    for side in (-1, 1):
        x = crown[0] + side * int(1.4 * s.face_span)
        lock = np.s_[crown[1] : end, x - 8 : x + 8]
        bgr[lock], alpha[lock] = colour, 1
    # hair is no flat colour
    grain = np.random.default_rng(0).integers(-6, 7, bgr.shape[:2])[..., None]
    return np.clip(cv2.GaussianBlur(bgr, (3, 3), 0) + grain, 0, 255).astype(np.uint8), alpha, s


def read(bgr: U8, alpha: F32, s: Skeleton) -> F32:
    return read_person(bgr, alpha, s, Memory()).share


def on_lock(s: Skeleton, depth: float) -> tuple[int, int]:
    """Row and column in the middle of the lock on the picture's right."""
    return int(s.neck[1] + depth * s.torso_length), int(s.eyes[0]) + int(1.4 * s.face_span)


@pytest.mark.parametrize("depth", [0.1, 0.4, 0.7])
def test_a_lock_before_the_chest_is_hair_down_to_its_end(depth: float) -> None:
    bgr, alpha, s = long_haired(depth=0.75)
    y, x = on_lock(s, depth)
    share = read(bgr, alpha, s)
    assert share[HAIR, y, x] > 0.5
    assert share[TOP, on_lock(s, 0.4)[0], int(s.neck[0])] > 0.5


def test_below_its_end_is_the_top() -> None:
    bgr, alpha, s = long_haired(depth=0.4)
    y, x = on_lock(s, 0.55)
    assert read(bgr, alpha, s)[TOP, y, x] > 0.5


def test_a_top_of_the_hairs_own_colour_is_none() -> None:
    bgr, alpha, s = long_haired(depth=0.5, top=BROWN)
    share = read(bgr, alpha, s)
    for depth, aside in ((0.7, 0.0), (0.6, 0.3), (0.6, -0.3)):
        x, y = np.round(s.neck + depth * s.torso_length * s.down + aside * s.unit * s.across).astype(int)
        assert share[TOP, y, x] > 0.5


def test_a_lanyard_of_the_hairs_colour_is_none() -> None:
    bgr, alpha, s = long_haired(depth=0.0)
    x, y = int(s.neck[0]), int(s.neck[1])
    cv2.polylines(bgr, [np.array([(x - 26, y - 12), (x, y + 70), (x + 26, y - 12)])], False, BROWN, 2)
    assert read(bgr, alpha, s)[HAIR, y + 55 : y + 68, x - 6 : x + 7].max() < 0.3


def test_a_dark_patch_on_the_chest_that_no_hair_reaches_is_none() -> None:
    bgr, alpha, s = long_haired(depth=0.0)
    x, y = int(s.neck[0]), int(s.neck[1] + 0.45 * s.torso_length)
    bgr[y : y + 30, x - 25 : x + 25] = BROWN
    assert read(bgr, alpha, s)[HAIR, y + 5 : y + 25, x - 20 : x + 20].max() < 0.3


def test_fair_hair_is_learned_though_it_has_the_colour_of_skin() -> None:
    bgr, alpha, s = long_haired(FAIR, depth=0.1)
    seeds = Places(alpha, s, cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)).seeds
    y = int(s.eyes[1])
    assert seeds[HAIR, y, int(s.eyes[0]) + int(1.4 * s.face_span)] > 0
    assert seeds[SKIN, y, int(s.eyes[0])] > seeds[HAIR, y, int(s.eyes[0])]


def test_ears_are_no_hair() -> None:
    """They lie in the shade and are redder than the face; were they hair, it would go on into a collar below them."""
    frame, body = drawn_person()
    s = read_skeleton(body)
    bgr, alpha = np.array(frame.bgr), body.person_alpha.copy()
    for side in (-1, 1):
        ear = int(s.eyes[0] + side * 1.28 * s.face_span), int(s.eyes[1] + 0.2 * s.face_span)
        for picture, value in ((bgr, (50, 60, 160)), (alpha, 1.0)):
            cv2.ellipse(picture, ear, (int(0.18 * s.face_span), int(0.4 * s.face_span)), 0, 0, 360, value, -1)
    seeds = Places(alpha, s, cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)).seeds
    assert float(seeds[HAIR, ear[1] - 4 : ear[1] + 5].sum()) == 0


def test_under_a_hat_the_hair_beside_the_face_is_learned() -> None:
    bgr, alpha, s = long_haired(BROWN, depth=0.4)
    hat = bgr[: int(s.eyes[1] - 0.9 * s.face_span)]
    hat[alpha[: len(hat)] > 0.5] = (20, 160, 30)
    y, x = on_lock(s, 0.25)
    assert read(bgr, alpha, s)[HAIR, y, x] > 0.5


def test_a_throat_in_the_shade_of_the_chin_is_none() -> None:
    """It has about the colour of the hair, and the new neckline covers it as it covers skin."""
    bgr, alpha, s = long_haired(depth=-0.4)
    half = int(0.12 * s.unit)
    throat = np.s_[int(s.chin[1]) : int(s.neck[1]), int(s.neck[0]) - half : int(s.neck[0]) + half]
    grain = np.random.default_rng(1).integers(-6, 7, bgr[throat].shape[:2])[..., None]
    bgr[throat] = np.array((60, 90, 125)) + grain
    assert read(bgr, alpha, s)[HAIR][throat].mean() < 0.3


@given(
    arrays.arrays(np.float32, 12, elements=st.floats(0, 1, width=32)),
    st.floats(0, 0.4),
)
def test_a_colour_mixed_into_a_model_is_taken_out(cloth: np.ndarray, measure: float) -> None:
    """Where the cloth has none of the part's colours, nothing of the part is left and the cloth stays."""
    part = np.zeros(24, np.float32)
    part[:12] = np.linspace(0.2, 1, 12, dtype=np.float32)
    model = measure * part
    model[12:] = cloth
    out = _without(model, part)
    assert out[:12].max() <= 1e-6
    assert out[12:] == pytest.approx(cloth)
