"""Make the prompt of a sample and its examples, and shorten a prompt that is too long.

Templates are `string.Template`, because JSON in a prompt would break `str.format`: `$input` is the sample's
input, any other `$name` a column of the data, `$$` a dollar. Braces and dollars in the data stay as they are.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from difflib import get_close_matches
from string import Template

from harness.errors import SuiteError, UnknownName
from harness.tasks import chat
from harness.tasks.options import lettered
from harness.types import Overflow, Prompt, Sample, Task, Turn

Span = tuple[
    int, int
]  # within the input: position of a token's first character, and of the character after its last


def fields(template: str) -> tuple[str, ...]:
    """Return the names that a template asks for, in order, each once."""
    return tuple(Template(template).get_identifiers())


def check(task: Task, columns: Collection[str] | None = None, where: str = "") -> None:
    """Raise SuiteError for a prompt that cannot be rendered or, if columns are given, that names any other column."""
    at = f"{where}: " if where else f"task {task.name!r}: prompt: "
    if not Template(task.prompt).is_valid():
        raise SuiteError(f"{at}a lone '$' in {task.prompt!r}; write '$$' for a dollar")
    found = [match["named"] or match["braced"] for match in Template.pattern.finditer(task.prompt)]
    if found.count("input") != 1:
        raise SuiteError(
            f"{at}$input occurs {found.count('input')} times in {task.prompt!r}; "
            "it is replaced by the sample's input and must occur exactly once"
        )
    for answer in task.source.columns_of("reference"):
        if answer in found:
            raise SuiteError(
                f"{at}${answer} is the reference answer, which a prompt must not show; leave it out"
            )
    if columns is None:
        return
    named = {column for key in task.source.columns if key != "id" for column in task.source.columns_of(key)}
    shown = set(columns) - named | {"input"}
    if "choices" in task.source.columns:
        shown.add("choices")
    for name in found:
        if name is not None and name not in shown:
            raise UnknownName("column", name, shown, at.removesuffix(": "))


def first_reference(sample: Sample) -> str:
    """Return the answer that an example shows."""
    return sample.references[0]


def render(
    task: Task,
    sample: Sample,
    shots: Sequence[Sample] = (),
    answer: Callable[[Sample], str] = first_reference,  # of an example
) -> Prompt:
    """Return the prompt of one sample, after the shots as worked examples.

    The examples of a conversation are turns before its own; other examples are text before the input. The system text of an
    example's own conversation is left out.
    """
    before, after = _around_input(task.prompt)
    prompt = Prompt(
        sample_id=sample.id,
        before=_fill(task, before, sample),
        input=sample.input,
        after=_fill(task, after, sample),
        system=chat.system_of(sample, task.system),
        turns=None if sample.turns is None else chat.said(sample.turns),
    )
    asked = [(replace(render(task, shot), system=""), answer(shot)) for shot in shots]
    if prompt.turns is not None:
        turns = [
            turn
            for example, text in asked
            for turn in (*chat.messages(example), Turn(role="assistant", text=text))
        ]
        return replace(prompt, examples=tuple(turns))
    examples = [with_answer(example.text, text) + "\n\n" for example, text in asked]
    return replace(prompt, before="".join((*examples, prompt.before)))


def with_answer(prompt: str, answer: str) -> str:
    """Return prompt and answer in one text, with a space between them unless the prompt ends in white space.

    Few-shot examples and training examples are joined in the same way, so an adapter is asked as it was trained.
    """
    return f"{prompt}{'' if prompt[-1:].isspace() else ' '}{answer}"


def _around_input(template: str) -> tuple[str, str]:
    """Return the template's text before and after its $input."""
    for match in Template.pattern.finditer(template):
        if "input" in (match["named"], match["braced"]):
            return template[: match.start()], template[match.end() :]
    raise SuiteError(f"the prompt {template!r} has no $input, which is replaced by the sample's input")


def _fill(task: Task, template: str, sample: Sample) -> str:
    try:
        own = {"choices": lettered(sample.choices)} if sample.choices else {}
        return Template(template).substitute(sample.metadata, id=sample.id, **own)
    except KeyError as missing:
        raise _no_column(str(missing.args[0]), task, sample) from None


def _no_column(name: str, task: Task, sample: Sample) -> UnknownName:
    """Return the error for a name in a prompt that no column has; the column of the input is known by another name."""
    known, more = {*sample.metadata, "input"}, ""
    asked = task.source.columns_of("input")
    if get_close_matches(name, {*known, *asked}, n=1, cutoff=0.5) in ([column] for column in asked):
        known, more = {"input"}, f", which is the column {asked[0]!r}"
    return UnknownName("column", name, known, f"prompt of sample {sample.id!r}", ("prompt",), more)


def shorten(prompt: Prompt, excess_tokens: int, spans: Sequence[Span], keep: Overflow) -> Prompt:
    """Return the prompt with `excess_tokens` tokens fewer in its input, cut from the end that `keep` does not keep.

    `spans` are the input's tokens. A character that several tokens share is cut as a whole; if more tokens have to be
    cut than there are, the input becomes empty.
    """
    if excess_tokens <= 0:
        return prompt
    if excess_tokens >= len(spans):
        kept = ""
    elif keep == "keep-end":
        kept = prompt.input[spans[excess_tokens - 1][1] :]
    else:
        kept = prompt.input[: spans[-excess_tokens][0]]
    return replace(prompt, input=kept)


def fit(
    prompt: Prompt,
    budget_tokens: int,
    # Prompt -> tokens of the whole as the model gets it, with template and special tokens.
    count: Callable[[Prompt], int],
    spans: Callable[[str], Sequence[Span]],  # tokens of the input alone, without special ones
    keep: Overflow,
) -> Prompt | None:
    """Return the prompt shortened until the whole fits; None if `keep` refuses or the rest is too long.

    Of a conversation, the oldest turns are left out first; only the last turn, without any before it, loses input.
    Tokens merge differently at a cut, so the whole is counted again after each cut; one cut is usually enough.
    """
    excess = count(prompt) - budget_tokens
    if excess > 0 and keep == "refuse":
        return None
    while excess > 0 and prompt.turns:
        prompt = replace(prompt, turns=chat.without_oldest(prompt.turns))
        excess = count(prompt) - budget_tokens
    while excess > 0:
        if not prompt.input:
            return None
        shorter = shorten(prompt, excess, spans(prompt.input), keep)
        if len(shorter.input) == len(prompt.input):  # a tokenizer may give an empty span
            shorter = shorten(prompt, 1, [(at, at + 1) for at in range(len(prompt.input))], keep)
        prompt = shorter
        excess = count(prompt) - budget_tokens
    return prompt
