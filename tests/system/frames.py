"""Frames of Aeron's wire format, as bytes."""
import struct

DATA, PAD, NAK, SM, ERR, SETUP, RTTM, RES, RSP_SETUP = 1, 0, 2, 3, 4, 5, 6, 7, 0xB


def header(length, kind, flags=0xC0, version=0):
    return struct.pack('<iBBH', length, version, flags, kind)


def data(session, stream, term_id, offset, body=b'', length=None):
    length = 32 + len(body) if length is None else length
    frame = header(length, DATA) + struct.pack('<iiiiq', offset, session, stream, term_id, 0) + body
    return frame + bytes(-len(frame) % 32)


def setup(session, stream, offset=0, initial=0, active=0, term=65536, mtu=1408, ttl=0):
    return header(40, SETUP, 0) + struct.pack('<iiiiiiii', offset, session, stream, initial, active, term, mtu,
                                             ttl)


def status(session, stream, term_id=0, offset=0, window=131072, receiver=1):
    return header(36, SM, 0) + struct.pack('<iiiiiq', session, stream, term_id, offset, window, receiver)


def nak(session, stream, term_id=0, offset=0, length=4096):
    return header(28, NAK, 0) + struct.pack('<iiiii', session, stream, term_id, offset, length)
