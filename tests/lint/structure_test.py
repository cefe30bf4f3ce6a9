#!/usr/bin/env python3
"""The rules of structure.py find what they are there to find, and nothing else: one case a row."""

import unittest

from structure import WIDEST, too_wide, wrong_includes, wrong_opening

# file, its #include line, a part of the rule that it breaks (None: none)
INCLUDES = [
    ("shared/text.cpp", '#include "shared/text.h"', None),
    ("shared/text.cpp", '#include "policyd/engine.h"', "shared/ includes nothing of policyd/"),
    ("shared/config_loader.cpp", "#include <toml++/toml.h>", None),
    ("shared/limits.cpp", "#include <toml++/toml.h>", "toml++ only in the config loader"),
    ("policyd/ctl/block.cpp", '#include "policyd/ctl/client.h"', None),
    ("policyd/ctl/block.cpp", '#include "policyd/store/store.h"', "shared/ and the admin API only"),
    ("policyd/ctl/client.cpp", "#include <curl/curl.h>", None),
    ("policyd/engine.cpp", "#include <curl/curl.h>", "curl only in ctl/"),
    ("policyd/engine.cpp", '#include "policyd/ctl/client.h"', "nothing of policyctl"),
    ("policyd/engine.cpp", '#include "policyd/app.h"', "only main.cpp sees the app"),
    ("policyd/app.cpp", '#include "policyd/app.h"', None),
    ("policyd/main.cpp", '#include "policyd/app.h"', None),
    ("policyd/main.cpp", "#include <CLI/CLI.hpp>", None),
    ("policyd/session.cpp", "#include <CLI/CLI.hpp>", "CLI11 only in"),
    ("policyd/ctl/arguments.cpp", "#include <CLI/CLI.hpp>", None),
    ("policyd/ctl/command.h", "#include <CLI/CLI.hpp>", "CLI11 only in"),
    ("shared/log_line.cpp", "#include <spdlog/spdlog.h>", None),
    ("shared/log_line.h", "#include <spdlog/spdlog.h>", "spdlog only in"),
    ("policyd/session.cpp", "#include <spdlog/spdlog.h>", "spdlog only in"),
    ("policyd/async/stream.h", "#include <uv.h>", None),
    ("policyd/session.cpp", "  #  include <uv.h>", "uv.h only in"),
    ("policyd/store/redis_connection.cpp", "#include <hiredis/async.h>", None),
    ("policyd/store/memory.cpp", "#include <hiredis/async.h>", "hiredis only in store/redis*"),
    ("policyd/store/memory.cpp", "#include <sqlite3.h>", "sqlite3.h only in"),
    ("policyd/engine.cpp", "#include <microhttpd.h>", "microhttpd only in admin/"),
    ("policyd/engine.cpp", "#include <ares.h>", "ares.h only in dns/cares"),
    ("policyd/checks/ehlo.cpp", '#include "policyd/checks/check.h"', None),
    ("policyd/checks/ehlo.cpp", '#include "policyd/checks/ehlo.h"', None),
    ("policyd/checks/ehlo.cpp", '#include "policyd/dns/mail_domain.h"', None),
    ("policyd/checks/ehlo.cpp", '#include "policyd/dns/cache.h"', "checks/ and spf/ see"),
    ("policyd/checks/ehlo.cpp", "#include <string_view>", None),
    ("policyd/checks/ehlo.cpp", "#include <fmt/format.h>", None),
    ("policyd/checks/ehlo.cpp", '#include "policyd/checks/sender.h"', "never another check"),
    ("policyd/checks/ehlo.cpp", '#include "policyd/engine.h"', "checks/ and spf/ see"),
    ("policyd/checks/ehlo.cpp", "#include <nlohmann/json.hpp>", "use no library"),
    ("shared/hmac_sha1.cpp", "#include <nettle/hmac.h>", None),
    ("shared/batv.cpp", "#include <nettle/hmac.h>", "nettle only in"),
    ("policyd/checks/table.cpp", '#include "policyd/checks/ehlo.h"', None),
    ("shared/protocol.cpp", "#include <fstream>", "are pure"),
    ("policyd/score.cpp", "#include <chrono>", "are pure"),
    ("policyd/reply.cpp", "#include <algorithm>", None),
]

# file, its text, is its opening right
OPENINGS = [
    ("shared/text.h", "// Text of strangers.\n#pragma once\n", True),
    ("shared/text.h", "#pragma once\n// Text of strangers.\n", False),
    ("shared/text.h", "", False),
    ("shared/text.cpp", '#include "shared/text.h"\n', True),
    ("shared/text.cpp", '#include "shared/result.h"\n', False),
    ("tests/lint/structure.py", '#!/usr/bin/env python3\n"""Holds the sources."""\n', True),
    ("tests/e2e/run.sh", "#!/bin/sh\n# Runs it.\n", True),
    ("tests/e2e/run.sh", "#!/bin/sh\nset -e\n", False),
    ("tests/support/__init__.py", "", True),
]


class StructureTest(unittest.TestCase):
    def test_includes(self):
        for name, line, rule in INCLUDES:
            with self.subTest(name=name, line=line):
                found = list(wrong_includes(name, "// What it is for.\n" + line + "\n"))
                if rule is None:
                    self.assertEqual(found, [])
                else:
                    self.assertEqual(len(found), 1, found)
                    self.assertIn(f"{name}:2: includes ", found[0])
                    self.assertIn(rule, found[0])

    def test_openings(self):
        for name, text, right in OPENINGS:
            with self.subTest(name=name, text=text):
                self.assertEqual(list(wrong_opening(name, text)) == [], right)

    def test_widths(self):
        full, umlauts = "x" * WIDEST, "ö" * WIDEST
        self.assertEqual(list(too_wide("a.h", f"{full}\n{umlauts}\n")), [])
        self.assertEqual(list(too_wide("a.h", f"{full}\n{full}x\n")),
                         ["a.h:2: is 121 columns wide; the rule: no line is wider than 120"])


if __name__ == "__main__":
    unittest.main()
