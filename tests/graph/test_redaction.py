"""Secrets are taken out of whatever holds text, and honest text, code, hashes and images stay as they are."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.graph.redaction import SHAPES, redact, secret_variables
from trainwright.graph.state import Request, Settings

LETTERS = "aB3dE5gH7j" * 10
UPPER = "A2C4E6G8I0K2M4O6"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75\nabc+/def==\n-----END RSA PRIVATE KEY-----"
TOKEN = "hf_" + LETTERS[:34]

SECRETS = {
    "hf": ("hf_" + LETTERS[:30], "Hugging Face token"),
    "hf-35": ("hf_" + LETTERS[:35], "Hugging Face token"),
    "anthropic": ("sk-ant-" + LETTERS[:20], "Anthropic key"),
    "openai": ("sk-" + LETTERS[:40], "key"),
    "openrouter": ("sk-or-v1-" + LETTERS[:40], "key"),
    "openai-project": ("sk-proj-" + LETTERS[:20] + "-" + LETTERS[:20], "OpenAI key"),
    **{f"gh{kind}": (f"gh{kind}_" + LETTERS[:36], "GitHub token") for kind in "pousr"},
    "github-pat": ("github_pat_" + LETTERS[:36], "GitHub token"),
    "gitlab": ("glpat-" + LETTERS[:20], "GitLab token"),
    "akia": ("AKIA" + UPPER, "AWS key"),
    "asia": ("ASIA" + UPPER, "AWS key"),
    "google": ("AIza" + LETTERS[:35], "Google key"),
    "groq": ("gsk_" + LETTERS[:52], "Groq key"),
    "nvidia": ("nvapi-" + LETTERS[:64], "NVIDIA key"),
    **{f"slack-{kind}": (f"xox{kind}-123456789012-" + LETTERS[:24], "Slack token") for kind in "abeprs"},
    "jwt": (f"eyJ{LETTERS[:20]}.eyJ{LETTERS[:30]}.{LETTERS[:43]}", "JSON web token"),
    "pem": (PEM, "private key"),
    "pem-escaped": (PEM.replace("\n", "\\n"), "private key"),
    "pem-truncated": (PEM[: PEM.index("abc")], "private key"),
    "pem-encrypted": (PEM.replace("MII", "Proc-Type: 4,ENCRYPTED\n\nMII"), "private key"),
}


@pytest.mark.parametrize(("secret", "kind"), SECRETS.values(), ids=SECRETS)
def test_a_secret_is_known_by_its_shape_wherever_it_stands(secret: str, kind: str) -> None:
    assert redact(secret) == f"[redacted {kind}]"
    assert redact(f'x("{secret}") # end') == f'x("[redacted {kind}]") # end'
    assert redact(f"a_{secret}") == f"a_[redacted {kind}]"


@pytest.mark.parametrize(
    "text",
    [
        "hf_" + LETTERS[:29],
        "sk-" + LETTERS[:39],
        "sk-ant-" + LETTERS[:19],
        "ghp_" + LETTERS[:35],
        "github_pat_" + LETTERS[:35],
        "AKIA" + UPPER[:15],
        "Bearer " + LETTERS[:19],
        "tokenizer = AutoTokenizer.from_pretrained(x)",
        "max_tokens=512",
        'API_KEY = os.environ["API_KEY"]',
        'api_key = os.getenv("API_KEY", "")',
        "token = get_token()",
        "token = get_token2(x)",
        "token = self.tokens_2.current",
        "client(api_key=my_api_key, token=hf_token)",
        'Client(api_key_env="OPENAI_API_KEY", api_key="OPENAI_API_KEY")',
        "password=None",
        'pad_token="<pad>"',
        'mask_token="[MASK]", eos_token="<|endoftext|>"',
        '"next_token": "international"',
        "eos_token_id: 2",
        'token = "${HF_TOKEN}"',
        'f"postgres://{user}:{password}@{host}/db"',
        'print("token: ", token)',
        'getpass("Password: ") or given',
        "sk-learn, scikit-learn and task-" + LETTERS[:60],
        'line.startswith("-----BEGIN PRIVATE KEY-----") and read(line)',
        "-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEA75\n-----END CERTIFICATE-----",
        hashlib.sha256(b"x").hexdigest(),
        "commit " + hashlib.sha1(b"x", usedforsecurity=False).hexdigest(),
        "mail me: someone@example.org, http://example.org:80/a@b",
    ],
)
def test_honest_text_and_code_are_untouched(text: str) -> None:
    assert redact(text) == text


def test_an_image_in_base64_is_untouched() -> None:
    noise = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(250))
    text = "data:image/png;base64," + base64.b64encode(noise).decode()
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer " + LETTERS[:20], "Authorization: Bearer [redacted token]"),
        ("postgres://me:pw@db.example.org:5432/x", "postgres://[redacted password]@db.example.org:5432/x"),
        ("redis://:hunter2@cache", "redis://[redacted password]@cache"),
        ("SECRET='quoted'", "SECRET='[redacted value]'"),
        ("export MY_TOKEN=abcd1234efgh next", "export MY_TOKEN=[redacted value] next"),
        ("DB_PASSWORD=correcthorse", "DB_PASSWORD=[redacted value]"),
        ("api_key: abcd1234efgh\nnext: 1", "api_key: [redacted value]\nnext: 1"),
        ('{"api_key": "abcd1234efgh", "n": 1}', '{"api_key": "[redacted value]", "n": 1}'),
        (r"{\"api_key\": \"abcd1234efgh\"}", r"{\"api_key\": \"[redacted value]\"}"),
        ('api_key: str = "abcdefghijkl"', 'api_key: str = "[redacted value]"'),
        ('os.environ["HF_TOKEN"] = "abcd1234efgh"', 'os.environ["HF_TOKEN"] = "[redacted value]"'),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/b", "aws_secret_access_key = [redacted value]"),
        ("AWS_ACCESS_KEY_ID=abcd1234efgh", "AWS_ACCESS_KEY_ID=[redacted value]"),
        ("clientSecret = 'abcdefgh'", "clientSecret = '[redacted value]'"),
        ("İ API_KEY=abcd1234efgh", "İ API_KEY=[redacted value]"),
    ],
)
def test_what_stands_around_a_secret_is_kept(text: str, clean: str) -> None:
    assert redact(text) == clean


class Pair(NamedTuple):
    left: str
    right: int


def test_structures_are_copied_and_their_other_values_kept() -> None:
    held = {"a": [TOKEN, 1, None, True, 2.5], "b": (TOKEN, {"c": {TOKEN}}), "d": Pair(TOKEN, 3), "e": TOKEN.encode()}
    before = repr(held)
    mark = "[redacted Hugging Face token]"
    clean = redact(held)
    assert clean == {
        "a": [mark, 1, None, True, 2.5],
        "b": (mark, {"c": {mark}}),
        "d": Pair(mark, 3),
        "e": TOKEN.encode(),
    }
    assert type(clean["d"]) is Pair
    assert repr(held) == before


def test_a_value_under_a_secret_name_is_taken_and_no_item_is_lost_where_keys_are_secrets() -> None:
    held = {"password": "correct", "token_type": "bearer", TOKEN: 1, TOKEN + "b": 2}
    clean = redact(held)
    assert clean["password"] == "[redacted value]"
    assert clean["token_type"] == "bearer"
    assert list(clean.values())[2:] == [1, 2]
    assert TOKEN not in repr(clean)


def test_a_model_keeps_its_class_and_the_fields_that_were_set() -> None:
    request = Request(data="d.csv", goal="").model_copy(update={"goal": f"use {TOKEN}"})
    clean = redact(request)
    assert type(clean) is Request
    assert clean.goal == "use [redacted Hugging Face token]"
    assert request.goal == f"use {TOKEN}"
    assert clean.model_fields_set == request.model_fields_set
    assert redact(Settings(seed=3)).model_fields_set == {"seed"}
    assert redact([request])[0] == clean


def test_a_request_is_clean_from_the_beginning() -> None:
    assert Request(goal=f"use {TOKEN}").goal == "use [redacted Hugging Face token]"


def test_the_value_of_a_secret_variable_is_taken_wherever_it_occurs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "not-known-by-shape")
    monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-1234567")
    monkeypatch.setenv("SHORT_TOKEN", "dev")
    monkeypatch.setenv("HARMLESS", "plain words")
    assert redact("xnot-known-by-shapex dev plain words") == "x[redacted SOME_API_KEY]x dev plain words"
    assert redact("sk-1234567") == "[redacted LITELLM_MASTER_KEY]"
    assert "SOME_API_KEY" in secret_variables()
    assert not {"SHORT_TOKEN", "HARMLESS"} & set(secret_variables())


def test_a_variable_that_holds_a_word_of_the_marks_does_not_grow_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODD_SECRET", "redacted")
    once = redact(f"redacted {TOKEN}")
    assert once == "[redacted ODD_SECRET] [redacted Hugging Face token]"
    assert redact(once) == once


PIECES = [secret for secret, _ in SECRETS.values()]
TEXTS = st.lists(
    st.one_of(st.sampled_from(PIECES), st.sampled_from(["TOKEN=", "api_key: '", "://a:", "@", " ", '"']), st.text()),
    max_size=8,
).map("".join)
NESTED = st.recursive(
    st.one_of(TEXTS, st.integers(), st.none(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@given(TEXTS)
def test_twice_is_once(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.text(alphabet=" \n.,;()", max_size=20), st.sampled_from(PIECES), st.text(alphabet=" \n;()<>", max_size=20))
def test_a_secret_never_stays(before: str, secret: str, after: str) -> None:
    assert secret not in redact(f"{before} {secret} {after}")


def _form(value: Any) -> Any:
    if isinstance(value, dict):
        return [_form(item) for item in value.values()]
    if isinstance(value, list):
        return [_form(item) for item in value]
    return type(value) if isinstance(value, str) else value


@given(NESTED)
def test_the_structure_is_kept(value: Any) -> None:
    assert _form(redact(value)) == _form(value)


@pytest.mark.parametrize(
    "piece",
    [
        "token=",
        'TOKEN="',
        "token:  ",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN A ",
        "eyJaaaaaaaaaaa.",
        "http://",
        "://a:",
        "bearer ",
        "sk-",
        "AKIA" + UPPER,
        "AIza" + LETTERS[:35],
        "_",
        "a",
    ],
)
def test_a_megabyte_that_almost_matches_ends(piece: str) -> None:
    """A pattern that went back over its own steps would take hours here, not a moment."""
    text = piece * (1_000_000 // len(piece))
    assert redact(redact(text)) == redact(text)


def test_a_text_without_secrets_is_not_copied_and_each_shape_has_its_cheap_test() -> None:
    text = "a line of code\n" * 4_000
    assert redact(text) is text
    for kind, hints, pattern in SHAPES:
        known = [secret for secret, name in SECRETS.values() if name == kind]
        assert known, kind
        for secret in known:
            assert pattern.search(secret) is None or any(hint in secret for hint in hints)
