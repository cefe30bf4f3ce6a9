// The Received-SPF header (RFC 7208, 9.1).
#include "policyd/spf/received_spf.h"

#include <algorithm>

#include "tests/support/spf_cases.h"

using namespace policyd;
using namespace policyd::test;

namespace {

// Of a check against `zone`.
std::string header(std::string_view zone, const SpfCase& row) {
  SpfOutcome outcome;
  spf_said(zone, row, &outcome);
  return received_spf(spf_query(row), outcome);
}

}  // namespace

TEST_CASE("received_spf: each result") {
  const std::string zone = R"(
    pass.test TXT v=spf1 ip4:192.0.2.1 -all
    softfail.test TXT v=spf1 ~all
    neutral.test TXT v=spf1
    broken.test TXT v=spf1 ip4:1
    dead.test SERVFAIL
  )";
  struct Case {
    SpfCase asked;
    std::string comment, fields;
  };
  const Case cases[] = {
      {{"", "192.0.2.1", "joe@pass.test", ""},
       "pass (mx.receiver.test: domain of joe@pass.test designates 192.0.2.1 as permitted sender)",
       "client-ip=192.0.2.1; identity=mailfrom; envelope-from=\"joe@pass.test\"; helo=mail.example.com; "
       "receiver=mx.receiver.test; mechanism=\"ip4:192.0.2.1\";"},
      {{"", "2001:db8::1", "joe@pass.test", ""},
       "fail (mx.receiver.test: domain of joe@pass.test does not designate 2001:db8::1 as permitted sender)",
       "client-ip=\"2001:db8::1\"; identity=mailfrom; envelope-from=\"joe@pass.test\"; helo=mail.example.com; "
       "receiver=mx.receiver.test; mechanism=-all;"},
      {{"", "192.0.2.1", "joe@softfail.test", ""},
       "softfail (mx.receiver.test: domain of transitioning joe@softfail.test does not designate 192.0.2.1 as "
       "permitted sender)",
       "client-ip=192.0.2.1; identity=mailfrom; envelope-from=\"joe@softfail.test\"; helo=mail.example.com; "
       "receiver=mx.receiver.test; mechanism=~all;"},
      {{"", "192.0.2.1", "", "", "neutral.test"},
       "neutral (mx.receiver.test: 192.0.2.1 is neither permitted nor denied by domain of postmaster@neutral.test)",
       "client-ip=192.0.2.1; identity=helo; envelope-from=\"<>\"; helo=neutral.test; receiver=mx.receiver.test; "
       "mechanism=default;"},
      {{"", "192.0.2.1", "joe@none.test", ""},
       "none (mx.receiver.test: domain of joe@none.test does not designate permitted sender hosts)",
       "client-ip=192.0.2.1; identity=mailfrom; envelope-from=\"joe@none.test\"; helo=mail.example.com; "
       "receiver=mx.receiver.test; mechanism=default; problem=\"none.test has no SPF record\";"},
      {{"", "192.0.2.1", "joe@dead.test", ""},
       "temperror (mx.receiver.test: temporary error in processing during lookup of joe@dead.test)",
       "client-ip=192.0.2.1; identity=mailfrom; envelope-from=\"joe@dead.test\"; helo=mail.example.com; "
       "receiver=mx.receiver.test; mechanism=default; problem=\"the TXT records of dead.test cannot be looked up\";"},
      {{"", "192.0.2.1", "joe@broken.test", ""},
       "permerror (mx.receiver.test: permanent error in processing during lookup of joe@broken.test)",
       "client-ip=192.0.2.1; identity=mailfrom; envelope-from=\"joe@broken.test\"; helo=mail.example.com; "
       "receiver=mx.receiver.test; mechanism=default; "
       "problem=\"the SPF record of broken.test: \\\"ip4:1\\\": not an IPv4 network\";"},
  };
  for (const Case& each : cases) CHECK(header(zone, each.asked) == each.comment + " " + each.fields);
}

TEST_CASE("received_spf: what a client says cannot break out of the header") {
  const std::string zone = "pass.test TXT v=spf1 +all";
  const std::string said =
      header(zone, {"", "192.0.2.1", "a\"b\\c(d)\r\nSubject: x@pass.test", "", "he llo;\r\n\x01\xff"});
  CHECK(said.find(R"(domain of a"b\\c\(d\)??Subject: x@pass.test designates)") != std::string::npos);
  CHECK(said.find(R"(envelope-from="a\"b\\c(d)??Subject: x@pass.test";)") != std::string::npos);
  CHECK(said.find(R"(helo="he llo;????";)") != std::string::npos);
  const std::string client = "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff";
  for (const std::string& value :
       {std::string(5000, 'x'), std::string(5000, '"'), std::string(5000, '('), std::string(300, '\0')}) {
    const std::string long_one = header(zone, {"", client, value + "@pass.test", "", value});
    CHECK(long_one.size() <= kLongestReceivedSpf);
    CHECK(std::all_of(long_one.begin(), long_one.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
    CHECK(long_one.find(" client-ip=\"" + client + "\"; identity=mailfrom; envelope-from=\"") != std::string::npos);
  }
}

TEST_CASE("received_spf: no receiver is unknown") {
  SpfQuery query = spf_query({"", "192.0.2.1", "joe@none.test", ""});
  query.receiver.clear();
  CHECK(received_spf(query, SpfOutcome{}).starts_with("none (unknown: domain of joe@none.test"));
}

TEST_CASE("received_spf: no longer than it may be") {
  const std::string zone = "pass.test TXT v=spf1 +all";
  const std::string senders[] = {"joe", std::string(50, 'x'), std::string(5000, '('), std::string(5000, '"')};
  for (const std::string& sender : senders) {
    const std::string mailbox = sender + "@pass.test";
    const SpfCase row{"", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", mailbox, "", sender};
    SpfOutcome outcome;
    spf_said(zone, row, &outcome);
    for (size_t longest = kLongestReceivedSpf; longest >= 100; --longest) {
      const std::string header = received_spf(spf_query(row), outcome, longest);
      CHECK(header.size() <= longest);
      CHECK(header.starts_with("pass"));
      CHECK(header.ends_with(";"));
      CHECK(header.find(" client-ip=\"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\";") != std::string::npos);
    }
  }
  SpfQuery query = spf_query({"", "192.0.2.1", "joe@none.test", ""});
  query.receiver = "mx";
  CHECK(received_spf(query, SpfOutcome{}, 115) ==
        "none client-ip=192.0.2.1; identity=mailfrom; envelope-from=\"joe@none.test\"; helo=mail.example.com; "
        "receiver=mx;");
}
