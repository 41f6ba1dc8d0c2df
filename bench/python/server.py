"""The bench contract on the original server: wslink with aiohttp."""

import asyncio
import sys

from wslink import register, server
from wslink.websocket import LinkProtocol, ServerProtocol

# Events that may wait before a stream pauses.
WAITING_BYTES = 256 * 1024


class Bench(LinkProtocol):
    def __init__(self):
        super().__init__()
        self.blobs = {}
        self.streams = set()

    @register("bench.add")
    def add(self, a, b):
        return a + b

    @register("bench.blob")
    def blob(self, size):
        if size not in self.blobs:
            self.blobs[size] = (bytes(range(256)) * (size // 256 + 1))[:size]
        return self.blobs[size]

    @register("bench.upload")
    def upload(self, data):
        return len(data)

    @register("bench.sleep")
    async def sleep(self, ms):
        await asyncio.sleep(ms / 1000)

    @register("bench.fail")
    def fail(self, message):
        raise RuntimeError(message)

    @register("bench.frames.start")
    def frames(self, size, count, period_ms):
        self.begin(self.publish_frames(size, count, period_ms / 1000))

    async def publish_frames(self, size, count, period):
        clock = asyncio.get_running_loop().time
        start = clock()
        for number in range(count):
            await asyncio.sleep(max(0, start + period * (number + 1) - clock()))
            self.publish("bench.frames", number.to_bytes(8, "little") + bytes([0xAB]) * (size - 8))

    @register("bench.stream.start")
    def stream(self, topic, size, count):
        self.begin(self.publish_all(topic, size, count))

    def begin(self, stream):
        task = asyncio.get_running_loop().create_task(stream)
        self.streams.add(task)
        task.add_done_callback(self.streams.discard)

    async def publish_all(self, topic, size, count):
        monitor = self.coreServer.network_monitor
        window = max(1, WAITING_BYTES // (size + 128))
        await asyncio.sleep(0.001)
        before = monitor.pending
        for number in range(count):
            self.publish(topic, number.to_bytes(8, "little") + bytes([0xAB]) * (size - 8))
            while monitor.pending > before + window:
                await asyncio.sleep(0.0005)


class Protocol(ServerProtocol):
    def initialize(self):
        bench = Bench()
        self.registerLinkProtocol(bench)
        self.updateSecret("wslink-secret")


if __name__ == "__main__":
    options = ["--host", "127.0.0.1", "--port", sys.argv[1], "--timeout", "0"]
    server.start(options, Protocol)
