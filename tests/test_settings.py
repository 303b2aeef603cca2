"""Settings: every key has a default, a file may change it, and a mistake is named with its file and key."""

from dataclasses import fields
from pathlib import Path

import pytest

from analytics.settings import PROJECT, Settings, SettingsError, default_store, read_settings

EXAMPLES = {
    "window_days": ("60", 60),
    "windows": ("[7, 30]", (7, 30)),
    "owner_tags": ('["squad"]', ("squad",)),
    "environment_tags": ("[]", ()),
    "environment_words": ('{ production = ["live"] }', {"production": ("live",)}),
    "data_events_logged": ('{ "*" = ["AWS::S3::Object"] }', {"*": ("AWS::S3::Object",)}),
    "batch_rows": ("1000", 1000),
    "memory_limit": ('"512MB"', "512MB"),
    "keep_builds": ("2", 2),
    "scp_characters": ("5120", 5120),
    "scp_attached": ("5", 5),
    "rcp_characters": ("4096", 4096),
    "rcp_attached": ("4", 4),
    "managed_policy_characters": ("6000", 6000),
    "job_family_tags": ('["role-family"]', ("role-family",)),
    "boundary_parameters": ('{ regions = ["eu-west-1"] }', {"regions": ("eu-west-1",)}),
    "guardrail_lists": ('{ approved_regions = ["eu-west-1"] }', {"approved_regions": ("eu-west-1",)}),
    "guardrail_resources": ('{ LOG-07 = ["arn:aws:logs:*:*:*"] }', {"LOG-07": ("arn:aws:logs:*:*:*",)}),
    "guardrail_exemptions": (
        '{ "break-glass role" = ["arn:aws:iam::*:role/rescue"] }',
        {"break-glass role": ("arn:aws:iam::*:role/rescue",)},
    ),
    "check_exemptions": ('{ "KEY-OLD" = ["arn:aws:iam::*:user/sftp"] }', {"KEY-OLD": ("arn:aws:iam::*:user/sftp",)}),
}


def read(folder: Path, text: str) -> Settings:
    (folder / "headroom.toml").write_text(text, "utf-8")
    return read_settings(folder)


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings()
    assert read_settings(tmp_path / "nowhere") == Settings()


@pytest.mark.parametrize("key", [field.name for field in fields(Settings)])
def test_a_file_changes_one_key_and_leaves_the_others(tmp_path: Path, key: str) -> None:
    text, expected = EXAMPLES[key]
    found = read(tmp_path, f"{key} = {text}")
    assert getattr(found, key) == expected
    others = [field.name for field in fields(Settings) if field.name != key]
    assert [getattr(found, name) for name in others] == [getattr(Settings(), name) for name in others]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("window = 30", "unknown key `window`; the keys are batch_rows, "),
        ("window_days = '30'", "key `window_days`: int is needed, not str"),
        ("window_days = true", "key `window_days`: int is needed, not bool"),
        ("window_days = 30.5", "key `window_days`: int is needed, not float"),
        ("window_days = 0", "`window_days` must be between 1 and 3660 days"),
        ("window_days = 99999999", "`window_days` must be between 1 and 3660 days"),
        ("windows = 30", "key `windows`: a list of int is needed"),
        ("windows = [30, '90']", "key `windows`: a list of int is needed"),
        ("windows = [30, -1]", "`windows` must be between 1 and 3660 days"),
        ("owner_tags = [1]", "key `owner_tags`: a list of str is needed"),
        ("data_events_logged = ['AWS::S3::Object']", "key `data_events_logged`: a table of lists of text is needed"),
        ("data_events_logged = { '*' = 'AWS::S3::Object' }", "a table of lists of text is needed"),
        ("batch_rows = 0", "`batch_rows` must be 1 or more"),
        ("keep_builds = 0", "`keep_builds` must be 1 or more"),
        ("scp_characters = 0", "`scp_characters` must be 1 or more"),
        ("memory_limit = 'lots'", "`memory_limit` is `lots`; write it as `2GB` or `512MB`"),
        ("window_days =", "is not readable TOML"),
    ],
)
def test_a_mistake_is_named_with_file_and_key(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(f"`{tmp_path / 'headroom.toml'}`")
    assert reason in str(error.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "headroom.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is not readable TOML"):
        read_settings(tmp_path)


def test_the_store_is_the_one_of_the_environment_or_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADROOM_STORE", "/somewhere/else")
    assert default_store() == Path("/somewhere/else")
    for unset in ("", None):
        monkeypatch.delenv("HEADROOM_STORE", raising=False)
        if unset is not None:
            monkeypatch.setenv("HEADROOM_STORE", unset)
        assert default_store() == PROJECT / "data" / "local"


def test_settings_cannot_change_while_a_build_runs() -> None:
    with pytest.raises(AttributeError):
        Settings().window_days = 1  # type: ignore[misc]
