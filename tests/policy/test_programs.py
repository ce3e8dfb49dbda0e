"""The tables of programs and of git: every option that they name is tried, and what they do not name is never allowed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trainwright.tools.policy import actions_of_command, load_policy
from trainwright.tools.policy.repository import git_commands
from trainwright.tools.policy.table import known_programs

from .corpus import make_workspace

KEYS = ("flags", "maybe", "takes", "reads", "writes", "into", "runs", "plugins")
SECRETS = ("{option} ~/.ssh/id_rsa", "{option} /etc/shadow x", "{option} x /etc/shadow", "{option}=/etc/shadow x")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a repository; none of the commands runs."""
    return make_workspace(tmp_path_factory.mktemp("programs"))


def allowed(command: str, workspace: Path) -> bool:
    return load_policy().judge(actions_of_command(command, workspace)).decision == "allow"


def options(name: str) -> Iterator[str]:
    entry = known_programs()[name]
    for key in KEYS:
        yield from entry.get(key, "").split()


def one_of_each() -> list[str]:
    """The first name of each entry; the others are judged by the same one."""
    return sorted({entry["names"][0] for entry in known_programs().values()})


@pytest.mark.parametrize("name", one_of_each())
def test_no_option_of_a_program_hides_a_secret(name: str, workspace: Path) -> None:
    texts = [shape.format(option=option) for option in options(name) for shape in SECRETS]
    got = [text for text in texts if allowed(f"{name} {text}", workspace)]
    assert got == []


@pytest.mark.parametrize("name", sorted(known_programs()))
def test_an_option_that_is_not_listed_is_never_allowed(name: str, workspace: Path) -> None:
    for text in (
        "--made-up-option x",
        "x --made-up-option",
        "--made-up-option=x",
        "-\N{LATIN SMALL LETTER O WITH STROKE} x",
    ):
        assert not allowed(f"{name} {text}", workspace), text


def test_a_flag_takes_no_value_and_a_shortened_option_is_not_known(workspace: Path) -> None:
    assert allowed("wc --lines a.txt", workspace)
    assert not allowed("wc --lines=x a.txt", workspace)
    assert not allowed("wc --line a.txt", workspace)
    assert not allowed("sort --outpu /etc/motd a.txt", workspace)


@pytest.mark.parametrize("name", sorted(git_commands()))
def test_no_option_of_git_hides_a_secret_and_none_is_made_up(name: str, workspace: Path) -> None:
    entry = git_commands()[name]
    assert not allowed(f"git {name} --made-up-option", workspace)
    assert not allowed(f"git {name} --made-up-option x", workspace)
    assert not allowed(f"git {name} --outp=/etc/motd", workspace)
    if entry["does"] != "reads" or name in ("check-ignore", "status"):
        return
    for option in sorted(entry["flags"] | entry["maybe"] | entry["takes"]):
        for text in (f"{option} .env", f"{option} x HEAD:.env", f"{option} -- x .env"):
            assert option in SEARCHES or not allowed(f"git {name} {text}", workspace), text


SEARCHES = {"-S", "-G", "--author", "--grep"}
"""Options of git whose value is a text that it looks for."""


@pytest.mark.parametrize(
    "command",
    [
        "ls | xargs -I{} cp a.txt {}",
        "for f in $(ls); do echo > $f; done",
        "find . -name 'link*' -exec truncate -s 0 {} +",
        "find . -name '*.txt' -exec sed -i s/a/b/ {} +",
        "git ls-files | xargs sed -i s/a/b/",
        "grep -rl x . | xargs sed -i s/a/b/",
        "cp data/* .",
        "rm -f */motd",
        "echo x > lin*",
    ],
)
def test_a_link_that_leads_out_is_seen_behind_a_listing(command: str, tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path)
    for name, target in (("link", "/etc"), ("link.txt", "/etc/motd"), ("data/link", "/x")):
        (workspace / name).symlink_to(target)
    assert not allowed(command, workspace)


def test_the_same_listings_without_a_link_are_allowed(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path)
    for command in (
        "find . -name '*.txt' -exec sed -i s/a/b/ {} +",
        "git ls-files | xargs sed -i s/a/b/",
        "grep -rl x src | xargs sed -i s/a/b/",
        "cp data/* .",
    ):
        assert allowed(command, workspace), command


def test_a_folder_that_is_too_big_to_be_looked_at_may_hold_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace(tmp_path)
    monkeypatch.setattr("trainwright.tools.policy.places.MAX_LOOKED_AT", 3)
    assert not allowed("find . -name '*.txt' -exec sed -i s/a/b/ {} +", workspace)
    assert not allowed("find . -name '*.txt' -delete", workspace)
