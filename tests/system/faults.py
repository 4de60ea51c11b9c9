"""fulmar fault: a running driver's network made bad and good again, and nothing lost either way."""
from driver_files import Cnc
from harness import FULMAR, PERF, SystemTest, await_that, json_lines, main, run, udp_port

NAKS_SENT = 5
RETRANSMITS = 11
FAULTS_RX, FAULTS_TX = 7108, 7109


class Faults(SystemTest):
    def stream(self, driver, messages='20000', during=None):
        """A stream whose reader checks each message; returns the reader's figures."""
        common = ['--dir', driver.dir, '--channel', f'aeron:udp?endpoint=127.0.0.1:{udp_port()}', '--size', '300',
                  '--messages', messages, '--json']
        sub = self.start([PERF, 'stream', '--role', 'sub', *common])
        pub = self.start([PERF, 'stream', '--role', 'pub', *common, *(['--rate', '20000'] if during else [])])
        if during:
            await_that(lambda: '"in"' in driver.fulmar('streams', '--json').stdout, 'the stream flows')
            during()
        self.assertEqual(pub.wait(60), 0, pub.output())
        self.assertEqual(sub.wait(), 0, sub.output())
        figures = json_lines(sub.stdout)[-1]
        self.assertEqual([figures[key] for key in ('messages', 'lost', 'duplicated', 'out_of_order', 'corrupted')],
                         [int(messages), 0, 0, 0, 0])
        return figures

    def injected(self, driver):
        return sum(value for _, kind, value, _ in Cnc(driver.dir).counters() if kind in (FAULTS_RX, FAULTS_TX))

    def shown(self, driver):
        return {line['port']: line['fault'] for line in json_lines(driver.fulmar('fault', '--json').stdout)}

    def test_on_and_off_again(self):
        driver = self.driver('--port', 'udp,fault=none')
        self.assertEqual(self.shown(driver), {'udp': 'none'})
        self.stream(driver)
        self.assertEqual(self.injected(driver), 0)

        spec = 'loss:0.03+dup:0.02+reorder:0.02+corrupt:0.01+seed:3'
        changed = driver.fulmar('fault', spec)
        self.assertEqual(changed.returncode, 0, changed.output())
        self.assertIn('loss:0.03', changed.stdout)
        naks = Cnc(driver.dir).system(NAKS_SENT)
        self.stream(driver)
        await_that(lambda: self.injected(driver) > 100, 'the faults are counted')
        self.assertGreater(Cnc(driver.dir).system(NAKS_SENT), naks)
        self.assertGreater(Cnc(driver.dir).system(RETRANSMITS), 0)
        self.assertTrue(json_lines(driver.fulmar('loss', '--json').stdout))

        self.assertEqual(driver.fulmar('fault', '--port', 'udp', 'none').returncode, 0)
        self.assertEqual(self.shown(driver), {'udp': 'none'})
        settled = await_that(lambda: self.injected(driver), 'counters')
        self.stream(driver)
        self.assertEqual(self.injected(driver), settled)

    def test_changed_while_a_stream_flows(self):
        driver = self.driver('--port', 'udp,fault=none')

        def disturb():
            for spec in ('loss:0.2', 'delay:2ms', 'reorder:0.3+dup:0.3', 'loss:1', 'none'):
                self.assertEqual(driver.fulmar('fault', spec).returncode, 0)
        self.stream(driver, '40000', disturb)

    def test_what_cannot_be_done_is_said(self):
        plain = self.driver('--port', 'udp')
        self.assert_refused(plain.fulmar('fault'), 1, 'fault=none')
        self.assert_refused(plain.fulmar('fault', 'loss:0.1'), 1, 'fault=none')
        willing = self.driver('--port', 'udp,fault=loss:0.5', directory=self.dir + '2')
        self.assertEqual(self.shown(willing), {'udp': 'loss:0.5'})
        self.assert_refused(willing.fulmar('fault', 'loss:many'), 2, 'loss:many')
        self.assert_refused(willing.fulmar('fault', '--port', 'eth9', 'none'), 1, 'eth9', 'udp')
        self.assertEqual(self.shown(willing), {'udp': 'loss:0.5'})
        self.assert_refused(run([FULMAR, 'fault', '--dir', self.dir + '3', 'none']), 1, 'fulmard --dir')


if __name__ == '__main__':
    main()
