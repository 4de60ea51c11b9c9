"""Messages through drivers: every verb that moves or shows them, and the measuring tool's own checks."""
import json

from driver_files import Cnc
from harness import FULMAR, PERF, SystemTest, await_that, json_lines, main, run, udp_port


def last_json(process):
    return json.loads(process.stdout.splitlines()[-1])


class Streams(SystemTest):
    def channel(self):
        return f'aeron:udp?endpoint=127.0.0.1:{udp_port()}'

    def sub(self, driver, channel, *args):
        return self.start([FULMAR, 'sub', '--dir', driver.dir, '--channel', channel, '--json', *args])

    def test_pub_and_sub(self):
        driver = self.driver()
        for channel in ('aeron:ipc', self.channel()):
            with self.subTest(channel=channel):
                sub = self.sub(driver, channel, '--count', '3')
                pub = driver.fulmar('pub', '--channel', channel, '--message', 'grüße', '--count', '3',
                                    '--json')
                self.assertEqual(pub.returncode, 0, pub.output())
                self.assertEqual(last_json(pub)['sent'], 3)
                self.assertEqual(sub.wait(), 0, sub.output())
                self.assertEqual([line['message'] for line in json_lines(sub.stdout)], ['grüße'] * 3)

    def test_a_port_that_the_driver_chooses(self):
        driver = self.driver()
        subs = [self.sub(driver, 'aeron:udp?endpoint=127.0.0.1:0', '--count', '1') for _ in range(2)]

        def bound():
            lines = json_lines(driver.fulmar('channels', '--json').stdout)
            return sorted(line['local'] for line in lines if line['direction'] == 'receive')

        found = await_that(lambda: len(bound()) == 2 and bound(), 'two channels')
        for address in found:
            pub = driver.fulmar('pub', '--channel', f'aeron:udp?endpoint={address}', '--message', address)
            self.assertEqual(pub.returncode, 0, pub.output())
        for sub in subs:
            self.assertEqual(sub.wait(), 0, sub.output())
        heard = [line['message'] for sub in subs for line in json_lines(sub.stdout)]
        self.assertEqual(sorted(heard), found)

    def test_a_subscriber_to_one_session(self):
        driver = self.driver()
        for channel in ('aeron:ipc?', self.channel() + '|'):
            with self.subTest(channel=channel):
                subs = {session: self.sub(driver, f'{channel}session-id={session}', '--count', '1')
                        for session in (2001, 2002)}
                for session in subs:
                    pub = driver.fulmar('pub', '--channel', f'{channel}session-id={session}', '--message',
                                        str(session))
                    self.assertEqual(pub.returncode, 0, pub.output())
                for session, sub in subs.items():
                    self.assertEqual(sub.wait(), 0, sub.output())
                    self.assertEqual([line['message'] for line in json_lines(sub.stdout)], [str(session)])

    def test_a_spy_alone_and_beside_a_receiver(self):
        driver = self.driver()
        channel = self.channel()
        spy = self.sub(driver, 'aeron-spy:' + channel, '--count', '5')
        unheard = driver.fulmar('pub', '--channel', channel, '--message', 'x', '--timeout', '0.2')
        self.assertEqual(unheard.returncode, 1)
        self.assert_one_line(unheard, 'no subscriber')
        pub = driver.fulmar('pub', '--channel', channel + '|ssc=true', '--message', 'alone', '--count', '2')
        self.assertEqual(pub.returncode, 0, pub.output())
        receiver = self.sub(driver, channel, '--count', '3')
        pub = driver.fulmar('pub', '--channel', channel, '--message', 'both', '--count', '3')
        self.assertEqual(pub.returncode, 0, pub.output())
        self.assertEqual(spy.wait(), 0, spy.output())
        self.assertEqual(receiver.wait(), 0, receiver.output())
        self.assertEqual([line['message'] for line in json_lines(spy.stdout)], ['alone'] * 2 + ['both'] * 3)
        self.assertEqual([line['message'] for line in json_lines(receiver.stdout)], ['both'] * 3)

    def test_lines_of_stdin_longer_than_a_datagram(self):
        driver = self.driver()
        channel = self.channel()
        lines = ['x' * length for length in (1, 100, 1376, 1377, 5000, 100_000)]
        sub = self.sub(driver, channel, '--count', str(len(lines)))
        pub = self.start([FULMAR, 'pub', '--dir', driver.dir, '--channel', channel], stdin=-1)
        pub.send('\n'.join(lines) + '\n')
        pub.child.stdin.close()
        self.assertEqual(pub.wait(), 0, pub.output())
        self.assertEqual(sub.wait(), 0, sub.output())
        self.assertEqual([len(line['message']) for line in json_lines(sub.stdout)],
                         [len(line) for line in lines])

    def test_without_a_subscriber(self):
        driver = self.driver()
        pub = driver.fulmar('pub', '--message', 'x', '--timeout', '0.2', '--channel', 'aeron:ipc')
        self.assertEqual(pub.returncode, 1)
        self.assert_one_line(pub, 'no subscriber', 'fulmar sub')
        ping = driver.fulmar('ping', '--timeout', '0.2', '--channel', 'aeron:ipc', '--reply-channel',
                             'aeron:ipc')
        self.assertEqual(ping.returncode, 1)
        self.assert_one_line(ping, 'nobody answers', 'fulmar pong')

    def test_ping_and_pong(self):
        driver = self.driver()
        port = udp_port()
        channels = ['--channel', f'aeron:udp?endpoint=127.0.0.1:{port}',
                    '--reply-channel', f'aeron:udp?endpoint=127.0.0.1:{port + 1}']
        pong = self.start([FULMAR, 'pong', '--dir', driver.dir, '--json', *channels])
        ping = driver.fulmar('ping', '--count', '20', '--json', *channels)
        self.assertEqual(ping.returncode, 0, ping.output())
        result = last_json(ping)
        self.assertEqual((result['answers'], result['lost']), (20, 0))
        self.assertGreater(result['p50_ns'], 0)
        self.assertEqual(pong.stop(), 0, pong.output())
        self.assertEqual(last_json(pong)['answered'], 20)

    def test_a_subscriber_hears_that_its_driver_ended(self):
        driver = self.driver()
        sub = self.sub(driver, 'aeron:ipc')
        await_that(lambda: [c for c in Cnc(driver.dir).counters() if c[1] == 11], 'the subscriber')
        driver.stop()
        self.assert_refused(sub, 1, 'shut down')

    def test_every_verb_speaks_json(self):
        driver = self.driver('--port', 'udp,fault=none')
        channel = self.channel()
        self.sub(driver, channel)
        pub = self.start([FULMAR, 'pub', '--dir', driver.dir, '--channel', channel], stdin=-1)
        pub.send('hello\n')
        await_that(lambda: '"in"' in driver.fulmar('streams', '--json').stdout, 'the image')
        for verb, needed in [('stat', {'id', 'type', 'value', 'label'}), ('errors', set()),
                             ('streams', {'direction', 'stream_id', 'session_id', 'channel'}),
                             ('channels', {'direction', 'status', 'channel', 'local'}),
                             ('loss', set()), ('fault', {'port', 'fault'}),
                             ('doctor', {'check', 'verdict', 'text'})]:
            with self.subTest(verb=verb):
                process = driver.fulmar(verb, '--json')
                if verb != 'doctor':  # the machine may well be in need of one
                    self.assertEqual(process.returncode, 0, process.output())
                self.assertEqual(process.stderr, '')
                lines = json_lines(process.stdout)
                if needed:
                    self.assertTrue(lines)
                for line in lines:
                    self.assertLessEqual(needed, set(line))
                self.assertEqual(driver.fulmar(verb).stderr, '')
        directions = {line['direction'] for line in json_lines(driver.fulmar('streams', '--json').stdout)}
        self.assertEqual(directions, {'in', 'out'})
        nobody = run([FULMAR, 'stat', '--dir', self.dir + '-none', '--json'])
        self.assert_refused(nobody, 1, self.dir + '-none', 'fulmard --dir')

    def test_perf_stream(self):
        driver = self.driver()
        for channel in ('aeron:ipc', self.channel()):
            with self.subTest(channel=channel):
                common = ['--dir', driver.dir, '--channel', channel, '--size', '32-3000', '--messages',
                          '20000', '--json']
                sub = self.start([PERF, 'stream', '--role', 'sub', *common])
                pub = run([PERF, 'stream', '--role', 'pub', *common], 60)
                self.assertEqual(pub.returncode, 0, pub.output())
                self.assertEqual(sub.wait(), 0, sub.output())
                figures = last_json(sub)
                self.assertEqual([figures[key] for key in ('messages', 'lost', 'duplicated', 'out_of_order',
                                                           'corrupted')], [20000, 0, 0, 0, 0])

    def test_perf_echo(self):
        driver = self.driver()
        for channel in ('aeron:ipc', self.channel()):
            with self.subTest(channel=channel):
                common = ['--dir', driver.dir, '--channel', channel, '--size', '288', '--json']
                pong = self.start([PERF, 'echo', '--role', 'pong', *common])
                ping = run([PERF, 'echo', '--role', 'ping', '--messages', '50', '--warmup', '5',
                            *common], 60)
                self.assertEqual(ping.returncode, 0, ping.output())
                figures = last_json(ping)
                self.assertEqual(figures['messages'], 50)
                self.assertEqual([figures[key] for key in ('lost', 'corrupted')], [0, 0])
                self.assertGreater(figures['rtt_ns']['p50'], 0)
                pong.stop()


if __name__ == '__main__':
    main()
