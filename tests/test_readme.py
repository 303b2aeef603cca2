"""The README's commands, run as a reader would run them."""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text("utf-8")
COMMANDS = [line.strip() for line in re.findall(r"(?m)^    (\S.*)$", README)]
PYTHON = ".venv/bin/python -m analytics "


def analytics(command: str, folder: Path) -> str:
    """What a command of the README prints, run in a folder."""
    words = [sys.executable, "-m", "analytics", *shlex.split(command.removeprefix(PYTHON))]
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "HEADROOM_STORE": "data/mine"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def test_the_readme_names_every_step_that_is_run_below():
    assert {"make run", "make test"} <= set(COMMANDS)
    known = ("convert", "build", "identities", "show", "explain", "export", "check", "matrix", "health")
    named = [line for line in COMMANDS if line.startswith(PYTHON)]
    assert {line.removeprefix(PYTHON).split()[0] for line in named} == set(known)
    for target in ("run", "test"):
        subprocess.run(["make", "-n", target], cwd=PROJECT, check=True, capture_output=True)


def test_own_data_goes_in_with_the_readmes_commands_and_comes_out_with_them(tmp_path: Path):
    data = PROJECT / "tests" / "data"
    shutil.copytree(data / "cloudtrail" / "invictus", tmp_path / "AWSLogs")
    dump = json.loads(gzip.decompress((data / "iam" / "cloudsplaining-example.authz.json.gz").read_bytes()))
    (tmp_path / "authorization-details.json").write_text(json.dumps(dump), "utf-8")
    role = "arn:aws:iam::111122223333:role/deploy"
    existing = dump["RoleDetailList"][0]["Arn"]
    for command in COMMANDS:
        if command.startswith(PYTHON):
            printed = analytics(command.replace(role, existing), tmp_path)
            assert "--json" not in command or json.loads(printed)["totals"]["rows_read"] > 1000


def test_every_command_of_the_architecture_exists_and_says_what_it_does():
    listed = subprocess.run(
        [sys.executable, "-m", "analytics", "--help"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    known = ("demo", "convert", "build", "health", "identities", "show", "explain", "simulate", "export", "check")
    for name in (*known, "matrix", "draft"):
        assert re.search(rf"(?m)^\s*{name}\s+\S", listed), name


@pytest.mark.slow
def test_make_run_in_a_clone_opens_the_app_on_the_sample(tmp_path: Path):
    """Installs into a fresh environment, makes the sample, and answers: what a first user sees."""
    clone = tmp_path / "headroom"
    subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name != "HEADROOM_STORE"}
    log = tmp_path / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            ["make", "run", f"PORT={port}", "STORE=data/local"],
            cwd=clone, env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        assert _answers(f"http://127.0.0.1:{port}/_stcore/health", server, seconds=480), log.read_text("utf-8")
        assert (clone / "data" / "local" / "CURRENT").exists()
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)


def _answers(url: str, server: subprocess.Popen[bytes], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as reply:
                return reply.read() == b"ok"
        except OSError:
            time.sleep(1)
    return False
