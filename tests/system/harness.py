"""Real processes for the system tests: drivers, clients, network namespaces, and the driver's files as bytes.

The programs under test come from the environment (FULMARD, FULMAR, FULMAR_PERF). Slow builds (sanitizers) set
FULMAR_TEST_SLOW to a factor for every time limit. A script ends with main(): exit status 0 passed, 1 failed,
77 when every test in it was skipped, with the reasons.
"""
import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

FULMARD = os.environ.get('FULMARD', 'build/bin/fulmard')
FULMAR = os.environ.get('FULMAR', 'build/bin/fulmar')
PERF = os.environ.get('FULMAR_PERF', 'build/bin/fulmar-perf')
SLOW = float(os.environ.get('FULMAR_TEST_SLOW', '1'))

IS_ROOT = os.geteuid() == 0
# Small files, so that many drivers fit beside each other on a small machine.
SMALL = ['--term-buffer-length', '1m', '--ipc-term-buffer-length', '1m', '--counters-buffer-length', '1m',
         '--error-buffer-length', '1m']


def limit(seconds):
    return seconds * SLOW


class SanitizerReports:
    """What sanitizers say about the children, whoever reads their stderr or exit status. Reports go to files that
    any user can write, but for those of undefined behaviour, which stay in stderr."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='fulmar-sanitizer-')
        os.chmod(self.dir, 0o1777)
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        self._processes = []
        for name in ('ASAN', 'LSAN', 'TSAN', 'UBSAN'):
            options = [os.environ.get(f'{name}_OPTIONS', ''), f'log_path={self.dir}/{name}',
                       'print_stacktrace=1' if name == 'UBSAN' else '']
            os.environ[f'{name}_OPTIONS'] = ':'.join(option for option in options if option)

    def watch(self, process):
        self._processes.append(process)

    def take(self):
        """All reports since the last call, as one text. The children have ended."""
        texts = [f'{process.args}: {process.stderr}' for process in self._processes
                 if 'runtime error: ' in process.stderr or 'Sanitizer' in process.stderr]
        self._processes.clear()
        for name in sorted(os.listdir(self.dir)):
            path = os.path.join(self.dir, name)
            with open(path, errors='replace') as report:
                texts.append(f'{name}:\n{report.read()}')
            os.unlink(path)
        return '\n'.join(texts)


REPORTS = SanitizerReports()


def await_that(condition, what, seconds=10, process=None):
    """Polls a condition that another process brings about; fails when it never holds."""
    end = time.monotonic() + limit(seconds)
    while True:
        value = condition()
        if value:
            return value
        if process is not None and process.poll() is not None:
            raise AssertionError(f'{what}: the process ended with {process.returncode}: {process.output()}')
        if time.monotonic() > end:
            raise AssertionError(f'{what}: not within {limit(seconds):.0f} s')
        time.sleep(0.005)


class Process:
    """A child whose output is collected while it runs."""

    def __init__(self, args, env=None, stdin=None, netns=None):
        args = [str(arg) for arg in args]
        if netns:
            args = ['ip', 'netns', 'exec', netns] + args
        self.args = args
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(('AERON_', 'FULMAR_'))}
        environment.update(env or {})
        self._lines = {'stdout': [], 'stderr': []}
        self.child = subprocess.Popen(args, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True, errors='replace', env=environment)
        self._readers = [threading.Thread(target=self._read, args=(name,), daemon=True)
                         for name in self._lines]
        for reader in self._readers:
            reader.start()
        REPORTS.watch(self)

    def _read(self, name):
        with getattr(self.child, name) as pipe:
            for line in pipe:
                self._lines[name].append(line)

    @property
    def pid(self):
        return self.child.pid

    @property
    def returncode(self):
        return self.child.returncode

    @property
    def stdout(self):
        return ''.join(self._lines['stdout'])

    @property
    def stderr(self):
        return ''.join(self._lines['stderr'])

    def output(self):
        return f'stdout: {self.stdout!r} stderr: {self.stderr!r}'

    def poll(self):
        return self.child.poll()

    def wait(self, seconds=30):
        try:
            self.child.wait(limit(seconds))
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f'{self.args}: still running after {limit(seconds):.0f} s; {self.output()}')
        self.kill()
        return self.returncode

    def await_line(self, text, seconds=15):
        return await_that(lambda: next((line for line in self._lines['stdout'] if text in line), None),
                          f'{self.args[0]}: a line with {text!r}', seconds, self)

    def send(self, text):
        self.child.stdin.write(text)
        self.child.stdin.flush()

    def stop(self, seconds=15):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def finish(self):
        """For children that a test leaves running: asks them to end, so that a leak check runs, and insists."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(limit(5))
        self.kill()

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        if self.child.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.child.stdin.close()
        for reader in self._readers:
            reader.join(limit(5))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def run(args, seconds=30, **options):
    """Runs to the end; returns the Process."""
    with Process(args, **options) as process:
        process.wait(seconds)
        return process


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


class Driver(Process):
    """fulmard, ready."""

    def __init__(self, directory, *args, ready=True, small=True, prefix=(), **options):
        self.dir = str(directory)
        super().__init__([*prefix, FULMARD, '--dir', self.dir, *(SMALL if small else []), *args], **options)
        if ready:
            try:
                self.await_line('ready in')
            except AssertionError:
                self.kill()
                raise

    def fulmar(self, verb, *args, seconds=30, **options):
        return run([FULMAR, verb, '--dir', self.dir, *args], seconds, **options)


@contextlib.contextmanager
def netns_pair(address_a=None):
    """Two namespaces joined by a veth pair: (name, interface) twice. Skips where that cannot be had."""
    tag = f'{os.getpid() % 100000}'
    names = [(f'fulmar-a-{tag}', f'fa{tag}'), (f'fulmar-b-{tag}', f'fb{tag}')]
    (ns_a, if_a), (ns_b, if_b) = names

    def ip(*args):
        return subprocess.run(['ip', *args], capture_output=True, text=True)
    try:
        made = [ip('netns', 'add', ns_a), ip('netns', 'add', ns_b),
                ip('link', 'add', if_a, 'netns', ns_a, 'type', 'veth', 'peer', 'name', if_b, 'netns', ns_b)]
        if any(step.returncode for step in made):
            raise unittest.SkipTest('this kernel makes no network namespaces or veth pairs')
        for ns, interface in names:
            ip('-n', ns, 'link', 'set', 'lo', 'up')
            ip('-n', ns, 'link', 'set', interface, 'up')
        if address_a:
            ip('-n', ns_a, 'addr', 'add', address_a, 'dev', if_a)
        yield names
    finally:
        ip('netns', 'del', ns_a)
        ip('netns', 'del', ns_b)


_ports = {}


def udp_port():
    """A port nobody uses; even, so that the next one is free for answers too."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1] & ~1
            if port not in _ports and port + 1 not in _ports:
                _ports[port] = _ports[port + 1] = True
                return port
    raise AssertionError('no free UDP port')


class SystemTest(unittest.TestCase):
    """Gives each test a directory of its own on shared memory and looks for what it left behind."""
    longMessage = True

    def setUp(self):
        # First, so that it runs last: after all children are gone.
        self.addCleanup(self.assert_no_reports)
        base = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
        self.scratch = tempfile.mkdtemp(prefix='fulmar-system-', dir=base)
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.dir = os.path.join(self.scratch, 'driver')

    def driver(self, *args, directory=None, **options):
        driver = Driver(directory or self.dir, *args, **options)
        self.addCleanup(driver.finish)
        return driver

    def start(self, args, **options):
        process = Process(args, **options)
        self.addCleanup(process.finish)
        return process

    def assert_no_reports(self):
        reports = REPORTS.take()
        self.assertEqual(reports, '', f'a sanitizer reported:\n{reports}')

    def assert_one_line(self, process, *words):
        """stderr is one line and says all of it."""
        text = process.stderr
        self.assertEqual(len(text.splitlines()), 1, f'not one line: {text!r}')
        for word in words:
            self.assertIn(word, text)

    def assert_refused(self, process, status, *words):
        self.assertEqual(process.wait(), status, process.output())
        self.assert_one_line(process, *words)


def main():
    """unittest's main with exit status 77 when nothing ran."""
    program = unittest.main(exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun == 0 or len(result.skipped) == result.testsRun:
        for test, reason in result.skipped:
            print(f'skipped: {test}: {reason}')
        sys.exit(77)
