// SPF's processing limits (RFC 7208, 4.6.4 and 11.1), and looking ahead within them.
#include <algorithm>

#include "tests/support/spf_cases.h"
#include "tests/support/fake_resolver.h"

using namespace policyd;
using namespace policyd::test;

namespace {

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

struct Run {
  SpfOutcome outcome;
  std::vector<std::string> asked;
  int rounds = 0;
};

Run run(std::string_view zone, bool later, std::string_view client = "192.0.2.1") {
  FakeResolver resolver(zone);
  resolver.set_later(later);
  const SpfCase row{"", client, "joe@example.com", ""};
  Run run;
  const auto task = check_spf(resolver, spf_query(row));
  run.outcome = resolver.run(task, &run.rounds);
  run.asked = resolver.asked();
  return run;
}

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

TEST_CASE("spf: 4.6.4: ten terms with look-ups, the eleventh is an error") {
  const std::string zone = R"(
      x.test A 192.0.2.9
      x.test MX 10 x.test
      x.test TXT v=spf1 ?all
      five.test TXT v=spf1 a:x.test a:x.test a:x.test a:x.test a:x.test
      four.test TXT v=spf1 a:x.test a:x.test a:x.test a:x.test
      red.test TXT v=spf1 +all
      1.2.0.192.in-addr.arpa PTR x.test
      loop1.test TXT v=spf1 include:loop2.test
      loop2.test TXT v=spf1 include:loop1.test
      redloop1.test TXT v=spf1 redirect=redloop2.test
      redloop2.test TXT v=spf1 redirect=redloop1.test
    )";
  const auto record = [](std::string_view term, int times, std::string_view rest) {
    return "v=spf1 " + repeated(std::string(term) + " ", times) + std::string(rest);
  };
  check_spf_records(zone, {{record("a:x.test", 10, "-all"), "192.0.2.1", "fail"},
                           {record("a:x.test", 11, "-all"), "192.0.2.1", "permerror"},
                           {record("mx:x.test", 10, "-all"), "192.0.2.1", "fail"},
                           {record("mx:x.test", 11, "-all"), "192.0.2.1", "permerror"},
                           {record("exists:%{ir}.no.test", 2, "-all"), "192.0.2.1", "fail"},
                           {record("-exists:x.test", 1, "-all"), "192.0.2.1", "fail"},
                           {record("ptr:other.test", 10, "-all"), "192.0.2.1", "fail"},
                           {record("ptr:other.test", 11, "-all"), "192.0.2.1", "permerror"},
                           {record("include:x.test", 10, "-all"), "192.0.2.1", "fail"},
                           {record("include:x.test", 11, "-all"), "192.0.2.1", "permerror"},
                           {record("ip4:192.0.2.7", 100, "-all"), "192.0.2.1", "fail"},
                           {record("ip6:2001:db8::1", 100, "-all"), "192.0.2.1", "fail"},
                           {record("x=y", 100, "-all"), "192.0.2.1", "fail"},
                           {record("a:x.test", 9, "redirect=red.test"), "192.0.2.1", "pass"},
                           {record("a:x.test", 10, "redirect=red.test"), "192.0.2.1", "permerror"},
                           {record("a:x.test", 10, "+all redirect=red.test"), "192.0.2.1", "pass"},
                           {record("a:x.test", 10, "ip4:192.0.2.1 a:x.test"), "192.0.2.1", "pass"},
                           {"v=spf1 include:five.test include:four.test -all", "192.0.2.1", "permerror"},
                           {"v=spf1 include:four.test include:four.test -all", "192.0.2.1", "fail"},
                           {"v=spf1 include:five.test a:x.test a:x.test a:x.test a:x.test -all", "192.0.2.1", "fail"},
                           {"v=spf1 include:five.test redirect=four.test", "192.0.2.1", "permerror"},
                           {"v=spf1 include:example.com -all", "192.0.2.1", "permerror"},
                           {"v=spf1 include:loop1.test -all", "192.0.2.1", "permerror"},
                           {"v=spf1 redirect=example.com", "192.0.2.1", "permerror"},
                           {"v=spf1 redirect=redloop1.test", "192.0.2.1", "permerror"}});
}

TEST_CASE("spf: 4.6.4: the look-up of %{p} is one of the ten, once") {
  const std::string zone =
      "1.2.0.192.in-addr.arpa PTR x.test\nx.test A 192.0.2.1\nx.test.y.test A 127.0.0.2\nz.test A 192.0.2.9\n";
  check_spf_records(
      zone, {{"v=spf1 " + repeated("a:z.test ", 8) + "exists:%{p}.y.test -all", "192.0.2.1", "pass"},
             {"v=spf1 " + repeated("a:z.test ", 9) + "exists:%{p}.y.test -all", "192.0.2.1", "permerror"},
             {"v=spf1 ptr:w.test " + repeated("a:z.test ", 8) + "exists:%{p}.y.test -all", "192.0.2.1", "pass"}});
}

TEST_CASE("spf: 4.6.4: two terms may find nothing, the third is an error") {
  const std::string zone = R"(
      x.test A 192.0.2.9
      nodata.test TXT text
      mx.test MX 10 n1.test
      mx.test MX 20 n2.test
      mx.test MX 30 n3.test
      mx.test MX 40 x.test
      v4.test A 192.0.2.1
      inc1.test TXT v=spf1 a:n1.test
      inc2.test TXT v=spf1 a:n2.test a:n3.test
    )";
  check_spf_records(zone, {{"v=spf1 a:n1.test a:n2.test ?all", "192.0.2.1", "neutral"},
                           {"v=spf1 a:n1.test a:n2.test a:n3.test ?all", "192.0.2.1", "permerror"},
                           {"v=spf1 a:n1.test a:n1.test a:n1.test ?all", "192.0.2.1", "permerror"},
                           {"v=spf1 exists:n1.test exists:n2.test exists:n3.test ?all", "192.0.2.1", "permerror"},
                           {"v=spf1 mx:n1.test mx:n2.test mx:n3.test ?all", "192.0.2.1", "permerror"},
                           {"v=spf1 a:nodata.test mx:nodata.test exists:nodata.test ?all", "192.0.2.1", "permerror"},
                           {"v=spf1 a:n1.test mx:n2.test a:x.test ip4:192.0.2.1 exists:n3.test", "192.0.2.1", "pass"},
                           {"v=spf1 a:v4.test a:v4.test ?all", "2001:db8::1", "neutral"},
                           {"v=spf1 a:v4.test a:v4.test a:v4.test ?all", "2001:db8::1", "permerror"},
                           {"v=spf1 mx:mx.test ?all", "192.0.2.1", "neutral"},
                           {"v=spf1 mx:mx.test a:n1.test ?all", "192.0.2.1", "neutral"},
                           {"v=spf1 mx:mx.test a:n1.test a:n2.test ?all", "192.0.2.1", "permerror"},
                           {"v=spf1 ptr ?all", "192.0.2.1", "neutral"},
                           {"v=spf1 ptr a:n1.test a:n2.test ?all", "192.0.2.1", "permerror"},
                           {"v=spf1 include:inc1.test a:n4.test ?all", "192.0.2.1", "neutral"},
                           {"v=spf1 include:inc1.test include:inc2.test ?all", "192.0.2.1", "permerror"}});
}

TEST_CASE("spf: 11.1: no record makes more look-ups than the limits allow") {
  std::string zone = "example.com TXT v=spf1 " + repeated("mx:m.test ", 5000) + "-all\n";
  zone += "evil.test TXT v=spf1 include:evil.test redirect=evil.test\n";
  for (int i = 0; i < 10; ++i) zone += "m.test MX 10 h" + std::to_string(i) + ".test\n";
  const Run once = run(zone, true);
  CHECK(once.outcome.result == SpfResult::permerror);
  CHECK(once.asked.size() == 12);  // each question once, however often the term stands there

  std::string wide = "example.com TXT v=spf1";
  for (int t = 0; t < 40; ++t) {
    const std::string term = "t" + std::to_string(t);
    wide += " mx:" + term + ".test";
  }
  wide += "\n";
  for (int t = 0; t < 40; ++t) {
    for (int h = 0; h < 10; ++h) {
      const std::string name = "t" + std::to_string(t) + ".test", host = "h" + std::to_string(h) + "." + name;
      wide += name + " MX 10 " + host + "\n" + host + " A 198.51.100.1\n";
    }
  }
  for (const bool later : {false, true}) {
    const Run many = run(wide, later);
    CHECK(many.outcome.result == SpfResult::permerror);
    CHECK(many.asked.size() <= 1 + 10 + 100);
  }
}

TEST_CASE("spf: looking ahead: a record takes as long as its longest chain") {
  const std::string zone = R"(
      example.com TXT v=spf1 a:a.test mx:m.test include:i.test exists:e.test ptr:p.test redirect=r.test
      a.test A 198.51.100.1
      m.test MX 10 mail.test
      mail.test A 198.51.100.2
      i.test TXT v=spf1 a:ia.test mx:im.test
      ia.test A 198.51.100.3
      im.test MX 10 imail.test
      imail.test A 198.51.100.4
      e.test AAAA 2001:db8::1
      1.2.0.192.in-addr.arpa PTR name.test
      name.test A 192.0.2.1
      r.test TXT v=spf1 include:ri.test -all
      ri.test TXT v=spf1 ip4:192.0.2.1
    )";
  const Run later = run(zone, true), at_once = run(zone, false);
  CHECK(later.outcome.result == SpfResult::pass);
  // The record; i.test; im.test; imail.test.
  CHECK(later.rounds == 4);
  // What is asked for is the same, though not in this order.
  auto sorted_later = later.asked, sorted_at_once = at_once.asked;
  std::sort(sorted_later.begin(), sorted_later.end());
  std::sort(sorted_at_once.begin(), sorted_at_once.end());
  CHECK(sorted_later == sorted_at_once);
}

TEST_CASE("spf: looking ahead: only as far as the evaluation might come, and in the client's family") {
  const std::string zone = R"(
      example.com TXT v=spf1 a:a.test a:b.test ip4:192.0.2.0/24 a:c.test include:d.test -all redirect=f.test
      a.test A 198.51.100.1
    )";
  const Run run_v4 = run(zone, true);
  CHECK(run_v4.outcome.result == SpfResult::pass);
  CHECK(run_v4.asked == std::vector<std::string>{"TXT example.com", "A a.test", "A b.test"});
  const Run run_v6 = run(zone, true, "2001:db8::1");
  CHECK(contains(run_v6.asked, "AAAA c.test"));
  CHECK(contains(run_v6.asked, "TXT d.test"));
  CHECK_FALSE(contains(run_v6.asked, "TXT f.test"));
  CHECK_FALSE(contains(run_v6.asked, "A a.test"));
  // Where nothing has to be waited for, nothing is asked for ahead.
  const Run at_once = run("example.com TXT v=spf1 a:a.test a:b.test -all\na.test A 192.0.2.1", false);
  CHECK(at_once.asked == std::vector<std::string>{"TXT example.com", "A a.test"});
}

TEST_CASE("spf: a check can be dropped whenever it waits") {
  const std::string zone = R"(
      example.com TXT v=spf1 mx:m.test include:i.test ptr exists:%{p}.x.test -all exp=e.test
      m.test MX 10 mail.test
      i.test TXT v=spf1 include:example.com
    )";
  for (int rounds = 0; rounds < 6; ++rounds) {
    FakeResolver resolver(zone);
    resolver.set_later(true);
    {
      const SpfCase row{"", "192.0.2.1", "joe@example.com", ""};
      const auto task = check_spf(resolver, spf_query(row));
      task.start();
      for (int i = 0; i < rounds && !task.done(); ++i) resolver.deliver();
    }
    resolver.deliver();  // to nobody
  }
}

TEST_CASE("spf: without `explain` no explanation is looked up") {
  FakeResolver resolver("example.com TXT v=spf1 -all exp=e.test\ne.test TXT why");
  SpfQuery query = spf_query({"", "192.0.2.1", "joe@example.com", ""});
  query.explain = false;
  const auto task = check_spf(resolver, query);
  const SpfOutcome outcome = resolver.run(task);
  CHECK(outcome.result == SpfResult::fail);
  CHECK(outcome.explanation.empty());
  CHECK(resolver.asked() == std::vector<std::string>{"TXT example.com"});
}
