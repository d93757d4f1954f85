"""HR-VITON as a synthesizer: a real person, true labels, and networks that paint everything red."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from vastra_live.errors import MissingDependencyError, NothingToFitError, SynthesisError, WeightsError
from vastra_live.pictures import read_labels, read_picture
from vastra_live.synthesis.base import Progress, Synthesizer
from vastra_live.synthesis.conditions.cloth import ClothConditions, prepare_cloth
from vastra_live.synthesis.conditions.crop import Crop, frame_person
from vastra_live.synthesis.conditions.densepose import draw_parts, read_parts
from vastra_live.synthesis.conditions.keypoints import complete_torso, from_blazepose
from vastra_live.synthesis.conditions.labels import Cihp, LabelSet
from vastra_live.synthesis.conditions.person import PersonConditions, prepare_person
from vastra_live.synthesis.fallback import gpu_memory_is_full
from vastra_live.synthesis.hrviton.cover import Cover
from vastra_live.types import Body, Category, Frame, Garment, Sleeve
from vastra_live.weights import Store

torch = pytest.importorskip("torch")

from vastra_live.synthesis.hrviton.accelerate import Keyframe  # noqa: E402 - needs torch
from vastra_live.synthesis.hrviton.synthesizer import HrVitonSynthesizer, dress, open_engine, open_hr_viton, require  # noqa: E402

SIZE = (384, 512)
RED = (0, 0, 255)


@dataclass
class RedEngine:
    """Paints red and says that the garment goes where the top was."""

    label7: np.ndarray
    width: int = SIZE[0]
    height: int = SIZE[1]
    worn: int = 0
    persons: list[PersonConditions] = field(default_factory=list)
    name: str = "hr-viton red"

    def wear(self, cloth: ClothConditions) -> None:
        assert cloth.mask.shape == (self.height, self.width)
        self.worn += 1

    def __call__(self, person: PersonConditions, progress: Progress = lambda _stage, _done: None) -> Keyframe:
        self.persons.append(person)
        progress("condition generator", 0.0)
        progress("generator", 0.5)
        picture = np.full((self.height, self.width, 3), RED, np.uint8)
        return Keyframe(picture, self.label7.astype(np.uint8), torch.ones(1, 1, self.height, self.width))


@dataclass
class Known:
    """A parser or a DensePose that knows the answer."""

    answer: np.ndarray
    numbering: LabelSet = LabelSet.CIHP

    def labels(self, bgr: np.ndarray) -> np.ndarray:
        assert bgr.shape[:2] == self.answer.shape
        return self.answer

    parts = labels

    def warm_up(self, bgr: np.ndarray) -> None:
        assert bgr.shape[:2] == self.answer.shape


@dataclass
class Scene:
    frame: Frame
    body: Body
    crop: Crop
    parse: np.ndarray
    parts: np.ndarray

    def synthesizer(self, label7: np.ndarray | None = None, **options: object) -> tuple[HrVitonSynthesizer, RedEngine]:
        engine = RedEngine(np.where(self.parse == Cihp.UPPER_CLOTHES, 2, 0) if label7 is None else label7)
        stages = (engine, Known(self.parts), Known(self.parse))
        return HrVitonSynthesizer(*stages, **options), engine  # type: ignore[arg-type]


def seen_by_blazepose(shared: Path) -> tuple[Frame, Body]:
    """A data set's person as a frame, and the body in it."""
    from vastra_live.tracking.body import BlazePoseTracker

    frame = Frame(np.ascontiguousarray(read_picture(shared / "people/00121/image.jpg").bgr), 0, 0, "00121")
    tracker = BlazePoseTracker(static=True)
    try:
        body = tracker.track(frame)
    finally:
        tracker.close()
    assert body is not None
    return frame, body


@pytest.fixture(scope="module")
def scene(shared: Path) -> Scene:
    """A data set's person, seen by BlazePose; parse and DensePose are the data set's own, in the crop."""
    folder = shared / "people/00121"
    frame, body = seen_by_blazepose(shared)
    crop = frame_person(complete_torso(from_blazepose(body)), frame.size, SIZE)
    parse, parts = (
        cv2.warpAffine(labels, crop.to_crop, SIZE, flags=cv2.INTER_NEAREST)
        for labels in (read_labels(folder / "parse.png"), read_parts(read_picture(folder / "densepose.jpg").bgr))
    )
    return Scene(frame, body, crop, parse, parts)


@pytest.fixture
def tee() -> Garment:
    alpha = np.zeros((200, 160), np.float32)
    alpha[40:160, 30:130] = 1
    return Garment("tee", Category.UPPER, Sleeve.SHORT, np.full((200, 160, 3), 90, np.uint8), alpha, {})


def test_the_layer_covers_the_top_and_what_was_remade(scene: Scene, tee: Garment) -> None:
    synthesizer, _ = scene.synthesizer()
    assert isinstance(synthesizer, Synthesizer)
    layer = synthesizer.synthesize(scene.frame, scene.body, tee)
    assert layer.bgr.shape == (*SIZE[::-1], 3)
    assert_array_equal(layer.bgr[0, 0], RED)
    assert_allclose(layer.to_frame, scene.crop.to_frame)
    top = cv2.erode((scene.parse == Cihp.UPPER_CLOTHES).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert layer.alpha[top].min() > 0.99
    neck = cv2.erode((scene.parse == Cihp.NECK).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert layer.alpha[neck].min() > 0.99
    others = np.isin(scene.parse, (Cihp.BACKGROUND, Cihp.FACE, Cihp.TROUSERS))
    away = cv2.erode(others.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    assert layer.alpha[away].max() < 0.01
    assert 0 < ((layer.alpha > 0.1) & (layer.alpha < 0.9)).mean() < 0.05, "a soft edge"


def test_over_the_frame_it_lies_on_the_worn_top(scene: Scene, shared: Path, tee: Garment) -> None:
    synthesizer, _ = scene.synthesizer()
    layer = synthesizer.synthesize(scene.frame, scene.body, tee)
    alpha = cv2.warpAffine(layer.alpha, layer.to_frame, scene.frame.size, flags=cv2.INTER_LINEAR) > 0.5
    truth = read_labels(shared / "people/00121/parse.png")
    worn = np.isin(truth, (Cihp.UPPER_CLOTHES, Cihp.NECK, Cihp.LEFT_ARM, Cihp.RIGHT_ARM))
    assert (alpha & worn).sum() / (alpha | worn).sum() > 0.85


def test_hair_that_stays_hair_is_the_cameras_own(scene: Scene, tee: Garment) -> None:
    parse, label7 = scene.parse.copy(), np.where(scene.parse == Cihp.UPPER_CLOTHES, 2, 0)
    lock = np.s_[220:280, 180:200]
    parse[lock] = Cihp.HAIR
    label7[lock] = 3
    longhaired = Scene(scene.frame, scene.body, scene.crop, parse, scene.parts)
    layer = longhaired.synthesizer(label7)[0].synthesize(scene.frame, scene.body, tee)
    assert layer.alpha[240:260, 186:194].max() < 0.01
    label7[lock] = 2
    layer = longhaired.synthesizer(label7)[0].synthesize(scene.frame, scene.body, tee)
    assert layer.alpha[240:260, 186:194].min() > 0.99


def test_bystanders_are_nobody(scene: Scene, tee: Garment) -> None:
    parse = scene.parse.copy()
    parse[100:300, :25] = Cihp.UPPER_CLOTHES
    crowd = Scene(scene.frame, scene.body, scene.crop, parse, scene.parts)
    synthesizer, engine = crowd.synthesizer(np.where(scene.parse == Cihp.UPPER_CLOTHES, 2, 0))
    layer = synthesizer.synthesize(scene.frame, scene.body, tee)
    assert layer.alpha[:, :20].max() < 0.01
    assert (engine.persons[0].parse_agnostic[:, :20] == 0).all()


def test_the_garment_is_prepared_once(scene: Scene, tee: Garment) -> None:
    synthesizer, engine = scene.synthesizer()
    for _ in range(3):
        synthesizer.synthesize(scene.frame, scene.body, tee)
    assert engine.worn == 1 and len(engine.persons) == 3
    other = Garment("other", tee.category, tee.sleeve, tee.bgr, tee.alpha, {})
    synthesizer.synthesize(scene.frame, scene.body, other)
    assert engine.worn == 2


def test_somebody_cut_off_at_the_chest(scene: Scene, tee: Garment) -> None:
    """Camera on a desk: the lower part of the crop is beyond the frame; nothing is shown or parsed there."""
    rows = 450
    body = Body(scene.body.landmarks_px, scene.body.visibility, scene.body.person_alpha[:rows].copy(), 0)
    frame = Frame(np.ascontiguousarray(scene.frame.bgr[:rows]), 0, 0, "desk")
    crop = frame_person(complete_torso(from_blazepose(body)), frame.size, SIZE)
    full = np.full(SIZE[::-1], Cihp.UPPER_CLOTHES, np.uint8)
    engine = RedEngine(np.full(SIZE[::-1], 2, np.uint8))
    synthesizer = HrVitonSynthesizer(engine, Known(np.full_like(full, 2)), Known(full))  # type: ignore[arg-type]
    layer = synthesizer.synthesize(frame, body, tee)
    beyond = ~crop.inside()
    assert beyond.mean() > 0.2
    assert (engine.persons[0].densepose_bgr[beyond] == 0).all()
    assert layer.alpha[cv2.erode(beyond.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0].max() < 0.01


def test_nobody_for_densepose_is_nothing_to_fit(scene: Scene, tee: Garment) -> None:
    nobody = Scene(scene.frame, scene.body, scene.crop, scene.parse, np.zeros_like(scene.parts))
    with pytest.raises(NothingToFitError, match="DensePose"):
        nobody.synthesizer()[0].synthesize(scene.frame, scene.body, tee)


def test_every_stage_can_be_watched(scene: Scene, tee: Garment) -> None:
    seen: dict[str, np.ndarray] = {}
    synthesizer, _ = scene.synthesizer(watch=seen.__setitem__)
    synthesizer.synthesize(scene.frame, scene.body, tee)
    assert list(seen) == [
        "frame", "crop", "keypoints", "parse", "densepose", "agnostic", "parse-agnostic", "cloth", "cloth-mask",
        "labels", "warped-mask", "dressed", "layer-alpha",
    ]  # fmt: skip
    assert all(picture.dtype == np.uint8 and picture.ndim == 3 for picture in seen.values())


def test_every_stage_is_told_and_the_share_only_grows(scene: Scene, tee: Garment) -> None:
    told: list[tuple[str, float]] = []
    synthesizer, _ = scene.synthesizer(progress=lambda stage, done: told.append((stage, done)))
    synthesizer.synthesize(scene.frame, scene.body, tee)
    assert [stage for stage, _ in told] == ["densepose", "parsing", "conditions", "condition generator", "generator"]
    shares = [done for _, done in told]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] < 1


def test_prepared_conditions_are_dressed_without_the_stages(scene: Scene, tee: Garment) -> None:
    person = prepare_person(
        scene.crop.cut(scene.frame.bgr),
        complete_torso(from_blazepose(scene.body)).moved(scene.crop.to_crop),
        scene.parse,
        draw_parts(scene.parts),
    )
    engine = scene.synthesizer()[1]
    picture = dress(engine, person, prepare_cloth(tee, SIZE))  # type: ignore[arg-type]
    assert engine.worn == 1
    assert_array_equal(picture, np.broadcast_to(np.array(RED, np.uint8), (*SIZE[::-1], 3)))


@pytest.mark.parametrize("category", [Category.LOWER, Category.DRESS])
def test_what_is_no_top_is_not_dressed(scene: Scene, tee: Garment, category: Category) -> None:
    other = Garment("slip", category, Sleeve.NONE, tee.bgr, tee.alpha, {})
    with pytest.raises(NothingToFitError, match="hr-viton was trained on tops"):
        scene.synthesizer()[0].synthesize(scene.frame, scene.body, other)


def test_nor_is_an_outfit(scene: Scene, tee: Garment) -> None:
    jeans = Garment("jeans", Category.LOWER, Sleeve.NONE, tee.bgr, tee.alpha, {})
    with pytest.raises(NothingToFitError, match="tee is worn with jeans: hr-viton was trained on tops alone"):
        scene.synthesizer()[0].synthesize(scene.frame, scene.body, replace(tee, worn_with=jeans))


def test_closed_is_closed(scene: Scene, tee: Garment) -> None:
    synthesizer, _ = scene.synthesizer()
    synthesizer.close()
    synthesizer.close()
    with pytest.raises(RuntimeError, match="closed"):
        synthesizer.synthesize(scene.frame, scene.body, tee)


@pytest.mark.parametrize("beside", [False, True])
def test_closed_by_another_thread_a_keyframe_ends_at_its_next_stage(scene: Scene, tee: Garment, beside: bool) -> None:
    painting, closed, blocks = threading.Event(), threading.Event(), list[int]()

    class Slow(RedEngine):
        def __call__(self, person: PersonConditions, progress: Progress = lambda _stage, _done: None) -> Keyframe:
            for block in range(8):
                progress("generator", block / 8)
                blocks.append(block)
                painting.set()
                assert closed.wait(10)
            return super().__call__(person, progress)

    engine = Slow(scene.parse)
    stages = (engine, Known(scene.parts), Known(scene.parse))
    synthesizer = HrVitonSynthesizer(*stages, beside=beside)  # type: ignore[arg-type]
    errors: list[BaseException] = []

    def make() -> None:
        try:
            synthesizer.synthesize(scene.frame, scene.body, tee)
        except RuntimeError as error:
            errors.append(error)

    maker = threading.Thread(target=make)
    maker.start()
    assert painting.wait(10)
    closer = threading.Thread(target=synthesizer.close)
    closer.start()
    while synthesizer._stages is not None:
        time.sleep(0.001)
    closed.set()
    maker.join(10)
    closer.join(10)
    assert not maker.is_alive() and blocks == [0]
    assert "closed" in str(errors[0]) and engine.persons == []


def test_without_weights_the_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"hr-viton needs mtviton\.pth, gen\.pth in .*: vastra-live weights pull hr-viton"
    ):
        open_engine(Store(tmp_path))


def test_what_is_missing_is_said_before_anything_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    there = {"torch", "onnxruntime"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in there else None)
    with pytest.raises(MissingDependencyError, match=r"detectron2 and densepose; install it: pip install"):
        open_hr_viton(store)
    there |= {"detectron2", "densepose"}
    (tmp_path / "gen.pth").write_bytes(b"a file")
    with pytest.raises(WeightsError, match=r"mtviton\.pth, model_final_162be9\.pkl, parsing_lip\.onnx.*pull hr-viton"):
        open_hr_viton(store)
    (tmp_path / "parsing_atr.onnx").write_bytes(b"a file")
    with pytest.raises(WeightsError, match=r"needs mtviton\.pth, model_final_162be9\.pkl in"):
        require(store)
    for name in ("mtviton.pth", "model_final_162be9.pkl"):
        (tmp_path / name).write_bytes(b"a file")
    require(store)


class Meeting:
    """Two stages that each wait until the other has begun: it ends only where both are under way at once."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2, timeout=10)
        self.threads: dict[str, set[str]] = {}

    def come(self, who: str) -> None:
        self.note(who)
        self._barrier.wait()

    def note(self, who: str) -> None:
        self.threads.setdefault(who, set()).add(threading.current_thread().name)


def test_densepose_runs_beside_the_parser_and_half_the_alpha_beside_the_networks(
    scene: Scene, tee: Garment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What overlaps waits for its other half; all that is torch's stays on one thread, warm-up included."""
    stages, painting = Meeting(), Meeting()

    class Parts(Known):
        def parts(self, _: np.ndarray) -> np.ndarray:
            stages.come("networks")
            return self.answer

        def warm_up(self, _: np.ndarray) -> None:
            stages.note("networks")

    class Labels(Known):
        warm = False

        def labels(self, _: np.ndarray) -> np.ndarray:
            if self.warm:
                stages.come("parser")
            self.warm = True
            return self.answer

    class Engine(RedEngine):
        def wear(self, _: ClothConditions) -> None:
            stages.note("networks")

        def warm_up(self) -> None:
            stages.note("networks")

        def __call__(self, person: PersonConditions, progress: Progress = lambda _stage, _done: None) -> Keyframe:
            stages.note("networks")
            painting.come("engine")
            return super().__call__(person, progress)

    class Halves(Cover):
        def __init__(self, person: PersonConditions, crop: Crop) -> None:
            painting.come("alpha")
            super().__init__(person, crop)

    monkeypatch.setattr("vastra_live.synthesis.hrviton.synthesizer.Cover", Halves)
    engine = Engine(np.where(scene.parse == Cihp.UPPER_CLOTHES, 2, 0))
    told: list[str] = []
    synthesizer = HrVitonSynthesizer(
        engine,  # type: ignore[arg-type]
        Parts(scene.parts),
        Labels(scene.parse),
        progress=lambda stage, _: told.append(stage),
        beside=True,
    )
    synthesizer.warm_up()
    layers = [synthesizer.synthesize(scene.frame, scene.body, tee) for _ in range(2)]
    here = threading.current_thread().name
    assert stages.threads == {"networks": {"vastra-networks_0"}, "parser": {here}}
    assert painting.threads == {"engine": {"vastra-networks_0"}, "alpha": {here}}
    alone = scene.synthesizer()[0]
    monkeypatch.undo()
    assert_array_equal(layers[1].alpha, alone.synthesize(scene.frame, scene.body, tee).alpha)
    assert told[:3] == ["densepose", "parsing", "conditions"]
    synthesizer.close()
    synthesizer.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("vastra-networks")]


@pytest.mark.parametrize("first", ["densepose", "parser"])
def test_of_two_stages_that_fail_the_first_error_is_raised_and_none_goes_on(
    scene: Scene, tee: Garment, first: str
) -> None:
    failed = {"densepose": threading.Event(), "parser": threading.Event()}
    second = {"densepose": "parser", "parser": "densepose"}[first]

    def fail(who: str, error: Exception) -> None:
        if who == second:
            assert failed[first].wait(10)
            time.sleep(0.05)  # the first error is on its way out of its thread
        failed[who].set()
        raise error

    class Parts(Known):
        def parts(self, _: np.ndarray) -> np.ndarray:
            fail("densepose", torch.cuda.OutOfMemoryError("CUDA out of memory"))
            return self.answer

    class Labels(Known):
        def labels(self, _: np.ndarray) -> np.ndarray:
            fail("parser", SynthesisError("the human parser failed"))
            return self.answer

    engine = RedEngine(scene.parse)
    synthesizer = HrVitonSynthesizer(engine, Parts(scene.parts), Labels(scene.parse), beside=True)  # type: ignore[arg-type]
    wanted = {"densepose": torch.cuda.OutOfMemoryError, "parser": SynthesisError}[first]
    with pytest.raises(wanted) as told:
        synthesizer.synthesize(scene.frame, scene.body, tee)
    assert failed[second].is_set(), "nothing is left running"
    assert gpu_memory_is_full(told.value) == (first == "densepose")
    synthesizer.close()
