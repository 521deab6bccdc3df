"""What the program says when it cannot go on.

An error states the rule, what was found, what is allowed and the next step, so that a person can act on
it without reading the code. The command line prints it without a traceback. `exit_status` is 1 for what failed, 2 for
wrong usage or input.
"""

from __future__ import annotations


def message_of(error: BaseException) -> str:
    """The first line of what somebody else's error says; its type's name where it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def first_line(error: BaseException) -> str:
    """The same after the name of its type, where that helps to place it."""
    name, line = type(error).__name__, message_of(error)
    return name if line == name else f"{name}: {line}"


class AzeotropeError(Exception):
    """Base of every error this program raises on purpose.

    Parts that are empty are left out of the message: `AzeotropeError("rule", found="x", next_step="do y")`
    reads "rule Found: x. Next: do y."
    """

    exit_status = 1

    def __init__(self, rule: str, *, found: str = "", allowed: str = "", next_step: str = "") -> None:
        self.rule, self.found, self.allowed, self.next_step = rule, found, allowed, next_step
        (_, first), *others = self.parts()
        super().__init__(" ".join([first, *(f"{label.capitalize()}: {text}" for label, text in others)]))

    def parts(self) -> list[tuple[str, str]]:
        """What is said, by its label (error, found, allowed, next), each a sentence; without those that are empty."""
        labelled = (("found", self.found), ("allowed", self.allowed), ("next", self.next_step))
        return [("error", _sentence(self.rule)), *((label, _sentence(text)) for label, text in labelled if text)]


class InputError(AzeotropeError):
    """The data, the plan or the flags are wrong; nothing was started."""

    exit_status = 2


class RunFailed(AzeotropeError):  # noqa: N818 (an outcome that is recorded)
    """One run could not be finished (a loss that is not finite, a teacher near chance); it becomes a failed record."""


class StoreError(AzeotropeError):
    """The output folder cannot be used: not writable, full, in use, or it belongs to other data."""

    exit_status = 2


class NotIdentifiable(AzeotropeError):  # noqa: N818 (an answer: these runs cannot say)
    """The runs cannot answer the question asked of them."""


class NotExported(AzeotropeError):  # noqa: N818 (an outcome that is recorded)
    """A file for a device could not be made, or was made and not kept; the saved model is untouched."""


class MissingDependency(AzeotropeError):  # noqa: N818
    """An optional package is needed; the message names the extra that installs it."""

    exit_status = 2


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else text + "."
