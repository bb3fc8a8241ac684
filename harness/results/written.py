"""Make the lines of samples.jsonl.gz and generations.jsonl.gz."""

from typing import Any

from harness.files.json_lines import to_json
from harness.results.digests import unwritten
from harness.types import Generation, Sample, System


def sample_line(task: str, sample: Sample) -> dict[str, Any]:
    """Return the line of a sample."""
    return {
        "task": task,
        "sample_id": sample.id,
        "input": sample.input,
        "references": sample.references,
        **({"choices": sample.choices} if sample.choices else {}),
        **({} if sample.turns is None else {"turns": to_json(sample.turns)}),
        "metadata": sample.metadata,
    }


def generation_line(task: str, system: System, sample: Sample, answer: Generation) -> dict[str, Any]:
    """Return the line of a system's answer to a sample."""
    return {
        "task": task,
        **to_json(system),
        "sample_id": answer.sample_id,
        "prompt_digest": answer.prompt_digest,
        "text": answer.text,
        "references": sample.references,
        "prompt_tokens": answer.prompt_tokens,
        "output_tokens": answer.output_tokens,
        "truncated_tokens": answer.truncated_tokens,
        "finish": answer.finish,
        **unwritten(answer),
    }
