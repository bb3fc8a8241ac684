"""What several benchmarks use: running sides in turn, tiny models and texts, measuring processes, writing pages."""
