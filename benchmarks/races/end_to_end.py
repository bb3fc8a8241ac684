"""One base and four trained adapters on two tasks, from the command line to the scores.

    python -m benchmarks.races.end_to_end

`lm_eval` runs once for the base and once for each adapter (`peft=`), both tasks in one call, at the batch size that a
pilot of 64 samples found fastest; the harness runs the suite end-to-end.yaml, into an empty store, report included.
Both score ROUGE-1, -2, -L and -Lsum with the stemmer. Everything counts, imports too.
"""

import gzip
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.lib.race import (
    BENCH,
    OURS,
    PEERS,
    ROOT,
    Row,
    Side,
    collect,
    goal,
    ratio,
    rounds,
    seconds,
    spread,
    write,
)
from benchmarks.races.generation import best_size
from harness.kinds.generate import choose_shots
from harness.suite.load import load_suite
from harness.tasks.prompts import render
from harness.types import Sample

SUITES = ROOT / "benchmarks" / "suites"
MODEL = BENCH / "models" / "llama-15m"
ADAPTERS = ("recipe-1", "recipe-2", "recipe-3", "recipe-4")
THREADS = str(len(os.sched_getaffinity(0)))
SCORES = '''"""ROUGE as lm-evaluation-harness's own tasks compute it: by rouge_score, one sample at a time."""

from rouge_score import rouge_scorer

NAMES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
SCORER = rouge_scorer.RougeScorer(NAMES, use_stemmer=True)


def process_results(doc, results):
    scores = SCORER.score(doc["answer"], results[0].strip())
    return {name: 100 * scores[name].fmeasure for name in NAMES}
'''
TASK = """task: {task}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: [], max_gen_toks: {tokens}, do_sample: false}}
process_results: !function scores.process_results
metric_list:
{metrics}
"""


def train_adapters() -> None:
    """By the harness; their folders are copied out of its store."""
    if all((BENCH / "adapters" / name / "adapter_model.safetensors").is_file() for name in ADAPTERS):
        return
    store = BENCH / "adapters-store"
    harness("run", str(SUITES / "adapters.yaml"), "--store", str(store), "--out", str(BENCH / "adapters-out"))
    for record in store.glob("done/*/step.json"):
        step = json.loads(record.read_text())
        if step["kind"] == "train":
            name = step["label"].rpartition(" + ")[2].partition("#")[0]
            shutil.copytree(record.parent / "adapter", BENCH / "adapters" / name, dirs_exist_ok=True)


def harness(*arguments: str) -> None:
    command = [str(OURS), "-m", "harness", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": THREADS}
    subprocess.run(command, check=True, cwd=BENCH, env=environment, stdout=subprocess.DEVNULL)


def write_peer_tasks(folder: Path) -> None:
    """The same prompts, examples included, as plain rows."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scores.py").write_text(SCORES)
    suite = load_suite(str(SUITES / "end-to-end.yaml"))
    for task in suite.tasks:
        data = BENCH / "data" / task.name
        samples = {split: [_sample(json.loads(line)) for line in (data / f"{split}.jsonl").open()]
                   for split in ("train", "test")}  # fmt: skip
        shots = choose_shots(samples["train"], task.shots, task)
        rows = [
            {"id": sample.id, "prompt": render(task, sample, shots).text, "answer": sample.references[0]}
            for sample in samples["test"][: suite.limit]
        ]
        path = folder / f"{task.name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        metrics = "".join(
            f"  - {{metric: {name}, aggregation: mean, higher_is_better: true}}\n"
            for name in ("rouge1", "rouge2", "rougeL", "rougeLsum")
        )
        text = TASK.format(task=task.name, data=path, tokens=task.decode.max_new_tokens, metrics=metrics)
        (folder / f"{task.name}.yaml").write_text(text)


def _sample(row: dict[str, str]) -> Sample:
    return Sample(id=row["id"], input=row["prompt"], references=(row["answer"],))


def lm_eval(tasks: Path, size: int, out: Path) -> dict[str, Any]:
    """Five processes, one after the other."""
    environment = os.environ | {
        "OMP_NUM_THREADS": THREADS,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(BENCH / "datasets-cache"),
        "TOKENIZERS_PARALLELISM": "false",
    }
    started = time.perf_counter()
    for system in ("base", *ADAPTERS):
        peft = "" if system == "base" else f",peft={BENCH / 'adapters' / system}"
        command = [
            str(PEERS), "-m", "lm_eval", "run", "--model", "hf", "--model_args", f"pretrained={MODEL},dtype=float32{peft}",
            "--tasks", "summaries,questions", "--include_path", str(tasks), "--device", "cpu",
            "--batch_size", str(size), "--output_path", str(out / system), "--log_samples",
        ]  # fmt: skip
        with (BENCH / "lm_eval.log").open("a") as log:
            subprocess.run(command, check=True, env=environment, stdout=log, stderr=log)
    return {"seconds": time.perf_counter() - started}


def ours(folder: Path) -> dict[str, Any]:
    shutil.rmtree(folder, ignore_errors=True)
    started = time.perf_counter()
    harness(
        "run", str(SUITES / "end-to-end.yaml"), "--store", str(folder / "store"), "--out", str(folder / "out")
    )
    return {"seconds": time.perf_counter() - started}


def their_answers(out: Path) -> dict[tuple[str, str, str], str]:
    found = {}
    for system in ("base", *ADAPTERS):
        for task in ("summaries", "questions"):
            (path,) = sorted((out / system).rglob(f"samples_{task}_*.jsonl"))[-1:]
            for line in path.open():
                row = json.loads(line)
                found[system, task, row["doc"]["id"]] = row["resps"][0][0].strip()
    return found


def our_answers(out: Path) -> dict[tuple[str, str, str], str]:
    found = {}
    with gzip.open(out / "generations.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if "text" in row:
                found[row.get("adapter") or "base", row["task"], row["sample_id"]] = row["text"]
    return found


def race() -> Row:
    train_adapters()
    tasks = BENCH / "lm_eval_tasks"
    write_peer_tasks(tasks)
    with Side(PEERS, "lm_eval_side.py", str(MODEL), threads=int(THREADS)) as side:
        rows = read_rows(tasks / "summaries.jsonl") + read_rows(tasks / "questions.jsonl")
        pilot = [row["prompt"] for row in rows[:32] + rows[-32:]]
        size = best_size(side, {"prompts": pilot, "max_new_tokens": 32})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = rounds(
            {
                "lm-eval": lambda: lm_eval(tasks, size, folder / "theirs"),
                "harness": lambda: ours(folder / "ours"),
            }
        )
        theirs, mine = their_answers(folder / "theirs"), our_answers(folder / "ours" / "out")
        records = [json.loads(path.read_text()) for path in (folder / "ours/store").glob("done/*/step.json")]
    steps: dict[str, float] = {}
    for record in records:
        steps[record["kind"]] = steps.get(record["kind"], 0.0) + record["seconds"]
    return {
        "batch_size": size,
        "peer_seconds": seconds(found["lm-eval"]),
        "harness_seconds": seconds(found["harness"]),
        "ratio": ratio(found["lm-eval"], found["harness"]),
        "answers": len(theirs),
        "differ": sum(theirs[key] != mine[key] for key in theirs),
        "steps": steps,
    }


def read_rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def main() -> None:
    (row,) = collect("end-to-end", {"llama-15m": race})
    lines = [
        __doc__.split("\n\n", 2)[2].strip().replace("\n", " "),
        "",
        "| side | seconds | |",
        "|---|--:|---|",
        f"| lm-eval hf, `peft=`, batch size {row['batch_size']} | {spread(row['peer_seconds'])} | five processes |",
        f"| harness | {spread(row['harness_seconds'])} | one command |",
        "",
        f"Ratio **{row['ratio']:.2f}×** (goal {goal(row['ratio'], 2.5)}); {row['differ']} of {row['answers']:,} answers "
        "differ.",
        "",
        "Where the harness's time went, all workers together: "
        + ", ".join(
            f"{kind} {value:.1f} s" for kind, value in sorted(row["steps"].items(), key=lambda one: -one[1])
        )
        + ".",
    ]
    write("end-to-end", "End to end", lines, ("torch", "transformers", "peft"))


if __name__ == "__main__":
    main()
