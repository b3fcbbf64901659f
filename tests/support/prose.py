"""The words that the project's texts avoid, each with its reason and what to write instead.

CONTRIBUTING.md has the rules behind them: ordinary verbs in the indicative, and the nouns of AWS and HTTP. The list
stays short so that it is precise: each word is wrong in every text, except in the files of ALLOWED.
"""

import re
from dataclasses import dataclass

# Between two words of a phrase: a space, the underscore of a test's name, or a line break with a comment's sign.
GAP = r"(?:[ _-]|[ \t]*\n[ \t]*(?:#|//|\*|>)?[ \t]*)"
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".js", ".css", ".html", ".toml", ".in", ""}
# Not the project's own words: the licence, and what pip and npm generate.
EXCLUDED = {"LICENSE"}


@dataclass(frozen=True)
class Word:
    """A word or phrase to avoid. `pattern` is a regular expression in which a space matches GAP."""

    pattern: str
    reason: str
    instead: str
    ignore_case: bool = True

    def find(self, text: str) -> list[int]:
        """Return the offsets at which the word stands; as part of another word it does not count."""
        expression = rf"(?<![A-Za-z'’])(?:{self.pattern.replace(' ', GAP)})(?![A-Za-z])"
        flags = re.IGNORECASE if self.ignore_case else re.NOFLAG
        return [match.start() for match in re.finditer(expression, text, flags)]


WORDS = (
    Word(r"tell(?:s|ing)?(?!\(\))|told", "code does not talk", "return, report, print, show, raise"),
    Word("says? whether", "code does not talk", "return whether"),
    Word("in vain", "not used in technical English", "without effect, fails"),
    Word("anew", "not used in technical English", "again, or a verb with re-"),
    Word("mend(?:s|ed|ing)?", "not used of software", "fix, patch, correct"),
    Word(
        r"(?<!here\s)(?<!here_)(?:is|are|was|were) none",
        "reads as the value None",
        "is not a …, does not exist",
        ignore_case=False,
    ),
    Word(
        r"(?<!here\s)(?<!here_)(?:is|are|was|were) no(?! (?:longer|more|less|fewer|other|different))",
        "reads as a translation",
        "is not a …, is not …",
    ),
    # `NOBODY` is an option of libcurl.
    Word(
        "[Nn]obody|[Ss]omebody|[Ww]hoever|[Ww]homever",
        "names no subject",
        "you, the caller, no function, the user who",
        ignore_case=False,
    ),
    Word("at the most", "not the idiom", "at most"),
    Word("c[oa]mes? to", "vague", "results in, ends with, reaches, amounts to"),
    Word("go(?:es)? on|went on", "vague", "continues, runs until"),
    Word("beside", "taken for besides", "next to, in addition to"),
    Word("(?:its|their|his|her|your|my) own making", "obscure", "its own, made-up, created by the test"),
    Word("lest", "archaic", "so that … not"),
    Word(r"(?<!(?:each|this)\s)(?<!previous\s)one['’]s", "names no subject", "your, the caller's"),
)

# Files that must hold a word, with the reason.
ALLOWED: dict[str, dict[str, str]] = {
    "tests/support/prose.py": {"*": "the list itself"},
    "tests/contract/docs/test_prose.py": {"*": "texts in which the check must find the words"},
    "CONTRIBUTING.md": {"*": "names the words in its rules"},
}


def checked(path: str) -> bool:
    """Return whether a file, named from the project's root, holds text that the project's people write."""
    name = path.rpartition("/")[2]
    suffix = f".{name.rpartition('.')[2]}" if "." in name.lstrip(".") else ""
    return suffix in SUFFIXES and path not in EXCLUDED


def violations(texts: dict[str, str]) -> list[str]:
    """List the words to avoid in the texts, by path: where, which, why, and what to write instead."""
    problems = []
    for path, text in texts.items():
        allowed = ALLOWED.get(path, {})
        for word in () if "*" in allowed else WORDS:
            if word.pattern in allowed:
                continue
            for offset in word.find(text):
                line = text.count("\n", 0, offset) + 1
                context = " ".join(text[max(0, offset - 20) : offset + 40].split())
                problems.append(f"{path}:{line}: {context!r}: {word.reason}; write: {word.instead}")
    return problems
