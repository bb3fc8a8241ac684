"""Python that loads an adapter with plain peft, and asks it as it was asked when it was measured."""

from harness import families, plugins
from harness import text as words
from harness.results import ModelFacts, TaskFacts
from harness.tasks import prompts
from harness.types import Uri

DTYPES = ("float32", "bfloat16", "float16")
USUAL_TOKENS = 64  # of an answer, where an older result does not say
QUANTISED = {
    "int8": "load_in_8bit=True",
    "nf4": (
        'load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, '
        'bnb_4bit_compute_dtype="{dtype}"'
    ),
}


def loading(
    model: ModelFacts,
    place: str | None,  # a hub id, where the adapter has one
    task: TaskFacts | None,  # whose prompt is asked
) -> str:
    """A program that runs as it stands, once it has an input, and paths in place of PATH/TO/…"""
    seq2seq = is_seq2seq(model)
    automatic = "AutoModelForSeq2SeqLM" if seq2seq else "AutoModelForCausalLM"
    dtype = (
        model.dtype if model.dtype in DTYPES else "bfloat16"
    )  # what else stands there would be run as it stands
    quantised = QUANTISED.get(model.quantization, "").format(dtype=dtype)
    names = [automatic, "AutoTokenizer", *(["BitsAndBytesConfig"] if quantised else [])]
    commit = f", revision={_python(model.revision)}" if hub_id(model.uri) and model.revision else ""
    settings = f", dtype={_python(model.dtype)}" if model.dtype else ""
    settings += f", quantization_config=BitsAndBytesConfig({quantised})" if quantised else ""
    adapter = _python(place) if place else '"PATH/TO/ADAPTER"  # the folder of adapter_model.safetensors'
    asked = task is not None and bool(task.prompt)
    return "\n".join(
        [
            *(["from string import Template", ""] if asked else []),
            *(["from harness.files.shipped import zoo_folder"] if model.uri.startswith("zoo:") else []),
            "from peft import PeftModel",
            f"from transformers import {', '.join(names)}",
            "",
            f"base = {_base(model)}",
            f"adapter = {adapter}",
            f"tokenizer = AutoTokenizer.from_pretrained(base{commit})",
            f"model = {automatic}.from_pretrained(base{commit}{settings})",
            "model = PeftModel.from_pretrained(model, adapter).eval()",
            *(_asking(model, task, seq2seq=seq2seq) if asked and task else []),
        ]
    )


def _base(model: ModelFacts) -> str:
    """Where the base is; a path of the machine that measured is nobody's concern."""
    uri = Uri.parse(model.uri)
    if uri.scheme == "zoo":
        return f"zoo_folder({_python(uri.place)})"
    return _python(hub_id(model.uri) or f"PATH/TO/{model.name}")


def _asking(model: ModelFacts, task: TaskFacts, *, seq2seq: bool) -> list[str]:
    """The prompt that an answer was scored for, with `…` in place of the sample."""
    columns = "".join(f', {name}="…"' for name in prompts.fields(task.prompt) if name != "input")
    said = task.decode.get("max_new_tokens")
    most = said if isinstance(said, int) else USUAL_TOKENS  # text there would be run as it stands
    chat = model.chat != "off"
    special = ", add_special_tokens=not tokenizer.chat_template" if chat else ""
    turn = '[{"role": "user", "content": prompt}]'
    templated = f"tokenizer.apply_chat_template({turn}, tokenize=False, add_generation_prompt=True)"
    answer = "output[0]" if seq2seq else 'output[0, inputs["input_ids"].shape[1] :]'
    return [
        "",
        f"template = Template({_python(task.prompt)})",
        f'prompt = template.substitute(input="…"{columns})',
        *(["if tokenizer.chat_template:", f"    prompt = {templated}"] if chat else []),
        f'inputs = tokenizer(prompt{special}, return_tensors="pt").to(model.device)',
        'inputs.pop("token_type_ids", None)',
        f"output = model.generate(**inputs, max_new_tokens={most}, do_sample=False)",
        f"print(tokenizer.decode({answer}, skip_special_tokens=True).strip())",
    ]


def is_seq2seq(model: ModelFacts) -> bool:
    known = model.family in plugins.names("families")
    return known and families.find(str(model.family)).architecture == "seq2seq"


def hub_id(uri: str | None) -> str | None:
    """OWNER/NAME of a hub uri."""
    return uri.removeprefix("hub:").partition("@")[0] if uri and uri.startswith("hub:") else None


def _python(text: str | None) -> str:
    """The text as Python writes it, on one line."""
    shown = words.visible(text or "")
    return (
        '"' + shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    )
