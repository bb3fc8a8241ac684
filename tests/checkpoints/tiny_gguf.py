"""A small Llama in a GGUF file, as llama.cpp's converter writes one: random weights, quantised by the package gguf."""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize

WIDTH, INNER, LAYERS, HEADS, GROUPS, CONTEXT = 64, 128, 2, 4, 2, 1024
MERGES = ["Ġ t", "h e", "Ġt he", "Ġ a", "i n"]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['content'] }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>{% endif %}"
)


def vocabulary() -> list[str]:
    """Three special tokens, the bytes as GPT-2 writes them, and what the merges make."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]
    return [
        "<|endoftext|>",
        "<|im_start|>",
        "<|im_end|>",
        *letters,
        *(merge.replace(" ", "") for merge in MERGES),
    ]


def write(
    path: Path, kind: str = "Q4_1", architecture: str = "llama", template: str | None = TEMPLATE
) -> Path:
    """Write the file and return its path; norms stay float32, and embeddings are Q8_0."""
    rng, tokens = np.random.default_rng(0), vocabulary()
    file = GGUFWriter(path, architecture)
    file.add_name("tiny")
    file.add_license("apache-2.0")
    file.add_context_length(CONTEXT)
    file.add_embedding_length(WIDTH)
    file.add_block_count(LAYERS)
    file.add_feed_forward_length(INNER)
    file.add_head_count(HEADS)
    file.add_head_count_kv(GROUPS)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_rope_freq_base(10000.0)
    file.add_rope_dimension_count(WIDTH // HEADS)
    file.add_vocab_size(len(tokens))
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("smollm")
    file.add_token_list(tokens)
    file.add_token_types([3, 3, 3, *[1] * (len(tokens) - 3)])
    file.add_token_merges(MERGES)
    file.add_bos_token_id(1)
    file.add_eos_token_id(2)
    file.add_unk_token_id(0)
    file.add_pad_token_id(0)
    if template is not None:
        file.add_chat_template(template)

    def add(name: str, *shape: int, stored: str = kind) -> None:
        weights = rng.normal(scale=0.05, size=shape).astype(np.float32)
        raw = GGMLQuantizationType[stored]
        file.add_tensor(name, quantize(weights, raw), raw_dtype=raw)

    add("token_embd.weight", len(tokens), WIDTH, stored="Q8_0")
    file.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    for layer in range(LAYERS):
        at = f"blk.{layer}."
        for name in ("attn_norm", "ffn_norm"):
            file.add_tensor(f"{at}{name}.weight", np.ones(WIDTH, np.float32))
        size = WIDTH // HEADS * GROUPS
        for name, rows, columns in (
            ("attn_q", WIDTH, WIDTH),
            ("attn_k", size, WIDTH),
            ("attn_v", size, WIDTH),
            ("attn_output", WIDTH, WIDTH),
            ("ffn_gate", INNER, WIDTH),
            ("ffn_up", INNER, WIDTH),
            ("ffn_down", WIDTH, INNER),
        ):
            add(f"{at}{name}.weight", rows, columns)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path
