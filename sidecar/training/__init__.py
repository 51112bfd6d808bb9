"""Trains the adapters that turn text into virtual tokens. See README.md."""
