"""Checkpoints nobody should trust: each is refused in one line that names the file and the reason."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vastra_live.errors import WeightsError
from vastra_live.weights.checkpoint import differences, load_detectron2, load_torch

torch = pytest.importorskip("torch")

SHAPES = {"conv.weight": (4, 3, 3, 3), "conv.bias": (4,), "bn.num_batches_tracked": ()}


def state() -> OrderedDict[str, torch.Tensor]:
    return OrderedDict(
        {
            "conv.weight": torch.arange(108, dtype=torch.float32).reshape(4, 3, 3, 3),
            "conv.bias": torch.ones(4),
            "bn.num_batches_tracked": torch.tensor(3),
        }
    )


class Bomb:
    """Makes a folder when it is unpickled by somebody who trusts it."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.marker),)


def refusal(path: Path, load: Callable[..., object] = load_torch) -> str:
    with pytest.raises(WeightsError) as caught:
        load(path, SHAPES)
    text = str(caught.value)
    assert "weights_only" not in text, "torch's advice to open the file all the same is not passed on"
    assert str(path) in text and "\n" not in text and caught.value.exit_code == 2
    return text


@pytest.mark.parametrize("modern", [True, False])
def test_a_right_checkpoint_opens(tmp_path: Path, modern: bool) -> None:
    path = tmp_path / "net.pth"
    torch.save(state(), path, _use_new_zipfile_serialization=modern)
    loaded = load_torch(path, SHAPES)
    assert list(loaded) == list(SHAPES)
    assert torch.equal(loaded["conv.weight"], state()["conv.weight"])


@pytest.mark.parametrize("modern", [True, False])
def test_a_pickle_bomb_does_not_go_off(tmp_path: Path, modern: bool) -> None:
    path = tmp_path / "bomb.pth"
    torch.save({**state(), "extra": Bomb(tmp_path / "boom")}, path, _use_new_zipfile_serialization=modern)
    assert "mkdir" in refusal(path)
    assert not (tmp_path / "boom").exists()


def test_a_plain_pickle_bomb_does_not_go_off(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pkl"
    path.write_bytes(pickle.dumps({"model": Bomb(tmp_path / "boom")}))
    assert "mkdir" in refusal(path, load_detectron2)
    assert "holds more than numbers" in refusal(path)
    path.write_bytes(pickle.dumps({"model": Bomb(tmp_path / "boom")}, protocol=2))
    assert "mkdir" in refusal(path)
    assert not (tmp_path / "boom").exists()


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(5_000_000))
    assert "unpack" in refusal(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Google Drive can't scan this file", "web page"),
        (b"\n  <HTML>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "LFS"),
        (b"hello" * 100, "not a PyTorch checkpoint"),
        (b"PK\x03\x04" + bytes(200), "damaged"),
        (b"\x80\x02" + bytes(200), "damaged"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "gen.pth"
    path.write_bytes(content)
    assert reason in refusal(path)


def test_a_missing_file_names_the_command(tmp_path: Path) -> None:
    assert "weights pull" in refusal(tmp_path / "none.pth")


@pytest.mark.parametrize("modern", [True, False])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, modern: bool, keep: float) -> None:
    path = tmp_path / "net.pth"
    torch.save(state(), path, _use_new_zipfile_serialization=modern)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    assert "damaged or truncated" in refusal(path)


def test_what_differs_is_said(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    wrong = state()
    del wrong["conv.bias"]
    wrong["conv.weight"] = torch.zeros(4, 3, 1, 1)
    wrong["head.weight"] = torch.zeros(2)
    torch.save(wrong, path)
    text = refusal(path)
    assert "1 of 3 keys missing (conv.bias)" in text
    assert "1 unknown (head.weight)" in text
    assert "conv.weight is 4x3x1x1 instead of 4x3x3x3" in text


@pytest.mark.parametrize(
    ("content", "reason"),
    [(torch.zeros(3), "a Tensor"), ({}, "a dict"), ({"epoch": 3}, "a dict"), ([state()], "a list")],
)
def test_something_else_saved_by_torch_is_refused(tmp_path: Path, content: object, reason: str) -> None:
    path = tmp_path / "net.pth"
    torch.save(content, path)
    assert reason in refusal(path)


def test_values_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save({**state(), "conv.bias": torch.full((4,), float("nan"))}, path)
    assert "conv.bias" in refusal(path)


@pytest.mark.parametrize(
    ("change", "stored"),
    [
        (lambda value: value.to(torch.complex64), "strided, complex64 on cpu"),
        (lambda value: value.to_sparse(), "sparse_coo, float32 on cpu"),
        (lambda value: value.to(torch.int8), "strided, int8 on cpu"),
        (lambda value: value.to(torch.float8_e4m3fn), "strided, float8_e4m3fn on cpu"),
        (lambda value: value.to("meta"), "strided, float32 on meta"),
    ],
)
def test_numbers_that_only_look_like_weights_are_refused(
    tmp_path: Path, change: Callable[[torch.Tensor], torch.Tensor], stored: str
) -> None:
    values = state()
    values["conv.weight"] = change(values["conv.weight"])
    torch.save(values, path := tmp_path / "net.pth")
    said = refusal(path)
    assert f"conv.weight is not stored as plain floating point numbers but {stored}" in said


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_another_precision_opens(tmp_path: Path, dtype: torch.dtype) -> None:
    values = {key: value.to(dtype) if value.is_floating_point() else value for key, value in state().items()}
    torch.save(values, path := tmp_path / "net.pth")
    assert load_torch(path, SHAPES)["conv.weight"].dtype is dtype


def test_a_rename_is_applied_and_may_refuse(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save({f"old.{key}": value for key, value in state().items()}, path)
    assert set(load_torch(path, SHAPES, lambda s: {k.removeprefix("old."): v for k, v in s.items()})) == set(SHAPES)

    def refuse(_: object) -> dict[str, object]:
        raise ValueError("two keys become one")

    with pytest.raises(WeightsError, match="two keys become one"):
        load_torch(path, SHAPES, refuse)


def test_the_model_zoos_pickle_opens(tmp_path: Path) -> None:
    arrays = {key: value.numpy() for key, value in state().items()}
    derived = {
        "pixel_mean": np.zeros((3, 1, 1)),
        "proposal_generator.anchor_generator.cell_anchors.0": np.zeros((3, 4)),
    }
    path = tmp_path / "model_final.pkl"
    path.write_bytes(pickle.dumps({"model": {**arrays, **derived}, "__author__": "nobody"}, protocol=4))
    loaded = load_detectron2(path, SHAPES)
    assert set(loaded) == set(SHAPES)
    assert torch.equal(loaded["conv.weight"], state()["conv.weight"])
    path.write_bytes(path.read_bytes()[:500])
    assert "damaged" in refusal(path, load_detectron2)


@pytest.mark.parametrize("value", [[1, 2], np.array(["a"]), np.array([None])])
def test_the_model_zoos_pickle_holds_arrays_of_numbers(tmp_path: Path, value: object) -> None:
    path = tmp_path / "model_final.pkl"
    path.write_bytes(pickle.dumps({"model": {"conv.bias": value}}, protocol=4))
    assert "not an array of numbers" in refusal(path, load_detectron2)


def saved(modern: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(state(), buffer, _use_new_zipfile_serialization=modern)
    return buffer.getvalue()


WHOLE = {True: saved(True), False: saved(False)}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.booleans(), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_damage_is_a_refusal_or_the_right_keys(
    tmp_path: Path, modern: bool, changes: list[tuple[float, int]]
) -> None:
    content = bytearray(WHOLE[modern])
    for at, value in changes:
        content[int(at * (len(content) - 1))] = value
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    try:
        loaded = load_torch(path, SHAPES)
    except WeightsError as error:
        assert "\n" not in str(error)
    else:
        assert {key: tuple(value.shape) for key, value in loaded.items()} == SHAPES


def test_no_difference_is_none() -> None:
    assert differences(SHAPES, dict(SHAPES)) is None
