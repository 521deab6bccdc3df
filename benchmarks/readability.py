"""How README and docs read at a commit: words a sentence, long sentences, share of passive ones.

python benchmarks/readability.py [COMMIT ...]

Code, tables, headings and docs/log.md do not count. A sentence is passive if a form of `be` stands before a participle:
words that end in `ed`, and a list of others. That is an estimate, the same for all commits.
"""

from __future__ import annotations

import re
import subprocess
import sys

LONG = 25  # words
_PARTICIPLES = (
    "made|shown|given|taken|known|held|left|found|said|told|kept|chosen|drawn|seen|written|read|built|done|fitted|put|"
    "cut|set|sent|paid|meant|run|hidden|torn|thrown|bought|worn|met|lost|split"
)
_BETWEEN = r"(?:\s+(?:not|never|only|also|still|then|always|already|once|by\s+default|\w+ly))?"
PASSIVE = re.compile(rf"\b(?:is|are|was|were|be|been|being)\b{_BETWEEN}\s+(?:\w+ed|{_PARTICIPLES})\b", re.IGNORECASE)


def main() -> None:
    for commit in sys.argv[1:] or ["HEAD"]:
        listed = _git("ls-tree", "-r", "--name-only", commit, "README.md", "docs").split()
        pages = [name for name in listed if name.endswith(".md") and not name.endswith("log.md")]
        found = [sentence for page in pages for sentence in sentences(_git("show", f"{commit}:{page}"))]
        words = [len(sentence.split()) for sentence in found]
        print(
            f"{commit}: {len(found):,} sentences, {sum(words) / len(words):.1f} words each, "
            f"{sum(count > LONG for count in words) / len(words):.1%} over {LONG}, "
            f"{sum(bool(PASSIVE.search(sentence)) for sentence in found) / len(found):.1%} passive"
        )


def sentences(page: str) -> list[str]:
    """The sentences of a page in Markdown."""
    page = re.sub(r"^```.*?^```|<!--.*?-->", "", page, flags=re.MULTILINE | re.DOTALL)
    found = []
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", page):
        lines = [line for line in block.splitlines() if not line.startswith(("|", "#", "![", ":::"))]
        text = re.sub(r"^\s*(?:[-*>]|\d+\.) ", "", " ".join(" ".join(lines).split()))
        text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
        parts = (part.strip() for part in re.split(r"(?<=[.!?:])\s+(?=[A-Z\"`*(])", text))
        found += [part for part in parts if len(part.split()) > 3 and part[-1] in ".!?"]
    return found


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
