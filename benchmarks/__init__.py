"""Speed and memory, measured side by side and printed with the machine."""
