"""Programs that no user runs: they train the tiny models and write the embedded data."""
