from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from vastra_live import errors
from vastra_live.types import Body, Category, Frame, Garment, Layer, Rendered, Shown, Sleeve


def a_frame(width: int = 64, height: int = 48) -> Frame:
    return Frame(np.zeros((height, width, 3), np.uint8), 0, 1, "test")


def a_body() -> Body:
    return Body(np.zeros((33, 3), np.float32), np.ones(33, np.float32), np.ones((48, 64), np.float32), 0)


def a_garment() -> Garment:
    picture = np.zeros((20, 10, 3), np.uint8)
    return Garment("tee", Category.UPPER, Sleeve.SHORT, picture, np.ones((20, 10), np.float32), {"neck_left": (6, 2)})


def test_arrays_are_shared_but_cannot_be_written() -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    frame = Frame(picture, 0, 1, "test")
    assert np.shares_memory(frame.bgr, picture)
    with pytest.raises(ValueError, match="read-only"):
        frame.bgr[0, 0, 0] = 1
    picture[0, 0, 0] = 9  # the owner still may
    assert frame.bgr[0, 0, 0] == 9


@pytest.mark.parametrize(
    ("bgr", "error", "words"),
    [
        (np.zeros((4, 4), np.uint8), ValueError, r"Frame.bgr: expected shape .*3.*, got \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), ValueError, "got .4, 4, 4."),
        (np.zeros((0, 4, 3), np.uint8), ValueError, "got .0, 4, 3."),
        (np.zeros((4, 4, 3), np.float32), TypeError, "expected a uint8 array, got float32"),
        ([[1]], TypeError, "got list"),
    ],
)
def test_a_wrong_picture_is_refused_naming_expected_and_got(bgr: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Frame(bgr, 0, 1, "test")  # type: ignore[arg-type]


def test_a_body_with_nan_is_refused() -> None:
    points = np.zeros((33, 3), np.float32)
    points[11, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        Body(points, np.ones(33, np.float32), np.ones((4, 4), np.float32), 0)


def test_everything_is_frozen() -> None:
    for thing in (a_frame(), a_body(), a_garment()):
        field = dataclasses.fields(thing)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, field, None)
    with pytest.raises(TypeError):
        a_garment().landmarks_px["neck_left"] = (0.0, 0.0)  # type: ignore[index]


def test_a_layer_without_affine_has_the_size_of_its_frame() -> None:
    small = np.zeros((24, 32, 3), np.uint8)
    alpha = np.ones((24, 32), np.float32)
    with pytest.raises(ValueError, match="without to_frame"):
        Layer(small, alpha, a_frame(), a_body(), a_garment())
    layer = Layer(small, alpha, a_frame(), a_body(), a_garment(), np.float32([[2, 0, 0.5], [0, 2, 0.5]]))
    assert layer.to_frame is not None


def test_before_and_after_have_one_size() -> None:
    with pytest.raises(ValueError, match="camera_bgr"):
        Rendered(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8), 0, 1, Shown.PLAIN)


def test_every_error_is_exported_documented_and_in_one_tree() -> None:
    found = {n for n, v in vars(errors).items() if isinstance(v, type) and issubclass(v, Exception)}
    assert found == set(errors.__all__)
    for name in found:
        kind = getattr(errors, name)
        assert issubclass(kind, errors.VastraError)
        assert kind.exit_code in (0, 2, 3)
        assert name in (errors.__doc__ or "")


def test_an_outfit_is_a_lower_garment_worn_with_an_upper_one() -> None:
    trousers = dataclasses.replace(a_garment(), name="jeans", category=Category.LOWER)
    assert dataclasses.replace(a_garment(), worn_with=trousers).worn_with is trousers
    with pytest.raises(ValueError, match="got upper with upper"):
        dataclasses.replace(a_garment(), worn_with=a_garment())
    with pytest.raises(ValueError, match="got lower with dress"):
        dataclasses.replace(a_garment(), category=Category.DRESS, worn_with=trousers)
