"""A driver's files as bytes: counters to read, a command ring and a broadcast to speak raw on, logs to spoil.

Written against the formats alone, not against our library, so that neither can hide the other's mistake.
"""
import mmap
import os
import struct

from harness import await_that


class Cnc:
    """A driver's cnc.dat as bytes: counters to read, a command ring and a broadcast to speak raw on."""
    HEADER = 128
    RING_TRAILER = 768
    BROADCAST_TRAILER = 128

    def __init__(self, directory):
        with open(os.path.join(directory, 'cnc.dat'), 'r+b') as file:
            self.bytes = mmap.mmap(file.fileno(), 0)
        lengths = struct.unpack_from('<5i', self.bytes, 4)
        self.ring_at = self.HEADER
        self.ring_capacity = lengths[0] - self.RING_TRAILER
        self.events_at = self.ring_at + lengths[0]
        self.events_capacity = lengths[1] - self.BROADCAST_TRAILER
        self.metadata_at = self.events_at + lengths[1]
        self.values_at = self.metadata_at + lengths[2]
        self.capacity = lengths[3] // 128
        self._next_event = self.i64(self.events_at + self.events_capacity + 8)

    def i64(self, at):
        return struct.unpack_from('<q', self.bytes, at)[0]

    def i32(self, at):
        return struct.unpack_from('<i', self.bytes, at)[0]

    def put(self, fmt, at, *values):
        struct.pack_into('<' + fmt, self.bytes, at, *values)

    def counters(self):
        """(id, type, value, label) of each allocated counter."""
        out = []
        for index in range(self.capacity):
            at = self.metadata_at + 512 * index
            state, kind = struct.unpack_from('<ii', self.bytes, at)
            if state == 0:
                break
            if state == 1:
                length = min(self.i32(at + 128), 380)
                label = self.bytes[at + 132:at + 132 + length].decode(errors='replace')
                out.append((index, kind, self.i64(self.values_at + 128 * index), label))
        return out

    def system(self, index):
        """A system counter; their ids are their places."""
        return self.i64(self.values_at + 128 * index)

    def next_correlation_id(self):
        at = self.ring_at + self.ring_capacity + 512
        value = self.i64(at)
        self.put('q', at, value + 1)
        return value

    def heartbeat_ms(self):
        return self.i64(self.ring_at + self.ring_capacity + 640)

    def command(self, kind, body, length=None):
        """Writes one record. Only while nobody else writes: this claim is no atomic one."""
        length = 8 + len(body) if length is None else length
        aligned = (8 + len(body) + 7) & ~7
        tail_at = self.ring_at + self.ring_capacity + 128
        tail = self.i64(tail_at)
        offset = tail % self.ring_capacity
        if offset + aligned > self.ring_capacity:
            rest = self.ring_capacity - offset
            self.put('q', tail_at, tail + rest)
            self.put('ii', self.ring_at + offset, rest, -1)
            tail, offset = tail + rest, 0
        self.put('q', tail_at, tail + aligned)
        at = self.ring_at + offset
        self.put('i', at + 4, kind)
        self.bytes[at + 8:at + 8 + len(body)] = body
        self.put('i', at, length)

    def next_event(self):
        """(type, body) or None."""
        tail = self.i64(self.events_at + self.events_capacity + 8)
        while self._next_event < tail:
            at = self.events_at + self._next_event % self.events_capacity
            length, kind = struct.unpack_from('<ii', self.bytes, at)
            self._next_event += (length + 7) & ~7
            if kind != -1:
                return kind, bytes(self.bytes[at + 8:at + length])
        return None

    def await_event(self, kind, seconds=10):
        def look():
            event = self.next_event()
            while event is not None and event[0] != kind:
                event = self.next_event()
            return event
        return await_that(look, f'event {kind:#x}', seconds)[1]

    def is_consumed(self):
        trailer = self.ring_at + self.ring_capacity
        return self.i64(trailer + 128) == self.i64(trailer + 384)


class RawClient:
    """A client that speaks in bytes, so that it can say what no library would."""
    ADD_PUBLICATION, ADD_EXCLUSIVE, ADD_SUBSCRIPTION, KEEPALIVE = 1, 3, 4, 6

    def __init__(self, directory):
        self.cnc = Cnc(directory)
        self.id = self.cnc.next_correlation_id()

    def keepalive(self):
        self.cnc.command(self.KEEPALIVE, struct.pack('<qq', self.id, 0))

    def add_publication(self, channel, stream):
        """(registration, session, path of the log)"""
        correlation = self.cnc.next_correlation_id()
        text = channel.encode()
        self.cnc.command(self.ADD_PUBLICATION,
                         struct.pack('<qqii', self.id, correlation, stream, len(text)) + text)
        body = self.cnc.await_event(0x0F03)
        registration, session = struct.unpack_from('<q', body, 8)[0], struct.unpack_from('<i', body, 16)[0]
        length = struct.unpack_from('<i', body, 32)[0]
        return registration, session, body[36:36 + length].decode()


class Log:
    """A log file as bytes. source: log buffer descriptor; its metadata is the last 4 KiB."""
    METADATA = 4096
    IS_CONNECTED = 136
    DEFAULT_HEADER = 320

    def __init__(self, path):
        with open(path, 'r+b') as file:
            self.bytes = mmap.mmap(file.fileno(), 0)
        self.metadata = len(self.bytes) - self.METADATA
        self.term_length = self.metadata // 3

    def tail(self, index=0):
        """(term id, offset)"""
        raw = struct.unpack_from('<q', self.bytes, self.metadata + 8 * index)[0]
        return raw >> 32, raw & 0xFFFFFFFF

    def is_connected(self):
        return struct.unpack_from('<i', self.bytes, self.metadata + self.IS_CONNECTED)[0] == 1

    def append(self, body, index=0):
        """A whole message, as long as nobody else appends."""
        offset = self.claim(len(body), index)
        at = index * self.term_length + offset
        term_id = self.tail(index)[0]
        session, stream = struct.unpack_from('<ii', self.bytes, self.metadata + self.DEFAULT_HEADER + 12)
        struct.pack_into('<BBHiiiiq', self.bytes, at + 4, 0, 0xC0, 1, offset, session, stream, term_id, 0)
        self.bytes[at + 32:at + 32 + len(body)] = body
        struct.pack_into('<i', self.bytes, at, 32 + len(body))

    def claim(self, length, index=0):
        """Takes room for a frame as a producer does and never commits it. Returns the frame's offset."""
        raw = struct.unpack_from('<q', self.bytes, self.metadata + 8 * index)[0]
        aligned = (length + 32 + 31) & ~31
        struct.pack_into('<q', self.bytes, self.metadata + 8 * index, raw + aligned)
        offset = raw & 0xFFFFFFFF
        struct.pack_into('<i', self.bytes, index * self.term_length + offset, -(length + 32))
        return offset
