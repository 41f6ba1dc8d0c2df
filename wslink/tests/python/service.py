"""Probes on the original wslink, for any of its versions: what the Rust client is tested against.

Prints `port N` once it listens; ends when its standard input does.
"""

import argparse
import asyncio
import os
import sys
import threading

from wslink import register, server
from wslink.websocket import LinkProtocol, ServerProtocol


class Probes(LinkProtocol):
    @register("probe.echo")
    def echo(self, *args, **kwargs):
        return {"args": list(args), "kwargs": kwargs}

    @register("probe.sleep")
    async def sleep(self, seconds):
        await asyncio.sleep(seconds)
        return seconds

    @register("probe.raise")
    def fail(self, message):
        raise ValueError(message)

    @register("probe.exit")
    def exit(self):
        os._exit(0)

    @register("probe.blob")
    def blob(self, size, times=1):
        data = self.addAttachment(pattern(size))
        return [data] * times

    @register("probe.check")
    def check(self, *blobs, **named):
        return [blob == pattern(len(blob)) for blob in [*blobs, *named.values()]]

    @register("probe.publish")
    def publish_count(self, topic, count):
        for n in range(count):
            self.publish(topic, n)

    @register("probe.publish.blob")
    def publish_blob(self, topic, size):
        self.publish(topic, {"blob": self.addAttachment(pattern(size))})


def pattern(size):
    return bytes(range(251)) * (size // 251) + bytes(range(size % 251))


class Service(ServerProtocol):
    def initialize(self):
        self.registerLinkProtocol(Probes())
        self.updateSecret("a secret")

    def port_callback(self, port):
        print(f"port {port}", flush=True)


def end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    server.add_arguments(parser)
    arguments = parser.parse_args()
    threading.Thread(target=end_with_input, daemon=True).start()
    server.start_webserver(arguments, Service)
