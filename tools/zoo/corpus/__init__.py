"""English text written by programs: what the tiny models are pretrained on, tuned on and tested with."""
