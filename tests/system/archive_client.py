"""Our archive client on our archive: the cases of tests/archive_peer, and the verbs of `fulmar archive` that ask a
running one."""
import os
import re
import signal

from harness import FULMAR, Process, SystemTest, await_that, json_lines, main, run, udp_port

ARCHIVE = os.environ['FULMAR_ARCHIVE']
PEER = os.environ['ARCHIVE_PEER']
# What the cases of tests/archive_peer expect.
SMALL = ['--segment-file-length', '1m', '--driver', 'term-buffer-length=256k', '--driver', 'ipc-term-buffer-length=256k']


class ArchiveClient(SystemTest):
    def archive(self, name='archive', directory=None):
        channel = f'aeron:udp?endpoint=localhost:{udp_port()}'
        archive = self.start([ARCHIVE, '--dir', directory or self.dir, '--archive-dir',
                              os.path.join(self.scratch, name), '--control-channel', channel,
                              '--replication-channel', 'aeron:udp?endpoint=localhost:0', *SMALL])
        archive.await_line('ready in')
        archive.channel = channel
        return archive

    def verb(self, name, *args, status=0, seconds=30):
        process = run([FULMAR, 'archive', name, '--dir', self.dir, *args], seconds)
        self.assertEqual(process.returncode, status, process.output())
        return process

    def lines(self, name, *args, status=0):
        return json_lines(self.verb(name, '--json', *args, status=status).stdout)

    def refused(self, name, *args, words, status=1):
        self.assert_one_line(self.verb(name, *args, status=status), f'fulmar archive {name}: ', *words)

    def publish(self, stream, first, last):
        text = ''.join(f'{number}\n' for number in range(first, last + 1))
        path = os.path.join(self.scratch, 'lines')
        with open(path, 'w') as file:
            file.write(text)
        with open(path) as file:
            sent = run([FULMAR, 'pub', '--dir', self.dir, '--channel', 'aeron:ipc', '--stream', str(stream)], stdin=file)
        self.assertEqual(sent.returncode, 0, sent.output())
        return text

    def recorded(self, stream, last):
        """A recording of lines of numbers; its id."""
        recorder = self.start([FULMAR, 'archive', 'record', 'aeron:ipc', str(stream), '--auto-stop', '--json', '--dir',
                               self.dir])
        recorder.await_line('subscribed')
        self.publish(stream, 1, last)
        self.assertEqual(recorder.wait(), 0, recorder.output())
        result = json_lines(recorder.stdout)[-1]
        self.assertTrue(result['pass'])
        return result['recordings'][0]['recording_id']

    def test_every_case_against_our_archive(self):
        first = self.archive()
        second = self.archive('second', os.path.join(self.scratch, 'second-driver'))
        cases = run([PEER], 200, env={
            'FULMAR_DIR': self.dir, 'ARCHIVE_CONTROL_CHANNEL': first.channel, 'ARCHIVE_SECOND_CHANNEL': second.channel})
        self.assertEqual(cases.returncode, 0, cases.output())
        counts = re.search(r'test cases:\s*(\d+) \|\s*(\d+) passed \| 0 failed \|\s*(\d+) skipped', cases.stdout)
        self.assertGreaterEqual(int(counts[2]), 28, cases.stdout)
        self.assertEqual(int(counts[3]), 0, cases.stdout)

    def test_a_stream_is_recorded_listed_replayed_and_purged(self):
        self.archive()
        recorder = self.start([FULMAR, 'archive', 'record', 'aeron:ipc', '1001', '--dir', self.dir])
        recorder.await_line('is recorded by subscription')
        text = self.publish(1001, 1, 3000)
        recorder.await_line('recording 0: stopped at')
        self.assertEqual(self.verb('replay', '0').stdout, text)
        recorder.child.send_signal(signal.SIGINT)
        self.assertEqual(recorder.wait(), 0, recorder.output())
        # Ending the verb ended the recording's subscription.
        self.refused('stop', '--channel', 'aeron:ipc', '--stream', '1001', words=['UNKNOWN_SUBSCRIPTION'])

        rows = self.lines('list')
        self.assertEqual([row['recording_id'] for row in rows], [0])
        self.assertEqual((rows[0]['stream_id'], rows[0]['start_position'], rows[0]['active']), (1001, 0, False))
        self.assertEqual(rows[0]['stop_position'], 3000 * 64)
        self.assertEqual(self.lines('list', '--stream', '1'), [])

        def same(rows):
            """Without what a listing says about itself."""
            return [{key: value for key, value in row.items() if key not in ('control_session_id', 'correlation_id')}
                    for row in rows]
        self.assertEqual(same(self.lines('list', '--channel', 'ipc', '0')), same(rows))
        kept = json_lines(run([FULMAR, 'archive', 'ls', '--json', '--archive-dir',
                               os.path.join(self.scratch, 'archive')]).stdout)
        self.assertEqual(same(kept), same(rows))

        self.assertEqual(self.verb('replay', '0', '--from', '640', '--count', '2').stdout, '11\n12\n')
        part = self.lines('replay', '0', '--from', '640', '--length', '128')
        self.assertEqual([line['message'] for line in part[:-1]], ['11', '12'])
        self.assertEqual(part[-1], {'messages': 2, 'pass': True})
        self.assertEqual(self.lines('truncate', '0', '640')[-1], {'pass': True})
        self.assertEqual(self.verb('replay', '0').stdout, ''.join(f'{number}\n' for number in range(1, 11)))
        self.assertEqual(self.lines('purge', '0'), [{'recording_id': 0, 'files_deleted': 1}, {'pass': True}])
        self.assertEqual(self.lines('list'), [])

    def test_a_replay_over_the_network_and_to_somebody_else(self):
        archive = self.archive()
        recording = self.recorded(1002, 100)
        text = ''.join(f'{number}\n' for number in range(1, 101))
        self.assertEqual(self.verb('replay', str(recording), '--archive', archive.channel).stdout, text)
        subscriber = self.start([FULMAR, 'sub', '--dir', self.dir, '--channel', 'aeron:ipc', '--stream', '1003',
                                 '--count', '100'])
        handed = self.lines('replay', str(recording), '--to', 'aeron:ipc', '--stream', '1003')
        self.assertTrue(handed[0]['pass'])
        self.assertEqual(subscriber.wait(), 0, subscriber.output())
        self.assertEqual(subscriber.stdout, text)

    def test_a_replay_follows_a_recording_that_goes_on(self):
        self.archive()
        self.verb('record', 'aeron:ipc', '1004', '--detach')
        publisher = Process([FULMAR, 'pub', '--dir', self.dir, '--channel', 'aeron:ipc', '--stream', '1004'], stdin=-1)
        self.addCleanup(publisher.finish)
        publisher.send('1\n')
        await_that(lambda: self.lines('list', '--stream', '1004'), 'the recording')
        follower = self.start([FULMAR, 'archive', 'replay', '0', '--follow', '--dir', self.dir])
        follower.await_line('1')
        publisher.send('2\n')
        follower.await_line('2')
        stopped = self.lines('stop', '0')
        self.assertEqual(stopped, [{'recording_id': 0, 'was_active': True, 'position': 128}, {'pass': True}])
        self.assertEqual(follower.wait(), 0, follower.output())

    def test_another_archive_copies_a_recording(self):
        source = self.archive()
        recording = self.recorded(1006, 1000)
        source_dir, self.dir = self.dir, os.path.join(self.scratch, 'second-driver')
        self.archive('second', self.dir)
        lines = self.lines('replicate', str(recording), '--source', source.channel)
        self.assertEqual([line['event'] for line in lines if line.get('event') != 'progress' and 'event' in line],
                         ['REPLICATE', 'EXTEND', 'SYNC', 'STOP', 'REPLICATE_END'], lines)
        self.assertEqual(lines[-1], {'recording_id': 0, 'position': 64_000, 'synced': True, 'pass': True})
        self.assertEqual(self.verb('replay', '0').stdout, ''.join(f'{number}\n' for number in range(1, 1001)))
        self.refused('replicate', str(recording), '--source', source.channel, '--into', '9', words=['UNKNOWN_RECORDING'])

        # A copy of what goes on ends when it is told to.
        self.dir = source_dir
        self.verb('record', 'aeron:ipc', '1007', '--detach')
        publisher = Process([FULMAR, 'pub', '--dir', self.dir, '--channel', 'aeron:ipc', '--stream', '1007'], stdin=-1)
        self.addCleanup(publisher.finish)
        publisher.send('1\n')
        await_that(lambda: self.lines('list', '--stream', '1007'), 'the recording')
        self.dir = os.path.join(self.scratch, 'second-driver')
        copier = self.start([FULMAR, 'archive', 'replicate', '1', '--source', source.channel, '--dir', self.dir])
        copier.await_line('recording 1: EXTEND')
        await_that(lambda: self.lines('list', '1')[0]['end_position'] == 64, 'the first message')
        copier.child.send_signal(signal.SIGINT)
        self.assertEqual(copier.wait(), 0, copier.output())
        self.assertIn('recording 1: has the source up to 64', copier.stdout)

    def test_only_the_beginning_is_purged(self):
        self.archive()
        recording = self.recorded(1005, 40_000)  # 2.4 MiB
        purged = self.lines('purge', str(recording), '--before', str(5 << 18))
        self.assertEqual(purged[0], {'recording_id': recording, 'files_deleted': 1})
        row = self.lines('list', str(recording))[0]
        self.assertEqual(row['start_position'], 1 << 20)
        again = self.lines('purge', str(recording), '--before', str(5 << 18))
        self.assertEqual(again[0], {'recording_id': recording, 'files_deleted': 0})
        first = self.verb('replay', str(recording), '--count', '1').stdout
        self.assertEqual(first, f'{(1 << 20) // 64 + 1}\n')

    def test_what_cannot_be_is_one_line(self):
        self.refused('list', words=['no driver in', 'fulmard --dir'])
        self.archive()
        self.refused('list', '7', words=['recording 7'])
        self.refused('replay', '7', words=['UNKNOWN_RECORDING'])
        self.refused('truncate', '7', '0', words=['UNKNOWN_RECORDING'])
        self.refused('purge', '7', words=['UNKNOWN_RECORDING'])
        self.refused('record', 'nonsense', '1', words=['nonsense'])
        self.refused('list', '--archive', f'aeron:udp?endpoint=localhost:{udp_port()}', '--timeout', '0.5',
                     words=['waited 500 ms', 'is an archive running there?'])
        self.refused('list', '--archive', 'tcp://x', words=['control_request_channel', 'aeron:'])
        self.refused('stop', words=['say what to stop'], status=2)

    def test_a_watcher_hears_that_its_archive_is_gone(self):
        archive = self.archive()
        recorder = self.start([FULMAR, 'archive', 'record', 'aeron:ipc', '1001', '--dir', self.dir])
        recorder.await_line('is recorded by subscription')
        archive.stop()
        self.assert_refused(recorder, 1, 'fulmar archive record: ')


if __name__ == '__main__':
    main()
