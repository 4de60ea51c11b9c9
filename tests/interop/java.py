"""Stock Java: its client with the samples and tools on our driver."""
import re

from bench import ARGUMENTS, Skipped, await_that, channels, kind, need, rtt_of, udp_port
from harness import Process, run

# What Agrona's memory access asks of a JVM from 17 on.
FLAGS = ['--add-opens', 'java.base/jdk.internal.misc=ALL-UNNAMED', '--add-opens', 'java.base/java.util.zip=ALL-UNNAMED']


def command(name, directory, **properties):
    if not ARGUMENTS.java:
        raise Skipped('no --java CLASSPATH')
    settings = [f'-Daeron.sample.{key.replace("_", ".")}={value}' for key, value in properties.items()]
    return ['java', *FLAGS, '-cp', ARGUMENTS.java, f'-Daeron.dir={directory}', *settings, f'io.aeron.samples.{name}']


def check_basic(bench, figures):
    driver = bench.fulmard('--port', 'udp')
    for channel in channels():
        subscriber = bench.started(Process(command('BasicSubscriber', driver.dir, channel=channel)))
        publisher = bench.started(Process(command('BasicPublisher', driver.dir, channel=channel, messages=10)))
        await_that(lambda: subscriber.stdout.count('<<Hello World!') >= 5, 'five messages', 60, subscriber)
        await_that(lambda: 'yay!' in publisher.stdout, 'the publisher says so', 10, publisher)
        publisher.kill()
        subscriber.kill()
        figures[kind(channel)] = 'at least 5 of 10 messages'


def check_ping_pong(bench, figures):
    driver = bench.fulmard('--port', 'udp')
    # Its samples spin: on few cores a round trip over sockets takes time slices, and a few of them must do.
    for number, (ping, messages) in enumerate(zip(channels(), (20_000, 500))):
        pong = ping if kind(ping) == 'ipc' else f'aeron:udp?endpoint=127.0.0.1:{udp_port()}'
        common = {'ping_channel': ping, 'pong_channel': pong, 'ping_streamId': 4002 + 10 * number,
                  'pong_streamId': 4003 + 10 * number}
        echo = bench.started(Process(command('Pong', driver.dir, **common)))
        pinger = bench.started(Process(command('Ping', driver.dir, messages=messages,
                                               warmup_messages=messages // 10, warmup_iterations=2, **common)))
        await_that(lambda: '#[Max' in pinger.stdout, 'the histogram', 180, pinger)
        figures[kind(ping)] = rtt_of(pinger.stdout)
        pinger.kill()
        echo.kill()


def check_tools(bench, figures):
    driver = bench.fulmard('--port', 'udp,fault=loss:0.05+seed:2')
    channel = channels()[1]
    subscriber = bench.started(Process(command('RateSubscriber', driver.dir, channel=channel)))
    publisher = bench.started(Process(command('StreamingPublisher', driver.dir, channel=channel, messages=10_000_000,
                                              messageLength=256)))
    await_that(lambda: re.search(r'[1-9][\d.,E+]* msgs/sec', subscriber.stdout), 'the stream flows', 60, subscriber)
    stat = run([*command('AeronStat', driver.dir), 'watch=false'], 60)
    need(stat.returncode == 0, f'AeronStat: {stat.output()}')
    for label in ('Bytes sent', 'snd-pos', 'rcv-pos', 'client-heartbeat', 'version=1.'):
        need(label in stat.stdout, f'AeronStat shows no {label}: {stat.stdout}')
    figures['AeronStat'] = f'{len(stat.stdout.splitlines())} lines'
    for name, word in (('LossStat', '127.0.0.1'), ('ErrorStat', 'errors')):
        shown = run(command(name, driver.dir), 60)
        need(shown.returncode == 0 and word in shown.stdout, f'{name}: {shown.output()}')
        figures[name] = shown.stdout.splitlines()[-1][:100]
    publisher.kill()


CHECKS = {
    'Java basic publisher and subscriber': check_basic,
    'Java ping and pong': check_ping_pong,
    'Java rate subscriber, AeronStat, LossStat, ErrorStat': check_tools,
}
