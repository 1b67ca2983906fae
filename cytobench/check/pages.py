"""The page of all checks, made from the register: ``python -m cytobench.check.pages``."""

from __future__ import annotations

from cytobench.check.register import checks
from cytobench.check.runner import NO_LONGER, UNKNOWN

AREAS = {
    "CB1": "Import and metadata",
    "CB2": "The estimator's contract",
    "CB3": "Leakage",
    "CB4": "Datasets",
    "CB5": "Solvers",
}
HEAD = f'''# What `cytobench check` checks

```console
$ cytobench check my_model                       # by name
$ cytobench check plugins/models/my_model.py     # or by file
$ cytobench check my_model --only CB2            # some of them
$ cytobench check my_model --fast                # without the probes that take longest
```

Every check runs in a process of its own with a time limit (`--limit 120`), so that a plugin that
hangs or dies fails one check and no more. Exit code: 0 nothing failed, 1 something did, 2 usage
error. A failure that is meant to be is excused in the plugin, with a reason that is shown:

```python
# plugins/models/support_vectors.py
from cytobench import model


@model(
    tasks=("percent_change",),
    excused={{"CB203": "SVR seeds itself from numpy's global state, and takes no seed"}},
)
def support_vectors():
    """Support vector regression."""
    from sklearn.svm import SVR

    return SVR()
```

An excuse for a check that passes is reported ({NO_LONGER}), one for a check that does not exist
fails ({UNKNOWN}). In a repository of your own the same checks run under pytest:

```ini
[pytest]
cytobench_plugins = my_model my_dataset
```
'''


def page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for prefix, title in AREAS.items():
        parts.append(f"## {title}\n")
        for code, item in checks().items():
            if code.startswith(prefix):
                warning = " (a warning)" if item.severity == "warning" else ""
                parts.append(f"**{code}** {item.title}{warning}. {item.explanation}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
