"""Parts of a submitted bundle as strangers may make them: the archive, its JSON, its tables.

Whole bundles whose bytes and values were changed are thrown at the verifier in
``tests/submission/test_fuzz.py``.
"""

from __future__ import annotations

import io
import json
import math
import stat
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from cytobench.submission.archive import NAME, pack, unpack
from cytobench.submission.plain import read_json
from cytobench.submission.table import read_table, write_table
from support.hostile.answers import Answer, answer, family
from support.hostile.tables import mutated
from support.hostile.texts import hostile, values

MEMBERS = st.sampled_from(
    ["manifest.json", "cell.json", "folds/0000.parquet", "plugin.py", "a/b/c.json", "../x.json",
    "/etc/x.json",
     "C:\\x.json", "x.JSON", "folds/", "é.json", "a\x00.json", "con.json", "./x.json", "a//x.json",
     "x.so"]
)  # fmt: skip


@family(
    "bundle, archive",
    "zip archives: traversal, links, devices, bombs, doubled names, comments, bytes changed",
    "E710 to E719 with the member",
)
def archive(data: Any, folder: Path) -> Answer:
    """What is unpacked is what plain, stored members with plain names would have given."""
    members = data.draw(st.lists(st.tuples(MEMBERS | hostile, st.binary(max_size=20)), max_size=4))
    how = data.draw(st.sampled_from(["plain", "odd", "bytes", "bomb"]))
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as made:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in members:
            info = zipfile.ZipInfo(name or "x")
            kind = data.draw(
                st.sampled_from([stat.S_IFREG, stat.S_IFREG, stat.S_IFLNK, stat.S_IFCHR])
            )
            if how == "plain":
                kind, info.create_system = stat.S_IFREG, 3
            info.external_attr = (kind | 0o644) << 16
            if how == "odd":
                info.comment = data.draw(st.binary(max_size=3))
                info.extra = data.draw(st.sampled_from([b"", b"\x01\x00\x00\x00"]))
            info.compress_type = zipfile.ZIP_DEFLATED if how == "bomb" else zipfile.ZIP_STORED
            try:
                made.writestr(info, b"\0" * 2_000_000 if how == "bomb" else content)
            except (UnicodeEncodeError, struct.error):
                return Answer.REFUSED  # zipfile itself cannot write such a name
    content = buffer.getvalue()
    if how == "bytes":
        content = bytes(mutated(data.draw, bytearray(content)))

    def right(found: dict[str, bytes]) -> None:
        assert pack(found) == content
        assert all(NAME.match(name) and ".." not in name for name in found)

    return answer(lambda: unpack(content, "b.zip"), right)


@family(
    "bundle, JSON",
    "JSON of any values: NaN, 10**400, keys twice, a thousand brackets, half characters",
    "E720 or E725 with the member",
)
def documents(data: Any, folder: Path) -> Answer:
    """A document is read as it is meant, or not at all."""
    value = data.draw(values)
    text = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
    how = data.draw(
        st.sampled_from(["plain", "plain", "bytes", "deep", "twice", "utf-16", "number"])
    )
    if how == "deep":
        depth = data.draw(st.sampled_from([5, 13, 1000, 100_000]))
        text = "[" * depth + text + "]" * depth
    elif how == "twice":
        text = '{"a": 1, "a": ' + text + "}"
    elif how == "number":
        text = data.draw(
            st.sampled_from(["NaN", "-Infinity", "1e999", "1" * 5000, "-1e-999", "01", "+1", ".5"])
        )
    content = text.encode("utf-16" if how == "utf-16" else "utf-8", "surrogatepass")
    if how == "bytes":
        content = bytes(mutated(data.draw, bytearray(content)))

    def right(found: Any) -> None:
        assert finite(found)
        json.dumps(found, ensure_ascii=False).encode()  # can be written again, anywhere
        if how == "plain":
            assert found == json.loads(json.dumps(value))

    return answer(lambda: read_json(content, "cell.json"), right)


def finite(value: Any) -> bool:
    """No number in it that is none."""
    if isinstance(value, float):
        return math.isfinite(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(finite, inner))


RECORD = {
    "cell": "a" * 64, "fingerprint": "b" * 64, "plan": "c" * 64, "fold": 0, "repeat": 0,
    "n_train": 8,
    "params": {"C": 1.0}, "threshold": 0.5, "train_mean": 0.5, "timings": {"fit": 0.1},
    "features": ["IL-6"],
    "trials": [{"number": 0, "params": {}, "score": 0.1, "seconds": 0.1, "error": ""}],
    "parameters": 0, "left_out": {},
}  # fmt: skip


@family(
    "bundle, fold",
    "parquet members with bytes changed, other values, texts and records",
    "E720 to E725 with the member",
)
def fold(data: Any, folder: Path) -> Answer:
    """Four columns of names and numbers within their range, and a record of known fields."""
    patients = data.draw(st.lists(hostile.filter(encodable), min_size=1, max_size=3))
    n = len(patients)
    numbers = st.lists(st.floats(0, 1) | st.floats(), min_size=n, max_size=n)
    columns = {"patient": patients, "y": data.draw(numbers), "prediction": data.draw(numbers),
               "truth": [math.nan] * n}  # fmt: skip
    record = dict(RECORD)
    if data.draw(st.booleans()):
        record[data.draw(st.sampled_from(sorted(record)))] = data.draw(values)
    content = write_table(record, columns)
    changed = data.draw(st.integers(0, 2)) == 0
    if changed:
        content = bytes(mutated(data.draw, bytearray(content)))

    def right(found: Any) -> None:
        read, cells = found
        assert all(0 <= value <= 1 for name in ("y", "prediction") for value in cells[name])
        assert set(read) == set(RECORD)
        if not changed:
            assert cells["patient"] == patients
            assert cells["y"] == columns["y"]

    return answer(lambda: read_table(content, "classification", "folds/0000.parquet"), right)


def encodable(text: str) -> bool:
    """Whether UTF-8 can hold it."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)
