"""policyctl spf, through policyd and a real DNS server: the project's own cases, in the format of the official suite.

And as an operator would use it: the table, JSON, and what cannot be evaluated.
"""

from support import spf_suite
from support.case import E2eTest
from support.dns_server import DnsServer
from support.policyd import Policyd

FAST = 'timeout = "300ms"'
ZONES = {"example.com": {"TXT": ["v=spf1 ip4:192.0.2.1 -all exp=explain.example.com"]},
         "explain.example.com": {"TXT": ["%{c} may not send for %{d}; ask postmaster@%{d}"]}}


class Spf(E2eTest):
    def policyctl(self, dns):
        policyd = Policyd(self, name=f"policyd{dns.port}", tables=f'[dns]\nservers = ["{dns.address}"]\n{FAST}\n')
        return [self.build / "policyctl", "--socket", policyd.admin_socket]

    def test_cases(self):
        for description, cases, zones in spf_suite.load_suite(self.data / "spf" / "cases.json"):
            with self.subTest(description), DnsServer(zones) as dns:
                wrong = spf_suite.run_document(self.policyctl(dns), cases)
                self.show(f"{description}: {len(cases) - len(wrong)} of {len(cases)} agree")
                self.assertEqual([f"{case.name}: {why}" for case, why in wrong], [])

    def test_an_operator(self):
        with DnsServer(ZONES) as dns:
            policyctl = self.policyctl(dns)

            def run(*arguments):
                done = spf_suite.subprocess.run([*policyctl, *arguments], capture_output=True, text=True, check=False,
                                                timeout=60)
                self.show("$ policyctl " + " ".join(arguments) + "\n" + done.stdout + done.stderr)
                return done

            table = run("spf", "--client", "192.0.2.9", "--sender", "joe@example.com", "--helo", "mx.example.com")
            self.assertEqual(table.returncode, 0)
            for line in ("result          fail: the client is not permitted to send mail for the domain",
                         "matched by      -all",
                         "domain explains 192.0.2.9 may not send for example.com; ask postmaster@example.com"):
                self.assertIn(line.split(), [each.split() for each in table.stdout.splitlines()])
            self.assertIn('"result": "pass"', run("--json", "spf", "--client", "192.0.2.1", "--sender", "",
                                                  "--helo", "example.com").stdout.replace('":"', '": "'))
            wrong = run("spf", "--client", "mx.example.com")
            self.assertEqual(wrong.returncode, 1)
            self.assertIn('"mx.example.com" is not an IP address', wrong.stderr)
            self.assertEqual(run("spf", "--sender", "joe@example.com").returncode, 2)
