"""A picture file becomes a garment, or is refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.drawn_photos import EXPECTED, iou, photo, shape_mask
from vastra_live.errors import GarmentError, PictureError
from vastra_live.pictures import read_picture, write_picture
from vastra_live.types import U8, Category
from vastra_live.wardrobe import wearer
from vastra_live.wardrobe.intake import LONG_SIDE_PX, read_garment


def test_a_large_photo_is_brought_to_the_kept_size(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    write_picture(path, photo(shape_mask("tee", 3.0), (40, 40, 160), (240, 240, 240)))
    garment = read_garment(path)
    assert max(garment.bgr.shape) == LONG_SIDE_PX
    assert garment.name == "large"


def test_an_alpha_channel_is_the_mask(tmp_path: Path) -> None:
    mask = shape_mask("tee")
    path = tmp_path / "cut.png"
    # the colours are the same everywhere: only the alpha channel can tell
    write_picture(path, np.full((*mask.shape, 3), 90, np.uint8), mask.astype(np.float32) / 255)
    garment = read_garment(path)
    assert iou(garment.alpha, mask) > 0.99
    assert garment.category is Category.UPPER


def test_a_picture_with_rounded_corners_is_a_photo_and_not_a_cut_out(tmp_path: Path) -> None:
    mask = shape_mask("tee")
    card = np.zeros(mask.shape, np.uint8)
    cv2.rectangle(card, (16, 10), (463, 589), 255, -1)
    for corner in ((16, 10), (463, 10), (16, 589), (463, 589)):
        cv2.circle(card, corner, 20, 0, -1)
    write_picture(tmp_path / "card.png", photo(mask, (60, 20, 20), (240, 240, 240)), card.astype(np.float32) / 255)
    garment = read_garment(tmp_path / "card.png")
    assert np.count_nonzero(garment.alpha > 0.5) == pytest.approx(np.count_nonzero(mask), rel=0.02)
    assert (garment.category, garment.sleeve) == EXPECTED["tee"]


def test_a_cut_out_picture_is_screened_too(tmp_path: Path) -> None:
    mask = np.concatenate([shape_mask("tee")] * 2, axis=1)
    write_picture(tmp_path / "two.png", np.full((*mask.shape, 3), 90, np.uint8), mask.astype(np.float32) / 255)
    with pytest.raises(GarmentError, match="several garments"):
        read_garment(tmp_path / "two.png")


def test_the_hook_of_a_hanger_is_taken_off_a_cut_out_picture(tmp_path: Path) -> None:
    mask = shape_mask("tee")
    hung = mask.copy()
    cv2.line(hung, (240, 12), (240, 75), 255, 5)
    write_picture(tmp_path / "hung.png", np.full((*mask.shape, 3), 90, np.uint8), hung.astype(np.float32) / 255)
    garment = read_garment(tmp_path / "hung.png")
    scale = max(garment.alpha.shape) / max(mask.shape)
    assert garment.alpha[: round(30 * scale)].max() < 0.1


@pytest.mark.parametrize(
    ("ring", "message"),
    [
        ([(60, 300), (80, 180), (160, 190), (230, 250), (420, 290), (430, 330), (60, 340)], "not alike on both sides"),
        ([(220, 40), (260, 40), (262, 560), (218, 560)], "too slender"),
    ],
    ids=["shoe", "belt"],
)
def test_what_has_no_garments_outline_is_refused(ring: list[tuple[int, int]], message: str, tmp_path: Path) -> None:
    mask = np.zeros((600, 480), np.uint8)
    cv2.fillPoly(mask, [np.array(ring)], 255)
    write_picture(tmp_path / "thing.png", photo(mask, (60, 20, 20), (240, 240, 240)))
    with pytest.raises(GarmentError, match=message):
        read_garment(tmp_path / "thing.png")


def test_a_mask_replaces_every_guess(tmp_path: Path) -> None:
    mask = shape_mask("tee")
    noise = np.random.default_rng(0).integers(0, 255, (*mask.shape, 3)).astype(np.uint8)
    write_picture(tmp_path / "hard.png", noise)
    write_picture(tmp_path / "mask.png", np.repeat(mask[:, :, None], 3, axis=2))
    garment = read_garment(tmp_path / "hard.png", "dress", mask_path=tmp_path / "mask.png", name="mine")
    assert iou(garment.alpha, mask) > 0.98
    assert garment.category is Category.DRESS
    assert garment.name == "mine"
    for size, message in (((100, 600), "does not fit"), ((600, 480), "no usable mask")):
        write_picture(tmp_path / "bad.png", np.zeros((*size, 3), np.uint8))
        with pytest.raises(GarmentError, match=message):
            read_garment(tmp_path / "hard.png", mask_path=tmp_path / "bad.png")


def two() -> U8:
    return np.concatenate([photo(shape_mask("tee"), (60, 20, 20), (240, 240, 240))] * 2, axis=1)


def landscape() -> U8:
    y, x = np.indices((400, 600))
    sky = np.stack([230 - 0 * y, 180 - 0.1 * y, 120 - 0.1 * y], axis=-1)
    land = np.array([60, 120, 70]) + np.random.default_rng(0).normal(0, 20, (400, 600, 3))
    return np.clip(np.where((y > 250 + 40 * np.sin(x / 70))[:, :, None], land, sky), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.full((400, 300, 3), 240, np.uint8), "nothing stands out from the ground"),
        (np.random.default_rng(0).integers(0, 255, (400, 300, 3)).astype(np.uint8), "no garment on a plain ground"),
        (landscape(), "no whole garment was found"),
        (two(), "several garments"),
        (photo(shape_mask("tee"), (60, 20, 20), (240, 240, 240))[:, 100:], "cut off at the left side"),
        (
            photo(np.pad(shape_mask("tee"), ((0, 0), (200, 200))), (60, 20, 20), (240, 240, 240))[85:400],
            "runs out at the top and at the bottom",
        ),
    ],
    ids=["blank", "noise", "landscape", "two", "cut off", "torso"],
)
def test_what_is_no_photo_of_one_garment_is_refused(picture: U8, message: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.png"
    write_picture(path, np.ascontiguousarray(picture))
    with pytest.raises(GarmentError, match=rf"odd\.png: .*{message}.*--mask"):
        read_garment(path)


def test_a_portrait_is_refused(tmp_path: Path) -> None:
    skimage_data = pytest.importorskip("skimage.data", reason="the portrait comes with the extra `demo`")
    path = tmp_path / "portrait.png"
    write_picture(path, np.ascontiguousarray(skimage_data.astronaut()[:, :, ::-1]))
    with pytest.raises(GarmentError, match=r"shows a person \(a face was found\)"):
        read_garment(path)


@pytest.mark.parametrize("who", ["00121", "00460"])
def test_a_worn_garment_is_refused_with_and_without_the_head(who: str, shared: Path, tmp_path: Path) -> None:
    person = shared / "people" / who / "image.jpg"
    with pytest.raises(GarmentError, match=r"shows a person \(a face was found\)"):
        read_garment(person)
    write_picture(tmp_path / "headless.png", np.ascontiguousarray(read_picture(person).bgr[200:]))
    with pytest.raises(GarmentError, match=r"shows a person \(a hand was found\)"):
        read_garment(tmp_path / "headless.png")


@pytest.mark.parametrize(("confidence", "found"), [(0.66, None), (0.75, "face")])
def test_a_hood_that_is_nearly_a_face_is_no_wearer(
    confidence: float, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = SimpleNamespace(xmin=0.4, ymin=0.1, width=0.2, height=0.2)
    face = SimpleNamespace(score=[confidence], location_data=SimpleNamespace(relative_bounding_box=box))
    monkeypatch.setattr(wearer, "_look", lambda _: ([face], False))
    picture = np.full((100, 100, 3), 240, np.uint8)
    assert wearer.find_person(picture, np.zeros((100, 100), np.uint8)) == found


def test_files_that_are_no_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        read_garment(tmp_path / "missing.jpg")


def test_real_photos_masks_fit_and_categories_are_right(shared: Path) -> None:
    folder = shared / "garments"
    labels = json.loads((folder / "labels.json").read_text())
    garments = {name: read_garment(folder / name) for name in labels}
    assert {name: garment.category.value for name, garment in garments.items()} == labels
    fits = [
        iou(garments[path.name.replace(".mask", "")].alpha, read_picture(path).bgr[:, :, 0])
        for path in sorted(folder.glob("*.mask.jpg"))
    ]
    assert np.mean(fits) >= 0.985
    assert min(fits) >= 0.96


def test_a_small_photo_is_read_as_the_large_one_is(shared: Path, tmp_path: Path) -> None:
    path = shared / "garments" / "12562_00.jpg"
    large = read_garment(path)
    bgr = read_picture(path).bgr
    write_picture(
        tmp_path / "small.png", np.asarray(cv2.resize(bgr, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA))
    )
    small = read_garment(tmp_path / "small.png")
    assert small.alpha.shape == (410, 307)
    assert (small.category, small.sleeve) == (large.category, large.sleeve)
    assert iou(cv2.resize(small.alpha, large.alpha.shape[::-1]), (large.alpha * 255).astype(np.uint8)) > 0.97
    for name, (x, y) in large.landmarks_px.items():
        assert small.landmarks_px[name] == pytest.approx((0.4 * x, 0.4 * y), abs=12), name


def test_trousers_trimmed_to_their_box_are_not_taken_for_a_body(tmp_path: Path) -> None:
    mask = shape_mask("trousers")
    x, y, width, height = cv2.boundingRect(mask)
    trimmed = photo(mask, (60, 20, 20), (240, 240, 240))[y : y + height, x : x + width]
    write_picture(tmp_path / "trimmed.png", np.ascontiguousarray(trimmed))
    assert read_garment(tmp_path / "trimmed.png").category is Category.LOWER


def save_odd(folder: Path, kind: str, rgb: U8) -> Path:
    """A photo (H, W, 3) RGB as a shop or a phone may deliver it."""
    image = Image.fromarray(rgb)
    path = folder / f"{kind}.{'jpg' if kind in ('rotated', 'cmyk', 'grey') else 'webp' if kind == 'webp' else 'png'}"
    if kind == "rotated":
        exif = Image.Exif()
        exif[0x0112] = 6
        image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)
    elif kind == "deep":
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint16)
        Image.fromarray(grey * 257).save(path)
    else:
        mode = {"cmyk": "CMYK", "grey": "L", "palette": "P"}.get(kind, "RGB")
        image.convert(mode, palette=Image.Palette.ADAPTIVE).save(path)
    return path


@pytest.mark.parametrize("kind", ["rotated", "cmyk", "grey", "deep", "palette", "webp"])
def test_odd_files_give_the_same_garment(kind: str, tmp_path: Path) -> None:
    mask = shape_mask("tee")
    garment = read_garment(save_odd(tmp_path, kind, photo(mask, (60, 20, 20), (240, 240, 240))))
    assert iou(garment.alpha, mask) > 0.96
    assert (garment.category, garment.sleeve) == EXPECTED["tee"]


def test_a_truncated_photo_is_refused_by_name(tmp_path: Path) -> None:
    whole = save_odd(tmp_path, "webp", photo(shape_mask("tee"), (60, 20, 20), (240, 240, 240))).read_bytes()
    (tmp_path / "half.webp").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PictureError, match=r"half\.webp: .*(fetch it again|save it)"):
        read_garment(tmp_path / "half.webp")
