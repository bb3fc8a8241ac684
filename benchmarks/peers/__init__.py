"""The programs that race, ours and others: each a process that keeps its model in memory and does one job a line.

{"prompts": […], "max_new_tokens": 32, …}  ─▶  {"seconds": 1.23, "answers": […]}
"""
