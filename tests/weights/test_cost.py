from harness.types import Weighing
from harness.weights.cost import seconds

LLAMA_7B = [(4096, 4096)] * 4 + [(11008, 4096)] * 2 + [(4096, 11008)]


def test_a_7b_model_takes_minutes_and_every_wish_adds_to_it() -> None:
    """22 to 28 minutes on two cores by numpy's library; this one's eigenvalues take half as long."""
    usual = Weighing()
    whole = 32 * sum(seconds(shape, usual, merged=True) for shape in LLAMA_7B) / 2
    assert 4 * 60 < whole < 28 * 60
    assert seconds((4096, 4096), Weighing(randomize=True), merged=False) > seconds(
        (4096, 4096), usual, merged=False
    )
    beside = Weighing(intruders_up_to=4096)
    assert seconds((4096, 4096), beside, merged=True) > 3 * seconds((4096, 4096), usual, merged=True)
    assert seconds((4096, 4096), beside, merged=False) == seconds((4096, 4096), usual, merged=False)
