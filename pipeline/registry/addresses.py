"""Addresses as they may be shown and stored: without user and password."""

import re

_USER = re.compile(r"(?<=://)[^/\s'\"]*@")


def public(text: str) -> str:
    """A text without what stands before the host of its addresses: `http://me:secret@host`."""
    return _USER.sub("", text)
