"""A server that speaks S3, which tests stop and start: moto's, in a process of its own.

It keeps everything in memory: what was started again is empty.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

NAME = "tests"
SECRET = "hardly-a-secret"


class Server:
    """The server; its address stays when it is started again."""

    def __init__(self, log, host="127.0.0.1"):
        with socket.socket() as probe:
            probe.bind((host, 0))
            self.port = probe.getsockname()[1]
        self.host, self.log, self.process = host, log, None
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://{host}:{self.port}",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def start(self):
        """Start it, and make the bucket."""
        command = [sys.executable, "-m", "moto.server", "-H", self.host, "-p", str(self.port)]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        url = f"{self.environment['AWS_ENDPOINT_URL']}/{NAME}"
        for _ in range(600):
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(OSError):
                urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=5).close()
                return
            time.sleep(0.1)
        raise AssertionError("the server does not start")

    def kill(self):
        """End it at once."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self):
        """It neither answers nor refuses, as behind a network that is away."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)
