"""Asterisk configuration: the dialplan contexts and the samples of a production set-up. Data, no Python."""
