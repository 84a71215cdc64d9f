"""A program that loads libraries once and forks for every order: JSON in, JSON out, a line each."""

import json
import subprocess
import sys


class Forks:
    """The program at work, until `close`."""

    def __init__(self, script, **options):
        self._process = subprocess.Popen(
            [sys.executable, script],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options,
        )  # fmt: skip

    def ask(self, order):
        """The answer to an order."""
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"{order} took its interpreter with it"
        return json.loads(answer)

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
