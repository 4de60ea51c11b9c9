"""fulmard starts, says so, ends, and leaves nothing; directories in use, stale, or of another kind."""
import os
import signal

from driver_files import Cnc
from harness import FULMAR, FULMARD, Driver, Process, SystemTest, await_that, main, run


class Lifecycle(SystemTest):
    def test_start_and_sigterm(self):
        driver = self.driver('--port', 'udp')
        self.assertGreater(Cnc(driver.dir).heartbeat_ms(), 0)
        status = driver.fulmar('stat')
        self.assertEqual(status.returncode, 0, status.output())
        self.assertIn(f'pid {driver.pid}', status.stdout)
        self.assertEqual(driver.stop(), 0, driver.output())
        self.assertEqual(driver.stderr, '')
        self.assertIn('ended: signal', driver.stdout)
        # What is left says good-bye, so that clients need not wait for a time-out.
        self.assertEqual(Cnc(driver.dir).heartbeat_ms(), -1)

    def test_sigint_ends_it_too(self):
        driver = self.driver()
        driver.child.send_signal(signal.SIGINT)
        self.assertEqual(driver.wait(), 0, driver.output())

    def test_delete_on_shutdown_leaves_nothing(self):
        logs = os.path.join(self.scratch, 'logs')
        driver = self.driver('--dir-delete-on-shutdown', 'true', '--log-dir', logs)
        self.start([FULMAR, 'sub', '--dir', driver.dir, '--channel', 'aeron:ipc'])
        await_that(lambda: [c for c in Cnc(driver.dir).counters() if c[1] == 11], 'a client')
        self.assertEqual(driver.stop(), 0, driver.output())
        self.assertEqual(os.listdir(self.scratch), ['logs'])
        self.assertEqual(os.listdir(logs), [], 'a directory that others may share stays, and is empty')

    def test_second_driver_is_refused(self):
        driver = self.driver()
        second = Driver(self.dir, ready=False)
        self.assert_refused(second, 1, self.dir, 'active', '--dir')
        self.assertEqual(driver.fulmar('stat').returncode, 0)
        self.assertIsNone(driver.poll())

    def test_directory_of_a_killed_driver_is_taken_over(self):
        driver = self.driver('--driver-timeout', '500ms')
        driver.kill()
        # Until its heartbeat is too old nobody can know that it is dead: refusal or take-over are both right,
        # but after the time-out it must be taken over.
        def restart():
            again = Driver(self.dir, '--driver-timeout', '500ms', ready=False)
            self.addCleanup(again.kill)
            await_that(lambda: 'ready' in again.stdout or again.poll() is not None, 'a decision')
            return again if again.poll() is None else None
        again = await_that(restart, 'the directory is taken over', 20)
        self.assertEqual(Cnc(again.dir).i64(40), again.pid)

    def test_directory_of_something_else_is_left_alone(self):
        os.mkdir(self.dir)
        precious = os.path.join(self.dir, 'precious.txt')
        with open(precious, 'w', encoding='ascii') as file:
            file.write('kept')
        driver = self.driver()
        driver.stop()
        self.assertTrue(os.path.exists(precious))

    def test_a_client_may_end_it_only_when_allowed(self):
        driver = self.driver()
        cnc = Cnc(driver.dir)
        cnc.command(0x0E, bytes(16) + bytes(4))
        await_that(cnc.is_consumed, 'the command is read')
        self.assertEqual(driver.fulmar('stat').returncode, 0)
        self.assertIsNone(driver.poll())
        driver.stop()
        willing = self.driver('--termination-validator', 'allow', directory=self.dir + '2')
        Cnc(willing.dir).command(0x0E, bytes(16) + bytes(4))
        self.assertEqual(willing.wait(), 0, willing.output())
        self.assertIn('a client asked for it', willing.stdout)

    def test_version_and_help(self):
        for program in (FULMARD, FULMAR):
            with self.subTest(program=program):
                version = run([program, '--version'])
                self.assertEqual(version.returncode, 0)
                self.assertRegex(version.stdout, r'^fulmard? \d+\.\d+\.\d+')
                shown = run([program, '--help'])
                self.assertEqual(shown.returncode, 0)
                self.assertEqual(shown.stderr, '')
                self.assertGreater(len(shown.stdout.splitlines()), 5)


if __name__ == '__main__':
    main()
