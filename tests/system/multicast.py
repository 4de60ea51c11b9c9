"""Multicast over kernel sockets: several members of a group on one host, in one driver and in two, and between hosts."""
import json
import os
import subprocess

from harness import FULMAR, IS_ROOT, SystemTest, await_that, json_lines, main, netns_pair, run, udp_port


def group(interface='localhost', more=''):
    return f'aeron:udp?endpoint=224.20.30.39:{udp_port()}|interface={interface}{more}'


class Multicast(SystemTest):
    def sub(self, driver, channel, *args, **options):
        return self.start([FULMAR, 'sub', '--dir', driver.dir, '--channel', channel, '--json', *args], **options)

    def pub(self, driver, channel, **options):
        return self.start([FULMAR, 'pub', '--dir', driver.dir, '--channel', channel], stdin=-1, **options)

    def heard(self, sub):
        self.assertEqual(sub.wait(), 0, sub.output())
        return [line['message'] for line in json_lines(sub.stdout)]

    def await_readers(self, driver, count, channel=''):
        def readers():
            lines = json_lines(driver.fulmar('streams', '--json').stdout)
            return sum(len(line.get('sub-pos', ())) for line in lines if channel in line['channel'])
        await_that(lambda: readers() == count, f'{count} readers')

    def second_driver(self, *args, **options):
        return self.driver(*args, directory=os.path.join(self.scratch, 'second'), **options)

    def test_each_subscriber_of_a_driver_hears_it(self):
        driver = self.driver()
        channel = group()
        subs = [self.sub(driver, channel, '--count', '2') for _ in range(2)]
        pub = self.pub(driver, channel)
        self.await_readers(driver, 2)
        pub.send('one\ntwo\n')
        pub.child.stdin.close()
        self.assertEqual([self.heard(sub) for sub in subs], [['one', 'two']] * 2)
        self.assertEqual(pub.wait(), 0, pub.output())

    def test_drivers_of_one_host_share_a_group(self):
        first, second = self.driver(), self.second_driver()
        channel = group('127.0.0.0/8')
        subs = [self.sub(driver, channel, '--count', '2') for driver in (first, second)]
        pubs = [self.pub(driver, channel) for driver in (first, second)]
        for driver in (first, second):
            self.await_readers(driver, 2)
        for pub, word in zip(pubs, ('from the first\n', 'from the second\n')):
            pub.send(word)
        for sub in subs:
            self.assertEqual(sorted(self.heard(sub)), ['from the first', 'from the second'])
        for pub in pubs:
            pub.child.stdin.close()
            self.assertEqual(pub.wait(), 0, pub.output())

    def test_members_ask_for_what_they_lost(self):
        sending = self.driver()
        receiving = self.second_driver('--port', 'udp,fault=loss:0.1')
        channel = group('{lo}', '|fc=min')
        count = 2000
        subs = [self.sub(receiving, channel, '--count', str(count)) for _ in range(2)]
        pub = self.pub(sending, channel)
        self.await_readers(receiving, 2)
        pub.send(''.join(f'{i}\n' for i in range(count)))
        pub.child.stdin.close()
        self.assertEqual([self.heard(sub) for sub in subs], [[str(i) for i in range(count)]] * 2)
        self.assertEqual(pub.wait(), 0, pub.output())

    def test_a_group_is_one_of_several_destinations(self):
        driver = self.driver()
        ends = [group(), f'aeron:udp?endpoint=127.0.0.1:{udp_port()}']
        sub = self.sub(driver, 'aeron:udp?control-mode=manual', '--destination', ends[0], '--destination', ends[1],
                       '--count', '2')
        await_that(lambda: any(line['local'].count(',') == 1 for line in
                               json_lines(driver.fulmar('channels', '--json').stdout)), 'two addresses')
        for channel in ends:
            pub = driver.fulmar('pub', '--channel', channel, '--message', channel, '--json')
            self.assertEqual(pub.returncode, 0, pub.output())
            self.assertTrue(json.loads(pub.stdout.splitlines()[-1]))
        self.assertEqual(sorted(self.heard(sub)), sorted(ends))

    def test_groups_between_hosts(self):
        if not IS_ROOT:
            self.skipTest('needs root for network namespaces')
        with netns_pair() as ends:
            drivers = []
            for (netns, interface), number in zip(ends, (1, 2)):
                for address in (f'10.39.0.{number}/24', f'fd00:39::{number}/64'):
                    subprocess.run(['ip', '-n', netns, 'addr', 'add', address, 'dev', interface,
                                    *(['nodad'] if ':' in address else [])], check=True)
                drivers.append(self.driver(directory=os.path.join(self.scratch, netns), netns=netns))
            # Without an interface the one that carries multicast is taken, not the loopback.
            for address in ('[ff02::30:39]', '224.20.30.39'):
                for interface in ('|interface={{{}}}', ''):
                    with self.subTest(address=address, interface=interface):
                        base = f'aeron:udp?endpoint={address}:{udp_port()}'
                        self.pass_word(drivers, [base + interface.format(end) for _, end in ends])
            for driver in drivers:
                driver.stop()

    def test_a_member_hears_by_its_own_interface_alone(self):
        if not IS_ROOT:
            self.skipTest('needs root for network namespaces')
        with netns_pair('10.39.0.1/24') as ((here, here_if), (there, there_if)):
            subprocess.run(['ip', '-n', there, 'addr', 'add', '10.39.0.2/24', 'dev', there_if], check=True)
            driver = self.driver(netns=here)
            base = f'aeron:udp?endpoint=224.20.30.39:{udp_port()}'
            outside, inside = f'{base}|interface={{{here_if}}}', f'{base}|interface={{lo}}'
            subs = [self.sub(driver, channel, '--count', '1') for channel in (outside, inside)]
            await_that(lambda: len(json_lines(driver.fulmar('channels', '--json').stdout)) == 2, 'both members')
            far = self.second_driver(netns=there)
            for sender, channel, sub in ((far, base, subs[0]), (driver, inside, subs[1])):
                pub = sender.fulmar('pub', '--channel', channel, '--message', f'by {channel}')
                self.assertEqual(pub.returncode, 0, pub.output())
                self.assertEqual(self.heard(sub), [f'by {channel}'])
            far.stop()
            driver.stop()

    def pass_word(self, drivers, channels):
        """From the first driver to a member on each."""
        subs = [self.sub(driver, channel, '--count', '1') for driver, channel in zip(drivers, channels)]
        pub = self.pub(drivers[0], channels[0])
        for driver, channel in zip(drivers, channels):
            self.await_readers(driver, 1, channel)
        pub.send('word\n')
        pub.child.stdin.close()
        self.assertEqual([self.heard(sub) for sub in subs], [['word']] * 2)
        self.assertEqual(pub.wait(), 0, pub.output())

    def test_refusals_name_what_is_wrong(self):
        driver = self.driver()
        cases = (('aeron:udp?endpoint=224.20.30.40:40123|interface=localhost', 'odd'),
                 ('aeron:udp?endpoint=224.20.30.39:0|interface=localhost', 'port'),
                 ('aeron:udp?endpoint=224.20.30.39:40123|interface={none}', 'none'),
                 ('aeron:udp?endpoint=224.20.30.39:40123|interface=203.0.113.0/24', '203.0.113.0/24'),
                 ('aeron:udp?endpoint=224.20.30.39:40123|interface=203.0.113.7', '203.0.113.7'),
                 ('aeron:udp?endpoint=[ff02::39]:40123|interface=127.0.0.1', 'family'))
        for channel, word in cases:
            for verb in ('pub', 'sub'):
                with self.subTest(verb=verb, channel=channel):
                    result = run([FULMAR, verb, '--dir', driver.dir, '--channel', channel, '--message', 'x']
                                 if verb == 'pub' else [FULMAR, verb, '--dir', driver.dir, '--channel', channel])
                    self.assertEqual(result.returncode, 1, result.output())
                    self.assert_one_line(result, word)


if __name__ == '__main__':
    main()
