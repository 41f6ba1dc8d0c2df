"""The probes of the `kit` server, as an application of a stock Python server."""

import asyncio
import zlib

from wslink import register, server, websocket

SECRET = "wslink-secret"


class Probes(websocket.LinkProtocol):
    @register("kit.echo")
    def echo(self, *args, **kwargs):
        return {"args": list(args), "kwargs": kwargs}

    @register("kit.raise")
    def fail(self, message):
        raise ValueError(message)

    @register("kit.blob")
    def blob(self, size, seed=0):
        return self.addAttachment(pattern(size, seed))

    @register("kit.blob.info")
    def blob_info(self, data):
        return {"length": len(data), "crc32": zlib.crc32(data)}

    @register("kit.publish")
    def publish_values(self, topic, payload, count=None):
        for event in [payload] if count is None else [{"n": n, "payload": payload} for n in range(count)]:
            self.publish(topic, event)

    @register("kit.publish.blob")
    def publish_blob(self, topic, size, seed=0):
        self.publish(topic, {"blob": self.addAttachment(pattern(size, seed))})

    @register("kit.hang")
    async def hang(self):
        # The server awaits each call before it reads the next one.
        await asyncio.sleep(1)


class Protocol(websocket.ServerProtocol):
    def initialize(self):
        self.updateSecret(SECRET)
        self.registerLinkProtocol(Probes())

    def port_callback(self, port):
        # As the servers of this repository say it.
        print(f"wslink: listening on http://127.0.0.1:{port}/", flush=True)


def pattern(size, seed):
    return bytes((31 * i + 7 * (i >> 8) + seed) & 255 for i in range(size))


if __name__ == "__main__":
    server.start(protocol=Protocol)
