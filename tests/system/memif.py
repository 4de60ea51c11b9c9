"""Two drivers of one host joined by shared memory: several destinations over a poll-mode port."""
import json

from harness import FULMAR, SystemTest, await_that, json_lines, main

IP_A, IP_B = '10.77.0.1', '10.77.0.2'
LINES = [f'line {number}' for number in range(3000)]


class Memif(SystemTest):
    def setUp(self):
        super().setUp()
        socket = f'{self.dir}.sock'
        self.b = self.driver('--port', f'memif:server:{socket},fault=none', directory=f'{self.dir}-b')
        self.a = self.driver('--port', f'memif:client:{socket},fault=none', directory=f'{self.dir}-a')

    def sub(self, channel, *args):
        return self.start([FULMAR, 'sub', '--dir', self.b.dir, '--channel', channel, '--json', '--count',
                           str(len(LINES)), *args])

    def pub(self, channel, *args):
        return self.start([FULMAR, 'pub', '--dir', self.a.dir, '--channel', channel, '--json', *args], stdin=-1)

    def images(self):
        return sum(len(line.get('sub-pos', ())) for line in json_lines(self.b.fulmar('streams', '--json').stdout))

    def exchange(self, pub, subs):
        """Every subscriber gets every line, once and in order, over a link that loses some."""
        await_that(lambda: self.images() == len(subs), 'all have joined')
        for driver in (self.a, self.b):
            self.assertEqual(driver.fulmar('fault', 'loss:0.01+dup:0.01+reorder:0.01+seed:3').returncode, 0)
        pub.send(''.join(f'{line}\n' for line in LINES))
        pub.child.stdin.close()
        self.assertEqual(pub.wait(60), 0, pub.output())
        self.assertEqual(json.loads(pub.stdout.splitlines()[-1])['sent'], len(LINES))
        for sub in subs:
            self.assertEqual(sub.wait(60), 0, sub.output())
            self.assertEqual([line['message'] for line in json_lines(sub.stdout)], LINES)

    def test_receivers_come_to_a_control_address(self):
        control = f'{IP_A}:40200'
        subs = [self.sub(f'aeron:udp?endpoint={IP_B}:{port}|control={control}') for port in (40123, 40124)]
        pub = self.pub(f'aeron:udp?control-mode=dynamic|control={control}|fc=min')
        self.exchange(pub, subs)

    def test_a_publication_sends_to_each_destination(self):
        ends = [f'aeron:udp?endpoint={IP_B}:{port}' for port in (40123, 40124)]
        subs = [self.sub(end) for end in ends]
        pub = self.pub('aeron:udp?control-mode=manual|fc=min', *[w for end in ends for w in ('--destination', end)])
        self.exchange(pub, subs)

    def test_a_subscription_receives_by_two_ways(self):
        ways = [w for port in (40123, 40124) for w in ('--destination', f'aeron:udp?endpoint={IP_B}:{port}')]
        sub = self.sub('aeron:udp?control-mode=manual', *ways)
        pub = self.pub('aeron:udp?control-mode=manual', *ways)
        self.exchange(pub, [sub])


if __name__ == '__main__':
    main()
