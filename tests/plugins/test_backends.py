"""What every backend owes, asked of each; and a new one is one file."""

import json
from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest
from huggingface_hub import constants

from harness import backends, plugins
from harness.backends import Backend, OpenBackend, Trainable, Verb
from harness.checkpoints import folder as checkpoint
from harness.checkpoints.remembered import Remembered
from harness.errors import ModelError, SuiteError, UnknownName
from harness.files.hardware import Machine
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.suite.load import load_suite
from harness.types import Decode, Finish, Generation, Model, Prompt, Runtime, ServerSettings
from tests.checkpoints.tiny_gguf import write
from tests.cli.words import harness
from tests.plugins.packages import install
from tests.servers.stub import Stub, serving

# A small model of each backend, which can be opened here: a new file in harness/backends/ names its own.
EXAMPLES = {"echo": "echo:copy", "hf": "zoo:llama2-tiny"}  # and of gguf, a file that is written first
ONLINE = {"http"}  # backends that answer nothing offline
OTHERS = {"echo": "echo:upper", "hf": "zoo:mistral-tiny"}
SETTINGS: dict[str, Any] = {
    "revision": "main",
    "dtype": "float32",
    "quantization": "int8",
    "family": "llama",
    "chat": "off",
    "trust_remote_code": True,
    "server": ServerSettings(at_once=2),
}
PROMPTS = [
    Prompt(sample_id=f"s{n}", before="Say: ", input=f"Anna {'meets Ben ' * n}today.", after="\n")
    for n in (1, 2, 3)
]
DECODE = Decode(max_new_tokens=4)
MACHINE = Machine(cpu="", cores=8, memory_gb=16.0, gpu=None)


def at(*keys: str | int) -> str:
    return ".".join(map(str, keys))


def of(name: str) -> Backend:
    found = plugins.find("backends", name).BACKEND
    assert isinstance(found, Backend)
    return found


def offline(name: str) -> bool:
    """Whether a backend is tried without the network."""
    return name not in ONLINE


@pytest.fixture(params=plugins.names("backends"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session", autouse=True)
def gguf_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Two files, whose dequantised copies lie in a cache of these tests."""
    folder = tmp_path_factory.mktemp("gguf")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "HF_HOME", str(folder / "hf"))
        for kind, uris in (("Q8_0", EXAMPLES), ("Q4_1", OTHERS)):
            uris["gguf"] = f"file:{write(folder / f'{kind}.gguf', kind)}"
        yield


@pytest.fixture(scope="session", autouse=True)
def server() -> Iterator[None]:
    """Serve two models on this machine."""
    with serving(Stub(models={"base": "", "tuned": "+"})) as base:
        EXAMPLES["http"], OTHERS["http"] = f"{base}#base", f"{base}#tuned"
        yield


@pytest.fixture
def model(name: str) -> Model:
    return Model(name="example", uri=EXAMPLES[name])


@pytest.fixture
def opened(name: str, model: Model) -> Iterator[OpenBackend]:
    backend = of(name).open(
        model, of(name).pin(model, "cpu", Remembered(), offline(name)), Runtime(offline=offline(name))
    )
    yield backend
    backend.close()


def test_every_backend_is_tried_here() -> None:
    assert set(plugins.names("backends")) == set(EXAMPLES)
    assert set(SETTINGS) == {field.name for field in fields(Model) if field.default is not MISSING}


def test_a_scheme_belongs_to_one_backend_and_leads_to_it() -> None:
    names = plugins.own_names("backends")
    owned = [scheme for name in names for scheme in of(name).schemes if not of(name).suffix]
    assert len(owned) == len(set(owned))
    assert set(owned) <= set(backends.schemes())
    for name in names:
        if not of(name).suffix:
            assert {id(backends.find(scheme)) for scheme in of(name).schemes} == {id(of(name))}


def test_a_model_leads_to_its_backend(name: str, model: Model) -> None:
    """By the end of its uri, where two backends have one scheme."""
    assert backends.of(model) is of(name)
    for scheme in of(name).schemes:
        assert backends.of(Model(name="x", uri=f"{scheme}:a/b/c{of(name).suffix}")) is of(name)


def test_what_it_declares_is_sound(name: str) -> None:
    backend = of(name)
    for scheme in backend.schemes:
        assert backends._problem(backend, scheme) == ""
    assert backend.about
    assert backend.verbs


@pytest.mark.parametrize("key", SETTINGS)
def test_a_setting_is_heeded_or_refused_with_the_reason(name: str, model: Model, key: str) -> None:
    asked = replace(model, **{key: SETTINGS[key]})
    if key not in of(name).options:
        with pytest.raises(SuiteError, match=f"{key}: .* {of(name).about}; leave it out"):
            backends.check(asked, at)
    elif key != "revision":  # which some of a backend's schemes have
        backends.check(asked, at)


def test_a_model_that_cannot_be_is_refused_with_its_place(name: str, model: Model) -> None:
    backends.check(model, at)
    suffix = of(name).suffix
    stem = model.uri.removesuffix(suffix)
    # Which models a server has is known to the server alone; an address without a model is none.
    absent = model.uri.partition("#")[0] if name in ONLINE else f"{stem}-that-is-not-there{suffix}"
    with pytest.raises(SuiteError, match="uri"):
        backends.check(replace(model, uri=absent), at)


def test_a_pin_is_the_same_twice_and_another_model_has_another(name: str, model: Model) -> None:
    pin = of(name).pin(model, "cpu", Remembered(), offline(name))
    kept = Remembered()
    assert of(name).pin(model, "cpu", kept, offline(name)) == pin
    assert of(name).pin(model, "cpu", kept, offline(name)) == pin
    assert of(name).pin(replace(model, name="renamed"), "cpu", kept, offline(name)) == pin
    assert of(name).pin(replace(model, uri=OTHERS[name]), "cpu", kept, offline(name)).revision != pin.revision


def test_weights_are_in_its_folder_or_nobody_trains_on_them(name: str, model: Model) -> None:
    backend, pin = of(name), of(name).pin(model, "cpu", Remembered(), offline(name))
    if backend.folder is None:
        assert not backend.trains
        with pytest.raises(ModelError, match=f"{model.uri} has no weights: {backend.about}"):
            backends.folder(model, pin, offline=True)
    else:
        assert checkpoint.weights(backend.folder(model, pin, True))
        assert backend.is_here(model, pin)


def test_it_runs_in_some_processes(name: str, model: Model) -> None:
    assert of(name).workers(of(name).pin(model, "cpu", Remembered(), offline(name)), MACHINE) >= 1


def test_before_it_is_opened_nothing_is_said_against_a_sound_model(name: str, model: Model) -> None:
    backend, kept = of(name), Remembered()
    pin = backend.pin(model, "cpu", kept, offline(name))
    backend.check_askable(model, pin, kept, True)
    if backend.folder is not None:
        backend.folder(model, pin, True)
    assert list(backend.examine(model, pin, Runtime(offline=True), {})) == []


def test_it_can_do_what_it_declares(name: str, opened: OpenBackend) -> None:
    for verb in of(name).verbs:
        assert callable(getattr(opened, verb)), verb
    assert isinstance(opened, OpenBackend)
    assert isinstance(opened, Trainable) == of(name).trains


@pytest.mark.parametrize("verb", get_args(Verb))
def test_a_verb_that_it_lacks_is_said_with_the_reason(name: str, model: Model, verb: Verb) -> None:
    pin = of(name).pin(model, "cpu", Remembered(), offline(name))
    reason = backends.lacks(model, pin, verb)
    if verb not in of(name).verbs:
        assert reason is not None
        assert reason.startswith("model example cannot ")
    else:
        assert reason is None or model.uri in reason


def test_each_prompt_is_answered_once_and_what_is_done_is_left_out(opened: OpenBackend) -> None:
    answers = list(opened.write(PROMPTS, DECODE, "keep-start", None))
    assert sorted(answer.sample_id for answer in answers) == ["s1", "s2", "s3"]
    assert all(isinstance(answer, Generation) for answer in answers)
    for answer in answers:
        assert answer.output_tokens <= DECODE.max_new_tokens
        assert answer.finish in get_args(Finish)
    left = list(opened.write(PROMPTS, DECODE, "keep-start", None, {"s1", "s3"}))
    assert [answer.sample_id for answer in left] == ["s2"]
    assert left[0] in answers


def test_a_prompt_has_as_many_tokens_as_its_answer_says(opened: OpenBackend) -> None:
    counted = {
        answer.sample_id: answer.prompt_tokens for answer in opened.write(PROMPTS, DECODE, "keep-start", None)
    }
    for prompt in PROMPTS:
        text, ids = opened.tokens(prompt, "keep-start", DECODE.max_new_tokens)
        assert prompt.input in text
        assert len(ids) == counted[prompt.sample_id]


def test_a_stop_string_ends_an_answer_and_is_cut_from_it(opened: OpenBackend) -> None:
    long = {answer.sample_id: answer.text for answer in opened.write(PROMPTS, DECODE, "keep-start", None)}
    letter = max("aeiou", key=lambda letter: sum(letter in text for text in long.values()))
    stopped = replace(DECODE, stop=(letter,))
    for answer in opened.write(PROMPTS, stopped, "keep-start", None):
        assert answer.text == long[answer.sample_id].partition(letter)[0].rstrip()


# One file: whatever it is asked, it says what its uri says.
PARROT = '''
from harness.backends import Backend
from harness.types import Generation, Uri


class Parrot:
    """Says one word."""

    def __init__(self, word):
        self.word = word

    def write(self, prompts, decode, overflow, adapter, done=frozenset()):
        for prompt in prompts:
            if prompt.sample_id not in done:
                yield Generation(
                    sample_id=prompt.sample_id, text=self.word, prompt_tokens=1, output_tokens=1, finish="stop",
                    prompt_digest="",
                )

    def tokens(self, prompt, overflow, answer_tokens=0):
        return prompt.text, [0]

    def close(self):
        pass


def open_model(model, pin, runtime):
    return Parrot(Uri.parse(model.uri).place)


BACKEND = Backend(schemes=("parrot", "macaw"), about="they are birds", options=("chat",), open=open_model)
'''
SUITE = """
tasks:
  - name: chats
    source: {uri: "file:data", columns: {input: dialogue, reference: summary}}
    prompt: "Sum up: $input"
    metrics: [exact]
    primary: exact
models:
  - {name: polly, uri: "parrot:hello", chat: "off"}
  - {name: coco, uri: "macaw:bye"}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with data and a suite; what is installed in it can be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins._entry_points.cache_clear()
    (tmp_path / "data").mkdir()
    rows = [{"dialogue": f"hi {n}", "summary": "hello"} for n in range(4)]
    (tmp_path / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "small.yaml").write_text(SUITE)
    yield tmp_path
    plugins._entry_points.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_new_backend_is_one_file(here: Path, capsys: pytest.CaptureFixture[str], workers: str) -> None:
    install(here, "backends", ("parrot", "macaw"), PARROT)
    words = ("run", "small.yaml", "--workers", workers, "--device", "cpu", "--out", "R", "--json")
    done = harness(capsys, *words)
    assert done.code == 0, done.err
    found = json.loads((here / "R" / "result.json").read_text())
    assert {score["model"]: score["value"] for score in found["scores"]} == {"polly": 100.0, "coco": 0.0}
    assert found["weights"] == []
    kept = harness(capsys, "plan", "small.yaml", "--device", "cpu")
    assert "0 of 7 steps to do" in kept.out
    assert kept.out.count(" none") == 2  # has no weights to analyse


def test_a_backend_says_itself_what_its_models_do_not_have(here: Path) -> None:
    install(here, "backends", ("parrot", "macaw"), PARROT)
    (here / "small.yaml").write_text(SUITE.replace('uri: "macaw:bye"', 'uri: "macaw:bye", dtype: float32'))
    said = r"small\.yaml:10: models\[1\]\.dtype: macaw: models have no dtype: they are birds; leave it out"
    with pytest.raises(SuiteError, match=said):
        load_suite("small.yaml")


def test_the_libraries_that_a_backend_names_are_in_the_ids_of_its_answers(here: Path) -> None:
    code = PARROT.replace("open=open_model", 'open=open_model, libraries=("parrot_backends_stub",)')
    install(here, "backends", ("parrot", "macaw"), code)
    suite = load_suite("small.yaml")
    found = pins(suite, device="cpu", cache=here / "digests.json")
    assert found.libraries["parrot_backends_stub"] == "1.0"
    newer = replace(found, libraries={**found.libraries, "parrot_backends_stub": "1.1"})
    before, after = plan(suite, found).steps, plan(suite, newer).steps
    assert {step.kind for step in after if step not in before} == {"generate", "score", "compare", "report"}
    assert [step.id for step in before if step.kind == "load"] == [
        step.id for step in after if step.kind == "load"
    ]


def test_adapters_are_not_trained_on_a_model_without_weights(here: Path) -> None:
    install(here, "backends", ("parrot", "macaw"), PARROT)
    assert not backends.trainable(Model(name="polly", uri="parrot:hello"))


def test_an_unknown_scheme_answers_with_the_near_ones(here: Path) -> None:
    install(here, "backends", ("parrot", "macaw"), PARROT)
    (here / "small.yaml").write_text(SUITE.replace("parrot:", "parot:"))
    with pytest.raises(
        UnknownName, match=r"models\[0\]\.uri: no scheme named 'parot'; did you mean 'parrot'\?"
    ):
        load_suite("small.yaml")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("dumb", ("", ""), "the plug-in 'dumb' (dumb_backends_stub) is not a backend: it has no `BACKEND = "),
        ("crow", ("macaw", "jay"), "its BACKEND has the schemes parrot, jay"),
        ("vain", ('"macaw"), about="they are birds", options=("', '"vain"), about="x", options=("w'),
         "BACKEND.options contains 'wchat', which is not a key of a model"),
        ("singer", ('"macaw"), ', '"singer"), verbs=("sing",), '), "BACKEND.verbs contains 'sing'"),
        ("pupil", ('"macaw"), ', '"pupil"), trains=True, '), "BACKEND.trains without BACKEND.folder"),
    ],
)  # fmt: skip
def test_a_plug_in_that_is_no_backend_is_refused(
    here: Path, name: str, change: tuple[str, str], message: str
) -> None:
    install(here, "backends", (name,), PARROT.replace(*change) if all(change) else "")
    with pytest.raises(SuiteError) as refused:
        backends.of(Model(name="bird", uri=f"{name}:x"))
    assert message in str(refused.value)
