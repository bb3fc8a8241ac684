"""A server with an API like OpenAI's, whose model is a rule; it can be told to have every fault of real ones.

A token is a word with the blanks before it. An answer depends on the name of the model and the prompt alone.
"""

import json
import re
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

WORDS = "Anna Ben meets today tomorrow car house river never seldom often red blue green and or".split()
Body = dict[str, Any]


@dataclass
class Reply:
    """What is sent instead of an answer."""

    status: int = 200
    content: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False  # the connection is closed without an answer


@dataclass
class Stub:
    """What the server does, and what it was asked."""

    models: dict[str, str] = field(
        default_factory=lambda: {"base": "", "tuned": "+"}
    )  # name -> changes answers
    any_name: bool = False  # answers for every name
    fallback: bool = False  # answers for the base whatever is asked
    chat: bool = False  # has a chat API
    completions: bool = True
    key: str | None = None
    stops: str = "cut"  # "leave", "ignore"
    echo: str = "sound"  # "dropped", "short", "positive", "equal", "misspelt"
    lists: bool = True
    bos: bool = True
    varies: bool = False
    samples: bool = True
    silent: bool = False  # all answers are empty
    cuts: bool = False  # as many tokens of an answer as the prompt has are missing
    usage: bool = True
    seconds: float = 0.0
    leading: str = " "  # begins answers
    fault: Callable[[int, Body], Reply | None] = lambda number, body: None
    asked: list[Body] = field(default_factory=list)
    keep: bool = True  # what it was asked
    most: int = 0  # requests at once
    numbers: Iterator[int] = field(default_factory=count)
    now: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def texts(self) -> Counter[str]:
        """Return how often each prompt was asked."""
        return Counter(text for body in self.asked for text in prompts(body))


def prompts(body: Body) -> list[str]:
    if "messages" in body:
        return [body["messages"][-1]["content"]]
    return body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]


def tokens(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


def number(*parts: object) -> int:
    return zlib.crc32("|".join(map(str, parts)).encode("utf-8", "surrogatepass"))


def answer(stub: Stub, body: Body, text: str, at: int) -> tuple[str, int, str]:
    """Return text, tokens and finish of an answer."""
    salt = stub.models.get(body["model"], "") if not stub.fallback else ""
    hot = body.get("temperature", 0) > 0 and stub.samples
    seed = (at if stub.varies else 0, body.get("seed", 0) if hot else 0)
    length = 3 + number(text, salt) % 30 if not stub.silent else 0
    words = [WORDS[number(salt, text, place, *seed) % len(WORDS)] for place in range(length)]
    most = body.get("max_tokens", 16)
    kept, finish = words[:most], "length" if len(words) > most else "stop"
    kept = kept[len(tokens(text)) :] if stub.cuts else kept
    found = (stub.leading if kept else "") + " ".join(kept)
    for stop in body.get("stop", ()):
        if stub.stops != "ignore" and stop in found:
            found = found.partition(stop)[0] + (stop if stub.stops == "leave" else "")
            finish = "stop"
    return found, len(kept), finish


def echoed(stub: Stub, body: Body, text: str) -> dict[str, Any]:
    salt = stub.models.get(body["model"], "")
    spelled = tokens(text)
    listed = (["<s>"] if stub.bos else []) + spelled + [" Anna"]
    values: list[float | None] = [
        -(1 + number(salt, *listed[: place + 1]) % 1000) / 250 for place in range(len(listed))
    ]
    values[0] = None
    match stub.echo:
        case "short":
            values, listed = values[:-2], listed[:-2]
        case "positive":
            values = [value and -value for value in values]
        case "equal":
            values = [value and -1.0 for value in values]
        case "misspelt":
            listed = ["x" for _ in listed]
    return {
        "tokens": listed,
        "token_logprobs": values,
        "top_logprobs": None,
        "text_offset": [0] * len(listed),
    }


def respond(stub: Stub, path: str, body: Body, at: int) -> Reply:
    if body["model"] not in stub.models and not (stub.any_name or stub.fallback):
        return error(404, f"The model `{body['model']}` does not exist.")
    chat = path.endswith("/chat/completions")
    if (chat and not stub.chat) or (not chat and not stub.completions):
        return error(404, "Not Found")
    if isinstance(body.get("prompt"), list) and not stub.lists:
        return error(400, "prompt must be a string.")
    choices, given, written = [], 0, 0
    for index, text in enumerate(prompts(body)):
        found, length, finish = answer(stub, body, text, at)
        choice: dict[str, Any] = {"index": index, "finish_reason": finish}
        if chat:
            choice["message"] = {"role": "assistant", "content": found}
        elif body.get("echo") and stub.echo != "dropped":
            length = 1
            choice |= {"text": text + " Anna", "logprobs": echoed(stub, body, text)}
        else:
            choice["text"] = found
        choices.append(choice)
        given += len(tokens(text)) + stub.bos
        written += length
    named = next(iter(stub.models)) if stub.fallback else body["model"]
    sent: dict[str, Any] = {"model": named, "choices": choices}
    if stub.usage:
        sent["usage"] = {
            "prompt_tokens": given,
            "completion_tokens": written,
            "total_tokens": given + written,
        }
    return Reply(content=json.dumps(sent).encode())


def error(status: int, message: str, **headers: str) -> Reply:
    content = json.dumps({"error": {"message": message, "type": "error"}}).encode()
    return Reply(
        status=status,
        content=content,
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    disable_nagle_algorithm = True
    stub: Stub

    def do_POST(self) -> None:
        stub = self.stub
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with stub.lock:
            at = next(stub.numbers)
            if stub.keep:
                stub.asked.append(body)
            stub.now += 1
            stub.most = max(stub.most, stub.now)
        try:
            if stub.seconds:
                time.sleep(stub.seconds)
            reply = stub.fault(at, body)
            if reply is None and stub.key and self.headers.get("Authorization") != f"Bearer {stub.key}":
                reply = error(401, f"Incorrect API key provided: {self.headers.get('Authorization')}")
            reply = reply or respond(stub, self.path, body, at)
        finally:
            with stub.lock:
                stub.now -= 1
        if reply.cut:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply.content)))
        for name, text in reply.headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, *args: object) -> None:
        pass


class Quick(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *args: object) -> None:
        pass


@contextmanager
def serving(stub: Stub) -> Iterator[str]:
    """Serve while the block runs; give the address of the API."""
    server = Quick(("127.0.0.1", 0), type("Bound", (Handler,), {"stub": stub}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
