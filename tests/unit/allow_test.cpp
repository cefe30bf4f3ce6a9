// [[allow]]: for whom which checks are skipped.
#include "policyd/allow.h"

#include <doctest/doctest.h>

using namespace policyd;

namespace {

const std::vector<std::string_view> kChecks = {"one", "two", "three"};

AllowEntry entry_of(std::vector<std::string> clients, std::vector<std::string> domains,
                    std::vector<std::string> recipients, std::vector<std::string> skip) {
  AllowEntry entry{{}, std::move(domains), std::move(recipients), std::move(skip)};
  for (const auto& text : clients) entry.clients.push_back(*AllowedClient::parse(text));
  return entry;
}

// "one three / two": skipped now, and besides after an SPF pass.
std::string skipped(const std::vector<AllowEntry>& entries, const BlockSubject& subject) {
  const AllowList::Skips skips = AllowList(entries, kChecks).of(subject);
  const auto names = [](const CheckSet& set) {
    std::string all;
    for (size_t i = 0; i < kChecks.size(); ++i) {
      if (set.test(i)) all.append(all.empty() ? "" : " ").append(kChecks[i]);
    }
    return all;
  };
  return names(skips.now) + " / " + names(skips.after_spf_pass);
}

}  // namespace

TEST_CASE("allow: clients by address and by confirmed name") {
  const std::vector<AllowEntry> entries = {entry_of({"192.0.2.0/24", "2001:db8::/32"}, {}, {}, {"one"}),
                                           entry_of({".example.com"}, {}, {}, {"two", "three"})};
  struct Case {
    std::string_view address, name, want;
  };
  const Case cases[] = {
      {"192.0.2.7", "", "one / "},
      {"192.0.3.7", "", " / "},
      {"2001:db8::1", "", "one / "},
      {"192.0.2.7", "mx.example.com", "one two three / "},
      {"198.51.100.1", "example.com", "two three / "},
      {"198.51.100.1", "badexample.com", " / "},
      {"198.51.100.1", "example.com.evil.example", " / "},
      {"", "", " / "},
  };
  for (const Case& row : cases) {
    CAPTURE(row.address);
    CAPTURE(row.name);
    BlockSubject subject;
    subject.client = IpAddress::parse(row.address);
    subject.client_name = row.name;
    CHECK(skipped(entries, subject) == row.want);
  }
}

TEST_CASE("allow: recipients, whole or their local part in every domain") {
  const std::vector<AllowEntry> entries = {entry_of({}, {}, {"postmaster", "abuse@example.com"}, {"all"})};
  const auto of = [&entries](std::string_view recipient) {
    BlockSubject subject;
    subject.recipient = recipient;
    return skipped(entries, subject) == "one two three / ";
  };
  CHECK(of("postmaster@example.com"));
  CHECK(of("postmaster@other.example"));
  CHECK(of("postmaster"));
  CHECK(of("abuse@example.com"));
  CHECK(of("prvs=1003abcdef=abuse@example.com"));
  CHECK(of("prvs=1003abcdef=postmaster@example.com"));
  CHECK_FALSE(of("prvs=1003abcdef=abuse@other.example"));
  CHECK_FALSE(of("abuse@other.example"));
  CHECK_FALSE(of("abuse"));
  CHECK_FALSE(of("postmaster2@example.com"));
  CHECK_FALSE(of("x@postmaster"));
  CHECK_FALSE(of(""));
}

TEST_CASE("allow: a sender domain needs proof") {
  const std::vector<AllowEntry> entries = {entry_of({}, {"example.com"}, {}, {"one"})};
  struct Case {
    std::string_view sender, name, want;
  };
  const Case cases[] = {
      {"joe@example.com", "", " / one"},
      {"joe@news.example.com", "", " / one"},
      {"joe@example.com", "mx.example.com", "one / "},
      {"joe@news.example.com", "mx.example.com", "one / "},
      {"joe@example.com", "mx.example.org", " / one"},
      {"joe@example.org", "mx.example.com", " / "},
      {"joe@notexample.com", "", " / "},
      {"", "mx.example.com", " / "},
      {"example.com", "mx.example.com", " / "},
  };
  for (const Case& row : cases) {
    CAPTURE(row.sender);
    CAPTURE(row.name);
    BlockSubject subject;
    subject.sender = row.sender;
    subject.client_name = row.name;
    CHECK(skipped(entries, subject) == row.want);
  }
}
