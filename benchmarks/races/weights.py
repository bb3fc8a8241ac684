"""The weightwatcher package and the harness on the same matrices, in one process and in turn.

    python -m benchmarks.races.weights

Both have all cores for one matrix. The matrices are float32: Gaussian, with Student's t entries (2.5 degrees of
freedom), and products of two. Differences are the largest of alpha, xmin, D, sigma, norms and stable rank, relative.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.lib.race import BENCH, Row, collect, goal, spread, write

THREADS = len(os.sched_getaffinity(0))
REPETITIONS = 5
PAUSE_SECONDS = 0.3  # until the other library's threads no longer wait for work, and in doing so take a core
LEAST_SECONDS = 0.2
SQUARE, LARGER, LARGEST, TALL = (768, 768), (2048, 2048), (4096, 4096), (11008, 4096)
KINDS = ("gaussian", "heavy", "product")
ANALYZE = {SQUARE: 3.0, LARGER: 4.5, LARGEST: 3.3, TALL: 3.3}
RANDOMIZE = {SQUARE: 10.0, LARGER: 5.0}
UPDATE = {SQUARE: 80.0, LARGEST: 150.0}
COMPARED = ("alpha", "xmin", "D", "sigma", "norm", "spectral_norm", "stable_rank")
EQUAL = ("num_pl_spikes", "matrix_rank")
RANK = 16
LAYERS = 4  # of the checkpoint whose memory is measured: shapes of a 7B Llama
SHAPES = {
    **{f"self_attn.{one}_proj": (4096, 4096) for one in "qkvo"},
    **{f"mlp.{one}_proj": (11008, 4096) for one in ("gate", "up")},
    "mlp.down_proj": (4096, 11008),
}
FOLDER = BENCH / "weights"


def matrix(kind: str, shape: tuple[int, int], seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    rows, cols = shape
    if kind == "gaussian":
        W = rng.standard_normal(shape)
    elif kind == "heavy":
        W = rng.standard_t(2.5, shape)
    else:
        W = rng.standard_normal((rows, cols)) @ rng.standard_normal((cols, cols)) / np.sqrt(cols)
    return (W / np.sqrt(rows)).astype(np.float32)


def package(W: NDArray[np.float32], randomize: bool) -> dict[str, float]:
    from harness.weights import oracle

    return dict(oracle.spectrum(W, randomize=randomize))


def ours(W: NDArray[np.float32], randomize: bool) -> dict[str, float]:
    from harness.types import Weighing
    from harness.weights import layer

    return dict(layer.whole("W", W, replace(Weighing(), randomize=randomize)).numbers)


def race(shape: tuple[int, int], kind: str, randomize: bool, wanted: float) -> Row:
    W = matrix(kind, shape)
    both: dict[str, Callable[[], dict[str, float]]] = {
        "package": partial(package, W, randomize),
        "harness": partial(ours, W, randomize),
    }
    found, runs = _in_turn(both)
    theirs, mine = found["package"], found["harness"]
    return {
        "work": "analyze, randomize, MP fit" if randomize else "analyze with ERG",
        "matrix": f"{shape[0]} × {shape[1]}, {kind}",
        "wanted": wanted,
        **runs,
        "difference": max(abs(mine[name] / theirs[name] - 1) for name in COMPARED if name in theirs),
        "equal": all(mine[name] == theirs[name] for name in EQUAL if name in theirs),
    }


def race_update(shape: tuple[int, int], wanted: float) -> Row:
    """The package forms ΔW and takes its r largest singular values; its numbers lack the scale, which is 1 here."""
    from harness.checkpoints.adapter import Factors
    from harness.weights import layer
    from harness.weights.oracle import contained

    rng = np.random.default_rng(0)
    A, B = (rng.standard_normal(one).astype(np.float32) for one in ((RANK, shape[1]), (shape[0], RANK)))
    factors = Factors(A=A, B=B, scale=1.0)

    def by_package() -> dict[str, float]:
        with contained():
            from weightwatcher import WeightWatcher

            model = {"layer.lora_A.weight": A, "layer.lora_B.weight": B}
            details = WeightWatcher().analyze(model=model, peft=True, min_evals=8, plot=False, savefig=False)
        row = details[details.peft == True].iloc[0]  # noqa: E712
        return {name: float(row[name]) for name in ("alpha", "spectral_norm", "norm")}

    both = {"package": by_package, "harness": lambda: dict(layer.delta("layer", factors, None).numbers)}
    found, runs = _in_turn(both)
    mine, theirs = found["harness"], found["package"]
    return {
        "work": f"ΔW of rank {RANK} against peft=True",
        "matrix": f"{shape[0]} × {shape[1]}",
        "wanted": wanted,
        **runs,
        "difference": max(abs(mine[name] / value - 1) for name, value in theirs.items()),
        "equal": True,
    }


def _in_turn(sides: dict[str, Callable[[], dict[str, float]]]) -> tuple[dict[str, Any], dict[str, Any]]:
    found: dict[str, Any] = {}
    runs: dict[str, list[float]] = {name: [] for name in sides}
    small = matrix("gaussian", (64, 64))
    package(small, True), ours(small, True)  # imports
    for _ in range(REPETITIONS):
        for name, go in sides.items():
            time.sleep(PAUSE_SECONDS)
            runs[name].append(_seconds(go, found, name))
            print(f"  {name}: {runs[name][-1]:.4f} s", file=sys.stderr, flush=True)
    ratios = [slow / fast for slow, fast in zip(runs["package"], runs["harness"], strict=True)]
    return found, {"package": runs["package"], "harness": runs["harness"], "ratio": median(ratios)}


def _seconds(go: Callable[[], dict[str, float]], found: dict[str, Any], name: str) -> float:
    """Of one call; of the mean of many where one is too short to be measured, as an adapter's layers are many."""
    started = time.perf_counter()
    found[name] = go()
    once = time.perf_counter() - started
    if once > LEAST_SECONDS:
        return once
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < LEAST_SECONDS:
        go()
        count += 1
    return (time.perf_counter() - started) / count


def checkpoint(layers: int, shapes: dict[str, tuple[int, int]]) -> Path:
    """A Llama of random weights in the hub's layout, in bfloat16, and an adapter of rank 16 on q and v."""
    from safetensors.numpy import save_file

    folder = FOLDER / f"llama-{layers}-{shapes['self_attn.q_proj'][0]}"
    if (folder / "done").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    index: dict[str, str] = {}
    for layer in range(layers):
        tensors = {}
        for number, (name, shape) in enumerate(shapes.items()):
            whole = matrix("heavy", shape, 100 * layer + number)
            tensors[f"model.layers.{layer}.{name}.weight"] = whole.astype(np.float16)
        file = f"model-{layer}.safetensors"
        save_file(tensors, folder / file)
        index |= dict.fromkeys(tensors, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    for number in range(2):
        _adapter(folder / f"adapter-{number}", layers, shapes, number)
    (folder / "done").touch()
    return folder


def _adapter(folder: Path, layers: int, shapes: dict[str, tuple[int, int]], seed: int) -> None:
    from safetensors.numpy import save_file

    rng = np.random.default_rng(seed)
    tensors = {}
    for layer in range(layers):
        for name in ("self_attn.q_proj", "self_attn.v_proj"):
            rows, cols = shapes[name]
            start = f"base_model.model.model.layers.{layer}.{name}"
            tensors[f"{start}.lora_A.weight"] = rng.standard_normal((RANK, cols)).astype(np.float32) * 0.01
            tensors[f"{start}.lora_B.weight"] = rng.standard_normal((rows, RANK)).astype(np.float32) * 0.01
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": RANK, "base_model_name_or_path": ""}
    (folder / "adapter_config.json").write_text(json.dumps(config))


def analyse_all(folder: Path, adapter: str, store: str) -> dict[str, Any]:
    """All layers, with what is kept in a folder of findings: how long, and how much memory above the imports."""
    from harness import families
    from harness.types import Weighing
    from harness.weights.analyse import AnalysisOptions, analyse
    from harness.weights.cache import SpectrumCache

    weighing = Weighing()
    options = AnalysisOptions(threads=THREADS, cache=SpectrumCache(Path(store)))
    where, name = (folder / adapter, adapter) if adapter else (None, None)
    warm = [name for name in ("scipy.linalg", "numpy.linalg") if __import__(name)]
    before = _peak_bytes()
    started = time.perf_counter()
    rows = list(analyse(folder, families.of("llama"), where, model="m", adapter_name=name,
                        weighing=weighing, options=options))  # fmt: skip
    return {
        "seconds": time.perf_counter() - started,
        "megabytes": (_peak_bytes() - before) / 1e6,
        "analysed": sum(row.status == "analysed" for row in rows),
        "rows": len(rows),
        "warm": len(warm),
    }


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _elsewhere(folder: Path, adapter: str, store: Path) -> dict[str, Any]:
    """In a process of its own, so that its peak is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.races.weights", "analyse", str(folder), adapter, str(store)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def memory() -> Row:
    """One layer's matrices are analysed as one of 32 would be: one at a time on each core."""
    folder, store = checkpoint(LAYERS, SHAPES), FOLDER / "kept-large"
    shutil.rmtree(store, ignore_errors=True)
    found = _elsewhere(folder, "", store)
    return {
        **found,
        "second": _elsewhere(folder, "", store),
        "update": _elsewhere(folder, "adapter-0", store),
    }


def sharing() -> Row:
    """A base and two adapters of hidden size 768, with findings kept and without."""
    shapes = {name: (rows // 4096 * 768 or 768, 768) if rows != 4096 else (768, cols * 768 // 4096)
              for name, (rows, cols) in SHAPES.items()}  # fmt: skip
    folder, store = checkpoint(12, shapes), FOLDER / "kept-small"
    rounds = []
    for _ in range(REPETITIONS):
        shutil.rmtree(store, ignore_errors=True)
        found = {"base": _elsewhere(folder, "", store)["seconds"]}
        found["again"] = _elsewhere(folder, "", store)["seconds"]
        found["first adapter"] = _elsewhere(folder, "adapter-0", store)["seconds"]
        found["second adapter"] = _elsewhere(folder, "adapter-1", store)["seconds"]
        rounds.append(found)
    return {"rounds": rounds}


def main() -> None:
    makers: dict[str, Callable[[], Row]] = {}
    for shape, wanted in ANALYZE.items():
        for kind in KINDS if shape in (SQUARE, LARGER) else ("heavy",):
            makers[f"analyze {shape} {kind}"] = partial(race, shape, kind, False, wanted)
    for shape, wanted in RANDOMIZE.items():
        for kind in KINDS if shape == SQUARE else ("heavy",):
            makers[f"randomize {shape} {kind}"] = partial(race, shape, kind, True, wanted)
    for shape, wanted in UPDATE.items():
        makers[f"update {shape}"] = partial(race_update, shape, wanted)
    rows = collect("weights", makers)
    shared, large = collect("weights", {"sharing": sharing, "memory": memory})
    lines = [
        __doc__.split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        "| work | matrix | package, s | harness, s | ratio | goal | largest difference | counts equal |",
        "|---|---|--:|--:|--:|---|--:|---|",
    ]
    lines += [
        f"| {row['work']} | {row['matrix']} | {spread(row['package'], 3)} | {spread(row['harness'], 4)} | "
        f"**{row['ratio']:.1f}×** | {goal(row['ratio'], row['wanted'])} | {row['difference']:.0e} | "
        f"{'yes' if row['equal'] else 'no'} |"
        for row in rows
    ]
    times = {name: [one[name] for one in shared["rounds"]] for name in shared["rounds"][0]}
    again = median(one["base"] / one["again"] for one in shared["rounds"])
    lines += [
        "",
        f"Findings are kept by the digest of a matrix's bytes. A base of 84 matrices of hidden size 768 took "
        f"{spread(times['base'])} s, the unchanged checkpoint {spread(times['again'], 3)} s: **{again:.0f}×** "
        f"({goal(again, 100)}). An adapter on 24 of them took {spread(times['first adapter'])} s, a second one "
        f"{spread(times['second adapter'])} s: only ΔW and W + ΔW.",
        "",
        f"{LAYERS} layers of a 7B Llama's shapes, {THREADS} at a time: {large['seconds']:.0f} s, "
        f"**{large['megabytes']:.0f} MB** above the imports (goal: under 1,000 MB "
        f"{'met' if large['megabytes'] < 1000 else 'missed'}); unchanged, {large['second']['seconds']:.3f} s, "
        f"**{large['seconds'] / large['second']['seconds']:,.0f}×**; an adapter "
        f"on q and v, {large['update']['seconds']:.0f} s and {large['update']['megabytes']:.0f} MB.",
    ]
    write("weights", "Weights", lines, ("numpy", "scipy", "weightwatcher"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["analyse"]:
        print(json.dumps(analyse_all(Path(sys.argv[2]), *sys.argv[3:])))
    else:
        main()
