"""What is found in scripts by their text alone; what their packages have is another test's matter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trainwright.tools.hub.package import OURS
from trainwright.tools.sandbox import Capability
from trainwright.tools.writing import Finding, check_script, lookups
from trainwright.tools.writing.checking import RESERVED

from .scripts import HEADER, PREDICT, TRAIN, Folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A sound folder on a machine without a sandbox, where checks are quick."""
    monkeypatch.setattr(lookups, "probe", lambda: Capability(False, "", "none", "Install bubblewrap."))
    return Folder(tmp_path / "code")


def told(findings: list[Finding]) -> list[tuple[str, int, str, str]]:
    """Findings without their messages, and without that of the missing sandbox."""
    return [(one.file, one.line, one.kind, one.severity) for one in findings if one.kind != "lookup"]


def test_a_sound_pair_has_no_findings(folder: Folder) -> None:
    assert told(folder.findings()) == []


def test_without_a_sandbox_the_lookups_are_left_out_and_that_is_said(folder: Folder) -> None:
    folder.add("import no_such_module\n")
    (found,) = folder.findings()
    assert (found.kind, found.severity) == ("lookup", "warning")
    assert "Install bubblewrap" in found.message


def test_an_empty_folder_and_none(tmp_path: Path) -> None:
    expected = [("predict.py", 1, "missing", "error"), ("train.py", 1, "missing", "error")]
    assert told(check_script(tmp_path)) == expected
    assert told(check_script(tmp_path / "none")) == expected


def test_findings_are_sorted_and_short(folder: Folder) -> None:
    folder.add(f"zzz{'z' * 500}\nyyy\n")
    folder.add("xxx\n", "predict.py")
    found = folder.findings("name")
    assert [one.file for one in found] == ["predict.py", "train.py", "train.py"]
    assert found[1].line + 1 == found[2].line
    assert all(len(one.message) <= 300 for one in found)


class TestSyntax:
    @pytest.mark.parametrize("source", ["def f(:\n", "return 1\n", "x = (\n", "if 1:\n  y = 1\n z = 2\n", "f'{'\n"])
    def test_its_line_is_given(self, folder: Folder, source: str) -> None:
        line = folder.add(source)
        (found,) = folder.findings("syntax")
        assert (found.file, found.severity) == ("train.py", "error")
        assert found.line >= line

    @pytest.mark.parametrize("content", [b"x = 1\0\n", b"x = '\xff'\n", b"((" * 5_000 + b"\n", b"# coding: none\n"])
    def test_what_cannot_be_read_at_all(self, folder: Folder, content: bytes) -> None:
        folder.put("other.py", content)
        assert told(folder.findings()) == [("other.py", 1, "syntax", "error")]

    def test_of_a_newer_python_is_a_warning(self, folder: Folder) -> None:
        folder.put("train.py", HEADER.replace(">=3.11", ">=3.99") + TRAIN + "def f[T](x: T): return\n")
        (found,) = folder.findings("syntax")
        assert found.severity == "warning"

    def test_an_odd_escape_is_no_error(self, folder: Folder) -> None:
        folder.add(r"x = '\d'")
        assert told(folder.findings()) == []


class TestNames:
    def test_an_undefined_name(self, folder: Folder) -> None:
        line = folder.add("def main():\n    return np.zeros(3)\n")
        (found,) = folder.findings("name")
        assert (found.line, found.severity) == (line + 1, "error")
        assert "'np'" in found.message

    def test_a_local_that_has_no_value_yet(self, folder: Folder) -> None:
        folder.add("x = 1\ndef f():\n    print(x)\n    x = 2\n")
        assert [one.kind for one in folder.findings("name")] == ["name"]

    @pytest.mark.parametrize(
        "source",
        [
            "def f(a, *b, c=1, **d):\n    return [a for a in b if c] + [d]\n",
            "try:\n    unknown\nexcept NameError:\n    pass\n",
            "class A:\n    x = 1\n    def f(self):\n        return __class__, __file__, A.x\n",
            "def f():\n    global later\n    later = 1\nf()\nprint(later)\n",
            "import os.path as p\nfor q in p.split('a/b'):\n    pass\nprint(q)\n",
            "if (n := 3) > 2:\n    print(n)\n",
            "from os.path import *\nprint(join('a', 'b'))\n",
            "match given:\n    case {'a': first, **rest}:\n        print(first, rest)\n",
        ],
    )
    def test_defined_ones(self, folder: Folder, source: str) -> None:
        folder.add(source)
        assert told(folder.findings()) == []

    @pytest.mark.parametrize(
        ("start", "severity"), [("from __future__ import annotations\n", "warning"), ("\n", "error")]
    )
    def test_in_an_annotation(self, folder: Folder, start: str, severity: str) -> None:
        folder.put("other.py", start + "def f(x: Frame) -> None: ...\n")
        assert told(folder.findings()) == [("other.py", 2, "name", severity)]

    def test_in_an_annotation_that_is_a_text(self, folder: Folder) -> None:
        folder.add("def f(x: 'Frame') -> None: ...\n")
        assert [one.severity for one in folder.findings("name")] == ["warning"]


class TestHeader:
    def test_none(self, folder: Folder) -> None:
        folder.put("train.py", TRAIN)
        (found,) = folder.findings("header")
        assert (found.file, found.line, found.severity) == ("train.py", 1, "error")
        assert "# /// script" in found.message

    @pytest.mark.parametrize(
        ("old", "new"),
        [("# ///\n", ""), ('"numpy"', "numpy"), ('["numpy"', '[1, "numpy"'), ('">=3.11"', "3.11")],
    )
    def test_one_that_cannot_be_read(self, folder: Folder, old: str, new: str) -> None:
        folder.put("predict.py", HEADER.replace(old, new) + PREDICT)
        assert told(folder.findings()) == [("predict.py", 1, "header", "error")]

    def test_siblings_need_none(self, folder: Folder) -> None:
        folder.put("model.py", "x = 1\n")
        assert told(folder.findings()) == []


class TestCommandLine:
    @pytest.mark.parametrize("flag", ["--data", "--out", "--seed", "--smoke"])
    def test_of_training(self, folder: Folder, flag: str) -> None:
        text = re.sub(rf'(?m)^parser.add_argument\("{flag}".*\n', "", HEADER + TRAIN)
        folder.put("train.py", text)
        (found,) = folder.findings("command_line")
        assert (found.file, found.severity) == ("train.py", "error")
        assert f"does not take {flag}." in found.message

    @pytest.mark.parametrize("flag", ["--model", "--inputs", "--out"])
    def test_of_the_prediction(self, folder: Folder, flag: str) -> None:
        folder.put("predict.py", re.sub(rf'(?m)^parser.add_argument\("{flag}".*\n', "", HEADER + PREDICT))
        (found,) = folder.findings("command_line")
        assert (found.file, found.severity) == ("predict.py", "error")

    @pytest.mark.parametrize("mention", ["# --smoke\n", '"""--smoke"""\n', 'print("--smoke")\n'])
    def test_a_mention_is_no_argument(self, folder: Folder, mention: str) -> None:
        text = re.sub(r'(?m)^parser.add_argument\("--smoke".*\n', mention, HEADER + TRAIN)
        folder.put("train.py", text)
        assert [one.severity for one in folder.findings("command_line")] == ["error"]

    def test_a_parser_in_a_sibling(self, folder: Folder) -> None:
        folder.put("options.py", TRAIN)
        folder.put("train.py", HEADER + "import options\nprint(options.given)\n")
        assert told(folder.findings()) == []

    @pytest.mark.parametrize(
        "source",
        [
            "import typer\ndef main(data: str, out: str, seed: int = 0, smoke: bool = False): ...\ntyper.run(main)\n",
            "import sys\nprint(sys.argv)\n",
            "import argparse\np = argparse.ArgumentParser()\nfor n in ('data', 'out'):\n    p.add_argument(f'--{n}')\n",
            "import argparse\nF = [('--data',)]\np = argparse.ArgumentParser()\nfor f in F:\n    p.add_argument(*f)\n",
        ],
    )
    def test_a_parser_of_another_kind_is_a_warning(self, folder: Folder, source: str) -> None:
        folder.put("train.py", HEADER + source + "print('metrics.jsonl')\n")
        assert [one.severity for one in folder.findings("command_line")] == ["warning"]

    def test_no_parser_at_all(self, folder: Folder) -> None:
        folder.put("train.py", HEADER + "print('metrics.jsonl')\n")
        assert told(folder.findings()) == [("train.py", 1, "command_line", "error")]

    def test_an_abbreviation_is_a_warning(self, folder: Folder) -> None:
        folder.put("train.py", HEADER + TRAIN.replace('"--data"', '"--data-dir"').replace(", required=True", ""))
        (found,) = folder.findings("command_line")
        assert found.severity == "warning"
        assert "--data-dir" in found.message

    @pytest.mark.parametrize("argument", ['"--epochs", required=True', '"folder"', '"folder", nargs=1'])
    def test_what_nobody_gives(self, folder: Folder, argument: str) -> None:
        line = folder.add(f"parser.add_argument({argument})\n")
        assert told(folder.findings()) == [("train.py", line, "command_line", "error")]

    @pytest.mark.parametrize(
        "argument", ['"--epochs", default=3', '"folder", nargs="?"', '"-e", "--epochs", type=int', '"-x", **more']
    )
    def test_what_need_not_be_given(self, folder: Folder, argument: str) -> None:
        folder.add(f"more = {{}}\nparser.add_argument({argument})\n")
        assert told(folder.findings()) == []

    @pytest.mark.parametrize("action", ["argparse.BooleanOptionalAction", "'store_true'", "'store_const', const=1"])
    def test_switches(self, folder: Folder, action: str) -> None:
        folder.put("train.py", HEADER + TRAIN.replace('action="store_true"', f"action={action}"))
        assert told(folder.findings()) == []

    def test_a_smoke_flag_with_a_value(self, folder: Folder) -> None:
        folder.put("train.py", HEADER + TRAIN.replace('action="store_true"', "type=bool"))
        assert [one.severity for one in folder.findings("command_line")] == ["error"]


def test_metrics_that_are_never_named(folder: Folder) -> None:
    folder.put("train.py", HEADER + TRAIN.replace('"metrics.jsonl"', '"log.txt"') + "# metrics.jsonl\n")
    assert told(folder.findings()) == [("train.py", 1, "metrics", "warning")]


class TestFileNames:
    def test_the_reserved_ones_are_those_of_the_package_and_of_the_document(self) -> None:
        assert frozenset(OURS) == RESERVED
        contract = Path(__file__).parents[2] / "docs" / "script-contract.md"
        assert all(f"`{name}`" in contract.read_text() for name in RESERVED)

    @pytest.mark.parametrize("name", ["README.md", "requirements.txt", "my file.txt", "-x.txt"])
    def test_that_are_not_possible(self, folder: Folder, name: str) -> None:
        folder.put(name, "x")
        (found,) = folder.findings("file_name")
        assert found.severity == "error"

    def test_a_module_of_python_itself(self, folder: Folder) -> None:
        folder.put("random.py", "x = 1\n")
        assert told(folder.findings()) == [("random.py", 1, "file_name", "warning")]

    def test_folders_and_links(self, folder: Folder) -> None:
        (folder.path / "layers").mkdir()
        (folder.path / "__pycache__").mkdir()
        (folder.path / "link.py").symlink_to("train.py")
        assert told(folder.findings()) == [
            ("layers", 1, "file_name", "warning"),
            ("link.py", 1, "file_name", "warning"),
        ]


class TestPickles:
    @pytest.mark.parametrize(
        ("source", "severity"),
        [
            ("import pickle\npickle.dump({}, open('m', 'wb'))\n", "error"),
            ("from pickle import load as read\nread(open('m', 'rb'))\n", "error"),
            ("import joblib\njoblib.dump({}, 'm')\n", "error"),
            ("from joblib import load\nload('m')\n", "error"),
            ("import torch as t\nt.save({}, 'm')\n", "error"),
            ("import pandas as pd\npd.DataFrame().to_pickle('m')\n", "error"),
            ("import pickle\nx = pickle.dumps({})\n", "warning"),
            ("import numpy as np\nnp.load('m.npy', allow_pickle=True)\n", "warning"),
        ],
    )
    def test_are_found(self, folder: Folder, source: str, severity: str) -> None:
        line = folder.add(source)
        assert told(folder.findings()) == [("train.py", line + 1, "pickle", severity)]

    def test_what_to_use_instead(self, folder: Folder) -> None:
        folder.add("import joblib\nimport torch\njoblib.dump({}, 'm')\ntorch.save({}, 'm')\n")
        sklearn, torch = (one.message for one in folder.findings("pickle"))
        assert "skops" in sklearn
        assert "safetensors.torch.save_file" in torch

    @pytest.mark.parametrize(
        "source",
        [
            "import json\njson.dump({}, open('m', 'w'))\n",
            "import skops.io as sio\nsio.dump({}, 'm')\n",
            "class pickle:\n    dump = print\npickle.dump(1)\n",
            "import numpy as np\nnp.savez('m', a=np.zeros(3))\n",
            "# pickle.dump(model)\n'pickle.dump(model)'\n",
        ],
    )
    def test_other_ways_are_not(self, folder: Folder, source: str) -> None:
        folder.add(source)
        assert told(folder.findings()) == []


class TestPlaces:
    @pytest.mark.parametrize(
        "literal",
        ['"/home/me/data.csv"', '"~/data"', 'f"/mnt/{given}/x"', '"/kaggle/input"', '"/data"', r'"C:\\data\\x"'],
    )
    def test_of_one_machine(self, folder: Folder, literal: str) -> None:
        line = folder.add(f"place = {literal}\n")
        assert told(folder.findings()) == [("train.py", line, "path", "warning")]

    @pytest.mark.parametrize("call", ["Path.home()", 'Path("~")', 'os.path.expanduser("x")'])
    def test_the_home(self, folder: Folder, call: str) -> None:
        line = folder.add(f"import os\nplace = {call}\n")
        assert told(folder.findings()) == [("train.py", line + 1, "path", "warning")]

    @pytest.mark.parametrize(
        "source",
        [
            '"""Reads /home/me/data."""\n',
            'x = "a/b", "/", "~", "y ~ x", "//", "/score", "s/home/x/", "/tmp/x", "a:b"\n',
            'x = f"{given}/home/x"\n',
            'parser.add_argument("--x", help="/data/ by default")\n',
            "x = 1  # /home/me\n",
        ],
    )
    def test_other_texts(self, folder: Folder, source: str) -> None:
        folder.add(source)
        assert told(folder.findings()) == []


class TestNetwork:
    @pytest.mark.parametrize(
        "call",
        [
            "requests.get(given)",
            "urllib.request.urlopen(given)",
            "urlretrieve(given)",
            "hf_hub_download('a/b', 'c')",
            "datasets.load_dataset('imdb')",
            "transformers.AutoModel.from_pretrained('bert-base-uncased')",
            "transformers.AutoModel.from_pretrained(NAME)",
            "fetch_openml('adult')",
            "pd.read_csv('https://example.org/x.csv')",
            "pd.read_parquet('hf://datasets/a/b.parquet')",
            "torchvision.datasets.MNIST('x', download=True)",
            "given.model.push_to_hub('a/b')",
            "transformers.pipeline('sentiment', model='a/b')",
        ],
    )
    def test_there_is_none(self, folder: Folder, call: str) -> None:
        folder.add(
            f"""
            import datasets, requests, torchvision, transformers, urllib.request
            import pandas as pd
            from huggingface_hub import hf_hub_download
            from sklearn.datasets import fetch_openml
            from urllib.request import urlretrieve
            NAME = "bert-base-uncased"
            {call}
            """
        )
        (found,) = folder.findings("network")
        assert found.severity == "warning"
        assert "no" in found.message
        assert told(folder.findings()) == told([found])

    @pytest.mark.parametrize(
        "call",
        [
            "transformers.AutoModel.from_pretrained(given.model / 'model')",
            "transformers.AutoModel.from_pretrained('x', local_files_only=True)",
            "datasets.load_dataset('parquet', data_files=str(given.data))",
            "pd.read_csv(given.data / 'x.csv')",
            "print('see https://example.org')",
            "{}.get('https://example.org/ontology')",
        ],
    )
    def test_what_needs_none(self, folder: Folder, call: str) -> None:
        folder.add(f"import datasets, transformers\nimport pandas as pd\n{call}\n")
        assert told(folder.findings()) == []


class TestFineTuning:
    def test_flash_attention_without_its_package(self, folder: Folder) -> None:
        source = "import transformers\ntransformers.AutoModel.from_config(1, attn_implementation='flash_attention_2')\n"
        line = folder.add(source)
        assert told(folder.findings()) == [("train.py", line + 1, "fine_tuning", "warning")]
        folder.put("train.py", HEADER.replace('"numpy"', '"flash-attn>=2"') + TRAIN + source)
        assert told(folder.findings()) == []

    @pytest.mark.parametrize("name", ["transformers.TrainingArguments", "trl.SFTConfig", "Seq2SeqTrainingArguments"])
    def test_losses_as_lines(self, folder: Folder, name: str) -> None:
        line = folder.add(
            f"import transformers, trl\nfrom transformers import Seq2SeqTrainingArguments\n{name}('x', report_to='none')\n"
        )
        (found,) = folder.findings("fine_tuning")
        assert (found.line, found.severity) == (line + 2, "warning")
        assert "disable_tqdm=True" in found.message
        assert "logging_strategy" in found.message

    @pytest.mark.parametrize(
        "call",
        [
            "trl.SFTConfig('x', disable_tqdm=True, logging_strategy='steps')",
            "trl.SFTConfig(**{})",
            "TrainingArguments('x')",
        ],
    )
    def test_losses_that_are_lines_or_may_be(self, folder: Folder, call: str) -> None:
        folder.add(f"import trl\nclass TrainingArguments(dict): ...\n{call}\n")
        assert told(folder.findings()) == []


def test_chance_without_a_seed_is_not_judged(folder: Folder) -> None:
    folder.add("import random\nrandom.random()\n")
    assert told(folder.findings()) == []
