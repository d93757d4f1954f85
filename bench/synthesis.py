"""How near HR-VITON and CP-VTON are to the originals' numbers, and how fast their inference forms are.

    .venv/bin/python bench/synthesis.py                  speed: on CUDA if there is one, else on the CPU
    .venv/bin/python bench/synthesis.py --parity [TEXT]  every reference vector (whose case's name holds TEXT)
    .venv/bin/python bench/synthesis.py --device cpu --size 768x1024 --json FILE

Speed is given for both networks of HR-VITON on the same inputs in the same run, the plain form beside the fast
one, round by round, so that a machine whose speed wanders treats both alike; the ratio is of the best rounds.
Without CUDA and without ``--size`` the CUDA table's rows are also run on the CPU, at reduced width and size, which
shows that they work and not how fast they are.

Weights are random. Label maps and pictures are those of a real person where ``../shared`` is at hand, else made up.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional as nnf

# the script runs from anywhere; its neighbours are imported as the tests import them
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.keyframe import keyframes
from bench.parity import CASES, SAMPLES, Check
from vastra_live.synthesis.conditions.cloth import ClothConditions
from vastra_live.synthesis.conditions.keypoints import Keypoints
from vastra_live.synthesis.conditions.person import PersonConditions
from vastra_live.synthesis.hrviton import path
from vastra_live.synthesis.hrviton.accelerate import TryOnEngine
from vastra_live.synthesis.hrviton.dense import DenseGenerator
from vastra_live.synthesis.hrviton.fast import FastGenerator
from vastra_live.synthesis.hrviton.fast_condition import FastCondition
from vastra_live.synthesis.hrviton.generator import SpectralConv2d
from vastra_live.synthesis.hrviton.inputs import to_inputs
from vastra_live.synthesis.hrviton.networks import ConditionGenerator, SpadeGenerator
from vastra_live.synthesis.hrviton.patterns import find_patterns
from vastra_live.types import U8

FULL_SIZE = (768, 1024)
REDUCED_SIZE, REDUCED_WIDTH = (384, 512), 16
SIDE_MULTIPLE = 128
Row = dict[str, Any]


def random_weights(net: torch.nn.Module) -> Any:
    """Weights of the size of trained ones, so that features neither vanish nor overflow; eval mode."""
    torch.manual_seed(0)
    for name, value in net.state_dict().items():
        if value.dim() > 1:
            gain = 2.5 if "flow_conv" in name else 0.7 if name.endswith("block.3.weight") else 1.4
            value.normal_(std=gain / math.sqrt(value[0].numel()))
            value.sub_(value.flatten(1).mean(1).reshape(-1, *(1,) * (value.dim() - 1)))
    for module in net.modules():
        if isinstance(module, SpectralConv2d):
            matrix, v = module.weight_orig.flatten(1), torch.randn(module.weight_v.shape)
            for _ in range(20):
                u = nnf.normalize(matrix @ v, dim=0)
                v = nnf.normalize(matrix.t() @ u, dim=0)
            module.weight_u.copy_(u)
            module.weight_v.copy_(v)
    return net.eval()


def prepare_pair(shared: Path, width: int, height: int) -> tuple[PersonConditions, ClothConditions, Tensor, str]:
    """A person, a garment, a 7-class label map (1, H, W) for the generator alone, and where they are from."""
    if shared.is_dir():
        sample = SAMPLES["public"]
        prep, people = shared / "reference" / sample.folder / "prep", shared / "people" / sample.person
        files = prep / f"{sample.person}_00-agnostic.png", people / "densepose.jpg", shared / f"{sample.cloth}.jpg"
        size = (width, height)
        agnostic, densepose, cloth = (
            np.array(Image.open(file).convert("RGB").resize(size, Image.Resampling.BILINEAR))[:, :, ::-1].copy()
            for file in files
        )
        labels = people / "parse-agnostic.png", shared / f"{sample.cloth}.mask.jpg"
        parse, mask = (np.array(Image.open(file).resize(size, Image.Resampling.NEAREST)) for file in labels)
        stored = np.load(shared / "reference" / "hrviton-path.npz")["label7"]
        label7 = nnf.interpolate(torch.from_numpy(stored)[:, None].float(), size=(height, width))[:, 0].long()
        return (
            a_person(agnostic, densepose, parse),
            ClothConditions(cloth, (mask >= 128).astype(np.uint8)),
            label7,
            ("person 00006_00, cloth 001"),
        )
    torch.manual_seed(1)
    planes = smooth(9, height, width).tanh().add(1).mul(127.5).to(torch.uint8)[0].permute(1, 2, 0).numpy()
    agnostic, densepose, cloth = (np.ascontiguousarray(planes[:, :, i : i + 3]) for i in (0, 3, 6))
    mask = np.zeros((height, width), np.uint8)
    mask[height // 6 : -height // 6, width // 6 : -width // 6] = 1
    parse, label7 = smooth(20, height, width).argmax(1)[0].to(torch.uint8).numpy(), smooth(7, height, width).argmax(1)
    return a_person(agnostic, densepose, parse), ClothConditions(cloth, mask), label7, "made up"


def a_person(agnostic: U8, densepose: U8, parse: U8) -> PersonConditions:
    """What the networks are told; what they are not told is left empty."""
    nobody = Keypoints(np.zeros((25, 2)), np.zeros(25, bool))
    return PersonConditions(agnostic, nobody, parse, densepose, agnostic, parse, np.zeros(parse.shape, bool))


def smooth(channels: int, height: int, width: int) -> Tensor:
    coarse = torch.randn(1, channels, 8, 6)
    return nnf.interpolate(coarse, size=(height, width), mode="bicubic")


def milliseconds(call: Callable[[], Any], device: torch.device, repeats: int) -> float:
    """Mean wall time of one call, the device's work included."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - start) * 1000 / repeats


def psnr(got: Tensor, want: Tensor) -> float:
    """Of pictures in -1..1 or 0..255, in decibels."""
    error = float((got.float() - want.float()).square().mean())
    span = 255 if want.dtype is torch.uint8 else 2
    return math.inf if error == 0 else 10 * math.log10(span**2 / error)


def bench_cpu(shared: Path, width: int, height: int, ngf: int, rounds: int) -> Row:
    """The image generator plain and fast on the CPU, alternately; then the condition generator."""
    cpu = torch.device("cpu")
    person_files, cloth_files, label7, origin = prepare_pair(shared, width, height)
    inputs = to_inputs(person_files, cloth_files)
    x = torch.cat((inputs.agnostic, inputs.densepose, inputs.cloth), 1)
    seg = path.one_hot(label7, 7)
    plain: SpadeGenerator = random_weights(SpadeGenerator(ngf, height, width))
    fast = FastGenerator(plain)
    loaded = rss_mb()
    with PeakMemory() as peak_fast:
        got = fast(x, seg)
    with PeakMemory() as peak_plain:
        want = plain(x, seg)
    times: dict[str, list[float]] = {"plain": [], "fast": []}
    for _ in range(rounds):
        times["fast"].append(milliseconds(lambda: fast(x, seg), cpu, 1))
        times["plain"].append(milliseconds(lambda: plain(x, seg), cpu, 1))
    patterns = find_patterns(label7[0])
    result: Row = {
        "size": f"{width}x{height}",
        "ngf": ngf,
        "inputs": origin,
        "rounds": rounds,
        "generator_plain_s": [t / 1000 for t in times["plain"]],
        "generator_fast_s": [t / 1000 for t in times["fast"]],
        "generator_ratio": min(times["plain"]) / min(times["fast"]),
        "max_difference": float((got - want).abs().max()),
        "rss_with_both_networks_mb": loaded,
        "peak_rss_fast_mb": peak_fast.mb,
        "peak_rss_plain_mb": peak_plain.mb,
        "label_patterns": len(patterns.parts),
        "label_pattern_share": len(patterns.parts) / (width * height),
    }
    condition: ConditionGenerator = random_weights(ConditionGenerator())
    folded = FastCondition(condition)
    cloth, person = (
        path.cloth_input(inputs.cloth, inputs.cloth_mask),
        path.person_input(inputs.parse_agnostic, inputs.densepose),
    )
    garment = folded.cloth_features(cloth)
    both = {"plain": lambda: condition(cloth, person), "garment_kept": lambda: folded.dress(garment, person)}
    condition_s: dict[str, list[float]] = {name: [] for name in both}
    for _ in range(rounds + 1):
        for name, call in both.items():
            condition_s[name].append(milliseconds(call, cpu, 1) / 1000)
    for name, taken in condition_s.items():
        result[f"condition_{name}_s"] = min(taken)
    result["condition_ratio"] = result["condition_plain_s"] / result["condition_garment_kept_s"]
    return result


def parse_size(text: str) -> tuple[int, int]:
    """``WxH`` as numbers."""
    width, height = (int(n) for n in text.split("x"))
    if width % SIDE_MULTIPLE or height % SIDE_MULTIPLE or min(width, height) < 2 * SIDE_MULTIPLE:
        raise ValueError(f"expected multiples of {SIDE_MULTIPLE}, at least 256, got {text}")
    return width, height


def rss_mb() -> float:
    return float(psutil.Process().memory_info().rss / 2**20)


class PeakMemory:
    """The largest resident size while the block ran, sampled a hundred times a second, in MB."""

    def __enter__(self) -> PeakMemory:
        self.mb = rss_mb()
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample)
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._done.wait(0.01):
            self.mb = max(self.mb, rss_mb())


def bench_device(
    shared: Path, device: torch.device, width: int, height: int, widths: tuple[int, int], repeats: int, compiled: bool
) -> list[Row]:
    """Both networks and the path between them on one device: milliseconds a keyframe and PSNR to plain float32."""
    person, cloth, _, origin = prepare_pair(shared, width, height)
    inputs = to_inputs(person, cloth)
    condition: ConditionGenerator = random_weights(ConditionGenerator(widths[0])).to(device)
    generator: SpadeGenerator = random_weights(SpadeGenerator(widths[1], height, width)).to(device)
    there = path.TryOnInputs(
        inputs.agnostic.to(device),
        inputs.densepose.to(device),
        inputs.parse_agnostic.to(device),
        inputs.cloth.to(device),
        inputs.cloth_mask.to(device),
    )
    rows: list[Row] = []
    cuda = device.type == "cuda"

    def add(name: str, call: Callable[[], Tensor], reference: Tensor | None, count: int = repeats) -> Tensor:
        if cuda:
            torch.cuda.reset_peak_memory_stats(device)
        for _ in range(3 if cuda else 1):
            picture = call()
        taken = milliseconds(call, device, count)
        row: Row = {"form": name, "ms": taken, "psnr_db": None if reference is None else psnr(picture, reference)}
        if cuda:
            row["peak_mb"] = torch.cuda.max_memory_allocated(device) / 2**20
        rows.append(row)
        return picture.clone()

    def settings(tf32: bool, search: bool) -> Any:
        return torch.backends.cudnn.flags(enabled=True, benchmark=search, allow_tf32=tf32)

    with settings(tf32=False, search=False):
        want = path.run(there, condition, generator)
        reference = want.output.clone()
        seg, x = path.one_hot(want.label7, 7), path.generator_input(there, want.garment)
        add("path, plain, float32", lambda: path.run(there, condition, generator).output, reference)
        add("generator, plain, float32", lambda: generator(x, seg), reference)
    if cuda:
        with settings(tf32=True, search=True):
            add("path, plain, float32 with TF32", lambda: path.run(there, condition, generator).output, reference)
    halves = (torch.float16, torch.bfloat16) if cuda else (torch.bfloat16,)
    for dtype in halves:
        word = str(dtype).removeprefix("torch.")
        with settings(tf32=False, search=True):
            dense, looked_up = DenseGenerator(generator, device, dtype), FastGenerator(generator, device, dtype)
            add(f"generator, dense, {word}", partial(dense, x, seg), reference)
            add(f"generator, looked up, {word}", partial(looked_up, x, seg), reference)
            if compiled:
                add(f"generator, dense compiled, {word}", partial(torch.compile(dense), x, seg), reference)
    bytes_of_reference = path.picture_u8(reference).permute(0, 3, 1, 2).cpu()
    for dtype in (*halves, torch.float32):
        engine = TryOnEngine(condition, generator, device, dtype)
        engine.wear(cloth)

        def keyframe(engine: TryOnEngine = engine) -> Tensor:
            return torch.from_numpy(engine(person).bgr[:, :, ::-1].copy()).permute(2, 0, 1)[None]

        word = str(dtype).removeprefix("torch.")
        how = "one CUDA graph" if cuda else "no graph"
        add(f"engine, {how}, {word}, bytes in, bytes out", keyframe, bytes_of_reference)
    if shared.is_dir():
        best = TryOnEngine(condition, generator, device)
        for name, make in keyframes(shared, best):

            def drawn(make: Callable[[], U8] = make) -> Tensor:
                return torch.tensor(make())

            add(name, drawn, None)
    for row in rows:
        first = rows[1] if row["form"].startswith("generator") else rows[0]
        row["ratio"] = first["ms"] / row["ms"]
        row["inputs"] = origin
    return rows


def run_parity(shared: Path, text: str, console: Console) -> list[Row]:
    """Every case whose name holds ``text``, as a table; largest and mean difference beside their limits."""
    table = Table("case", "vector", "max", "limit", "mean", "within")
    rows: list[Row] = []
    for name, case in CASES.items():
        if text not in name:
            continue
        with console.status(name):
            checks: list[Check] = list(case(shared))
        for check in checks:
            rows.append({"case": name, "vector": check.name, "max": check.worst, "limit": check.limit})
            rows[-1] |= {"mean": check.mean, "within": check.ok}
            cells = (f"{check.worst:.1e}", f"{check.limit:.1e}", f"{check.mean:.1e}", "yes" if check.ok else "NO")
            table.add_row(name, check.name, *cells)
    console.print(table)
    console.print(f"{sum(row['within'] for row in rows)} of {len(rows)} vectors within their limits")
    return rows


def print_cpu(result: Row, console: Console) -> None:
    table = Table("image generator, " + result["size"], "best s", "all rounds", "peak MB")
    for form in ("plain", "fast"):
        rounds = result[f"generator_{form}_s"]
        every = " ".join(f"{t:.2f}" for t in rounds)
        table.add_row(form, f"{min(rounds):.2f}", every, f"{result[f'peak_rss_{form}_mb']:.0f}")
    console.print(table)
    console.print(
        f"ratio {result['generator_ratio']:.1f}, largest difference {result['max_difference']:.1e}, "
        f"{result['rss_with_both_networks_mb']:.0f} MB before the first call, "
        f"{result['label_patterns']} label neighbourhoods ({result['label_pattern_share']:.2%} of the pixels)"
    )
    console.print(
        f"condition generator: plain {result['condition_plain_s']:.2f} s, folded with the garment's features kept "
        f"{result['condition_garment_kept_s']:.2f} s, ratio {result['condition_ratio']:.1f}"
    )


def print_rows(rows: list[Row], title: str, console: Console) -> None:
    table = Table(title, "ms", "ratio", "PSNR dB", "peak MB")
    for row in rows:
        quality = "" if row["psnr_db"] is None else f"{row['psnr_db']:.1f}"
        memory = f"{row['peak_mb']:.0f}" if "peak_mb" in row else ""
        table.add_row(row["form"], f"{row['ms']:.1f}", f"{row['ratio']:.1f}", quality, memory)
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parity", nargs="?", const="", metavar="TEXT", help="compare with the reference vectors")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", type=parse_size, metavar="WxH", help="default 768x1024")
    parser.add_argument("--threads", type=int, help="of torch on the CPU; default: its own choice")
    parser.add_argument("--ngf", type=int, default=64, help="width of the image generator on the CPU")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=20, help="keyframes a timing on CUDA")
    parser.add_argument("--compile", action="store_true", help="also torch.compile the dense generator")
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    console = Console()
    device = torch.device(arguments.device)
    report: Row = {"python": platform.python_version(), "torch": torch.__version__, "threads": torch.get_num_threads()}
    ok = True
    with torch.inference_mode():
        if arguments.parity is not None:
            report["parity"] = run_parity(arguments.shared, arguments.parity, console)
            ok = all(row["within"] for row in report["parity"])
        elif device.type == "cuda":
            report["device"] = torch.cuda.get_device_name(device)
            width, height = arguments.size or FULL_SIZE
            rows = bench_device(arguments.shared, device, width, height, (96, 64), arguments.repeats, arguments.compile)
            report["cuda"] = rows
            print_rows(rows, f"{report['device']}, {width}x{height}", console)
        else:
            width, height = arguments.size or FULL_SIZE
            report["cpu"] = bench_cpu(arguments.shared, width, height, arguments.ngf, arguments.rounds)
            print_cpu(report["cpu"], console)
            if arguments.size is None:
                widths = (REDUCED_WIDTH, REDUCED_WIDTH)
                rows = bench_device(arguments.shared, device, *REDUCED_SIZE, widths, 3, arguments.compile)
                report["reduced"] = rows
                print_rows(rows, f"no CUDA here: CPU, {REDUCED_SIZE[0]}x{REDUCED_SIZE[1]}, reduced width", console)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
