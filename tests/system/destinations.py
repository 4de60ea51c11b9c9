"""Several destinations: publications that send to many, subscriptions that receive by many, and tags."""
import json

from harness import FULMAR, SystemTest, await_that, json_lines, main, udp_port


class Destinations(SystemTest):
    def sub(self, driver, channel, *args):
        return self.start([FULMAR, 'sub', '--dir', driver.dir, '--channel', channel, '--json', *args])

    def heard(self, sub):
        self.assertEqual(sub.wait(), 0, sub.output())
        return [line['message'] for line in json_lines(sub.stdout)]

    def channels(self, driver, direction):
        return [line for line in json_lines(driver.fulmar('channels', '--json').stdout)
                if line['direction'] == direction]

    def readers(self, driver):
        lines = json_lines(driver.fulmar('streams', '--json').stdout)
        return sum(len(line.get('sub-pos', ())) for line in lines)

    def publish(self, driver, channel, *args):
        pub = driver.fulmar('pub', '--channel', channel, *args, '--json')
        self.assertEqual(pub.returncode, 0, pub.output())
        return json.loads(pub.stdout.splitlines()[-1])

    def test_a_publication_sends_to_each_destination(self):
        driver = self.driver()
        ends = [f'aeron:udp?endpoint=127.0.0.1:{udp_port()}' for _ in range(3)]
        subs = [self.sub(driver, end, '--count', '1') for end in ends[:2]]
        await_that(lambda: len(self.channels(driver, 'receive')) == 2, 'both subscribers')
        pub = self.start([FULMAR, 'pub', '--dir', driver.dir, '--channel', 'aeron:udp?control-mode=manual',
                          *[word for end in ends for word in ('--destination', end)], '--message', 'to all'])
        self.assertEqual([self.heard(sub) for sub in subs], [['to all']] * 2)
        self.assertEqual(pub.wait(), 0, pub.output())

    def test_receivers_come_to_a_control_address(self):
        driver = self.driver()
        control = f'127.0.0.1:{udp_port()}'
        subs = [self.sub(driver, f'aeron:udp?endpoint=127.0.0.1:{udp_port()}|control={control}', '--count', '2')
                for _ in range(2)]
        cast = f'aeron:udp?control-mode=dynamic|control={control}'
        pub = self.start([FULMAR, 'pub', '--dir', driver.dir, '--channel', cast], stdin=-1)
        await_that(lambda: [line.get('destinations') for line in self.channels(driver, 'send')] == [2],
                   'two receivers are known')
        await_that(lambda: self.readers(driver) == 2, 'both have joined')
        pub.send('one\ntwo\n')
        pub.child.stdin.close()
        self.assertEqual([self.heard(sub) for sub in subs], [['one', 'two']] * 2)
        self.assertEqual(pub.wait(), 0, pub.output())

    def test_a_subscription_receives_by_each_destination(self):
        driver = self.driver()
        ends = [f'aeron:udp?endpoint=127.0.0.1:{udp_port()}' for _ in range(2)]
        sub = self.sub(driver, 'aeron:udp?control-mode=manual', '--destination', ends[0], '--destination', ends[1],
                       '--destination', 'aeron:ipc', '--count', '3')
        await_that(lambda: any(line['local'].count(',') == 1 for line in self.channels(driver, 'receive')),
                   'two addresses')
        for channel in (*ends, 'aeron:ipc'):
            self.publish(driver, channel, '--message', channel)
        self.assertEqual(sorted(self.heard(sub)), sorted([*ends, 'aeron:ipc']))

    def test_a_tag_stands_for_a_channel(self):
        driver = self.driver()
        end = f'aeron:udp?endpoint=127.0.0.1:{udp_port()}'
        first = self.sub(driver, f'{end}|tags=7', '--count', '1')
        await_that(lambda: self.channels(driver, 'receive'), 'the channel')
        second = self.sub(driver, 'aeron:udp?tags=7', '--count', '1')
        pub = self.start([FULMAR, 'pub', '--dir', driver.dir, '--channel', end], stdin=-1)
        await_that(lambda: self.readers(driver) == 2, 'both subscribers have the image')
        pub.send('tagged\n')
        self.assertEqual([self.heard(first), self.heard(second)], [['tagged']] * 2)

    def test_refusals_name_what_is_wrong(self):
        driver = self.driver()
        cases = (('pub', 'aeron:udp?endpoint=127.0.0.1:9', 'aeron:udp?endpoint=127.0.0.1:8', 'control-mode=manual'),
                 ('sub', 'aeron:udp?endpoint=127.0.0.1:0', 'aeron:udp?endpoint=127.0.0.1:0', 'control-mode=manual'),
                 ('pub', 'aeron:udp?control-mode=manual', 'aeron:udp?endpoint=127.0.0.1:0', 'port'),
                 ('sub', 'aeron:udp?control-mode=manual', 'aeron:udp?endpoint=127.0.0.1:0|mtu=1024', 'mtu'))
        for verb, channel, destination, word in cases:
            with self.subTest(verb=verb, channel=channel, destination=destination):
                result = driver.fulmar(verb, '--channel', channel, '--destination', destination)
                self.assertEqual(result.returncode, 1, result.output())
                self.assertIn(word, result.stderr)
                self.assertEqual(len(result.stderr.splitlines()), 1)


if __name__ == '__main__':
    main()
