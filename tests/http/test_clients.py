"""The clients of other packages on our transport: huggingface_hub, and whatever uses requests."""

from __future__ import annotations

import ast
import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from huggingface_hub import HfApi, get_session, set_client_factory
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from huggingface_hub.utils import _http

from tests.standin import Canned, StandIn, pretend_public
from trainwright.graph.errors import RemoteError, RemoteUnavailable
from trainwright.tools import http as tools_http
from trainwright.tools.http import Adapter, Service, hub_session

MODEL = {"id": "a/b", "tags": ["x"], "siblings": [{"rfilename": "config.json"}], "private": False}
TOKEN = "hf_" + "a1B2" * 9


@pytest.fixture(autouse=True)
def usual_factory() -> Iterator[None]:
    """Each test begins and ends with the factory of the package."""
    set_client_factory(_http.default_client_factory)
    yield
    set_client_factory(_http.default_client_factory)


@pytest.fixture
def hub(standin: StandIn) -> Service:
    standin.route("GET", "/api/models/a/b", MODEL)
    return Service("the Hub", standin.url)


@pytest.fixture
def api(standin: StandIn) -> HfApi:
    return HfApi(endpoint=standin.url, token=TOKEN)


def test_cached_inside_and_as_ever_outside(standin: StandIn, hub: Service, api: HfApi) -> None:
    with hub_session(hub):
        assert [api.model_info("a/b").tags for _ in range(3)] == [["x"]] * 3
    assert len(standin.requests) == 1
    assert standin.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    api.model_info("a/b")
    api.model_info("a/b")
    assert len(standin.requests) == 3


def test_where_it_came_from(standin: StandIn, hub: Service, api: HfApi) -> None:
    with hub_session(hub) as session:
        api.model_info("a/b")
        api.model_info("a/b")
    assert [answer.cached for answer in session.answers] == [False, True]
    assert session.answers[1].source().address == f"{standin.url}/api/models/a/b"


def test_half_an_answer_does_not_stay(standin: StandIn, hub: Service, api: HfApi) -> None:
    standin.fault("/api/models/a/b", "malformed")
    with hub_session(hub):
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            api.model_info("a/b")
        assert api.model_info("a/b").id == "a/b"


def test_trouble_that_passes(standin: StandIn, hub: Service, api: HfApi) -> None:
    standin.fault("/api/models/a/b", "status:503", times=2)
    with hub_session(hub):
        assert api.model_info("a/b").id == "a/b"


def test_trouble_that_stays(standin: StandIn, hub: Service, api: HfApi) -> None:
    standin.fault("/api/models/a/b", "status:503", times=None)
    with hub_session(hub), pytest.raises(RemoteUnavailable, match="the Hub is down or busy"):
        api.model_info("a/b")
    assert len(standin.requests) == 3


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(404, "RepoNotFound", RepositoryNotFoundError), (403, "GatedRepo", GatedRepoError)],
)
def test_its_own_errors_stay(
    standin: StandIn, hub: Service, api: HfApi, status: int, code: str, error: type[Exception]
) -> None:
    standin.fault("/api/models/a/b", f"status:{status}", headers={"x-error-code": code})
    with hub_session(hub), pytest.raises(error):
        api.model_info("a/b")


def test_pages(standin: StandIn, hub: Service, api: HfApi) -> None:
    def page(asked: Any) -> Canned:
        if "cursor" in asked.query:
            return Canned([{"id": "c/d"}])
        return Canned([{"id": "a/b"}], headers={"link": f'<{standin.url}/api/models?cursor=2>; rel="next"'})

    standin.route("GET", "/api/models", page)
    with hub_session(hub):
        for _ in range(2):
            assert [model.id for model in api.list_models(search="x")] == ["a/b", "c/d"]
    assert len(standin.requests) == 2


def test_a_next_page_elsewhere_gets_no_token(
    standin: StandIn, hub: Service, api: HfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StandIn() as other:
        pretend_public(monkeypatch, {"evil.example.org": other})
        other.route("GET", "/next", [])
        link = {"link": '<http://evil.example.org/next>; rel="next"'}
        standin.route("GET", "/api/models", Canned([{"id": "a/b"}], headers=link))
        with hub_session(hub):
            assert len(list(api.list_models())) == 1
        assert "authorization" not in other.requests[0].headers
        link = {"link": '<http://10.0.0.1/next>; rel="next"'}
        standin.route("GET", "/api/models", Canned([{"id": "a/b"}], headers=link))
        with hub_session(hub), pytest.raises(RemoteError, match="was not asked"):
            list(api.list_models(search="other"))


def test_writing_is_sent_each_time(standin: StandIn, hub: Service, api: HfApi) -> None:
    standin.route("POST", "/api/repos/create", {"url": f"{standin.url}/a/b", "name": "a/b"})
    with hub_session(hub):
        api.create_repo("a/b")
        api.create_repo("a/b")
    assert [asked.json["name"] for asked in standin.requests] == ["b", "b"]


def test_a_download_of_the_hubs_own(standin: StandIn, hub: Service, tmp_path: Any) -> None:
    from pathlib import Path

    from huggingface_hub import hf_hub_download

    headers = {"x-repo-commit": "c" * 40, "etag": '"abc"'}
    standin.route("*", "/a/b/resolve/main/config.json", Canned(b'{"a": 1}', headers=headers))
    with hub_session(hub):
        path = hf_hub_download("a/b", "config.json", endpoint=standin.url, cache_dir=tmp_path, token=False)
    assert Path(path).read_text() == '{"a": 1}'


def test_a_factory_of_the_program_is_kept(standin: StandIn, hub: Service, api: HfApi) -> None:
    made: list[httpx.Client] = []

    def factory() -> httpx.Client:
        made.append(httpx.Client(headers={"x-of-the-program": "1"}))
        return made[-1]

    set_client_factory(factory)
    api.model_info("a/b")
    with hub_session(hub):
        api.model_info("a/b")
        assert get_session() is made[0]
    set_client_factory(factory)
    with hub_session(hub):
        api.model_info("a/b")
    assert len(made) == 2
    assert [asked.headers.get("x-of-the-program") for asked in standin.requests] == ["1", "1"]


def test_a_client_made_inside_the_block_is_ours_too(standin: StandIn, hub: Service, api: HfApi) -> None:
    with hub_session(hub):
        api.model_info("a/b")
        _http.close_session()  # as the package does after trouble with a connection
        api.model_info("a/b")
    assert len(standin.requests) == 1


def test_other_threads_are_not_touched_and_blocks_may_lie_in_each_other(
    standin: StandIn, hub: Service, api: HfApi
) -> None:
    with hub_session(hub), hub_session(hub):
        api.model_info("a/b")
        thread = threading.Thread(target=api.model_info, args=("a/b",))
        thread.start()
        thread.join()
    assert len(standin.requests) == 2


def test_the_client_in_use_is_not_closed(standin: StandIn, hub: Service, api: HfApi) -> None:
    client = get_session()
    with hub_session(hub):
        api.model_info("a/b")
    assert get_session() is client
    assert not client.is_closed


@pytest.fixture
def session(service: Service) -> Iterator[requests.Session]:
    with requests.Session() as given:
        given.mount("http://", Adapter(service))
        yield given


def test_requests(standin: StandIn, session: requests.Session) -> None:
    standin.route("GET", "/x", Canned("café", media="text/plain; charset=utf-8", headers={"x-total-count": "3"}))
    for _ in range(2):
        answer = session.get(f"{standin.url}/x", params={"a": "b"}, timeout=5)
        assert (answer.status_code, answer.text, answer.ok) == (200, "café", True)
        assert answer.headers["X-Total-Count"] == "3"
    assert len(standin.requests) == 1
    assert standin.requests[0].query == {"a": ["b"]}
    assert standin.requests[0].headers["user-agent"].startswith("trainwright/")


def test_requests_get_statuses_as_answers(standin: StandIn, session: requests.Session) -> None:
    assert session.get(f"{standin.url}/absent", timeout=5).status_code == 404
    standin.route("POST", "/x", lambda asked: asked.body)
    assert session.post(f"{standin.url}/x", json={"a": 1}, timeout=5).json() == {"a": 1}
    standin.fault("/busy", "status:503", times=None)
    with pytest.raises(RemoteUnavailable, match="Example is down or busy"):
        session.get(f"{standin.url}/busy", timeout=5)


def test_requests_stream(standin: StandIn, session: requests.Session) -> None:
    standin.route("GET", "/x", b"abc" * 1000)
    with session.get(f"{standin.url}/x", stream=True, timeout=5) as answer:
        assert b"".join(answer.iter_content(100)) == b"abc" * 1000


def test_requests_of_a_package_that_names_itself(standin: StandIn, session: requests.Session) -> None:
    session.get(f"{standin.url}/x", headers={"user-agent": "arxiv.py/4"}, timeout=5)
    assert standin.requests[0].headers["user-agent"].endswith(" arxiv.py/4")
    assert standin.requests[0].headers["user-agent"].startswith("trainwright/")


def test_requests_to_private_hosts_without_a_service() -> None:
    with requests.Session() as session:
        session.mount("http://", Adapter())
        with pytest.raises(RemoteError, match="was not asked"):
            session.get("http://10.0.0.1/x", timeout=5)


def test_a_length_is_that_of_what_is_given(standin: StandIn, hub: Service) -> None:
    packed = gzip.compress(b"[1]" + b" " * 500)
    standin.route("GET", "/packed", Canned(packed, headers={"content-encoding": "gzip"}, media="application/json"))
    standin.route("GET", "/plain", [1])
    standin.route("HEAD", "/plain", [1])
    session = requests.Session()
    session.mount("http://", Adapter(hub))
    with hub_session(hub):
        for ask in (session.get, get_session().get):
            for name in ("packed", "plain"):
                answer: Any = ask(f"{standin.url}/{name}")
                assert answer.json() == [1]
                assert "content-encoding" not in answer.headers
                assert answer.headers.get("content-length") in (None, str(len(answer.content)))
        assert int(get_session().head(f"{standin.url}/plain").headers["content-length"]) == 3


def test_the_client_knows_nothing_of_what_is_looked_up_with_it() -> None:
    sources = [path.read_text(encoding="utf-8") for path in Path(str(tools_http.__file__)).parent.glob("*.py")]
    assert len(sources) > 10
    imported = [
        node.module or "" for text in sources for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)
    ]
    assert "trainwright.graph.errors" in imported
    assert not [name for name in imported if name.startswith("trainwright.tools")]
