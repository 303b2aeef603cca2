"""A draft on paper: documents, commands and Terraform in which no name can do harm; and kept in the store by name."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.findings.drafts.compose import Draft, DraftError
from analytics.findings.drafts.exemptions import Exemption, Origin
from analytics.findings.drafts.place import DraftPolicy
from analytics.findings.drafts.size import compact
from analytics.iam.policy import parse_policy
from analytics.outputs.drafts_print import DraftFormat, printed
from analytics.outputs.drafts_store import (
    as_document,
    drop_draft,
    find_draft,
    from_document,
    keep_draft,
    kept_drafts,
)
from tests.builders import allow, condition, deny, document
from tests.draft_world import OU_PROD, PROD, customer_boundary, customer_scp, role

if TYPE_CHECKING:
    from analytics.iam.stack import NamedPolicy

HOSTILE = "a'; touch /tmp/owned; '$(touch /tmp/owned)`x`\n${var.x} $${y} %{ if true }\\ \"z\" \u2028 é"
STOP = deny("cloudtrail:StopLogging", sid="LOG01", condition=(condition("ArnNotLike", "aws:PrincipalArn", role("x")),))
NEW = DraftPolicy("headroom-log-01", document(STOP), (OU_PROD,))
DRAFT = Draft("headroom-log-01", "scp", OU_PROD, "Root/Prod", ("LOG-01",), (NEW,), (), ("One note.",))


def changed(name: str = "audit") -> Draft:
    attached = replace(customer_scp(name, deny("s3:DeleteBucket")), attached_to=OU_PROD)
    return replace(DRAFT, policies=(DraftPolicy(name, document(deny("s3:DeleteBucket"), STOP), (OU_PROD,), attached),))


def bounded(*arns: str, held: NamedPolicy | None = None, name: str = "headroom-log-01") -> Draft:
    policies = (DraftPolicy(name, document(allow("*"), STOP), arns, held),)
    return replace(DRAFT, layer="boundary", target=arns[0], policies=policies)


def commands(text: str) -> list[list[str]]:
    """The words of each line that is no comment, as a shell reads them."""
    lines = [line for line in text.splitlines() if not line.startswith("#") and line != "set -eu"]
    return [shlex.split(line) for line in lines]


def hcl_strings(text: str) -> list[str]:
    """What each quoted string of the text stands for, by HCL's rules."""
    return [plain(found) for found in re.findall(r'"((?:[^"\\]|\\.)*)"', text)]


def plain(quoted: str) -> str:
    assert not re.search(r"(?<![$])\$\{|(?<![%])%\{", quoted), f"a template opens in {quoted}"
    text = quoted.replace("$${", "${").replace("%%{", "%{")
    escapes = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
    return re.sub(
        r"\\(u([0-9a-f]{4})|.)", lambda found: chr(int(found[2], 16)) if found[2] else escapes[found[1]], text
    )


def test_json_is_the_document_alone_and_of_several_a_list():
    assert json.loads(printed(DRAFT, DraftFormat.JSON)) == compact(DRAFT.documents[0])
    two = replace(DRAFT, policies=(NEW, replace(NEW, name="headroom-log-01-2")))
    assert json.loads(printed(two, DraftFormat.JSON)) == [compact(one) for one in two.documents]


def test_a_new_control_policy_is_created_and_attached():
    create, attach = commands(printed(DRAFT, DraftFormat.CLI))
    inner = shlex.split(create[0].removeprefix("policy_id=$(") + " " + " ".join(map(shlex.quote, create[1:])))
    assert inner[:3] == ["aws", "organizations", "create-policy"]
    assert inner[inner.index("--type") + 1] == "SERVICE_CONTROL_POLICY"
    assert parse_policy(inner[inner.index("--content") + 1], name="content") == DRAFT.documents[0]
    assert attach == [
        *("aws", "organizations", "attach-policy"),
        *("--policy-id", "$policy_id", "--target-id", OU_PROD),
    ]


def test_an_attached_policy_is_updated_in_place():
    (update,) = commands(printed(changed(), DraftFormat.CLI))
    assert update[:5] == ["aws", "organizations", "update-policy", "--policy-id", "p-audit"]
    assert parse_policy(update[-1], name="content") == changed().documents[0]
    text = printed(changed(), DraftFormat.TERRAFORM)
    assert 'import {\n  to = aws_organizations_policy.audit\n  id = "p-audit"\n}' in text
    assert "aws_organizations_policy_attachment" not in text


def test_a_boundary_is_created_in_each_account_and_put_on_each_identity():
    other = "arn:aws:iam::444455556666:user/team/anna"
    sso = f"arn:aws:iam::{PROD}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"
    text = printed(bounded(role("path/app"), other, sso), DraftFormat.CLI)
    words = commands(text)
    assert sum("create-policy" in line for line in words) == 2
    puts = [line[2:4] for line in words if line[2].startswith("put-")]
    assert puts == [
        ["put-role-permissions-boundary", "--role-name=app"],
        ["put-user-permissions-boundary", "--user-name=anna"],
    ]
    assert "permission set" in next(line for line in text.splitlines() if "AWSReservedSSO" in line)
    terraform = printed(bounded(role("path/app"), other), DraftFormat.TERRAFORM)
    assert terraform.count('resource "aws_iam_policy"') == 2


def test_a_boundary_of_the_customer_gets_a_new_version():
    held = customer_boundary("workload", document(allow("*")))
    (version,) = commands(printed(bounded(role("app"), held=held, name="workload"), DraftFormat.CLI))
    assert version[:3] == ["aws", "iam", "create-policy-version"]
    assert version[-1] == "--set-as-default"
    assert version[version.index("--policy-arn") + 1] == held.arn


def hostile_draft(text: str) -> Draft:
    """The same text in the names, the target, a pattern and a note."""
    spoken = document(deny("s3:*", on=f"arn:aws:s3:::{text}"))
    policies = (DraftPolicy(text, spoken, (text,)),)
    return Draft("d", "scp", text, text, (text,), policies, (), (text,))


def test_a_shell_runs_the_commands_and_nothing_else(tmp_path: Path):
    """Every word arrives at `aws` as it was meant."""
    fake = tmp_path / "aws"
    fake.write_text('#!/bin/sh\nprintf "%s\\0" "$@" >> "$OUT"\nprintf "\\0" >> "$OUT"\necho p-new\n')
    fake.chmod(0o755)
    script = tmp_path / "draft.sh"
    script.write_text(printed(hostile_draft(HOSTILE), DraftFormat.CLI), "utf-8")
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "OUT": str(tmp_path / "out")}
    done = subprocess.run(["sh", str(script)], env=env, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    create, attach = [call.split("\0") for call in (tmp_path / "out").read_text("utf-8").split("\0\0") if call]
    assert create[create.index("--name") + 1] == HOSTILE
    content = parse_policy(create[create.index("--content") + 1], name="content")
    assert content.statements[0].resource == (f"arn:aws:s3:::{HOSTILE}",)
    assert attach[-3:] == ["p-new", "--target-id", HOSTILE]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aws", "draft.sh", "out"]
    assert not Path("/tmp/owned").exists()


# Whatever can stand in a name, with what a shell and HCL take for more than letters.
names = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0") | st.sampled_from("$%{}\\\"'`\n*"), min_size=1
)


@given(names)
def test_every_line_of_a_script_is_a_command_of_ours(name: str):
    """A line break inside quotes belongs to its word: read as a whole, the script has three commands."""
    body = printed(hostile_draft(name), DraftFormat.CLI).partition("set -eu\n")[2]
    head = printed(hostile_draft(name), DraftFormat.CLI).partition("set -eu\n")[0]
    assert all(line.startswith("#") for line in head.splitlines() if line)
    lexer = shlex.shlex(body, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace_split, lexer.commenters = True, ""
    lexer.whitespace = " \t"
    words = list(lexer)
    assert words.count("aws") + sum(word.endswith("aws") for word in words if word != "aws") >= 2
    assert name in words


@given(names)
def test_terraform_reads_every_text_as_it_is(name: str):
    name = f"{name}-name"  # no text that the policy has anyway
    text = printed(hostile_draft(name), DraftFormat.TERRAFORM)
    code = "\n".join(line for line in text.split("\n") if not line.startswith("#"))
    strings = hcl_strings(code)
    assert strings.count(name) == 2  # the policy's name, and the target
    assert f"arn:aws:s3:::{name}" in strings
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', code)
    assert "${" not in outside
    assert outside.isascii()


def test_policies_of_like_names_have_labels_of_their_own():
    policies = tuple(replace(NEW, name=name) for name in ("a b", "a-b", "1", "é"))
    text = printed(replace(DRAFT, policies=policies), DraftFormat.TERRAFORM)
    labels = re.findall(r'resource "aws_organizations_policy" "([^"]+)"', text)
    assert len(set(labels)) == len(labels) == 4
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", label) for label in labels)


def test_variables_of_a_policy_stay_variables_of_the_policy():
    """HCL would take `${aws:username}` for its own."""
    draft = replace(DRAFT, policies=(replace(NEW, document=document(deny("s3:*", on="arn:aws:s3:::${aws:username}"))),))
    text = printed(draft, DraftFormat.TERRAFORM)
    assert '"arn:aws:s3:::$${aws:username}"' in text


EXEMPTION = Exemption("arn:aws:iam::*:role/rescue", "break-glass role", Origin.FOUND, 3)


@pytest.mark.parametrize("draft", [DRAFT, changed(), replace(DRAFT, exemptions=(EXEMPTION,)), bounded(role("app"))])
def test_a_kept_draft_comes_back_as_it_was(tmp_path: Path, draft: Draft):
    path = keep_draft(tmp_path, draft)
    assert path == tmp_path / "drafts" / "headroom-log-01.json"
    assert kept_drafts(tmp_path) == ((draft,), ())
    assert find_draft(tmp_path, draft.name) == find_draft(tmp_path, str(path)) == draft
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_later_draft_takes_the_name_and_a_dropped_one_frees_it(tmp_path: Path):
    keep_draft(tmp_path, DRAFT)
    keep_draft(tmp_path, replace(DRAFT, target="r-ab12"))
    assert [draft.target for draft in kept_drafts(tmp_path)[0]] == ["r-ab12"]
    assert drop_draft(tmp_path, DRAFT.name)
    assert not drop_draft(tmp_path, DRAFT.name)
    assert kept_drafts(tmp_path) == ((), ())


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "-x", "a b", "x\n", "x" * 65, "é", ".hidden"])
def test_a_name_that_is_no_file_of_the_store_is_refused(tmp_path: Path, name: str):
    with pytest.raises(DraftError, match="cannot name a draft"):
        keep_draft(tmp_path, replace(DRAFT, name=name))
    assert kept_drafts(tmp_path) == ((), ())


def test_a_write_that_fails_leaves_the_draft_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    keep_draft(tmp_path, DRAFT)

    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        keep_draft(tmp_path, replace(DRAFT, target="r-ab12"))
    assert kept_drafts(tmp_path) == ((DRAFT,), ())
    assert [path.name for path in (tmp_path / "drafts").iterdir()] == ["headroom-log-01.json"]


def with_change(**fields: object) -> str:
    return json.dumps(as_document(DRAFT) | fields)


def with_policy(**fields: object) -> str:
    raw = as_document(DRAFT)
    raw["policies"][0] |= fields
    return json.dumps(raw)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not readable JSON"),
        ("[" * 100_000, "is not readable JSON"),
        ("[]", "is not a draft: a draft is a JSON object"),
        ("{}", "is not a draft of format 1"),
        (with_change(format=2), "is not a draft of format 1"),
        (with_change(layer="identity"), "has the layer `identity`; the layers are scp, rcp, boundary"),
        (with_change(name="other"), "holds a draft of the name `other`"),
        (with_change(name="../x"), "cannot name a draft"),
        (with_change(target=7), "lacks the text `target`"),
        (with_change(target="\ud800"), "lacks the text `target`"),
        (with_change(scenarios="LOG-01"), "lacks the list of texts `scenarios`"),
        (with_change(policies=[]), "has no policy"),
        (with_change(policies=["x"]), "lacks the list of objects `policies`"),
        (with_change(exemptions=[{"origin": "guessed"}]), "has an exemption that is none"),
        (with_policy(document={"Statement": 1}), "holds no valid policy"),
        (with_policy(replaces=1), "`replaces` is neither null nor an object"),
        (with_policy(attach_to=[1]), "lacks the list of texts `attach_to`"),
    ],
)
def test_a_file_that_is_no_draft_is_skipped_with_its_reason(tmp_path: Path, text: str, reason: str):
    keep_draft(tmp_path, replace(DRAFT, name="good"))
    path = tmp_path / "drafts" / "headroom-log-01.json"
    path.write_text(text, "utf-8")
    drafts, unusable = kept_drafts(tmp_path)
    assert [draft.name for draft in drafts] == ["good"]
    assert [(one.path, reason in one.reason) for one in unusable] == [(path, True)]


def test_a_draft_that_is_not_there_names_those_that_are(tmp_path: Path):
    keep_draft(tmp_path, DRAFT)
    with pytest.raises(DraftError, match=r"there is no draft `other`; the store keeps `headroom-log-01`"):
        find_draft(tmp_path, "other")
    with pytest.raises(DraftError, match=r"there is no draft `.*none.json`"):
        find_draft(tmp_path, str(tmp_path / "none.json"))
    (tmp_path / "bad.json").write_text("[]")
    with pytest.raises(DraftError, match=r"draft `.*bad.json` is not a draft"):
        find_draft(tmp_path, str(tmp_path / "bad.json"))


@given(names.filter(lambda text: text.strip() != ""))
def test_any_text_survives_the_file(name: str):
    draft = replace(hostile_draft(name), name="kept")
    assert from_document(json.loads(json.dumps(as_document(draft), ensure_ascii=False))) == draft
