"""A stock driver in one network namespace, ours on a poll-mode port in another."""
import contextlib
import json
import os
import re
import shutil
import unittest

import harness
from bench import Skipped, await_that, need, ping_pong
from driver_files import Cnc
from harness import FULMAR, PERF, Process, run

IP_STOCK, IP_OURS = '10.77.0.1', '10.77.0.2'
WIRE_PORTS = (40123, 40124)
MESSAGES = 50_000
KINDS = ('setup', 'data', 'pad', 'heartbeat', 'sm', 'nak', 'rtt', 'err')  # as the dissector calls them


@contextlib.contextmanager
def two_hosts(bench, loss):
    """(stock driver, ours, namespaces); ours runs on a poll-mode port and loses on purpose."""
    if not harness.IS_ROOT:
        raise Skipped('network namespaces need root')
    try:
        with harness.netns_pair(address_a=f'{IP_STOCK}/24') as ((ns_stock, if_stock), (ns_ours, if_ours)):
            fault = f'loss:{loss}+seed:4' if loss else 'none'
            ours = bench.fulmard('--port', f'af_packet:{if_ours},ip={IP_OURS}/24,fault={fault}', netns=ns_ours)
            theirs = bench.aeronmd(ns_stock)
            pcap = os.path.join(bench.scratch, 'wire.pcap')
            capture = None
            if shutil.which('tcpdump') and shutil.which('tshark'):
                capture = bench.started(Process(
                    ['tcpdump', '-Z', 'root', '-i', if_stock, '-w', pcap, '-U', '--immediate-mode', '-s', '256', '-c',
                     '100000', 'udp'], netns=ns_stock))
                await_that(lambda: 'listening on' in capture.stderr, 'the capture', 10, capture)
            yield theirs, ours, ns_stock, ns_ours, (capture, pcap)
    except unittest.SkipTest as skip:
        raise Skipped(str(skip)) from None


def dissect(capture, figures, loss):
    process, pcap = capture
    if process is None:
        figures['dissector'] = 'skipped: no tcpdump or tshark'
        return
    process.stop()
    decode = [word for port in WIRE_PORTS for word in ('-d', f'udp.port=={port},aeron')]
    frames = run(['tshark', '-r', pcap, *decode, '-Y', 'aeron', '-T', 'fields', '-e', 'frame.number',
                  *[word for kind in KINDS for word in ('-e', f'aeron.{kind}.type')]], 180)
    malformed = run(['tshark', '-r', pcap, *decode, '-Y', '_ws.malformed'], 180)
    packets = [line.split('\t')[1:] for line in frames.stdout.splitlines()]
    kinds = {kind: sum(bool(cell) for cell in column) for kind, column in zip(KINDS, zip(*packets)) if any(column)}
    need(len(packets) > 100, f'only {len(packets)} Aeron packets were captured')
    need(malformed.stdout == '', f'malformed: {malformed.stdout[:400]}')
    figures['dissector'] = f'{len(packets)} packets, none malformed'
    figures['packets with'] = ', '.join(f'{kind} {count}' for kind, count in kinds.items())
    missing = {'setup', 'data', 'heartbeat', 'sm', *(['nak'] if loss else [])} - kinds.keys()
    need(not missing, f'never seen on the wire: {sorted(missing)}')


def stream_between(bench, source, sink, channel, figures, name):
    """Our client on both drivers, because it checks each body; the drivers in between are what is tested."""
    common = ['--channel', channel, '--size', '300', '--messages', str(MESSAGES), '--json']
    reader = bench.started(Process([PERF, 'stream', '--role', 'sub', '--dir', sink.dir, *common]))
    writer = bench.started(Process([PERF, 'stream', '--role', 'pub', '--dir', source.dir, *common]))
    need(writer.wait(120) == 0, f'{name}: {writer.output()}')
    need(reader.wait(30) == 0, f'{name}: {reader.output()}')
    seen = json.loads(reader.stdout.splitlines()[-1])
    for key, value in (('messages', MESSAGES), ('lost', 0), ('duplicated', 0), ('out_of_order', 0), ('corrupted', 0)):
        need(seen[key] == value, f'{name}: {key} is {seen[key]}: {seen}')
    figures[name] = f"{seen['rate_msgs_per_s'] / 1e3:.0f} k/s"


def samples_between(bench, theirs, ours, ns_stock, figures):
    """Stock clients on the stock driver, our command line on ours; what each says is what the other reads."""
    channel, stream = f'aeron:udp?endpoint={IP_OURS}:40123', '3040'
    reader = bench.started(Process([FULMAR, 'sub', '--dir', ours.dir, '--channel', channel, '--stream', stream,
                                    '--count', '3']))
    bench.sample('basic_publisher', theirs.dir, '-c', channel, '-s', stream, '-m', '20', netns=ns_stock)
    need(reader.wait(40) == 0, f'fulmar sub: {reader.output()}')
    said = [re.fullmatch(r'Hello World! (\d+)', line) for line in reader.stdout.splitlines()]
    need(len(said) == 3 and all(said), f'of a stock publisher: {reader.stdout!r}')
    numbers = [int(match[1]) for match in said]
    need(numbers == list(range(numbers[0], numbers[0] + 3)), f'of a stock publisher: {numbers}')

    channel, stream = f'aeron:udp?endpoint={IP_STOCK}:40123', '3050'
    reader = bench.sample('basic_subscriber', theirs.dir, '-c', channel, '-s', stream, netns=ns_stock)
    sender = run([FULMAR, 'pub', '--dir', ours.dir, '--channel', channel, '--stream', stream, '--message', 'well met'],
                 40)
    need(sender.returncode == 0, f'fulmar pub: {sender.output()}')
    await_that(lambda: 'well met' in reader.stdout, 'a stock subscriber reads it', 20, reader)
    figures['basic_publisher to fulmar sub, fulmar pub to basic_subscriber'] = 'as said'


def check_wire(bench, figures, loss):
    with two_hosts(bench, loss) as (theirs, ours, ns_stock, ns_ours, capture):
        to_ours = f'aeron:udp?endpoint={IP_OURS}:40123'
        to_theirs = f'aeron:udp?endpoint={IP_STOCK}:40123'
        stream_between(bench, theirs, ours, to_ours, figures, 'stock to ours')
        stream_between(bench, ours, theirs, to_theirs, figures, 'ours to stock')
        samples_between(bench, theirs, ours, ns_stock, figures)
        if loss:
            naks = Cnc(ours.dir).system(5), Cnc(ours.dir).system(6)
            need(min(naks) > 0, f'no NAKs on a lossy wire: sent, received = {naks}')
            figures['NAKs sent/received'] = f'{naks[0]}/{naks[1]}'
        else:
            reply = f'aeron:udp?endpoint={IP_STOCK}:40124'
            figures['cping on stock, cpong on ours'] = ping_pong(
                bench, theirs.dir, ours.dir, to_ours, reply, 3010, 10_000, ns_stock, ns_ours)
            back = f'aeron:udp?endpoint={IP_OURS}:40124'
            figures['cping on ours, cpong on stock'] = ping_pong(
                bench, ours.dir, theirs.dir, to_theirs, back, 3020, 10_000, ns_ours, ns_stock)
        dissect(capture, figures, loss)
        need(ours.stop() == 0, f'our driver: {ours.output()}')


CHECKS = {
    'stock driver, clean wire': lambda bench, figures: check_wire(bench, figures, 0),
    'stock driver, 1 % loss': lambda bench, figures: check_wire(bench, figures, 0.01),
    'stock driver, 5 % loss': lambda bench, figures: check_wire(bench, figures, 0.05),
}
