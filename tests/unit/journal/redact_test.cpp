// Redaction: whatever decided, and wherever a name stands in its entry, nobody can be told from it.
#include "policyd/journal/redact.h"

#include <doctest/doctest.h>

#include "policyd/checks/check.h"
#include "policyd/journal/entry.h"
#include "shared/text.h"
#include "tests/support/make_request.h"
#include "tests/support/request_lines.h"

namespace policyd {
namespace {

const Redactor kRedactor("0123456789abcdef");

const test::Attributes kRequest{{"client_address", "192.0.2.7"},
                                {"client_name", "dsl-192-0-2-7.isp.example"},
                                {"reverse_client_name", "dsl-192-0-2-7.isp.example"},
                                {"helo_name", "[192.0.2.7]"},
                                {"sender", "Annabel@stranger.example"},
                                {"recipient", "Bobbie@example.com"},
                                {"sasl_username", "Jolanda@example.com"},
                                {"sasl_sender", "jolanda"}};
// In lower case; of the client in every form that it has.
constexpr std::string_view kSecrets[] = {"annabel",   "bobbie",     "jolanda",   "192.0.2.7",
                                         "192-0-2-7", "7.2.0.192", "192.0.2.0", "198.51.100"};
const std::string kPeoplesWords =
    "phished: Jolanda wrote to annabel@stranger.example, Bobbie@example.com and from 192.0.2.7, 192.0.2.0/24";

Verdict refused(Cause cause) {
  Verdict verdict;
  verdict.action = Action::reject;
  verdict.cause = cause;
  verdict.direction = Direction::outgoing;
  verdict.account = "jolanda@example.com";
  verdict.text = "5.7.1 Refused: Jolanda@example.com, <annabel@stranger.example> to bobbie, client 192.0.2.7";
  return verdict;
}

Json entry_of(const Verdict& verdict, const test::Attributes& attributes = kRequest) {
  const auto request = make_request(test::request_lines(attributes));
  const JournalRecord record{JournalId(WallTime{}, 1), JournalRecord::Kind::decision, RecordedRequest(*request),
                             verdict};
  return Json::parse(journal_text(record, "mx1", &kRedactor));
}

void tells_nobody(const Json& entry) {
  const std::string text = to_lower(entry.dump());
  INFO(text);
  for (const std::string_view secret : kSecrets) CHECK_MESSAGE(text.find(secret) == std::string::npos, secret);
}

Verdict blocked(BlockType type, const std::string& target) {
  Verdict verdict = refused(Cause::block);
  Block block;
  block.target = BlockTarget::make(type, target).value();
  block.description = kPeoplesWords;
  block.reply = "550 5.7.1 " + kPeoplesWords;
  verdict.text = block.reply;
  verdict.block = std::make_shared<const Block>(block);
  return verdict;
}

Verdict locked(std::string account, std::string reason, std::string evidence) {
  Verdict verdict = refused(Cause::lock);
  Lock lock;
  lock.account = std::move(account);
  lock.reason = std::move(reason);
  lock.evidence = std::move(evidence);
  lock.by = kPolicydItself;
  verdict.lock = std::make_shared<const Lock>(lock);
  return verdict;
}

TEST_CASE("redaction: whatever decided, the entry tells nobody") {
  SUBCASE("blocks") {
    const std::pair<BlockType, std::string> targets[] = {
        {BlockType::email, "annabel@stranger.example"}, {BlockType::email, "jolanda@example.com"},
        {BlockType::domain, "stranger.example"},        {BlockType::domain, "[192.0.2.7]"},
        {BlockType::ehlo, "[192.0.2.7]"},               {BlockType::ehlo, "dsl-192-0-2-7.isp.example"},
        {BlockType::client, "192.0.2.7"},               {BlockType::client, "192.0.2.0/24"},
        {BlockType::client, "dsl-192-0-2-7.isp.example"}, {BlockType::account, "jolanda@example.com"},
        {BlockType::account, "jolanda"},                {BlockType::account, "192.0.2.7"},
        {BlockType::recipient, "bobbie@example.com"},   {BlockType::recipient, "example.com"}};
    for (const auto& [type, target] : targets) {
      CAPTURE(target);
      const Json entry = entry_of(blocked(type, target));
      tells_nobody(entry);
      CHECK(entry["block"]["type"] == block_type_name(type));
    }
  }
  SUBCASE("locks") {
    tells_nobody(entry_of(locked("jolanda@example.com", "distinct_recipients", "distinct_recipients 501 in 1d")));
    tells_nobody(entry_of(locked("192.0.2.7", kPeoplesWords, "logins from 198.51.100.9 as jolanda")));
    tells_nobody(entry_of(locked("192.0.2.0/24", "abuse@isp.example wrote of 198.51.100.0/24", kPeoplesWords)));
  }
  SUBCASE("rules") {
    Verdict verdict = refused(Cause::rule);
    verdict.rule = "senders";
    tells_nobody(entry_of(verdict));
  }
  SUBCASE("greylisting") {
    Verdict verdict = refused(Cause::greylist);
    verdict.greylisting = Greylisting{{GreylistResult::Outcome::first, Milliseconds{1}}, "192.0.2.0/24", true};
    verdict.text += " of 192.0.2.0/24";
    tells_nobody(entry_of(verdict));
  }
  SUBCASE("scores") {
    for (const CheckRow& row : check_table()) {
      Verdict verdict = refused(Cause::score);
      verdict.findings.push_back({&row.spec, &row.spec.outcomes[0], 12, true,
                                  "7.2.0.192.bl.example of dsl-192-0-2-7.isp.example: "
                                  "http://why.example/?s=annabel%40stranger.example&r=bobbie&ip=192.0.2.7"});
      verdict.findings.push_back({&row.spec, nullptr, 0, true, "no answer about <Jolanda@example.com>"});
      tells_nobody(entry_of(verdict));
    }
  }
  SUBCASE("limits, of an account that is a client") {
    Verdict verdict = refused(Cause::limit);
    verdict.account = "192.0.2.0/24";
    verdict.text += " of 192.0.2.0/24";
    verdict.charge.limit = Limit{Meter::messages, 60, Milliseconds{60'000}};
    tells_nobody(entry_of(verdict));
  }
}

TEST_CASE("redaction: a text that is cut tells no half of a name") {
  for (const std::string name : {"clarissa@stranger.example", "\"clar issa\"@stranger.example", "203.0.113.77"}) {
    for (size_t kept = 3; kept < name.size(); ++kept) {
      const std::string words = std::string(RecordedRequest::kLongest - kept - 1, '-') + " " + name;
      const Json entry = entry_of(journaled(locked("jolanda@example.com", words, "x")));
      const std::string reason = entry["lock"]["reason"];
      INFO(reason);
      CHECK(reason.size() <= RecordedRequest::kLongest);
      CHECK(reason.find("cla") == std::string::npos);
      CHECK(reason.find("203") == std::string::npos);
    }
  }
}

TEST_CASE("redaction: what a block or lock is known by, is the same for the same") {
  CHECK(entry_of(blocked(BlockType::email, "joe@example.com"))["block"]["target"] == kRedactor.name("joe@example.com"));
  CHECK(entry_of(blocked(BlockType::recipient, "al@example.com"))["block"]["target"] ==
        kRedactor.name("al@example.com"));
  CHECK(entry_of(blocked(BlockType::account, "x"))["block"]["target"] == kRedactor.name("x"));
  CHECK(entry_of(blocked(BlockType::client, "192.0.2.0/24"))["block"]["target"] == kRedactor.client("192.0.2.0/24"));
  CHECK(entry_of(blocked(BlockType::client, "2001:db8::1"))["block"]["target"] == kRedactor.client("2001:db8::1"));
  CHECK(entry_of(blocked(BlockType::domain, "stranger.example"))["block"]["target"] == "stranger.example");
  CHECK(entry_of(blocked(BlockType::recipient, "example.com"))["block"]["target"] == "example.com");
  CHECK(entry_of(blocked(BlockType::ehlo, "localhost"))["block"]["target"] == "localhost");
  CHECK(entry_of(locked("Jo", "spam", ""))["lock"]["account"] == kRedactor.name("jo"));
}

TEST_CASE("redaction: an address in another form than that of the block or the text") {
  for (const char* sender : {"prvs=1003abcdef=jolanda@example.com", "jolanda@example.com.", "JOLANDA@EXAMPLE.COM",
                             "SRS0=ab=cd=isp.example=jolanda@example.com"}) {
    CAPTURE(sender);
    Verdict verdict = blocked(BlockType::email, "jolanda@example.com");
    verdict.account.clear();
    test::Attributes request = kRequest;
    for (auto& [name, value] : request) {
      if (name == "sender") value = sender;
      if (name.starts_with("sasl_")) value.clear();
    }
    tells_nobody(entry_of(verdict, request));
    verdict.block = nullptr;
    verdict.text = "5.7.1 jolanda@example.com is refused, jolanda";
    tells_nobody(entry_of(verdict, request));
  }
  CHECK(kRedactor.name("joe@example.com.") == kRedactor.name("joe@example.com"));
  CHECK(kRedactor.name("joe@[192.0.2.7]").size() == kRedactor.name("joe").size());
}

TEST_CASE("redaction: a name that is a word of the journal leaves the journal's own words as they are") {
  for (const char* word : {"spf", "client", "lock", "reject", "outgoing", "messages", "example"}) {
    CAPTURE(word);
    Verdict verdict = locked(word, "spam", "spam 11 in 1h");
    const CheckRow& spf = check_named("spf");
    verdict.findings.push_back({&spf.spec, &spf.spec.outcomes[0], 12, true, ""});
    verdict.block = blocked(BlockType::client, "192.0.2.7").block;
    verdict.account = word;
    const Json entry = entry_of(verdict, {{"sasl_username", word}});
    CHECK(entry["findings"][0]["check"] == "spf");
    CHECK(entry["findings"][0]["outcome"] == spf.spec.outcomes[0].name);
    CHECK(entry["block"]["type"] == "client");
    CHECK(entry["cause"] == "lock");
    CHECK(entry["action"] == "REJECT");
    CHECK(entry["direction"] == "outgoing");
    CHECK(entry["lock"]["reason"] == "spam");
    CHECK(entry["lock"]["account"] == kRedactor.name(word));
    CHECK(entry["account"] == kRedactor.name(word));
  }
}

}  // namespace
}  // namespace policyd
