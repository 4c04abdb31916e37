# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Adds up JUnit reports and failed steps, names what failed, prints one line, and fails if anything failed or nothing ran.

Usage: summary.py FAILED_STEPS [REPORT.xml …]
"""

import sys
import xml.etree.ElementTree as ElementTree

LONGEST_MESSAGE = 1_000


def count(path: str) -> tuple[int, int, int]:
    """Passed, failed and skipped test cases of one report."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).iter("testcase"):
        problems = case.findall("failure") + case.findall("error")
        if problems:
            failed += 1
            print(f"failed: {case.get('classname')} {case.get('name')}")
            for problem in problems:
                print(f"    {(problem.get('message') or problem.text or '').strip()[:LONGEST_MESSAGE]}")
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main() -> int:
    failed_steps = int(sys.argv[1])
    passed = failed = skipped = 0
    for path in sys.argv[2:]:
        try:
            counts = count(path)
        except (OSError, ElementTree.ParseError) as error:
            print(f"unreadable report {path}: {error}", file=sys.stderr)
            counts = (0, 1, 0)
        passed, failed, skipped = (a + b for a, b in zip((passed, failed, skipped), counts))
    # A step can fail without a failed test case: a build error, a warning, a crash, a time-out.
    failed = max(failed, failed_steps)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
