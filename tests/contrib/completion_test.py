#!/usr/bin/env python3
"""contrib/completions/policyctl.bash knows every command and option that `policyctl --help` tells, and no other.

completion_test.py POLICYCTL
"""

import functools
import pathlib
import re
import subprocess
import sys
import unittest

COMPLETION = pathlib.Path(__file__).resolve().parents[2] / "contrib/completions/policyctl.bash"
# Completes the last of its arguments; policyd does not answer.
DRIVER = """\
source "$0"
policyctl() { return 69; }
compopt() { return 0; }
COMP_WORDS=(policyctl "$@") COMP_CWORD=$#
_policyctl
printf '%s\\n' "${COMPREPLY[@]}"
"""


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    if done.stderr:
        raise AssertionError(done.stderr)
    return done.stdout


def completions(*words):
    return set(output_of("bash", "-c", DRIVER, COMPLETION, *words).split())


@functools.cache
def help_of(*words):
    """The commands below, and the options, each with whether it takes a value."""
    text = output_of(sys.argv[1], *words, "--help")
    section, commands, options = "", [], {}
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            section = line
        elif section == "Subcommands:" and (command := re.match(r"  ([a-z]+)", line)):
            commands.append(command[1])
        elif section == "Options:" and (option := re.match(r"  (-[^ ]*)( [A-Z])?", line)):
            options[option[1].rpartition(",")[2]] = bool(option[2])
    return commands, options


def leaves(*words):
    commands, _ = help_of(*words)
    if not commands:
        yield words
    for command in commands:
        yield from leaves(*words, command)


class Completion(unittest.TestCase):
    def test_commands(self):
        commands, options = help_of()
        self.assertIn("block", commands)
        self.assertEqual(completions(""), set(commands) | set(options))
        for group in commands:
            below, _ = help_of(group)
            if below:
                self.assertEqual(completions(group, ""), set(below), group)

    def test_options_of_each_command(self):
        self.assertIn(("account", "report"), set(leaves()))
        for command in leaves():
            with self.subTest(" ".join(command)):
                wanted = set(help_of(*command)[1]) - {"--help"}
                self.assertEqual(completions(*command, "-"), wanted)

    def test_what_follows_an_option_is_its_value(self):
        for command in leaves():
            for option, takes_value in {**help_of()[1], **help_of(*command)[1]}.items():
                if option in ("--help", "--version"):
                    continue
                with self.subTest(" ".join([*command, option])):
                    wanted = set(help_of(*command)[1]) - {"--help"}
                    if takes_value:
                        self.assertEqual(completions(*command, option, "-"), set())
                        self.assertEqual(completions(option, "value", *command, "-"), wanted)
                    else:
                        self.assertEqual(completions(option, *command, "-"), wanted)

    def test_accounts_are_offered_wherever_one_is_asked_for(self):
        driver = DRIVER.replace("return 69", """echo '{"account": "joe@example.com"}'""")
        for command in leaves("account"):
            wanted = "\n  ACCOUNT " in output_of(sys.argv[1], *command, "--help")
            offered = output_of("bash", "-c", driver, COMPLETION, *command, "joe")
            self.assertEqual("joe@example.com" in offered, wanted, command)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
