"""The embedded data sets of the kinds of task: a file writes each of them, without any text of others."""
