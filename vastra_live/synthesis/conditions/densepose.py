"""DensePose: which of 24 body parts a pixel shows (Güler et al. 2018), by detectron2, drawn as the training data is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.errors import MissingDependencyError, NothingToFitError
from vastra_live.types import U8

__all__ = ["PARTS", "DensePose", "PartsFinder", "draw_parts", "read_parts"]

PARTS: Final = 24
"""Part numbers are 1..24; 0 is background."""

# detectron2's set-up reads the torch that is installed, so it cannot be built in isolation; DensePose's asks for
# opencv-python-headless, a second OpenCV that would break the one that is there
INSTALL: Final = (
    "pip install torchvision av scipy && "
    "pip install --no-build-isolation 'git+https://github.com/facebookresearch/detectron2' && "
    "pip install --no-build-isolation --no-deps "
    "'git+https://github.com/facebookresearch/detectron2#subdirectory=projects/DensePose'"
)

_MIN_SCORE: Final = 0.8
_SHORTER_SIDE: Final = 800
_LONGER_SIDE: Final = 1333


class PartsFinder(Protocol):
    """Whatever finds the parts of the person in a picture: :class:`DensePose`, or a stand-in for it."""

    def parts(self, bgr: U8) -> U8:
        """(H, W) uint8 part numbers of the person who fills the picture most."""
        ...

    def warm_up(self, bgr: U8) -> None:
        """Make the slow first call for pictures of this size, whatever is in this one."""
        ...


def _colours() -> U8:
    """(256, 1, 3) uint8, OpenCV's form of a colour map; black but for the parts."""
    index = np.arange(1, PARTS + 1) * 255 // PARTS
    table = np.zeros((256, 1, 3), np.uint8)
    table[1 : PARTS + 1] = cv2.applyColorMap(index.astype(np.uint8)[:, None], cv2.COLORMAP_PARULA)
    return table


def draw_parts(parts: U8) -> U8:
    """Part numbers as the picture the try-on networks were trained with.

    Part i has colour i * 255 // 24 of OpenCV's Parula map, the background is black. The drawing is all the networks
    see; U and V are not in it.

    Args:
        parts: (H, W) uint8, 0..24.

    Returns:
        (H, W, 3) uint8, blue-green-red.

    Raises:
        ValueError: a part number is above 24.
    """
    if parts.size and int(parts.max()) > PARTS:
        raise ValueError(f"parts: expected 0..{PARTS}, got {int(parts.max())}")
    drawn: U8 = cv2.applyColorMap(parts, _colours())
    return drawn


def read_parts(drawing_bgr: U8) -> U8:
    """Part numbers of a drawing: of each pixel, the nearest of the 25 colours.

    Right inside a part. Where JPEG has blended two parts the blend may resemble a third, so use it to ask where the
    person is, not to draw anew.

    Args:
        drawing_bgr: (H, W, 3) uint8.
    """
    nearest = np.zeros(drawing_bgr.shape[:2], np.uint8)
    least = np.full(drawing_bgr.shape[:2], 255, np.uint8)
    for part, colour in enumerate(_colours()[: PARTS + 1, 0]):
        blue, green, red = cv2.split(cv2.absdiff(drawing_bgr, (*colour.tolist(), 0)))
        distance = cv2.max(cv2.max(blue, green), red)
        closer = distance < least
        nearest[closer] = part
        least[closer] = distance[closer]
    return nearest


class DensePose:
    """detectron2's ``densepose_rcnn_R_50_FPN_s1x``.

    Args:
        weights: ``model_final_162be9.pkl``.
        device: as torch names it; None takes CUDA where there is one, else the CPU.
        min_score: below it, a detection is nobody.

    Raises:
        MissingDependencyError: detectron2 or its DensePose project is not installed.
        WeightsError: the file is not this model's checkpoint.
    """

    def __init__(self, weights: Path, *, device: str | None = None, min_score: float = _MIN_SCORE) -> None:
        from vastra_live.weights import load_detectron2

        model = build_model(device, min_score)
        expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
        model.load_state_dict(load_detectron2(weights, expected), strict=True)
        self._model = model

    def parts(self, bgr: U8) -> U8:
        """Part numbers of the person who fills the picture most.

        Args:
            bgr: (H, W, 3) uint8.

        Returns:
            (H, W) uint8, 0..24.

        Raises:
            NothingToFitError: nobody is found.
        """
        return largest_person(self._model, bgr)

    def warm_up(self, bgr: U8) -> None:
        """Run every layer once, also those that look at a person, who need not be in the picture.

        Args:
            bgr: (H, W, 3) uint8, of the size that is to come.
        """
        run_every_layer(self._model, bgr)


def build_model(device: str | None, min_score: float) -> Any:
    """The network with its configuration, its weights still random; eval mode.

    The values are those of the project's ``Base-DensePose-RCNN-FPN.yaml`` and ``densepose_rcnn_R_50_FPN_s1x.yaml``;
    an installed ``densepose`` does not carry them.
    """
    try:
        import densepose
        import torch
        from detectron2 import config, modeling
    except ImportError as error:
        raise MissingDependencyError(
            f"DensePose needs detectron2 and its DensePose project ({error}); install them: {INSTALL}"
        ) from error

    cfg = config.get_cfg()
    densepose.add_densepose_config(cfg)
    net = cfg.MODEL
    net.META_ARCHITECTURE = "GeneralizedRCNN"
    net.DEVICE = device or ("cuda" if torch.cuda.is_available() else "cpu")
    net.WEIGHTS = ""
    net.BACKBONE.NAME = "build_resnet_fpn_backbone"
    net.RESNETS.DEPTH = 50
    net.RESNETS.OUT_FEATURES = net.FPN.IN_FEATURES = ["res2", "res3", "res4", "res5"]
    net.ANCHOR_GENERATOR.SIZES = [[32], [64], [128], [256], [512]]
    net.ANCHOR_GENERATOR.ASPECT_RATIOS = [[0.5, 1.0, 2.0]]
    net.RPN.IN_FEATURES = ["p2", "p3", "p4", "p5", "p6"]
    net.RPN.PRE_NMS_TOPK_TEST = net.RPN.POST_NMS_TOPK_TEST = 1000
    net.ROI_HEADS.NAME = "DensePoseROIHeads"
    net.ROI_HEADS.IN_FEATURES = ["p2", "p3", "p4", "p5"]
    net.ROI_HEADS.NUM_CLASSES = 1
    net.ROI_HEADS.SCORE_THRESH_TEST = min_score
    net.ROI_BOX_HEAD.NAME = "FastRCNNConvFCHead"
    net.ROI_BOX_HEAD.NUM_FC = 2
    net.ROI_BOX_HEAD.POOLER_RESOLUTION = 7
    net.ROI_BOX_HEAD.POOLER_SAMPLING_RATIO = 2
    net.ROI_BOX_HEAD.POOLER_TYPE = "ROIAlign"
    net.ROI_DENSEPOSE_HEAD.NAME = "DensePoseV1ConvXHead"
    net.ROI_DENSEPOSE_HEAD.POOLER_TYPE = "ROIAlign"
    net.ROI_DENSEPOSE_HEAD.NUM_COARSE_SEGM_CHANNELS = 2
    return modeling.build_model(cfg).eval()


def largest_person(model: Any, bgr: U8) -> U8:
    """What :meth:`DensePose.parts` does, with a model of :func:`build_model`."""
    import torch

    height, width = bgr.shape[:2]
    with torch.inference_mode():
        found = model([_asked(model, bgr)])[0]["instances"]
        if len(found) == 0:
            raise NothingToFitError("DensePose finds nobody in the picture")
        best = int(found.pred_boxes.area().argmax())
        labels, x, y = _labels(found[best : best + 1])
    return _paste(labels, x, y, (height, width))


def run_every_layer(model: Any, bgr: U8) -> None:
    """What :meth:`DensePose.warm_up` does: once as ever, then with the boxes given instead of found."""
    import torch
    from detectron2.structures import Boxes, Instances

    with torch.inference_mode():
        asked = _asked(model, bgr)
        model([asked])
        height, width = asked["image"].shape[1:]
        somebody = Instances((height, width))
        somebody.pred_boxes = Boxes(torch.tensor([[0.25 * width, 0.1 * height, 0.75 * width, float(height)]]))
        somebody.pred_classes = torch.zeros(1, dtype=torch.int64)
        _labels(model.inference([asked], detected_instances=[somebody])[0]["instances"])


def _asked(model: Any, bgr: U8) -> dict[str, Any]:
    """The picture as detectron2 takes it, on the model's device; in bytes, which the model subtracts its mean from."""
    import torch

    image = torch.from_numpy(_resized(bgr)).permute(2, 0, 1)
    if model.device.type == "cuda":
        image = image.pin_memory().to(model.device, non_blocking=True)
    return {"image": image, "height": bgr.shape[0], "width": bgr.shape[1]}


def _labels(found: Any) -> tuple[U8, int, int]:
    """Part numbers in the box of one instance, and where its corner is."""
    import torch
    from densepose.converters import resample_fine_and_coarse_segm_to_bbox

    x0, y0, x1, y1 = (int(v) for v in found.pred_boxes.tensor[0].tolist())
    box = (x0, y0, max(x1 - x0, 1), max(y1 - y0, 1))
    labels = resample_fine_and_coarse_segm_to_bbox(found.pred_densepose, box)
    return labels[0].to("cpu", torch.uint8).numpy(), x0, y0


def _resized(bgr: U8) -> npt.NDArray[np.uint8]:
    """As detectron2's own predictor does before the network: shorter side 800, longer at most 1333, by Pillow."""
    from PIL import Image

    height, width = bgr.shape[:2]
    scale = min(_SHORTER_SIDE / min(height, width), _LONGER_SIDE / max(height, width))
    size = int(width * scale + 0.5), int(height * scale + 0.5)
    # a copy: what Pillow shows as an array cannot be written to, which torch warns of
    return np.array(Image.fromarray(bgr).resize(size, Image.Resampling.BILINEAR))


def _paste(labels: U8, x: int, y: int, shape: tuple[int, int]) -> U8:
    parts = np.zeros(shape, np.uint8)
    part = parts[max(y, 0) : y + labels.shape[0], max(x, 0) : x + labels.shape[1]]
    part[:] = labels[max(-y, 0) :, max(-x, 0) :][: part.shape[0], : part.shape[1]]
    return parts
