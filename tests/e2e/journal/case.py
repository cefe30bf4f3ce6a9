"""Refusals explain themselves: the id of a reply, `why` on the other node, log, follow, held, redaction, bounds."""

import json
import subprocess
import threading

from support.case import E2eTest
from support.policy_client import id_of, make_request, outgoing
from support.policyd import Policyd
from support.postfix import Postfix
from support.redis import Redis
from support.wait import wait_until

SCORES = """
[score.incoming]
defer = 0
hold = 10
reject = 20
[checks.reverse_dns]
incoming = { missing = 10, unconfirmed = 0, generic = 0 }
[checks.ehlo]
incoming = { unqualified = 10 }
[checks.spf]
incoming = 0
[accounts.default]
messages = ["1/1h"]
"""
NAME = "mail.stranger.example"
MISSING = {"ADDR": "192.0.2.1", "NAME": "[UNAVAILABLE]", "REVERSE_NAME": "[UNAVAILABLE]", "HELO": NAME}
KEEP = "defer_transports = discard\n"  # what is accepted stays in the queue, to be looked at
KEY = "0123456789abcdef"


class Follower:
    """`policyctl log --follow --json`, its lines as they come."""

    def __init__(self, test, node, *options):
        command = [test.build / "policyctl", "-c", node.config_path, "--json", "log", "--follow", *options]
        self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.entries, self.messages = [], []
        test.addCleanup(self.stop)
        self.threads = [threading.Thread(target=read, daemon=True)
                        for read in (self._read_entries, self._read_messages)]
        for thread in self.threads:
            thread.start()

    def _read_entries(self):
        for line in self.process.stdout:
            self.entries.append(json.loads(line))

    def _read_messages(self):
        for line in self.process.stderr:
            if '"error":' in line:
                self.messages.append(json.loads("{" + line + "}")["error"])

    def wait(self, count):
        return wait_until(lambda: len(self.entries) >= count and self.entries, f"{count} entries", 20)

    def stop(self):
        self.process.kill()
        self.process.wait()
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()


class JournalCase(E2eTest):
    def nodes(self, tables=SCORES):
        self.redis = Redis(self)
        return [Policyd(self, name, store=url, tables=tables)
                for name, url in (("mx1", self.redis.url), ("mx2", self.redis.tcp_url))]

    def until_written(self, node, count):
        wait_until(lambda: node.ctl_json("status")["journal"]["written"] >= count, f"{count} rows written", 20)

    def log(self, node, *options):
        return [json.loads(line) for line in node.ctl("--json", "log", *options).splitlines()]

    def test_the_id_of_an_smtp_reply_explains_it_on_the_other_node(self):
        mx1, mx2 = self.nodes()
        postfix = Postfix(self, mx1.endpoint)
        client = postfix.client(**{**MISSING, "HELO": "localhost"})
        client.must(250, "MAIL FROM:<ann@stranger.example>")
        reply = client.rcpt("bob@test.example")
        self.show("\n".join(client.dialogue[-4:]))
        self.assertEqual(reply.code, 554)
        self.until_written(mx1, 1)
        for spelling in (id_of(reply.text), id_of(reply.text).lower().replace("-", "").replace("0", "o")):
            self.show(mx2.ctl("why", spelling))
            entry = mx2.ctl_json("why", spelling)
            self.assertEqual((entry["node"], entry["action"], entry["cause"]), ("mx1", "REJECT", "score"))
            self.assertEqual([(finding["check"], finding["score"]) for finding in entry["findings"]],
                             [("reverse_dns", 10), ("ehlo", 10)])
            self.assertEqual(entry["request"]["client_address"], "192.0.2.1")
        for wrong, code in (("0000-0000-0000", 1), ("x", 1), ("", 2)):
            mx2.ctl("why", wrong, code=code)

    def test_log_filters_and_pages(self):
        mx1, mx2 = self.nodes()
        client = mx1.client()
        unknown = {"client_name": "unknown", "reverse_client_name": "unknown"}
        texts = {"reject": client.ask(make_request(helo_name="nodot", **unknown)),
                 "hold": client.ask(make_request(sender="", **unknown)),
                 "first": client.ask(outgoing("joe@example.com")),
                 "defer": client.ask(outgoing("joe@example.com", client_address="198.51.100.7"))}
        self.assertEqual(texts.pop("first"), "DUNNO")
        ids = {name: id_of(text) for name, text in texts.items()}
        self.until_written(mx1, 3)
        self.show(mx2.ctl("log"))
        table = [((), ["reject", "hold", "defer"]), (("--action", "reject,hold"), ["reject", "hold"]),
                 (("--account", "Joe@example.com"), ["defer"]), (("--client", "192.0.2.0/24"), ["reject", "hold"]),
                 (("--client", "198.51.100.7"), ["defer"]), (("--sender", "<>"), ["hold"]),
                 (("--recipient", "test.example"), ["reject", "hold", "defer"]), (("--check", "ehlo"), ["reject"]),
                 (("--check", "reverse_dns.missing", "--since", "1h"), ["reject", "hold"]),
                 (("--limit", 1), ["defer"]), (("--until", "1h"), [])]
        for options, names in table:
            with self.subTest(options=options):
                self.assertEqual([entry["id"] for entry in self.log(mx2, *options)], [ids[name] for name in names])
        for wrong in (("--since", "x"), ("--action", "dunno"), ("--check", "nothing"), ("--client", "nowhere")):
            mx2.ctl("log", *wrong, code=1)
        for wrong in (("--limit", 0), ("--since", ""), ("--account", "")):
            mx2.ctl("log", *wrong, code=2)
        # More than policyctl asks for at a time.
        for number in range(1200):
            client.ask(outgoing("joe@example.com", recipient=f"r{number}@test.example"))
        self.until_written(mx1, 1203)
        entries = self.log(mx2, "--since", "1h")
        self.assertEqual(len({entry["id"] for entry in entries}), 1203)
        self.assertEqual(len(entries), 1203)
        self.assertEqual(entries, self.log(mx2, "--limit", 5000))
        self.assertEqual(entries[-100:], self.log(mx2))

    def test_follow_goes_on_over_a_restart(self):
        for store in ("redis", f"memory:{self.directory}/state.db", "memory:"):
            with self.subTest(store=store):
                url = Redis(self, "redis-follow").url if store == "redis" else store
                node = Policyd(self, "node" + str(len(store)), store=url, tables=SCORES)
                node.ask(outgoing("joe@example.com"))
                texts = [node.ask(outgoing("joe@example.com"))]
                follower = Follower(self, node, "--account", "joe@example.com")
                follower.wait(1)
                texts.append(node.ask(outgoing("joe@example.com")))
                follower.wait(2)
                node.stop()
                wait_until(lambda: follower.messages, "a message that policyd is away")
                node.start()
                node.ask(outgoing("eve@example.com"))
                node.ask(outgoing("eve@example.com"))
                passed = node.ask(outgoing("joe@example.com"))
                texts += [passed] if passed != "DUNNO" else [node.ask(outgoing("joe@example.com"))]
                entries = follower.wait(3)
                self.assertEqual([entry["id"] for entry in entries], [id_of(text) for text in texts])
                self.show("\n".join(follower.messages))
                self.assertRegex(follower.messages[0], "^policyd cannot be reached .*; waiting for it$")
                wait_until(lambda: len(follower.messages) > 1, "a message that policyd answers")
                self.assertEqual(follower.messages[1], "policyd answers again")
                follower.stop()
                node.stop()

    def test_held_is_listed_with_its_queue_id_and_released(self):
        mx1, mx2 = self.nodes()
        postfix = Postfix(self, mx1.endpoint, ask_in=("recipient", "end_of_data"), settings=KEEP)
        client = postfix.client(**MISSING)
        client.must(250, "MAIL FROM:<ann@stranger.example>")
        for name in ("bob", "rcpt1"):
            client.must(250, f"RCPT TO:<{name}@test.example>")
        reply = client.data()
        self.assertEqual(postfix.message(reply)[0], "hold")
        queue_id = reply.text.rpartition(" ")[2]
        held = wait_until(lambda: [message for message in mx2.ctl_json("held")["held"] if message["queue_id"]], "it")
        self.show(mx2.ctl("held", "--since", "1h"))
        self.assertEqual(len(held), 1)
        self.assertEqual((held[0]["queue_id"], held[0]["node"], held[0]["recipients"], held[0]["reasons"]),
                         (queue_id, "mx1", ["bob@test.example", "rcpt1@test.example"],
                          ["score 10: reverse_dns.missing"]))
        self.assertEqual(mx2.ctl_json("why", held[0]["ids"][0])["request"]["queue_id"], queue_id)
        logged = [line for line in postfix.mail_log().splitlines() if held[0]["ids"][0] in line]
        self.show("\n".join(logged))
        self.assertTrue(logged, "the id stands in Postfix' log")
        subprocess.run(["postsuper", "-c", postfix.root / "conf", "-H", queue_id], check=True, capture_output=True,
                       timeout=20)
        wait_until(lambda: postfix.message(reply)[0] != "hold", "postsuper -H to release it")

    def test_redacted_entries_tell_nobody_and_are_found(self):
        redact = f'[journal]\nredact = true\nredact_key = "{KEY}"\n'
        mx1, mx2 = self.nodes(SCORES + redact)
        mx1.ask(outgoing("joe@example.com"))
        text = mx1.ask(outgoing("joe@example.com", client_address="198.51.100.7"))
        self.until_written(mx1, 1)
        stored = self.redis.cli("XRANGE", "policyd:journal", "-", "+")
        self.show(stored)
        for secret in ("joe@", "bob@", "198.51.100.7"):
            self.assertNotIn(secret, stored)
        self.assertIn("@example.com", stored)
        for options in (("--account", "joe@example.com"), ("--client", "198.51.100.7"),
                        ("--sender", "JOE@example.com")):
            self.assertEqual([entry["id"] for entry in self.log(mx2, *options)], [id_of(text)])
        self.assertNotIn(KEY, mx2.ctl("config", "show"))

    def test_redacted_entries_of_locks_and_blocks_tell_nobody(self):
        mx1, _ = self.nodes(SCORES + f'[journal]\nredact = true\nredact_key = "{KEY}"\n')
        mx1.ctl("account", "lock", "jolanda@example.com", "--reason", "phished, mail to carol@nobody.example")
        mx1.ask(outgoing("jolanda@example.com"))
        mx1.ctl("block", "add", "jim@example.com", "--description", "Jim of 203.0.113.9 sends spam")
        mx1.ask(outgoing("prvs=1003abcdef=jim@example.com"))
        self.until_written(mx1, 2)
        stored = self.redis.cli("XRANGE", "policyd:journal", "-", "+")
        self.show(stored)
        for cause in ('"cause":"lock"', '"cause":"block"', "h:", "@nobody.example"):
            self.assertIn(cause, stored.replace("\\", ""))
        for secret in ("jolanda", "carol", "jim", "bob@", "203.0.113.9"):
            self.assertNotIn(secret, stored.lower())

    def test_bound_age_and_expiry(self):
        mx1, _ = self.nodes(SCORES + '[journal]\nmax = 300\nkeep = "1h"\n')
        client = mx1.client()
        for number in range(1500):
            client.ask(outgoing("joe@example.com", recipient=f"r{number}@test.example"))
        self.until_written(mx1, 1499)
        length = int(self.redis.cli("XLEN", "policyd:journal"))
        self.show(f"1,499 entries, max = 300: {length} are kept")
        self.assertTrue(300 <= length <= 500, length)
        self.assertLessEqual(int(self.redis.cli("TTL", "policyd:journal")), 3600)
        # As if these had been written two hours ago: what comes next drops them.
        seconds, _ = map(int, self.redis.cli("TIME").split())
        self.redis.cli("DEL", "policyd:journal")
        self.redis.cli("XADD", "policyd:journal", f"{(seconds - 7200) * 1000}-0", "id", "0000-0000-0001", "entry", "{}")
        client.ask(outgoing("joe@example.com"))
        self.until_written(mx1, 1500)
        self.assertEqual(int(self.redis.cli("XLEN", "policyd:journal")), 1)

    def test_without_redis_entries_wait(self):
        mx1, mx2 = self.nodes()
        self.redis.stop_answering()
        mx1.wait_log("away:")
        mx1.ask(outgoing("joe@example.com"))
        text = wait_until(lambda: (said := mx1.ask(outgoing("joe@example.com"))) != "DUNNO" and said, "a refusal")
        status = wait_until(lambda: (now := mx1.ctl_json("status")["journal"])["trouble"] and now, "the trouble")
        self.show(mx1.ctl("status"))
        self.assertGreaterEqual(status["waiting"], 1)
        self.assertTrue(status["trouble"].startswith("the store "), status)
        self.redis.go_on()
        wait_until(lambda: mx1.ctl_json("status")["journal"]["waiting"] == 0, "the journal to be written", 20)
        self.assertEqual(mx1.log_lines("journal:"), [])
        wait_until(lambda: mx2.ctl_json("status")["store"]["available"], "Redis", 20)
        self.assertTrue(mx2.ctl_json("why", id_of(text))["store_away"])

    def test_without_a_journal_replies_are_as_configured(self):
        node = Policyd(self, tables=SCORES + "[journal]\nenabled = false\n")
        node.ask(outgoing("joe@example.com"))
        self.assertRegex(node.ask(outgoing("joe@example.com")),
                         r"^DEFER 4\.7\.1 Sending limit reached, try again in \d+ seconds$")
        self.assertEqual(node.ctl("log"), "")
        self.assertIn("journal      off", node.ctl("status"))
