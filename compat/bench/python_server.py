"""The remote view on the original server: pictures that were drawn before, sent as the mouse moves.

A picture takes as long as it took to draw, and nothing else happens meanwhile, as with VTK; with DRAWS=no it takes nothing.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from wslink import register, server
from wslink.websocket import LinkProtocol, ServerProtocol

VIEW = "1"
TOPIC = "viewport.image.push.subscription"
DONE = {"result": "success"}
DRAWS = os.environ.get("DRAWS") != "no"


class View(LinkProtocol):
    """As much of the remote view as vtk.js needs."""

    def __init__(self, folder):
        super().__init__()
        # Named by their number and the milliseconds that they took: `07-23.jpg`.
        self.pictures = [(path.read_bytes(), int(path.stem.split("-")[1])) for path in sorted(Path(folder).glob("*.jpg"))]
        self.sent = 0
        self.events = 0
        self.scheduled = False

    def push(self):
        """Once for all that has come when the loop gets to it."""
        if not self.scheduled:
            self.scheduled = True
            asyncio.get_running_loop().call_soon(self.draw)

    def draw(self):
        self.scheduled = False
        picture, work = self.pictures[self.sent % len(self.pictures)]
        if DRAWS:
            time.sleep(work / 1000)
        self.sent += 1
        self.publish(
            TOPIC,
            {
                "image": self.addAttachment(picture),
                "id": VIEW,
                "size": [1, 1],
                "memsize": len(picture),
                "format": "jpeg",
                "mtime": self.sent,
                "stale": False,
                "global_id": VIEW,
                "localTime": 0,
                "workTime": work if DRAWS else 0,
                "events": self.events,
            },
        )

    @register("viewport.image.push.observer.add")
    def observe(self, view):
        # One page at a time.
        self.events = 0
        return {"success": True, "viewId": VIEW}

    @register("viewport.image.push.observer.remove")
    def leave(self, view):
        return DONE

    @register("viewport.image.push.original.size")
    def resize(self, view, width, height):
        return DONE

    @register("viewport.image.push.quality")
    def quality(self, view, quality, ratio=1):
        return DONE

    @register("viewport.image.push.invalidate.cache")
    def invalidate(self, view):
        self.push()
        return DONE

    @register("viewport.image.push")
    def push_now(self, options):
        self.push()

    @register("viewport.mouse.interaction")
    def mouse(self, event):
        if event["action"] == "down":
            self.events += 1
            self.push()


class Protocol(ServerProtocol):
    folder = ""

    def initialize(self):
        self.registerLinkProtocol(View(self.folder))
        self.updateSecret("wslink-secret")


if __name__ == "__main__":
    Protocol.folder = sys.argv.pop(1)
    server.start(protocol=Protocol)
