"""The kinds of adapters that a recipe can name, `peft: {type: …}`, as the installed peft configures them.

Settings beside `type` go to peft's configuration class as they are. The harness sets what says which model and modules an
adapter belongs to.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from pydantic import ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError

from harness.checkpoints.adapter import NOT_IN_MODULES
from harness.errors import SuiteError, UnknownName
from harness.files.validation import At, found
from harness.neural.foreign import silent_import
from harness.neural.load import Base
from harness.types import Recipe

with silent_import():
    from peft import PeftConfig, PromptLearningConfig
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

LORA = "LORA"
# Keys of a recipe that are LoRA's settings -> the names that peft has for them.
OF_LORA = {"rank": "r", "alpha": "lora_alpha", "dropout": "lora_dropout", "rslora": "use_rslora"}
# What the harness sets, or what would let data name code or another model.
SET_HERE = (
    *("peft_type", "peft_version", "task_type", "auto_mapping", "base_model_name_or_path", "revision"),
    *("inference_mode", "fan_in_fan_out", "modules_to_save", "megatron_config", "megatron_core"),
    *("layer_replication", "runtime_config"),
)
START = "init_lora_weights"
# Initialisations that read data before the first step.
READS_DATA = ("eva", "corda", "lora_ga")


def names() -> tuple[str, ...]:
    """Return the kinds that change modules of a base, as peft names them."""
    return tuple(
        sorted(
            kind.value
            for kind, config in PEFT_TYPE_TO_CONFIG_MAPPING.items()
            if kind.value not in NOT_IN_MODULES and not issubclass(config, PromptLearningConfig)
        )
    )


def kind_of(settings: Mapping[str, Any]) -> str:
    """Return the kind that a recipe's `peft` names; LoRA where it names none."""
    return str(settings.get("type", LORA)).upper()


def check(
    recipe: Recipe,
    given: Mapping[str, Any],  # the recipe as it is written
    at: At,  # keys of the recipe -> their place
) -> None:
    """Raise SuiteError where a recipe's `peft` names no kind, or settings that the kind does not have."""
    settings, kind = recipe.peft, kind_of(recipe.peft)
    if kind in NOT_IN_MODULES:
        raise SuiteError(
            f"{at('peft', 'type')}: {kind} {NOT_IN_MODULES[kind]}; name a kind that changes modules: {', '.join(names())}"
        )
    if kind not in names():
        raise UnknownName("kind of adapter in the installed peft", kind, names(), at("peft", "type"))
    if kind != LORA:
        for key, own in OF_LORA.items():
            if key in given:
                raise SuiteError(
                    f"{at(key)}: a setting of LoRA, and the recipe trains {kind}; write {kind}'s own settings below `peft`"
                    + (f", such as `{own}`" if own in _known(kind) else "")
                )
    for key, value in settings.items():
        if key != "type":
            _check_setting(kind, key, value, at)
    try:
        _made(recipe, {"target_modules": ["q"]} if "target_modules" in _known(kind) else {})
    except Exception as error:
        raise SuiteError(f"{at('peft')}: {kind}: {_line(error)}; see peft's page on {kind}") from error


def _check_setting(kind: str, key: str, value: object, at: At) -> None:
    if kind == LORA and key in OF_LORA.values():
        ours = next(name for name, own in OF_LORA.items() if own == key)
        raise SuiteError(f"{at('peft', key)}: write it as `{ours}`, beside `peft`")
    if key in SET_HERE:
        raise SuiteError(f"{at('peft', key)}: the harness sets it itself; leave it out")
    known = _known(kind)
    name = START if key == "init" and START in known else key
    if name not in known:
        offered = {*known, "init"} if START in known else known
        raise UnknownName(f"setting of {kind}", key, sorted(offered), at("peft", key))
    if name == START and isinstance(value, str) and value.lower() in READS_DATA:
        raise SuiteError(
            f"{at('peft', key)}: {value} reads data before training, which the harness does not do; use pissa, olora or "
            "orthogonal"
        )
    if name == START and isinstance(value, str) and re.fullmatch(r"pissa_niter_[1-9]\d{0,2}", value):
        return
    if not _fits(known[name], value):
        choices = re.findall("'([^']*)'", str(known[name])) if "Literal[" in str(known[name]) else []
        if choices and isinstance(value, str):
            raise UnknownName(key, value, choices, at("peft", key))
        raise SuiteError(f"{at('peft', key)}: found {found(value)}; give {_wanted(known[name])}")


def _known(kind: str) -> Mapping[str, Any]:
    """Return the settings of a kind that a recipe may have, with their types."""
    config = next(config for own, config in PEFT_TYPE_TO_CONFIG_MAPPING.items() if own.value == kind)
    hints = get_type_hints(config)
    return {field.name: hints[field.name] for field in fields(config) if field.name not in SET_HERE}


def _fits(hint: Any, value: object) -> bool:
    """Return whether a value is of a type; True where the type cannot be checked."""
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    except (PydanticSchemaGenerationError, TypeError):
        try:
            adapter = TypeAdapter(hint)
        except Exception:  # a type of peft's own that has no schema
            return True
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def _wanted(hint: Any) -> str:
    text = str(getattr(hint, "__name__", hint) if isinstance(hint, type) else hint)
    return text.replace("typing.", "").replace("NoneType", "None")


def config(
    recipe: Recipe,
    base: Base,
    targets: tuple[str, ...] | str,
    auto_mapping: Mapping[str, str] | None,
    steps: int,
) -> PeftConfig:
    """Return the configuration of a recipe's adapters on a base."""
    kind = kind_of(recipe.peft)
    known = _known(kind)
    task_type = base.architecture.peft_task_type
    here: dict[str, Any] = {
        "task_type": task_type,
        "auto_mapping": auto_mapping,
        "base_model_name_or_path": base.recorded,  # never a local path
    }
    if "target_modules" in known:
        here["target_modules"] = targets if isinstance(targets, str) else list(targets)
    if "fan_in_fan_out" in {field.name for field in fields(_class(kind))}:
        here["fan_in_fan_out"] = base.family.fan_in_fan_out
    if kind == "IA3" and "feedforward_modules" not in recipe.peft:
        own = set(base.family.targets.get("feed-forward", ()))
        here["feedforward_modules"] = sorted(own if isinstance(targets, str) else own & set(targets))
    if kind == "ADALORA" and "total_step" not in recipe.peft:
        here["total_step"] = steps
    return _made(recipe, here)


def _class(kind: str) -> type[Any]:
    return next(config for own, config in PEFT_TYPE_TO_CONFIG_MAPPING.items() if own.value == kind)


def _made(recipe: Recipe, here: Mapping[str, Any]) -> PeftConfig:
    kind = kind_of(recipe.peft)
    own = {(START if key == "init" else key): value for key, value in recipe.peft.items() if key != "type"}
    usual: dict[str, Any] = {}
    if kind == LORA:
        usual = {name: getattr(recipe, key) for key, name in OF_LORA.items()} | {"bias": "none"}
    if kind == "ADALORA":
        usual = {"total_step": recipe.steps or 1000}
    made: PeftConfig = _class(kind)(**{**usual, **here, **own})
    return made


def _line(error: Exception) -> str:
    """Return an error of peft's in one line."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
