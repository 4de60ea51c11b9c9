"""Two drivers on poll-mode ports in two network namespaces, a veth pair between them and no kernel stack."""
import subprocess
import time

from driver_files import Cnc
from harness import FULMAR, IS_ROOT, PERF, SystemTest, await_that, json_lines, main, netns_pair

IP_A, IP_B = '10.77.0.1', '10.77.0.2'
CHANNEL = f'aeron:udp?endpoint={IP_B}:40123'
REPLY = f'aeron:udp?endpoint={IP_A}:40124'


class AfPacket(SystemTest):
    def setUp(self):
        if not IS_ROOT:
            self.skipTest('network namespaces and raw sockets need root')
        super().setUp()
        context = netns_pair()
        (self.ns_a, self.if_a), (self.ns_b, self.if_b) = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.a = self.open(self.ns_a, self.if_a, IP_A, 'a')
        self.b = self.open(self.ns_b, self.if_b, IP_B, 'b')

    def open(self, ns, interface, ip, name):
        return self.driver('--port', f'af_packet:{interface},ip={ip}/24,fault=none', directory=f'{self.dir}-{name}',
                           netns=ns)

    def stream(self, messages, size='32-1300', during=None, rate='max'):
        common = ['--channel', CHANNEL, '--size', size, '--messages', str(messages), '--json']
        sub = self.start([PERF, 'stream', '--role', 'sub', '--dir', self.b.dir, *common])
        pub = self.start([PERF, 'stream', '--role', 'pub', '--dir', self.a.dir, '--rate', rate, *common])
        if during:
            await_that(lambda: '"in"' in self.b.fulmar('streams', '--json').stdout, 'the stream flows')
            during()
        self.assertEqual(pub.wait(90), 0, pub.output())
        self.assertEqual(sub.wait(), 0, sub.output())
        figures = json_lines(sub.stdout)[-1]
        self.assertEqual([figures[key] for key in ('messages', 'lost', 'duplicated', 'out_of_order', 'corrupted')],
                         [messages, 0, 0, 0, 0])

    def test_streams_and_echoes(self):
        sub = self.start([FULMAR, 'sub', '--dir', self.b.dir, '--channel', CHANNEL, '--count', '1'])
        pub = self.a.fulmar('pub', '--channel', CHANNEL, '--message', 'over the wire')
        self.assertEqual(pub.returncode, 0, pub.output())
        self.assertEqual(sub.wait(), 0)
        self.assertEqual(sub.stdout, 'over the wire\n')
        self.stream(20000)
        common = ['--channel', CHANNEL, '--reply-channel', REPLY, '--size', '288', '--json']
        pong = self.start([PERF, 'echo', '--role', 'pong', '--dir', self.b.dir, *common])
        ping = self.start([PERF, 'echo', '--role', 'ping', '--dir', self.a.dir, '--messages', '50', '--warmup',
                           '5', *common])
        self.assertEqual(ping.wait(90), 0, ping.output())
        self.assertEqual(json_lines(ping.stdout)[-1]['messages'], 50)
        pong.stop()
        for driver in (self.a, self.b):
            self.assertEqual(driver.stop(), 0, driver.output())
            self.assertEqual(driver.stderr, '')

    def test_a_subscription_receives_by_two_ways(self):
        ways = [w for port in (40123, 40124) for w in ('--destination', f'aeron:udp?endpoint={IP_B}:{port}')]
        manual, lines = 'aeron:udp?control-mode=manual', [f'line {number}' for number in range(2000)]
        sub = self.start([FULMAR, 'sub', '--dir', self.b.dir, '--channel', manual, *ways, '--count', str(len(lines))])
        pub = self.start([FULMAR, 'pub', '--dir', self.a.dir, '--channel', manual, *ways], stdin=-1)
        await_that(lambda: '"sub-pos"' in self.b.fulmar('streams', '--json').stdout, 'the image')
        self.assertEqual(self.a.fulmar('fault', 'loss:0.02+dup:0.01+seed:5').returncode, 0)
        pub.send(''.join(f'{line}\n' for line in lines))
        pub.child.stdin.close()
        self.assertEqual(pub.wait(60), 0, pub.output())
        self.assertEqual(sub.wait(60), 0, sub.output())
        self.assertEqual(sub.stdout.splitlines(), lines)

    def test_bad_network(self):
        self.assertEqual(self.a.fulmar('fault', 'loss:0.02+dup:0.01+reorder:0.01+seed:5').returncode, 0)
        self.assertEqual(self.b.fulmar('fault', 'loss:0.01+corrupt:0.01+dir:tx').returncode, 0)
        self.stream(20000)
        self.assertGreater(Cnc(self.b.dir).system(5), 0, 'NAKs sent')

    def test_link_down_and_up(self):
        def interrupt():
            subprocess.run(['ip', '-n', self.ns_a, 'link', 'set', self.if_a, 'down'], check=True)
            time.sleep(1)  # the outage itself
            subprocess.run(['ip', '-n', self.ns_a, 'link', 'set', self.if_a, 'up'], check=True)
        self.stream(40000, '300', interrupt, rate='10000')


if __name__ == '__main__':
    main()
