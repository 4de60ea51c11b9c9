"""A description or a use that breaks a rule does not compile, and the compiler names the rule.

usage: rules.py COMPILER... -- INCLUDE_DIRECTORY
"""
import subprocess
import sys
import unittest

PRELUDE = '''
#include "fulmar/sbe/decoder.h"
#include "fulmar/sbe/encoder.h"
using namespace fulmar::sbe;
enum class Side : char { kBuy = '1' };
struct SideType : Enum<"Side", Side, Value<"Buy", Side::kBuy>> {};
struct Flags : Set<"Flags", std::uint8_t, Choice<"On", 0>> {};
struct S : Schema<"rules", 1, 3> {};
struct Good : Message<S, "Good", 1, Field<"a", 1, std::uint32_t>, Field<"side", 2, SideType>, Field<"flags", 3, Flags>,
    Constant<"c", 4, std::uint8_t, 7>, Group<"g", 10, Field<"x", 11, std::uint8_t>>, Data<"d", 20>> {};
void use(Encoder<Good>& e, const Decoder<Good>& d) {
    (void)e; (void)d;
    %s
}
%s
'''


def use(code):
    return PRELUDE % (code, '')


def describe(members):
    return PRELUDE % ('', f'struct Bad : Message<S, "Bad", 2, {members}> {{}};\n'
                          'void write(Encoder<Bad>& e) { (void)e.error(); }\n'
                          'auto read(std::span<const std::byte> b) { return Decoder<Bad>::decode(b); }')


class Rules(unittest.TestCase):
    compiler = []

    def compiles(self, source):
        return subprocess.run([*self.compiler, '-x', 'c++', '-std=c++20', '-fsyntax-only', '-'], input=source,
                              capture_output=True, text=True, check=False)

    def refused(self, source, words):
        with self.subTest(words=words):
            result = self.compiles(source)
            self.assertNotEqual(result.returncode, 0, 'it compiles')
            self.assertIn(words, result.stderr)

    def test_what_keeps_the_rules_compiles(self):
        for source in [use('e.set<"a">(1).set<"side">(Side::kBuy); (void)d.get<"a">();'),
                       describe('Field<"a", 1, std::uint8_t>, Field<"b", 2, std::uint8_t, Since<3>>, Data<"d", 3>')]:
            result = self.compiles(source)
            self.assertEqual(result.returncode, 0, result.stderr)

    def test_uses(self):
        self.refused(use('e.set<"b">(1);'), 'no_member_of_that_name')
        self.refused(use('(void)d.get<"b">();'), 'no_member_of_that_name')
        self.refused(use('e.set<"g">(1);'), 'groups_and_data_are_no_fields')
        self.refused(use('(void)d.get<"d">();'), 'groups_and_data_are_no_fields')
        self.refused(use('(void)d.group<"a">();'), 'group is for groups')
        self.refused(use('(void)d.data<"g">();'), 'data is for variable-length data')
        self.refused(use('e.set<"c">(7);'), 'a constant is part of the schema')
        self.refused(use('e.set<"a">("text");'), 'error')
        self.refused(use('e.set<"side">(1);'), 'error')
        self.refused(use('(void)Choices<Flags>().with<"Off">();'), 'no choice of that name')
        self.refused(use('Encoder<Good> copy(e);'), 'deleted')

    def test_descriptions(self):
        self.refused(describe('Field<"a", 1, int>, Field<"a", 2, int>'), 'two_members_have_one_name')
        self.refused(describe('Data<"d", 1>, Field<"a", 2, int>'), 'fields_come_first_then_groups_then_data')
        self.refused(describe('Data<"d", 1>, Group<"g", 2, Field<"a", 3, int>>'), 'fields_come_first_then_groups_then_data')
        self.refused(describe('Field<"a", 1, int>, Field<"b", 2, int, At<2>>'), 'offset_lies_inside_the_member_before')
        self.refused(describe('BlockLength<3>, Field<"a", 1, int>'), 'block_length_is_less_than_its_fields_need')
        self.refused(describe('Field<"a", 1, char[70000]>'), 'block_length_does_not_fit_the_header')
        self.refused(describe('Field<"a", 1, int, Since<2>>, Field<"b", 2, int>'), 'a_later_version_adds_at_the_end')
        self.refused(describe('Field<"a", 1, int, Since<4>>'), 'a_member_is_newer_than_its_schema')
        self.refused(describe('Group<"g", 1, Group<"h", 2, Field<"a", 3, int, Since<4>>>>'), 'a_member_is_newer_than_its_schema')
        self.refused(describe('Field<"a", 1, int, Null<0>>'), 'describe one with sbe::Type')


if __name__ == '__main__':
    end = sys.argv.index('--')
    Rules.compiler = [*sys.argv[1:end], '-I', sys.argv[end + 1]]
    unittest.main(argv=sys.argv[:1])
