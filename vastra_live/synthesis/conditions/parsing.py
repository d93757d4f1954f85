"""Human parsing: what each pixel of a person shows, by an ONNX model in onnxruntime, in CIHP numbering.

The models are SCHP's (Li et al. 2020), trained on LIP (20 classes, 473 x 473) or ATR (18 classes, 512 x 512).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.errors import GpuMemoryError, MissingDependencyError, SynthesisError, WeightsError
from vastra_live.synthesis.conditions.keypoints import Keypoints, Point
from vastra_live.synthesis.conditions.labels import Cihp, LabelSet
from vastra_live.types import U8

__all__ = ["CHIN", "OnnxParser", "find_neck"]

# ImageNet's statistics, blue-green-red as the models take their pictures.
_MEAN: Final = np.array([0.406, 0.456, 0.485], np.float32)
_STD: Final = np.array([0.225, 0.224, 0.229], np.float32)

CHIN: Final = 0.41
"""Where the face ends on the way from the nose (0) to the shoulders' middle (1): the median of six VITON-HD parses."""
_STRIP: Final = 4096
_GPU: Final = "CUDAExecutionProvider"

# What onnxruntime's CUDA provider says of a full memory. Its errors (RuntimeException, Fail, EPFail) have no kind for
# it, and the first of these is also what it says of the machine's own memory.
_FULL: Final = (
    "Failed to allocate memory for requested buffer",
    "CUDA failure 2: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    # the same since cuDNN 9
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
)

_NECK_ENDS: Final = 1.3
_NECK_HALF_WIDTH: Final = 0.3  # in shoulder widths


class OnnxParser:
    """One parser, opened.

    Args:
        path: the ONNX file: one input (1, 3, h, w), and among its outputs at least one (1, classes, h', w') of
            class scores. SCHP's exports have several; the last of them is the fused one.
        numbering: what its classes mean.
        providers: of onnxruntime, in order of preference; None takes CUDA where it is there, and the CPU.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
        WeightsError: the file is not such a model.
        GpuMemoryError: the GPU has no room for it.
    """

    def __init__(self, path: Path, numbering: LabelSet, providers: Sequence[str] | None = None) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingDependencyError(
                "the human parser needs onnxruntime; install it: pip install 'vastra-live[synthesis]'"
            ) from error
        self.numbering = numbering
        self._session = _open(onnxruntime, path, providers)
        self._failures = _failures(onnxruntime)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self._input: str = inputs[0].name
        shape = inputs[0].shape
        if len(inputs) != 1 or len(shape) != 4 or shape[1] != 3 or not all(isinstance(n, int) for n in shape[2:]):
            raise WeightsError(
                f"{path}: is not a human parser: expected one input (1, 3, h, w), got "
                f"{[tuple(i.shape) for i in inputs]}"
            )
        self._size = int(shape[3]), int(shape[2])
        scores = [o.name for o in outputs if len(o.shape) == 4 and o.shape[1] == numbering.classes]
        if not scores:
            raise WeightsError(
                f"{path}: is not a parser with the {numbering.classes} classes of {numbering.value}: its outputs are "
                f"{[tuple(o.shape) for o in outputs]}"
            )
        self._output = scores[-1]

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height of what the model sees."""
        return self._size

    @property
    def on_gpu(self) -> bool:
        """Whether onnxruntime runs the model on a GPU."""
        providers: list[str] = self._session.get_providers()
        return providers[0] != "CPUExecutionProvider"

    def labels(self, bgr: U8) -> U8:
        """The class of every pixel, in the model's own numbering.

        Args:
            bgr: (H, W, 3) uint8, one person; any size.

        Returns:
            (H, W) uint8.

        Raises:
            GpuMemoryError: the GPU has no room for this picture.
            SynthesisError: the model failed on it for another reason.
        """
        height, width = bgr.shape[:2]
        to_model = _into(width, height, self._size)
        seen = cv2.warpAffine(bgr, to_model, self._size, flags=cv2.INTER_LINEAR)
        tensor = ((seen.astype(np.float32) / 255 - _MEAN) / _STD).transpose(2, 0, 1)[None]
        try:
            (scores,) = self._session.run([self._output], {self._input: np.ascontiguousarray(tensor)})
        except self._failures as error:
            if self.on_gpu:
                _raise_if_full(error)
            raise SynthesisError(f"the human parser failed: {_one_line(error)}") from error
        return _argmax(scores[0], to_model, self._size, (width, height))


def _open(onnxruntime: Any, path: Path, providers: Sequence[str] | None) -> Any:
    available = onnxruntime.get_available_providers()
    wanted = [p for p in providers or (_GPU, "CPUExecutionProvider") if p in available]
    if not path.is_file():
        raise WeightsError(f"{path}: there is no such file; fetch it with `vastra-live weights pull`")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
    except _failures(onnxruntime) as error:
        if _GPU in wanted:
            _raise_if_full(error)
        raise WeightsError(f"{path}: is not an ONNX model that can be opened: {_one_line(error)}") from error
    # left alone, it would go over to the CPU in the middle of a run and tell nobody
    session.disable_fallback()
    return session


def _raise_if_full(error: Exception) -> None:
    if any(words in str(error) for words in _FULL):
        raise GpuMemoryError(f"the human parser finds no room in the GPU's memory: {_one_line(error)}") from error


def _failures(onnxruntime: Any) -> tuple[type[Exception], ...]:
    """What onnxruntime raises: classes of its own that share no base but Exception, and two of Python's."""
    own = vars(onnxruntime.capi.onnxruntime_pybind11_state).values()
    return (RuntimeError, ValueError, *(c for c in own if isinstance(c, type) and issubclass(c, Exception)))


def _into(width: int, height: int, size: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Picture to model input: the whole picture, centred, black where the ratios differ, as SCHP prepares it."""
    ratio = size[0] / size[1]
    seen_width = max(width - 1, ratio * (height - 1))
    scale = size[0] / seen_width
    return np.array(
        [[scale, 0, size[0] / 2 - scale * (width - 1) / 2], [0, scale, size[1] / 2 - scale * (height - 1) / 2]]
    )


def _argmax(
    scores: npt.NDArray[np.float32],
    to_model: npt.NDArray[np.float64],
    model_size: tuple[int, int],
    size: tuple[int, int],
) -> U8:
    """The best class of every pixel of the picture, from scores on the model's coarser grid, read bilinearly.

    The grid's corners are the corners of the model's input (``align_corners``), as SCHP enlarges its scores. Where the
    four grid points around a pixel have one winner, it wins at the pixel too, for bilinear weights are positive;
    only the cells where classes meet are computed.
    """
    _, rows, columns = scores.shape
    grid = np.array([(columns - 1) / (model_size[0] - 1), (rows - 1) / (model_size[1] - 1)])
    affine = to_model * grid[:, None]
    x = (affine[0, 0] * np.arange(size[0]) + affine[0, 2]).astype(np.float32)
    y = (affine[1, 1] * np.arange(size[1]) + affine[1, 2]).astype(np.float32)
    column = np.clip(np.floor(x).astype(np.intp), 0, columns - 1)
    row = np.clip(np.floor(y).astype(np.intp), 0, rows - 1)[:, None]

    winner = scores.argmax(axis=0).astype(np.uint8)
    cell = np.ones((2, 2), np.uint8)
    meet = cv2.dilate(winner, cell, anchor=(0, 0)) != cv2.erode(winner, cell, anchor=(0, 0))
    labels: U8 = np.ascontiguousarray(winner[row, column])
    at = np.flatnonzero(meet[row, column])
    if at.size:
        labels.reshape(-1)[at] = _argmax_at(scores, x[at % size[0]], y[at // size[0]])
    return labels


def _argmax_at(scores: npt.NDArray[np.float32], x: npt.NDArray[np.float32], y: npt.NDArray[np.float32]) -> U8:
    """The best class at points (n,) of the grid, class by class, so that memory holds two planes, not one per class."""
    # remap takes pictures, and none of them wider than 32767
    padding = -x.size % _STRIP
    x, y = (np.pad(v, (0, padding)).reshape(-1, _STRIP) for v in (x, y))
    best = np.full(x.shape, -np.inf, np.float32)
    labels = np.zeros(x.shape, np.uint8)
    for label, plane in enumerate(scores):
        read = cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        np.copyto(labels, label, where=read > best)
        cv2.max(read, best, dst=best)
    return labels.reshape(-1)[: labels.size - padding]


def find_neck(parse: U8, keypoints: Keypoints, person: npt.NDArray[np.bool_]) -> U8:
    """The parse with the neck as a class of its own, for parsers that have none.

    ATR calls the neck face: face below the chin becomes neck. LIP leaves it out: what belongs to the person but to no
    class, between chin and collar bones, becomes neck. The neck keeps the training data's meaning: it is erased with
    the garment, whose neckline may be lower or higher.

    Args:
        parse: (H, W) uint8, CIHP labels.
        keypoints: in pixels of the parse, neck and shoulders present.
        person: (H, W) bool, the silhouette; DensePose's, or the tracker's.

    Returns:
        (H, W) uint8; ``parse`` itself where the nose is not in the picture.
    """
    if not keypoints.present[Point.NOSE]:
        return parse
    nose, neck = keypoints.points_px[[Point.NOSE, Point.NECK]]
    right, left = keypoints.points_px[[Point.RIGHT_SHOULDER, Point.LEFT_SHOULDER]]
    length, width = float(np.hypot(*(neck - nose))), float(np.hypot(*(left - right)))
    if min(length, width) < 1.0:
        return parse
    down = (neck - nose) / length
    y, x = np.ogrid[: parse.shape[0], : parse.shape[1]]
    along = ((x - nose[0]) * down[0] + (y - nose[1]) * down[1]) / length
    aside = np.abs((x - nose[0]) * down[1] - (y - nose[1]) * down[0]) / width
    below_chin = along > CHIN
    unnamed = (parse == Cihp.BACKGROUND) & person & (along < _NECK_ENDS) & (aside < _NECK_HALF_WIDTH)
    found = parse.copy()
    found[below_chin & ((parse == Cihp.FACE) | unnamed)] = Cihp.NECK
    return found


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
