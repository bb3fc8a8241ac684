"""One benchmark per file: `python -m benchmarks.races.NAME`, or `make bench-NAME`, writes benchmarks/results/NAME.md."""
