"""The configuration file: what counts where, what the environment puts in, and what is said of a broken one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.cli.configuring import configured_settings, rows_of, run_config
from trainwright.cli.request import settings_from_flags
from trainwright.graph import redaction
from trainwright.graph.configuration import Occasion, config_path, load_configuration
from trainwright.graph.errors import RequestError
from trainwright.graph.redaction import redact, remember
from trainwright.graph.state import Settings
from trainwright.tools.notices import addresses


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test makes a secret is none in the next."""
    monkeypatch.setattr(redaction, "_known", {})


def write(text: str, name: str = "config.toml") -> Path:
    """A file in the configuration folder."""
    path = config_path().with_name(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def settings(**flags: Any) -> Settings:
    """What a run begun in the terminal with these flags works with."""
    return settings_from_flags(load_configuration().settings, **flags)


def refused() -> RequestError:
    """Why the file cannot be used."""
    with pytest.raises(RequestError) as error:
        load_configuration()
    return error.value


def problem() -> RequestError | None:
    """Why the file cannot be used, or None."""
    try:
        load_configuration()
    except RequestError as error:
        return error
    return None


def test_without_a_file_all_is_built_in() -> None:
    configured = load_configuration()
    assert not configured.path.exists()
    assert settings() == Settings()
    assert (configured.notify.urls, configured.notify.on) == ([], ["waiting", "failed", "ended"])


def test_flags_beat_the_file_and_the_file_beats_what_is_built_in() -> None:
    write("[settings]\nstep_cap = 40\nattempts = 2\nmax_usd = 0.1\n[settings.stages.plan]\nstep_cap = 20\n")
    made = settings(step_cap=7, attempts=None, seed=None)
    assert (made.step_cap, made.attempts, made.seed, made.max_usd) == (7, 2, 0, 0.1)
    assert made.stages["plan"].step_cap == 20
    assert Settings().step_cap == 300, "programs and Studio are not touched"


def test_every_setting_can_be_configured() -> None:
    ours = Settings(
        engineer="a/b", base_url="http://h/v1", effort="low", stages={"plan": {"max_usd": 0.5}}, dry_run=True
    )  # type: ignore[dict-item]
    lines, tables = [], []
    for name, value in ours.model_dump(exclude_none=True).items():
        if name == "stages":
            tables += [f"[settings.stages.{stage}]\nmax_usd = {limits['max_usd']}" for stage, limits in value.items()]
        else:
            shown = str(value).lower() if isinstance(value, bool) else repr(value)
            lines.append(f"{name} = {shown}")
    write("\n".join(["[settings]", *lines, *tables]))
    assert Settings.model_validate(load_configuration().settings) == ours


def test_another_engineer_leaves_what_belongs_to_the_configured_model() -> None:
    write(
        '[settings]\nengineer = "ollama/qwen3"\nbase_url = "http://127.0.0.1:1/v1"\nmodel_price = "1/2"\nattempts = 2\n'
    )
    assert settings().base_url == "http://127.0.0.1:1/v1"
    other = settings(engineer="recipes")
    assert (other.engineer, other.base_url, other.model_price, other.attempts) == ("recipes", "", "", 2)
    same = settings(engineer="ollama/qwen3")
    assert same.base_url == "http://127.0.0.1:1/v1"


def test_a_limit_of_a_stage_that_was_given_leaves_those_that_are_configured() -> None:
    write("[settings.stages.plan]\nstep_cap = 20\nmax_usd = 1.0\n[settings.stages.find_data]\nstep_cap = 9\n")
    made = settings(stages=["plan.max_usd=0.5", "write_code.step_cap=70"])
    limits = {name: bounds.model_dump(exclude_none=True) for name, bounds in made.stages.items()}
    assert limits == {
        "plan": {"step_cap": 20, "max_usd": 0.5},
        "find_data": {"step_cap": 9},
        "write_code": {"step_cap": 70},
    }


def test_a_price_that_nobody_can_read_is_refused() -> None:
    write('[settings]\nmodel_price = "cheap"\n')
    for use in (configured_settings, lambda: run_config("check", as_json=False)):
        with pytest.raises(RequestError, match=r"config.toml: settings.model_price: ") as error:
            use()
        assert "cheap" in error.value.message


def test_a_price_that_can_be_read_is_none_of_its_business(capsys: pytest.CaptureFixture[str]) -> None:
    write('[settings]\nmodel_price = "3/15"\n')
    assert configured_settings() == {"model_price": "3/15"}
    assert run_config("check", as_json=False) == 0
    assert capsys.readouterr().out == f"{config_path()} can be used.\n"


def test_the_environment_is_put_in_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_HOST", "chat.example.com")
    monkeypatch.setenv("CAP", "12")
    write(
        '[settings]\nstep_cap = "${CAP}"\nmodel_price = "${PRICE:-3/15}"\n[settings.stages.plan]\nmax_usd = "${USD:-0.5}"\n'
        '[notify]\nurls = ["json://${HOOK_HOST}/$${x}/${PLACE:-a}", "form://$HOOK_HOST/"]\n'
    )
    configured = load_configuration()
    assert configured.notify.urls == ["json://chat.example.com/${x}/a", "form://$HOOK_HOST/"]
    made = settings()
    assert (made.step_cap, made.model_price, made.stages["plan"].max_usd) == (12, "3/15", 0.5)
    assert configured.sources["settings", "step_cap"].variables == ("CAP",)
    assert configured.sources["settings", "model_price"].variables == (), "the default counted, not the environment"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('[notify]\nurls = [\n  "json://h/",\n  "slack://${SLACK_GONE}"]', ["line 2", "notify.urls[1]", "SLACK_GONE"]),
        ('[settings]\n\nengineer = "${ENGINEER_GONE}"', ["line 3", "settings.engineer", "ENGINEER_GONE"]),
        ('[settings]\nengineer = "${}"', ["line 2", "settings.engineer", "no ${NAME}"]),
        ('[settings]\nengineer = "${not closed"', ["line 2", "settings.engineer", "no ${NAME}"]),
        ('[settings]\nengineer = "${A B}"', ["settings.engineer", "no ${NAME}"]),
    ],
)
def test_a_variable_that_is_not_there_is_an_error_that_names_it_and_the_key(text: str, names: list[str]) -> None:
    write(text)
    error = refused()
    for name in [str(config_path()), *names]:
        assert name in error.message


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("[settings]\nstep_kap = 3", "line 2: settings.step_kap is unknown.", "Did you mean step_cap?"),
        ("[setings]\nstep_cap = 3", "line 1: setings is unknown.", "Did you mean settings?"),
        ("[hat]\nx = 3", "line 1: hat is unknown.", "There is [settings], [notify], [cache]"),
        ("[notify]\nurl = ['json://h']", "line 2: notify.url is unknown.", "Did you mean urls?"),
        ("[notify]\n\nto = 'json://h'", "line 3: notify.to is unknown.", "There is urls, on."),
        ("[settings.stages.plann]\nstep_cap = 3", "line 1: settings.stages.plann is no stage.", "Did you mean plan?"),
        ("[settings]\nstages.plan.stepcap = 3", "line 2: settings.stages.plan.stepcap is unknown.", "step_cap"),
        ("settings = 3", "line 1: settings is no section.", "Write [settings] on a line"),
        ("[settings]\nstep_cap = 0", "line 2: settings.step_cap is not usable: 0: it should be greater", ""),
        ("[settings]\nmax_usd = nan", "line 2: settings.max_usd is not usable", ""),
        ("[settings]\napprovals = 'maybe'", "settings.approvals is not usable: 'maybe': it should be 'ask' or", ""),
        ("[notify]\non = ['waiting', 'always']", "line 2: notify.on[1] is not usable: it should be 'waiting'", ""),
        ("[notify]\nurls = 'json://h'", "line 2: notify.urls is not usable: it should be a valid list", ""),
        ("[notify]\nurls = [3]", "line 2: notify.urls[0] is not usable: it should be a valid string", ""),
        ("[cache]\nmax_mib = 0", "line 2: cache.max_mib is not usable: 0: it should be greater than or equal to 1", ""),
        ("[cache]\nmax_days = 0", "line 2: cache.max_days is not usable: 0: it should be greater than 0", ""),
        ("[cache]\nmax_gib = 1", "line 2: cache.max_gib is unknown", "max_mib"),
        ("[notify\n", "is not valid TOML", "at line 1"),
        ("[notify]\nurls = ]\n", "is not valid TOML: Invalid value (at line 2, column 8)", ""),
        ("extends = 3", "extends is no file's name", ""),
        ('extends = "gone.toml"', "line 1: extends names a file that is not there", "gone.toml"),
        ('extends = "config.toml"', "extends leads in a circle", ""),
    ],
)
def test_a_broken_file_is_named_with_line_and_key(text: str, says: str, hint: str) -> None:
    write(text)
    error = refused()
    assert error.message.startswith(str(config_path()))
    assert says in error.message
    assert hint in f"{error.message} {error.hint}"


@pytest.mark.parametrize("content", [b"\xff\xfe[settings]", b"# " + b"x" * 2**20, b"a = " + b"[" * 100_000])
def test_a_file_that_is_no_configuration_is_refused(content: bytes) -> None:
    write("").write_bytes(content)
    assert str(config_path()) in refused().message


def test_a_folder_in_its_place_is_refused() -> None:
    config_path().mkdir(parents=True)
    assert "cannot be read" in refused().message


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_refused() -> None:
    write("[settings]").chmod(0)
    assert "Permission denied" in refused().message


def test_a_file_that_extends_another_is_laid_on_it_table_by_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merged before anything is put in: a variable that only the ground names and the top replaces is not needed."""
    write("[settings]\nseed = 5\nmax_hours = 1.0\n[settings.stages.plan]\nmax_tokens = 9\n", "ground.toml")
    write(
        'extends = "ground.toml"\n[settings]\nmax_hours = "${HOURS_GONE}"\nattempts = 4\n'
        "[settings.stages.plan]\nstep_cap = 8\n[notify]\non = ['failed']\nurls = ['json://a', 'json://b']\n",
        "team.toml",
    )
    top = write('extends = "team.toml"\n[settings]\nmax_hours = 2.0\n[notify]\nurls = ["json://c"]\n')
    configured, made = load_configuration(), settings()
    assert (made.seed, made.max_hours, made.attempts) == (5, 2.0, 4)
    assert made.stages["plan"].model_dump(exclude_none=True) == {"max_tokens": 9, "step_cap": 8}
    assert (configured.notify.urls, configured.notify.on) == (["json://c"], ["failed"])
    files = {row.key: row.source for row in rows_of(configured)}
    assert files["settings.seed"] == str(top.with_name("ground.toml"))
    assert files["settings.attempts"] == str(top.with_name("team.toml"))
    assert files["settings.max_hours"] == files["notify.urls[0]"] == str(top)
    assert files["settings.repairs"] == "built in"


def test_the_example_of_the_page_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    write(page.partition("```toml\n")[2].partition("```")[0])
    monkeypatch.setenv("SLACK_TOKENS", "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    monkeypatch.setenv("MAIL_PASSWORD", "a password of mine")
    configured, made = load_configuration(), settings()
    assert (made.engineer, made.max_model_usd, made.stages["plan"].step_cap) == ("recipes", 2.5, 20)
    assert [address.schema for address in addresses(configured.notify.urls)] == ["slack", "mailto"]
    assert set(configured.notify.on) == set(get_args(Occasion))


def test_an_error_names_the_file_that_holds_it() -> None:
    below = write("[settings]\n\nstep_cap = 'many'\n", "team.toml")
    write('extends = "team.toml"\n[settings]\nseed = 1\n')
    assert refused().message.startswith(f"{below}, line 3: settings.step_cap is not usable")


def test_addresses_and_what_they_take_from_the_environment_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_PLACE", "plainwordsecret")
    monkeypatch.setenv("CHAT_HOST", "hooks.example.com")
    write(
        '[notify]\nurls = ["json://me:hunter2222@${CHAT_HOST}:80/T0KEN123456/${CHAT_PLACE}", '
        '"slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general", "json://u:p%40ssw0rd9@localhost/", "json://u:correcthorse@h/Training-runs"]\n'
    )
    configured = load_configuration()
    for secret in (*configured.notify.urls, "hunter2222", "T0KEN123456", "plainwordsecret", "TIiajkdnlazkcOXrIdevi7FQ"):
        assert redact(f"see {secret} there") == "see [redacted configuration] there"
    for password in ("p@ssw0rd9", "correcthorse"):
        assert redact(f"is {password} right?") == "is [redacted configuration] right?"
    honest = "Training-runs: hooks.example.com and localhost answer in #general on port 80"
    assert redact(honest) == honest
    assert "T0KEN" not in repr(configured)
    assert "hunter2222" not in repr(list(rows_of(configured)))


def test_what_is_wrong_in_an_address_is_said_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", "plainwordsecret")
    write('[notify]\nurls = ["json://${CHAT}/"]\non = ["${CHAT}"]\n')
    error = refused()
    assert "notify.on[0] is not usable" in error.message
    assert "plainwordsecret" not in str(error) + repr(error.__cause__) + repr(error.__suppress_context__)


def test_a_secret_among_the_settings_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    token = "hf_" + "InTheSettingsOfARun" * 2
    monkeypatch.setenv("MODEL", f"x/{token}")
    write('[settings]\nseed = 1\nengineer = "${MODEL}"\n')
    error = refused()
    assert "line 3: settings.engineer is a secret" in error.message
    assert token not in str(error)


def test_values_that_were_remembered_are_taken_and_short_ones_are_not() -> None:
    remember(["of-no-known-shape", "short"], "configuration")
    assert redact({"a": ["x of-no-known-shape y", "short"]}) == {"a": ["x [redacted configuration] y", "short"]}
    assert redact(redact("of-no-known-shape")) == "[redacted configuration]"
    remember(["configuration"], "configuration")
    assert redact("of-no-known-shape") == "[redacted configuration]", "the mark itself is left alone"


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab$.{}[]:-\"'\n=é", max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(text=st.text("[]=\"'$ab{}.\n#3-: notify.urlsettings", max_size=80))
def test_no_text_makes_anything_but_a_configuration_or_an_error(text: str) -> None:
    write(text)
    error = problem()
    assert error is None or (error.message.startswith(str(config_path())) and error.hint)


def toml(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return "0.5" if value is None else json.dumps(value, ensure_ascii=False)


FIELDS = {"settings": ["step_cap", "stages", "engineer"], "notify": ["urls", "on"]}


@given(name=st.sampled_from(sorted(FIELDS)), value=values)
def test_no_value_in_a_section_makes_anything_but_a_configuration_or_an_error(name: str, value: Any) -> None:
    for field in FIELDS[name]:
        write(f"[{name}]\n{field} = {toml(value)}\n")
        error = problem()
        assert error is None or error.message.startswith(f"{config_path()}, line 2: {name}.{field}")
