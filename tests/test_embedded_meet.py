"""What is made of a garment goes over into what is seen of it."""

from __future__ import annotations

import numpy as np

from vastra_live.synthesis.embedded.meet import meet

HEM, UNIT = 60, 120.0


def shaded() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture with a shade below a hem, what is made of it without that shade, and (h, w) where it is seen."""
    rows = np.arange(120, dtype=np.float32)
    light = np.where(rows < HEM, 20, 100 - 40 * np.clip(1 - (rows - HEM) / 20, 0, 1))
    seen = np.repeat(np.repeat(light[:, None, None], 100, axis=1), 3, axis=2).astype(np.float32)
    known = np.zeros((120, 100), np.float32)
    known[HEM:] = 1
    return seen, np.full((120, 100, 3), 100, np.float32), known


def test_made_cloth_has_no_step_to_what_is_seen_and_its_own_colour_away_from_it() -> None:
    seen, made, known = shaded()
    meet(made, seen, known, 1 - known, np.ones_like(known), UNIT)
    assert np.abs(made[HEM - 2 : HEM] - seen[HEM]).max() < 9
    assert np.abs(np.diff(made[: HEM + 1, :, 0], axis=0)).max() < 12
    assert np.abs(made[: HEM - 14] - 100).max() < 1


def test_what_is_no_cloth_of_it_stays_and_so_does_what_is_beside_nothing_seen() -> None:
    seen, made, known = shaded()
    cloth = np.ones_like(known)
    cloth[:, :50] = 0
    meet(made, seen, known, 1 - known, cloth, UNIT)
    assert np.abs(made[:, :50] - 100).max() == 0
    assert made[HEM - 1, 60:].max() < 80
    made[:] = 100
    meet(made, seen, np.zeros_like(known), np.ones_like(known), np.ones_like(known), UNIT)
    assert np.abs(made - 100).max() < 1e-3


def test_a_shred_of_the_worn_top_that_was_read_as_the_garment_does_not_go_on() -> None:
    seen, made, known = shaded()
    for colour in ((0, 110, 220), (10, 10, 10)):
        seen[HEM : HEM + 6, 40:60] = colour
        meet(made, seen, known, 1 - known, np.ones_like(known), UNIT)
        assert np.abs(made[HEM - 4 : HEM, 50] - made[HEM - 4 : HEM, 10]).max() < 6
        made[:] = 100
