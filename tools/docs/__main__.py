"""`python -m tools.docs` writes the generated pages of docs/."""

from tools.docs import pages

for path, text in pages().items():
    path.write_text(text, encoding="utf-8")
    print(path)
