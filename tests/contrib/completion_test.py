#!/usr/bin/env python3
"""contrib/completions/policyctl.bash knows every command and option that `policyctl --help` tells, and no other; names
that strangers chose are completed in a bash that somebody types to, and never obeyed.

completion_test.py POLICYCTL
"""

import functools
import json
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile
import unittest

COMPLETION = pathlib.Path(__file__).resolve().parents[2] / "contrib/completions/policyctl.bash"
# Completes the last of its arguments, of which none holds a quote or a word break; policyd does not answer.
DRIVER = """\
source "$0"
policyctl() { return 69; }
compopt() { return 0; }
COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:'
COMP_WORDS=(policyctl "$@") COMP_CWORD=$# COMP_LINE="policyctl $*"
COMP_POINT=${#COMP_LINE}
_policyctl
printf '%s\\n' "${COMPREPLY[@]}"
"""
# Of an interactive bash: policyctl tells these names, and keeps what else it is called with.
RC = """\
PS1='ready> '
source "$COMPLETION"
policyctl() { if [[ $1 == --json ]]; then cat "$DIRECTORY/names"; else printf '%s\\0' "$@" >"$DIRECTORY/called"; fi; }
"""
PATIENCE = 60  # seconds
# Whoever expands one of these makes the file that it names.
HOSTILE = ["`>{}`@customer.example", "$(>{})@customer.example", "x;>{}", "x>{}", "x&>{}|x", "${{x:=$(>{})}}"]


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


class Typed(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        (self.directory / "rc").write_text(RC)

    def bash(self):
        """Its end of a terminal."""
        environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "INPUTRC": "/dev/null", "LC_ALL": "C.UTF-8",
                       "HISTFILE": "", "COMPLETION": str(COMPLETION), "DIRECTORY": str(self.directory)}
        try:
            child, terminal = pty.fork()
        except OSError as error:
            self.skipTest(f"no pseudo-terminal can be had ({error}); is /dev/pts mounted?")
        if child == 0:
            os.chdir(self.directory)
            os.execvpe("bash", ["bash", "--noprofile", "--rcfile", str(self.directory / "rc"), "-i"], environment)
        self.addCleanup(os.waitpid, child, 0)
        self.addCleanup(os.close, terminal)
        return terminal

    def read_until(self, terminal, what, shown=""):
        """What the terminal shows up to `what`, or to its end."""
        while what not in shown:
            if not select.select([terminal], [], [], PATIENCE)[0]:
                self.fail(f"waited {PATIENCE} s for {what!r} after {shown!r}")
            try:
                shown += os.read(terminal, 4096).decode(errors="replace")
            except OSError:  # Linux: the other end was closed
                break
        return shown

    def called(self, keys, names, key="account"):
        """The arguments that policyctl is called with where somebody types `keys` to bash and then Enter."""
        told = {"list": [{key: name, "note": "x"} for name in names]}
        (self.directory / "names").write_text(json.dumps(told, indent=2, ensure_ascii=False))
        (self.directory / "called").unlink(missing_ok=True)
        terminal = self.bash()
        self.read_until(terminal, "ready> ")
        os.write(terminal, f"policyctl {keys}\nexit\n".encode())
        shown = self.read_until(terminal, "the end of bash")
        called = self.directory / "called"
        self.assertTrue(called.exists(), shown)
        return called.read_text().split("\0")[:-1]

    def test_names_are_completed_beyond_a_word_break(self):
        names = ["joe@example.com", "joe@stranger.example", "2001:db8::/64", "prvs=12=ann@example.org", "caf\u00e9@x"]
        for keys, wanted in [("account set joe@ex\tmess\t60/1m", "account set joe@example.com messages 60/1m"),
                             ("account show joe@\te\t", "account show joe@example.com"),
                             ("account show j\ts\t", "account show joe@stranger.example"),
                             ("account show 2001:\t", "account show 2001:db8::/64"),
                             ("account show 2001:db\t", "account show 2001:db8::/64"),
                             ("account show prvs=\t", "account show prvs=12=ann@example.org"),
                             ("account show prvs=12=ann@exam\t", "account show prvs=12=ann@example.org"),
                             ("account show caf\u00e9@\t", "account show caf\u00e9@x"),
                             ("account set 2001:db8::/64 mess\t1/1m", "account set 2001:db8::/64 messages 1/1m"),
                             ("log --account joe@ex\t--fol\t", "log --account joe@example.com --follow")]:
            with self.subTest(keys):
                self.assertEqual(self.called(keys, names), wanted.split())

    def test_names_are_one_word_and_never_obeyed(self):
        obeyed = self.directory / "obeyed"
        for hostile in HOSTILE:
            name = hostile.format(obeyed)
            for keys, key, words in [("account show \t", "account", ["account", "show"]),
                                     (f"block show \\{name[0]}\t", "target", ["block", "show"]),
                                     ("log --account \t", "account", ["log", "--account"])]:
                with self.subTest(name=name, keys=keys):
                    self.assertEqual(self.called(keys, [name], key), [*words, name])
                    self.assertFalse(obeyed.exists())

    def test_quotes(self):
        names = ["joe smith@example.com", "* !x", "o'hara@example.com"]
        for keys, name in [("j\t", names[0]), ("joe\\ s\t", names[0]), ("joe\\ smith@ex\t", names[0]),
                           ("'joe s\t", names[0]), ('"joe smith@\t', names[0]), ('"joe sm"ith@\t', names[0]),
                           ("\\*\t", names[1]), ("'* \t'", "* "), ("o\t", names[2]), ("o\\'\t", names[2]),
                           ('"o\t"', "o")]:
            with self.subTest(keys):
                self.assertEqual(self.called(f"account show {keys}", names), ["account", "show", name])

    def test_names_that_are_not_offered(self):
        for name in ["-ann", "a\\b", 'a"b', "a\tb", "a\x7fb"]:
            with self.subTest(name):
                self.assertEqual(self.called("account show \t", [name]), ["account", "show"])

    def test_quoted_names_are_offered_alone(self):
        names = ["joe smith@a", "joe;rm@a", "jane@a"]
        for keys, words in [("joe\t@b", ["joe@b"]), ("j\ta\t", ["jane@a"]), ("j\t", ["j"]), ("joe\\ \t", [names[0]])]:
            with self.subTest(keys):
                self.assertEqual(self.called(f"account show {keys}", names), ["account", "show", *words])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
