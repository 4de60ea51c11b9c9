"""fulmar sbe: messages that only their schema describes, from files, pipes, recordings and live streams."""
import json
import os
import struct

from harness import FULMAR, SystemTest, json_lines, main, run, udp_port

SCHEMA = '''<?xml version="1.0" encoding="UTF-8"?>
<sbe:messageSchema xmlns:sbe="http://fixprotocol.io/2016/sbe" xmlns:xi="http://www.w3.org/2001/XInclude"
                   package="test" id="77" version="1" byteOrder="littleEndian">
    <xi:include href="types/common.xml"/>
    <sbe:message name="Order" id="1">
        <field name="id" id="1" type="uint64"/>
        <field name="delta" id="2" type="int64" presence="optional"/>
        <field name="ratio" id="3" type="float"/>
        <field name="symbol" id="4" type="symbol"/>
        <field name="side" id="5" type="Side"/>
        <field name="flags" id="6" type="Flags"/>
        <field name="price" id="7" type="Decimal"/>
        <field name="added" id="8" type="uint16" sinceVersion="1"/>
        <group name="legs" id="10">
            <field name="quantity" id="11" type="uint32"/>
        </group>
        <data name="text" id="20" type="varString"/>
        <data name="blob" id="21" type="varBytes"/>
    </sbe:message>
    <sbe:message name="Ping" id="2"><field name="n" id="1" type="uint8"/></sbe:message>
</sbe:messageSchema>
'''
TYPES = '''<types>
    <composite name="varString"><type name="length" primitiveType="uint16"/>
        <type name="varData" primitiveType="uint8" length="0" characterEncoding="UTF-8"/></composite>
    <composite name="varBytes"><type name="length" primitiveType="uint8"/>
        <type name="varData" primitiveType="uint8" length="0"/></composite>
    <type name="symbol" primitiveType="char" length="6"/>
    <enum name="Side" encodingType="char"><validValue name="Buy">B</validValue></enum>
    <set name="Flags" encodingType="uint8"><choice name="Hidden">1</choice><choice name="Urgent">2</choice></set>
    <composite name="Decimal"><type name="mantissa" primitiveType="int64"/>
        <type name="exponent" primitiveType="int8" presence="constant">-4</type></composite>
</types>
'''
BIG = 2**64 - 2
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../golden/sbe')


def header(block_length, template, version=1, schema=77):
    return struct.pack('<HHHH', block_length, template, schema, version)


def order(order_id=BIG, delta=-2**63 + 1, side=b'B', version=1, text='grüße', legs=(7, 8)):
    fields = struct.pack('<Qqf6scBq', order_id, delta, 0.1, b'AB\0\0\0\0', side, 0b1000010, -12345)
    if version >= 1:
        fields += struct.pack('<H', 65535)
    encoded = text.encode()
    return (header(len(fields), 1, version) + fields + struct.pack('<HH', 4, len(legs)) +
            b''.join(struct.pack('<I', leg) for leg in legs) +
            struct.pack('<H', len(encoded)) + encoded + b'\x03\x00\xfe\xff')


def ping(n):
    return header(1, 2) + bytes([n])


def frame(payload, offset, flags=0xC0, kind=1, length=None):
    length = 32 + len(payload) if length is None else length
    head = struct.pack('<iBBHiiiiq', length, 0, flags, kind, offset, 5, 10, 0, 0)
    return (head + payload).ljust((32 + len(payload) + 31) & ~31, b'\0')


ORDER_FIELDS = {
    'id': BIG, 'delta': -2**63 + 1, 'ratio': 0.1, 'symbol': 'AB', 'side': 'Buy', 'flags': ['Hidden', 6],
    'price': {'mantissa': -12345, 'exponent': -4}, 'added': 65535, 'legs': [{'quantity': 7}, {'quantity': 8}],
    'text': 'grüße', 'blob': '00feff'}


class Decode(SystemTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path('types'))
        self.write('types/common.xml', TYPES.encode())
        self.schema = self.write('schema.xml', SCHEMA.encode())

    def path(self, name):
        return os.path.join(self.scratch, name)

    def write(self, name, content):
        with open(self.path(name), 'wb') as file:
            file.write(content)
        return self.path(name)

    def decode(self, *args, schema=None, **options):
        return run([FULMAR, 'sbe', 'decode', '--schema', schema or self.schema, *args], **options)

    def test_file_of_messages(self):
        first = order()
        process = self.decode(self.write('messages.bin', first + ping(3)))
        self.assertEqual(process.returncode, 0, process.output())
        one, two = json_lines(process.stdout)
        self.assertEqual(one, {'message': 'Order', 'template_id': 1, 'version': 1, 'fields': ORDER_FIELDS, 'position': 0})
        self.assertEqual(list(one['fields']), list(ORDER_FIELDS), 'in the order of the schema')
        self.assertEqual(two, {'message': 'Ping', 'template_id': 2, 'version': 1, 'fields': {'n': 3},
                               'position': len(first)})

    def test_stdin_and_summary(self):
        path = self.write('messages.bin', ping(1) + ping(2) + ping(3))
        for args in ([], ['-']):
            with self.subTest(args=args), open(path, 'rb') as file:
                process = self.decode('--json', '--count', '2', *args, stdin=file)
                self.assertEqual(process.returncode, 0, process.output())
                lines = json_lines(process.stdout)
                self.assertEqual([line['fields']['n'] for line in lines[:-1]], [1, 2])
                self.assertEqual(lines[-1], {'messages': 2, 'bad': 0, 'pass': True})

    def test_older_version_and_unknown_values(self):
        process = self.decode(self.write('old.bin', order(version=0, delta=-2**63, side=b'X', legs=())))
        self.assertEqual(process.returncode, 0, process.output())
        fields = json_lines(process.stdout)[0]['fields']
        self.assertEqual([fields[name] for name in ('added', 'delta', 'side', 'legs')], [None, None, ord('X'), []])

    def test_bad_message_ends_a_file(self):
        process = self.decode('--json', self.write('bad.bin', ping(1) + order()[:-1]))
        self.assertEqual(process.returncode, 1, process.output())
        self.assert_one_line(process, 'bad.bin at 9', "data 'blob'")
        self.assertEqual(json_lines(process.stdout)[-1]['pass'], False)

    def test_each_fault_is_named(self):
        for content, *words in [(header(1, 9) + b'x', 'template id 9'), (header(1, 2, schema=78) + b'x', 'schema id 78'),
                                (ping(1)[:-1], "'Ping'", 'block of 1 bytes'), (b'abc', 'needs 8 bytes'),
                                (header(0, 2), "field 'n'"), (order()[:-1], "data 'blob'", '3 bytes')]:
            with self.subTest(words=words):
                process = self.decode(self.write('bad.bin', content))
                self.assertEqual(process.returncode, 1, process.output())
                self.assert_one_line(process, 'bad.bin at 0', *words)

    def test_recording(self):
        # Begun at 96 of its segment; a padding frame; a message of three fragments; one bad; the rest not yet written.
        whole = order(text='x' * 150)
        parts = [(whole[:100], 0x80), (whole[100:180], 0), (whole[180:], 0x40)]
        frames, starts = b'\0' * 96, []
        for payload, flags in [(ping(1), 0xC0), *parts, (header(9, 9), 0xC0), (ping(2) + b'tail', 0xC0)]:
            starts.append(65536 + len(frames))
            frames += frame(payload, len(frames), flags)
        pad = frame(b'', len(frames), kind=0, length=96).ljust(96, b'\0')
        frames += pad + frame(ping(3), len(frames) + 96)
        path = self.write('5-65536.rec', frames + b'\0' * 4096)
        process = self.decode('--json', path)
        self.assertEqual(process.returncode, 1, process.output())
        self.assert_one_line(process, f'{path} at {starts[4]}', 'template id 9')
        lines = json_lines(process.stdout)
        self.assertEqual(lines.pop(), {'messages': 4, 'bad': 1, 'pass': False})
        self.assertEqual([line['position'] for line in lines[:3]], [starts[0], starts[1], starts[5]])
        self.assertEqual(lines[1]['fields']['text'], 'x' * 150)
        self.assertEqual(lines[2]['bytes_behind'], 4)
        self.assertEqual(lines[3]['fields'], {'n': 3})

    def test_message_across_segments(self):
        whole = ping(42)
        first = self.write('1-0.rec', frame(whole[:4], 0, 0x80))
        second = self.write('1-64.rec', frame(whole[4:], 0, 0x40) + frame(ping(43), 64))
        process = self.decode(first, second)
        self.assertEqual(process.returncode, 0, process.output())
        self.assertEqual([(line['position'], line['fields']['n']) for line in json_lines(process.stdout)],
                         [(0, 42), (128, 43)])
        for args, *words in [([first], 'ends within'), ([second], 'begins before')]:
            process = self.decode(*args)
            self.assertEqual(process.returncode, 1, process.output())
            self.assert_one_line(process, args[0], *words)

    def test_recording_with_frames_that_cannot_be(self):
        for content, *words in [(frame(ping(1), 0, length=16), '16 bytes'), (frame(ping(1), 0, kind=5), 'type 5'),
                                (frame(ping(1), 0, length=60000), 'ends within this frame'),
                                (frame(ping(1), 0, length=70000), '70000 bytes')]:
            with self.subTest(words=words):
                process = self.decode(self.write('1-0.rec', content))
                self.assertEqual(process.returncode, 1, process.output())
                self.assert_one_line(process, '1-0.rec at 0', *words)

    def test_live_stream(self):
        driver = self.driver()
        channel = f'aeron:udp?endpoint=127.0.0.1:{udp_port()}'
        decode = self.start([FULMAR, 'sbe', 'decode', '--dir', driver.dir, '--schema', self.schema, '--channel', channel,
                             '--stream', '12', '--count', '2'])
        # `fulmar pub` sends lines; the middle one is no message, the last is longer than a datagram.
        messages = [ping(1), b'nonsense', order(text='y' * 5000)]
        with open(self.write('lines', b''.join(message + b'\n' for message in messages)), 'rb') as lines:
            pub = run([FULMAR, 'pub', '--dir', driver.dir, '--channel', channel, '--stream', '12'], stdin=lines)
        self.assertEqual(pub.returncode, 0, pub.output())
        self.assertEqual(decode.wait(), 1, decode.output())
        self.assert_one_line(decode, channel, 'schema id')
        one, two = json_lines(decode.stdout)
        self.assertEqual(one['fields'], {'n': 1})
        self.assertEqual(two['fields']['text'], 'y' * 5000)
        self.assertGreater(two['position'], one['position'])

    def assert_golden(self, name, schema):
        """What the reference's codecs encoded, all of it in one file, is what they said they encoded."""
        with open(os.path.join(GOLDEN, name), encoding='utf-8') as file:
            golden = json.load(file)['messages']
        self.assertTrue(golden)
        content = b''.join(bytes.fromhex(message['hex']) for message in golden)
        process = self.decode(self.write('golden.bin', content), schema=schema)
        self.assertEqual(process.returncode, 0, process.output())
        position = 0
        for message, line in zip(golden, json_lines(process.stdout), strict=True):
            with self.subTest(message=message['name'], variant=message['variant']):
                self.assertEqual((line['message'], line['template_id'], line['version'], line['position']),
                                 (message['name'], message['template'], message['version'], position))
                position += len(message['hex']) // 2
                self.assert_fields(line['fields'], message['fields'])

    def assert_fields(self, ours, theirs):
        """Theirs lack what the version they were encoded with did not have: null or no entries in ours."""
        newer = {name: value for name, value in ours.items() if name not in theirs}
        self.assertFalse([name for name, value in newer.items() if value], newer)
        self.assertEqual([name for name in ours if name in theirs], list(theirs))
        for name, value in theirs.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                self.assertEqual(len(ours[name]), len(value), name)
                for one, other in zip(ours[name], value):
                    self.assert_fields(one, other)
            else:
                self.assertEqual(ours[name], value, name)

    def test_bytes_of_the_reference_codecs(self):
        path = os.path.join(GOLDEN, 'every_construct.xml')
        self.assert_golden('every_construct_little.json', path)
        with open(path, encoding='utf-8') as file:
            big = file.read().replace('littleEndian', 'bigEndian')
        self.assert_golden('every_construct_big.json', self.write('big.xml', big.encode()))

    def test_bytes_of_aerons_codecs_by_our_schemas(self):
        for protocol in ('archive', 'archive-mark', 'cluster', 'cluster-mark'):
            with self.subTest(protocol=protocol):
                schema = self.exported(protocol)
                self.assert_golden(protocol.replace('-', '_') + '.json', schema)

    def exported(self, protocol):
        process = run([FULMAR, 'sbe', 'export', protocol])
        self.assertEqual(process.returncode, 0, process.output())
        return self.write(protocol + '.xml', process.stdout.encode())

    def test_recording_of_a_stock_cluster(self):
        process = self.decode('--json', os.path.join(GOLDEN, 'cluster_log_0-0.rec'), schema=self.exported('cluster'))
        self.assertEqual(process.returncode, 0, process.output())
        lines = json_lines(process.stdout)
        summary = lines.pop()
        self.assertEqual((summary['bad'], summary['messages']), (0, len(lines)))
        with open(os.path.join(GOLDEN, 'cluster_session.json'), encoding='utf-8') as file:
            log = [message for message in json.load(file)['messages'] if message['stream'] == 'log']
        self.assertTrue(log)
        recorded = [(line['message'], line['fields']) for line in lines]
        for message in log:
            self.assertIn((message['name'], message['fields']), recorded)

    def test_schemas_that_cannot_be(self):
        for name, content, *words in [
                ('none.xml', None, 'none.xml', 'No such file'),
                ('text.xml', 'words', 'text.xml:1', 'not well-formed'),
                ('type.xml', SCHEMA.replace('"uint64"', '"uint65"'), 'type.xml:6', "'Order.id'", 'uint65'),
                ('far.xml', SCHEMA.replace('types/common.xml', '/etc/passwd'), 'far.xml:4', 'relative'),
                ('net.xml', SCHEMA.replace('types/common.xml', 'http://x/y'), 'net.xml:4', 'relative'),
                ('lost.xml', SCHEMA.replace('types/common.xml', 'lost/y.xml'), 'lost.xml:4', 'lost/y.xml')]:
            with self.subTest(name=name):
                path = self.path(name) if content is None else self.write(name, content.encode())
                process = self.decode(schema=path)
                self.assertEqual(process.returncode, 1, process.output())
                self.assert_one_line(process, *words)

    def test_import(self):
        process = run([FULMAR, 'sbe', 'import', self.schema])
        self.assertEqual(process.returncode, 0, process.output())
        for line in ('namespace test {', 'struct Schema : sbe::Schema<"test", 77, 1> {};',
                     'struct Order : sbe::Message<Schema, "Order", 1,', '    sbe::Field<"symbol", 4, Symbol>,',
                     'using Messages = sbe::Messages<Order, Ping>;'):
            self.assertIn(line + '\n', process.stdout)
        for protocol in ('archive', 'cluster', 'archive-mark', 'cluster-mark', 'example'):
            with self.subTest(protocol=protocol):
                process = run([FULMAR, 'sbe', 'import', self.exported(protocol)])
                self.assertEqual(process.returncode, 0, process.output())
        bad = self.write('bad.xml', SCHEMA.replace('"uint64"', '"uint65"').encode())
        for path, *words in [(bad, 'bad.xml:6', 'uint65'), (self.path('none.xml'), 'none.xml')]:
            process = run([FULMAR, 'sbe', 'import', path])
            self.assertEqual(process.returncode, 1, process.output())
            self.assertEqual(process.stdout, '')
            self.assert_one_line(process, 'fulmar sbe import', *words)

    def test_usage(self):
        for args, *words in [(['sbe'], 'fulmar sbe --help'), (['sbe', 'decod'], 'decode'),
                             (['sbe', 'decode'], '--schema'),
                             (['sbe', 'decode', '--schema', self.schema, '--schem'], 'fulmar sbe decode --help'),
                             (['sbe', 'decode', '--schema', self.schema, '--stream', '1', 'file'], '--stream')]:
            with self.subTest(args=args):
                process = run([FULMAR, *args])
                self.assertEqual(process.returncode, 2, process.output())
                self.assert_one_line(process, *words)


if __name__ == '__main__':
    main()
