// Entries of the journal: what they hold, whatever octets a request is made of.
#include "policyd/journal/entry.h"

#include <doctest/doctest.h>

#include "policyd/checks/check.h"
#include "shared/text.h"
#include "tests/support/make_request.h"
#include "tests/support/request_lines.h"

namespace policyd {
namespace {

constexpr WallTime kTime{Milliseconds{1'795'255'200'007}};  // 2026-11-21T10:00:00.007Z

Verdict rejected() {
  Verdict verdict;
  verdict.action = Action::reject;
  verdict.text = "5.7.1 Refused";
  verdict.cause = Cause::score;
  verdict.score = 12;
  const CheckRow& ehlo = check_named("ehlo");
  verdict.findings.push_back({&ehlo.spec, &ehlo.spec.outcomes[0], 12, true, "localhost"});
  verdict.findings.push_back({&ehlo.spec, nullptr, 0, true, "timed out"});
  return verdict;
}

Json entry_of(const std::string& lines, Verdict verdict = rejected(), const Redactor* redactor = nullptr) {
  const auto request = make_request(lines);
  const JournalRecord record{JournalId(kTime, 1), JournalRecord::Kind::decision, RecordedRequest(*request), verdict};
  const std::string text = journal_text(record, "mx1", redactor);
  CHECK(is_utf8(text));
  CHECK(text.find('\n') == std::string::npos);
  return Json::parse(text);
}

TEST_CASE("journal entry: who, what and why") {
  const Json entry = entry_of(test::request_lines({{"size", "1000"}, {"queue_id", ""}, {"stress", "x"}}));
  CHECK(entry["id"] == JournalId(kTime, 1).to_string());
  CHECK(entry["time"] == "2026-11-21T10:00:00.007Z");
  CHECK(entry["node"] == "mx1");
  CHECK(entry["action"] == "REJECT");
  CHECK(entry["cause"] == "score");
  CHECK(entry["text"] == "5.7.1 Refused");
  CHECK(entry["score"] == 12);
  CHECK(entry["store_away"] == false);
  CHECK(entry["findings"].size() == 2);
  CHECK(entry["findings"][0] == Json({{"check", "ehlo"}, {"score", 12}, {"outcome", "syntax"},
                                      {"detail", "localhost"}, {"counted", true}}));
  CHECK(entry["findings"][1] == Json({{"check", "ehlo"}, {"score", 0}, {"detail", "timed out"}, {"counted", false}}));
  CHECK(entry["request"] == Json({{"protocol_state", "RCPT"},
                                  {"client_address", "192.0.2.1"},
                                  {"client_name", "mail.stranger.example"},
                                  {"reverse_client_name", "mail.stranger.example"},
                                  {"helo_name", "mail.stranger.example"},
                                  {"sender", "ann@stranger.example"},
                                  {"recipient", "bob@example.com"},
                                  {"instance", "1f.2a.0"},
                                  {"size", "1000"}}));
}

TEST_CASE("journal entry: greylisting, a limit and a block behind it") {
  Verdict verdict = rejected();
  verdict.greylisting = Greylisting{{GreylistResult::Outcome::early, Milliseconds{1500}}, "192.0.2.0/24", false};
  verdict.charge.limit = Limit{Meter::messages, 60, Milliseconds{60'000}};
  verdict.charge.retry_after = Milliseconds{11'001};
  verdict.charge.uses = {{*verdict.charge.limit, 60}, {{Meter::spam, 5, Milliseconds{1'000}}, 7}};
  verdict.charge.local = true;
  Block block;
  block.target = {BlockType::email, "ann@stranger.example"};
  block.description = "spam";
  verdict.block = std::make_shared<const Block>(block);
  const Json entry = entry_of(test::request_lines(), verdict);
  CHECK(entry["greylist"] ==
        Json({{"outcome", "early"}, {"client", "192.0.2.0/24"}, {"wait", 2}, {"counted", false}}));
  CHECK(entry["limit"] == "messages 60/1m");
  CHECK(entry["retry_after"] == 12);
  CHECK(entry["limits"] ==
        Json::array(
            {{{"meter", "messages"}, {"limit", "60/1m"}, {"maximum", 60}, {"window", "1m"}, {"used", 60}, {"left", 0}},
             {{"meter", "spam"}, {"limit", "5/1s"}, {"maximum", 5}, {"window", "1s"}, {"used", 7}, {"left", 0}}}));
  CHECK(entry["store_away"] == true);
  CHECK(entry["block"]["target"] == "ann@stranger.example");
  CHECK(entry["block"]["description"] == "spam");
}

TEST_CASE("journal entry: any octets, and any number of them") {
  const std::string odd = "a\x01\t\"\\'\x7f\xff\xc3(\xed\xa0\x80 j\xc3\xb6rg";
  Verdict verdict = rejected();
  verdict.findings[0].detail = odd;
  verdict.account = odd;
  Json entry = entry_of(test::request_lines({{"sender", odd}, {"helo_name", std::string(5000, 'x')}}), verdict);
  const std::string kept = entry["request"]["sender"];
  CHECK(kept.starts_with("a\x01\t\"\\'\x7f\xef\xbf\xbd"));
  CHECK(kept.ends_with("j\xc3\xb6rg"));
  CHECK(entry["account"] == kept);
  CHECK(entry["findings"][0]["detail"] == kept);
  CHECK(entry["request"]["helo_name"].get<std::string>().size() == RecordedRequest::kLongest);
  // Cut in the middle of a character.
  entry = entry_of(test::request_lines({{"sender", std::string(511, 'x') + "\xc3\xb6"}}));
  CHECK(entry["request"]["sender"] == std::string(511, 'x') + "\xef\xbf\xbd");
  CHECK(entry_of(test::request_lines({{"sender", ""}}))["request"]["sender"] == "");
}

TEST_CASE("journal entry: the queue id of a message that was held") {
  const auto request = make_request(test::request_lines({{"queue_id", "4XyZ"}}));
  const JournalRecord record{JournalId(kTime, 2), JournalRecord::Kind::queued, RecordedRequest(*request), {}};
  CHECK(Json::parse(journal_text(record, "mx1", nullptr)) ==
        Json({{"id", JournalId(kTime, 2).to_string()},
              {"time", "2026-11-21T10:00:00.007Z"},
              {"node", "mx1"},
              {"queued", {{"instance", "1f.2a.0"}, {"queue_id", "4XyZ"}}}}));
}

TEST_CASE("journal entry: people's words are cut, and what a record holds is counted") {
  const std::string endless(100'000, 'x');
  Verdict verdict = rejected();
  verdict.headers = {"Received-SPF: pass"};
  Block block;
  block.target = {BlockType::email, "ann@stranger.example"};
  block.description = block.reply = block.by = endless;
  verdict.block = std::make_shared<const Block>(block);
  Lock lock;
  lock.account = "joe@example.com";
  lock.reason = lock.evidence = lock.by = lock.node = endless;
  verdict.lock = std::make_shared<const Lock>(lock);
  const Verdict kept = journaled(verdict);
  const std::string cut(kLongestNote, 'x');
  CHECK(kept.headers.empty());
  CHECK(kept.block->description == cut);
  CHECK(kept.block->reply == cut);
  CHECK(kept.block->by == cut);
  CHECK(kept.block->target == block.target);
  CHECK(kept.lock->reason == cut);
  CHECK(kept.lock->evidence == cut);
  CHECK(kept.lock->by == cut);
  CHECK(kept.lock->node == cut);
  CHECK(verdict.block->description == endless);
  CHECK(journaled(kept).block == kept.block);  // no copy where nothing is to be cut
  const Json entry = entry_of(test::request_lines(), kept);
  const std::string written(RecordedRequest::kLongest, 'x');
  for (const char* key : {"description", "reply", "by"}) CHECK(entry["block"][key] == written);
  for (const char* key : {"reason", "evidence", "by", "node"}) CHECK(entry["lock"][key] == written);

  const auto memory = [](const Verdict& of) {
    return JournalRecord{JournalId(kTime, 1), JournalRecord::Kind::decision, {}, of}.memory();
  };
  const size_t without = memory(rejected());
  const auto grows = [&](auto change) {
    Verdict changed = rejected();
    change(changed);
    CHECK(memory(changed) >= without + endless.size());
  };
  grows([&](Verdict& v) { v.text += endless; });
  grows([&](Verdict& v) { v.account = endless; });
  grows([&](Verdict& v) { v.identity = endless; });
  grows([&](Verdict& v) { v.headers = {endless}; });
  grows([&](Verdict& v) { v.findings[0].detail += endless; });
  grows([&](Verdict& v) { v.charge.uses.resize(endless.size() / sizeof(LimitUse) + 1); });
  grows([&](Verdict& v) { v.greylisting = Greylisting{{}, endless, true}; });
  for (auto member : {&Block::description, &Block::reply, &Block::by, &Block::created}) {
    Block one;
    one.*member = endless;
    grows([&](Verdict& v) { v.block = std::make_shared<const Block>(one); });
  }
  for (auto member : {&Lock::account, &Lock::reason, &Lock::evidence, &Lock::by, &Lock::node}) {
    Lock one;
    one.*member = endless;
    grows([&](Verdict& v) { v.lock = std::make_shared<const Lock>(one); });
  }
}

TEST_CASE("journal entry: redacted, nobody can be told from it") {
  const Redactor redactor("0123456789abcdef");
  Verdict verdict = rejected();
  verdict.account = "joe@example.com";
  verdict.text = "5.7.1 Client 192.0.2.7 of Joe@Example.com is not [192.0.2.70]";
  verdict.findings[0].detail = "7.2.0.192.bl.example says 127.0.0.2 of dsl-192-0-2-7.isp.example";
  verdict.findings[1].detail = "Ann Smith@stranger.example";
  verdict.greylisting = Greylisting{{}, "192.0.2.0/24", true};
  const Json entry = entry_of(test::request_lines({{"client_address", "192.0.2.7"},
                                                   {"client_name", "dsl-192-0-2-7.isp.example"},
                                                   {"reverse_client_name", "mail.stranger.example"},
                                                   {"helo_name", "[192.0.2.7]"},
                                                   {"sender", "Ann Smith@stranger.example"},
                                                   {"sasl_username", "Joe@example.com"},
                                                   {"ccert_subject", "Joe Doe"}}),
                              verdict, &redactor);
  const std::string text = entry.dump();
  INFO(text);
  for (const char* secret : {"192.0.2.7]", "192.0.2.7\"", "192.0.2.7 ", "192-0-2-7", "7.2.0.192", "192.0.2.0", "Smith",
                             "oe@", "Joe", "bob@"}) {
    CHECK_MESSAGE(text.find(secret) == std::string::npos, secret);
  }
  const Json& request = entry["request"];
  CHECK(request["client_address"] == redactor.client("192.0.2.7"));
  CHECK(request["sender"] == redactor.name("ann smith@stranger.example"));
  CHECK(request["sender"].get<std::string>().ends_with("@stranger.example"));
  CHECK(request["recipient"] == redactor.name("bob@example.com"));
  CHECK(request["helo_name"] == redactor.client("192.0.2.7"));
  CHECK(request["client_name"].get<std::string>().ends_with(".isp.example"));
  CHECK(request["reverse_client_name"] == "mail.stranger.example");
  CHECK(entry["account"] == redactor.name("joe@example.com"));
  CHECK(entry["account"].get<std::string>().ends_with("@example.com"));
  CHECK(request["sasl_username"].get<std::string>().substr(0, 18) == entry["account"].get<std::string>().substr(0, 18));
  CHECK(entry["text"] == "5.7.1 Client " + redactor.client("192.0.2.7") + " of " +
                             request["sasl_username"].get<std::string>() + " is not [192.0.2.70]");
}

TEST_CASE("redactor: the same for the same on every node, another with another key") {
  const Redactor one("0123456789abcdef"), same("0123456789abcdef"), other("fedcba9876543210");
  CHECK(one.name("Joe@example.com").size() == std::string("h:0123456789abcdef@example.com").size());
  CHECK(one.name("joe@example.com") == same.name("JOE@example.com"));
  CHECK(one.name("joe@example.com") != other.name("joe@example.com"));
  CHECK(one.name("joe@example.com") != one.name("jo@example.com"));
  CHECK(one.name("joe").starts_with("h:"));
  CHECK(one.name("joe").size() == 18);
  CHECK(one.name("").empty());
  CHECK(one.client("").empty());
  CHECK(one.client("2001:DB8::1") == one.client("2001:db8:0::1"));
  CHECK(one.client("192.0.2.1") != one.client("192.0.2.2"));
}

}  // namespace
}  // namespace policyd
