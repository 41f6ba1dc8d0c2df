"""The remote view on the original server: pictures that were drawn before, sent as the mouse moves."""

import sys
from pathlib import Path

from wslink import register, server
from wslink.websocket import LinkProtocol, ServerProtocol

VIEW = "1"
TOPIC = "viewport.image.push.subscription"
DONE = {"result": "success"}


class View(LinkProtocol):
    """As much of the remote view as vtk.js needs; drawing costs nothing here."""

    def __init__(self, folder):
        super().__init__()
        self.pictures = [path.read_bytes() for path in sorted(Path(folder).glob("*.jpg"))]
        self.sent = 0
        self.events = 0

    def push(self):
        picture = self.pictures[self.sent % len(self.pictures)]
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
                "workTime": 0,
                "events": self.events,
            },
        )

    @register("viewport.image.push.observer.add")
    def observe(self, view):
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
