"""A policy file for a test, in the folder that the test's runs look into."""

from __future__ import annotations

from trainwright.graph.settings import config_folder

__all__ = ["rules"]


def rules(*entries: str) -> None:
    """Make these the person's own rules: the lines of each entry, such as `tool = "plan"`."""
    folder = config_folder()
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(f"[[rule]]\n{entry}\n" for entry in entries)
    (folder / "policy.toml").write_text(text, encoding="utf-8")
