#!/usr/bin/env python3
"""Prints the ninja targets that the tests of the given suites run, so that a build makes only those.

usage: test_targets.py BUILD_DIRECTORY SUITE...
"""
import json
import os
import subprocess
import sys


def introspect(build: str, what: str):
    return json.loads(subprocess.run(['meson', 'introspect', build, what], check=True,
                                     capture_output=True, text=True).stdout)


def main() -> int:
    build, suites = os.path.abspath(sys.argv[1]), set(sys.argv[2:])
    files = {target['id']: target['filename'] for target in introspect(build, '--targets')}
    programs = set()
    for test in introspect(build, '--tests'):
        if suites & {suite.split(':')[-1] for suite in test['suite']}:
            programs.add(test['cmd'][0])
            # What a script starts, or a test's other end.
            programs.update(file for depend in test['depends'] for file in files[depend])
    targets = {os.path.relpath(program, build) for program in programs}
    print('\n'.join(sorted(target for target in targets if not target.startswith('..'))))
    return 0


if __name__ == '__main__':
    sys.exit(main())
