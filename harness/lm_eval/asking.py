"""Make the prompt, the choices and the answer of a document: what lm-evaluation-harness's `ConfigurableTask` does.

Each function names the method that it follows. Texts are equal byte by byte; tests compare them with its own.
"""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import DataError
from harness.lm_eval import code
from harness.lm_eval.sampler import draws
from harness.lm_eval.task_file import LmTask, Phrasing, Template
from harness.lm_eval.yaml_file import Function
from harness.sandbox.documents import Failed, Rendered, render

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A document as a model is asked it."""

    document: Document
    before: str  # the description, and the examples
    question: str  # with the beginning of the answer, where the task gives one
    choices: tuple[str, ...] = ()
    continuations: tuple[str, ...] = ()  # the choices as they follow the prompt
    references: tuple[str, ...] = ()  # right answers

    @property
    def prompt(self) -> str:
        """Return the whole text before the answer."""
        return self.before + self.question


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filled:
    """A document with the texts of its templates."""

    document: Document
    texts: Rendered
    place: str  # "document 3 of test"
    keys: Mapping[str, str]  # template -> "FILE:LINE: KEY", where it is written


def asked(
    task: LmTask,
    documents: Sequence[Document],
    pool: Sequence[Document],
    place: str,  # of the documents, for messages
    *,
    shots: int,
) -> Iterator[Asked]:
    """Yield each document as it is asked, with its examples."""
    columns = {name for document in documents[:1] for name in document}
    own = list(_filled(task, task.wording, documents, place, columns))
    examples: list[tuple[Document, str]] = []
    if shots:
        filled = _filled(task, task.pool.wording, pool, "examples", columns)
        examples = [(each.document, _example(task, each, columns)) for each in filled]
    texts = {id(document): text for document, text in examples}
    drawn = draws(
        task.pool.sampler,
        [document for document, _ in examples],
        documents,
        shots,
        without_own=task.pool.split == task.test,
        where=task.at("num_fewshot"),
    )
    several = bool(own) and isinstance(_target(task, task.wording, own[0], columns), list)
    for each, before in zip(own, drawn, strict=True):
        yield _asked(task, each, "".join(texts[id(shot)] for shot in before), columns, several)


def _asked(task: LmTask, each: _Filled, examples: str, columns: Collection[str], several: bool) -> Asked:
    before = (_resolved(task.description, each) if task.description else "") + examples
    wording = task.wording
    if task.output_type == "loglikelihood_rolling":
        text = _string(_target(task, wording, each, columns), each, task, "doc_to_target")
        return Asked(document=each.document, before="", question=text)
    question = _string(_text(task, wording, each, columns), each, task, "doc_to_text")
    prefix = _prefix(task, each, columns)
    if prefix:
        question += (wording.target_delimiter if _needs_delimiter(question, prefix) else "") + prefix
    choices = _choices(task, wording, each, columns) if wording.choice is not None else ()
    target = _target(task, wording, each, columns)
    if task.output_type == "generate_until":
        right = _generated(task, each, target, choices, several)
        return Asked(document=each.document, before=before, question=question, references=right)
    return Asked(
        document=each.document,
        before=before,
        question=question,
        choices=choices,
        continuations=tuple(f"{wording.target_delimiter}{choice}" for choice in choices),
        references=(_right(task, each, target, choices),),
    )


def _right(task: LmTask, each: _Filled, target: object, choices: Sequence[str]) -> str:
    """Return the right choice (process_results)."""
    if isinstance(target, int) and 0 <= target < len(choices):
        return choices[target]
    if isinstance(target, str) and target in choices:
        return target
    if isinstance(target, list):
        raise _wrong(
            task, each, "doc_to_target", f"names several right choices, {target!r:.60}: not done here"
        )
    raise _wrong(
        task, each, "doc_to_target", f"gives {target!r:.60}, which is none of the {len(choices)} choices"
    )


def _generated(
    task: LmTask, each: _Filled, target: object, choices: Sequence[str], several: bool
) -> tuple[str, ...]:
    """Return the right answers of a task that writes (process_results)."""
    if choices:
        return (_right(task, each, target, choices),)
    if several:
        listed = target if isinstance(target, list) else [target]
        return tuple(map(str, listed))
    return (str(target),)


def _example(task: LmTask, each: _Filled, columns: Collection[str]) -> str:
    """Return an example with its answer and what follows it (build_qa_turn)."""
    wording = task.pool.wording
    question = _string(_text(task, wording, each, columns), each, task, "doc_to_text")
    choices = _choices(task, wording, each, columns) if wording.choice else ()
    target = _target(task, wording, each, columns)
    prefix = _resolved(wording.prefix, each) if wording.prefix else None
    has_answer = target is not None and target != ""
    if not has_answer:
        between = wording.target_delimiter if prefix and _needs_delimiter(question, prefix) else ""
        return question + between + (prefix or "")
    answer = target
    if choices and isinstance(target, int):
        if not -len(choices) <= target < len(choices):
            raise _wrong(task, each, "doc_to_target", f"gives {target}, and there are {len(choices)} choices")
        answer = choices[target]
    elif isinstance(target, list):
        answer = target[0] if target else ""
    text = _string(answer, each, task, "doc_to_target")
    if prefix:
        between = wording.target_delimiter if _needs_delimiter(question, prefix) else ""
    else:
        between = wording.target_delimiter
    return question + between + _delimited(prefix, text) + wording.fewshot_delimiter


def _needs_delimiter(prefix: str, suffix: str) -> bool:
    """Return whether neither text has white space where they meet (requires_delimiter)."""
    return prefix != "" and not (prefix[-1].isspace() or suffix[0].isspace())


def _delimited(prefix: str | None, suffix: str) -> str:
    """Return both texts, with a space between them unless there is white space (maybe_delimit)."""
    if not prefix or not suffix:
        return (prefix or "") + suffix
    return prefix + (" " if not (prefix[-1].isspace() or suffix[0].isspace()) else "") + suffix


def _text(task: LmTask, wording: Phrasing, each: _Filled, columns: Collection[str]) -> object:
    """Return the question (doc_to_text)."""
    found = _value(wording.text, each, columns)
    if isinstance(found, _Plain):
        text = found.text
        return ast.literal_eval(text) if _is_number(text) and task.wording.choice is not None else text
    return found


def _target(task: LmTask, wording: Phrasing, each: _Filled, columns: Collection[str]) -> object:
    """Return the answer: a text, the number of a choice, or a list (doc_to_target)."""
    found = _value(wording.target, each, columns)
    if not isinstance(found, _Plain):
        return found
    text = found.text
    if _is_number(text) and task.wording.choice is not None:
        return ast.literal_eval(text)
    if len(text) >= 2 and text[0] == "[" and text[-1] == "]":
        try:
            return ast.literal_eval(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return text
    return text


def _is_number(text: str) -> bool:
    return text.isdigit() and text.isascii() and str(int(text)) == text


def _choices(task: LmTask, wording: Phrasing, each: _Filled, columns: Collection[str]) -> tuple[str, ...]:
    """Return the choices (doc_to_choice)."""
    assert wording.choice is not None
    if isinstance(wording.choice, tuple):
        return wording.choice
    found = _value(wording.choice, each, columns)
    if isinstance(found, _Plain):
        try:
            found = ast.literal_eval(found.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise _wrong(task, each, "doc_to_choice", f"gives {found.text!r:.60}, which is no list") from None
    if not isinstance(found, list) or not all(isinstance(choice, str) for choice in found):
        raise _wrong(task, each, "doc_to_choice", f"gives {found!r:.60}; give a list of texts")
    return tuple(found)


def _prefix(task: LmTask, each: _Filled, columns: Collection[str]) -> str | None:
    """Return what begins the answer (doc_to_prefix)."""
    prefix = task.wording.prefix
    if prefix is None:
        return None
    return str(each.document[prefix]) if prefix in columns else _rendered(prefix, each)


@dataclass(frozen=True, slots=True)
class _Plain:
    """The text of a template, before it is read as anything else."""

    text: str


def _value(template: Template, each: _Filled, columns: Collection[str]) -> object:
    """Return a column, what a function gives, or the text of a template."""
    match template:
        case Function():
            return code.called(template, dict(each.document))
        case str() if template in columns:
            if template not in each.document:
                raise DataError(
                    f"{each.keys.get(template, template)}: {each.place}: has no column {template!r}"
                )
            return each.document[template]
        case str():
            return _Plain(_rendered(template, each))
    return list(template) if isinstance(template, tuple) else template


def _resolved(template: str, each: _Filled) -> str:
    """Return a column of the document, or the text of a template (resolve_field)."""
    return str(each.document[template]) if template in each.document else _rendered(template, each)


def _rendered(template: str, each: _Filled) -> str:
    text = each.texts[template]
    if isinstance(text, Failed):
        raise DataError(
            f"{each.keys[template]}: {each.place}: the template {template!r:.80} cannot be filled: {_plainly(text.why)}"
        )
    return text


def _filled(
    task: LmTask, wording: Phrasing, documents: Sequence[Document], place: str, columns: Collection[str]
) -> Iterator[_Filled]:
    keys = dict(_places(task, wording))
    templates = [template for template in keys if template not in columns]
    found = render(templates, documents, keys[templates[0]] if templates else "")
    for number, (document, texts) in enumerate(zip(documents, found, strict=True), start=1):
        yield _Filled(document=document, texts=texts, place=f"{place}: document {number}", keys=keys)


def _places(task: LmTask, wording: Phrasing) -> Iterator[tuple[str, str]]:
    """Yield each text of a template or column, with the place of the key that gives it."""
    parts = (
        ("description", task.description or None, task.description or None),
        ("gen_prefix", wording.prefix, task.wording.prefix),
        ("doc_to_choice", wording.choice, task.wording.choice),
        ("doc_to_target", wording.target, task.wording.target),
        ("doc_to_text", wording.text, task.wording.text),
    )
    for key, part, own in parts:  # of equal texts the last one's place stays
        if isinstance(part, str):
            yield part, task.at(key) if part == own else task.at("fewshot_config", f".{key}")


def _plainly(why: str) -> str:
    """Return a jinja error in words that need no knowledge of Python."""
    kind, _, said = why.partition(": ")
    if kind == "UndefinedError":
        return f"{said}; the document has no such column or part"
    if kind == "TemplateSyntaxError":
        return f"it is no template: {said}"
    if kind in ("TypeError", "AttributeError", "KeyError", "IndexError", "ValueError"):
        return f"a value in the document is missing or of another type than the template expects ({said})"
    return why


def _string(value: object, each: _Filled, task: LmTask, key: str) -> str:
    if isinstance(value, str):
        return value
    if key == "doc_to_text" and isinstance(value, int) and task.wording.choice is not None:
        raise _wrong(
            task, each, key, "gives the number of a choice: a prompt for each choice is not done here"
        )
    raise _wrong(task, each, key, f"gives {value!r:.60}, which is no text")


def _wrong(task: LmTask, each: _Filled, key: str, what: str) -> DataError:
    return DataError(f"{task.at(key)}: {each.place}: {what}")
