"""Every error of Spamtide hangs on one root and says whose fault it is and what to do.

    SpamtideError
    |-- UserError            the command, a path or a file that a person wrote
    |   |-- UsageError           64  options or words that do not fit
    |   |-- BadDataError         65  an input that is not what it claims to be
    |   |   `-- SettingsError        a settings, signature, event or knowledge file, with its line
    |   `-- NoInputError         66  a path that is missing or may not be read
    `-- SurroundingsError     the machine, the disk, another process
        |-- UnavailableError     69  something needed is not there, or too new for this program
        `-- TryAgainError        75  nothing was lost; the same command may work later

Exit codes are those of sysexits.h. Only `cli` turns an error into an exit code, and it does so from
`exit_code` alone.
"""

from __future__ import annotations

from typing import ClassVar


class SpamtideError(Exception):
    """The root: a message for a person, and what to do about it.

    Args:
        message: one line that says what is wrong, naming the thing.
        advice: one line that says what to do next; may be empty.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, advice: str = "") -> None:
        """Keep message and advice apart, so that a face can lay them out."""
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        """Message and advice on one line."""
        return f"{self.message}; {self.advice}" if self.advice else self.message


class UserError(SpamtideError):
    """What a person gave us does not work; changing it will help."""


class UsageError(UserError):
    """The command line does not fit together."""

    exit_code = 64


class BadDataError(UserError):
    """An input is not what it claims to be (a cut archive, a folder without mail)."""

    exit_code = 65


class SettingsError(BadDataError):
    """A file that a person edits is wrong; the message names file, line and reason."""


class NoInputError(UserError):
    """A path does not exist or may not be read."""

    exit_code = 66


class SurroundingsError(SpamtideError):
    """The surroundings are at fault, not the input."""


class UnavailableError(SurroundingsError):
    """Something needed is not there: an observatory, a library, a schema this program knows."""

    exit_code = 69


class TryAgainError(SurroundingsError):
    """A passing fault: a full disk, a lock held by another run. Nothing was lost."""

    exit_code = 75
