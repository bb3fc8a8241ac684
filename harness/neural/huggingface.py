"""A model in the hub's format that answers in this process, by transformers: one base in memory serves all its adapters."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import AdapterError, ModelError
from harness.neural.architectures import head
from harness.neural.decode import write
from harness.neural.encode import check_chat, encode, room
from harness.neural.head import outputs
from harness.neural.kernels import quick
from harness.neural.likelihoods import likelihoods, rolling
from harness.neural.load import Base, load, release
from harness.neural.lora import adapted, check_labels, unverified_base
from harness.neural.memory import Budget, affordable_tokens
from harness.types import (
    Decode,
    Generation,
    HeadOutput,
    Likelihoods,
    Model,
    ModelPin,
    Overflow,
    Prompt,
    Runtime,
)


class HuggingFace:
    """An open backend with one base in memory. The last adapter stays attached until another one is asked for."""

    def __init__(self, base: Base, batch_tokens: int) -> None:
        self._base: Base | None = base
        self.budget = Budget(batch_tokens)
        self._quick = ExitStack()
        self._quick.enter_context(quick(base.model, base.device))
        self._adapter: Path | None = None
        self._on = ExitStack()

    @property
    def base(self) -> Base:
        """Return the base without any adapter."""
        return self._with(None)

    @property
    def endless(self) -> bool:
        """Return whether no token ends an answer: only stop strings and max_new_tokens do."""
        return self._base is not None and not self._base.ends and self._base.architecture.writing is not None

    def _with(self, adapter: Path | None) -> Base:
        if self._base is None:
            raise ValueError("the model is closed")
        if adapter != self._adapter:
            self._on.close()
            self._adapter = None
            if adapter is not None:
                self._on.enter_context(adapted(self._base, adapter))
            self._adapter = adapter
        return self._base

    def write(
        self,
        prompts: Sequence[Prompt],
        decode: Decode,
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[Generation]:
        """Yield the answers as they finish."""
        base = self._with(adapter)
        if adapter is not None:  # error messages name both
            base = replace(base, name=f"{base.name} with the adapter in {adapter}")
        yield from write(base, prompts, decode, overflow, self.budget, done)

    def likelihoods(
        self,
        prompts: Sequence[Prompt],
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[Likelihoods]:
        """Yield how likely each option of a prompt is as its answer."""
        yield from likelihoods(self._with(adapter), prompts, overflow, self.budget, done)

    def rolling(
        self, prompts: Sequence[Prompt], adapter: Path | None, done: Collection[str] = frozenset()
    ) -> Iterator[Likelihoods]:
        """Yield how likely the whole text of each prompt is."""
        yield from rolling(self._with(adapter), prompts, self.budget, done)

    def head(
        self,
        prompts: Sequence[Prompt],
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[HeadOutput]:
        """Yield the output of the adapter's head for each prompt; AdapterError where it was trained for other labels."""
        base = self._with(adapter)
        output: Any = base.model.get_submodule(head(base).output(base.model))
        if adapter is not None:
            for labels in dict.fromkeys(prompt.options for prompt in prompts):
                check_labels(adapter, labels, output.out_features)
        elif not any(parameter.requires_grad for parameter in output.parameters()):  # nor is one in training
            raise AdapterError(
                f"{base.name}: it has no trained head of its own for a task's labels; ask it with an adapter"
            )
        yield from outputs(base, prompts, overflow, self.budget, done)

    def unverified_base(self, adapter: Path) -> str | None:
        """Return why it is not known whether the adapter was trained on this base; None where it is known."""
        if self._base is None:
            raise ValueError("the model is closed")
        return unverified_base(self._base, adapter)

    def tokens(self, prompt: Prompt, overflow: Overflow, answer_tokens: int = 0) -> tuple[str, list[int]]:
        """Return a prompt as the model gets it: text and token ids."""
        encoded = encode(self.base, prompt, overflow, room(self.base, answer_tokens))
        if encoded is None:
            raise ModelError(f"sample {prompt.sample_id}: the prompt does not fit {self.base.window} tokens")
        ids = list(encoded.ids)
        return self.base.tokenizer.decode(ids, clean_up_tokenization_spaces=False), ids

    def close(self) -> None:
        """Free the memory of the base."""
        self._on.close()
        self._quick.close()
        self._base = None
        release()


def open_folder(folder: Path, model: Model, pin: ModelPin, runtime: Runtime) -> HuggingFace:
    """Return the model of a checkpoint's folder, ready to answer."""
    base = load(folder, model, pin, runtime)
    check_chat(base)
    return HuggingFace(base, min(runtime.batch_tokens, affordable_tokens(base, runtime.workers)))
