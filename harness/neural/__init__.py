"""Everything that imports torch, transformers or peft."""
