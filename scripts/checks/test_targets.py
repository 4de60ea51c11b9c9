#!/usr/bin/env python3
"""Prints the ninja targets of the test programs in the given suites, so that a build makes only those.

usage: test_targets.py BUILD_DIRECTORY SUITE...
"""
import json
import os
import subprocess
import sys


def main() -> int:
    build, suites = os.path.abspath(sys.argv[1]), set(sys.argv[2:])
    tests = json.loads(subprocess.run(['meson', 'introspect', build, '--tests'], check=True,
                                      capture_output=True, text=True).stdout)
    targets = {os.path.relpath(test['cmd'][0], build) for test in tests
               if suites & {suite.split(':')[-1] for suite in test['suite']}}
    print('\n'.join(sorted(target for target in targets if not target.startswith('..'))))
    return 0


if __name__ == '__main__':
    sys.exit(main())
