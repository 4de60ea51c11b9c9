"""`fulmar archive` on a directory that a stock archive wrote (tests/golden/sbe), and on what can become of one."""
import os
import shutil
import struct

from harness import FULMAR, SystemTest, json_lines, main, run

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'golden', 'sbe')
SEGMENT = 64 * 1024


def crc32c(data, crc=0):
    crc ^= 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


# Where some frames of recording 0 begin, and its end: the entries of its sidecar.
CUTS = (0, 416, 1248, 2656, 4064, 4352)


def sidecar(segment, base, cuts):
    """As lib/archive/sidecar.h says: the header, then an entry from each cut to the next."""
    def slot(number, content):
        return content + struct.pack('<I', crc32c(content, crc32c(struct.pack('<qQ', base, number))))
    slots = [slot(0, b'fulmar' + struct.pack('<HqI', 1, base, SEGMENT) + bytes(8))]
    for at, end in zip(cuts, cuts[1:]):
        checksum = crc32c(segment[at:end])
        slots.append(slot(len(slots), struct.pack('<IIIB3xqI', at, end - at, checksum, 1, base + cuts[-1], 7)))
    return b''.join(slots).ljust(4096, b'\0')


class ArchiveDirectory(SystemTest):
    def setUp(self):
        super().setUp()
        self.archive = os.path.join(self.scratch, 'archive')
        os.mkdir(self.archive)
        shutil.copy(os.path.join(GOLDEN, 'archive.catalog'), self.archive)
        for name in ('0-0', '1-196608'):
            shutil.copy(os.path.join(GOLDEN, f'recording_{name}.rec'), os.path.join(self.archive, f'{name}.rec'))
            os.truncate(os.path.join(self.archive, f'{name}.rec'), SEGMENT)

    def run_verb(self, verb, *args):
        return run([FULMAR, 'archive', verb, '--archive-dir', self.archive, *args])

    def lines(self, verb, *args, status=0):
        process = self.run_verb(verb, '--json', *args)
        self.assertEqual(process.returncode, status, process.output())
        return json_lines(process.stdout)

    def patch(self, name, offset, data):
        with open(os.path.join(self.archive, name), 'r+b') as file:
            file.seek(offset)
            file.write(data)

    def assert_not_sound(self, recording, *words):
        lines = self.lines('verify', status=1)
        self.assertFalse(lines[-1]['pass'])
        verdict = next(line for line in lines if line.get('recording_id') == recording)
        self.assertFalse(verdict['pass'])
        text = ' '.join(verdict['faults'])
        for word in words:
            self.assertIn(word, text)
        others = [line for line in lines[:-1] if line['recording_id'] != recording]
        self.assertTrue(all(line['pass'] for line in others), 'the other recordings are sound')

    def test_ls_and_describe(self):
        rows = self.lines('ls')
        self.assertEqual([row['recording_id'] for row in rows], [0, 1])
        self.assertEqual((rows[0]['start_position'], rows[0]['stop_position']), (0, 4352))
        self.assertEqual((rows[1]['stream_id'], rows[1]['session_id']), (1002, 22136))
        self.assertEqual(self.lines('ls', '1'), rows[1:])
        process = self.run_verb('describe', '1')
        self.assertIn('positions         200704 to 200960', process.stdout)
        self.assertIn('alias=renamed', self.run_verb('ls').stdout)

    def test_dump(self):
        frames = self.lines('dump', '0')
        self.assertEqual(frames[0]['position'], 0)
        ends = [frame['position'] + (frame['length'] + 31) // 32 * 32 for frame in frames]
        self.assertEqual([frame['position'] for frame in frames[1:]], ends[:-1])
        self.assertEqual(ends[-1], 4352)
        self.assertEqual(len(self.lines('dump', '0', '--count', '3')), 3)
        self.assertEqual(self.lines('dump', '0', '--from', str(ends[0]))[0], frames[1])

    def test_a_sound_directory(self):
        lines = self.lines('verify')
        self.assertEqual(lines[-1], {'recordings': 2, 'bad': 0, 'pass': True})
        self.assertEqual(lines[0]['end_position'], 4352)

    def test_a_recording_whose_archive_died_is_checked_to_its_end(self):
        # stopPosition and stopTimestamp of the first entry: at 48 and 32 of its descriptor
        self.patch('archive.catalog', 64 + 48, struct.pack('<q', -1))
        self.assertEqual(self.lines('verify')[0]['end_position'], 4352)
        row = self.lines('ls')[0]
        self.assertTrue(row['active'])
        self.assertEqual(row['end_position'], 4352)

    def test_what_verify_finds(self):
        faults = {
            'a flipped bit in a term id': (lambda: self.patch('0-0.rec', 96 + 20, b'\xff'), ('at position 96', 'another term')),
            'a frame of another stream': (lambda: self.patch('0-0.rec', 96 + 16, b'\xff'), ('at position 96', 'another stream')),
            'a length that cannot be': (lambda: self.patch('0-0.rec', 96, struct.pack('<i', 5)), ('at position 96', 'length')),
            'frames that are gone': (lambda: self.patch('0-0.rec', 96, struct.pack('<i', 0)), ('frames end at 96',)),
            'a cut file': (lambda: os.truncate(os.path.join(self.archive, '0-0.rec'), 1000), ('has 1000 bytes', 'frames end')),
            'a missing file': (lambda: os.unlink(os.path.join(self.archive, '0-0.rec')), ('0-0.rec', 'is missing')),
            'an impossible descriptor': (lambda: self.patch('archive.catalog', 64 + 64, struct.pack('<i', 0)), ('term length of 0',)),
        }
        whole = os.path.join(self.scratch, 'whole')
        shutil.copytree(self.archive, whole)
        for what, (spoil, words) in faults.items():
            with self.subTest(what):
                shutil.rmtree(self.archive)
                shutil.copytree(whole, self.archive)
                spoil()
                self.assert_not_sound(0, *words)

    def add_sidecar(self):
        with open(os.path.join(self.archive, '0-0.rec'), 'rb') as file:
            content = sidecar(file.read(), 0, CUTS)
        with open(os.path.join(self.archive, '0-0.crc'), 'wb') as file:
            file.write(content)

    def test_verify_looks_at_checksums(self):
        self.add_sidecar()
        lines = self.lines('verify')
        self.assertEqual([line['sidecars'] for line in lines[:-1]], [1, 0])
        self.patch('0-0.rec', 2048 + 77, b'\xfe')  # within a payload: no frame looks wrong
        self.assert_not_sound(0, '0-0.rec', 'checksum does not match', 'from 1248 to 2656')
        self.patch('0-0.crc', 3 * 32 + 5, b'\xfe')
        self.assert_not_sound(0, '0-0.rec', 'checksums are lost', 'from 1248 to 2656')

    def test_repair_takes_what_the_checksums_vouch_for(self):
        self.add_sidecar()
        good = os.path.join(self.scratch, 'good')
        shutil.copytree(self.archive, good)
        os.unlink(os.path.join(good, '0-0.crc'))  # the other copy needs none
        self.patch('0-0.rec', 2048 + 77, b'\xfe')
        self.patch('0-0.crc', 4 * 32 + 5, b'\xfe')
        arguments = ('repair', '--json', '--archive-dir', self.archive, '--recording', '0', '--from', good)
        process = run([FULMAR, 'archive', *arguments])
        self.assertEqual(process.returncode, 0, process.output())
        outcome = json_lines(process.stdout)[-1]
        self.assertEqual((outcome['repaired_bytes'], outcome['repaired_checksums']), (1408, 1))
        self.assertTrue(self.lines('verify')[-1]['pass'])
        with open(os.path.join(self.archive, '0-0.rec'), 'rb') as ours, open(os.path.join(good, '0-0.rec'), 'rb') as theirs:
            self.assertEqual(ours.read(), theirs.read())
        # Both copies wrong: named, and left alone.
        for directory in (self.archive, good):
            with open(os.path.join(directory, '0-0.rec'), 'r+b') as file:
                file.seek(300)
                file.write(b'\xfe')
        process = run([FULMAR, 'archive', *arguments])
        self.assertEqual(process.returncode, 1, process.output())
        remaining = json_lines(process.stdout)[-1]['remaining']
        self.assertEqual([(damage['begin'], damage['end']) for damage in remaining], [(0, 416)])

    def test_repair_makes_a_segment_that_is_gone(self):
        self.add_sidecar()
        good = os.path.join(self.scratch, 'good')
        shutil.copytree(self.archive, good)
        arguments = ('repair', '--json', '--archive-dir', self.archive, '--recording', '0', '--from', good)
        for gone in (('0-0.rec',), ('0-0.rec', '0-0.crc')):
            for name in gone:
                os.unlink(os.path.join(self.archive, name))
            self.lines('verify', status=1)
            process = run([FULMAR, 'archive', *arguments])
            self.assertEqual(process.returncode, 0, process.output())
            outcome = json_lines(process.stdout)[-1]
            self.assertEqual((outcome['rebuilt_segments'], outcome['repaired_bytes']), (1, 4352))
            self.assertTrue(self.lines('verify')[-1]['pass'])
            with open(os.path.join(self.archive, '0-0.rec'), 'rb') as ours, open(os.path.join(good, '0-0.rec'), 'rb') as theirs:
                self.assertEqual(ours.read(), theirs.read())
        # Nothing vouches for it any more: nothing is made.
        for name in (os.path.join(self.archive, '0-0.rec'), os.path.join(self.archive, '0-0.crc'), os.path.join(good, '0-0.crc')):
            os.unlink(name)
        process = run([FULMAR, 'archive', *arguments])
        self.assertEqual(process.returncode, 1, process.output())
        damage, = json_lines(process.stdout)[-1]['remaining']
        self.assertEqual((damage['begin'], damage['end']), (0, 4352))
        self.assertIn('nothing vouches', damage['why'])
        self.assertFalse(os.path.exists(os.path.join(self.archive, '0-0.rec')))

    def test_du_counts_what_belongs_to_no_recording(self):
        with open(os.path.join(self.archive, '9-0.rec'), 'wb') as file:
            file.write(bytes(SEGMENT))
        with open(os.path.join(self.archive, '9-0.rec.del'), 'wb') as file:
            file.write(bytes(SEGMENT))
        lines = self.lines('du')
        self.assertEqual([line['recording'] for line in lines], ['0', '1', 'of no recording', 'total'])
        self.assertEqual(lines[2]['length'], SEGMENT)
        self.assertEqual(lines[3]['segments'], 3)
        self.assertLess(lines[0]['allocated'], SEGMENT)

    def test_what_is_refused(self):
        def refused(*words, status=1, args=('ls',)):
            process = self.run_verb(*args)
            self.assertEqual(process.returncode, status, process.output())
            self.assert_one_line(process, *words)
        refused('no recording 7', 'fulmar archive ls', args=('ls', '7'))
        refused('--cuont', status=2, args=('dump', '--cuont', '3'))
        self.patch('archive.catalog', 0, struct.pack('<i', 2 << 16))
        refused('format 2', 'migrate')
        os.unlink(os.path.join(self.archive, 'archive.catalog'))
        refused('no archive.catalog', '--archive-dir')
        shutil.rmtree(self.archive)
        refused(self.archive, 'No such file', '--archive-dir')


if __name__ == '__main__':
    main()
