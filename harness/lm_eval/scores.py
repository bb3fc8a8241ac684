"""The metrics of lm-evaluation-harness that are computed here too, and on which scale it gives them."""

from collections.abc import Mapping

# Metrics of written answers that we compute alike: name -> plug-in and score
WRITTEN: Mapping[str, tuple[str, str]] = {
    "bleu": ("bleu", "bleu"),
    "chrf": ("chrf", "chrf"),
    "ter": ("ter", "ter"),
    "f1": ("f1", "f1"),
    **{name: ("rouge", name) for name in ("rouge1", "rouge2", "rougeL", "rougeLsum")},
}
CORPUS = ("bleu", "chrf", "ter")  # on our scale, 0 to 100; the others are 0 to 1
CHOSEN: Mapping[str, str] = {  # metrics of choices
    "acc": "accuracy",
    "acc_norm": "accuracy(by=character)",
    "acc_bytes": "accuracy(by=byte)",
    "acc_mutual_info": "accuracy(by=against)",
}


def scale(name: str) -> float:
    """Return how many times lm-eval's number ours is."""
    return 1.0 if name in CORPUS else 100.0
