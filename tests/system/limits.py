"""What a machine may deny: privileges, space, an interface without addresses. Needs root to take them away."""
import os
import subprocess

from harness import FULMAR, FULMARD, IS_ROOT, SMALL, Driver, SystemTest, main, netns_pair, run

AS_NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']


class Limits(SystemTest):
    def setUp(self):
        if not IS_ROOT:
            self.skipTest('giving rights away needs root')
        super().setUp()

    def mount_tmpfs(self, size):
        path = os.path.join(self.scratch, 'small')
        os.mkdir(path)
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', path],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest('mounting is not allowed here')
        self.addCleanup(subprocess.run, ['umount', '-l', path], check=False)
        return path

    def readable_programs(self):
        """Whether nobody may run what we built at all."""
        probe = subprocess.run([*AS_NOBODY, FULMARD, '--version'], capture_output=True, check=False)
        if probe.returncode != 0:
            self.skipTest('an unprivileged user cannot reach the programs here')

    def test_directory_without_permission(self):
        self.readable_programs()
        os.chmod(self.scratch, 0o755)
        process = run([*AS_NOBODY, FULMARD, '--dir', self.dir, *SMALL])
        self.assertEqual(process.returncode, 1, process.output())
        self.assert_one_line(process, self.dir, 'ermission')

    def test_devices_without_permission(self):
        self.readable_programs()
        os.chmod(self.scratch, 0o777)
        with netns_pair() as ((ns, interface), _):
            for kind, name in (('af_packet', interface), ('af_xdp', interface), ('tap', 'fulmar9')):
                with self.subTest(kind=kind):
                    process = run([*AS_NOBODY, FULMARD, '--dir', self.dir, '--port',
                                   f'{kind}:{name},ip=10.77.0.1/24', *SMALL], netns=ns)
                    self.assertEqual(process.returncode, 1, process.output())
                    self.assert_one_line(process, name, 'root', 'setcap')

    def test_an_unprivileged_user_runs_a_driver(self):
        self.readable_programs()
        os.chmod(self.scratch, 0o777)
        driver = self.driver('--port', 'udp', prefix=AS_NOBODY)
        self.assertEqual(os.stat(self.dir).st_uid, 65534)
        self.assertEqual(driver.stop(), 0, driver.output())

    def test_no_space_for_the_driver_itself(self):
        small = self.mount_tmpfs('2m')
        process = run([FULMARD, '--dir', os.path.join(small, 'driver'), *SMALL])
        self.assertEqual(process.returncode, 1, process.output())
        self.assert_one_line(process, small, 'bytes are needed')

    def test_no_space_for_a_log_is_an_answer(self):
        # Room for the driver's own files and one small log, not for a large one.
        small = self.mount_tmpfs('24m')
        driver = self.driver(directory=os.path.join(small, 'driver'))
        pub = driver.fulmar('pub', '--message', 'x', '--channel', 'aeron:ipc?term-length=64m')
        self.assertEqual(pub.returncode, 1, pub.output())
        self.assert_one_line(pub, 'space')
        self.assertIsNone(driver.poll())
        sub = self.start([FULMAR, 'sub', '--dir', driver.dir, '--channel', 'aeron:ipc', '--count', '1'])
        pub = driver.fulmar('pub', '--message', 'x', '--channel', 'aeron:ipc?term-length=64k')
        self.assertEqual(pub.returncode, 0, pub.output())
        self.assertEqual(sub.wait(), 0, sub.output())

    def test_an_interface_with_an_address_is_refused(self):
        with netns_pair(address_a='10.99.0.1/24') as ((ns, interface), _):
            process = Driver(self.dir, '--port', f'af_packet:{interface},ip=10.77.0.1/24', ready=False,
                             netns=ns)
            self.assert_refused(process, 1, interface, f'ip addr flush dev {interface}')
            self.assertFalse(os.path.exists(self.dir))


if __name__ == '__main__':
    main()
