"""The secret of all consoles under test."""

SECRET = "a secret only for tests, 32 long"
