"""Several destinations and response channels: our programs on a stock driver and stock clients on ours, and a stock
archive on ours, whose client merges a replay into a live stream and hears answers without an address of its own."""
import os
import shutil
import subprocess

from bench import ARGUMENTS, HERE, Skipped, await_that, need, udp_port
from harness import FULMAR, Process, json_lines, run
from java import FLAGS

ARCHIVE_FLAGS = [*FLAGS, '--add-opens', 'java.base/sun.nio.ch=ALL-UNNAMED']


def sub(bench, driver, channel, *args):
    return bench.started(Process([FULMAR, 'sub', '--dir', driver.dir, '--channel', channel, '--json', *args]))


def heard(process):
    need(process.wait(30) == 0, process.output())
    return [line['message'] for line in json_lines(process.stdout)]


def pub(driver, channel, *args):
    result = run([FULMAR, 'pub', '--dir', driver.dir, '--channel', channel, *args], 30)
    need(result.returncode == 0, result.output())


def channels(driver, direction):
    shown = run([FULMAR, 'channels', '--dir', driver.dir, '--json'])
    return [line for line in json_lines(shown.stdout) if line['direction'] == direction]


def readers(driver, text):
    shown = json_lines(run([FULMAR, 'streams', '--dir', driver.dir, '--json']).stdout)
    return sum(len(line.get('sub-pos', ())) for line in shown if text in line['channel'])


def check_programs(bench, figures):
    """Ours between a stock driver and ours: publications to several, subscriptions by several."""
    stock, ours = bench.aeronmd(None), bench.fulmard('--port', 'udp')
    for name, sender, receiver in (('to ours', stock, ours), ('to stock', ours, stock), ('stock alone', stock, stock)):
        ends = [f'aeron:udp?endpoint=127.0.0.1:{udp_port()}' for _ in range(2)]
        subs = [sub(bench, receiver, end, '--count', '1') for end in ends]
        before = len(channels(receiver, 'receive'))
        await_that(lambda: len(channels(receiver, 'receive')) >= max(2, before), 'the subscribers', 10)
        sending = bench.started(Process(
            [FULMAR, 'pub', '--dir', sender.dir, '--channel', 'aeron:udp?control-mode=manual', '--message', name,
             '--destination', ends[0], '--destination', ends[1]]))
        need([heard(each) for each in subs] == [[name]] * 2, f'{name}: to two destinations')
        need(sending.wait(20) == 0, sending.output())

        ends = [f'aeron:udp?endpoint=127.0.0.1:{udp_port()}' for _ in range(2)]
        merged = sub(bench, receiver, 'aeron:udp?control-mode=manual', '--destination', ends[0], '--destination',
                     ends[1], '--count', '2')
        for end in ends:
            pub(sender, end, '--message', end)
        need(sorted(heard(merged)) == sorted(ends), f'{name}: by two destinations')

        control = f'127.0.0.1:{udp_port()}'
        receivers = [sub(bench, receiver, f'aeron:udp?endpoint=127.0.0.1:{udp_port()}|control={control}', '--count', '1')
                     for _ in range(2)]
        cast = bench.started(Process([FULMAR, 'pub', '--dir', sender.dir, '--channel',
                                      f'aeron:udp?control-mode=dynamic|control={control}'], stdin=-1))

        def known():
            return [line.get('destinations') for line in channels(sender, 'send') if control in line['channel']]
        await_that(lambda: known() == [2], 'two receivers are known', 15, cast)
        await_that(lambda: readers(receiver, control) == 2, 'both have joined', 15, cast)
        cast.send('to all\n')
        need([heard(each) for each in receivers] == [['to all']] * 2, f'{name}: to those who came')
        cast.child.stdin.close()
        need(cast.wait(20) == 0, cast.output())
        figures[name] = 'manual and dynamic publications, a subscription by two destinations'


def check_multicast(bench, figures):
    """A group with a publication and two members on each driver: all four hear both, each driver's own included."""
    drivers = {'stock': bench.aeronmd(None), 'ours': bench.fulmard('--port', 'udp')}
    for fc in ('', '|fc=min'):
        address = f'224.20.30.39:{udp_port()}'
        group = f'aeron:udp?endpoint={address}|interface=127.0.0.1'
        subs = [sub(bench, driver, group, '--count', '2') for driver in drivers.values() for _ in range(2)]
        pubs = [bench.started(Process([FULMAR, 'pub', '--dir', driver.dir, '--channel', group + fc], stdin=-1))
                for driver in drivers.values()]
        for driver in drivers.values():
            await_that(lambda driver=driver: readers(driver, address) == 4, 'two members, two senders', 15)
        for name, publisher in zip(drivers, pubs):
            publisher.send(f'from {name}\n')
        need([sorted(heard(each)) for each in subs] == [['from ours', 'from stock']] * 4, f'a group{fc}')
        for publisher in pubs:
            publisher.child.stdin.close()
            need(publisher.wait(20) == 0, publisher.output())
    figures['a group'] = '2 senders and 4 members on two drivers, fc=max and fc=min'


def check_sample(bench, figures):
    driver = bench.fulmard('--port', 'udp')
    channel = f'aeron:udp?endpoint=127.0.0.1:{udp_port()}'
    subscriber = bench.sample('basic_mds_subscriber', driver.dir, '-c', channel)
    publisher = bench.sample('basic_publisher', driver.dir, '-c', channel, '-m', '10')
    await_that(lambda: subscriber.stdout.count('Message to stream') >= 3, 'three messages', 40, subscriber)
    publisher.interrupt()
    figures['basic_mds_subscriber'] = 'at least 3 of 10 messages'


def java_program(bench, name):
    """One of programs/, compiled against the stock jars; the arguments that run it on a driver follow."""
    if not ARGUMENTS.java:
        raise Skipped('no --java CLASSPATH')
    if shutil.which('javac') is None:
        raise Skipped('no javac')
    source = os.path.join(HERE, 'programs', name + '.java')
    compiled = subprocess.run(['javac', '-nowarn', '-cp', ARGUMENTS.java, '-d', bench.scratch, source], text=True,
                              capture_output=True)
    if 'package io.aeron.archive does not exist' in compiled.stderr:
        raise Skipped('no archive in --java')
    need(compiled.returncode == 0, compiled.stderr)
    return lambda driver, *args: ['java', *ARCHIVE_FLAGS, f'-Daeron.dir={driver.dir}', '-cp',
                                  f'{ARGUMENTS.java}:{bench.scratch}', name, *map(str, args)]


def check_replay_merge(bench, figures):
    program = java_program(bench, 'Merge')
    driver = bench.fulmard('--port', 'udp')
    merge = run(program(driver, os.path.join(bench.scratch, 'archive'), udp_port(), 20_000), 120)
    need(merge.returncode == 0 and 'merged 20000 live true' in merge.stdout, merge.output())
    figures['ReplayMerge'] = merge.stdout.strip()


def check_responses(bench, figures):
    """Stock samples that ask and answer, on both drivers and across."""
    drivers = {'stock': bench.aeronmd(None), 'ours': bench.fulmard('--port', 'udp')}
    for server, client in (('ours', 'ours'), ('stock', 'ours'), ('ours', 'stock')):
        requests, answers = f'aeron:udp?endpoint=127.0.0.1:{udp_port()}', f'aeron:udp?control=127.0.0.1:{udp_port()}'
        answering = bench.sample('response_server', drivers[server].dir, '-c', requests, '-d', answers)
        asking = bench.sample('response_client', drivers[client].dir, '-c', requests, '-d', answers, '-m', '20')
        await_that(lambda: asking.stdout.count('responding to message') >= 2, 'two answers', 40, asking)
        asking.kill()
        answering.interrupt()
        figures[f'server on {server}, client on {client}'] = 'at least 2 answers'


def check_archive_responses(bench, figures):
    program = java_program(bench, 'Responses')
    driver = bench.fulmard('--port', 'udp')
    replay = run(program(driver, os.path.join(bench.scratch, 'archive'), udp_port(), 20_000), 120)
    need(replay.returncode == 0 and 'replayed 20000' in replay.stdout, replay.output())
    figures['replay'] = replay.stdout.strip()


CHECKS = {
    'stock samples ask and answer by response channels': check_responses,
    'a stock archive answers and replays by response channels': check_archive_responses,
    'multicast between our driver and a stock one': check_multicast,
    'destinations of our programs beside a stock driver': check_programs,
    'a stock C client receives by a destination': check_sample,
    'a stock archive and its client merge a replay into a live stream': check_replay_merge,
}
