"""A folder in the published layout runs straight through: the stored stage outputs come out of its files."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from vastra_live.errors import GarmentError, InputError, PictureError
from vastra_live.pictures import read_labels, read_picture
from vastra_live.synthesis.conditions.cloth import ClothConditions, prepare_cloth
from vastra_live.synthesis.conditions.dataset import find_published, read_cloth, read_pairs, read_person
from vastra_live.synthesis.conditions.person import PersonConditions
from vastra_live.types import Category, Garment, Sleeve


def test_the_stages_of_the_folder(published: Path, shared: Path) -> None:
    person = read_person(published, "00006_00")
    assert_array_equal(person.agnostic_bgr, read_picture(shared / "reference/prep/00006_00-agnostic.png").bgr)
    assert_array_equal(person.parse_agnostic, read_labels(shared / "people/00006/parse-agnostic.png"))
    drawn = person.drawn()
    assert list(drawn) == ["crop", "keypoints", "parse", "densepose", "agnostic", "parse-agnostic"]
    assert all(picture.shape == (1024, 768, 3) and picture.dtype == np.uint8 for picture in drawn.values())


def test_without_the_agnostic_parse_it_is_made(published: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(published, root)
    shutil.rmtree(root / "image-parse-agnostic-v3.2")
    theirs = read_person(published, "00006_00").parse_agnostic
    assert (read_person(root, "00006_00").parse_agnostic == theirs).mean() > 0.99


def load_fill(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fill", shared / "reference/fill.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_whole_path_up_to_the_generator(published: Path, shared: Path) -> None:
    """From the files to the generator's input, against the stored outputs of every stage (reference, 4 and 8)."""
    torch = pytest.importorskip("torch")
    from vastra_live.synthesis.hrviton import path
    from vastra_live.synthesis.hrviton.inputs import to_inputs
    from vastra_live.synthesis.hrviton.networks import ConditionGenerator

    stages = np.load(shared / "reference/hrviton-path.npz")
    tocg = np.load(shared / "reference/hrviton-tocg-full.npz")
    inputs = to_inputs(read_person(published, "00006_00"), read_cloth(published, "001"))
    assert_allclose(inputs.agnostic[..., ::8, ::8], stages["agnostic_s8"], atol=1e-6)
    assert_allclose(inputs.densepose[..., ::8, ::8], stages["densepose_s8"], atol=1e-6)
    cloth, person = (
        path.cloth_input(inputs.cloth, inputs.cloth_mask),
        path.person_input(inputs.parse_agnostic, inputs.densepose),
    )
    assert_allclose(cloth, tocg["input1"], atol=1e-6)
    assert_array_equal(person[:, :13].argmax(1), tocg["parse_agnostic_label"])
    assert_allclose(person[:, 13:], tocg["densepose"], atol=1e-6)

    network = ConditionGenerator().eval()
    load_fill(shared).load_into(network, "public")
    seen: dict[str, object] = {}

    def generator(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        seen["labels"] = labels.argmax(1)
        return x[:, :3]

    with torch.inference_mode():
        result = path.run(inputs, network, generator, handle_occlusion=True)
    assert_allclose(result.composed[..., ::4, ::4], stages["segmentation_composed_s4"], atol=5e-3)
    assert_allclose(result.blurred[..., ::8, ::8], stages["gauss_out_s8"], atol=5e-3)
    assert (result.label13.numpy() != stages["label13"]).mean() <= 5e-4
    assert (np.asarray(seen["labels"]) != stages["label7"]).mean() <= 5e-4
    assert_allclose(result.garment.visible_mask[..., ::8, ::8], stages["warped_mask_after_s8"], atol=5e-3)
    off = np.abs(result.garment.visible_cloth[..., ::8, ::8].numpy() - stages["warped_cloth_occlusion_on_s8"])
    assert off.max() <= 2e-2 and off.mean() <= 1e-4


def small_folder(root: Path, size: tuple[int, int] = (96, 128)) -> Path:
    """A published folder with one flat person and cloth."""
    width, height = size
    points = [[0.0, 0.0, 0.0]] * 25
    for index, (x, y) in {1: (0.5, 0.3), 2: (0.3, 0.3), 5: (0.7, 0.3), 9: (0.4, 0.7), 12: (0.6, 0.7)}.items():
        points[index] = [x * width, y * height, 1.0]
    for folder, mode in {
        "image": "RGB", "image-densepose": "RGB", "cloth": "RGB", "image-parse-v3": "L", "cloth-mask": "L",
    }.items():  # fmt: skip
        (root / folder).mkdir(parents=True)
        Image.new(mode, size, 5 if folder == "image-parse-v3" else 200 if mode == "L" else (200, 100, 50)).save(
            root / folder / "a.png"
        )
    (root / "openpose_json").mkdir()
    flat = [value for point in points for value in point]
    (root / "openpose_json/a_keypoints.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": flat}]}))
    return root


def test_another_size_is_resampled_points_and_all(tmp_path: Path) -> None:
    root = small_folder(tmp_path)
    person = read_person(root, "a", (192, 256))
    assert person.bgr.shape == (256, 192, 3)
    assert_allclose(person.keypoints.points_px[1], (96, 76.8))
    assert_array_equal(read_cloth(root, "a", (48, 64)).mask, np.ones((64, 48)))


def test_another_ratio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"96x96; expected the ratio 768:1024"):
        read_person(small_folder(tmp_path, (96, 96)), "a")


def test_a_label_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    root = small_folder(tmp_path)
    Image.new("L", (96, 128), 20).save(root / "image-parse-v3/a.png")
    with pytest.raises(PictureError, match="label 20"):
        read_person(root, "a", (96, 128))


@pytest.mark.parametrize("folder", ["image", "image-parse-v3", "image-densepose"])
def test_a_missing_file_is_named(tmp_path: Path, folder: str) -> None:
    root = small_folder(tmp_path)
    (root / folder / "a.png").unlink()
    with pytest.raises(PictureError, match=f"{folder}/a.jpg"):
        read_person(root, "a", (96, 128))


def test_a_picture_in_a_published_folder_is_known(tmp_path: Path) -> None:
    root = small_folder(tmp_path / "data")
    assert find_published(root / "image/a.png") == (root.resolve(), "a")
    assert find_published(root / "cloth/a.png", "cloth") == (root.resolve(), "a")
    assert find_published(root / "cloth/a.png") is None
    assert find_published(tmp_path / "a.png") is None


def test_pairs(tmp_path: Path) -> None:
    file = tmp_path / "test_pairs.txt"
    file.write_text("00006_00.jpg 001.jpg\n\n00121_00.jpg 00057_00.jpg\n")
    assert read_pairs(file) == [("00006_00", "001"), ("00121_00", "00057_00")]
    file.write_text("00006_00.jpg\n")
    with pytest.raises(InputError, match=r"test_pairs\.txt:1"):
        read_pairs(file)
    with pytest.raises(InputError, match="cannot be read"):
        read_pairs(tmp_path / "none.txt")


def garment(alpha: np.ndarray) -> Garment:
    bgr = np.zeros((*alpha.shape, 3), np.uint8)
    bgr[:] = (10, 120, 240)
    return Garment("tee", Category.UPPER, Sleeve.SHORT, bgr, alpha.astype(np.float32), {})


@pytest.mark.parametrize("box", [(20, 30, 60, 50), (5, 5, 40, 100), (0, 0, 400, 300)])
def test_a_garment_fills_the_cloth_picture_as_in_training(box: tuple[int, int, int, int]) -> None:
    x, y, width, height = box
    alpha = np.zeros((300, 400))
    alpha[y : y + height, x : x + width] = 1
    cloth = prepare_cloth(garment(alpha), (192, 256))
    rows, columns = np.nonzero(cloth.mask.any(axis=1))[0], np.nonzero(cloth.mask.any(axis=0))[0]
    filled = np.ptp(columns) + 1, np.ptp(rows) + 1
    assert max(filled[0] / 192, filled[1] / 256) == pytest.approx(0.815, abs=0.02)
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(191 / 2, abs=1.5)
    assert (rows[0] + rows[-1]) / 2 == pytest.approx(255 / 2, abs=1.5)
    assert_array_equal(cloth.bgr[0, 0], (255, 255, 255))
    assert_allclose(cloth.bgr[128, 96], (10, 120, 240), atol=1)


def test_an_empty_garment_is_refused() -> None:
    with pytest.raises(GarmentError, match="tee"):
        prepare_cloth(garment(np.zeros((50, 40))))


def test_wrong_arrays_are_refused(tmp_path: Path) -> None:
    person = read_person(small_folder(tmp_path), "a", (96, 128))
    wrong = {name: getattr(person, name) for name in PersonConditions.__slots__}
    wrong["parse"] = person.parse[:-1]
    with pytest.raises(ValueError, match=r"PersonConditions.parse: expected \(128, 96\)"):
        PersonConditions(**wrong)
    with pytest.raises(ValueError, match=r"ClothConditions.mask"):
        ClothConditions(person.bgr, person.parse[:-1])
