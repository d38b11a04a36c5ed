"""The providers' own libraries, in a virtual environment in build/venv: made when it is missing, or when
requirements.txt is no longer what it was made from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent / "requirements.txt"
HOME = REQUIREMENTS.parents[2] / "build" / "venv"
# What it was made from, written last: a half-made one is never taken for whole.
MADE_FROM = HOME / "made_from.txt"


def python() -> Path:
    """The Python that has the packages."""
    found = HOME / "bin" / "python"
    wanted = f"{sys.version}\n{REQUIREMENTS.read_text()}"
    if not (found.exists() and MADE_FROM.exists() and MADE_FROM.read_text() == wanted):
        run(sys.executable, "-m", "venv", "--clear", "--system-site-packages", str(HOME))
        run(str(found), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS))
        MADE_FROM.write_text(wanted)
    return found


def run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()[-3:]
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}, {' / '.join(said)}")
