"""The programs that race, ours and others. Each is a process of its own that keeps its model in memory and does one job a line.

{"prompts": […], "max_new_tokens": 32, …}  ─▶  {"seconds": 1.23, "answers": […]}
"""
