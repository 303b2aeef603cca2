"""`aws` for shell scripts of tests: botocore's service models check a command line, a server of moto answers it.

A command is what the AWS CLI would take: its name is an operation, its options are members of the operation's
input, by the CLI's own naming rule. An unknown option, a missing or malformed parameter, or an error of the API fails
the command. Nothing here reaches the network beyond 127.0.0.1.
"""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("MOTO_ACCOUNT_ID", "111122223333")
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

import boto3
import jmespath
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator

GLOBAL = {"query", "output"}
# What the AWS CLI adds to an operation, and does itself: it writes the picture of a virtual device into a file.
CUSTOM = {"create-virtual-mfa-device": {"outfile": "QRCodePNG", "bootstrap-method": ""}}
SHIM = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({address!r})
    line.sendall(json.dumps([os.getcwd(), sys.argv[1:]]).encode() + b"\\n")
    answer = json.loads(line.makefile().readline())
sys.stdout.write(answer[1])
sys.stderr.write(answer[2])
sys.exit(answer[0])
"""


class UsageError(Exception):
    """A command line that the AWS CLI would refuse."""


class Cli:
    """The commands that were run, and the clients that run them."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.log: list[tuple[str, str, dict[str, Any]]] = []
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service, endpoint_url=self.endpoint, region_name="us-east-1",
                aws_access_key_id="AKIATEST", aws_secret_access_key="test",
            )  # fmt: skip
        return self._clients[service]

    def run(self, words: list[str], folder: Path) -> str:
        """What the command prints."""
        service, operation, *options = words
        client = self.client(service)
        names = {xform_name(name, "-"): name for name in client.meta.service_model.operation_names}
        if operation not in names:
            raise UsageError(f"{service} has no operation {operation}")
        shape = client.meta.service_model.operation_model(names[operation]).input_shape
        members = {xform_name(name, "-"): (name, member) for name, member in (shape.members if shape else {}).items()}
        asked: dict[str, Any] = {}
        beside: dict[str, str] = {}
        for option in options:
            name, equals, value = option.removeprefix("--").partition("=")
            if not option.startswith("--"):
                raise UsageError(f"{operation}: {option} is no option")
            if name in GLOBAL or name in CUSTOM.get(operation, {}):
                beside[name] = value
            elif name in members:
                asked[members[name][0]] = _value(members[name][1], value, given=bool(equals))
            else:
                raise UsageError(f"{operation} has no option --{name}")
        if set(CUSTOM.get(operation, {})) - set(beside):
            raise UsageError(f"{operation}: --outfile and --bootstrap-method are required")
        self.log.append((service, operation, asked))
        answer = getattr(client, xform_name(names[operation]))(**asked)
        answer.pop("ResponseMetadata")
        if "outfile" in beside:
            (folder / beside["outfile"]).write_bytes(b"picture")
        plain = json.loads(json.dumps(answer, default=_plain))
        found = jmespath.search(beside["query"], plain) if "query" in beside else plain
        if beside.get("output") == "text":
            return _text(found)
        return json.dumps(found, indent=4) + "\n" if found else ""


class Shell:
    """Runs scripts with that `aws`."""

    def __init__(self, cli: Cli, folder: Path) -> None:
        self.cli, self.folder = cli, folder

    def run(self, *lines: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """The lines as one script of bash that stops at the first error."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
            cwd=self.folder / "work", input=typed, capture_output=True, text=True, timeout=60,
            env={"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}, check=False,
        )  # fmt: skip


@contextmanager
def shell(folder: Path) -> Iterator[Shell]:
    """An empty account behind a shell."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    cli = Cli(f"http://{host}:{port}")
    (folder / "bin").mkdir()
    (folder / "work").mkdir()
    address = str(folder / "aws.sock")
    (folder / "bin" / "aws").write_text(SHIM.format(python=sys.executable, address=address))
    (folder / "bin" / "aws").chmod(0o755)
    listener = socketserver.UnixStreamServer(address, _handler(cli))
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield Shell(cli, folder)
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
        server.stop()


def _handler(cli: Cli) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            folder, words = json.loads(self.rfile.readline())
            try:
                answer = (0, cli.run(words, Path(folder)), "")
            except (UsageError, ClientError, BotoCoreError, ValueError, KeyError) as error:
                answer = (254, "", f"{error}\n")
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    return Handler


def _value(shape: Any, text: str, *, given: bool) -> Any:
    if shape.type_name == "boolean":
        if given:
            raise UsageError("a flag takes no value")
        return True
    if not given:
        raise UsageError("a value is missing")
    if shape.type_name in {"structure", "list", "map"}:
        return json.loads(text)
    return int(text) if shape.type_name in {"integer", "long"} else text


def _text(found: Any) -> str:
    """As `--output=text` prints: lists of texts on one line, lists of lists one a line."""
    if isinstance(found, list) and found and isinstance(found[0], list):
        return "".join("\t".join(map(str, row)) + "\n" for row in found)
    if isinstance(found, list):
        return "\t".join(map(str, found)) + "\n"
    return f"{found}\n"


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else "picture"
