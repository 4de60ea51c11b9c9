"""What is typed wrong is refused in one line that says what to type: exit status 2, and nothing started."""
import os
import socket

from harness import FULMAR, FULMARD, PERF, SystemTest, json_lines, main, run, udp_port


class CommandLine(SystemTest):
    def refused(self, args, *words, env=None, status=2):
        with self.subTest(args=' '.join(args[1:]), env=env):
            process = run(args, env=env)
            self.assertEqual(process.returncode, status, process.output())
            self.assert_one_line(process, *words)
            self.assertEqual(process.stdout, '')

    def test_unknown_words_get_the_nearest_known_one(self):
        self.refused([FULMARD, '--threding', 'shared'], 'threding', 'threading')
        self.refused([FULMARD, '--dri=/tmp/x'], '--dri')
        self.refused([FULMARD, '-Daeron.mtu.lenght=8k', '--no-such-thing', '1'], 'no-such-thing')
        self.refused([FULMARD], 'FULMAR_PROT', 'FULMAR_PORT', env={'FULMAR_PROT': 'udp'})
        self.refused([FULMAR, 'sta'], 'stat')
        self.refused([FULMAR, 'stat', '--jsn'], '--json')
        self.refused([FULMAR], 'fulmar --help')

    def test_foreign_names_are_kept_and_told(self):
        process = run([FULMARD, '--dir', self.dir, '-Daeron.no.such.thing=1', '--print-config'],
                      env={'AERON_NO_SUCH_THING': '1'})
        self.assertEqual(process.returncode, 0, process.output())
        self.assertIn('aeron.no.such.thing', process.stdout)
        self.assertIn('AERON_NO_SUCH_THING', process.stdout)

    def test_values_out_of_range_name_the_limit(self):
        self.refused([FULMARD, '--mtu-length', '33'], 'mtu-length', '33')
        self.refused([FULMARD, '--term-buffer-length', '100k'], 'term-buffer-length')
        self.refused([FULMARD, '--client-liveness-timeout', 'soon'], 'client-liveness-timeout', 'soon')
        self.refused([FULMARD, '--threading', 'both'], 'both', 'dedicated')
        self.refused([FULMARD, '--config', '/nonexistent.toml'], '/nonexistent.toml')
        self.refused([FULMARD], 'AERON_MTU_LENGTH', env={'AERON_MTU_LENGTH': 'big'})

    def test_ports_that_cannot_be(self):
        for spec, *words in [('upd', 'udp'), ('udp,mtu=5', 'mtu'), ('udp,ip=1.2.3', '1.2.3'),
                             ('udp,fault=loss:2', 'loss:2'), ('udp,fualt=none', 'fault'),
                             ('af_packet:', 'af_packet'), ('memif:server:relative.sock', 'absolute'),
                             ('', "port ''")]:
            with self.subTest(spec=spec):
                process = run([FULMARD, '--dir', self.dir, '--port', spec])
                self.assertIn(process.returncode, (1, 2), process.output())
                self.assert_one_line(process, *words)
                self.assertFalse(os.path.exists(self.dir), 'nothing is made for a driver that cannot start')

    def test_print_config_shows_each_origin(self):
        config = os.path.join(self.scratch, 'driver.toml')
        with open(config, 'w', encoding='ascii') as file:
            file.write('mtu-length = "4096"\nterm-buffer-length = "2m"\nipc-mtu-length = "2048"\n')
        process = run([FULMARD, '--dir', self.dir, '--config', config, '-Daeron.ipc.mtu.length=4k',
                       '--term-buffer-length', '4m', '--print-config'],
                      env={'AERON_TERM_BUFFER_LENGTH': '8m', 'AERON_IPC_MTU_LENGTH': '8k'})
        self.assertEqual(process.returncode, 0, process.output())
        shown = dict(line.split(' = ', 1) for line in process.stdout.splitlines() if ' = ' in line)
        self.assertEqual(shown['dir'], f'{self.dir}  (--dir)')
        self.assertRegex(shown['mtu-length'], r'^(4k|4096)  \(.*driver\.toml.*\)$')
        self.assertRegex(shown['term-buffer-length'], r'^4m  \(--term-buffer-length\)$')
        self.assertRegex(shown['ipc-mtu-length'], r'^4k  \(-D.*\)$')
        self.assertRegex(shown['timer-interval'], r'\(default\)$')
        self.assertFalse(os.path.exists(self.dir), 'printing starts no driver')

    def test_directory_from_the_environment(self):
        for name in ('AERON_DIR', 'FULMAR_DIR'):
            process = run([FULMARD, '--print-config'], env={name: self.dir})
            self.assertIn(f'dir = {self.dir}  (env {name})', process.stdout)
            process = run([FULMAR, 'stat'], env={name: self.dir})
            self.assert_refused(process, 1, self.dir, 'fulmard --dir')

    def test_default_directory_is_the_same_for_both(self):
        for env in ({'USER': 'somebody-else'}, {}):
            with self.subTest(env=env):
                shown = run(['env', *([] if env else ['-u', 'USER']), FULMARD, '--print-config'], env=env)
                directory = next(line.split()[2] for line in shown.stdout.splitlines()
                                 if line.startswith('dir = '))
                text = run(['env', *([] if env else ['-u', 'USER']), FULMAR, 'stat', '--help'], env=env).stdout
                self.assertIn(directory, text)

    def test_missing_interface(self):
        for device in ('af_packet:nosuchif0', 'af_xdp:nosuchif0'):
            with self.subTest(device=device):
                process = run([FULMARD, '--dir', self.dir, '--port', device + ',ip=10.77.0.1/24'])
                self.assertEqual(process.returncode, 1, process.output())
                self.assert_one_line(process, 'nosuchif0')
                self.assertFalse(os.path.exists(self.dir))

    def test_port_in_use(self):
        driver = self.driver()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(('127.0.0.1', 0))
            port = taken.getsockname()[1]
            sub = driver.fulmar('sub', '--channel', f'aeron:udp?endpoint=127.0.0.1:{port}')
            self.assertEqual(sub.returncode, 1, sub.output())
            self.assert_one_line(sub, str(port), 'in use')
        # The driver is as good as before.
        free = udp_port()
        sub = self.start([FULMAR, 'sub', '--dir', driver.dir, '--count', '1', '--channel',
                          f'aeron:udp?endpoint=127.0.0.1:{free}'])
        pub = driver.fulmar('pub', '--message', 'x', '--channel', f'aeron:udp?endpoint=127.0.0.1:{free}')
        self.assertEqual(pub.returncode, 0, pub.output())
        self.assertEqual(sub.wait(), 0, sub.output())

    def test_channels_that_cannot_be(self):
        driver = self.driver()
        for channel, *words in [('aeron:upd?endpoint=localhost:40123', 'upd'),
                                ('aeron:udp', 'endpoint'),
                                ('aeron:udp?endpoint=localhost', 'localhost'),
                                ('aeron:udp?endpoint=localhost:99999', '99999'),
                                ('aeron:udp?endpoint=no.such.host.invalid:1', 'no.such.host.invalid'),
                                ('aeron:udp?endpoint=localhost:40123|mtu=7', 'mtu'),
                                ('nonsense', 'nonsense'),
                                ('aeron:ipc?term-length=100', 'term-length')]:
            with self.subTest(channel=channel):
                pub = driver.fulmar('pub', '--message', 'x', '--channel', channel)
                self.assertEqual(pub.returncode, 1, pub.output())
                self.assert_one_line(pub, *words)
        self.assertEqual(len([line for line in json_lines(driver.fulmar('errors', '--json').stdout)]), 8)

    def test_hugepages_that_are_not_there(self):
        with open('/proc/meminfo', encoding='ascii') as file:
            total = next(int(line.split()[1]) for line in file if line.startswith('HugePages_Total'))
        if total > 0:
            self.skipTest('this machine has hugepages')
        process = run([PERF, 'raw', '--role', 'pong', '--port', 'ring:a', '--hugepages', 'on'])
        self.assertIn(process.returncode, (1, 2), process.output())
        self.assert_one_line(process, 'hugepages')


if __name__ == '__main__':
    main()
