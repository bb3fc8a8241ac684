"""What quantising alone costs: a quantised base against the same weights that are not, where a suite asks both."""

from harness import text as words
from harness.report.answer.field import Field
from harness.results import ModelFacts
from harness.types import System

PLAIN = "none"


def quantising(field: Field) -> str:
    """Return a sentence for each quantised base that was asked beside its unquantised weights; "" without any."""
    models = {model.name: model for model in field.result.suite.models}
    said = []
    for base in field.models:
        model = models.get(base.model)
        if base.adapter is not None or model is None or model.quantization == PLAIN:
            continue
        whole = _whole(field, model, base)
        pair = None if whole is None else field.between(base, whole)
        if whole is not None and pair is not None:
            said.append(
                f"Quantising alone ({model.quantization}) moves the score of {words.system(whole)} by "
                f"{words.difference(pair)} ({words.certainty(pair)})."
            )
    return " ".join(said)


def _whole(field: Field, model: ModelFacts, base: System) -> System | None:
    """Return the base that has the same weights unquantised and was asked with as many examples."""
    for other in field.result.suite.models:
        same = (other.uri, other.revision, other.quantization) == (model.uri, model.revision, PLAIN)
        system = System(model=other.name, shots=base.shots)
        if same and system in field.scores:
            return system
    return None
