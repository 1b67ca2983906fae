"""Errors that a user can act on: each has a code, the place at fault and a hint.

The first digit of a code names the area: ``E1`` command line and configuration, ``E2`` plugins,
``E3`` cohorts and tables, ``E4`` tasks and splits, ``E5`` runs and the run store, ``E6`` tracking,
``E7`` leaderboards.
"""

from __future__ import annotations

from cytobench.core.secrets import without_secrets

LONGEST_PART, LONGEST_HINT = 1000, 6000
"""Characters of an error's place, message and hint that are shown; a cell may hold millions."""
MOST_OPTIONS = 60
"""Names that a hint lists; a table may have thousands of columns."""
LONGEST_WORD = 100
"""Characters of a name that spellings are compared for."""


class CytobenchError(Exception):
    """A problem that the user can fix; shown without a traceback, and without a password.

    Parameters
    ----------
    code : str
        Stable identifier such as ``"E301"``.
    message : str
        What is wrong, and what was expected.
    where : str, optional
        The file, column, row, plugin or override at fault.
    hint : str, optional
        What to do about it.
    """

    def __init__(self, code: str, message: str, *, where: str = "", hint: str = "") -> None:
        self.code = code
        self.message = without_secrets(message)
        self.where = without_secrets(where)
        self.hint = without_secrets(hint)
        super().__init__(code, self.message, self.where, self.hint)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, and workers send these back.
        return _rebuild, (type(self), self.code, self.message, self.where, self.hint)

    def __str__(self) -> str:
        place = f"{shortened(self.where, LONGEST_PART)}: " if self.where else ""
        hint = f"\n  -> {shortened(self.hint, LONGEST_HINT)}" if self.hint else ""
        return f"[{self.code}] {place}{shortened(self.message, LONGEST_PART)}{hint}"


def _rebuild(
    kind: type[CytobenchError], code: str, message: str, where: str, hint: str
) -> CytobenchError:
    return kind(code, message, where=where, hint=hint)


class UsageError(CytobenchError):
    """The command line or the configuration asks for what does not exist (exit code 2)."""


class PluginError(CytobenchError):
    """A plugin could not be read, imported, called, or returned something unusable."""


class DataError(CytobenchError):
    """A table or a cohort breaks the cohort contract."""


class SplitError(CytobenchError):
    """The task or the protocol cannot be carried out on this cohort."""


class StoreError(CytobenchError):
    """The run store cannot be read or written."""


class PredictionWarning(UserWarning):
    """Predictions that are valid and look wrong; counted by fold and said after a run."""


class NotApplicable(CytobenchError):
    """A model cannot be asked of this cohort (no CRP measured, say); a reason, not a failure."""


def shortened(text: str, most: int) -> str:
    """The text, or its beginning and how long it is."""
    return text if len(text) <= most else f"{text[:most]} … ({len(text)} characters)"


def did_you_mean(word: str, options: list[str]) -> str:
    """A hint that lists what there is, the nearest spelling first."""
    from difflib import get_close_matches

    # Comparing takes the product of two lengths: nobody mistypes a name of a thousand letters.
    short = [option for option in options if len(option) <= LONGEST_WORD]
    close = get_close_matches(word[: LONGEST_WORD + 1], short, n=1, cutoff=0.6)
    shown = [shortened(option, LONGEST_WORD) for option in sorted(options)[:MOST_OPTIONS]]
    more = f" and {len(options) - MOST_OPTIONS} more" if len(options) > MOST_OPTIONS else ""
    there_are = f"there are: {', '.join(shown)}{more}" if options else "there are none"
    return f"did you mean {close[0]!r}? {there_are}" if close else there_are
