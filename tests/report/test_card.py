"""An adapter's README: read back by the hub's own loader, tried with plain peft, pushed to a server of our own."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from huggingface_hub import ModelCard, parse_eval_result_entries
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from harness import text as words
from harness.commands import card
from harness.errors import HarnessError, UnknownName
from harness.report.card import build, render
from harness.results import json_lines, read
from harness.types import System

from .conftest import printable, write_result
from .leaks import leaks, private_texts
from .test_render import HOSTILE, Tags

ADAPTED = System(model="llama2-tiny", adapter="quickstart")
Edit = Callable[[dict[str, Any]], None]


def edited(example: Path, folder: Path, edit: Edit) -> Path:
    shutil.copytree(example, folder)
    document = json.loads((folder / "result.json").read_bytes())
    edit(document)
    (folder / "result.json").write_text(json.dumps(document))
    return folder


def body(example: Path, tmp_path: Path, edit: Edit, system: System = ADAPTED) -> str:
    return render(build(read(edited(example, tmp_path / "result", edit)), system))


def on_the_hub(document: dict[str, Any]) -> None:
    model = next(one for one in document["suite"]["models"] if one["name"] == "llama2-tiny")
    model |= {"uri": "hub:meta-llama/Llama-2-7b-hf@main", "revision": "5" * 40}
    task = next(one for one in document["suite"]["tasks"] if one["name"] == "dialogues")
    task |= {"source": "hub:knkarthick/samsum@main", "licence": "cc-by-nc-nd-4.0"}


# What the hub reads


def test_the_hubs_loader_reads_every_score_back(example: Path, tmp_path: Path) -> None:
    path = card.write(example, ADAPTED, tmp_path)
    data = ModelCard.load(path).data
    assert (data.library_name, data.pipeline_tag) == ("peft", "text-generation")
    assert data.tags == ["lora", "transformers"]
    assert data.model_name == "llama2-tiny-quickstart"
    mine = [one for one in read(example).scores if one.system == ADAPTED]
    found = {(one.task_name, one.metric_name): one for one in data.eval_results}
    assert len(found) == len(data.eval_results) == len(mine) == 8
    for score in mine:
        back = found[score.task, words.metric(score.metric)]
        assert back.metric_value == round(score.value, 1)
        assert back.metric_config == score.signature
        assert score.low is not None and score.high is not None
        low, high = round(score.low, 1), round(score.high, 1)
        assert back.metric_args == {"samples": score.n, "low_95": low, "high_95": high}
        assert (back.dataset_name, back.dataset_split) == (score.task, "test")
    assert found["dialogues", "ROUGE-L"].dataset_args == {"digest": "5f" * 16}


def test_the_file_is_what_the_loader_would_write(example: Path, tmp_path: Path) -> None:
    path = card.write(example, ADAPTED, tmp_path)
    assert str(ModelCard.load(path)) == path.read_text(encoding="utf-8")


def test_bases_and_data_of_the_hub_are_linked(example: Path, tmp_path: Path) -> None:
    folder = edited(example, tmp_path / "result", on_the_hub)
    data = ModelCard.load(card.write(folder, ADAPTED, licence="Apache-2.0", place="ann/sums")).data
    assert data.base_model == "meta-llama/Llama-2-7b-hf"
    assert "base_model:adapter:meta-llama/Llama-2-7b-hf" in data.tags
    assert data.datasets == ["knkarthick/samsum"]
    assert (data.license, data.model_name) == ("apache-2.0", "sums")
    one = next(one for one in data.eval_results if one.task_name == "dialogues")
    assert (one.dataset_type, one.dataset_revision, one.dataset_args) == (
        "knkarthick/samsum",
        "5f" * 16,
        None,
    )


def test_scores_on_data_of_the_hub_are_where_the_hub_looks_for_them(example: Path, tmp_path: Path) -> None:
    path = card.write(edited(example, tmp_path / "result", on_the_hub), ADAPTED, tmp_path / "card")
    beside = path.parent / ".eval_results" / "finetune-harness.yaml"
    (entry,) = parse_eval_result_entries(YAML(typ="safe").load(beside.read_text(encoding="utf-8")))
    result = read(tmp_path / "result")
    score = next(
        score
        for score in result.scores
        if (score.task, score.metric, score.system) == ("dialogues", "rougeL", ADAPTED)
    )
    assert (entry.dataset_id, entry.task_id) == ("knkarthick/samsum", "default")
    assert entry.value == round(score.value, 1)
    assert (entry.dataset_revision, entry.date) == ("5f" * 16, result.manifest.created)
    assert f"[{score.low:.1f}, {score.high:.1f}]" in entry.notes and score.signature in entry.notes
    before = beside.read_bytes()
    card.write(tmp_path / "result", ADAPTED, tmp_path / "card")
    assert beside.read_bytes() == before
    beside.write_text("- mine: 1\n")
    with pytest.raises(HarnessError, match="the harness did not write this file"):
        card.write(tmp_path / "result", ADAPTED, tmp_path / "card")
    assert beside.read_text() == "- mine: 1\n"


def test_no_file_of_scores_is_written_where_no_data_is_the_hubs(example: Path, tmp_path: Path) -> None:
    card.write(example, ADAPTED, tmp_path)
    assert not (tmp_path / ".eval_results").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("uri", "name", "base"),
    [
        ("hub:google/flan-t5-base", "flan", "google/flan-t5-base"),
        ("hub:gpt2", "gpt2", "gpt2"),
        ("hub:google/flan-t5-base@" + "0" * 40, "flan", "google/flan-t5-base"),
        ("zoo:llama2-tiny", "llama2-tiny", None),
        ("file:/home/ann/llama", "llama", None),
        ("file:/home/ann/llama", "ann/llama", "ann/llama"),
        ("file:/home/ann/llama", "ann/lla ma", None),
        ("file:/home/ann/llama", "../llama/x", None),
    ],
)
def test_a_base_is_named_only_where_the_hub_knows_it(
    example: Path, tmp_path: Path, uri: str, name: str, base: str | None
) -> None:
    def edit(document: dict[str, Any]) -> None:
        text = json.dumps(document).replace('"llama2-tiny"', json.dumps(name))
        document.clear()
        document |= json.loads(text)
        next(one for one in document["suite"]["models"] if one["name"] == name)["uri"] = uri

    folder = edited(example, tmp_path / "result", edit)
    path = card.write(folder, System(model=name, adapter="quickstart"), tmp_path / "card")
    assert ModelCard.load(path).data.base_model == base
    assert "/home/ann" not in path.read_text()


def test_two_tasks_on_one_source_stay_two(example: Path, tmp_path: Path) -> None:
    def edit(document: dict[str, Any]) -> None:
        for task in document["suite"]["tasks"]:
            task["source"] = "hub:ann/all"
        document["manifest"]["sources"] = {"dialogues": "1" * 40, "instructions": "1" * 40}

    folder = edited(example, tmp_path / "result", edit)
    found = ModelCard.load(card.write(folder, ADAPTED)).data.eval_results
    assert {one.metric_name for one in found if one.task_name == "instructions"} == {
        "Token F1",
        "Exact match",
    }


# What people read


def test_every_number_stands_there_with_its_interval(example: Path) -> None:
    result = read(example)
    text = render(build(result, ADAPTED))
    for score in result.scores:
        if score.system in (ADAPTED, System(model="llama2-tiny")):
            assert words.interval(score.low, score.high) in text
    for one in result.comparisons:
        if one.candidate == ADAPTED and one.family and one.baseline.model in ("llama2-tiny", "trivial:copy"):
            assert words.difference(one) in text
            assert words.certainty(one) in text
    for said in ("| Rank | 16 |", "| Seed | 0 |", "65.5 k; the base has 1.1 M", "digest 5f5f5f5f"):
        assert said in text
    assert "harness run quickstart --limit 60" in text and "finetune-harness 0.1.0" in text
    assert {one.signature.replace("|", "&#124;") for one in result.scores if one.system == ADAPTED} <= set(
        re.findall(r"\| (\S+) \|", text)
    )


def test_tables_keep_their_columns_and_headings_their_order(example: Path, tmp_path: Path) -> None:
    evil = "".join(HOSTILE[:7])
    for text in (
        render(build(read(example), ADAPTED)),
        body(example, tmp_path, lambda d: d["suite"]["recipes"][0].update({"a|b": evil, "targets": [evil]})),
    ):
        tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
        assert len(tables) > 5
        for table in tables:
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table
        assert re.findall(r"^## (.*)", text, re.MULTILINE) == [
            *("Evaluation", "What this does not show", "How to load it", "Training"),
            *("What went wrong", "How it was measured", "Licence"),
        ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ((0,), "One seed: all of this holds for this adapter, not for the recipe quickstart"),
        ((0, 1), "One of 2 adapters of the recipe quickstart .* too few to judge the recipe"),
        ((0, 1, 2), "One of 3 adapters .*, mean [0-9.]+. Judge the recipe by all of them together"),
    ],
)
def test_one_adapter_never_speaks_for_its_recipe(tmp_path: Path, seeds: tuple[int, ...], said: str) -> None:
    folder = write_result(tmp_path / "result", samples=8, seeds=seeds)
    name = "quickstart" if len(seeds) == 1 else "quickstart#0"
    assert re.search(said, render(build(read(folder), System(model="llama2-tiny", adapter=name))))


def comparisons(change: Callable[[dict[str, Any]], None]) -> Edit:
    """An edit of how the adapter compares with its base on dialogues."""

    def edit(document: dict[str, Any]) -> None:
        for one in document["comparisons"]:
            same = one["candidate"]["model"] == one["baseline"]["model"] == "llama2-tiny"
            if same and (one["task"], one["metric"]) == ("dialogues", "rougeL"):
                change(one)

    return edit


def inert(document: dict[str, Any]) -> None:
    where = "dialogues, llama2-tiny + quickstart"
    note = {"kind": "inert", "where": where, "count": 40, "of": 40, "detail": "every answer", "samples": []}
    document["notes"].append(note)


def elsewhere(document: dict[str, Any]) -> None:
    for one in document["suite"]["adapters"]:
        one |= {"recipe": None, "trained_on": None, "seed": None, "uri": "hub:ann/sums"}


def quantised(document: dict[str, Any]) -> None:
    for one in document["suite"]["models"]:
        one |= {"quantization": "nf4", "dtype": "bfloat16", "chat": "off"}


def lost(document: dict[str, Any]) -> None:
    step: dict[str, Any] = {
        "id": "f" * 16,
        "kind": "score",
        "label": "score dialogues, llama2-tiny + quickstart",
        "seconds": 0,
    }
    document["steps"] += [{**step, "state": "failed", "reason": "secret", "log": ""}]
    document["steps"] += [{**step, "label": step["label"] + "#1", "state": "failed", "reason": "", "log": ""}]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "there", "absent"),
    [
        (comparisons(lambda one: one.update(p_holm=0.2)), "no significant difference from its base: +", None),
        (comparisons(lambda one: one.update(p_holm=None)), "against its base (exploratory, n = 40)", None),
        (lambda d: d.update(comparisons=[]), "not compared with its base", "against what needs no training: +"),
        (inert, "**Inert: every answer equals the base's", None),
        (elsewhere, "It was trained elsewhere", "never for the recipe"),
        (quantised, 'BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4"', "apply_chat_template"),
        (lost, "| step failed or skipped | score dialogues, llama2-tiny + quickstart |", "secret"),
        (on_the_hub, f'from_pretrained(base, revision="{"5" * 40}")', "PATH/TO/llama"),
        (lambda d: d["manifest"].update(command="harness run /home/ann/x.yaml --out=~/y"), "run …/x.yaml --out=…/y", "ann"),
        (lambda d: d["notes"].append({**d["notes"][0], "where": "dialogues, falcon-tiny + x"}), "Nothing: every", "falcon"),
        (lambda d: d["notes"].append({**d["notes"][0], "where": "dialogues, llama2-tiny"}), "| truncated | dialogues", None),
        (lambda d: d["suite"]["tasks"][1].update(source="file:/home/ann/x"), "private files", "home/ann"),
    ],
)  # fmt: skip
def test_the_card_says_what_is_so(
    example: Path, tmp_path: Path, edit: Edit, there: str, absent: str | None
) -> None:
    text = body(example, tmp_path, edit)
    assert there in text
    assert absent is None or absent not in text


def test_a_rule_that_does_better_is_the_news(example: Path, tmp_path: Path) -> None:
    def edit(document: dict[str, Any]) -> None:
        for one in document["comparisons"]:
            if one["task"] == "dialogues" and {"trivial:copy"} & {
                one["baseline"]["model"],
                one["candidate"]["model"],
            }:
                one |= {"difference": -9.0, "low": -12.0, "high": -6.0, "p_holm": 0.001}

    text = body(example, tmp_path, edit)
    assert "**copy of the input**, which needs no training, does better: 33.1" in text
    assert "does better: 33.1" not in render(build(read(example), ADAPTED))


def test_hostile_names_are_shown_as_text(example: Path, tmp_path: Path) -> None:
    evil = printable("".join(HOSTILE[:7]))

    def edit(document: dict[str, Any]) -> None:
        text = json.dumps(document)
        for victim in ("llama2-tiny", "quickstart", "dialogues", "rougeL", "harness run", "prompts whose"):
            text = text.replace(victim, victim + json.dumps(evil)[1:-1])
        document.clear()
        document |= json.loads(text)
        where = f"{document['suite']['tasks'][1]['name']}, llama2-tiny{evil} + quickstart{evil}"
        document["notes"].append({**document["notes"][0], "where": where})

    folder = edited(example, tmp_path / "result", edit)
    system = System(model=f"llama2-tiny{evil}", adapter=f"quickstart{evil}")
    path = card.write(folder, system, licence="a\n---\nb: <script>")
    assert path.is_relative_to(folder / "cards")
    loaded = ModelCard.load(path)
    assert str(loaded) == path.read_text(encoding="utf-8")
    assert loaded.data.license == "a\n---\nb:-<script>"
    assert not re.search("[\x00\x1b\u202e\u200f]", path.read_text(encoding="utf-8"))
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(loaded.text)
    parsed = Tags()
    parsed.feed(shown)
    allowed = {"h1", "h2", "p", "strong", "ul", "li", "br", "details", "summary", "pre", "code"}
    assert {tag for tag, _ in parsed.tags} <= allowed | {"table", "thead", "tbody", "tr", "th", "td"}
    assert "<script>alert(1)</script>" in parsed.text and "{{ 7 * 7 }}" in parsed.text
    code = re.search(r"```+python\n(.*?)\n```", loaded.text, re.DOTALL)
    assert code is not None
    compile(code[1], "card", "exec")


def test_no_card_holds_a_private_text(private: Path, tmp_path: Path) -> None:
    for model in ("falcon-tiny", "flan-t5-tiny"):
        card.write(private, System(model=model, adapter="quickstart"), tmp_path / model)
    assert leaks(tmp_path, private_texts(private)) == set()


# Where it lies


def test_a_card_lies_in_its_result_or_where_one_says(example: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(example, tmp_path / "result"))
    assert card.write(folder, ADAPTED) == folder / "cards" / "llama2-tiny--quickstart" / "README.md"
    assert card.write(folder, ADAPTED, tmp_path / "a" / "b.md") == tmp_path / "a" / "b.md"
    assert card.write(folder, ADAPTED, tmp_path / "new") == tmp_path / "new" / "README.md"
    first = (tmp_path / "a" / "b.md").read_bytes()
    card.write(folder, ADAPTED, tmp_path / "a" / "b.md")
    assert (tmp_path / "a" / "b.md").read_bytes() == first


def test_a_readme_written_by_hand_is_not_written_over(example: Path, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("# My adapter\n")
    with pytest.raises(HarnessError, match="the harness did not write this README"):
        card.write(example, ADAPTED, path)
    assert path.read_text() == "# My adapter\n"
    path.write_text(
        "---\nlibrary_name: peft\n---\n- **Developed by:** [More Information Needed]\n"
    )  # peft's own
    card.write(example, ADAPTED, path)
    assert "ROUGE-L" in path.read_text()


@pytest.mark.parametrize(
    ("system", "said"),
    [
        (
            System(model="llama2", adapter="quickstart"),
            r"no model named 'llama2'; did you mean 'llama2-tiny'",
        ),
        (
            System(model="llama2-tiny", adapter="quick"),
            r"no adapter of llama2-tiny named 'quick'; did you mean",
        ),
    ],
)
def test_an_unknown_adapter_is_told_with_the_near_ones(example: Path, system: System, said: str) -> None:
    with pytest.raises(UnknownName, match=said):
        card.write(example, system)


# The hub, played by a server of our own


class Hub(HTTPServer):
    """Answers the three requests that an upload makes, or refuses all or the first; remembers what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str | None, bytes]] = []
        self.status, self.headers = 200, dict[str, str]()
        self.wrong: list[dict[str, str]] = []  # with the metadata

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers.get("Authorization"), content))
        if self.path == "/api/validate-yaml":
            self.reply({"errors": self.server.wrong, "warnings": []}, 400 if self.server.wrong else 200)
        elif self.path.endswith("/preupload/main"):
            file = {"path": "README.md", "uploadMode": "regular", "shouldIgnore": False}
            self.reply({"files": [file]}, self.server.status)
        else:
            commit = f"{self.server.url}/ann/sums/commit/{'c' * 40}"
            answer = {"success": True, "commitOid": "c" * 40, "commitUrl": commit, "hookOutput": ""}
            self.reply(answer, self.server.status)

    def reply(self, answer: dict[str, Any], status: int) -> None:
        refused = {"error": "may not write"} if self.server.status != 200 else {}
        content = json.dumps({**answer, **refused}).encode()
        self.send_response(status)
        for name, value in {**self.server.headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def harness(example: Path, out: Path, *options: str, endpoint: str = "") -> subprocess.CompletedProcess[str]:
    words = [
        "card",
        str(example),
        "--model",
        "llama2-tiny",
        "--adapter",
        "quickstart",
        "-o",
        str(out),
        *options,
    ]
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_TOKEN": "hf_secret", "HF_HUB_OFFLINE": "0"}
    return subprocess.run(
        [sys.executable, "-m", "harness", *words], env=environment, capture_output=True, text=True
    )


def test_a_pushed_card_reaches_the_repository_as_it_was_written(
    example: Path, tmp_path: Path, hub: Hub
) -> None:
    done = harness(example, tmp_path, "--push", "ann/sums", endpoint=hub.url)
    assert done.returncode == 0, done.stderr
    assert f"pushed  {hub.url}/ann/sums/commit/{'c' * 40}" in done.stdout
    assert [path for path, _, _ in hub.seen] == [
        "/api/validate-yaml",
        "/api/models/ann/sums/preupload/main",
        "/api/models/ann/sums/commit/main",
    ]
    assert {token for _, token, _ in hub.seen} == {"Bearer hf_secret"}
    looked_at = json.loads(hub.seen[0][2])
    assert looked_at == {"content": (tmp_path / "README.md").read_text(), "repoType": "model"}
    lines = [json.loads(line) for line in hub.seen[2][2].splitlines()]
    (file,) = (one["value"] for one in lines if one["key"] == "file")
    assert file["path"] == "README.md"
    assert base64.b64decode(file["content"]) == (tmp_path / "README.md").read_bytes()
    assert 'adapter = "ann/sums"' in (tmp_path / "README.md").read_text()


@pytest.mark.slow
def test_nothing_is_pushed_that_was_not_asked_for(example: Path, tmp_path: Path, hub: Hub) -> None:
    assert harness(example, tmp_path, endpoint=hub.url).returncode == 0
    refused = harness(example, tmp_path / "new", "--push", "ann/sums", "--offline", endpoint=hub.url)
    assert refused.returncode == 2 and "--offline allows no network" in refused.stderr
    assert not (tmp_path / "new").exists()
    assert hub.seen == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (403, {}, "the hub refuses (403: may not write); set HF_TOKEN to a token that may write there"),
        (409, {}, "the hub refuses (409: may not write); "),
        (404, {"X-Error-Code": "RepoNotFound"}, "no such model, or it is private; upload the adapter first"),
        (401, {}, "set HF_TOKEN to a token that may write there"),
    ],
)
def test_what_the_hub_refuses_is_told_in_a_line(
    example: Path, tmp_path: Path, hub: Hub, status: int, headers: dict[str, str], said: str
) -> None:
    hub.status, hub.headers = status, headers
    refused = harness(example, tmp_path, "--push", "ann/sums", endpoint=hub.url)
    assert refused.returncode == 2
    assert said in refused.stderr and "hf_secret" not in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert (tmp_path / "README.md").exists()


@pytest.mark.slow
def test_metadata_that_the_hub_does_not_take_are_told(example: Path, tmp_path: Path, hub: Hub) -> None:
    hub.wrong = [{"message": '"license" must be one of [apache-2.0, mit]'}]
    refused = harness(example, tmp_path, "--push", "ann/sums", "--licence", "mine", endpoint=hub.url)
    assert refused.returncode == 2
    assert 'Invalid metadata in README.md. - "license" must be one of' in refused.stderr
    assert len(refused.stderr.splitlines()) == 1 and len(hub.seen) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("repository", "said"),
    [("ann/sums", "the hub cannot be reached"), ("ann/su ms", "not the name of a repository")],
)
def test_a_push_that_cannot_be_is_told_in_a_line(
    example: Path, tmp_path: Path, repository: str, said: str
) -> None:
    refused = harness(example, tmp_path, "--push", repository, endpoint="http://127.0.0.1:9")
    assert refused.returncode == 2
    assert said in refused.stderr and len(refused.stderr.splitlines()) == 1


def test_a_card_is_written_without_a_neural_library(example: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['harness', 'card', {str(example)!r}, '--model', 'flan-t5-tiny', '--adapter', 'quickstart', "
        f"'-o', {str(tmp_path)!r}]\n"
        "import harness.cli\ntry:\n    harness.cli.main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert not {'torch', 'transformers', 'peft', 'pandas', 'scipy.stats', 'vl_convert'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# How to load it


SUITE = """
tasks:
  - name: chats
    source: {{uri: "file:data", columns: {{id: id, input: dialogue, reference: summary}}}}
    prompt: "Sum up what $who say.\\n\\n$input\\n\\nSummary:"
    metrics: [exact]
    primary: exact
    decode: {{max_new_tokens: 12}}
models: [{{name: base, uri: "zoo:{zoo}"}}]
recipes:
  - {{name: short, rank: 4, alpha: 8, targets: [q, v], steps: 8, batch_size: 2, learning_rate: 5e-2, validation_samples: 0}}
train_on: [chats]
weights: false
"""


@pytest.mark.slow
@pytest.mark.parametrize("zoo", ["llama2-tiny", pytest.param("flan-t5-tiny", marks=pytest.mark.nightly)])
def test_the_code_of_a_card_gives_the_answers_that_were_scored(tmp_path: Path, zoo: str) -> None:
    """By plain peft, in a process that has of the harness only where the tiny base lies."""
    (tmp_path / "data").mkdir()
    for split, count in (("train", 8), ("test", 3)):
        lines = [
            {
                "id": f"{split}{n}",
                "dialogue": f"Ann: taxi {n}?\nBen: No, bus {n}.",
                "summary": f"A bus {n}.",
                "who": "both",
            }
            for n in range(count)
        ]
        (tmp_path / "data" / f"{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "mine.yaml").write_text(SUITE.format(zoo=zoo))
    words = ("run", "mine.yaml", "--workers", "0", "--device", "cpu", "--store", "store", "--out", "result")
    subprocess.run([sys.executable, "-m", "harness", *words], cwd=tmp_path, check=True, capture_output=True)
    path = card.write(tmp_path / "result", System(model="base", adapter="short"), licence="mit")
    code = re.search(r"```python\n(.*?)\n```", path.read_text(), re.DOTALL)
    assert code is not None
    (adapter,) = tmp_path.glob("store/done/*/adapter")
    answers = {
        line["sample_id"]: (line["text"], base["text"])
        for line, base in zip(*(
            [one for one in json_lines(tmp_path / "result" / "generations.jsonl.gz") if one["adapter"] == name]
            for name in ("short", None)
        ), strict=True)
    }  # fmt: skip
    assert any(adapted != base for adapted, base in answers.values())
    for n in range(3):
        asked = f"Ann: taxi {n}?\\nBen: No, bus {n}."
        program = code[1].replace("PATH/TO/ADAPTER", str(adapter))
        program = program.replace('input="…", who="…"', f'input="{asked}", who="both"')
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == answers[f"test{n}"][0].strip()
