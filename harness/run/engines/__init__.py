"""Where lanes run. An engine is a file with `run(steps, performer, watch)`, which yields each step's outcome as it comes."""
