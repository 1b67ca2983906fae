"""Columns by role: each from text to values once, and never under two roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.errors import DataError
from cytobench.data.cells import MISSING, Numbers, read_numbers
from cytobench.data.grammar import check_keys, one_of, required
from cytobench.data.readers import Files
from cytobench.data.rows import same
from cytobench.data.sources import Source
from cytobench.data.spelling import lookalikes

NOT_A_NUMBER = (
    "correct the cell, or list the text under `missing:` if it means missing; a decimal comma "
    "needs `decimal: ','`"
)


@dataclass(frozen=True)
class ColumnSpec:
    """``name`` or ``{column: name, map: {...}, type: ...}``."""

    column: str
    mapping: Mapping[Any, Any] | None = None
    kind: str | None = None


def column_spec(spec: Any, where: str, *, typed: bool = False) -> ColumnSpec:
    """Read how a column is named."""
    if not isinstance(spec, Mapping):
        return ColumnSpec(str(spec))
    check_keys(spec, ("column", "map", "type") if typed else ("column", "map"), where)
    kind = spec.get("type")
    if kind is not None:
        one_of(kind, ("number", "text"), f"{where}.type")
    mapping = spec.get("map")
    if mapping is not None and not isinstance(mapping, Mapping):
        raise DataError(
            "E322", f"expected `code: name` pairs, found {mapping!r}", where=f"{where}.map"
        )
    return ColumnSpec(str(required(spec, "column", where)), mapping, kind)


@dataclass
class Reader:
    """Reads columns of a source, and remembers which role each was used for."""

    source: Source
    files: Files
    notes: list[str] = field(default_factory=list)
    used: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.source.frame)

    def use(self, column: str, role: str) -> list[str]:
        """Cells of a column, for one role.

        Raises
        ------
        DataError
            ``E312``; ``E326`` where another role has read it: a leak in most cases.
        """
        texts = self.source.texts(column)
        if column in self.source.absent and column not in self.used:
            self.notes.append(
                f"{role} {column!r} is missing for all rows of {self.source.absent[column]}, "
                "which has no such column"
            )
        if self.used.setdefault(column, role) != role:
            raise DataError(
                "E326",
                f"is used as {self.used[column]} and as {role}",
                where=self.source.place(column, 0),
                hint="give each column one role; an outcome must never be a feature",
            )
        return texts

    def numbers(self, column: str, role: str) -> Numbers:
        """A column of numbers, perhaps with limits and units.

        Raises
        ------
        DataError
            ``E313`` for text in a number.
        """
        texts = self.use(column, role)
        numbers = read_numbers(texts)
        if numbers.wrong:
            raise self.not_a_number(column, texts, numbers.wrong)
        return numbers

    def not_a_number(self, column: str, texts: list[str], wrong: Any) -> DataError:
        """``E313``: the first cell at fault, and how many there are."""
        row = int(wrong[0])
        more = f" ({len(wrong)} such cells)" if len(wrong) > 1 else ""
        return DataError(
            "E313",
            f"{texts[row]!r} is no number{more}",
            where=self.source.place(column, row),
            hint=NOT_A_NUMBER,
        )

    def score(self, column: str, role: str) -> NDArray[np.float64]:
        """A symptom score; limits of detection and units make no sense in it, nor below 0.

        Raises
        ------
        DataError
            ``E313``, ``E314``.
        """
        numbers = self.numbers(column, role)
        texts = self.source.texts(column)
        odd = np.flatnonzero(numbers.below | numbers.above)
        odd_rows = [*odd.tolist(), *numbers.units.values()]
        if odd_rows:
            raise self.not_a_number(column, texts, odd_rows)
        negative = np.flatnonzero(numbers.values < 0)
        if len(negative):
            row = int(negative[0])
            raise DataError(
                "E314",
                f"a score cannot be {numbers.values[row]:g}",
                where=self.source.place(column, row),
                hint="correct the cell, or list the code under `missing:`",
            )
        return numbers.values

    def labels(self, spec: Any, role: str) -> list[str | None]:
        """Arm, site or plate as text, by way of a ``map:`` if there is one; None if missing."""
        asked = column_spec(spec, role)
        return self._named(self.use(asked.column, role), asked)

    def covariate(self, spec: Any, where: str) -> pd.Series:
        """A covariate: numbers where every cell is one, else text.

        Raises
        ------
        DataError
            ``E313`` where some cells are numbers and others are text: nobody can tell which of
            the two was meant.
        """
        asked = column_spec(spec, where, typed=True)
        texts = self.use(asked.column, "covariate")
        named = self._named(texts, asked)
        if asked.kind == "text":
            return pd.Series(named)
        numbers = read_numbers([text or "" for text in named])
        odd = np.isin(np.arange(len(self)), numbers.wrong) | numbers.below | numbers.above
        odd[list(numbers.units.values())] = True
        plain = ~odd & ~np.isnan(numbers.values)
        if not odd.any():
            return pd.Series(numbers.values)
        if asked.kind == "number" or plain.any():
            error = self.not_a_number(asked.column, texts, np.flatnonzero(odd))
            error.hint += f"; for categories write {{column: {asked.column!r}, type: text}}"
            raise error
        return pd.Series(named)

    def _named(self, texts: list[str], asked: ColumnSpec) -> list[str | None]:
        """Names of the cells' codes; each distinct text is looked up once."""
        names: dict[str, str | None] = {}
        for row, text in enumerate(texts):
            if text not in names:
                names[text] = self._name(text, asked, row)
        alike = lookalikes(dict.fromkeys(name for name in names.values() if name))
        if alike:
            second = next(text for text, name in names.items() if name == alike[1])
            raise DataError(
                "E318",
                f"two values look the same: {alike[0]!a} and {alike[1]!a}",
                where=self.source.place(asked.column, texts.index(second)),
                hint="write one of them as the other in the file, or name both in a `map:`",
            )
        return [names[text] for text in texts]

    def _name(self, text: str, asked: ColumnSpec, row: int) -> str | None:
        if text.strip() in MISSING:
            return None
        if asked.mapping is None:
            return text.strip()
        for raw, name in asked.mapping.items():
            if same(text, raw):
                return str(name)
        raise DataError(
            "E318",
            f"{text!r} is not in the map",
            where=self.source.place(asked.column, row),
            hint=f"the map knows: {', '.join(map(str, asked.mapping))}",
        )
