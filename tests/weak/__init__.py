"""Runs with a real model that is far too weak for the job. Opt-in: `make test-weak-model`."""
