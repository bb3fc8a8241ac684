"""A chat template gives what transformers gives, and ends within its limits or is refused."""

# ruff: noqa: E501  # templates as models have them

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from harness.errors import ModelError
from harness.sandbox.templates import Chat, ChatTemplate
from harness.types import Turn

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
CONTENTS = [
    "Who comes?",
    "  spaces around \n",
    "quotes \" ' and \\ and <b>&amp;</b>",
    "{{ 7 * 7 }} {% raw %}",
    "Zoë 你好 \U0001f600 \ud83d",
    "[/INST] <|im_end|> </s>",
    "",
]
LLAMA = """{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"""
MISTRAL = """{{ bos_token }}{%- set ns = namespace(index=0) -%}{%- for message in messages %}
    {%- if message.role == "user" %}
        {%- if tools is not none and loop.last %}{{ "[AVAILABLE_TOOLS]" + (tools | tojson) }}{%- endif %}
        {%- set ns.index = ns.index + 1 %}
{{ "[INST]" + message["content"] + "[/INST]" }}
    {%- elif message.role == "assistant" %}{% generation %}{{ message.content | trim + eos_token }}{% endgeneration %}
    {%- endif %}
{%- endfor %}"""
GEMMA = """{{ bos_token }}
{%- for message in messages -%}
    {%- if (message['role'] == 'assistant') -%}{%- set role = "model" -%}{%- else -%}{%- set role = message['role'] -%}{%- endif -%}
    {{ '<start_of_turn>' + role + '\n' }}
    {%- if message['content'] is string -%}{{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}{%- for item in message['content'] -%}{{ item['text'] }}{%- endfor -%}{%- endif -%}
    {{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{'<start_of_turn>model\n'}}{%- endif -%}"""
QWEN = """{%- if tools %}{{- '<|im_start|>system\\n' }}{%- else %}{%- if messages[0].role == 'system' %}{{- messages[0].content }}{%- endif %}{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and not(message.content.startswith('<tool_response>')) %}
        {%- set ns.multi_step_tool = false %}{%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}{%- set fields = dict(role=message.role) %}
    {{- '<|im_start|>' + fields.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{%- if loop.index > 9 %}{% break %}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}"""
JSON = "{{ messages | tojson(indent=2) }}{{ messages | tojson }}{{ documents }}{{ strftime_now('%Y') }}{{ unknown }}"
MACRO = "{%- macro said(text) -%}\n  {{ text | upper }}\n{% endmacro %}\n  {% if true %}\n{{ said(messages[0].content) }}\n  {% endif %}\n{# x #}\n"


def user(text: str) -> Chat:
    return (Turn(role="user", text=text),)


def by_transformers(template: str, content: str | Chat) -> str:
    chat = user(content) if isinstance(content, str) else content
    turns = [{"role": turn.role, "content": turn.text} for turn in chat]
    options: dict[str, Any] = {"chat_template": template, "add_generation_prompt": True, **TOKENS}
    return str(render_jinja_template([turns], **options)[0][0])


@pytest.mark.parametrize(
    "template", [LLAMA, MISTRAL, GEMMA, QWEN, JSON, MACRO], ids="llama mistral gemma qwen json macro".split()
)
def test_a_prompt_is_what_transformers_makes_of_it(template: str) -> None:
    here = ChatTemplate("model", template, TOKENS)
    assert [here.render(user(one)) for one in CONTENTS] == [
        by_transformers(template, one) for one in CONTENTS
    ]


TALK = (
    Turn(role="system", text="You are a guide."),
    Turn(role="user", text="Is the lab open?"),
    Turn(role="assistant", text="Yes, until six."),
    Turn(role="user", text="And {{ tomorrow }}?"),
)


@pytest.mark.parametrize(
    "template", [LLAMA, MISTRAL, GEMMA, QWEN, JSON], ids="llama mistral gemma qwen json".split()
)
def test_turns_reach_the_template_as_turns(template: str) -> None:
    here = ChatTemplate("model", template, TOKENS)
    for chat in (TALK, TALK[1:], TALK[:2]):
        assert here.render(chat) == by_transformers(template, chat)


NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
)


@pytest.mark.parametrize(
    ("template", "has"),
    [
        (LLAMA, True),
        (QWEN, True),
        (MISTRAL, False),  # leaves the text out
        (NO_SYSTEM + GEMMA, False),  # fails, as Gemma's own does
        ("{{ messages[0].content | upper }}{{ messages[1].content }}", True),
    ],
    ids="llama qwen mistral gemma upper".split(),
)
def test_a_template_without_a_system_role_is_found_out(template: str, has: bool) -> None:
    assert ChatTemplate("model", template, TOKENS).has_system_role is has


@pytest.mark.slow
@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "took more than 0.5 s"),
        ("{{ 7 ** 9999999999 }}", "took more than 0.5 s|needed more than 1 GB"),
        ("{{ 'a' * 10000000000 }}", "needed more than 1 GB"),
        ("{{ 'a'.ljust(10000000000) }}", "needed more than 1 GB"),
        ("{{ 'a' | center(10000000000) }}", "needed more than 1 GB"),
        ("{% set x = ['a'] * 99999999999 %}", "needed more than 1 GB"),
        ("{{ 'a' * 20000000 }}", "wrote 20,000,000 characters"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "failed .RecursionError"),
        ("{% for %}", "failed .TemplateSyntaxError"),
        ("{{ raise_exception('no\nsystem') }}", "failed .TemplateError: no system"),
        ("{{ ''.__class__.__mro__ }}", "failed .SecurityError"),
        ("{{ 1 / 0 }}", "failed .ZeroDivisionError"),
        ("{% if 'hang' in messages[0].content %}{% for a in range(99999) %}{{ a ** 99999 == 1 }}{% endfor %}{% endif %}",
         "took more than 0.5 s"),
    ],
)  # fmt: skip
def test_a_template_that_does_not_end_is_refused_by_name(template: str, said: str) -> None:
    here = ChatTemplate("models/foreign", template, TOKENS, seconds=0.5)
    for _ in range(1 if "0.5 s" in said else 2):  # and again: the next prompt gets the same answer
        with pytest.raises(
            ModelError, match=rf"^models/foreign: its chat template .*{said}.*; correct it, or say"
        ):
            here.render(user("please hang"))


def test_the_next_prompt_is_rendered_after_one_that_was_refused() -> None:
    here = ChatTemplate("model", "{{ 'a' * 10000000000 if messages[0].content == 'x' else 'fine' }}", TOKENS)
    with pytest.raises(ModelError):
        here.render(user("x"))
    assert here.render(user("y")) == "fine"


def test_a_block_of_prompts_is_rendered_as_each_alone_is() -> None:
    here = ChatTemplate("model", LLAMA, TOKENS)
    here.render_ahead([user(one) for one in CONTENTS])
    here._sandbox = None  # what was rendered ahead asks nobody
    assert [here.render(user(one)) for one in CONTENTS] == [by_transformers(LLAMA, one) for one in CONTENTS]


def test_one_prompt_of_a_block_that_fails_is_refused_when_it_is_asked_for() -> None:
    failing = "{{ raise_exception('no') if messages[0].content == 'x' else messages[0].content }}"
    hanging = "{{ 'a' * 10000000000 if messages[0].content == 'x' else messages[0].content }}"
    for template in (failing, hanging):
        here = ChatTemplate("model", template, TOKENS)
        here.render_ahead([user(one) for one in "axb"])
        assert here.render(user("a")) == "a"
        assert here.render(user("b")) == "b"
        with pytest.raises(ModelError, match="chat template"):
            here.render(user("x"))


@pytest.mark.slow
def test_a_template_at_work_ends_when_the_harness_is_killed(tmp_path: Path) -> None:
    loop = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    program = (
        "from harness.sandbox import templates, Sandbox, _render\nfrom harness.types import Turn\n"
        f"here = templates.ChatTemplate('m', {loop!r}, {{}}, 2.0)\n"
        "here._sandbox = Sandbox(_render)\n"
        "print(here._sandbox._process.pid, flush=True)\n"
        "here.render((Turn(role='user', text='x'),))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 60
    while _lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lives(process: int) -> bool:
    """A zombie that nobody waits for does not."""
    try:
        os.kill(process, 0)
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
