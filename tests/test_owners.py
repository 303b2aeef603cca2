"""`owners.csv`: the first line that fits names the owner, and a mistake is named with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.sources.owners import Owners, OwnersError, read_owners

ROLE = "arn:aws:iam::111122223333:role/payments/ci-deploy"


def owners(folder: Path, *lines: str, heading: str = "pattern,owner") -> Owners:
    (folder / "owners.csv").write_text("\n".join((heading, *lines)), "utf-8")
    return read_owners(folder)


@pytest.mark.parametrize(
    ("pattern", "arn", "fits"),
    [
        ("111122223333", ROLE, True),
        ("444455556666", ROLE, False),
        ("/payments/*", ROLE, True),
        ("/payments/ci-deploy", ROLE, True),
        ("/payments", ROLE, False),
        ("/Payments/*", ROLE, False),  # IAM's paths keep the case
        ("/ci-?eploy", "arn:aws:iam::111122223333:user/ci-deploy", True),
        ("arn:aws:iam::*:role/*/ci-*", ROLE, True),
        ("arn:aws:iam::*:user/*", ROLE, False),
        ("arn:aws:iam::111122223333:role/[p]ayments/*", ROLE, False),  # no wildcard but `*` and `?`
        ("*", ROLE, True),
        ("*", "anonymous", True),
    ],
)
def test_a_pattern_is_an_account_a_path_or_an_arn(tmp_path: Path, pattern: str, arn: str, *, fits: bool) -> None:
    assert owners(tmp_path, f"{pattern},team").of(arn) == ("team" if fits else None)


@pytest.mark.parametrize(
    ("lines", "owner"),
    [
        (("111122223333,account", "/payments/*,path"), "account"),
        (("/payments/*,path", "111122223333,account"), "path"),
        (("/other/*,other", "111122223333,account", "*,rest"), "account"),
        (("111122223333,first", "111122223333,second"), "first"),
        (("# nobody,knows", "", '"/payments/*","Pay, Inc"'), "Pay, Inc"),
    ],
)
def test_the_first_line_that_fits_counts(tmp_path: Path, lines: tuple[str, ...], owner: str) -> None:
    assert owners(tmp_path, *lines).of(ROLE) == owner


def test_without_a_file_nobody_is_named(tmp_path: Path) -> None:
    assert read_owners(tmp_path).of(ROLE) is None
    assert read_owners(None).of(ROLE) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("owner,pattern\n", "line 1: the heading must be `pattern,owner`"),
        ("pattern,owner\n*\n", "line 2: a pattern and an owner are needed, and there are 1 values"),
        ("pattern,owner\n*,a,b\n", "line 2: a pattern and an owner are needed, and there are 3 values"),
        ("# x\npattern,owner\n\n*,\n", "line 4: the owner must be printable text of 1 to 200 characters"),
        ("pattern,owner\n*,a\x07b\n", "line 2: the owner must be printable"),
        ("pattern,owner\n1234,a\n", "line 2: `1234` is no pattern; give an account id of 12 digits"),
        ("pattern,owner\nrole/x,a\n", "line 2: `role/x` is no pattern"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "owners.csv").write_text(text, "utf-8")
    with pytest.raises(OwnersError) as caught:
        read_owners(tmp_path)
    assert f"`{tmp_path / 'owners.csv'}`, {reason}" in str(caught.value)


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "owners.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OwnersError, match=r"owners.csv` is not readable text in UTF-8"):
        read_owners(tmp_path)
