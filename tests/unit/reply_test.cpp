// What Postfix reads and what the operator reads, to the letter.
#include "policyd/reply.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/make_request.h"
#include "tests/support/request_lines.h"

namespace policyd {
namespace {

using test::request_lines;

Verdict verdict(Action action, std::string text = "", int smtp_code = 0) {
  Verdict made;
  made.action = action;
  made.text = std::move(text);
  made.smtp_code = smtp_code;
  return made;
}

std::string log_line(const Verdict& verdict, const test::Attributes& changes = {}) {
  const auto request = make_request(request_lines(changes));
  std::string line;
  append_log_line(line, *request, verdict);
  return line;
}

const CheckSpec kColour{"colour", "what colour the mail has", {{"red", "mail is red", 0, 0}, {"green", "", 0, 0}}};

TEST_CASE("reply: every action is a word and a text") {
  struct Case {
    Verdict verdict;
    std::string reply;
  };
  const std::vector<Case> cases{
      {verdict(Action::dunno), "action=DUNNO\n\n"},
      {verdict(Action::dunno, "a text that DUNNO does not have"), "action=DUNNO\n\n"},
      {verdict(Action::prepend, "X-Score: 3"), "action=PREPEND X-Score: 3\n\n"},
      {verdict(Action::defer, "4.7.1 Later"), "action=DEFER 4.7.1 Later\n\n"},
      {verdict(Action::hold, "Suspicious"), "action=HOLD Suspicious\n\n"},
      {verdict(Action::reject, "5.7.1 No"), "action=REJECT 5.7.1 No\n\n"},
      {verdict(Action::reject, "5.7.1 No", 554), "action=554 5.7.1 No\n\n"},
      {verdict(Action::defer, "4.2.0 Later", 450), "action=450 4.2.0 Later\n\n"},
  };
  for (const Case& c : cases) CHECK(reply_to(c.verdict) == c.reply);
}

TEST_CASE("reply: a text cannot end the reply, nor outgrow what Postfix reads") {
  CHECK(reply_to(verdict(Action::reject, "5.7.1 a\n\naction=OK\r\xc3\xa4\x7f")) ==
        "action=REJECT 5.7.1 a??action=OK????\n\n");
  const std::string reply = reply_to(verdict(Action::reject, "5.7.1 " + std::string(1000, 'x')));
  CHECK(reply.size() == 510);
  CHECK(reply.ends_with("x\n\n"));
}

TEST_CASE("reply: who is greylisted may still be rejected by a later restriction") {
  Verdict greylisted = verdict(Action::defer, "4.7.1 Later");
  greylisted.if_permit = true;
  CHECK(reply_to(greylisted) == "action=DEFER_IF_PERMIT 4.7.1 Later\n\n");
}

TEST_CASE("log line: what greylisting said") {
  using Outcome = GreylistResult::Outcome;
  const auto line_of = [](const GreylistResult& result, bool counted) {
    Verdict made = verdict(Action::dunno);
    made.greylisting = {result, "192.0.2.0/24", counted};
    const std::string line = log_line(made);
    const size_t start = line.find(" greylist=");
    return line.substr(start, line.find(" instance=") - start);
  };
  CHECK(line_of({Outcome::first, Milliseconds{240'000}}, true) ==
        " greylist=first greylist_client=\"192.0.2.0/24\" wait=240000ms");
  CHECK(line_of({Outcome::early, Milliseconds{1}, true}, false) ==
        " greylist=early (dry run) greylist_client=\"192.0.2.0/24\" wait=1ms");
  CHECK(line_of({Outcome::known}, true) == " greylist=known greylist_client=\"192.0.2.0/24\"");
  CHECK(line_of({Outcome::unknown}, true) == " greylist=unknown greylist_client=\"192.0.2.0/24\" store=away");
}

TEST_CASE("log line: what was decided, about whom") {
  Verdict passed = verdict(Action::dunno);
  CHECK(log_line(passed) ==
        "verdict=DUNNO cause=none incoming state=\"RCPT\" client=\"192.0.2.1\" client_name=\"mail.stranger.example\" "
        "ehlo=\"mail.stranger.example\" sender=\"ann@stranger.example\" recipient=\"bob@example.com\" "
        "instance=\"1f.2a.0\"");
  passed.direction = Direction::outgoing;
  passed.account = "joe";
  passed.cause = Cause::not_asked;
  CHECK(log_line(passed, {{"sender", ""}, {"recipient", ""}, {"helo_name", ""}, {"client_name", ""}, {"instance", ""},
                          {"queue_id", "4XyZ"}, {"protocol_state", "DATA"}}) ==
        "verdict=DUNNO cause=not_asked outgoing state=\"DATA\" account=\"joe\" client=\"192.0.2.1\" sender=\"\" "
        "queue_id=\"4XyZ\"");
}

TEST_CASE("log line: every finding with its weight, dry runs and what could not be done") {
  Verdict scored = verdict(Action::reject, "5.7.1 Message refused: mail is red");
  scored.cause = Cause::score;
  scored.score = 12;
  scored.findings = {{&kColour, &kColour.outcomes[0], 12, true, "as \"blood\"\n"},
                     {&kColour, &kColour.outcomes[1], -3, false, ""},
                     {&kColour, nullptr, 0, false, "no light"}};
  const std::string line = log_line(scored);
  CAPTURE(line);
  CHECK(line.starts_with("verdict=REJECT cause=score incoming "));
  CHECK(line.find(" score=12 findings=[colour.red:+12 \"as \\\"blood\\\"\\x0a\", colour.green:-3 (dry run), "
                  "colour: not done \"no light\"] text=\"5.7.1 Message refused: mail is red\" ") != std::string::npos);
}

TEST_CASE("log line: the block that hit") {
  Verdict blocked = verdict(Action::reject, "5.7.1 Mail refused by local policy", 550);
  blocked.cause = Cause::block;
  Block block;
  block.target = {BlockType::domain, "stranger.example"};
  blocked.block = std::make_shared<const Block>(block);
  CHECK(log_line(blocked).find(" block=\"domain:stranger.example\" text=\"5.7.1 Mail") != std::string::npos);
}

TEST_CASE("log line: the limit that is reached, how long it takes, and whether the store was there") {
  Verdict limited = verdict(Action::defer, "4.7.1 Sending limit reached");
  limited.charge.passed = false;
  limited.charge.limit = Limit{Meter::recipients, 60, Milliseconds(60'000)};
  limited.charge.retry_after = Milliseconds(1'500);
  limited.charge.local = true;
  CHECK(log_line(limited).find(" limit=\"recipients 60/1m\" wait=1500ms store=away text=") != std::string::npos);
}

TEST_CASE("log line: request text stays on its line and between its quotes") {
  const std::string line = log_line(verdict(Action::dunno), {{"sender", "a\" verdict=REJECT x=\"@b"},
                                                             {"helo_name", "x\r\x1b[31m\\"},
                                                             {"recipient", std::string(1000, 'r')}});
  CAPTURE(line);
  CHECK(line.find(R"(sender="a\" verdict=REJECT x=\"@b")") != std::string::npos);
  CHECK(line.find(R"(ehlo="x\x0d\x1b[31m\\")") != std::string::npos);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.size() < 1000);
}

TEST_CASE("log line: is added to what stands there") {
  std::string line = "before: ";
  append_log_line(line, *make_request(request_lines()), verdict(Action::dunno));
  CHECK(line.starts_with("before: verdict=DUNNO cause="));
}

}  // namespace
}  // namespace policyd
