"""Pictures: whatever a phone, a scanner or an attacker saves comes in right or is refused in one line."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vastra_live.errors import PictureError, RecordingError
from vastra_live.pictures import MAX_PIXELS, is_picture, read_labels, read_picture, write_picture

W, H = 60, 40
ORIENTATION = 0x0112


def quadrants() -> np.ndarray:
    """RGB: red top left, green top right, blue bottom left, white bottom right."""
    rgb = np.full((H, W, 3), 255, np.uint8)
    rgb[: H // 2, : W // 2] = (255, 0, 0)
    rgb[: H // 2, W // 2 :] = (0, 255, 0)
    rgb[H // 2 :, : W // 2] = (0, 0, 255)
    return rgb


def corners(bgr: np.ndarray) -> list[str]:
    """Names of the colours at the four corners: top left, top right, bottom left, bottom right."""
    names = {(0, 0, 255): "red", (0, 255, 0): "green", (255, 0, 0): "blue", (255, 255, 255): "white"}
    picked = [bgr[5, 5], bgr[5, -6], bgr[-6, 5], bgr[-6, -6]]
    return [min(names.items(), key=lambda kv: np.abs(np.subtract(kv[0], p.astype(int))).sum())[1] for p in picked]


UPRIGHT = ["red", "green", "blue", "white"]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif", "a.ppm", "a.JPEG"])
def test_formats_come_in_as_bgr(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.fromarray(quadrants()).save(path)
    picture = read_picture(path)
    assert picture.size == (W, H)
    assert picture.alpha is None
    assert corners(picture.bgr) == UPRIGHT


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(tmp_path: Path, orientation: int) -> None:
    # what a camera held that way stores for an upright scene: the inverse of what the tag asks for
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = Image.fromarray(quadrants())
    if orientation in undo:
        stored = stored.transpose(undo[orientation])
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / "phone.jpg"
    stored.save(path, exif=exif, quality=95)
    picture = read_picture(path)
    assert picture.size == (W, H)
    assert corners(picture.bgr) == UPRIGHT


def test_grey_palette_bilevel_and_cmyk(tmp_path: Path) -> None:
    rgb = Image.fromarray(quadrants())
    rgb.convert("L").save(tmp_path / "grey.jpg")
    rgb.convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "palette.png")
    rgb.convert("1").save(tmp_path / "bilevel.png")
    rgb.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    grey = read_picture(tmp_path / "grey.jpg").bgr
    assert grey.shape == (H, W, 3)
    assert (grey[..., 0] == grey[..., 2]).all()
    assert corners(read_picture(tmp_path / "palette.png").bgr) == UPRIGHT
    assert read_picture(tmp_path / "bilevel.png").bgr[-6, -6].tolist() == [255, 255, 255]
    assert corners(read_picture(tmp_path / "cmyk.jpg").bgr) == UPRIGHT


def test_sixteen_bit_is_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, W).astype(np.uint16)
    Image.fromarray(np.tile(ramp, (H, 1))).save(tmp_path / "deep.png")
    row = read_picture(tmp_path / "deep.png").bgr[0, :, 1].astype(int)
    assert row[0] == 0
    assert row[-1] == 255
    assert np.abs(row - ramp / 257).max() <= 0.5


def test_alpha_is_kept_and_an_opaque_one_is_none(tmp_path: Path) -> None:
    rgba = np.dstack([quadrants(), np.full((H, W), 255, np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "opaque.png")
    assert read_picture(tmp_path / "opaque.png").alpha is None
    rgba[:10, :, 3] = 51
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    Image.fromarray(rgba).convert("LA").save(tmp_path / "la.png")
    for name in ("rgba.png", "la.png"):
        alpha = read_picture(tmp_path / name).alpha
        assert alpha is not None
        assert alpha.dtype == np.float32
        assert alpha[0, 0] == pytest.approx(0.2)
        assert alpha[-1, -1] == 1.0


def test_palette_transparency(tmp_path: Path) -> None:
    palette = Image.fromarray(quadrants()).convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    palette.save(tmp_path / "cut.png", transparency=palette.getpixel((1, 1)))
    alpha = read_picture(tmp_path / "cut.png").alpha
    assert alpha is not None
    assert alpha[5, 5] == 0.0
    assert alpha[-5, -5] == 1.0


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_first_frame_of_an_animation(tmp_path: Path, suffix: str) -> None:
    first = Image.fromarray(quadrants())
    others = [Image.new("RGB", (W, H), c) for c in ("black", "red")]
    first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=others, duration=100)
    assert corners(read_picture(tmp_path / f"a.{suffix}").bgr) == UPRIGHT


def _jpeg_bytes() -> bytes:
    import io

    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG")
    return out.getvalue()


def _png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and then holds next to nothing: decoding it would fail or swallow memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


BAD = {
    "empty.jpg": (b"", "empty"),
    "text.jpg": (b"just some words\n" * 30, "not a picture"),
    "cut.jpg": (_jpeg_bytes()[:5000], "damaged"),
    "cut-late.jpg": (_jpeg_bytes()[:-400], "damaged"),
    "cut.png": (_png_header(640, 480), "damaged"),
    "tiny.png": (_png_header(1, 1), "smaller than 32x32"),
    "huge.png": (_png_header(30_000, 30_000), "30000x30000|more than the 100 million pixels|more pixels"),
    "large.png": (_png_header(13_000, 10_000), "13000x10000, more than the 100 million pixels"),
    "mad.png": (_png_header(2**31 - 1, 2**31 - 1), "pixels"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(tmp_path: Path, name: str) -> None:
    content, says = BAD[name]
    path = tmp_path / name
    path.write_bytes(content)
    for read in (read_picture, read_labels):
        with pytest.raises(PictureError, match=says) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 2


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        read_picture(tmp_path / "nowhere.jpg")
    with pytest.raises(PictureError, match="is a folder"):
        read_picture(tmp_path)


def test_the_limit_on_pixels_is_per_call(tmp_path: Path) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    (tmp_path / "huge.png").write_bytes(_png_header(30_000, 30_000))
    with warnings.catch_warnings(record=True) as seen, pytest.raises(PictureError):
        read_picture(tmp_path / "huge.png")
    assert not seen
    assert limit == Image.MAX_IMAGE_PIXELS
    assert MAX_PIXELS == 100_000_000


def test_labels_are_indices_not_colours(tmp_path: Path) -> None:
    labels = np.arange(H * W, dtype=np.uint8).reshape(H, W) % 20
    index = Image.new("P", (W, H))
    index.putdata(labels.ravel().tolist())
    index.putpalette(np.random.default_rng(1).integers(0, 256, 768, dtype=np.uint8).tobytes())
    index.save(tmp_path / "parse.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "parse.png"), labels)
    Image.fromarray(labels).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "grey.png"), labels)
    Image.fromarray(quadrants()).save(tmp_path / "colour.png")
    with pytest.raises(PictureError, match="one label a pixel"):
        read_labels(tmp_path / "colour.png")


def test_written_pictures_come_back(tmp_path: Path) -> None:
    bgr = np.random.default_rng(2).integers(0, 256, (H, W, 3), dtype=np.uint8)
    alpha = np.tile(np.linspace(0, 1, W, dtype=np.float32), (H, 1))
    write_picture(tmp_path / "a.png", bgr, alpha)
    back = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(back.bgr, bgr)
    assert back.alpha is not None
    np.testing.assert_allclose(back.alpha, alpha, atol=0.5 / 255 + 1e-6)
    write_picture(tmp_path / "b.jpg", quadrants()[:, :, ::-1])
    assert corners(read_picture(tmp_path / "b.jpg").bgr) == UPRIGHT
    assert {p.name for p in tmp_path.iterdir()} == {"a.png", "b.jpg"}


def test_a_picture_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bgr = np.zeros((H, W, 3), np.uint8)
    target = tmp_path / "a.png"
    write_picture(target, bgr)
    before = target.read_bytes()

    def disk_full(_image: Image.Image, file: object, **_: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", disk_full)
    with pytest.raises(RecordingError, match="No space left"):
        write_picture(target, bgr + 1)
    assert target.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_places_nobody_can_mean_are_refused(tmp_path: Path) -> None:
    bgr = np.zeros((H, W, 3), np.uint8)
    with pytest.raises(PictureError, match="suffix"):
        write_picture(tmp_path / "a.xyz", bgr)
    with pytest.raises(PictureError, match="no folder"):
        write_picture(tmp_path / "nowhere" / "a.png", bgr)
    with pytest.raises(PictureError, match="transparency"):
        write_picture(tmp_path / "a.jpg", bgr, np.ones((H, W), np.float32))
    (tmp_path / "b.png").mkdir()
    with pytest.raises(PictureError, match="is a folder"):
        write_picture(tmp_path / "b.png", bgr)


def test_is_picture_goes_by_name() -> None:
    assert is_picture("a/b.JPG")
    assert not is_picture("a/b.mp4")
    assert not is_picture("jpg")
