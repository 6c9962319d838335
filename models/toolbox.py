"""Where the programs lie that are not Python packages: Asterisk, espeak-ng, sox, SIPp.

A program on PATH is preferred; the fallback is the folder of Debian packages
that `hotline/fetch.py` unpacked into the cache, run through its own loader
(docs/decisions). Standard library only: it is imported before the virtual
environment exists.
"""
