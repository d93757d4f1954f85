"""CP-VTON and CP-VTON+ as a synthesizer: crop, conditions, the two networks, and the layer cut from their picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import numpy.typing as npt

from vastra_live.errors import MissingDependencyError
from vastra_live.synthesis.conditions.cloth import ClothConditions, prepare_cloth, refuse_all_but_tops
from vastra_live.synthesis.conditions.crop import Crop
from vastra_live.synthesis.conditions.drawing import draw_crop, draw_keypoints, draw_labels, draw_mask
from vastra_live.synthesis.conditions.keypoints import to_coco18
from vastra_live.synthesis.conditions.labels import Cihp
from vastra_live.synthesis.conditions.seen import Parser, Seen, see
from vastra_live.types import F32, U8, Body, Frame, Garment, Layer

if TYPE_CHECKING:
    import torch

    from vastra_live.synthesis.cpvton.path import TryOnInputs
    from vastra_live.weights import Store

__all__ = ["SIZE", "CpVtonSynthesizer", "layer_alpha", "open_cp_vton"]

Watch = Callable[[str, U8], None]
"""Sees every intermediate: its name, and it as a picture."""

SIZE: Final = (192, 256)
"""Width and height of the networks' pictures."""

_WORN: Final = (Cihp.UPPER_CLOTHES, Cihp.DRESS, Cihp.COAT, Cihp.NECK, Cihp.LEFT_ARM, Cihp.RIGHT_ARM)
_HEAD: Final = (Cihp.HAT, Cihp.HAIR, Cihp.SUNGLASSES, Cihp.FACE)
_EDGE_SIGMA: Final = 0.7  # of the alpha's edge, in pixels of the networks' picture


class CpVtonSynthesizer:
    """A :class:`~vastra_live.synthesis.base.Synthesizer`. See :func:`open_cp_vton`.

    It does without DensePose: the body's shape is the parse.

    Args:
        matching: a ``GeometricMatching``, filled, in eval mode.
        try_on: a ``TryOn`` of the same kind.
        parser: finds the clothes.
        plus: both networks are CP-VTON+'s.
        device: where the networks are.
        watch: sees every intermediate.

    Attributes:
        name: with device, precision and size of the networks, such as ``cp-vton cuda float32 192x256``.
    """

    def __init__(
        self,
        matching: torch.nn.Module,
        try_on: torch.nn.Module,
        parser: Parser,
        plus: bool,
        device: torch.device,
        watch: Watch | None = None,
    ) -> None:
        self._networks: tuple[torch.nn.Module, torch.nn.Module] | None = (matching, try_on)
        self._parser = parser
        self._plus = plus
        self.device = device
        self.name = f"cp-vton{'-plus' if plus else ''} {device.type} float32 {SIZE[0]}x{SIZE[1]}"
        self._watch = watch
        self._worn: tuple[Garment, ClothConditions] | None = None

    def synthesize(self, frame: Frame, body: Body, garment: Garment) -> Layer:
        """The layer for this frame, 192 x 256 pixels.

        Raises:
            NothingToFitError: no shoulders, too small, or the garment is no top.
            SynthesisError: a stage failed.
            RuntimeError: the synthesizer was closed.
        """
        import torch

        from vastra_live.synthesis.cpvton import path

        if self._networks is None:
            raise RuntimeError("CpVtonSynthesizer.synthesize: the synthesizer is closed")
        refuse_all_but_tops(garment, "cp-vton")
        seen = see(frame, body, SIZE, self._parser)
        # no TF32: it is as coarse as float16, and the name says float32
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            result = path.run(self._inputs(seen, garment), *self._networks, plus=self._plus)
            rgb = ((result.output[0] + 1) / 2 * 255).clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
            placed = ((result.warped_mask * result.composition)[0, 0] > 0.5).cpu().numpy()
        picture: U8 = np.ascontiguousarray(rgb[:, :, ::-1])
        alpha = layer_alpha(seen.parse, placed, seen.crop)
        if self._watch is not None:
            self._watch("frame", draw_crop(frame.bgr, seen.crop))
            self._watch("crop", seen.bgr)
            self._watch("keypoints", draw_keypoints(seen.bgr, seen.found))
            self._watch("parse", draw_labels(seen.parse))
            self._watch("placed", draw_mask(placed.astype(np.uint8)))
            self._watch("dressed", picture)
            self._watch("layer-alpha", draw_mask((alpha > 0.5).astype(np.uint8)))
        return Layer(bgr=picture, alpha=alpha, frame=frame, body=body, garment=garment, to_frame=seen.crop.to_frame)

    def close(self) -> None:
        """Give the networks back. Harmless when repeated."""
        self._networks = self._worn = None

    def _inputs(self, seen: Seen, garment: Garment) -> TryOnInputs:
        import torch

        from vastra_live.synthesis.cpvton.path import TryOnInputs
        from vastra_live.synthesis.cpvton.person import Reserved, build_agnostic

        rgb: U8 = np.ascontiguousarray(seen.bgr[:, :, ::-1])
        shape = (seen.parse > 0).astype(np.uint8)
        points = to_coco18(seen.found).astype(np.float32)
        kinds = (Reserved.PLUS_MATCHING, Reserved.PLUS_TRY_ON) if self._plus else (Reserved.CPVTON, Reserved.CPVTON)
        if self._worn is None or self._worn[0] is not garment:
            self._worn = garment, prepare_cloth(garment, SIZE)
        cloth = self._worn[1]
        signed = (cloth.bgr[:, :, ::-1].astype(np.float32).transpose(2, 0, 1) / 255 - 0.5) / 0.5

        def tensor(array: F32) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(array))[None].to(self.device)

        matching, try_on = (tensor(build_agnostic(rgb, seen.parse, shape, points, kind)) for kind in kinds)
        return TryOnInputs(matching, try_on, tensor(signed), tensor(cloth.mask.astype(np.float32)[None]))


def layer_alpha(parse: U8, placed: npt.NDArray[np.bool_], crop: Crop) -> F32:
    """What of the networks' picture goes over the frame: (H, W) float32, 0..1, soft at its edge.

    What the wearer's top, neck and arms covered, and where the garment was placed. The head stays the camera's own.

    Args:
        parse: (H, W) uint8, CIHP labels.
        placed: (H, W) bool, where the picture is the warped garment.
        crop: where the picture lies in the frame; nothing beyond the frame is shown.
    """
    mask = (np.isin(parse, _WORN) | placed) & ~np.isin(parse, _HEAD) & crop.inside()
    soft: F32 = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _EDGE_SIGMA)
    return soft


def open_cp_vton(
    store: Store | None = None, device: str | None = None, plus: bool | None = None, watch: Watch | None = None
) -> CpVtonSynthesizer:
    """The synthesizer with its networks and parser, all of them filled from their files.

    Args:
        store: the weights folder; None for the default one.
        device: as torch names it; None takes CUDA where there is one, else the CPU.
        plus: CP-VTON+ or CP-VTON; None takes CP-VTON+ unless only CP-VTON's files are there.
        watch: sees every intermediate.

    Raises:
        MissingDependencyError: torch or onnxruntime is not installed.
        WeightsError: a file is missing or wrong.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("cp-vton needs torch; install it: pip install 'vastra-live[synthesis]'") from error

    from vastra_live.synthesis.checkpoints import open_network, open_parser, require_files
    from vastra_live.weights import Store

    store = store or Store()
    if plus is None:
        plus = store.status("cp-vton-plus-gmm")[0].present or not store.status("cp-vton-gmm")[0].present
    kind = "cp-vton-plus" if plus else "cp-vton"
    require_files(store, kind)
    parser = open_parser(store)
    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    matching, try_on = (open_network(store, f"{kind}-{part}").to(chosen) for part in ("gmm", "tom"))
    return CpVtonSynthesizer(matching, try_on, parser, plus, chosen, watch)
