"""Stock C samples and tools on our driver, over kernel sockets and IPC; where it says so beside a stock driver."""
import contextlib
import re
import time

from bench import ARGUMENTS, Skipped, await_that, channels, kind, need, ping_pong, tool, udp_port


def check_basic(bench, figures):
    driver = bench.fulmard('--port', 'udp')
    for channel in channels():
        # The sample sends one message a second, from before anybody is connected on.
        subscriber = bench.sample('basic_subscriber', driver.dir, '-c', channel)
        publisher = bench.sample('basic_publisher', driver.dir, '-c', channel, '-m', '10')
        await_that(lambda: subscriber.stdout.count('Message to stream') >= 5, 'five messages', 40, subscriber)
        publisher.interrupt()
        subscriber.interrupt()
        figures[kind(channel)] = 'at least 5 of 10 messages'


def both_drivers(bench):
    """Ours, and a stock one beside it, so that each figure has its yardstick from the same minute."""
    drivers = {'ours': bench.fulmard('--port', 'udp')}
    with contextlib.suppress(Skipped):
        drivers['stock'] = bench.aeronmd(None)
    return drivers


def check_ping_pong(bench, figures):
    drivers = both_drivers(bench)
    number = 0
    for ping in channels():
        for name, driver in drivers.items():
            number += 1
            pong = 'aeron:ipc' if kind(ping) == 'ipc' else f'aeron:udp?endpoint=127.0.0.1:{udp_port()}'
            figures[f'{kind(ping)} {name}'] = ping_pong(bench, driver.dir, driver.dir, ping, pong, 1010 + 10 * number,
                                                        100_000 if kind(ping) == 'ipc' else 20_000)
            ping = 'aeron:ipc' if kind(ping) == 'ipc' else f'aeron:udp?endpoint=127.0.0.1:{udp_port()}'


def rates_of(text):
    """Messages per second of each whole interval that something came in."""
    rates = [float(number.replace(',', '')) for number in re.findall(r'([\d.,]+(?:e\+\d+)?) msgs?/s', text)]
    return [rate for rate in rates if rate > 0]


def measure_rate(bench, directory, publisher, channel, stream, length):
    """The median of the subscriber's one-second rates."""
    subscriber = bench.sample('rate_subscriber', directory, '-c', channel, '-s', stream)
    sender = bench.sample(publisher, directory, '-c', channel, '-s', stream, '-m', '2000000000', '-L', length)
    await_that(lambda: len(rates_of(subscriber.stdout)) >= 2, 'rates', 30, subscriber)
    time.sleep(ARGUMENTS.seconds)  # the measurement
    rates = sorted(rates_of(subscriber.stdout)[1:])
    sender.kill()
    subscriber.interrupt()
    return rates[len(rates) // 2]


def check_streaming(bench, figures):
    drivers = both_drivers(bench)
    number = 0
    for publisher in ('streaming_publisher', 'streaming_exclusive_publisher'):
        for length in ('32', '1024'):
            for medium in ('ipc', 'udp'):
                rates = {}
                for name, driver in drivers.items():
                    number += 1
                    channel = next(uri for uri in channels() if kind(uri) == medium)
                    rates[name] = measure_rate(bench, driver.dir, publisher, channel, str(2000 + number), length)
                figures[f'{publisher} {length} B {medium}'] = ', '.join(
                    f'{name} {rate / 1e6:.3f} M/s' for name, rate in rates.items())
    need(drivers['ours'].poll() is None, 'the driver ended')


def check_tools(bench, figures):
    driver = bench.fulmard('--port', 'udp,fault=loss:0.05+seed:2')
    channel = channels()[1]
    subscriber = bench.sample('rate_subscriber', driver.dir, '-c', channel)
    bench.sample('streaming_publisher', driver.dir, '-c', channel, '-m', '100000', '-L', '512')
    await_that(lambda: rates_of(subscriber.stdout), 'the stream flows', 30)
    stat = tool('AeronStat', driver.dir, '-w', 'false')
    need(stat.returncode == 0, f'AeronStat: {stat.output()}')
    for label in ('Bytes sent', 'Bytes received', 'NAKs', 'snd-pos', 'rcv-pos', 'client-heartbeat'):
        need(label in stat.stdout, f'AeronStat shows no {label}: {stat.stdout}')
    figures['AeronStat'] = f'{len(stat.stdout.splitlines())} lines'
    loss = tool('LossStat', driver.dir)
    need(loss.returncode == 0 and '127.0.0.1' in loss.stdout, f'LossStat: {loss.output()}')
    figures['LossStat'] = loss.stdout.splitlines()[-1][:100]
    bench.sample('basic_publisher', driver.dir, '-c', 'aeron:udp?endpoint=no.such.host.invalid:1', '-m', '1').wait(30)
    errors = tool('ErrorStat', driver.dir)
    need(errors.returncode == 0 and 'no.such.host.invalid' in errors.stdout, f'ErrorStat: {errors.output()}')
    figures['ErrorStat'] = 'shows the unknown host'


CHECKS = {
    'basic publisher and subscriber': check_basic,
    'cping and cpong': check_ping_pong,
    'streaming publishers and rate subscriber': check_streaming,
    'AeronStat, ErrorStat, LossStat': check_tools,
}
