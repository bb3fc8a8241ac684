"""What lm-eval wrote becomes a RESULT with lm-eval's own numbers; what it did not write is refused in one line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.commands.import_answers import import_answers, remarks
from harness.errors import HarnessError
from harness.imports import ImportOptions, read
from harness.results import Result, read_generations, read_samples
from harness.results import read as read_result
from harness.types import System
from tests.imports.conftest import FILES

BASE = System(model="llama2-tiny")
ADAPTER = System(model="llama2-tiny", adapter="dialogues-r4")
NONE = ImportOptions()
# task, lm-eval's key, our score, our number over theirs
SCORES = [
    ("medical", "acc,none", "accuracy", 100.0),
    ("medical", "acc_norm,none", "accuracy(by=character)", 100.0),
    ("dialogues", "bleu,none", "bleu", 1.0),
    ("dialogues", "chrf,none", "chrf", 1.0),
    ("dialogues", "exact_match,none", "exact", 100.0),
    ("reasoning", "exact_match,strict", "exact", 100.0),
    ("reasoning", "exact_match,flexible", "exact", 100.0),
]


def results_file(folder: Path) -> Path:
    (path,) = folder.rglob("results_*.json")
    return path


def samples_file(folder: Path, task: str = "dialogues") -> Path:
    (path,) = folder.rglob(f"samples_{task}_*.jsonl")
    return path


def edit(path: Path, change: Callable[[dict[str, Any]], None], line: int | None = None) -> None:
    """Change the object of a JSON file, or of one line of a JSON Lines file."""
    if line is None:
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data))
        return
    lines = path.read_text().splitlines()
    data = json.loads(lines[line])
    change(data)
    lines[line] = json.dumps(data)
    path.write_text("\n".join(lines) + "\n")


def system_of(key: str, system: System) -> System:
    """The system under a filter: where a task has several, each is a system."""
    of_filter = key.partition(",")[2]
    model = system.model if of_filter == "none" else f"{system.model} [{of_filter}]"
    return System(model=model, adapter=system.adapter)


@pytest.mark.parametrize(("folder", "system"), [("base", BASE), ("adapter", ADAPTER)])
@pytest.mark.parametrize(("task", "key", "metric", "scale"), SCORES)
def test_scores_are_lm_evals_own_numbers(
    of_lm_eval: Path, folder: str, system: System, task: str, key: str, metric: str, scale: float
) -> None:
    theirs = json.loads(results_file(FILES / "lm-eval" / folder).read_text())["results"][task][key]
    wanted = (task, system_of(key, system), metric)
    (score,) = [
        score
        for score in read_result(of_lm_eval).scores
        if (score.task, score.system, score.metric) == wanted
    ]
    assert score.value / scale == pytest.approx(theirs, abs=1e-9)
    assert score.n == 20
    assert score.low is not None and score.high is not None and score.low <= score.value <= score.high


def test_the_adapter_is_compared_with_its_base_in_pairs(of_lm_eval: Path) -> None:
    found = read_result(of_lm_eval)
    of_base = [pair for pair in found.comparisons if (pair.baseline, pair.candidate) == (BASE, ADAPTER)]
    assert {(pair.task, pair.metric) for pair in of_base} >= {("medical", "accuracy"), ("dialogues", "chrf")}
    for pair in of_base:
        assert pair.n == 20
        assert pair.low < pair.high
        assert pair.low <= pair.difference <= pair.high
    primary = [pair for pair in of_base if pair.metric == found.task(pair.task).primary]
    assert all(pair.family == f"{pair.task}: each adapter against its base" for pair in primary)
    chrf = next(pair for pair in of_base if pair.metric == "chrf")
    assert chrf.low > 0  # trained on these dialogues


def test_filters_are_systems_and_each_adapter_has_its_base(of_lm_eval: Path) -> None:
    found = read_result(of_lm_eval)
    systems = {score.system for score in found.scores if score.task == "reasoning"}
    assert systems == {
        System(model=f"llama2-tiny [{name}]", adapter=adapter)
        for name in ("strict", "flexible")
        for adapter in (None, "dialogues-r4")
    }
    pairs = {(pair.baseline, pair.candidate) for pair in found.comparisons if pair.task == "reasoning"}
    for name in ("strict", "flexible"):
        base = System(model=f"llama2-tiny [{name}]")
        assert (base, System(model=base.model, adapter="dialogues-r4")) in pairs


def test_answers_and_documents_are_those_of_the_samples(of_lm_eval: Path) -> None:
    lines = [json.loads(line) for line in samples_file(FILES / "lm-eval" / "base").open()]
    samples = {sample.id: sample for task, sample in read_samples(of_lm_eval) if task == "dialogues"}
    answers = {
        answer.sample_id: answer
        for task, system, answer in read_generations(of_lm_eval)
        if (task, system) == ("dialogues", BASE)
    }
    assert list(samples) == [str(line["doc_id"]) for line in lines]
    for line in lines:
        name = str(line["doc_id"])
        assert samples[name].references == (line["doc"]["summary"],)
        assert samples[name].input == line["arguments"]["gen_args_0"]["arg_0"]
        assert samples[name].metadata["scenario"] == line["doc"]["scenario"]
        assert answers[name].text == line["filtered_resps"][0]
        assert answers[name].given == {"exact_match": line["exact_match"]}


def test_likelihoods_of_choices_are_kept(of_lm_eval: Path) -> None:
    lines = [json.loads(line) for line in samples_file(FILES / "lm-eval" / "base", "medical").open()]
    answers = [
        answer for task, system, answer in read_generations(of_lm_eval) if (task, system) == ("medical", BASE)
    ]
    for line, answer in zip(lines, answers, strict=True):
        assert [option.logprob for option in answer.options] == [
            float(response[0]) for response in line["filtered_resps"]
        ]
        assert [option.text for option in answer.options] == line["doc"]["options"]
        assert answer.text == max(answer.options, key=lambda option: option.logprob).text


def test_what_lm_eval_said_of_the_run_is_recorded(of_lm_eval: Path) -> None:
    found = read_result(of_lm_eval)
    model = found.model("llama2-tiny")
    assert model is not None
    assert (model.uri, model.parameters, model.dtype) == ("file:models/llama2-tiny", 1_381_504, "float32")
    adapter = found.adapter(ADAPTER)
    assert adapter is not None and adapter.uri == "file:models/dialogues-r4"
    assert {file.program for file in found.manifest.imported} == {"lm-eval 0.4.13"}
    assert found.manifest.libraries["lm_eval"] == "0.4.13"
    assert found.task("dialogues").decode == {"max_new_tokens": 32, "stop": ["\n"]}
    assert not [*remarks(found)]  # every number was computed again, and is the same


# Where the other program has another number.


def imported(logs: Path, out: Path, *names: str) -> Result:
    return import_answers("lm-eval", [logs / "lm-eval" / name for name in names], out, NONE)


def test_another_number_is_a_note_with_both_and_theirs_is_kept(logs: Path, tmp_path: Path) -> None:
    base = logs / "lm-eval" / "base"
    edit(samples_file(base, "medical"), lambda line: line.update(acc=1.0 - line["acc"]), 3)

    def change(data: dict[str, Any]) -> None:
        data["results"]["medical"]["acc,none"] += 0.05

    edit(results_file(base), change)
    found = imported(logs, tmp_path / "out", "base", "adapter")
    (note,) = [note for note in found.notes if note.kind == "other number"]
    assert note.where == "medical, llama2-tiny"
    assert note.detail == (
        "acc is 0.3 by lm-eval 0.4.13, and 0.25 computed from the answers as accuracy; 1 answer with another number"
    )
    assert (note.count, note.of, note.samples) == (1, 20, ("3",))
    assert [*remarks(found)] == [f"{note.where}: {note.detail} (1 of 20)"]
    scores = {(score.system, score.metric): score.value for score in found.scores if score.task == "medical"}
    assert scores[BASE, "accuracy"] == 25.0
    assert scores[BASE, "theirs(score=acc)"] == pytest.approx(0.3)
    assert scores[ADAPTER, "theirs(score=acc)"] == pytest.approx(0.35)


def test_a_score_that_we_cannot_compute_is_kept_as_theirs(logs: Path, tmp_path: Path) -> None:
    for name in ("base", "adapter"):
        edit(
            results_file(logs / "lm-eval" / name),
            lambda data: data["configs"]["dialogues"]["metric_list"][2].update(ignore_punctuation=True),
        )
    found = imported(logs, tmp_path / "out", "base", "adapter")
    (score,) = [
        score for score in found.scores if (score.system, score.metric) == (BASE, "theirs(score=exact_match)")
    ]
    assert (score.value, score.n, score.unit) == (0.0, 20, "raw")
    assert "computed:elsewhere" in score.signature


def test_a_metric_without_a_number_for_each_answer_is_a_note(logs: Path, tmp_path: Path) -> None:
    base = logs / "lm-eval" / "base"
    path = samples_file(base)
    lines = [json.loads(line) for line in path.open()]
    for line in lines:
        line["metrics"].append("brier_score")
        line["brier_score"] = [1, [0.5, 0.5]]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = imported(logs, tmp_path / "out", "base")
    (note,) = [note for note in found.notes if note.kind == "not imported"]
    assert note.detail.startswith("brier_score is not kept: lm-eval gives no number for each answer")


def test_targets_may_be_the_texts_of_choices(logs: Path, tmp_path: Path) -> None:
    """doc_to_target may give a text: even "40 mg" or "2" is then a choice and no place."""
    path = samples_file(logs / "lm-eval" / "base", "medical")
    lines = [json.loads(line) for line in path.open()]
    for line in lines:
        line["target"] = line["doc"]["answer"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = imported(logs, tmp_path / "out", "base")
    assert next(score.value for score in found.scores if score.metric == "accuracy") == 25.0


def test_tasks_of_whole_texts_are_left_out_with_a_note(logs: Path, tmp_path: Path) -> None:
    edit(
        results_file(logs / "lm-eval" / "base"),
        lambda data: data["configs"]["reasoning"].update(output_type="loglikelihood_rolling"),
    )
    found = imported(logs, tmp_path / "out", "base")
    assert {task.name for task in found.suite.tasks} == {"dialogues", "medical"}
    assert any(note.kind == "not imported" and note.where == "reasoning" for note in found.notes)


def test_a_list_of_targets_has_several_references(logs: Path) -> None:
    path = samples_file(logs / "lm-eval" / "base")
    edit(path, lambda line: line.update(target="['one', 'two']"), 0)
    edit(path, lambda line: line.update(target="[not a list"), 1)
    found = {each.task.name: each for each in read("lm-eval", logs / "lm-eval" / "base", NONE)}
    assert found["dialogues"].samples[0].references == ("one", "two")
    assert found["dialogues"].samples[1].references == ("[not a list",)


def test_the_likelihood_of_one_text_is_kept_with_lm_evals_scores(logs: Path, tmp_path: Path) -> None:
    """As of lambada: one continuation, of which lm-eval says whether it is the likeliest."""
    base = logs / "lm-eval" / "base"
    edit(results_file(base), lambda data: data["configs"]["medical"].update(output_type="loglikelihood"))
    path = samples_file(base, "medical")
    lines = [json.loads(line) for line in path.open()]
    for line in lines:
        line["arguments"] = {"gen_args_0": line["arguments"]["gen_args_0"]}
        line["filtered_resps"] = line["filtered_resps"][:1]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = imported(logs, tmp_path / "out", "base")
    scores = {score.metric: score.value for score in found.scores if score.task == "medical"}
    assert scores == {"theirs(score=acc)": 0.25, "theirs(score=acc_norm)": 0.2}


def test_examples_in_the_prompt_are_shots(logs: Path, tmp_path: Path) -> None:
    edit(results_file(logs / "lm-eval" / "base"), lambda data: data["n-shot"].update(medical=2, dialogues=2))
    edit(results_file(logs / "lm-eval" / "adapter"), lambda data: data["n-shot"].update(dialogues=2))
    found = imported(logs, tmp_path / "out", "base", "adapter")
    assert found.task("dialogues").shots == 2
    assert found.task("medical").shots == 0
    systems = {score.system for score in found.scores if score.task == "medical"}
    assert systems == {System(model="llama2-tiny", shots=2), ADAPTER}
    assert {score.system for score in found.scores if score.task == "dialogues"} == {BASE, ADAPTER}


def test_arguments_of_the_model_may_be_one_text(logs: Path) -> None:
    """As older versions wrote them."""
    edit(
        results_file(logs / "lm-eval" / "adapter"),
        lambda data: data["config"].update(
            model_args="pretrained=org/model,peft=org/adapter", model_sha="c0ffee"
        ),
    )
    found = read("lm-eval", logs / "lm-eval" / "adapter", NONE)[0]
    assert found.system == System(model="model", adapter="adapter")
    assert (found.model.uri, found.model.revision) == ("hub:org/model", "c0ffee")


# Several runs, several models.


def test_the_newest_of_several_runs_is_read(logs: Path) -> None:
    base = logs / "lm-eval" / "base" / "models__llama2-tiny"
    for path in list(base.iterdir()):
        if "medical" in path.name:
            continue  # the new run did not ask it
        newer = path.with_name(path.name.replace("2026-11-30T21-06", "2026-12-01T08-00"))
        shutil.copy(path, newer)
        if "samples_dialogues" in path.name:
            edit(newer, lambda line: line.update(filtered_resps=["the newer answer"]), 0)
    found = {each.task.name: each for each in read("lm-eval", logs / "lm-eval" / "base", NONE)}
    assert found["dialogues"].answers[0].text == "the newer answer"
    assert found["dialogues"].file.created.startswith("2026-12-01")
    assert found["medical"].file.created.startswith("2026-11-30")


def test_a_results_file_names_its_run(logs: Path) -> None:
    found = read("lm-eval", results_file(logs / "lm-eval" / "adapter"), NONE)
    assert {each.system.adapter for each in found} == {"dialogues-r4"}


def test_names_of_the_user_replace_those_of_the_files(logs: Path, tmp_path: Path) -> None:
    places = [logs / "lm-eval" / "base", logs / "lm-eval" / "adapter"]
    found = import_answers("lm-eval", places, tmp_path / "out", NONE, ["mine", "mine+v2"])
    systems = {score.system for score in found.scores if score.task == "medical"}
    assert systems == {System(model="mine"), System(model="mine", adapter="v2")}
    assert any(pair.candidate == System(model="mine", adapter="v2") for pair in found.comparisons)


def test_only_samples_of_all_systems_are_compared(logs: Path, tmp_path: Path) -> None:
    path = samples_file(logs / "lm-eval" / "adapter", "medical")
    path.write_text("".join(path.open().readlines()[:15]))
    found = imported(logs, tmp_path / "out", "base", "adapter")
    assert {score.n for score in found.scores if score.task == "medical"} == {15}
    (note,) = [note for note in found.notes if note.kind == "left out"]
    assert (note.where, note.count, note.of) == ("medical, llama2-tiny", 5, 20)


# What is refused.


def both(logs: Path) -> list[Path]:
    return [logs / "lm-eval" / "base", logs / "lm-eval" / "adapter"]


def mixed(logs: Path) -> list[Path]:
    shutil.copytree(logs / "lm-eval" / "adapter", logs / "lm-eval" / "base", dirs_exist_ok=True)
    return [logs / "lm-eval" / "base"]


def without_documents(logs: Path) -> list[Path]:
    edit(samples_file(logs / "lm-eval" / "base"), lambda line: line.pop("doc"), 2)
    return both(logs)


def a_broken_line(logs: Path) -> list[Path]:
    path = samples_file(logs / "lm-eval" / "base")
    path.write_text(path.read_text()[:-300])
    return both(logs)


def an_empty_folder(logs: Path) -> list[Path]:
    (logs / "nothing").mkdir()
    return [logs / "nothing"]


def no_samples(logs: Path) -> list[Path]:
    for path in (logs / "lm-eval" / "base").rglob("samples_*"):
        path.unlink()
    return both(logs)


def no_results(logs: Path) -> list[Path]:
    results_file(logs / "lm-eval" / "base").unlink()
    return both(logs)


def no_json(logs: Path) -> list[Path]:
    results_file(logs / "lm-eval" / "base").write_text("{")
    return both(logs)


def an_id_twice(logs: Path) -> list[Path]:
    edit(samples_file(logs / "lm-eval" / "base"), lambda line: line.update(doc_id=0), 1)
    return both(logs)


def other_documents(logs: Path) -> list[Path]:
    edit(samples_file(logs / "lm-eval" / "adapter"), lambda line: line.update(doc_hash="0" * 64), 4)
    return both(logs)


def other_targets(logs: Path) -> list[Path]:
    edit(samples_file(logs / "lm-eval" / "adapter"), lambda line: line.update(target="another"), 4)
    return both(logs)


def the_same_twice(logs: Path) -> list[Path]:
    return [logs / "lm-eval" / "base", results_file(logs / "lm-eval" / "base")]


def no_choice(logs: Path) -> list[Path]:
    edit(samples_file(logs / "lm-eval" / "base", "medical"), lambda line: line.update(target="17"), 4)
    return both(logs)


def nowhere(logs: Path) -> list[Path]:
    return [logs / "not-there"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (mixed, "found results of 2 models: .*name the folder or the results_"),
        (
            without_documents,
            r"samples_dialogues_.*\.jsonl:3: a sample without the document; run lm_eval again",
        ),
        (a_broken_line, r"samples_dialogues_.*\.jsonl:20: broken JSON at column .*; fix or remove the line"),
        (an_empty_folder, "nothing: found no results_.*; run lm_eval again with --log_samples"),
        (no_samples, "found no samples_.*; run lm_eval again with --log_samples"),
        (no_results, r"found samples_.*\.jsonl and no results_"),
        (no_json, "results_.*: cannot be read as JSON"),
        (an_id_twice, "found two samples with the id '0'"),
        (other_documents, "sample '4' of dialogues has another document than in .*; import files"),
        (other_targets, "sample '4' of dialogues has another reference than in"),
        (the_same_twice, "found llama2-tiny on .*; give the inputs other names: --system NAME"),
        (no_choice, r":5: target: found '17', which is no choice and no place of one"),
        (nowhere, "not-there: no such file or folder"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_nothing_is_written(
    logs: Path, tmp_path: Path, damage: Callable[[Path], list[Path]], said: str
) -> None:
    places = damage(logs)
    with pytest.raises(HarnessError, match=said) as refused:
        import_answers("lm-eval", places, tmp_path / "out", NONE)
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


def test_files_that_someone_renamed_without_dates_are_read(logs: Path) -> None:
    base = logs / "lm-eval" / "base"
    for path in [*base.rglob("*_2026-*")]:
        path.rename(path.with_name(path.name.split("_2026-")[0] + path.suffix))
    assert (base / "models__llama2-tiny" / "results.json").is_file()
    for place in (base, base / "models__llama2-tiny" / "results.json"):
        found = {each.task.name for each in read("lm-eval", place, NONE)}
        assert found == {"medical", "dialogues", "reasoning"}


def test_an_import_replaces_only_the_result_of_the_same_files(logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    imported(logs, out, "base")
    imported(logs, out, "base")
    before = (out / "result.json").read_bytes()
    with pytest.raises(HarnessError, match=r"holds another RESULT, of .*; name another folder, or remove"):
        imported(logs, out, "base", "adapter")
    assert (out / "result.json").read_bytes() == before
