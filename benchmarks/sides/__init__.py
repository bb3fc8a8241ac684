"""The sides of a race. Each is a process of its own that holds its model in memory and does one job a line.

{"prompts": […], "max_new_tokens": 32, …}  ─▶  {"seconds": 1.23, "answers": […]}
"""
