"""Write what lm-evaluation-harness itself asks: its prompts, choices and targets over made-up documents.

    python -m venv /tmp/theirs && /tmp/theirs/bin/pip install lm-eval[hf]==0.4.13
    python -m tools.real_models smollm2
    cd tests/lm_eval && PYTHONPATH=../.. /tmp/theirs/bin/python make_expected.py

With the word `likelihoods` it only computes the log-likelihoods again, for instance by tiny models that were trained anew.

It runs in an environment of its own. It writes `expected.json`, and copies the task files that it asks, with what they
include, into `tasks/`. The documents are made by trial: each column that a template names gets a text, a number, a list or
a mapping, until lm-evaluation-harness can ask the task.
"""

import ast
import json
import logging
import os
import re
import shutil
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HOME", tempfile.mkdtemp())
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "LMEVAL_LOG_LEVEL": "ERROR"}

import datasets
import lm_eval
from jinja2 import Environment, meta
from lm_eval import utils
from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks._yaml_loader import load_yaml

from harness.errors import HarnessError
from harness.lm_eval.task_file import task as read
from harness.suite import lm_eval_task

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MODELS = {"llama2-tiny": "harness/zoo/llama2-tiny", "smollm2": ".real/smollm2"}
THEIRS = Path(lm_eval.__file__).parent / "tasks"
SEED = 1234  # of its evaluator, `fewshot_random_seed`
SHOTS = (0, 3)
PER_GROUP = 1
MOST = 46  # tasks
LONGEST = 6_000  # characters of a prompt
ROWS = {"train": 7, "test": 4}
KINDS = ("text", "number", "list", "labelled", "letter", "texts")
# Tasks with Python code, and the columns of their documents.
CODED = {
    "hellaswag/hellaswag.yaml": {
        "ctx_a": "text",
        "ctx_b": "text",
        "activity_label": "text",
        "endings": "list",
        "label": "figure",
    },
    "medmcqa/medmcqa.yaml": {
        "question": "text",
        "opa": "one",
        "opb": "two",
        "opc": "three",
        "opd": "four",
        "cop": "number",
    },
    "medqa/medqa.yaml": {
        "sent1": "text",
        "ending0": "one",
        "ending1": "two",
        "ending2": "three",
        "ending3": "four",
        "label": "number",
    },
    "pubmedqa/pubmedqa.yaml": {"QUESTION": "text", "CONTEXTS": "list", "final_decision": "yes"},
    "logiqa/logiqa.yaml": {"context": "text", "question": "text", "options": "list", "label": "small"},
    "hendrycks_math/hendrycks_math_algebra.yaml": {"problem": "text", "solution": "boxed"},
    "toxigen/toxigen.yaml": {"text": "text", "toxicity_ai": "number", "toxicity_human": "number"},
}
# Task files that are asked in any case; more are found in alphabetical order.
WANTED = (
    "openbookqa/openbookqa.yaml", "piqa/piqa.yaml", "sciq/sciq.yaml", "mmlu/default/mmlu_anatomy.yaml",
    "gsm8k/gsm8k.yaml", "gsm8k/gsm8k-cot.yaml", "triviaqa/default.yaml", "super_glue/boolq/default.yaml",
    "super_glue/rte/default.yaml", "glue/rte/default.yaml", "glue/sst2/default.yaml", "anli/anli_r1.yaml",
    "race/race.yaml", "social_iqa/siqa.yaml", "commonsense_qa/default.yaml", "belebele/belebele_eng_Latn.yaml",
    "xnli/xnli_en.yaml", "xstorycloze/default_en.yaml", "paws-x/paws_en.yaml", "pile/pile_arxiv.yaml",
    "nq_open/nq_open.yaml", "webqs/webqs.yaml", "mathqa/mathqa.yaml", "prost/corypaul_prost.yaml",
    "qa4mre/qa4mre_2011.yaml", "mgsm/direct/mgsm_direct_en.yaml", "swag/swag.yaml", "kobest/kobest_boolq.yaml",
    "unscramble/anagrams1.yaml", "translation/wmt16_en-de.yaml", "bbh/cot_fewshot/boolean_expressions.yaml",
    "cmmlu/cmmlu_agronomy.yaml", "ceval/ceval-valid_accountant.yaml", "agieval/lsat-ar.yaml",
)  # fmt: skip
LIKELIHOODS = ("arc/arc_easy.yaml", "hellaswag/hellaswag.yaml", "blimp/adjunct_island.yaml")
WORDS = (
    "Anna",
    "brings",
    "the blue car",
    "on Monday",
    "\u00e9t\u00e9",
    "\u6771\u4eac",
    "it's 3.5 km",
    'a "quoted" word',
    "line\nfeed",
    "x_1",
)


def value(kind: str, column: str, seed: int) -> object:
    """A value of a column; texts differ in the white space at their ends."""
    pick = [WORDS[(seed * 7 + len(column) * 3 + n * 5) % len(WORDS)] for n in range(3)]
    ends = ("", "", " ", "\n")[seed % 4]
    match kind:
        case "text":
            return f"{column} {seed}: {' '.join(pick)}{ends}"
        case "number":
            return seed % 2
        case "list":
            return [f"{WORDS[(seed + n) % 3]} {n}" for n in range(4)]
        case "texts":
            return [f"{column} {seed}", f"{pick[0]} {seed}"]
        case "labelled":
            return {"text": [f"{pick[0]} {n}" for n in range(4)], "label": ["A", "B", "C", "D"]}
        case "letter":
            return "ABCD"[seed % 4]
        case "figure":
            return str(seed % 4)
        case "small":
            return "abcd"[seed % 4]
        case "yes":
            return ("yes", "no", "maybe")[seed % 3]
        case "boxed":
            return f"So $x = {seed}$ and \boxed{{{seed}}}."
    return f"{kind} {seed}"


def documents(kinds: dict[str, str], split: str) -> list[dict[str, object]]:
    start = {"train": 0, "test": 100}[split]
    return [
        {column: value(kind, column, start + n) for column, kind in kinds.items()} for n in range(ROWS[split])
    ]


def columns_of(config: dict) -> list[str]:
    """The columns that templates name."""
    found: dict[str, None] = {}
    parts = [
        config.get(key)
        for key in ("doc_to_text", "doc_to_target", "doc_to_choice", "description", "gen_prefix")
    ]
    for part in parts:
        if not isinstance(part, str):
            continue
        if "{" not in part and re.fullmatch(r"[A-Za-z_][\w]*", part):
            found[part] = None
            continue
        found |= dict.fromkeys(sorted(meta.find_undeclared_variables(Environment().parse(part))))
    return [
        name for name in found if name not in ("range", "dict", "namespace", "cycler", "joiner", "lipsum")
    ]


def overlay(file: str, config: dict, folder: Path, kinds: dict[str, str]) -> Path:
    """A file that includes a task and names made-up data instead of its own."""
    names = {
        config[key]
        for key in ("training_split", "validation_split", "test_split", "fewshot_split")
        if config.get(key)
    }
    given = config.get("fewshot_config") or {}
    names |= {given["split"]} if given.get("split") else set()
    asked = config.get("test_split") or config.get("validation_split")
    lines = [
        f"include: {THEIRS / file}",
        "dataset_path: json",
        "dataset_name: null",
        "dataset_kwargs:",
        "  data_files:",
    ]
    for name in sorted(names):
        rows = documents(kinds, "test" if name == asked else "train")
        path = re.sub(r"\W", "-", name) + ".jsonl"
        (folder / path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        lines.append(f"    {json.dumps(name)}: {path}")
    (folder / "overlay.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "overlay.yaml"


def their_task(path: Path, shots: int) -> ConfigurableTask:
    config = load_yaml(path)
    task = ConfigurableTask(config={key: part for key, part in config.items() if part is not None})
    task.set_config("num_fewshot", shots)
    task.set_fewshot_seed(SEED)
    task.build_all_requests()
    return task


def asked(task: ConfigurableTask) -> list[dict[str, Any]]:
    """What a task asks, document by document."""
    found: dict[int, dict[str, Any]] = {}
    for instance in task.instances:
        entry = found.setdefault(instance.doc_id, {"target": target(task, instance.doc)})
        if task.OUTPUT_TYPE == "loglikelihood_rolling":
            entry["prompt"] = instance.args[0]
            continue
        assert entry.setdefault("prompt", instance.args[0]) == instance.args[0]
        if task.OUTPUT_TYPE == "multiple_choice":
            entry.setdefault("continuations", []).append(instance.args[1])
    return [found[number] for number in sorted(found)]


def target(task: ConfigurableTask, doc: dict) -> object:
    gold = task.doc_to_target(doc)
    if task.OUTPUT_TYPE == "multiple_choice":
        choices = task.doc_to_choice(doc)
        assert len({choice.strip() for choice in choices}) == len(choices) >= 2
        assert all(choice.strip() for choice in choices)
        gold = choices.index(gold) if isinstance(gold, str) else gold
        assert isinstance(gold, int) and 0 <= gold < len(choices)
        return gold
    if task.config.doc_to_choice is not None and isinstance(gold, int):
        gold = task.doc_to_choice(doc)[gold]
    found = [str(each) for each in gold] if isinstance(gold, list) else [str(gold)]
    assert all(each.strip() for each in found)
    return found


def tried(file: str, kinds: dict[str, str]) -> dict | None:
    """A case of the file with such documents; None where lm-evaluation-harness cannot ask them."""
    config = load_yaml(THEIRS / file, resolve_func=False)
    with tempfile.TemporaryDirectory() as name:
        here = Path.cwd()
        os.chdir(name)
        try:
            path = overlay(file, config, Path(name), kinds)
            runs = {str(shots): asked(their_task(path, shots)) for shots in SHOTS}
        except Exception as error:
            logging.getLogger(__name__).debug("%s: %s", file, error)
            return None
        finally:
            os.chdir(here)
        if max(len(each["prompt"]) for run in runs.values() for each in run) > LONGEST:
            return None
        data = {path.name: path.read_text(encoding="utf-8") for path in sorted(Path(name).glob("*.jsonl"))}
        text = path.read_text(encoding="utf-8").replace(str(THEIRS / file), f"TASKS/{file}")
    return {"file": file, "overlay": text, "data": data, "asked": runs}


def possible(file: str) -> bool:
    """Whether our own reader takes the file; what it asks is never looked at."""
    try:
        lm_eval_task.document(THEIRS / file, trust_code=True)
    except HarnessError:
        return False
    return file in CODED or not read(THEIRS / file).functions


def case_of(file: str) -> dict | None:
    if file in CODED:
        return tried(file, CODED[file])
    columns = columns_of(load_yaml(THEIRS / file, resolve_func=False))
    if not columns or len(columns) > 6:
        return None
    config = load_yaml(THEIRS / file, resolve_func=False)
    left = 4
    for kinds in product(KINDS, repeat=len(columns)):
        named = dict(zip(columns, kinds, strict=True))
        if likely(config, named):
            left -= 1
            if found := tried(file, named):
                return found
        if not left:
            break
    return None


def likely(config: dict, kinds: dict[str, str]) -> bool:
    """Whether the templates can be filled for one document, and give a text, choices and a right one."""
    document = documents(kinds, "test")[0]

    def filled(key: str) -> object:
        template = config.get(key)
        if not isinstance(template, str):
            return template
        return document[template] if template in document else utils.apply_template(template, document)

    try:
        text, choices, gold = filled("doc_to_text"), filled("doc_to_choice"), filled("doc_to_target")
        if isinstance(choices, str):
            choices = ast.literal_eval(choices)
    except Exception:
        return False
    if not isinstance(text, str) or "{'" in text or "['" in text:
        return False
    if choices is None:
        return isinstance(gold, list) or (isinstance(gold, str) and "['" not in gold)
    if isinstance(gold, str) and gold.isdigit() and config["doc_to_target"] not in document:
        gold = int(gold)
    choices = list(choices.values()) if isinstance(choices, dict) else choices
    if (
        not isinstance(choices, list)
        or len(choices) < 2
        or not all(isinstance(each, str) for each in choices)
    ):
        return False
    return gold in choices or (isinstance(gold, int) and gold < len(choices))


def likelihoods(cases: list[dict], folder: Path) -> dict[str, list[list[float]]]:
    """Log-likelihoods of choices by its model `hf`, with one example before each question."""
    model = HFLM(pretrained=str(folder), device="cpu", dtype="float32", batch_size=1)
    found = {}
    for case in cases:
        if case["file"] not in LIKELIHOODS:
            continue
        with tempfile.TemporaryDirectory() as name:
            for path, text in case["data"].items():
                (Path(name) / path).write_text(text, encoding="utf-8")
            (Path(name) / "overlay.yaml").write_text(
                case["overlay"].replace("TASKS", str(THEIRS)), encoding="utf-8"
            )
            here = Path.cwd()
            os.chdir(name)
            task = their_task(Path(name) / "overlay.yaml", 1)
            os.chdir(here)
        sums: dict[int, list[float]] = {}
        for instance, (logprob, _) in zip(task.instances, model.loglikelihood(task.instances), strict=True):
            sums.setdefault(instance.doc_id, []).append(logprob)
        found[case["file"]] = [sums[number] for number in sorted(sums)]
    return found


TEXTS = (
    "so #### 1,234 and #### 5.",
    "The answer is (B).",
    "the answer is B",
    "Guilty of Romance!",
    "nothing",
    "Answer: C",
    "(A) first, (C) third",
    "  PARIS ",
    "3 and 4 and $5",
)
FILTERS: tuple[list[dict[str, Any]], ...] = (
    [],
    [{"function": "regex", "regex_pattern": r"#### (\-?[0-9\.\,]+)"}],
    [{"function": "regex", "regex_pattern": r"(-?[$0-9.,]{2,})|(-?[0-9]+)", "group_select": -1}],
    [
        {"function": "regex", "regex_pattern": r"answer is (\(?[A-D]\)?)", "fallback": "none"},
        {"function": "remove_whitespace"},
    ],
    [
        {
            "function": "multi_choice_regex",
            "regex_pattern": r"(\([A-Z]\))",
            "ignore_case": True,
            "ignore_punctuation": True,
        }
    ],
    [
        {
            "function": "multi_choice_regex",
            "regex_pattern": r"(\([A-Z]\))",
            "regexes_to_ignore": ["the ", "[!]"],
        }
    ],
)
MATCHES: tuple[dict[str, Any], ...] = (
    {},
    {"ignore_case": True, "ignore_punctuation": True},
    {"ignore_numbers": True},
    {"regexes_to_ignore": [",", r"\$", r"\.$"], "ignore_case": True},
)
CHOICES = ["Guilty", "Guilty of Romance", "paris", "Something else"]
REFERENCES = (
    "1234",
    "1,234",
    "(B)",
    "B",
    "Paris",
    "paris",
    "(A)",
    "(C)",
    "5",
    "none",
    "[invalid]",
    "nothing",
    "and  and ",
)


def answers() -> list[dict]:
    """Whether each answer equals each reference, behind each filter and with each setting of `exact_match`."""
    from lm_eval.api.metrics import exact_match_hf_evaluate
    from lm_eval.filters import build_filter_ensemble

    found = []
    for steps in FILTERS:
        parts = [
            [step["function"], {key: part for key, part in step.items() if key != "function"}]
            for step in steps
        ]
        instances = []
        for number, text in enumerate(TEXTS):
            instance = Instance("generate_until", {"choices": CHOICES}, ("", {}), 0, ("x", number, 1))
            instance.resps = [text.strip()]
            instances.append(instance)
        build_filter_ensemble("f", [*parts, ["take_first", None]]).apply(instances)
        given = [instance.filtered_resps["f"] for instance in instances]
        for settings in MATCHES:
            hits = [
                "".join(
                    str(int(exact_match_hf_evaluate([text], [reference], **settings)["exact_match"]))
                    for reference in REFERENCES
                )
                for text in given
            ]
            found.append({"filter": steps, "match": settings, "hits": hits})
    return found


def main() -> None:
    datasets.disable_progress_bars()
    cases: list[dict] = []
    taken: dict[str, int] = {}
    files = sorted(path.relative_to(THEIRS).as_posix() for path in THEIRS.rglob("*.yaml"))
    first = [file for file in (*CODED, *LIKELIHOODS, *WANTED) if (THEIRS / file).is_file()]
    for file in dict.fromkeys([*first, *files]):
        group = file.split("/")[0]
        if file not in first and (taken.get(group, 0) >= PER_GROUP or len(cases) >= MOST):
            continue
        seen = taken.get(f"tried {group}", 0)
        if file not in first and seen >= 6:
            continue
        taken[f"tried {group}"] = seen + 1
        if (
            "group" in (THEIRS / file).read_text(encoding="utf-8")[:40]
            or not possible(file)
            or (case := case_of(file)) is None
        ):
            print("-", file, file=sys.stderr)
            continue
        cases.append(case)
        taken[group] = taken.get(group, 0) + 1
        print("+", file, file=sys.stderr)
    shutil.rmtree(HERE / "tasks", ignore_errors=True)
    for case in cases:
        found = read(THEIRS / case["file"])
        for path in (*found.file.files, *(function.path for function in found.functions)):
            place = HERE / "tasks" / path.relative_to(THEIRS)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    (licence,) = Path(lm_eval.__file__).parents[1].glob("lm_eval-*.dist-info/licenses/LICENSE.md")
    shutil.copyfile(licence, HERE / "tasks" / "LICENSE.md")
    text = "Task files of lm-evaluation-harness, unchanged, for the tests: copyright EleutherAI, MIT, see LICENSE.md.\n"
    (HERE / "tasks" / "README.md").write_text(text, encoding="utf-8")
    document = {
        "lm_eval": lm_eval.__version__,
        "seed": SEED,
        "cases": sorted(cases, key=lambda case: case["file"]),
        "answers": {"texts": TEXTS, "references": REFERENCES, "choices": CHOICES, "settings": answers()},
    }
    write(document)
    print(len(cases), "cases", file=sys.stderr)


def write(document: dict[str, Any]) -> None:
    """Write the file with the log-likelihoods by each model."""
    document["likelihoods"] = {
        "shots": 1,
        "sums": {name: likelihoods(document["cases"], ROOT / folder) for name, folder in MODELS.items()},
    }
    text = json.dumps(document, ensure_ascii=True, indent=1)
    (HERE / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["likelihoods"]:
        write(json.loads((HERE / "expected.json").read_text(encoding="utf-8")))
    else:
        main()
