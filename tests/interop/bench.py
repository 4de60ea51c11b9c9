"""What the checks share: the arguments, stock programs, and where one check runs."""
import argparse
import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'system'))


def parse_arguments():
    parser = argparse.ArgumentParser(description=sys.modules['__main__'].__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--aeron', required=True, help='directory of the stock binaries')
    parser.add_argument('--build', default=os.path.join(HERE, '..', '..', 'build'), help='our build directory')
    parser.add_argument('--json', action='store_true', help='one JSON object per check, the result last')
    parser.add_argument('--java', default='', metavar='CLASSPATH',
                        help='stock Java client and samples: jars, as java -cp takes them')
    parser.add_argument('--only', default='', help='only checks whose name contains this')
    parser.add_argument('--seconds', type=float, default=4, help='length of a rate measurement')
    return parser.parse_args()


ARGUMENTS = parse_arguments()


def usage(why):
    print(f'tests/interop/run: {why}', file=sys.stderr)
    sys.exit(2)


def our_program(name, folder):
    for path in (os.path.join(ARGUMENTS.build, 'bin', name), os.path.join(ARGUMENTS.build, folder, name)):
        if os.access(path, os.X_OK):
            return os.path.abspath(path)
    return usage(f'{name} is not built in {ARGUMENTS.build}; run scripts/build')


os.environ['FULMARD'] = our_program('fulmard', 'apps/fulmard')
os.environ['FULMAR'] = our_program('fulmar', 'apps/fulmar')
os.environ['FULMAR_PERF'] = our_program('fulmar-perf', 'perf/e2e')
from harness import Driver, Process, await_that, run, udp_port  # noqa: E402  it reads the environment


def stock(name):
    for folder in (ARGUMENTS.aeron, os.path.join(ARGUMENTS.aeron, 'bin')):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    return None


class Skipped(Exception):
    pass


class Failed(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Failed(why)


class Sample(Process):
    """A stock sample; it buffers its output by blocks unless told otherwise, and ends in order at SIGINT."""

    def __init__(self, name, directory, *args, netns=None):
        path = stock(name)
        if path is None:
            raise Skipped(f'{name} is not there')
        super().__init__(['stdbuf', '-oL', path, *args], env={'AERON_DIR': str(directory)}, netns=netns)

    def interrupt(self, seconds=15):
        if self.poll() is None:
            self.child.send_signal(signal.SIGINT)
        return self.wait(seconds)


def tool(name, directory, *args):
    path = stock(name)
    if path is None:
        raise Skipped(f'{name} is not there')
    return run([path, '-d', directory, *args])


def is_ready(directory):
    """The version is written last into the file that clients find a driver by."""
    with contextlib.suppress(FileNotFoundError), open(os.path.join(directory, 'cnc.dat'), 'rb') as file:
        return file.read(4) not in (b'', bytes(4))
    return False


class Bench:
    """Where one check runs: a scratch directory and everything to be stopped at its end."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.scratch = tempfile.mkdtemp(prefix='fulmar-interop-', dir='/dev/shm')
        self.stack.callback(shutil.rmtree, self.scratch, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def started(self, process):
        self.stack.callback(process.kill)
        return process

    def fulmard(self, *args, name='fulmar', **options):
        return self.started(Driver(os.path.join(self.scratch, name), *args, small=False, **options))

    def sample(self, *args, **options):
        return self.started(Sample(*args, **options))

    def aeronmd(self, netns, *settings, name='stock'):
        path = stock('aeronmd_s') or stock('aeronmd')
        if path is None:
            raise Skipped('aeronmd is not there')
        directory = os.path.join(self.scratch, name)
        env = {'AERON_DIR': directory, 'AERON_THREADING_MODE': 'SHARED', 'AERON_DIR_DELETE_ON_START': '1',
               **dict(setting.split('=', 1) for setting in settings)}
        driver = self.started(Process([path], env=env, netns=netns))
        await_that(lambda: is_ready(directory), 'the stock driver', 10, driver)
        driver.dir = directory
        return driver


def channels():
    return ('aeron:ipc', f'aeron:udp?endpoint=127.0.0.1:{udp_port()}')


def kind(channel):
    return 'ipc' if channel.startswith('aeron:ipc') else 'udp'


def ping_pong(bench, ping_dir, pong_dir, ping, pong, stream, messages, ping_netns=None, pong_netns=None):
    streams = ['-s', str(stream), '-S', str(stream + 1)]
    bench.sample('cpong', pong_dir, '-c', ping, '-C', pong, *streams, netns=pong_netns)
    pinger = bench.sample('cping', ping_dir, '-c', ping, '-C', pong, *streams, '-w', '2000', '-m', str(messages), '-L',
                          '32', netns=ping_netns)
    need(pinger.wait(90) == 0, f'cping: {pinger.output()}')
    return rtt_of(pinger.stdout)


def rtt_of(text):
    """p50 and p99 of the printed percentile table, whose unit is microseconds."""
    rows = [(float(a), float(b)) for a, b in re.findall(r'^\s*([\d.]+)\s+([\d.]+)\s+\d+(?:\s|$)', text, re.M)]
    need(rows, f'no percentiles in {text[-400:]!r}')

    def at(share):
        return next((value for value, percentile in rows if percentile >= share), rows[-1][0])
    return f'p50 {at(0.5):.1f} us, p99 {at(0.99):.1f} us'
