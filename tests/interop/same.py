"""The same raw commands to a stock driver and to ours: answers, counters and logs must be the same.

What differs on purpose, and why it may:
  counter ids          ours has counters of its own after the system counters; clients learn ids from events
  error texts          each driver's own; the codes are compared
  codes of bad values  1 (INVALID_CHANNEL), where a stock C driver says 11 (GENERIC) and a Java one 1
  sparse               our logs take their memory when they are made; both drivers are told not to here
  max_resend           the value in force, as a Java driver writes; a stock C driver writes 0 unless the channel says
  so-rcvbuf, so-sndbuf what was asked for, by the channel or the configuration; a stock C driver looks at the channel
  OS default buffers   of sockets; an IPC log has none
  receiver_window      the window in force, which is at most half a term
  IPC rejection        the address is in network order, as from a network
  not compared         removing a destination by id from what is not there: a stock C driver does not answer
"""
import os
import re
import struct

from bench import await_that, need
from driver_files import Log, RawClient
from harness import udp_port

EVENTS = {0x0F01: 'ERROR', 0x0F02: 'AVAILABLE', 0x0F03: 'PUBLICATION', 0x0F04: 'SUCCESS', 0x0F05: 'UNAVAILABLE',
          0x0F06: 'EXCLUSIVE', 0x0F07: 'SUBSCRIPTION', 0x0F08: 'COUNTER', 0x0F09: 'NO COUNTER', 0x0F0A: 'TIMEOUT',
          0x0F0B: 'STATIC', 0x0F0C: 'REJECTED', 0x0F0D: 'SESSION'}
LOG_FIELDS = {
    'active_term_count': (24, 'i'), 'end_of_stream': (128, 'q'), 'is_connected': (136, 'i'), 'transports': (140, 'i'),
    'correlation_id': (256, 'q'), 'initial_term_id': (264, 'i'), 'header_length': (268, 'i'), 'mtu': (272, 'i'),
    'term_length': (276, 'i'), 'page_size': (280, 'i'), 'publication_window': (284, 'i'),
    'default_header': (320, '32s'), 'entity_tag': (448, 'q'), 'response_id': (456, 'q'), 'linger': (464, 'q'),
    'untethered_window_limit': (472, 'q'), 'untethered_resting': (480, 'q'), 'group': (488, 'B'),
    'is_response': (489, 'B'), 'rejoin': (490, 'B'), 'reliable': (491, 'B'), 'sparse': (492, 'B'),
    'signal_eos': (493, 'B'), 'ssc': (494, 'B'), 'tether': (495, 'B'), 'revoked': (496, 'B'), 'type': (497, 'B'),
    'untethered_linger': (500, 'q'), 'tail 0': (0, 'q'), 'tail 1': (8, 'q'), 'tail 2': (16, 'q')}
COUNTER, STATIC, SESSION, REJECT = 0x09, 0x0F, 0x12, 0x10
ADD_SEND, REMOVE_SEND, ADD_RECEIVE, REMOVE_RECEIVE, REMOVE_BY_ID = 0x07, 0x08, 0x0C, 0x0D, 0x11
PUBLICATION, EXCLUSIVE, SUBSCRIPTION, REMOVE_PUBLICATION, REMOVE_SUBSCRIPTION, REMOVE_COUNTER = 1, 3, 4, 2, 5, 10


class Asker(RawClient):
    """Asks one thing at a time and keeps all events."""
    known = ()  # addresses that are not random
    events_only = False  # counters and logs are still changing

    def __init__(self, directory):
        super().__init__(directory)
        self.directory = directory
        self.events = []

    def drain(self):
        while (event := self.cnc.next_event()) is not None:
            self.events.append(event)
        return self.events

    def await_event(self, kind, seconds=10):
        return await_that(lambda: next((body for seen, body in self.drain() if seen == kind), None),
                          EVENTS[kind], seconds)

    def ask(self, kind, body):
        correlation = self.cnc.next_correlation_id()
        self.cnc.command(kind, struct.pack('<qq', self.id, correlation) + body)
        images = (0x0F02, 0x0F05, 0x0F09, 0x0F0A, 0x0F0C)
        await_that(lambda: any(seen not in images and struct.unpack_from('<q', body)[0] == correlation
                               for seen, body in self.drain()), f'the answer to {kind:#x}', 10)
        return correlation

    def add(self, kind, channel, stream=10):
        text = channel.encode()
        head = struct.pack('<q', -1) if kind == SUBSCRIPTION else b''
        return self.ask(kind, head + struct.pack('<ii', stream, len(text)) + text)

    def destination(self, kind, target, channel):
        text = channel.encode()
        return self.ask(kind, struct.pack('<qi', target, len(text)) + text)

    def plain(self, text):
        """Without what is random or this driver's own."""
        text = text.replace(self.directory, 'DIR')
        return re.sub(r'(127\.0\.0\.1|0\.0\.0\.0):\d+', lambda m: m[0] if m[0] in self.known else 'SOURCE', text)


def text_at(body, at):
    length = struct.unpack_from('<i', body, at)[0]
    return body[at + 4:at + 4 + length].decode(errors='replace')


def describe_event(asker, kind, body):
    def numbers(fmt, at=0):
        return struct.unpack_from('<' + fmt, body, at)
    name = EVENTS.get(kind, hex(kind))
    if name == 'ERROR':
        values = numbers('q') + (1 if numbers('i', 8)[0] == 11 else numbers('i', 8)[0],)
    elif name == 'AVAILABLE':
        at = 32 + (numbers('i', 28)[0] + 3 & ~3)
        values = (*numbers('qiiq'), text_at(body, 28), text_at(body, at))
    elif name in ('PUBLICATION', 'EXCLUSIVE'):
        values = (*numbers('qqii'), numbers('i', 28)[0] >= 0, text_at(body, 32))
    elif name == 'UNAVAILABLE':
        values = (*numbers('qqi'), text_at(body, 20))
    elif name == 'SUBSCRIPTION':
        values = (*numbers('q'), numbers('i', 8)[0] >= 0)
    elif name == 'REJECTED':
        values = (*numbers('qqii'), *numbers('qh', 32), numbers('i', 60)[0], text_at(body, 64))
    else:
        values = numbers('q')
    return asker.plain(f'{name} {values}')


def key_of(kind, key):
    """Only what is defined of it: drivers leave the rest as it was."""
    if kind in (6, 7, 18):
        return key[:4 + min(struct.unpack_from('<i', key)[0], 108)]
    if kind == 14:
        return b''  # the channel's counter id and a port of the system's choice; the label says both
    if kind in (1, 2, 3, 4, 5, 9, 12, 13, 19, 20):
        return key[:20 + min(struct.unpack_from('<i', key, 16)[0], 92)]
    return key.rstrip(b'\0')


def describe_counters(asker):
    cnc, out = asker.cnc, []
    for index, kind, _, label in cnc.counters():
        at, value = cnc.metadata_at + 512 * index, cnc.values_at + 128 * index
        if kind >= 7000 or 'version=' in label or (kind == 0 and index == 33):
            continue  # our own, whose version, and a threshold of the name resolver that we have not
        label = re.sub(r'local-sockaddr: \d+', 'local-sockaddr:', label).rstrip()
        ids = [cnc.i64(value + offset) for offset in (8, 16, 24)]
        deadline = cnc.i64(at + 8)
        key = key_of(kind, bytes(cnc.bytes[at + 16:at + 128]))
        out.append(asker.plain(f'counter {kind} {label!r} {key!r} {ids} {deadline}'))
    return sorted(out)


def describe_logs(asker):
    out = []
    for folder in ('publications', 'images'):
        for name in sorted(os.listdir(os.path.join(asker.directory, folder))):
            log = Log(os.path.join(asker.directory, folder, name))
            out.append(f'{folder}/{name} length={len(log.bytes)}')
            for field, (at, fmt) in LOG_FIELDS.items():
                value = struct.unpack_from('<' + fmt, log.bytes, log.metadata + at)[0]
                out.append(f'{folder}/{name} {field}={value}')
    return out


def network(asker, endpoint, sub='', pub='', kind=PUBLICATION):
    subscription = asker.add(SUBSCRIPTION, f'aeron:udp?endpoint={endpoint}{sub}')
    publication = asker.add(kind, f'aeron:udp?endpoint={endpoint}|session-id=7|init-term-id=5|term-id=6|'
                                  f'term-offset=4096|term-length=64k{pub}')
    image = struct.unpack_from('<q', asker.await_event(0x0F02))[0]
    log = Log(os.path.join(asker.directory, 'publications', f'{publication}.logbuffer'))
    await_that(log.is_connected, 'the publication is connected')
    log = Log(os.path.join(asker.directory, 'images', f'{image}.logbuffer'))
    await_that(lambda: struct.unpack_from('<i', log.bytes, log.metadata + 140)[0] == 1, 'the image hears its source')
    return subscription, publication, image


def ipc(asker, kind=PUBLICATION):
    subscription = asker.add(SUBSCRIPTION, 'aeron:ipc')
    publication = asker.add(kind, 'aeron:ipc?session-id=7|init-term-id=5|term-id=5|term-offset=0|term-length=64k')
    return subscription, publication, struct.unpack_from('<q', asker.await_event(0x0F02))[0]


def options(asker, endpoint):
    network(asker, endpoint, '|reliable=false|rejoin=false', '|mtu=1024|linger=1s|eos=false|pub-wnd=16k|alias=prices|'
            'untethered-window-limit-timeout=2s|untethered-resting-timeout=3s|untethered-linger-timeout=4s')


def sharing(asker, endpoint):
    network(asker, endpoint)
    asker.add(SUBSCRIPTION, f'aeron:udp?endpoint={endpoint}')
    asker.add(PUBLICATION, f'aeron:udp?endpoint={endpoint}')
    await_that(lambda: sum(kind == 0x0F02 for kind, _ in asker.drain()) == 2, 'both subscriptions have the image')


def closing(asker, endpoint):
    _, publication, _ = network(asker, endpoint)
    asker.ask(REMOVE_PUBLICATION, struct.pack('<qQ', publication, 0))
    asker.await_event(0x0F05)
    asker.events_only = True


def reject(asker, image, reason):
    asker.ask(REJECT, struct.pack('<qqi', image, 0, len(reason)) + reason)
    asker.await_event(0x0F0C)
    asker.events_only = True  # when an image ends, and its counters with it, is each driver's own


def tags(asker, endpoint):
    start = 'init-term-id=5|term-id=6|term-offset=4096|term-length=64k'
    asker.add(SUBSCRIPTION, f'aeron:udp?endpoint={endpoint}|tags=1')
    asker.add(SUBSCRIPTION, 'aeron:udp?tags=1')
    asker.add(PUBLICATION, f'aeron:udp?endpoint={endpoint}|tags=7,70|session-id=7|mtu=1024|{start}')
    asker.add(PUBLICATION, 'aeron:udp?tags=7|session-id=8', stream=11)
    asker.add(PUBLICATION, 'aeron:udp?tags=7')
    asker.add(EXCLUSIVE, f'aeron:udp?tags=7|session-id=tag:70|{start}', stream=12)
    asker.add(SUBSCRIPTION, 'aeron-spy:aeron:udp?tags=7', stream=12)
    asker.add(EXCLUSIVE, 'aeron:udp?tags=8')
    asker.add(EXCLUSIVE, 'aeron:udp?tags=7|endpoint=127.0.0.1:9')
    asker.add(EXCLUSIVE, f'aeron:udp?endpoint={endpoint}|session-id=tag:71')
    await_that(lambda: sum(kind == 0x0F02 for kind, _ in asker.drain()) == 3, 'three images')
    asker.events_only = True  # session and term ids of some are random


def receive_destinations(asker, endpoint):
    other = endpoint.replace('127.0.0.1', '127.0.0.2')
    subscription = asker.add(SUBSCRIPTION, 'aeron:udp?control-mode=manual')
    asker.destination(ADD_RECEIVE, subscription, f'aeron:udp?endpoint={endpoint}')
    asker.destination(ADD_RECEIVE, subscription, 'aeron:udp?endpoint=127.0.0.1:0')
    image = None
    for number, address in enumerate((endpoint, other)):
        if number == 1:
            asker.destination(ADD_RECEIVE, subscription, f'aeron:udp?endpoint={other}')
        publication = asker.add(EXCLUSIVE, f'aeron:udp?endpoint={address}|session-id=7|init-term-id=5|term-id=6|'
                                           'term-offset=4096|term-length=64k')
        image = image or struct.unpack_from('<q', asker.await_event(0x0F02))[0]
        log = Log(os.path.join(asker.directory, 'publications', f'{publication}.logbuffer'))
        await_that(log.is_connected, 'the publication is connected')
        log = Log(os.path.join(asker.directory, 'images', f'{image}.logbuffer'))
        await_that(lambda: struct.unpack_from('<i', log.bytes, log.metadata + 140)[0] == number + 1,
                   f'the image hears {number + 1} sources')
    asker.destination(REMOVE_RECEIVE, subscription, f'aeron:udp?endpoint={endpoint}')
    asker.destination(REMOVE_RECEIVE, subscription, 'aeron:udp?endpoint=127.0.0.1:0')
    asker.destination(REMOVE_RECEIVE, subscription, 'aeron:udp?endpoint=127.0.0.1:9')
    await_that(lambda: struct.unpack_from('<i', log.bytes, log.metadata + 140)[0] == 1, 'one source is left')
    asker.destination(ADD_RECEIVE, subscription, 'aeron:ipc')
    asker.add(EXCLUSIVE, 'aeron:ipc?session-id=7|init-term-id=5|term-id=5|term-offset=0|term-length=64k')
    asker.destination(ADD_RECEIVE, subscription, f'aeron-spy:aeron:udp?endpoint={endpoint}')
    await_that(lambda: sum(kind == 0x0F02 for kind, _ in asker.drain()) == 3, 'three images')
    asker.destination(REMOVE_RECEIVE, subscription, 'aeron:ipc')
    asker.destination(REMOVE_RECEIVE, subscription, 'aeron:ipc')
    for bad in (f'aeron:udp?endpoint={other}', f'aeron:udp?endpoint={endpoint}|mtu=1024', 'aeron:udp'):
        asker.destination(ADD_RECEIVE, subscription, bad)
    asker.destination(ADD_RECEIVE, subscription + 1000, f'aeron:udp?endpoint={endpoint}')
    plain = asker.add(SUBSCRIPTION, f'aeron:udp?endpoint={endpoint}')
    asker.destination(ADD_RECEIVE, plain, f'aeron:udp?endpoint={other}')


START = 'session-id=7|init-term-id=5|term-id=6|term-offset=4096|term-length=64k'


def send_destinations(asker, endpoint):
    other = endpoint.replace('127.0.0.1', '127.0.0.2')
    for address in (endpoint, other):
        asker.add(SUBSCRIPTION, f'aeron:udp?endpoint={address}')
    publication = asker.add(EXCLUSIVE, f'aeron:udp?control-mode=manual|{START}')
    first = asker.destination(ADD_SEND, publication, f'aeron:udp?endpoint={endpoint}')
    asker.await_event(0x0F02)
    asker.destination(ADD_SEND, publication, f'aeron:udp?endpoint={other}')
    asker.destination(ADD_SEND, publication, 'aeron:udp?endpoint=127.0.0.3:9')
    await_that(lambda: sum(kind == 0x0F02 for kind, _ in asker.drain()) == 2, 'two images')
    await_that(lambda: destinations_of(asker) == 3, 'three destinations')
    asker.destination(REMOVE_SEND, publication, 'aeron:udp?endpoint=127.0.0.3:9')
    asker.destination(REMOVE_SEND, publication, 'aeron:udp?endpoint=127.0.0.3:9')
    asker.ask(REMOVE_BY_ID, struct.pack('<qq', publication, first))
    asker.ask(REMOVE_BY_ID, struct.pack('<qq', publication, 4711))
    await_that(lambda: destinations_of(asker) == 1, 'one destination')
    for bad in ('aeron:udp?endpoint=127.0.0.3:0', 'aeron:ipc', f'aeron-spy:aeron:udp?endpoint={other}',
                f'aeron:udp?endpoint={other}|mtu=1024', 'aeron:udp?control-mode=manual'):
        asker.destination(ADD_SEND, publication, bad)
    asker.destination(ADD_SEND, publication + 1000, f'aeron:udp?endpoint={other}')
    plain = asker.add(EXCLUSIVE, f'aeron:udp?endpoint={endpoint}|{START}', stream=11)
    asker.destination(ADD_SEND, plain, f'aeron:udp?endpoint={other}')
    hear_sources(asker)


def hear_sources(asker):
    """A stock image counts a source from its first heartbeat on, not from its setup."""
    for name in os.listdir(os.path.join(asker.directory, 'images')):
        log = Log(os.path.join(asker.directory, 'images', name))
        await_that(lambda: struct.unpack_from('<i', log.bytes, log.metadata + 140)[0] == 1, 'the image hears its source')


def responses(asker, endpoint):
    control = endpoint.replace('127.0.0.1', '127.0.0.2')
    answers = asker.add(SUBSCRIPTION, f'aeron:udp?control={control}|control-mode=response')
    asker.add(SUBSCRIPTION, f'aeron:udp?endpoint={endpoint}', stream=11)
    asker.add(EXCLUSIVE, f'aeron:udp?endpoint={endpoint}|response-correlation-id={answers}|{START}', stream=11)
    image = struct.unpack_from('<q', asker.await_event(0x0F02))[0]
    start = START.replace('session-id=7', 'session-id=8')
    asker.add(EXCLUSIVE, f'aeron:udp?control={control}|control-mode=response|response-correlation-id=prototype|'
                         'session-id=9|init-term-id=5|term-id=5|term-offset=0|pub-wnd=32k')
    asker.add(EXCLUSIVE, f'aeron:udp?control={control}|control-mode=response|response-correlation-id={image}|{start}')
    await_that(lambda: sum(kind == 0x0F02 for kind, _ in asker.drain()) == 2, 'the answer comes')
    plain = endpoint.replace('127.0.0.1', '127.0.0.3')
    asker.add(EXCLUSIVE, f'aeron:udp?endpoint={plain}|response-correlation-id=4711', stream=12)
    asker.add(EXCLUSIVE, f'aeron:udp?control={control}|control-mode=response', stream=12)
    asker.add(EXCLUSIVE, f'aeron:udp?control={control}|control-mode=response|response-correlation-id=4711', stream=12)
    asker.add(EXCLUSIVE, f'aeron:udp?control={control}|control-mode=response|response-correlation-id=x', stream=12)
    hear_sources(asker)


def ipc_responses(asker, _):
    answers = asker.add(SUBSCRIPTION, 'aeron:ipc?control-mode=response')
    asker.add(SUBSCRIPTION, 'aeron:ipc', stream=11)
    short = 'init-term-id=5|term-id=5|term-offset=0|term-length=64k'
    asker.add(EXCLUSIVE, f'aeron:ipc?session-id=5|{short}')
    request = asker.add(EXCLUSIVE, f'aeron:ipc?response-correlation-id={answers}|session-id=7|{short}', stream=11)
    asker.add(EXCLUSIVE, f'aeron:ipc?control-mode=response|response-correlation-id={request}|session-id=8|{short}')
    asker.add(EXCLUSIVE, f'aeron:ipc?session-id=6|{short}')
    await_that(lambda: sum(kind == 0x0F02 for kind, _ in asker.drain()) == 2, 'the request and the answer')


def destinations_of(asker):
    return next((value for _, kind, value, _ in asker.cnc.counters() if kind == 18), None)


def dynamic_destinations(asker, endpoint):
    other = endpoint.replace('127.0.0.1', '127.0.0.2')
    asker.add(SUBSCRIPTION, f'aeron:udp?endpoint={other}|control={endpoint}')
    asker.add(SUBSCRIPTION, f'aeron:udp?endpoint={other}|control={endpoint}|session-id=7', stream=11)
    asker.add(SUBSCRIPTION, f'aeron-spy:aeron:udp?control={endpoint}|control-mode=dynamic')
    asker.add(EXCLUSIVE, f'aeron:udp?control={endpoint}|control-mode=dynamic|{START}')
    await_that(lambda: sum(kind == 0x0F02 for kind, _ in asker.drain()) == 2, 'two images')
    asker.add(EXCLUSIVE, f'aeron:udp?control={endpoint}|control-mode=dynamic|{START}', stream=11)
    await_that(lambda: sum(kind == 0x0F02 for kind, _ in asker.drain()) == 3, 'three images')
    asker.add(SUBSCRIPTION, 'aeron:udp?control=127.0.0.1:0', stream=12)
    asker.add(EXCLUSIVE, f'aeron:udp?control={endpoint}', stream=12)
    asker.add(EXCLUSIVE, 'aeron:udp?control-mode=dynamic', stream=12)
    await_that(lambda: destinations_of(asker) == 1, 'one destination')
    hear_sources(asker)


def counters(asker, _):
    for label in (b'lab', b''):
        asker.ask(COUNTER, struct.pack('<ii', 1234, 4) + b'abcd' + struct.pack('<i', len(label)) + label)
    for _ in range(2):
        asker.ask(STATIC, struct.pack('<qii', 99, 1236, 4) + b'abcd' + struct.pack('<i', 3) + b'sta')
    asker.ask(SESSION, struct.pack('<i', 10))


def refusals(asker, endpoint):
    udp = f'aeron:udp?endpoint={endpoint}'
    for channel in ('', 'aeron:', 'aeron:udp', 'aeron:tcp?endpoint=a:1', 'aeron:udp?endpoint=127.0.0.1', f'{udp}|mtu=100',
                    'aeron:udp?endpoint=no.such.host.invalid:1', f'{udp}|term-length=1000', f'{udp}|init-term-id=1',
                    f'{udp}|session-id=abc', f'{udp}|linger=x', f'{udp}|max-resend=0', f'{udp}|pub-wnd=100',
                    'aeron:udp?endpoint=127.0.0.1:0', f'{udp}|eos=maybe'):
        asker.add(PUBLICATION, channel)
    asker.add(EXCLUSIVE, f'{udp}|session-id=5')
    asker.add(EXCLUSIVE, f'{udp}|session-id=5')
    asker.add(PUBLICATION, f'{udp}|session-id=6|term-length=64k')
    for different in ('session-id=9', 'mtu=512', 'term-length=128k', 'init-term-id=1|term-id=1|term-offset=0'):
        asker.add(PUBLICATION, f'{udp}|{different}')
    asker.add(SUBSCRIPTION, udp)
    asker.add(SUBSCRIPTION, f'{udp}|reliable=false')
    for kind, extra in ((REMOVE_PUBLICATION, bytes(8)), (REMOVE_SUBSCRIPTION, b''), (REMOVE_COUNTER, b'')):
        asker.ask(kind, struct.pack('<q', 777) + extra)
    asker.ask(REJECT, struct.pack('<qqi', 4711, 0, 4) + b'none')
    asker.events_only = True


SCENARIOS = {
    'a network stream': network,
    'its options': options,
    'an exclusive one': lambda asker, endpoint: network(asker, endpoint, kind=EXCLUSIVE),
    'sharers': sharing,
    'its end': closing,
    'IPC': lambda asker, _: ipc(asker),
    'IPC, exclusive': lambda asker, _: ipc(asker, EXCLUSIVE),
    'a rejection': lambda asker, endpoint: reject(asker, network(asker, endpoint)[2], b'r' * 1000),
    'a rejection on IPC': lambda asker, _: reject(asker, ipc(asker)[2], b'because'),
    'tags': tags,
    'receive destinations': receive_destinations,
    'send destinations': send_destinations,
    'destinations that are learned': dynamic_destinations,
    'responses': responses,
    'responses on IPC': ipc_responses,
    'counters': counters,
    'refusals': refusals,
}


def record(driver, scenario, endpoint):
    asker = Asker(driver.dir)
    asker.known = (endpoint,)
    scenario(asker, endpoint)
    asker.drain()
    out = [describe_event(asker, kind, body) for kind, body in asker.events]
    return out if asker.events_only else out + describe_counters(asker) + describe_logs(asker)


def check_same(bench, figures):
    for number, (name, scenario) in enumerate(SCENARIOS.items()):
        endpoint = f'127.0.0.1:{udp_port()}'
        stock = bench.aeronmd(None, name=f'stock{number}')
        theirs = record(stock, scenario, endpoint)
        stock.kill()
        driver = bench.fulmard('--port', 'udp', '--threading', 'shared', '-Daeron.term.buffer.sparse.file=true',
                               name=f'ours{number}')
        ours = record(driver, scenario, endpoint)
        need(driver.stop() == 0, driver.output())
        differing = [f'-{line}' for line in theirs if line not in ours]
        differing += [f'+{line}' for line in ours if line not in theirs]
        need(not differing, f'{name} (- stock, + ours):\n' + '\n'.join(differing))
        figures[name] = f'{len(ours)} facts'


CHECKS = {'answers, counters and logs beside a stock driver': check_same}
