"""Bare arms: smooth whatever is read of the sleeve, within it, and in one line with what of them is seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.embedded_people import drawn_person
from vastra_live.synthesis.embedded.bare import bare_body
from vastra_live.synthesis.embedded.fit import Openings
from vastra_live.synthesis.embedded.girth import measure_girth
from vastra_live.synthesis.embedded.limb import STATIONS, Limb, fit_limb
from vastra_live.synthesis.embedded.skeleton import Arm, Skeleton, read_skeleton

UNIT = 100.0


def hanging(x: float = 80, lean: float = 8) -> Arm:
    """A wearer's right arm in a picture of 200 x 260."""
    joints = (np.array([x - along * lean, 40 + down]) for along, down in ((0, 0), (1, 86), (1.5, 158), (1.7, 184)))
    return Arm(*joints, in_front=False)


def sleeve(arm: Arm, half: float = 16, bumps: float = 0, seed: int = 0, end: float = 170) -> np.ndarray:
    """A sleeve on an arm down to a row, its edges off by so many pixels at random."""
    rng = np.random.default_rng(seed)
    worn = np.zeros((260, 200), np.float32)
    rows = np.arange(25, int(end))
    joints = np.array([arm.shoulder, arm.elbow, arm.wrist, arm.tip])
    middle = np.interp(rows, joints[:, 1], joints[:, 0])
    for row, x in zip(rows, middle, strict=True):
        left, right = half + rng.choice((0, bumps, -bumps / 2), 2, p=(0.6, 0.2, 0.2))
        worn[row, int(x - left) : int(x + right)] = 1
    return cv2.GaussianBlur(worn, (3, 3), 0)


def edges(limb: Limb) -> tuple[np.ndarray, np.ndarray]:
    """The outer and the inner edge at the stations, in pixels outwards of the bones."""
    return limb.centres + limb.halves, limb.centres - limb.halves


@pytest.mark.parametrize("seed", range(4))
def test_the_outline_is_smooth_however_raggedly_the_sleeve_is_read(seed: int) -> None:
    arm = hanging()
    calm = edges(fit_limb(arm, 0, UNIT, 1.0, sleeve(arm), None))
    for edge, plain in zip(
        edges(fit_limb(arm, 0, UNIT, 1.0, sleeve(arm, bumps=6, seed=seed), None)), calm, strict=True
    ):
        within = STATIONS <= 1
        assert np.abs(np.diff(edge, 2))[within[1:-1]].max() < 0.012 * UNIT
        assert np.abs(edge - plain)[within].max() < 0.05 * UNIT


@pytest.mark.parametrize("half", [13, 16, 24])
def test_an_arm_is_never_wider_than_its_sleeve(half: int) -> None:
    arm = hanging()
    outer, inner = edges(fit_limb(arm, 0, UNIT, 1.3, sleeve(arm, half, end=200), None))
    within = (STATIONS > 0.1) & (STATIONS < 1)
    # to the pixel the sleeve was drawn to
    assert outer[within].max() < half + 1
    assert inner[within].min() > -half - 1


def test_a_wide_sleeve_makes_no_fat_arm() -> None:
    arm = hanging()
    widths = [fit_limb(arm, 0, UNIT, 1.0, sleeve(arm, half), None).halves[24] for half in (15, 26)]
    assert widths[1] < 1.2 * widths[0]
    assert widths[1] < 0.16 * UNIT


def test_an_arm_tapers_to_its_wrist() -> None:
    arm = hanging()
    halves = fit_limb(arm, 0, UNIT, 1.0, sleeve(arm), None).halves
    at = [float(np.interp(station, STATIONS, halves)) for station in (0.3, 0.54, 0.8, 1.0)]
    assert at == sorted(at, reverse=True)


def test_an_arm_lies_in_its_sleeve_and_not_on_its_bone() -> None:
    arm = hanging()
    off = fit_limb(arm, 0, UNIT, 1.0, np.roll(sleeve(arm), -7, axis=1), None).centres
    assert np.abs(off[4:24] - 7).max() < 2


def test_an_arm_meets_its_hand_without_a_step() -> None:
    arm = hanging()
    worn, hand = sleeve(arm, end=190), np.zeros((260, 200), np.float32)
    hand[190:230, 58:76] = 1
    outer, inner = edges(fit_limb(arm, 0, UNIT, 1.0, worn, hand))
    steps = np.abs(np.diff([outer, inner], axis=1))[:, STATIONS[1:] > 0.8]
    assert steps.max() < 0.035 * UNIT


def test_a_slanting_cuff_does_not_cut_the_wrist_off_its_hand() -> None:
    """Lines across the arm cross the cuff on its outer side and the wider hand on its inner."""
    arm = hanging()
    worn, hand = sleeve(arm, end=225), np.zeros((260, 200), np.float32)
    rows, columns = np.mgrid[:260, :200]
    below = rows > 196 - 0.7 * (columns - 68)
    hand[(rows > 150) & (rows < 250) & (columns > 52) & (columns < 92) & below] = 1
    worn[below] = 0
    _, inner = edges(fit_limb(arm, 0, UNIT, 1.0, worn, hand))
    # the hand is 24 wide on its inner side, the cuff 16
    assert inner[STATIONS > 1.02].max() < -0.09 * UNIT
    assert np.abs(np.diff(inner))[STATIONS[1:] > 0.8].max() < 0.05 * UNIT


def test_a_bare_arm_is_as_it_is_seen() -> None:
    arm = hanging()
    skin = sleeve(arm, 10, end=230)
    top = np.zeros_like(skin)
    top[30:180, 100:] = 1
    limb = fit_limb(arm, 0, UNIT, 1.0, top, skin)
    outer, inner = edges(limb)
    assert np.abs(outer[4:40] - 10).max() < 1.5
    assert np.abs(inner[4:40] + 10).max() < 1.5


def test_a_flared_sleeve_moves_no_arm() -> None:
    arm = hanging()
    skin = sleeve(arm, 10, end=230)
    worn = sleeve(arm, 22, end=95)
    skin[worn > 0] = 0
    outer, _ = edges(fit_limb(arm, 0, UNIT, 1.0, worn, skin))
    assert outer[6:20].max() < 16


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_size_and_side_of_the_picture_do_not_matter(scale: float) -> None:
    arm = hanging()
    worn = sleeve(arm, bumps=6)
    limb = fit_limb(arm, 0, UNIT, 1.0, worn, None)
    size = (int(200 * scale), int(260 * scale))
    larger = cv2.resize(worn, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)

    def mirrored(point: np.ndarray) -> np.ndarray:
        return np.array([199 - point[0], point[1]]) * scale + (scale - 1) / 2

    joints = (mirrored(joint) for joint in (arm.shoulder, arm.elbow, arm.wrist, arm.tip))
    other = fit_limb(Arm(*joints, in_front=False), 1, UNIT * scale, 1.0, np.ascontiguousarray(larger[:, ::-1]), None)
    np.testing.assert_allclose(other.halves / scale, limb.halves, atol=1.2)
    np.testing.assert_allclose(other.centres / scale, limb.centres, atol=1.2)


def test_where_nothing_is_seen_the_bones_tell() -> None:
    arm = hanging()
    nothing = np.zeros((260, 200), np.float32)
    limb = fit_limb(arm, 0, UNIT, 1.0, nothing, nothing)
    assert np.abs(limb.centres).max() < 1
    assert 0.07 * UNIT < limb.halves.min() < limb.halves.max() < 0.2 * UNIT


def stood(bends: tuple[float, float, float, float]) -> tuple[Skeleton, np.ndarray, tuple[int, int]]:
    """Someone who holds their arms off, all covered by their top but the hands."""
    _, body = drawn_person(bends=bends)
    s = read_skeleton(body)
    worn = body.person_alpha.copy()
    worn[: int(s.chin[1])] = 0
    return s, worn, worn.shape


def test_between_arm_and_torso_there_is_no_skin() -> None:
    s, worn, shape = stood((25, 5, 25, 5))
    bare = bare_body(shape, s, measure_girth(worn, s, worn), (0.15, 0.15), worn, Openings(None, 1.2))
    skin = np.maximum(bare.torso, bare.arms)
    for arm in (s.left, s.right):
        side = (
            s.neck
            + 0.7 * s.torso_length * s.down
            + 0.62 * (s.left.shoulder - s.right.shoulder) * (1 if arm is s.left else -1)
        )
        x, y = side.astype(int)
        assert skin[y - 3 : y + 4, x - 3 : x + 4].max() == 0


def test_shoulders_are_where_they_are_on_somebody_who_leans() -> None:
    frame, body = drawn_person()
    s = read_skeleton(body)
    points = body.landmarks_px.copy()
    lean = 10
    for k in (11, 13, 15, 17, 19, 21):
        points[k, 1] += lean
    for k in (12, 14, 16, 18, 20, 22):
        points[k, 1] -= lean
    leaning = read_skeleton(type(body)(points, body.visibility, body.person_alpha, 0))
    girth = measure_girth(body.person_alpha, s, body.person_alpha)
    shape = frame.bgr.shape[:2]
    tops = []
    for skeleton in (s, leaning):
        bare = bare_body(shape, skeleton, girth, (0.15, 0.15), None, Openings(None, 1.2))
        skin = np.maximum(bare.torso, bare.arms) > 0.5
        tops.append([int(skin[:, round(float(arm.shoulder[0]))].argmax()) for arm in (s.right, s.left)])
    straight, leant = np.array(tops)
    np.testing.assert_allclose(leant - straight, (-lean, lean), atol=3)


@pytest.mark.parametrize(("bend", "folded"), [(172.0, True), (60.0, False)])
def test_a_forearm_folded_back_lies_before_its_sleeve_from_the_elbow_on(bend: float, folded: bool) -> None:
    """To the edge of the skin that is seen; one that is not folded leaves elbow and sleeve as they are."""
    s, worn, shape = stood((20, bend, 5, 5))
    skin = np.zeros(shape, np.float32)
    arm = s.left
    along = (arm.wrist - arm.elbow) / np.linalg.norm(arm.wrist - arm.elbow)
    aside = np.array([-along[1], along[0]])
    ends = (arm.elbow - 2 * along, arm.wrist)
    cv2.line(skin, *(tuple(int(v) for v in end) for end in ends), 1.0, int(0.36 * s.unit))
    bare = bare_body(shape, s, measure_girth(worn, s, worn), (0.4, 0.4), worn, Openings(s.neck[None], 1.2), skin)
    x, y = (arm.elbow + 0.1 * s.unit * along).astype(int)
    assert (bare.forearms[y, x] > 0.9) == folded
    if folded:
        seen = arm.elbow + 0.4 * (arm.wrist - arm.elbow)
        edges = [(seen + side * 0.15 * s.unit * aside).astype(int) for side in (-1, 1)]
        assert min(float(bare.forearms[y, x]) for x, y in edges) > 0.5


def test_an_arm_that_is_out_of_the_picture_is_none() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    low = int(s.left.elbow[1] + 0.6 * s.unit)
    shape = (int(s.left.shoulder[1] - 0.6 * s.unit), 320)
    girth = measure_girth(body.person_alpha, s, body.person_alpha)
    assert not list(fit_limb(s.left, 1, s.unit, 1.0, None, None).stretches(shape))
    bare = bare_body((low, 320), s, girth, (0.3, 0.3))
    assert bare.arms[low - 10].max() > 0.9
    assert bare_body(shape, s, girth, (0.3, 0.3)).arms.max() == 0


def test_beside_a_lifted_bare_forearm_no_arm_is_made_on_the_worn_top() -> None:
    """Its bones are found to no pixel, and what they reach of the trunk would be a stump."""
    _, body = drawn_person((420, 460), centre=(210, 150), unit=120, bends=(12, 172, 5, 5))
    s = read_skeleton(body)
    shape = body.person_alpha.shape
    girth = measure_girth(body.person_alpha, s, np.zeros_like(body.person_alpha))
    skin, worn = np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def stroke(picture: np.ndarray, start: np.ndarray, end: np.ndarray, wide: float) -> None:
        ends = [tuple(int(v) for v in point) for point in (start, end)]
        cv2.line(picture, ends[0], ends[1], 1, int(wide * s.unit))

    middle, hips = s.neck + 0.1 * s.unit * s.down, s.pelvis
    stroke(worn, middle, hips, 0.9)
    stroke(worn, s.left.shoulder, 0.6 * s.left.shoulder + 0.4 * s.left.elbow, 0.4)
    stroke(skin, s.left.elbow + 0.05 * s.unit * s.across, s.left.tip + 0.05 * s.unit * s.across, 0.2)
    worn *= 1 - skin
    # the trunk hides what of the upper arm is nearer to it
    below = int(0.4 * s.left.shoulder[1] + 0.6 * s.left.elbow[1])
    worn[below:, : int(s.left.elbow[0]) - 4] = worn[below - 1 : below, : int(s.left.elbow[0]) - 4].max(axis=0)
    bare = bare_body(shape, s, girth, (0.15, 0.15), worn, Openings(s.neck[None], 0.9), skin)
    hidden = (worn > 0.9) & (skin == 0)
    hidden[: below + 8] = False
    near = np.zeros(shape, np.float32)
    stroke(near, s.left.shoulder, s.left.elbow, 0.26)
    hidden &= near > 0
    assert hidden.sum() > 40
    assert float(bare.arms[hidden].mean()) < 0.1
    assert float(bare.front[hidden].mean()) < 0.1
    x, y = np.round(0.75 * s.left.shoulder + 0.25 * s.left.elbow).astype(int)
    assert bare.arms[y, x] > 0.9
