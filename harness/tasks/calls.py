"""Find calls of functions in answers, as Python writes them, and compare them. Text is parsed, and never evaluated."""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_TEXT = 20_000  # characters at the end of an answer that are searched
LONGEST_CALL = 4_000  # characters
MOST_NESTED = 50  # brackets within brackets
MOST_STARTS = (
    200  # places where a call may begin: each is read to the call's end, of which the text may have none
)

_START = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\(")
_OPEN, _CLOSED = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Call:
    """A call: the function's name, and its arguments in a form that is equal for equal values."""

    function: str
    positional: tuple[str, ...]
    named: tuple[tuple[str, str], ...]  # sorted by name
    tree: ast.Call

    def equals(self, other: "Call") -> bool:
        """Return whether function and arguments are equal; the order of named arguments does not count."""
        return (self.function, *self.arguments) == (other.function, *other.arguments)

    @property
    def arguments(self) -> tuple[object, object]:
        """Return the positional and the named arguments."""
        return self.positional, self.named


def last_call(text: str) -> Call | None:
    """Return the last call of a text that is not an argument of another; None if the text has none."""
    found = None
    for found in _calls(text[-LONGEST_TEXT:]):  # noqa: B007  # the last is wanted
        pass
    return found


def _calls(text: str) -> Iterator[Call]:
    done = 0
    for begin in [*_START.finditer(text)][-MOST_STARTS:]:
        if begin.start() < done:
            continue  # an argument
        end = _end(text, begin.start(), begin.end() - 1)
        if end is not None and (call := _parsed(text[begin.start() : end])) is not None:
            yield call
            done = end


def _end(text: str, begin: int, bracket: int) -> int | None:
    """Return where a call ends whose first bracket is given, with what follows it: `a(1).b(2)`; None if it does not end."""
    depth, quote, place = 0, "", bracket
    while place < min(len(text), begin + LONGEST_CALL):
        letter = text[place]
        if quote:
            if letter == "\\":
                place += 1
            elif text.startswith(quote, place):
                place += len(quote) - 1
                quote = ""
        elif letter in "'\"":
            quote = letter * 3 if text.startswith(letter * 3, place) else letter
            place += len(quote) - 1
        elif letter in _OPEN:
            depth += 1
        elif letter in _CLOSED:
            depth -= 1
            more = re.match(r"(?:\.[A-Za-z_]\w*)*\(", text[place + 1 : place + 200])
            if depth == 0 and not more:
                return place + 1
        if depth > MOST_NESTED:
            return None
        place += 1
    return None


def _parsed(text: str) -> Call | None:
    """Return a text as a call; None if the text is not a call."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of "\d" in a text
            tree = ast.parse(text, mode="eval").body
        if not isinstance(tree, ast.Call):
            return None
        ast.unparse(tree)  # so that nobody later finds it nested too deep
        named = sorted((keyword.arg or "**", _form(keyword.value)) for keyword in tree.keywords)
        return Call(ast.unparse(tree.func), tuple(map(_form, tree.args)), tuple(named), tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _form(value: ast.expr) -> str:
    """Return a text that is equal for equal values: 'a' and "a", 1 and 1.0, but not 1 and True."""
    for node in ast.walk(value):
        if isinstance(node, ast.Constant):
            node.kind = None  # of u"a"
            if type(node.value) is float and node.value.is_integer():
                node.value = int(node.value)
    return ast.dump(value)


def functions(listed: str) -> frozenset[str]:
    """Return the names of functions that a column lists: as a JSON list, or separated by commas."""
    return frozenset(name for part in re.split(r"[,\[\]\"'\s]+", listed) if (name := part.strip()))


def gorilla_match(reference: Call, answer: Call) -> bool:
    """Return whether an answer has the reference's call, as Gorilla's `ast_eval` decides (Patil et al. 2023).

    The answer's sub-tree that calls the reference's function is searched; each value of the reference's arguments must occur
    in the text of that sub-tree. Where no sub-tree calls that function, Gorilla's program goes on with the last sub-tree
    that it has seen, so function names are not always compared. A reference without arguments never matches.
    """
    values = [ast.unparse(value).strip("'") for value in reference.tree.args]
    values += [ast.unparse(keyword.value).strip("'") for keyword in reference.tree.keywords]
    trees = [node for node in ast.walk(answer.tree) if isinstance(node, ast.Call)]
    same = next((tree for tree in trees if ast.unparse(tree.func) == reference.function), None)
    text = ast.unparse(same if same is not None else _last_tree(answer.tree))
    return bool(values) and all(value in text for value in values)


def _last_tree(tree: ast.expr) -> ast.expr:
    """Return the sub-tree that a search in Gorilla's order sees last: the leftmost one that has parts."""
    match tree:
        case ast.Call(func=ast.Name(), args=[first, *_]) if not isinstance(first, ast.Name):
            return _last_tree(first)
        case ast.Call(func=ast.Name(), keywords=[first, *_]):
            return _last_tree(first.value)
        case ast.Call(func=ast.Name()):
            return tree
        case ast.Call(func=function):
            return _last_tree(function)
        case ast.Attribute(value=ast.Attribute() | ast.Call() as inner):
            return _last_tree(inner)
    return tree
