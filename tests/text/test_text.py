import pytest

from harness import text as words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nÄé 漢字 🙂", "plain\ttext\nÄé 漢字 🙂"),
        ("a\x00b", "a⟦U+0000⟧b"),
        ("a\ud800b", "a⟦U+D800⟧b"),
        ("user\u202egnp.exe", "user⟦U+202E⟧gnp.exe"),
        ("\u200fשלום", "⟦U+200F⟧שלום"),
        ("a\x1b[31mred", "a⟦U+001B⟧[31mred"),
    ],
)
def test_what_would_vanish_or_reorder_its_neighbours_is_shown_by_its_code_point(
    text: str, shown: str
) -> None:
    assert words.visible(text) == shown
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0001, "p < 0.001"),
        (0.012, "p = 0.012"),
        (0.31, "p = 0.31"),
        (1.0, "p = 1.00"),
        (0.04999, "p = 0.04999"),
        (0.05, "p = 0.050"),
        (0.050001, "p = 0.050"),
    ],
)
def test_a_rounded_p_stays_on_its_side_of_the_line(p: float, shown: str) -> None:
    assert words.p_value(p).replace(words.SPACE, " ") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.44, "+1.4"), (-1.46, "−1.5"), (0.0, "0.0"), (-0.04, "0.0"), (None, "")],
)
def test_differences_carry_their_sign(value: float | None, shown: str) -> None:
    assert words.signed(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.42, "0.4 s"),
        (41.2, "41 s"),
        (59.7, "1 min"),
        (200.0, "3 min 20 s"),
        (7500.0, "2 h 5 min"),
        (None, ""),
    ],
)
def test_seconds_are_read_at_a_glance(value: float | None, shown: str) -> None:
    assert words.seconds(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(950, "950"), (65_536, "65.5 k"), (1_930_000, "1.9 M"), (7.24e9, "7.2 B")]
)
def test_counts_are_read_at_a_glance(value: float, shown: str) -> None:
    assert words.count(value) == shown


def test_a_long_text_says_how_much_of_it_is_missing() -> None:
    assert words.shorten("x" * 5_000, 4_000).endswith("… (1,000 more characters)")


@pytest.mark.parametrize(
    ("count", "of", "said"),
    [(0, 9, "0 %"), (1, 400, "under 1 %"), (2, 400, "under 1 %"), (3, 400, "1 %"), (72, 400, "18 %"),
     (399, 400, "over 99 %"), (400, 400, "100 %")],
)  # fmt: skip
def test_a_share_is_said_in_percent_and_a_few_of_many_are_not_none(count: int, of: int, said: str) -> None:
    assert words.percent(count, of).replace(words.SPACE, " ") == said
