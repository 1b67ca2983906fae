"""The pictures of the documents, from the real thing.

``python docs/pictures.py --store FOLDER`` runs the quickstart, of which nothing is computed again
that the store has, and draws what the terminal shows; then it photographs the published site.
"""

from __future__ import annotations

import argparse
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from browser import DESK, chromium

HERE = Path(__file__).parent / "images"
SITE = Path(__file__).parents[1] / "leaderboards" / "site"
BOARD = "quickstart/sim_inflamed_mdd-response.html"
COLUMNS = 120
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
FONTS = "ui-monospace, 'DejaVu Sans Mono', monospace"


def main() -> None:
    """Draw them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("runs"))
    store = parser.parse_args().store.resolve()
    cytobench = [sys.executable, "-m", "cytobench"]
    subprocess.run([*cytobench, "run", f"store={store}", "tracking=none"], check=True)
    shown = in_terminal([*cytobench, "leaderboard", "show", "quickstart", "--store", str(store)])
    (HERE / "quickstart.svg").write_text(drawn(shown, "make quickstart"), encoding="utf-8")
    photographs()


def in_terminal(words: list[str]) -> str:
    """What a command writes to a terminal, colours included."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    inherited = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    environment = {**inherited, "TERM": "xterm-256color"}
    parts = []
    with subprocess.Popen(words, stdout=follower, stderr=follower, env=environment) as running:
        os.close(follower)
        try:
            while part := os.read(leader, 65536):
                parts.append(part)
        except OSError:  # the other end is closed: how a terminal says that all was read
            pass
    os.close(leader)
    if running.returncode:
        raise SystemExit(b"".join(parts).decode())
    return b"".join(parts).decode().replace("\r\n", "\n").strip("\n")


def drawn(shown: str, title: str) -> str:
    """The same as a picture, in whatever fonts the reader has: nothing is fetched."""
    from rich.console import Console
    from rich.text import Text

    paper = Console(record=True, width=COLUMNS, file=io.StringIO())
    paper.print(Text.from_ansi(shown), soft_wrap=False)
    picture = FONT_FACE.sub("", paper.export_svg(title=title, unique_id="quickstart"))
    picture = re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONTS}", picture)
    return "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"


def photographs() -> None:
    """A board by day, and one of its rows by night."""
    with chromium() as browser:
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=DESK, color_scheme=scheme, reduced_motion="reduce")
            page.goto((SITE / BOARD).as_uri())
            if scheme == "dark":
                page.locator("button.opener:visible").nth(1).click()
            page.screenshot(path=HERE / f"site-{scheme}.png")


if __name__ == "__main__":
    main()
