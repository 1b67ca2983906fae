"""What the page on plugins promises of its examples; `docs/test_pages.py` acts them out."""

from support.pages import blocks


def test_the_smallest_model_has_at_most_eight_lines_of_code():
    (smallest,) = [b.text for b in blocks("docs/plugins.md") if "smallest.py" in b.text]
    lines = [line for line in smallest.splitlines() if line.strip() and not line.startswith("#")]

    assert len(lines) <= 8
