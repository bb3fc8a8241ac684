"""The speed of GPUs as their makers publish it: what estimates start from until a step has run on that GPU."""

from harness.files.speed import Speed

# Part of the name that nvidia-smi prints -> 1e12 dense tensor operations a second in bfloat16 (float16 on a T4), and
# 1e9 bytes of memory a second, by NVIDIA's data sheets.
PUBLISHED = {
    "H200": (989, 4800),
    "H100": (989, 3350),
    "A100": (312, 1555),
    "L40S": (362, 864),
    "RTX 4090": (165, 1008),
    "RTX 3090": (71, 936),
    "A10": (125, 600),
    "L4": (121, 300),
    "T4": (65, 320),
}
# Shares of these that training a model of 7 B reaches with transformers' code: 30 to 50 % of the operations are usual.
OF_OPERATIONS, OF_MEMORY = 0.35, 0.6


def published(
    gpu: str,  # as nvidia-smi names it
    call: float,  # seconds of a call of numpy on this machine's processor, which starts the GPU's work
) -> Speed | None:
    """Return the speed to expect of a GPU; None if it is not in the table."""
    found = next((speeds for name, speeds in PUBLISHED.items() if name in gpu), None)
    if found is None:
        return None
    operations, stream = found
    flops = OF_OPERATIONS * operations * 1e12
    return Speed(thin=flops, narrow=flops, wide=flops, stream=OF_MEMORY * stream * 1e9, call=call)
