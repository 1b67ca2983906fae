"""Units of concentration: which are one, and the factor from one to another."""

from __future__ import annotations

import re

from cytobench.core.errors import DataError

PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1, "": 0, "k": 3}
"""Powers of ten. `c` and `d` occur in litres only."""
UNIT = re.compile(r"([fpnumk]?)(g|mol|M)(?:/([munpcd]?)[lL])?\Z")
NO_RATIO = "IU, NPX, MFI and other arbitrary units have no ratio to a mass"


def conversion_factor(unit: str, target: str, molar_mass: float | None = None) -> float:
    """What a concentration in one unit is multiplied by to be in another.

    Parameters
    ----------
    unit, target : str
        Mass or amount of substance in a volume: ``pg/mL``, ``ng/L``, ``mg/dL``, ``pmol/L``,
        ``nM``; either Greek mu or ``u``.
    molar_mass : float, optional
        g/mol, needed between mass and amount.

    Raises
    ------
    DataError
        ``E340`` for a unit that is no concentration, ``E341`` where the molar mass is missing.

    Examples
    --------
    >>> conversion_factor("ng/mL", "pg/mL")
    1000.0
    """
    power, kind = _read(unit)
    target_power, target_kind = _read(target)
    factor = float(10.0 ** (power - target_power))
    if kind == target_kind:
        return factor
    if molar_mass is None or molar_mass <= 0:
        raise DataError(
            "E341",
            f"{unit!r} and {target!r} are related by the molar mass, which is not known",
            where="unit",
            hint="give `molar_mass:` in g/mol",
        )
    return factor / molar_mass if kind == "g" else factor * molar_mass


def is_concentration(unit: str) -> bool:
    """Whether a unit is a mass or an amount in a volume."""
    match = UNIT.match(_spelled(unit))
    return match is not None and (match[2] == "M") == (match[3] is None)


def _read(unit: str) -> tuple[int, str]:
    """Power of ten relative to g/L or mol/L, and which of the two."""
    match = UNIT.match(_spelled(unit))
    if match is None or not is_concentration(unit):
        raise DataError(
            "E340",
            f"{unit!r} is no concentration that can be converted",
            where="unit",
            hint=NO_RATIO,
        )
    amount, kind, volume = match.groups()
    power = PREFIXES[amount] - (PREFIXES[volume] if volume is not None else 0)
    return power, "g" if kind == "g" else "mol"


def _spelled(unit: str) -> str:
    """One spelling: ``u`` for micro, no spaces, grams and moles in lower case."""
    text = re.sub(r"[µμ]", "u", unit).replace(" ", "").replace("mcg", "ug")
    amount, slash, volume = text.partition("/")
    if not slash:
        return text
    return f"{amount.lower()}/{volume.lower()}"
