"""What a hostile or broken peer may send to a driver's sockets: counted, and the streams go on."""
import random
import socket
import struct

from driver_files import Cnc
from frames import ERR, RES, RSP_SETUP, RTTM, data, header, nak, setup, status
from harness import PERF, SystemTest, await_that, json_lines, main, udp_port

INVALID_PACKETS = 14


class BadNetwork(SystemTest):
    def setUp(self):
        super().setUp()
        self.port = udp_port()
        self.channel = f'aeron:udp?endpoint=127.0.0.1:{self.port}'
        self.run_driver = self.driver('--port', 'udp', '--image-liveness-timeout', '1s', '--timer-interval', '100ms')
        self.cnc = Cnc(self.run_driver.dir)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)

    def start_stream(self, seconds):
        common = ['--dir', self.run_driver.dir, '--channel', self.channel, '--size', '32-1000', '--rate', '5000',
                  '--json']
        self.sub = self.start([PERF, 'stream', '--role', 'sub', *common])
        self.pub = self.start([PERF, 'stream', '--role', 'pub', '--duration', str(seconds), *common])
        return await_that(lambda: next((line for line in self.streams() if line['direction'] == 'in'), None),
                          'the stream flows')

    def streams(self):
        return json_lines(self.run_driver.fulmar('streams', '--json').stdout)

    def assert_stream_whole(self):
        self.assertEqual(self.pub.wait(), 0, self.pub.output())
        self.assertEqual(self.sub.wait(), 0, self.sub.output())
        figures = json_lines(self.sub.stdout)[-1]
        self.assertGreater(figures['messages'], 0)
        self.assertEqual([figures[key] for key in ('lost', 'duplicated', 'out_of_order', 'corrupted')], [0] * 4)
        self.assertEqual(self.run_driver.stop(), 0, self.run_driver.output())

    def send(self, frames, to=None):
        for frame in frames:
            self.socket.sendto(frame, ('127.0.0.1', to or self.port))

    def invalid(self):
        return self.cnc.system(INVALID_PACKETS)

    def test_bad_frames_to_a_receiver(self):
        stream = self.start_stream(2)
        session = stream['session_id']
        good = [data(session, 1001, 0, 0, bytes(32)), setup(session, 1001), status(1, 1), nak(1, 1),
                header(40, RTTM) + bytes(32), header(40, ERR) + bytes(32), header(22, RES) + bytes(14),
                header(20, RSP_SETUP) + bytes(12)]
        before = self.invalid()
        cut = [frame[:length] for frame in good for length in range(1, len(frame), 3) if length < 8]
        self.send(cut)
        await_that(lambda: self.invalid() >= before + len(cut), 'each cut frame is counted')
        before = self.invalid()
        wrong = [frame[:4] + bytes([version]) + frame[5:] for frame in good for version in (1, 7, 255)]
        wrong += [data(session, 1001, 0, 0, bytes(32))[:-1], data(session, 1001, 0, 7, bytes(32)),
                  data(session, 1001, 0, 2**31 - 32, bytes(32)), data(session, 1001, 0, -32, bytes(32)),
                  data(session, 1001, 0, 0, bytes(32), length=-64), data(session, 1001, 0, 0, b'', length=2**31 - 1)]
        wrong += [header(36, kind) + bytes(28) for kind in (8, 9, 0x20, 0xFFFF)]
        self.send(wrong)
        await_that(lambda: self.invalid() >= before + 20, 'wrong frames are counted')
        self.assert_stream_whole()

    def test_setups_that_cannot_be(self):
        self.start_stream(2)
        before = self.invalid()
        bad = [setup(9, 1001, term=term) for term in (0, -1, 65535, 32768, 2**30 + 1, 3 * 65536, -2**31)]
        bad += [setup(9, 1001, mtu=mtu) for mtu in (0, -32, 31, 33, 65536, 2**30)]
        bad += [setup(9, 1001, offset=offset) for offset in (-32, 7, 65536, 2**31 - 1)]
        bad += [setup(9, 1001, initial=5, active=4)]
        self.send(bad)
        await_that(lambda: self.invalid() >= before + len(bad) - 1, 'they are counted', 5)
        self.assertNotIn(9, [line['session_id'] for line in self.streams()])
        self.assert_stream_whole()

    def test_floods_of_unknown_sessions(self):
        self.start_stream(4)
        chance = random.Random(3)
        for _ in range(20):
            # No interest in the stream; interest, but no SETUP ever; and real SETUPs of sessions that then fall
            # silent, each of which costs an image until it is given up.
            self.send([data(chance.randrange(2**31), 4444, 0, 0, bytes(64)) for _ in range(200)])
            self.send([data(chance.randrange(2**31), 1001, 0, 0, bytes(64)) for _ in range(200)])
            self.send([setup(chance.randrange(2**31), 1001) for _ in range(5)])
        self.assert_stream_whole_after_flood()

    def assert_stream_whole_after_flood(self):
        self.assertEqual(self.pub.wait(), 0, self.pub.output())
        await_that(lambda: len([s for s in self.streams() if s['direction'] == 'in']) <= 1,
                   'the images of silent sessions end', 20)
        self.assertEqual(self.sub.wait(), 0, self.sub.output())
        figures = json_lines(self.sub.stdout)[-1]
        self.assertEqual([figures[key] for key in ('lost', 'duplicated', 'out_of_order', 'corrupted')], [0] * 4)
        self.assertEqual(self.run_driver.stop(), 0, self.run_driver.output())

    def test_noise(self):
        self.start_stream(3)
        chance = random.Random(5)
        for _ in range(3000):
            noise = bytearray(chance.randbytes(chance.choice([0, 1, 8, 28, 32, 36, 40, 64, 512, 1408, 9000])))
            if len(noise) >= 8 and chance.random() < 0.7:
                # Believable enough to get past the first look.
                struct.pack_into('<iBBH', noise, 0, len(noise), 0, chance.randrange(256), chance.randrange(12))
            if len(noise) >= 24 and chance.random() < 0.5:
                struct.pack_into('<i', noise, 16, 1001)
            self.send([bytes(noise)])
        self.assert_stream_whole()

    def test_bad_frames_to_a_sender(self):
        stream = self.start_stream(3)
        session = stream['session_id']
        sender = next(line for line in json_lines(self.run_driver.fulmar('channels', '--json').stdout)
                      if line['direction'] == 'send')
        port = int(sender['local'].rsplit(':', 1)[1])
        # Only the driver's own receiver may speak to a connected socket; so speak from another port too, which
        # the kernel drops, and through the one place that may: none. What arrives must be refused.
        hostile = []
        for value in (0, 1, -1, 31, 2**31 - 1, -2**31, 65536):
            hostile += [nak(session, 1001, value, value, value), nak(session, 1001, 0, 0, value),
                        status(session, 1001, value, value, value), status(session, 1001, 0, 0, value)]
        hostile += [header(40, RTTM, 0x80) + struct.pack('<iiqqq', session, 1001, -1, -1, -1),
                    header(60, ERR) + struct.pack('<iiqqii', session, 1001, 1, -1, 13, 2**31 - 1) + bytes(20),
                    header(20, RSP_SETUP) + struct.pack('<iii', session, 1001, 5)]
        for _ in range(20):
            self.send(hostile, port)
            self.send(hostile)  # a receiver's socket must not take them for its own either
        self.assert_stream_whole()


if __name__ == '__main__':
    main()
