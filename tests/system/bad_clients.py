"""Clients that die in the middle, lie, or scribble: the driver times them out and serves the others."""
import glob
import os
import random
import shutil
import struct

from driver_files import Cnc, Log, RawClient
from harness import FULMAR, PERF, SystemTest, await_that, json_lines, limit, main, run, udp_port

# The driver gives up on the dead within seconds, so that a test need not wait for a quarter of a minute; but not
# so soon that a living client looks dead on a busy machine.
IMPATIENT = ['--client-liveness-timeout', f'{round(limit(3))}s', '--publication-unblock-timeout',
             f'{round(limit(4))}s', '--timer-interval', '100ms', '--publication-linger-timeout', '200ms',
             '--image-liveness-timeout', '2s']
CLIENT_TIMEOUTS = 24
UNBLOCKED_PUBLICATIONS = 19
UNBLOCKED_COMMANDS = 20


class BadClients(SystemTest):
    def assert_serves(self, driver, channel='aeron:ipc', stream='77'):
        """A message of a new stream goes through."""
        self.assertIsNone(driver.poll(), driver.output())
        args = ['--dir', driver.dir, '--channel', channel, '--stream', stream]
        sub = self.start([FULMAR, 'sub', *args, '--count', '1'])
        pub = run([FULMAR, 'pub', *args, '--message', 'still here'])
        self.assertEqual(pub.returncode, 0, pub.output())
        self.assertEqual(sub.wait(), 0, sub.output())
        self.assertEqual(sub.stdout, 'still here\n')

    def is_known(self, driver, name):
        return any(name in label for _, kind, _, label in Cnc(driver.dir).counters() if kind == 11)

    def streams(self, driver, direction, stream):
        return [line for line in json_lines(driver.fulmar('streams', '--json').stdout)
                if line['direction'] == direction and line['stream_id'] == stream]

    def test_killed_in_mid_stream(self):
        driver = self.driver(*IMPATIENT)
        for channel in ('aeron:ipc', f'aeron:udp?endpoint=127.0.0.1:{udp_port()}'):
            with self.subTest(channel=channel):
                before = Cnc(driver.dir).system(CLIENT_TIMEOUTS)
                common = ['--dir', driver.dir, '--channel', channel, '--size', '288', '--rate', '20000']
                readers = [self.start([PERF, 'stream', '--role', 'sub', *common]) for _ in range(2)]
                pub = self.start([PERF, 'stream', '--role', 'pub', '--duration', '60', *common])
                await_that(lambda: [s for s in self.streams(driver, 'out', 1001)
                                    if s.get('pub-pos', s.get('snd-pos', 0)) > 100_000] or
                           (channel == 'aeron:ipc' and self.streams(driver, 'in', 1001)), 'the stream flows')
                # Both at once: who is left alone gives up by itself before the driver gives up on the dead.
                pub.kill()
                readers[0].kill()
                self.assert_serves(driver)
                await_that(lambda: Cnc(driver.dir).system(CLIENT_TIMEOUTS) == before + 2, 'the dead are noticed', 20)
                await_that(lambda: not self.streams(driver, 'out', 1001), 'its publication ends', 20)
                await_that(lambda: not self.streams(driver, 'in', 1001), 'its image ends', 20)
                self.assert_serves(driver)
        logs = os.path.join(driver.dir, '*', '*.logbuffer')
        await_that(lambda: not glob.glob(logs), 'their logs are deleted')
        self.assertEqual(driver.stop(), 0)

    def test_killed_between_claim_and_commit(self):
        driver = self.driver(*IMPATIENT)
        for stream, channel in ((501, 'aeron:ipc'), (502, f'aeron:udp?endpoint=127.0.0.1:{udp_port()}')):
            with self.subTest(channel=channel):
                await_that(lambda: not self.is_known(driver, 'fulmar-sub'), 'nobody is left of the last round')
                sub = self.start([FULMAR, 'sub', '--dir', driver.dir, '--channel', channel, '--stream',
                                  str(stream), '--count', '2'])
                # Its command first: a raw claim in the ring is no atomic one.
                await_that(lambda: self.is_known(driver, 'fulmar-sub'), 'the subscriber')
                cnc = Cnc(driver.dir)
                await_that(cnc.is_consumed, 'its command is read')
                dead, alive = RawClient(driver.dir), RawClient(driver.dir)
                _, _, path = dead.add_publication(channel, stream)
                self.assertEqual(alive.add_publication(channel, stream)[2], path, 'one log for both')
                log = Log(path)
                await_that(lambda: log.is_connected(), 'the subscriber is there')
                log.append(b'before')
                log.claim(100)  # and nobody will ever commit it
                log.append(b'after')
                before = Cnc(driver.dir).system(UNBLOCKED_PUBLICATIONS)

                def ended():
                    alive.keepalive()
                    return sub.poll() is not None
                await_that(ended, 'what follows the dead claim arrives', 20)
                self.assertEqual(sub.wait(), 0, sub.output())
                self.assertEqual(sub.stdout, 'before\nafter\n')
                self.assertEqual(Cnc(driver.dir).system(UNBLOCKED_PUBLICATIONS), before + 1)
        self.assert_serves(driver)
        self.assertEqual(driver.stop(), 0)

    def test_dead_in_the_middle_of_a_command(self):
        driver = self.driver(*IMPATIENT)
        cnc = Cnc(driver.dir)
        # A claim with nothing in it, one with its length still negative: what a kill -9 leaves.
        for length in (0, -40):
            with self.subTest(length=length):
                before = cnc.system(UNBLOCKED_COMMANDS)
                cnc.command(RawClient.ADD_PUBLICATION, bytes(32), length=length)
                cnc.command(RawClient.KEEPALIVE, bytes(16))
                await_that(lambda: cnc.system(UNBLOCKED_COMMANDS) > before, 'the ring is unblocked', 15)
                await_that(cnc.is_consumed, 'what follows is read')
                self.assert_serves(driver)

    def test_garbage_commands(self):
        driver = self.driver(*IMPATIENT)
        cnc = Cnc(driver.dir)
        chance = random.Random(7)
        for round_number in range(20):
            for _ in range(50):
                kind = chance.choice([*range(0, 0x14), 0x7F01, -2, 0x0F01, 2**31 - 1, -2**31])
                body = chance.randbytes(chance.choice([0, 1, 8, 16, 20, 24, 28, 32, 40, 100, 5000]))
                cnc.command(kind, body)
            await_that(cnc.is_consumed, f'round {round_number} is read')
        self.assert_serves(driver)
        self.assertTrue(json_lines(driver.fulmar('errors', '--json').stdout))
        self.assertEqual(driver.stop(), 0)

    def test_records_that_cannot_be(self):
        driver = self.driver(*IMPATIENT)
        cnc = Cnc(driver.dir)
        for length in (7, 1, 2**30, 2**31 - 1, 4096):
            with self.subTest(length=length):
                cnc.command(1, bytes(24), length=length)
                await_that(cnc.is_consumed, 'the driver goes past it', 15)
                self.assert_serves(driver)
        self.assertEqual(driver.stop(), 0)

    def test_scribbling_over_logs(self):
        driver = self.driver(*IMPATIENT)
        chance = random.Random(11)
        healthy = ['--dir', driver.dir, '--channel', f'aeron:udp?endpoint=127.0.0.1:{udp_port()}', '--stream',
                   '900', '--size', '500', '--rate', '5000', '--json']
        sub = self.start([PERF, 'stream', '--role', 'sub', *healthy])
        pub = self.start([PERF, 'stream', '--role', 'pub', '--duration', '4', *healthy])
        await_that(lambda: self.streams(driver, 'in', 900), 'the healthy stream flows')
        theirs = set(glob.glob(os.path.join(driver.dir, '*', '*.logbuffer')))
        victims = []
        for channel in ('aeron:ipc', f'aeron:udp?endpoint=127.0.0.1:{udp_port()}'):
            args = ['--dir', driver.dir, '--channel', channel, '--stream', '901']
            victims.append(self.start([FULMAR, 'sub', *args]))
            victims.append(self.start([FULMAR, 'pub', *args], stdin=-1))
            victims[-1].send('x\n' * 100)
        # An IPC log, and a publication's and its image's over UDP.
        logs = await_that(lambda: len(found := set(glob.glob(
            os.path.join(driver.dir, '*', '*.logbuffer'))) - theirs) == 3 and found, 'three logs')
        for _ in range(20):
            for path in logs:
                if not os.path.exists(path):
                    continue
                log = Log(path)
                for _ in range(20):
                    at = chance.randrange(0, len(log.bytes) - 64)
                    log.bytes[at:at + 64] = chance.randbytes(64)
                at = log.metadata + 8 * chance.randrange(0, 60)
                log.bytes[at:at + 8] = chance.randbytes(8)
            for victim in victims[1::2]:
                if victim.poll() is None:
                    try:
                        victim.send('y\n')
                    except BrokenPipeError:
                        pass
        self.assertEqual(pub.wait(), 0, pub.output() + sub.output())
        self.assertEqual(sub.wait(), 0, sub.output())
        figures = json_lines(sub.stdout)[-1]
        self.assertEqual([figures[key] for key in ('lost', 'duplicated', 'out_of_order', 'corrupted')], [0] * 4)
        for victim in victims:
            victim.kill()
        self.assert_serves(driver)
        self.assertEqual(driver.stop(), 0, driver.output())

    def test_scribbling_over_counters_and_events(self):
        driver = self.driver(*IMPATIENT)
        cnc = Cnc(driver.dir)
        chance = random.Random(13)
        for _ in range(200):
            # Labels, keys and values of any counter; not the states and lengths other clients map by.
            at = cnc.metadata_at + 512 * chance.randrange(0, 200) + 16
            cnc.bytes[at:at + 496] = chance.randbytes(496)
        for verb in ('stat', 'streams', 'channels', 'fault'):
            process = driver.fulmar(verb, '--json')
            self.assertIn(process.returncode, (0, 1), process.output())
            json_lines(process.stdout)
        self.assertIsNone(driver.poll(), driver.output())
        self.assertEqual(driver.stop(), 0, driver.output())

    def test_damaged_cnc_file(self):
        driver = self.driver()
        path = os.path.join(driver.dir, 'cnc.dat')

        def damaged(name, change):
            directory = os.path.join(self.scratch, name)
            os.mkdir(directory)
            copy = os.path.join(directory, 'cnc.dat')
            shutil.copy(path, copy)
            with open(copy, 'r+b') as file:
                change(file)
            for verb in ('stat', 'errors', 'streams', 'channels', 'fault', 'sub', 'pub'):
                with self.subTest(damage=name, verb=verb):
                    args = ['--channel', 'aeron:ipc'] if verb in ('sub', 'pub') else []
                    process = run([FULMAR, verb, '--dir', directory, *args])
                    self.assertEqual(process.returncode, 1, process.output())
                    self.assert_one_line(process, directory)

        def write(offset, data):
            def change(file):
                file.seek(offset)
                file.write(data)
            return change
        chance = random.Random(17)
        damaged('empty', lambda file: file.truncate(0))
        damaged('short', lambda file: file.truncate(100))
        damaged('cut', lambda file: file.truncate(4096))
        damaged('foreign-version', write(0, struct.pack('<i', 3 << 16)))
        damaged('never-finished', write(0, bytes(4)))
        for place in range(4, 24, 4):
            damaged(f'negative-{place}', write(place, struct.pack('<i', -8)))
            damaged(f'huge-{place}', write(place, struct.pack('<i', 2**31 - 1)))
        damaged('noise', write(4, chance.randbytes(20)))
        self.assertEqual(driver.fulmar('stat').returncode, 0)


if __name__ == '__main__':
    main()
