"""The page of all codes, made from the register: ``python -m cytobench.submission.pages``."""

from __future__ import annotations

from cytobench.submission.codes import AREAS, CODES

HEAD = """# Why a bundle is refused

```console
$ cytobench leaderboard verify bundle.zip --refit
```

Every reason has a stable code. *Flagged* is what no program can judge: the bundle is no row until a
person has answered for it ([how](submit.md#what-is-flagged)). Exit code: 0 accepted, 1 refused or
flagged, 2 usage error.
"""


def page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for prefix, title in AREAS.items():
        parts += [f"## {title}\n", "| code | the bundle, or what is in it | what to do |"]
        parts.append("|---|---|---|")
        for code, item in CODES.items():
            if code.startswith(prefix):
                flagged = " *Flagged.*" if item.severity == "flagged" else ""
                parts.append(f"| {code} | {item.title}.{flagged} | {item.hint} |")
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
