"""Which checkpoints only answer greedily, by config.json alone: no weights are read and no library is imported.

The rows of a batch that samples must be able to leave it, and these models' rows cannot: they keep states that are no keys
and values, or their positions count from the start of the batch (`neural/decode/plain.py`).
"""

from collections.abc import Mapping
from typing import Any

from harness.checkpoints.window import RELATIVE

# What a layer is called that keeps keys and values alone.
ATTENTION = frozenset({"full_attention", "sliding_attention", "chunked_attention"})
# Model types with layers of another kind, which config.json need not name. A test compares them with transformers' own.
OTHER_LAYERS = frozenset(
    "axk2 bailing_hybrid bamba deepseek_v32 dots3_note dots3_note_text falcon_h1 falcon_mamba gemma3n gemma3n_text "
    "glm_moe_dsa granitemoehybrid hy_v4 inkling2_text inkling_text jamba kimi_linear lfm3 mamba mamba2 minimax "
    "nemo_speechlm nemotron_h olmo_hybrid qwen3_5 qwen3_5_moe qwen3_5_moe_text qwen3_5_text qwen3_next qwen4_exp "
    "qwen4_exp_text recurrent_gemma zamba zamba2 zaya".split()
)
# Encoder-decoders with relative positions.
RELATIVE_TYPES = frozenset("longt5 mt5 switch_transformers t5 umt5".split())


def only_greedy(config: Mapping[str, Any]) -> bool:
    """Return whether the checkpoint of a config.json answers by greedy decoding alone."""
    if config.get("is_encoder_decoder"):
        return RELATIVE not in config and config.get("model_type") not in RELATIVE_TYPES
    text = config.get("text_config")
    for level in (config, text if isinstance(text, Mapping) else {}):
        layers = level.get("layer_types")
        named = {kind for kind in layers if isinstance(kind, str)} if isinstance(layers, list) else set()
        if level.get("model_type") in OTHER_LAYERS or named - ATTENTION:
            return True
    return False
