"""What comes out where the worn top was: cloth that goes on, skin of the wearer's."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.embedded_people import drawn_person
from vastra_live.synthesis.embedded.bare import bare_body
from vastra_live.synthesis.embedded.carry import Carried, carry_up
from vastra_live.synthesis.embedded.compose import bare_arms, compose, hands
from vastra_live.synthesis.embedded.fill import (
    LowerTone,
    Undressed,
    _beside_arms,
    _grain,
    _met,
    shaded_skin,
    undress,
)
from vastra_live.synthesis.embedded.fit import Openings
from vastra_live.synthesis.embedded.girth import measure_girth
from vastra_live.synthesis.embedded.mesh import LEFT_FOREARM, LEFT_SLEEVE, TORSO, Painted
from vastra_live.synthesis.embedded.reading import BACKGROUND, LOWER, SKIN
from vastra_live.synthesis.embedded.rim import Rim
from vastra_live.synthesis.embedded.scale import halved
from vastra_live.synthesis.embedded.skeleton import Skeleton, read_skeleton

HEM = 250


def trousers() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, Skeleton]:
    """Trousers of one colour, finely checked, below a top that ends at ``HEM``."""
    _, body = drawn_person()
    checks = 100 + 5 * (np.indices((360, 320)) // 2 % 2).sum(axis=0)
    bgr = np.repeat(checks.astype(np.float32)[..., None], 3, axis=2)
    lower, worn = np.zeros((2, 360, 320), np.float32)
    lower[HEM:, 110:210] = 1
    worn[100:HEM, 105:215] = 1
    return bgr, lower, worn, np.zeros_like(worn), read_skeleton(body)


def carried_up(
    bgr: np.ndarray, lower: np.ndarray, worn: np.ndarray, skin: np.ndarray, s: Skeleton, hem: int = HEM - 60
) -> Carried | None:
    """What comes out above ``HEM`` of the trousers when a new top ends at a row."""
    background = np.clip(1 - lower - worn - skin, 0, 1)
    girth = measure_girth(np.clip(lower + worn, 0, 1), s, worn)
    return carry_up(bgr, lower, worn, skin, background, s, girth, (hem - s.neck[1]) / s.torso_length)


def test_the_lower_garment_goes_on_with_its_texture() -> None:
    bgr, lower, worn, skin, s = trousers()
    carried = carried_up(bgr, lower, worn, skin, s)
    assert carried is not None
    assert carried.adjoins == 1
    assert carried.cover[HEM - 30 : HEM, 160].min() > 0.99
    strip = carried.bgr[HEM - 30 : HEM, 150:170, 0]
    assert strip.std() > 2
    assert abs(strip.mean() - bgr[HEM:, 150:170, 0].mean()) < 2


def test_what_a_garment_has_but_once_is_not_shown_again_above_it() -> None:
    bgr, lower, worn, skin, s = trousers()
    bgr[HEM + 20 : HEM + 26, 155:165] = 255
    carried = carried_up(bgr, lower, worn, skin, s)
    assert carried is not None
    assert carried.bgr[HEM - 50 : HEM, 155:165].max() < 120


def test_the_shade_of_the_worn_hem_is_not_carried_up_and_what_is_seen_of_the_garment_stays() -> None:
    bgr, lower, worn, skin, s = trousers()
    shade = 1 - 0.5 * np.clip(1 - (np.arange(360) - HEM) / (0.08 * s.unit), 0, 1)
    bgr *= shade[:, None, None].astype(np.float32)
    carried = carried_up(bgr, lower, worn, skin, s)
    assert carried is not None
    assert carried.bgr[HEM - 30 : HEM, 130:190, 0].mean(axis=1).min() > 85
    # it goes where it lies beside the top's own rim
    shown = bgr + (carried.bgr - bgr) * carried.anew[..., None]
    assert shown[HEM, 130:190, 0].mean() > 85
    assert np.abs(shown - bgr)[HEM + 3 :, 130:190].max() < 13
    # and stays where the new top hides it as well
    assert carried_up(bgr, lower, worn, skin, s, hem=HEM) is None


def undressed(
    bgr: np.ndarray, lower: np.ndarray, worn: np.ndarray, s: Skeleton, tone: LowerTone | None = None
) -> Undressed:
    """The person of :func:`trousers` without the worn top."""
    small, half = s.seen_in(np.array([0.5, 0.5]), 0.5), (180, 160)
    girth = measure_girth(np.clip(lower + worn, 0, 1), s, worn)
    bare = bare_body(half, small, girth, (1.0, 1.0), None, Openings(None, 0.8))
    beside, face, part = np.full((*half, 3), 60, np.float32), np.zeros_like(worn), np.s_[0:360, 0:320]
    shown = {LOWER: lower, BACKGROUND: 1 - np.maximum(lower, worn), SKIN: np.zeros_like(worn)}
    seen = {name: halved(plane) for name, plane in shown.items()}
    picture = bgr.astype(np.uint8)
    rim = Rim(worn, worn, beside, halved(picture))
    return undress(picture, beside, seen, face, rim, worn, small, girth, bare, 0.6, part, tone=tone)


def test_a_shade_of_the_worn_hem_is_left_and_leaves_no_seam() -> None:
    bgr, lower, worn, _, s = trousers()
    bgr *= (1 - 0.3 * np.clip(1 - (np.arange(360) - HEM) / (0.1 * s.unit), 0, 1))[:, None, None].astype(np.float32)
    bgr[worn > 0] = 20
    under = undressed(bgr, lower, worn, s)
    light = under.bgr[:, 140:180].mean(axis=(1, 2))
    assert np.abs(np.diff(light[HEM - 20 : HEM + 20])).max() < 10
    assert light[HEM - 20] > 95
    assert np.abs(under.bgr - bgr)[HEM + 4 :, 140:180].max() < 1
    assert under.gone[HEM + 4 :, 140:180].max() == 0


def test_a_strip_of_trousers_which_may_be_the_worn_hem_does_not_go_on() -> None:
    bgr, lower, worn, _, s = trousers()
    lower[HEM + 6 :], bgr[HEM - 8 : HEM + 8] = 0, (40, 45, 56)
    made = undressed(bgr, lower, worn, s).bgr[HEM - 20 : HEM - 4, 140:180].mean(axis=(1, 2))
    assert np.ptp(made) < 1


def test_trousers_keep_their_colour_in_keyframes_that_show_a_strip_of_them() -> None:
    bgr, lower, worn, _, s = trousers()
    strip, tone = lower.copy(), LowerTone()
    strip[HEM + 6 :] = 0
    seen = (strip, lower, strip, lower, lower, strip, strip, strip)
    made = [undressed(bgr, each, worn, s, tone).bgr[HEM - 20, 140:180] for each in seen]
    off = [float(np.abs(each - made[1]).mean()) for each in made]
    assert off[0] > 30
    assert off[2] > 30, "one keyframe may be mistaken"
    assert max(off[5:]) < 6


def test_the_lower_garment_narrows_to_the_waist_from_where_it_is_seen() -> None:
    bgr, lower, worn, skin, s = trousers()
    worn[100:HEM, 80:240] = 1
    carried = carried_up(bgr, lower, worn, skin, s)
    assert carried is not None
    widths = (carried.cover > 0.5).sum(axis=1)[HEM - 44 : HEM + 5]
    assert abs(int(widths[-1]) - 100) <= 6
    assert 80 < widths[0] < 98
    assert np.abs(np.diff(widths.astype(int))).max() <= 2


def test_a_wall_that_is_seen_between_the_worn_top_and_the_hip_stays() -> None:
    bgr, lower, worn, skin, s = trousers()
    lower[HEM : HEM + 6, 110:118] = 0
    carried = carried_up(bgr, lower, worn, skin, s)
    assert carried is not None
    assert carried.anew[HEM, 112:116].max() == 0
    assert carried.anew[HEM, 140:180].min() > 0.99


def test_shreds_of_a_worn_top_that_were_read_as_trousers_go() -> None:
    bgr, lower, worn, skin, s = trousers()
    for x in (100, 130, 200):
        lower[HEM - 12 : HEM, x : x + 3] = 1
    carried = carried_up(bgr, lower, worn, skin, s)
    assert carried is not None
    for x in (100, 130, 200):
        assert carried.anew[HEM - 10, x + 1] > 0.99
    assert carried.cover[HEM - 10, 101] == 0
    assert carried.cover[HEM - 10, 131] > 0.99


def test_a_soft_hem_is_no_belly() -> None:
    bgr, lower, worn, skin, s = trousers()
    worn[HEM - 8 : HEM] = 0.2
    carried = carried_up(bgr, lower, worn, skin, s)
    assert carried is not None
    assert carried.adjoins == 1


def test_below_a_cropped_top_no_cloth_is_carried_over_the_belly() -> None:
    bgr, lower, worn, skin, s = trousers()
    worn[200:HEM] = 0
    skin[200:HEM] = 1
    carried = carried_up(bgr, lower, worn, skin, s)
    assert carried is not None
    assert carried.adjoins == 0


def test_a_strip_of_trousers_tells_nothing() -> None:
    bgr, lower, worn, skin, s = trousers()
    lower[HEM + 5 :] = 0
    assert carried_up(bgr, lower, worn, skin, s) is None


def test_skin_is_of_the_wearers_tone_and_round() -> None:
    frame, body = drawn_person()
    s = read_skeleton(body)
    bgr = frame.bgr.astype(np.float32)
    skin = (np.abs(bgr - (130, 160, 215)).max(axis=-1) < 12).astype(np.float32)
    worn = body.person_alpha * (1 - skin)
    bare = bare_body(skin.shape, s, measure_girth(body.person_alpha, s, worn), (0.3, 0.3), worn)
    made = shaded_skin(bgr, skin, np.zeros_like(skin), bare)
    x, y = (0.5 * (s.left.shoulder + s.left.elbow)).astype(int)
    assert np.abs(made[y, x] - (130, 160, 215)).max() < 20
    inside = np.flatnonzero(bare.arms[y, x:] > 0.9)[-1]
    assert made[y, x + inside].sum() < 0.93 * made[y, x].sum()


def test_a_beard_and_its_shade_do_not_darken_the_chest() -> None:
    """But an arm that is seen in the shade goes on in it."""
    _, body = drawn_person()
    s = read_skeleton(body)
    shape, tone = body.person_alpha.shape, np.float32([130, 160, 215])
    bgr = np.broadcast_to(tone, (*shape, 3)).copy()
    skin = body.person_alpha * (np.arange(shape[0]) < s.neck[1])[:, None]
    bgr[int(s.mouth[1]) : int(s.neck[1])] *= 0.35
    bare = bare_body(shape, s, measure_girth(body.person_alpha, s, body.person_alpha), (0.3, 0.3))
    made = shaded_skin(bgr, skin, np.zeros_like(skin), bare)
    x, y = (int(v) for v in s.neck + 0.15 * s.unit * s.down)
    assert made[y, x].mean() > 0.75 * tone.mean()
    lower = (np.arange(shape[0]) > s.left.wrist[1] - 12)[:, None] & (bare.arms > 0.5)
    skin[lower], bgr[lower] = 1, 0.5 * tone
    made = shaded_skin(bgr, skin, np.zeros_like(skin), bare)
    x, y = (int(v) for v in 0.3 * s.left.elbow + 0.7 * s.left.wrist)
    assert made[y, x].mean() < 0.8 * tone.mean()


def test_an_arm_is_thinner_than_its_sleeve() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    girth = measure_girth(body.person_alpha, s, np.zeros_like(body.person_alpha))
    bare, sleeved = (
        bare_body(body.person_alpha.shape, s, girth, (0.3, 0.3), np.full_like(body.person_alpha, v)) for v in (0, 1)
    )
    assert 0.85 * bare.arms.sum() < sleeved.arms.sum() < 0.97 * bare.arms.sum()


def test_sleeves_and_shoulders_leave_no_skin_beside_them() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    girth = measure_girth(body.person_alpha, s, body.person_alpha)
    neckline = s.neck + np.array([[-0.25, -0.2], [0.0, 0.05], [0.25, -0.2]]) * s.unit
    shape = body.person_alpha.shape
    bare = bare_body(shape, s, girth, (1.05, 1.05), body.person_alpha, Openings(neckline, 0.8))
    skin = np.maximum(bare.torso, bare.arms)
    x, y = s.left.elbow.astype(int)
    assert bare.arms[y, x] == 0
    x, y = (s.left.shoulder - 0.02 * s.unit * s.down).astype(int)
    assert skin[y, x] == 0
    x, y = (s.neck - 0.05 * s.unit * s.down).astype(int)
    assert skin[y, x] > 0.9
    x, y = (s.neck + 0.7 * s.torso_length * s.down).astype(int)
    assert skin[y, x] == 0
    strapless = bare_body(shape, s, girth, (0.15, 0.15), body.person_alpha, Openings(None, 0.8))
    x, y = s.left.elbow.astype(int)
    assert strapless.arms[y, x] > 0.9


def test_where_a_sleeve_was_the_wall_goes_on_without_a_step() -> None:
    wall = np.repeat(np.linspace(180, 230, 120, dtype=np.float32)[None, :, None], 80, 0).repeat(3, 2)
    learned = np.full_like(wall, 190)
    background = np.ones((80, 120), np.float32)
    background[:, 50:70] = 0
    met = _met(learned, wall, background)
    assert np.abs(met - wall)[:, 50:70].max() < 6


def test_a_long_sleeve_is_not_cut_by_the_hand_below_its_cuff() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    skin = body.person_alpha
    in_front = hands(skin, s, (1.06, 1.06))
    x, y = (s.left.wrist - 0.1 * s.unit * s.down).astype(int)
    assert in_front[y, x] == 0
    x, y = s.left.tip.astype(int)
    assert in_front[y, x] > 0.9


@pytest.mark.parametrize("hand_seen", [True, False])
def test_a_hand_below_the_other_arm_leaves_no_hole_in_its_sleeve(hand_seen: bool) -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    on_it = 0.5 * (s.right.elbow + s.right.wrist)
    folded = dataclasses.replace(s.left, wrist=on_it + 0.2 * s.unit * s.across, tip=on_it, hand_seen=hand_seen)
    in_front = hands(body.person_alpha, dataclasses.replace(s, left=folded), (1.06, 1.06))
    x, y = on_it.astype(int)
    assert (in_front[y, x] > 0.9) == hand_seen
    x, y = s.right.tip.astype(int)
    assert in_front[y, x] > 0.9


def test_a_bare_belly_beside_an_arm_is_no_arm() -> None:
    _, body = drawn_person((420, 460), centre=(210, 150), unit=120)
    s = read_skeleton(body)
    girth = measure_girth(body.person_alpha, s, np.zeros_like(body.person_alpha))
    skin = np.zeros_like(body.person_alpha)
    x, y = s.left.elbow.astype(int)
    skin[y - 40 : y + 100, x - 12 : x + 13] = 1
    alone = bare_arms(skin, s, girth, (0.3, 0.3))
    belly = np.s_[y - 10 : y + 12, x - 26 : x - 14]
    skin[belly] = 1
    assert np.abs(bare_arms(skin, s, girth, (0.3, 0.3))[belly] - alone[belly]).max() < 0.05
    # where the two touch nobody can tell
    skin[y - 10 : y + 12, x - 26 : x] = 1
    assert bare_arms(skin, s, girth, (0.3, 0.3))[y, x - 16] > 0.5


def test_a_bare_arm_comes_out_from_behind_the_side_without_a_step() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    girth = measure_girth(body.person_alpha, s, body.person_alpha)
    front = bare_body(body.person_alpha.shape, s, girth, (0.15, 0.15), body.person_alpha, Openings(None, 0.8)).front
    widths = (front[:, int(s.neck[0]) :] > 0.5).sum(axis=1)
    first = int(np.argmax(widths > 0))
    assert np.abs(np.diff(widths[first - 1 : first + int(0.2 * s.unit)].astype(int))).max() <= 0.06 * s.unit


def test_a_forearm_throws_no_shadow_on_a_wall() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    shape = body.person_alpha.shape
    nothing, one = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    wall = np.full((*shape, 3), 200, np.float32)
    under = Undressed(wall, one, nothing, nothing, one)
    sleeve = Painted((100, 150, 140, 250), np.full((100, 40, 3), 60, np.uint8), np.ones((100, 40), np.float32))
    bgr, _, _ = compose(
        wall.astype(np.uint8),
        under,
        {LEFT_FOREARM: sleeve},
        s=s,
        kept=nothing,
        own_arms=nothing,
        body=nothing,
        light=one,
        gain=np.ones(3, np.float32),
    )
    assert bgr[200, 145:160].min() >= 199
    assert bgr[200, 110:130].max() <= 61


def test_no_line_of_shadow_crosses_a_forearm_in_front_of_the_sleeve() -> None:
    """A sleeve ends behind a bent forearm: its edge darkens what is behind the arm, but not the arm."""
    _, body = drawn_person()
    shape = body.person_alpha.shape
    nothing, one = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    skin = np.full((*shape, 3), 150, np.float32)
    forearm = nothing.copy()
    forearm[180:220] = 1
    sleeve = Painted((100, 120, 140, 280), np.full((160, 40, 3), 60, np.uint8), np.ones((160, 40), np.float32))
    bgr, _, _ = compose(
        skin.astype(np.uint8),
        Undressed(skin, nothing, nothing, forearm, nothing),
        {LEFT_SLEEVE: sleeve},
        s=read_skeleton(body),
        kept=nothing,
        own_arms=forearm,
        body=one,
        light=one,
        gain=np.ones(3, np.float32),
    )
    assert bgr[190:210, 141:150].min() >= 149
    assert bgr[150, 141:143].max() < 140


def test_what_is_made_is_as_rough_as_what_is_seen_of_skin_and_wall_and_cloth() -> None:
    rng = np.random.default_rng(3)
    picture = np.full((120, 160, 3), 150.0)
    picture[:, :80] += rng.normal(0, 4, (120, 80, 1))
    # creases and edges are no grain
    picture[::12] -= 60
    share = np.zeros((5, 120, 160), np.float32)
    picture[:60, 80:] += rng.normal(0, 2, (60, 80, 1))
    share[SKIN, :, :80], share[LOWER, :60, 80:], share[BACKGROUND, 60:, 80:] = 1, 1, 1
    skin, lower, wall = share[[SKIN, LOWER, BACKGROUND], ::2, ::2]
    grain = _grain(picture.astype(np.uint8), (skin, lower, wall), skin, lower, np.s_[0:120, 0:160])
    assert 2.5 < grain[:, :80].std() < 5.5
    # of cloth the other half was reflected
    assert 0.5 < grain[:60, 80:].std() < 2
    assert grain[60:, 80:].std() < 0.5


def test_a_sleeve_shades_the_arm_below_it_and_the_arm_the_cloth_beside_it() -> None:
    _, body = drawn_person()
    shape = body.person_alpha.shape
    nothing, one = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    skin = np.full((*shape, 3), 150, np.float32)
    arm = nothing.copy()
    arm[120:280, 100:140] = 1
    whole = Painted((60, 120, 220, 280), np.full((160, 160, 3), 200, np.uint8), np.ones((160, 160), np.float32))
    sleeve = Painted((96, 120, 144, 160), np.full((40, 48, 3), 60, np.uint8), np.ones((40, 48), np.float32))
    bgr, alpha, trunk = compose(
        skin.astype(np.uint8),
        Undressed(skin, one, arm, nothing, nothing),
        {TORSO: whole, LEFT_SLEEVE: sleeve},
        s=read_skeleton(body),
        kept=nothing,
        own_arms=nothing,
        body=one,
        light=one,
        gain=np.ones(3, np.float32),
    )
    assert bgr[161, 120].max() < 0.93 * bgr[250, 120].min()
    assert bgr[250, 142].max() < 0.96 * bgr[250, 170].min()
    assert alpha[161, 120] == 1
    # behind the sleeve and the arm below it the torso's cloth goes on
    assert trunk[140:260, 96:144].min() > 180
    assert trunk[..., 3].sum() == 255 * 160 * 160


def test_beside_a_made_arm_the_trousers_go_on_where_they_are_nearer_than_the_wall() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    shape = body.person_alpha.shape
    x, y = s.left.wrist.astype(int)
    arm, sleeve = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    sleeve[: y + 20, x - 24 : x + 24] = arm[: y + 20, x - 8 : x + 8] = 1
    trousers, wall = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    trousers[int(s.pelvis[1]) :, :x] = 1
    wall[:, :x] = 0
    picture = np.full((*shape, 3), 30, np.float32)
    picture[wall > 0] = 220
    picture[sleeve > 0] = 120
    found, colours = _beside_arms(picture, trousers * (1 - sleeve), wall * (1 - sleeve), arm, s)
    assert np.abs(colours[y, x - 18 : x - 8] - 30).max() < 2
    assert found[y, x - 18 : x - 8].min() > 0.9
    assert found[y, x + 10 : x + 22].max() < 0.1
    assert found[int(s.neck[1])].max() == 0


def test_below_a_sleeve_the_whole_arm_is_in_front_of_the_torso() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    girth = measure_girth(body.person_alpha, s, body.person_alpha)
    neckline = s.neck + np.array([[-0.25, -0.2], [0.0, 0.05], [0.25, -0.2]]) * s.unit
    bare = bare_body(body.person_alpha.shape, s, girth, (0.4, 0.4), body.person_alpha, Openings(neckline, 0.8))
    x, y = (0.2 * s.left.shoulder + 0.8 * s.left.elbow).astype(int)
    rows = slice(y, y + int(0.2 * s.unit))
    assert np.abs(bare.front[rows, x:] - bare.arms[rows, x:]).max() < 0.3


def test_a_forearm_that_is_bent_up_is_in_front_of_its_sleeve_from_the_elbow_on() -> None:
    _, body = drawn_person(bends=(5, 165, 5, 5))
    s = read_skeleton(body)
    nothing = np.zeros_like(body.person_alpha)
    bare = bare_body(nothing.shape, s, measure_girth(body.person_alpha, s, nothing), (0.45, 0.45))
    x, y = (0.8 * s.left.elbow + 0.2 * s.left.wrist).astype(int)
    assert bare.forearms[y, x] > 0.9
    x, y = (s.right.elbow - 0.05 * s.unit * s.down).astype(int)
    assert bare.forearms[y, x] < 0.1


def test_where_a_sleeve_hung_the_new_lower_garment_goes_on() -> None:
    _, body = drawn_person()
    s = read_skeleton(body)
    small = s.seen_in(np.zeros(2), 0.5)
    shape, half = body.person_alpha.shape, (180, 160)
    sleeve = np.s_[260:300, 60:90]
    gone, share = np.zeros(shape, np.float32), np.zeros((5, *shape), np.float32)
    gone[sleeve], share[BACKGROUND], share[LOWER, 230:, 40:280] = 1, 1, 1
    share[BACKGROUND, 230:, 40:280] = 0
    picture = np.full((*shape, 3), 190, np.uint8)
    picture[230:, 40:280] = picture[sleeve] = (200, 80, 40)
    picture[sleeve] = 10
    laid = np.full((*half, 3), (200, 80, 40), np.float32), np.zeros(half, np.float32)
    laid[1][115:, 20:140] = 1
    girth = measure_girth(body.person_alpha, s, body.person_alpha)
    bare = bare_body(half, small, girth, (0.3, 0.3), None, Openings(None, 0.8, (0.3, 0.3)))
    bare = dataclasses.replace(bare, arms=np.zeros(half, np.float32))
    rim = Rim(gone, gone, np.full((*half, 3), 190, np.float32), halved(picture))
    seen = {name: halved(share[name]) for name in (BACKGROUND, SKIN, LOWER)}
    part = np.s_[200:320, 40:280]
    face = np.zeros(shape, np.float32)
    behind = np.full((*half, 3), 190, np.float32)
    under = undress(picture, behind, seen, face, rim, gone, small, girth, bare, 0.8, part, laid)
    made = under.bgr[64:96, 24:46]
    assert np.abs(made - (200, 80, 40)).max() < 12
