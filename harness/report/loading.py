"""Python code that loads an adapter with plain peft and prompts it as in the measurement."""

from harness import families, plugins
from harness import text as words
from harness.neural import architectures
from harness.neural.architectures import Architecture
from harness.results import ModelFacts, TaskFacts
from harness.tasks import prompts
from harness.types import Uri

DTYPES = ("float32", "bfloat16", "float16")
USUAL_TOKENS = 64  # tokens of an answer if an older RESULT does not say
FOUR_BITS = (
    'load_in_4bit=True, bnb_4bit_quant_type="{scheme}", bnb_4bit_use_double_quant=True, '
    'bnb_4bit_compute_dtype="{dtype}"'
)
QUANTISED = {"int8": "load_in_8bit=True", "nf4": FOUR_BITS, "fp4": FOUR_BITS}


def loading(
    model: ModelFacts,
    place: str | None,  # a hub id, if the adapter has one
    task: TaskFacts | None,  # the task whose prompt is used
) -> str:
    """Return a program that runs once its input and the paths PATH/TO/… are filled in."""
    architecture = architecture_of(model)
    automatic = architecture.auto_class
    # Only known names: any other text from the RESULT would be executed.
    dtype = model.dtype if model.dtype in DTYPES else "bfloat16"
    quantised = QUANTISED.get(model.quantization, "").format(dtype=dtype, scheme=model.quantization)
    names = [automatic, "AutoTokenizer", *(["BitsAndBytesConfig"] if quantised else [])]
    commit = f", revision={_python(model.revision)}" if hub_id(model.uri) and model.revision else ""
    settings = f", dtype={_python(model.dtype)}" if model.dtype else ""
    settings += f", quantization_config=BitsAndBytesConfig({quantised})" if quantised else ""
    if architecture.head:  # transformers adds a head of that size, which the adapter's replaces
        settings += f", num_labels={len(task.labels) or 1 if task else 'OUTPUTS'}"
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
            *(_asking(model, task, architecture) if asked and task else []),
        ]
    )


def _base(model: ModelFacts) -> str:
    """Return the expression for the base's location; local paths of the measuring machine are not shown."""
    uri = Uri.parse(model.uri)
    if uri.scheme == "zoo":
        return f"zoo_folder({_python(uri.place)})"
    return _python(hub_id(model.uri) or f"PATH/TO/{model.name}")


def _asking(model: ModelFacts, task: TaskFacts, architecture: Architecture) -> list[str]:
    """Return the lines that ask the measured prompt, with `…` in place of the sample; none if it can only be asked by us."""
    if architecture.writing is None and architecture.head is None:
        return []
    task = task.for_family(families.asked_as(task.by_family, model.family))
    columns = "".join(f', {name}="…"' for name in prompts.fields(task.prompt) if name != "input")
    said = task.decode.get("max_new_tokens")
    most = said if isinstance(said, int) else USUAL_TOKENS  # text from the RESULT would be executed
    chat = model.chat != "off"
    special = ", add_special_tokens=not tokenizer.chat_template" if chat else ""
    turn = '{"role": "user", "content": prompt}'
    if task.system:
        turn = '{"role": "system", "content": system}, ' + turn
    templated = f"tokenizer.apply_chat_template([{turn}], tokenize=False, add_generation_prompt=True)"
    return [
        "",
        f"template = Template({_python(task.prompt)})",
        f'prompt = template.substitute(input="…"{columns})',
        *([f"system = {_python(task.system)}"] if task.system else []),
        *(["if tokenizer.chat_template:", f"    prompt = {templated}"] if chat else []),
        *(["else:", '    prompt = system + "\\n\\n" + prompt'] if chat and task.system else []),
        *(['prompt = system + "\\n\\n" + prompt'] if task.system and not chat else []),
        f'inputs = tokenizer(prompt{special}, return_tensors="pt").to(model.device)',
        *(_answering(task, architecture, most)),
    ]


def _answering(task: TaskFacts, architecture: Architecture, most: int) -> list[str]:
    """Return the lines that print the answer to `inputs`: a text, a label or a number."""
    if architecture.writing is None:
        if not task.labels:
            return ["print(model(**inputs).logits[0, 0].item())"]
        labels = ", ".join(map(_python, task.labels))
        return [f"labels = [{labels}]", "print(labels[model(**inputs).logits[0].argmax()])"]
    return [
        'inputs.pop("token_type_ids", None)',
        f"output = model.generate(**inputs, max_new_tokens={most}, do_sample=False)",
        f"print(tokenizer.decode({architecture.writing.answer_code}, skip_special_tokens=True).strip())",
    ]


def architecture_of(model: ModelFacts) -> Architecture:
    """Return the architecture of the model's family: a result does not hold its config.json."""
    known = model.family in plugins.names("families")
    name = families.find(str(model.family)).architecture if known else architectures.USUAL
    return architectures.find(name if name in plugins.names("architectures") else architectures.USUAL)


def hub_id(uri: str | None) -> str | None:
    """Return OWNER/NAME of a hub uri, None for other uris."""
    return uri.removeprefix("hub:").partition("@")[0] if uri and uri.startswith("hub:") else None


def _python(text: str | None) -> str:
    """Return the text as a Python string literal on one line."""
    shown = words.visible(text or "")
    return (
        '"' + shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    )
