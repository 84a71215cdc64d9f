"""A Problem: something that the user, or the world, can put right.

It names what is wrong, where (file and line, or the key of a parameter), the value that was found
and the remedy. Programs end with it as one message and exit code 1; anything else that is raised is
a bug of ours and shows its traceback.
"""


class Problem(Exception):
    """What, where, value, remedy, for a person. `retry`: may the same work succeed later?"""

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        value: object = None,
        remedy: str = "",
        retry: bool = False,
    ) -> None:
        super().__init__(what, where, value, remedy, retry)
        self.what = what
        self.where = where
        self.value = value
        self.remedy = remedy
        self.retry = retry

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.value is not None:
            lines.append(f"  found:  {_short(self.value)}")
        if self.remedy:
            lines.append(f"  remedy: {self.remedy}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        """Problems travel between processes; keyword-only arguments need help to do so."""
        return _rebuild, (self.what, self.where, self.value, self.remedy, self.retry)


def _rebuild(what: str, where: str, value: object, remedy: str, retry: bool) -> Problem:
    return Problem(what, where=where, value=value, remedy=remedy, retry=retry)


def _short(value: object, limit: int = 200) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
