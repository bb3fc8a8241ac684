import time

import pytest

from harness.errors import DataError
from harness.metrics import load
from harness.tasks.calls import functions, last_call
from harness.types import Generation, Sample

REFERENCE = "AutoModel.from_pretrained('facebook/bart', revision=\"main\")"


def row(name, answer, *references, documented=None):
    metadata = {} if documented is None else {"functions": documented}
    sample = Sample(id="s", input="", references=references or (REFERENCE,), metadata=metadata)
    return load(name).row(sample, Generation(sample_id="s", text=answer))


@pytest.mark.parametrize(
    ("text", "function"),
    [
        (
            "Use this:\n```python\nmodel = load('a')\nmodel.run(x=[1, (2)], y=')')\n```\nDone (really).",
            "model.run",
        ),
        ("f(g(1))", "f"),  # an argument is part of its call
        ("a.load('x').run(1)", "a.load('x').run"),
        ("first(1) then second(2) then third(3", "second"),  # the last that ends
        ('f("""a\n(b""")', "f"),
        ("f('it\\'s)')", "f"),
        ("print a (b)", None),
        ("f(1 2)", None),
        ("no call", None),
        ("", None),
        ("f(" + "-" * 3_000 + "1)", None),  # nested too deep to be compared
    ],
)
def test_the_last_call_is_found(text, function):
    found = last_call(text)
    assert (found and found.function) == function


@pytest.mark.parametrize("text", ["f(" * 10_000, "f('" * 9_000, "(" * 30_000, "a.b(" * 9_000, "f(1)" * 9_000])
def test_odd_texts_are_read_in_time(text):
    begin = time.process_time()
    last_call(text)
    assert time.process_time() - begin < 2  # 0.1 s here


@pytest.mark.parametrize(
    ("answer", "hit"),
    [
        (REFERENCE, 1),
        ('AutoModel.from_pretrained("facebook/bart", revision="main")', 1),  # strings by value
        ("I would call\n`AutoModel.from_pretrained('facebook/bart', revision='main')`.", 1),
        ("AutoModel.from_pretrained('facebook/bart')", 0),
        ("AutoModel.from_pretrained('facebook/bart', revision='dev')", 0),
        ("AutoModel.from_pretrained(revision='main', model='facebook/bart')", 0),
        ("from_pretrained('facebook/bart', revision='main')", 0),
        ("", 0),
    ],
)
def test_a_strict_match_compares_function_and_arguments(answer, hit):
    assert row("ast", answer) == (hit, 1)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("f(a=1, b=2)", "f(b=2, a=1)", True),
        ("f(1.0, [1, 2])", "f(1, [1.0, 2])", True),
        ("f(True)", "f(1)", False),
        ("f(None)", "f('None')", False),
        ("f(-1)", "f(- 1)", True),
        ("f({'a': x})", 'f({"a": x})', True),
        ("f(**a)", "f(**b)", False),
        ("f(u'a')", "f('a')", True),
    ],
)
def test_arguments_are_compared_as_values(one, other, equal):
    assert row("ast", one, other) == (equal, 1)


@pytest.mark.parametrize(
    ("answer", "hit"),
    [
        (REFERENCE, 1),
        ("m = AutoModel.from_pretrained('facebook/bart', revision='main', device=0)", 1),  # more arguments
        ("AutoModel.from_pretrained('facebook/bart-large', revision='main')", 1),  # a part of the text
        ("run(AutoModel.from_pretrained('facebook/bart', revision='main'))", 1),  # a sub-tree
        ("AutoModel.from_pretrained('facebook/bart')", 0),
        ("Other.from_pretrained('facebook/bart', revision='main')", 0),
    ],
)
def test_a_match_as_gorillas_searches_values_in_the_sub_tree(answer, hit):
    assert row("ast(match=gorilla)", answer) == (hit, 1)


def test_gorillas_match_does_not_always_compare_names_and_needs_arguments():
    """Without a sub-tree of that name its loop ends, and the last sub-tree is used: here the first argument."""
    assert row("ast(match=gorilla)", "load('bart', 1)", "pipeline('bart')") == (1, 1)
    assert row("ast(match=gorilla)", "f()", "f()") == (0, 1)


@pytest.mark.parametrize(
    ("answer", "documented", "expected"),
    [
        (REFERENCE, None, (0, 0, 1)),
        ("AutoModel.from_pretrained('other')", None, (0, 1, 1)),
        ("pipeline('x')", None, (1, 0, 1)),
        ("pipeline('x')", '["pipeline", "AutoModel.from_pretrained"]', (0, 0, 1)),
        ("pipeline('x')", "pipeline, load", (0, 0, 1)),
        ("invented('x')", "pipeline, load", (1, 0, 1)),
        ("no call", "pipeline", (0, 0, 1)),
    ],
)
def test_errors_are_told_apart(answer, documented, expected):
    assert row("ast_errors", answer, documented=documented) == expected


def test_answers_without_a_call_and_samples_without_documents_are_counted():
    sample = Sample(id="s", input="", references=(REFERENCE,))
    held = [
        caution.holds(sample, Generation(sample_id="s", text="no call"))
        for caution in load("ast_errors").cautions
    ]
    assert held == [True, True]
    assert load("ast").cautions[0].holds(sample, Generation(sample_id="s", text="f(1"))


def test_a_reference_without_a_call_is_refused():
    with pytest.raises(DataError, match="sample 's': the reference 'Oslo' has no call that Python can parse"):
        row("ast", "f(1)", "Oslo")


def test_a_list_of_functions_is_json_or_has_commas():
    assert functions('["a.b", "c"]') == functions("a.b, c") == functions("a.b,c") == {"a.b", "c"}
    assert functions("") == frozenset()
