"""`fulmar-archive` as a process: its threads, its directory, the ways in which it may end, and clients that lie."""
import ctypes
import os
import re
import shutil
import socket
import struct
import subprocess
import time
import unittest

from frames import data, setup
from harness import FULMAR, IS_ROOT, SystemTest, await_that, json_lines, limit, main, run, udp_port

ARCHIVE = os.environ['FULMAR_ARCHIVE']
PEER = os.environ['ARCHIVE_PEER']
# What the cases of tests/archive_peer expect.
SMALL = ['--segment-file-length', '1m', '--driver', 'term-buffer-length=256k', '--driver',
         'ipc-term-buffer-length=256k', '--driver', 'counters-buffer-length=1m']
SCHEMA, SCHEMA_VERSION = 101, 12
MARK_VERSION = 3 << 16 | 1 << 8


def request(template, block, *texts):
    """A message of the control protocol."""
    return struct.pack('<HHHH', len(block), template, SCHEMA, SCHEMA_VERSION) + block + b''.join(
        struct.pack('<I', len(text)) + text for text in texts)


def connect_request(correlation_id, channel, info=b'name=liar'):
    return request(58, struct.pack('<qii', correlation_id, 4444, 1 << 16 | 12 << 8), channel, b'', info)


class ArchiveTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.archive_dir = os.path.join(self.scratch, 'archive')

    def archive_args(self, *args, directory=None):
        self.port = udp_port()
        return [ARCHIVE, '--dir', directory or self.dir, '--archive-dir', self.archive_dir, '--control-channel',
                f'aeron:udp?endpoint=localhost:{self.port}', '--replication-channel', 'aeron:udp?endpoint=localhost:0',
                *SMALL, *args]

    def archive(self, *args, **options):
        archive = self.start(self.archive_args(*args, **options))
        archive.await_line('ready in')
        return archive

    def refused(self, *args, status=1, words):
        self.assert_refused(self.start(self.archive_args(*args)), status, 'fulmar-archive: ', *words)

    def verb(self, name, *args, status=0):
        process = run([FULMAR, 'archive', name, '--dir', self.dir, *args])
        self.assertEqual(process.returncode, status, process.output())
        return process

    def lines(self, name, *args):
        return json_lines(self.verb(name, '--json', *args).stdout)

    def publish(self, stream, first, last):
        path = os.path.join(self.scratch, 'lines')
        with open(path, 'w') as file:
            file.writelines(f'{number}\n' for number in range(first, last + 1))
        with open(path) as file:
            return run([FULMAR, 'pub', '--dir', self.dir, '--channel', 'aeron:ipc', '--stream', str(stream)], stdin=file)

    def record(self, stream, last):
        """Lines of numbers, recorded to their end; the recording's id."""
        before = len(self.lines('list'))
        self.verb('record', 'aeron:ipc', str(stream), '--auto-stop', '--detach')
        sent = self.publish(stream, 1, last)
        self.assertEqual(sent.returncode, 0, sent.output())
        await_that(lambda: [row for row in self.lines('list')[before:] if not row['active']], 'the recording ends')
        return self.lines('list')[-1]['recording_id']

    def assert_replays(self, recording, last):
        self.assertEqual(self.verb('replay', str(recording)).stdout,
                         ''.join(f'{number}\n' for number in range(1, last + 1)))


class Threads(ArchiveTest):
    """With one thread: tests/system/archive_client.py."""

    def peer(self, mode):
        self.archive('--threading', mode)
        cases = run([PEER], 200, env={
            'FULMAR_DIR': self.dir, 'ARCHIVE_CONTROL_CHANNEL': f'aeron:udp?endpoint=localhost:{self.port}'})
        self.assertEqual(cases.returncode, 0, cases.output())
        counts = re.search(r'test cases:\s*(\d+) \|\s*(\d+) passed \| 0 failed', cases.stdout)
        self.assertGreaterEqual(int(counts[2]), 28, cases.stdout)

    def test_every_case_with_a_thread_for_each_agent(self):
        self.peer('dedicated')

    def test_every_case_without_threads(self):
        self.peer('inline')

    def test_every_mode_ends_in_order(self):
        for mode in ('shared', 'dedicated', 'inline'):
            with self.subTest(mode=mode):
                archive = self.archive('--threading', mode)
                self.verb('record', 'aeron:ipc', '1001', '--detach')
                self.assertEqual(archive.stop(), 0, archive.output())
                self.assertEqual(archive.stderr, '')
                self.assertIn('ended: signal', archive.stdout)


class Directory(ArchiveTest):
    def mark(self, directory, pid, activity_ms):
        """The mark file of an archive that does not know our lock."""
        os.makedirs(directory, exist_ok=True)
        head = struct.pack('<HHHH', 128, 200, 100, 2) + struct.pack('<i4xqqq', MARK_VERSION, activity_ms, activity_ms, pid)
        with open(os.path.join(directory, 'archive-mark.dat'), 'wb') as file:
            file.write(head.ljust(8192 + 4096, b'\0'))

    def test_one_archive_at_a_time(self):
        first = self.archive()
        second = self.start(self.archive_args('--dir-delete-on-start', directory=self.dir + '2'))
        self.assert_refused(second, 1, 'fulmar-archive: ', 'is in use by another archive', str(first.pid))
        self.assertEqual(self.record(1001, 100), 0)
        self.assertEqual(first.stop(), 0, first.output())
        self.archive()
        self.assert_replays(0, 100)

    def test_an_archive_without_our_lock_is_seen_by_its_mark_file(self):
        precious = os.path.join(self.archive_dir, '0-0.rec')
        elsewhere = os.path.join(self.scratch, 'mark')
        for directory in (self.archive_dir, elsewhere):
            with self.subTest(directory=directory):
                shutil.rmtree(self.archive_dir, ignore_errors=True)
                self.mark(directory, os.getpid(), int(time.time() * 1000))
                os.makedirs(self.archive_dir, exist_ok=True)
                with open(precious, 'w') as file:
                    file.write('recorded')
                with open(os.path.join(self.archive_dir, 'archive-mark.lnk'), 'w') as file:
                    file.write(directory)
                self.refused('--dir-delete-on-start', words=[f'{directory}/archive-mark.dat', 'is active', str(os.getpid())])
                self.assertTrue(os.path.exists(precious), 'nothing was deleted')
        # One that died leaves its mark, which stops nobody.
        ended = subprocess.Popen(['true'])
        ended.wait()
        self.mark(elsewhere, ended.pid, int(time.time() * 1000))
        self.archive('--dir-delete-on-start')
        self.assertFalse(os.path.exists(precious))

    def test_the_mark_file_elsewhere(self):
        archive = self.archive('-Daeron.archive.mark.file.dir=' + self.dir, '-Daeron.dir.delete.on.start=true')
        link = os.path.join(self.archive_dir, 'archive-mark.lnk')
        with open(link) as file:
            self.assertEqual(file.read(), os.path.realpath(self.dir))
        with open(os.path.join(self.dir, 'archive-mark.dat'), 'rb') as file:
            head = file.read(64)
        self.assertEqual(struct.unpack_from('<i', head, 8)[0], MARK_VERSION)
        self.assertEqual(struct.unpack_from('<q', head, 32)[0], archive.pid)
        self.assertFalse(os.path.exists(os.path.join(self.archive_dir, 'archive-mark.dat')))
        self.assertEqual(archive.stop(), 0, archive.output())
        self.archive()
        self.assertFalse(os.path.exists(link))
        self.assertTrue(os.path.exists(os.path.join(self.archive_dir, 'archive-mark.dat')))

    def test_killed_and_back_within_seconds(self):
        archive = self.archive()
        self.assertEqual(self.record(1001, 1000), 0)
        self.verb('record', 'aeron:ipc', '1002', '--detach')
        publisher = self.start([FULMAR, 'pub', '--dir', self.dir, '--channel', 'aeron:ipc', '--stream', '1002'],
                               stdin=subprocess.PIPE)
        publisher.send(''.join(f'{number}\n' for number in range(1, 101)))
        await_that(lambda: [row for row in self.lines('list') if row['end_position'] == 6400], 'all is recorded')
        archive.kill()
        publisher.kill()
        began = time.monotonic()
        # The driver's directory holds nothing that is worth waiting for.
        self.archive('-Daeron.dir.delete.on.start=true')
        self.assertLess(time.monotonic() - began, limit(5))
        self.assert_replays(0, 1000)
        self.assert_replays(1, 100)

    @unittest.skipUnless(IS_ROOT, 'mounting a small disk takes root')
    def test_a_full_disk_ends_recordings_not_the_archive(self):
        os.mkdir(self.archive_dir)
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=12m', 'fulmar', self.archive_dir], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest('no mounts here')
        self.addCleanup(ctypes.CDLL(None).umount2, self.archive_dir.encode(), 2)
        archive = self.archive('--low-storage-space-threshold', '1m')
        self.verb('record', 'aeron:ipc', '1001', '--detach')
        self.publish(1001, 1, 250_000)  # 16 MB
        row = await_that(lambda: next((row for row in self.lines('list') if not row['active']), None), 'the recording ends')
        self.assertGreater(row['stop_position'], 4 << 20)
        self.assertIn('space', archive.stderr)
        self.assertIn('recording 0', archive.stderr)
        first = self.verb('replay', '0', '--count', '1000').stdout
        self.assertEqual(first, ''.join(f'{number}\n' for number in range(1, 1001)))
        self.verb('stop', '--channel', 'aeron:ipc', '--stream', '1001')
        # Room again: it goes on.
        self.verb('purge', '0')
        again = await_that(lambda: self.try_record(1002), 'room is seen', seconds=10)
        self.assertEqual(again.returncode, 0, again.output())
        self.assertEqual(self.publish(1002, 1, 100).returncode, 0)
        await_that(lambda: [row for row in self.lines('list') if row['end_position'] == 6400], 'it is recorded')
        self.assertEqual(archive.stop(), 0, archive.output())

    def try_record(self, stream):
        process = run([FULMAR, 'archive', 'record', 'aeron:ipc', str(stream), '--detach', '--dir', self.dir])
        return process if process.returncode == 0 else None


class CommandLine(ArchiveTest):
    def test_what_cannot_be_is_one_line(self):
        for args, words in [
                (['--threading', 'many'], ['--threading', "'many'", 'dedicated, shared or inline']),
                (['--sync', 'often'], ['--sync', "'often'", 'batch, interval:TIME or none']),
                (['--segment-file-length', '100k'], ['--segment-file-length', 'power of two']),
                (['--idle', 'sometimes'], ['--idle', 'backoff, yield, spin, noop or sleep']),
                (['--control-channel', 'udp://x'], ['--control-channel', 'aeron:udp?endpoint=host:port']),
                (['--connect-timeout', '0'], ['--connect-timeout', 'length of time']),
                (['--archive-id', 'one'], ['--archive-id', 'whole number']),
                (['--no-such-option'], ['--no-such-option', 'fulmar-archive --help']),
                (['--attach', '/x', '--threading', 'inline'], ['inline', '--attach']),
                (['--events-enabled', 'true'], ['no channel', '--events-channel CHANNEL']),
                (['-Daeron.archive.segment.file.length=3'], ['-Daeron.archive.segment.file.length']),
                (['-Daeron.archive.authenticator.supplier=com.example.Auth'], ['com.example.Auth', '--credentials-file'])]:
            with self.subTest(args=args):
                self.refused(*args, status=2, words=words)
        self.assertFalse(os.path.exists(self.archive_dir), 'nothing was made')

    def test_what_cannot_start_is_one_line(self):
        self.refused('--credentials-file', '/no/such/file', words=['/no/such/file'])
        secrets = os.path.join(self.scratch, 'secrets')
        with open(secrets, 'w') as file:
            file.write('alice\n')
        os.chmod(secrets, 0o644)
        self.refused('--credentials-file', secrets, words=['everybody can read', f'chmod o-r {secrets}'])
        os.chmod(secrets, 0o600)
        self.refused('--credentials-file', secrets, words=[f'{secrets}: line 1'])
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(taken.close)
        args = self.archive_args()
        taken.bind(('127.0.0.1', self.port))
        self.assert_refused(self.start(args), 1, 'fulmar-archive: ', str(self.port), 'in use')
        attached = run([ARCHIVE, '--attach', os.path.join(self.scratch, 'nobody'), '--archive-dir', self.archive_dir])
        self.assert_refused(attached, 1, 'fulmar-archive: ', 'nobody')

    def test_settings_of_aeron(self):
        archive = self.archive('-Daeron.archive.idle.strategy=org.agrona.concurrent.YieldingIdleStrategy',
                               '-Daeron.archive.max.catalog.entries=128', '-Daeron.archive.id=77',
                               '-Daeron.archive.control.response.channel=aeron:udp?endpoint=localhost:0')
        unused = [line for line in archive.stdout.splitlines() if line.startswith('unused setting: ')]
        self.assertEqual(unused, ['unused setting: aeron.archive.max.catalog.entries'])
        stat = json_lines(run([FULMAR, 'stat', '--dir', self.dir, '--json']).stdout)
        labels = [line['label'] for line in stat if 'Archive Errors' in line.get('label', '')]
        self.assertEqual(len(labels), 1)
        self.assertIn('archiveId=77', labels[0])


    def test_the_control_channel_is_off_where_it_comes_before_or_after(self):
        archive = self.archive('-Daeron.archive.control.channel.enabled=false')
        self.assertNotIn('control: ', archive.stdout)
        self.assertEqual(archive.stop(), 0, archive.output())
        self.assertIn('control: 127.0.0.1:', self.archive('-Daeron.archive.control.channel.enabled=true').stdout)


class Liars(ArchiveTest):
    """Frames on the control port that no client would send."""

    def setUp(self):
        super().setUp()
        self.run_archive = self.archive('--connect-timeout', '1s')
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.session = 7000

    def say(self, messages):
        """On a stream of its own, at most a window of it."""
        self.session += 1
        self.socket.sendto(setup(self.session, 10), ('127.0.0.1', self.port))
        await_that(lambda: self.session in [line['session_id'] for line in self.streams()], 'the archive sees the stream')
        offset = 0
        for message in messages:
            frame = data(self.session, 10, 0, offset, message)
            offset += len(frame)
            self.assertLess(offset, 32 * 1024, 'more than a window')
            self.socket.sendto(frame, ('127.0.0.1', self.port))

    def streams(self):
        return json_lines(run([FULMAR, 'streams', '--dir', self.dir, '--json']).stdout)

    def errors(self):
        stat = json_lines(run([FULMAR, 'stat', '--dir', self.dir, '--json']).stdout)
        return next(line['value'] for line in stat if 'Archive Errors' in line.get('label', ''))

    def assert_serves(self):
        self.assertEqual(self.lines('list', '--archive', f'aeron:udp?endpoint=localhost:{self.port}'), [])

    def test_sessions_that_are_none(self):
        self.say([request(61, struct.pack('<qq', number, number)) for number in range(200)])
        await_that(lambda: self.errors() == 200, 'all were read')
        self.assert_serves()
        self.assertEqual(len(self.run_archive.stderr.splitlines()), 1, 'each error is told once')
        self.assertIn('control session does not exist', self.run_archive.stderr)

    def test_messages_that_are_none(self):
        whole = connect_request(1, b'aeron:ipc')
        cut = [whole[:length] for length in range(1, len(whole), 3)]
        lengths = [whole[:24] + struct.pack('<I', length) + whole[28:] for length in (100, 2**16, 2**31, 2**32 - 1)]
        noise = [bytes([value]) * 40 for value in range(0, 256, 16)]
        self.say([*cut, *lengths, *noise])
        await_that(lambda: self.errors() >= len(cut), 'they were read')
        self.assert_serves()

    def test_channels_that_are_none(self):
        channels = [b'', b'x', b'aeron:', b'aeron:tcp', b'aeron:udp', b'aeron:udp?endpoint=nohost', b'aeron:udp?endpoint=:0',
                    b'aeron:ipc?term-length=7', b'aeron:ipc?' + b'a' * 1000, bytes(range(128, 200)), b'aeron:spy:aeron:ipc']
        self.say([connect_request(number, channel) for number, channel in enumerate(channels)])
        await_that(lambda: self.errors() >= len(channels) - 1, 'they were read')
        self.assert_serves()

    def test_a_flood_of_sessions_nobody_comes_for(self):
        nobody = f'aeron:udp?endpoint=127.0.0.1:{udp_port()}'.encode()
        self.say([connect_request(number, nobody) for number in range(150)])
        await_that(lambda: self.errors() >= 134, 'the others are refused')
        self.assert_serves()
        self.assertLess(len(self.run_archive.stderr.splitlines()), 50)


if __name__ == '__main__':
    main()
