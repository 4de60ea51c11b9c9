"""Our archive client against stock Java archives, with a stock driver in their process, a stock C driver beside them,
or ours; stock Java clients against our archive, and the two archives copying from each other."""
import os
import re

from bench import ARGUMENTS, Skipped, await_that, is_ready, need, our_program
from harness import Process, run, udp_port
from java import FLAGS
from multi import java_program

# Small segments and terms, so that a few MiB make several files of several terms. The cases know the segment length.
SETTINGS = {'aeron.archive.segment.file.length': 1 << 20, 'aeron.term.buffer.length': 1 << 18,
            'aeron.ipc.term.buffer.length': 1 << 18, 'aeron.term.buffer.sparse.file': 'true',
            'aeron.threading.mode': 'SHARED', 'aeron.archive.threading.mode': 'SHARED'}


class Archive(Process):
    """A stock archive; without a driver's directory it has a driver of its own."""

    def __init__(self, bench, name, driver_dir=None):
        if not ARGUMENTS.java:
            raise Skipped('no --java CLASSPATH')
        self.dir = driver_dir or os.path.join(bench.scratch, name)
        self.files = os.path.join(bench.scratch, f'{name}-archive')
        self.channel = f'aeron:udp?endpoint=localhost:{udp_port()}'
        settings = {**SETTINGS, 'aeron.dir': self.dir, 'aeron.archive.dir': self.files,
                    'aeron.archive.control.channel': self.channel,
                    'aeron.archive.replication.channel': 'aeron:udp?endpoint=localhost:0'}
        main = 'io.aeron.archive.Archive' if driver_dir else 'io.aeron.archive.ArchivingMediaDriver'
        super().__init__(['java', '-Xmx256m', *FLAGS, '--add-opens', 'java.base/sun.nio.ch=ALL-UNNAMED',
                          *[f'-D{key}={value}' for key, value in settings.items()], '-cp', ARGUMENTS.java, main])
        bench.started(self)
        mark = os.path.join(self.files, 'archive-mark.dat')
        await_that(lambda: is_ready(self.dir) and version_of(mark), 'the stock archive', 60, self)


def version_of(mark):
    """Written last into an archive's mark file, behind its 8 bytes of message header."""
    if not os.path.exists(mark):
        return False
    with open(mark, 'rb') as file:
        return any(file.read(12)[8:])




class OurArchive(Process):
    """Ours, with its driver inside."""

    def __init__(self, bench, name, *args):
        self.dir = os.path.join(bench.scratch, name)
        self.files = os.path.join(bench.scratch, f'{name}-archive')
        self.channel = f'aeron:udp?endpoint=localhost:{udp_port()}'
        settings = {**SETTINGS, 'aeron.dir': self.dir, 'aeron.archive.dir': self.files,
                    'aeron.archive.control.channel': self.channel,
                    'aeron.archive.replication.channel': 'aeron:udp?endpoint=localhost:0'}
        super().__init__([our_program('fulmar-archive', 'apps/fulmar-archive'),
                          *[f'-D{key}={value}' for key, value in settings.items()], *args])
        bench.started(self)
        await_that(lambda: 'ready in' in self.stdout, 'our archive', 20, self)


# A stock archive cannot: the driver refuses the request publication that it opens, for its session id.
NOT_OF_STOCK = '*another archive copies a recording over a response channel*'


def run_cases(first, second, figures, only='*'):
    without = NOT_OF_STOCK if isinstance(second, Archive) else ''
    env = {'FULMAR_DIR': first.dir, 'ARCHIVE_CONTROL_CHANNEL': first.channel, 'ARCHIVE_SECOND_CHANNEL': second.channel}
    cases = run([our_program('archive_peer', 'tests/archive_peer'), f'-tc={only}',
                 f'-tce={without}'], 240, env=env)
    passed = re.search(r'test cases:\s*(\d+) \|\s*(\d+) passed', cases.stdout)
    need(cases.returncode == 0 and passed, f'archive_peer: {cases.output()}')
    figures[f'cases {only}'] = f'{passed[2]} of {passed[1]}'


def check_java_driver(bench, figures):
    run_cases(Archive(bench, 'first'), Archive(bench, 'second'), figures)


def check_c_driver(bench, figures):
    driver = bench.aeronmd(None, 'AERON_IPC_TERM_BUFFER_LENGTH=256k', 'AERON_TERM_BUFFER_LENGTH=256k')
    run_cases(Archive(bench, 'first', driver.dir), Archive(bench, 'second'), figures)


def check_our_driver(bench, figures):
    driver = bench.fulmard('--port', 'udp', '-Daeron.ipc.term.buffer.length=256k', '-Daeron.term.buffer.length=256k')
    run_cases(Archive(bench, 'first', driver.dir), Archive(bench, 'second'), figures)


def check_both_ways(bench, figures):
    """Each copies from the other: stopped recordings, live ones by replay, by response channel, into the live stream."""
    ours, stock = OurArchive(bench, 'ours'), Archive(bench, 'stock')
    copies = '*another archive copies*'
    figures['stock copies ours'], figures['ours copies stock'] = {}, {}
    run_cases(ours, stock, figures['stock copies ours'], copies)
    run_cases(stock, ours, figures['ours copies stock'], copies)


def check_java_clients(bench, figures):
    events = f'aeron:udp?endpoint=localhost:{udp_port()}'
    archive = OurArchive(bench, 'ours', '--events-channel', events)
    for name, args, words in (('Merge', (udp_port(), 20_000), 'merged 20000 live true'),
                              ('Responses', (udp_port(), 20_000), 'replayed 20000'),
                              ('Events', (events, 20_000), 'alias=told to the end')):
        program = java_program(bench, name)
        ended = run(program(archive, archive.channel, *args), 120)
        need(ended.returncode == 0 and words in ended.stdout, f'{name}: {ended.output()}')
        figures[name] = ended.stdout.strip()
    need(archive.stop() == 0 and not archive.stderr, archive.output())


CHECKS = {
    'archive client on a stock Java archiving driver': check_java_driver,
    'archive client, stock Java archive on a stock C driver': check_c_driver,
    'archive client, stock Java archive on our driver': check_our_driver,
    'archive: ours and a stock Java one copy from each other': check_both_ways,
    'archive: stock Java clients on ours': check_java_clients,
}
