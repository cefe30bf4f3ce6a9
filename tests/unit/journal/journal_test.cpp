// The journal between the engine and the store: ids in texts, what is handed over, what waits, and what is told.
#include "policyd/journal/journal.h"

#include <doctest/doctest.h>

#include "policyd/reply.h"
#include "shared/protocol.h"
#include "tests/support/captured_log.h"
#include "tests/support/engine_rig.h"

namespace policyd {
namespace {

using test::action_of;
using test::Attributes;
using test::outgoing_lines;
using test::request_lines;

Config::Journal settings() {
  return {true, std::chrono::days(30), 1000, false, ""};
}

Verdict refusal(Action action = Action::reject, std::string text = "5.7.1 Refused") {
  Verdict verdict;
  verdict.action = action;
  verdict.text = std::move(text);
  verdict.cause = Cause::score;
  return verdict;
}

struct Rig {
  explicit Rig(size_t most_memory = Journal::kMostMemory) : journal(loop, clock, store, "mx1", most_memory) {
    journal.reconfigure(settings());
  }
  Verdict record(const Attributes& changes = {}, Verdict verdict = refusal()) {
    const auto request = make_request(request_lines(changes));
    journal.record(*request, verdict);
    return verdict;
  }
  void hand_over() { loop.run(journal.hand_over()); }
  [[nodiscard]] std::vector<Json> entries() const {
    std::vector<Json> all;
    for (const JournalBatch& batch : store.journaled) {
      for (const JournalRow& row : batch.rows) all.push_back(Json::parse(row.text));
    }
    return all;
  }

  test::CapturedLog log;
  test::TestLoop loop;
  test::FakeClock clock;
  test::FakeStore store;
  Journal journal;
};

TEST_CASE("journal: a refusal gets an id in its text, and an entry of that id") {
  Rig rig;
  const Verdict verdict = rig.record();
  CHECK(verdict.text == "5.7.1 Refused (" + verdict.id + ")");
  CHECK(JournalId::parse(verdict.id)->time() == rig.clock.wall());
  CHECK(rig.journal.status().waiting == 1);
  rig.hand_over();
  REQUIRE(rig.store.journaled.size() == 1);
  const JournalBatch& batch = rig.store.journaled[0];
  CHECK(batch.keep == std::chrono::days(30));
  CHECK(batch.most == 1000);
  REQUIRE(batch.rows.size() == 1);
  CHECK(batch.rows[0].id == JournalId::parse(verdict.id));
  CHECK(batch.rows[0].node == "mx1");
  CHECK(rig.entries()[0]["id"] == verdict.id);
  CHECK(rig.entries()[0]["text"] == verdict.text);
  CHECK(rig.journal.status().written == 1);
  CHECK(rig.journal.status().waiting == 0);
  rig.hand_over();
  CHECK(rig.store.journaled.size() == 1);
}

TEST_CASE("journal: who is asked about again with the same outcome keeps his id and has one entry") {
  Rig rig;
  const std::string id = rig.record().id;
  CHECK(rig.record().id == id);
  CHECK(rig.record().text == "5.7.1 Refused (" + id + ")");
  CHECK(rig.journal.status().waiting == 1);
  for (const Attributes& other :
       {Attributes{{"recipient", "eve@example.com"}}, Attributes{{"instance", "2"}}, Attributes{{"instance", ""}},
        Attributes{{"instance", ""}}, Attributes{{"protocol_state", "DATA"}},
        Attributes{{"client_address", "192.0.2.9"}}}) {
    CHECK(rig.record(other).id != id);
  }
  CHECK(rig.record({}, refusal(Action::defer)).id != id);
  CHECK(rig.journal.status().waiting == 8);
}

TEST_CASE("journal: without a journal there is no id") {
  Rig rig;
  Config::Journal off = settings();
  off.enabled = false;
  rig.journal.reconfigure(off);
  CHECK(rig.record().text == "5.7.1 Refused");
  CHECK(rig.record().id.empty());
  CHECK(rig.journal.status().waiting == 0);
  CHECK_FALSE(rig.journal.status().enabled);
}

TEST_CASE("journal: a text of any length leaves room for the id, whatever stands before it") {
  Rig rig;
  for (const size_t length : {1, 470, 477, 478, 485, 600, 2000}) {
    for (const Action action : {Action::defer, Action::hold}) {
      Verdict verdict = refusal(action, std::string(length, 'x'));
      verdict.if_permit = verdict.action == Action::defer;
      verdict = rig.record({{"instance", ""}}, verdict);
      const std::string reply = reply_to(verdict);
      CHECK(reply.size() <= 510);
      CHECK(reply.ends_with(" (" + verdict.id + ")\n\n"));
    }
  }
  Verdict custom = refusal(Action::reject, "5.7.1 caf\xc3\xa9\n" + std::string(1000, 'x'));
  custom.smtp_code = 550;
  custom = rig.record({{"instance", ""}}, custom);
  CHECK(action_of(custom).starts_with("550 5.7.1 caf???x"));
  CHECK(action_of(custom).ends_with("x... (" + custom.id + ")"));
}

TEST_CASE("journal: batches are bounded, and keep their order") {
  Rig rig;
  for (size_t i = 0; i < 2 * Journal::kBatch + 1; ++i) rig.record({{"instance", std::to_string(i)}});
  rig.hand_over();
  REQUIRE(rig.store.journaled.size() == 3);
  CHECK(rig.store.journaled[0].rows.size() == Journal::kBatch);
  CHECK(rig.store.journaled[2].rows.size() == 1);
  const auto entries = rig.entries();
  for (size_t i = 0; i < entries.size(); ++i) CHECK(entries[i]["request"]["instance"] == std::to_string(i));
}

TEST_CASE("journal: what the store does not take waits, and is handed over again unchanged") {
  Rig rig;
  rig.store.journal_trouble = "the store redis:// refuses: OOM";
  rig.record();
  rig.hand_over();
  rig.record({{"instance", "2"}});
  rig.hand_over();
  CHECK(rig.journal.status().waiting == 2);
  CHECK(rig.journal.status().written == 0);
  CHECK(rig.journal.status().trouble == rig.store.journal_trouble);
  rig.store.journal_trouble.clear();
  rig.hand_over();
  REQUIRE(rig.store.journaled.size() == 4);
  CHECK(rig.store.journaled[1].rows == rig.store.journaled[0].rows);
  CHECK(rig.store.journaled[2].rows == rig.store.journaled[0].rows);
  CHECK(rig.store.journaled[3].rows.size() == 1);
  CHECK(rig.journal.status().written == 2);
  CHECK(rig.journal.status().trouble.empty());
  CHECK(rig.log.lines() ==
        std::vector<std::string>{"error: journal: the store does not take it: the store redis:// refuses: OOM; "
                                 "entries wait, and the oldest go where they are too many",
                                 "info: journal: the store takes it again; 0 entries were too many to wait"});
}

TEST_CASE("journal: a store that is away tells that itself, and what of the journal is lost is told after") {
  Rig rig(20'000);
  rig.store.journal_trouble = "the store redis:// is away: no answer";
  rig.record();
  rig.hand_over();  // the store does not know it yet
  rig.store.away = true;
  rig.hand_over();
  CHECK(rig.journal.status().trouble == rig.store.journal_trouble);
  rig.store.journal_trouble.clear();
  rig.store.away = false;
  rig.hand_over();
  CHECK(rig.journal.status().written == 1);
  CHECK(rig.log.lines().empty());
  rig.store.journal_trouble = "the store redis:// is away: no answer";
  for (int i = 0; i < 100; ++i) rig.record({{"instance", std::to_string(i)}});
  rig.hand_over();
  rig.store.journal_trouble.clear();
  rig.hand_over();
  CHECK(rig.log.lines() ==
        std::vector<std::string>{"info: journal: the store takes it again; " +
                                 std::to_string(rig.journal.status().lost) + " entries were too many to wait"});
}

TEST_CASE("journal: of what is too much to wait the oldest goes, and is counted") {
  Rig rig(20'000);
  rig.store.journal_trouble = "the store redis:// is away: no answer";
  for (int i = 0; i < 100; ++i) rig.record({{"instance", std::to_string(i)}});
  const JournalStatus status = rig.journal.status();
  CHECK(status.waiting > 5);
  CHECK(status.waiting < 50);
  CHECK(status.lost == 100 - status.waiting);
  rig.hand_over();
  rig.store.journal_trouble.clear();
  rig.store.journaled.clear();
  rig.hand_over();
  CHECK(rig.entries().size() == status.waiting);
  CHECK(rig.entries().back()["request"]["instance"] == "99");
  CHECK(rig.log.lines().back() ==
        "info: journal: the store takes it again; " + std::to_string(status.lost) + " entries were too many to wait");
}

TEST_CASE("journal: blocks whose description has any length do not take more memory than is allowed") {
  Rig rig(20'000);
  rig.store.journal_trouble = "the store redis:// is away: no answer";
  Verdict verdict = refusal();
  Block block;
  block.description = std::string(1'000'000, 'x');
  verdict.block = std::make_shared<const Block>(block);
  for (int i = 0; i < 100; ++i) rig.record({{"instance", std::to_string(i)}}, verdict);
  CHECK(rig.journal.status().waiting > 3);
  CHECK(rig.journal.status().waiting < 30);
  rig.store.journal_trouble.clear();
  rig.hand_over();
  CHECK(rig.entries().back()["block"]["description"] == std::string(RecordedRequest::kLongest, 'x'));
}

TEST_CASE("journal: what cannot be handed over at the end is told") {
  Rig rig;
  rig.record();
  rig.store.journal_trouble = "full";
  rig.loop.run(rig.journal.stop());
  CHECK(rig.log.lines().back() == "error: journal: 1 entries could not be handed to the store and are lost: full");
}

TEST_CASE("journal: it is handed over by itself") {
  Rig rig;
  rig.journal.start();
  rig.record();
  rig.loop.turn_until([&rig] { return rig.journal.status().written == 1; });
  CHECK(rig.store.journaled.size() == 1);
  rig.loop.run(rig.journal.stop());
}

TEST_CASE("journal: who asks for it to be handed over waits for what is under way") {
  Rig rig;
  rig.store.gate.close();
  rig.record();
  const auto first = rig.journal.hand_over(), second = rig.journal.hand_over(), third = rig.journal.hand_over();
  first.start();
  rig.loop.turn_until([&rig] { return rig.store.gate.waiting() == 1; });
  rig.record({{"instance", "2"}});
  second.start();
  {
    const auto dropped = rig.journal.hand_over();
    dropped.start();
  }
  third.start();
  CHECK_FALSE(second.done());
  SUBCASE("all is written then") {
    rig.store.gate.open();
    rig.loop.turn_until([&] { return first.done() && second.done() && third.done(); });
    CHECK(rig.journal.status().written == 2);
  }
  SUBCASE("what is refused is not tried again for each of them") {
    rig.store.journal_trouble = "no";
    rig.store.gate.open();
    rig.loop.turn_until([&] { return first.done() && second.done() && third.done(); });
    CHECK(rig.store.journaled.size() == 1);
    CHECK(rig.journal.status().waiting == 2);
  }
}

TEST_CASE("journal: who asks for it to be handed over waits for what was there, however much comes meanwhile") {
  Rig rig;
  constexpr int kEnough = 1000;
  int recorded = 0;
  rig.store.on_journal = [&] {
    if (recorded < kEnough) rig.record({{"instance", std::to_string(++recorded)}});
  };
  rig.record({{"instance", "first"}});
  rig.hand_over();
  CHECK(recorded == 1);
  CHECK(rig.journal.status().written == 1);
  CHECK(rig.journal.status().waiting == 1);
  SUBCASE("also where that is under way") {
    rig.store.gate.close();
    const auto first = rig.journal.hand_over(), second = rig.journal.hand_over();
    first.start();
    rig.loop.turn_until([&rig] { return rig.store.gate.waiting() == 1; });
    rig.record({{"instance", "second"}});
    second.start();
    rig.store.gate.open();
    rig.loop.turn_until([&] { return first.done() && second.done(); });
    CHECK(recorded == 3);
    CHECK(rig.journal.status().written == 4);
    CHECK(rig.entries()[2]["request"]["instance"] == "second");
  }
  SUBCASE("and what is refused is not waited for") {
    rig.store.journal_trouble = "full";
    rig.hand_over();
    CHECK(rig.journal.status().waiting == 2);
  }
}

TEST_CASE("journal: recording does not wait for the store") {
  Rig rig;
  rig.store.gate.close();
  rig.journal.start();
  rig.record();
  const auto handing_over = rig.journal.hand_over();
  handing_over.start();
  rig.record({{"instance", "2"}});
  CHECK(rig.journal.status().waiting >= 1);
  rig.store.gate.open();
  rig.loop.turn_until([&rig] { return rig.journal.status().written == 2; });
}

TEST_CASE("journal: the queue id of what was held is told once, when it is known") {
  Rig rig;
  const auto note = [&rig](const Attributes& changes) {
    const auto request = make_request(request_lines(changes));
    rig.journal.note_queue_id(*request);
  };
  note({{"queue_id", "4XyZ"}});
  rig.record({}, refusal(Action::hold));
  rig.record({{"recipient", "eve@example.com"}}, refusal(Action::hold));
  note({});
  note({{"queue_id", "other"}, {"instance", "2"}});
  CHECK(rig.journal.status().waiting == 2);
  note({{"queue_id", "4XyZ"}, {"protocol_state", "END-OF-MESSAGE"}});
  note({{"queue_id", "4XyZ"}, {"protocol_state", "END-OF-MESSAGE"}});
  // Known at once.
  rig.record({{"instance", "3"}, {"queue_id", "5XyZ"}}, refusal(Action::hold));
  note({{"queue_id", "5XyZ"}, {"instance", "3"}});
  rig.hand_over();
  const auto entries = rig.entries();
  REQUIRE(entries.size() == 4);
  CHECK(entries[2]["queued"] == Json({{"instance", "1f.2a.0"}, {"queue_id", "4XyZ"}}));
  CHECK(entries[3]["request"]["queue_id"] == "5XyZ");
}

TEST_CASE("journal: redacted where that is asked for") {
  Rig rig;
  Config::Journal redacting = settings();
  redacting.redact = true;
  redacting.redact_key = "0123456789abcdef";
  rig.journal.reconfigure(redacting);
  rig.record();
  rig.hand_over();
  CHECK(rig.entries()[0]["request"]["recipient"] == rig.journal.redactor()->name("bob@example.com"));
  redacting.redact = false;
  rig.journal.reconfigure(redacting);
  CHECK(rig.journal.redactor() != nullptr);  // older entries can still be found
  rig.record({{"instance", "2"}});
  rig.hand_over();
  CHECK(rig.entries()[1]["request"]["recipient"] == "bob@example.com");
}

}  // namespace
}  // namespace policyd
