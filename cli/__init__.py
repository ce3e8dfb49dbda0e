"""The terminal: Typer commands and Rich rendering. Nothing here decides anything about a run."""
