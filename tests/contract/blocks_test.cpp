// The contract of blocks and settings: what is put shows in the mirror at once, and stays.
#include "tests/contract/store_rig.h"

namespace policyd {
namespace {

using test::on_every_store;
using test::StoreRig;

Block block_of(BlockType type, std::string_view target) {
  auto made = BlockTarget::make(type, target);
  REQUIRE(made.ok());
  Block block;
  block.target = std::move(*made);
  return block;
}

void put(StoreRig& rig, const Block& block) {
  const auto done = rig.run(rig.store->put_block(block));
  if (!done) FAIL(done.error().message);
}

bool remove(StoreRig& rig, const BlockTarget& target) {
  const auto done = rig.run(rig.store->remove_block(target));
  if (!done) FAIL(done.error().message);
  return *done;
}

void set(StoreRig& rig, const std::string& account, const std::string& key, const std::string& value) {
  const auto done = rig.run(rig.store->put_setting(account, key, value));
  if (!done) FAIL(done.error().message);
}

bool unset(StoreRig& rig, const std::string& account, const std::string& key) {
  const auto done = rig.run(rig.store->remove_setting(account, key));
  if (!done) FAIL(done.error().message);
  return *done;
}

using Fields = std::map<std::string, std::string>;
Fields settings_of(const StoreRig& rig, const std::string& account) {
  const AccountSettings* settings = rig.mirror.settings(account);
  return settings ? settings->to_map() : Fields{};
}

const std::vector<std::pair<BlockType, const char*>> kTargets{
    {BlockType::email, "joe@example.com"},      {BlockType::email, "a=b c{d}:e@example.com"},
    {BlockType::email, "j\xc3\xb6rg@example.com"}, {BlockType::domain, "example.com"},
    {BlockType::ehlo, "[192.0.2.1]"},           {BlockType::client, "192.0.2.0/24"},
    {BlockType::client, "2001:db8::/32"},       {BlockType::account, "joe"},
    {BlockType::recipient, "bob@example.com"},
};

TEST_CASE("store: blocks of every type are put, listed and removed") {
  on_every_store([](StoreRig& rig) {
    for (const auto& [type, target] : kTargets) put(rig, block_of(type, target));
    CHECK(rig.mirror.blocks().size() == kTargets.size());
    for (const auto& [type, target] : kTargets) {
      CAPTURE(target);
      const Block block = block_of(type, target);
      REQUIRE(rig.mirror.find(block.target) != nullptr);
      CHECK(rig.mirror.find(block.target)->target == block.target);
      CHECK(remove(rig, block.target));
      CHECK(rig.mirror.find(block.target) == nullptr);
      CHECK_FALSE(remove(rig, block.target));
    }
    CHECK(rig.mirror.block_count() == 0);
  });
}

TEST_CASE("store: a block keeps all of its fields") {
  on_every_store([](StoreRig& rig) {
    Block block = block_of(BlockType::domain, "example.com");
    block.direction = BlockDirection::out;
    block.description = "a \"quoted\" reason\nof two lines; \xc3\xa4";
    block.reply = "450 4.7.1 Later";
    block.by = "ann";
    block.created = "2026-11-21T10:00:00Z";
    put(rig, block);
    const auto blocks = rig.mirror.blocks();
    REQUIRE(blocks.size() == 1);
    CHECK(blocks[0].fields() == block.fields());
    CHECK_FALSE(blocks[0].expires.has_value());
  });
}

TEST_CASE("store: a block that is put again is replaced, its duration too") {
  on_every_store([](StoreRig& rig) {
    Block block = block_of(BlockType::email, "joe@example.com");
    block.description = "first";
    block.reply = "450 4.7.1 Later";
    block.expires = rig.clock.wall() + Milliseconds{60'000};
    put(rig, block);
    Block again = block_of(BlockType::email, "joe@example.com");
    again.description = "second";
    put(rig, again);
    rig.clock.advance(Milliseconds{120'000});
    const auto blocks = rig.mirror.blocks();
    REQUIRE(blocks.size() == 1);
    CHECK(blocks[0].description == "second");
    CHECK(blocks[0].reply.empty());
  });
}

TEST_CASE("store: a block runs out") {
  on_every_store([](StoreRig& rig) {
    Block block = block_of(BlockType::email, "joe@example.com");
    block.expires = rig.clock.wall() + Milliseconds{3'600'000};
    put(rig, block);
    BlockSubject subject;
    subject.sender = "joe@example.com";
    // Some seconds of slack: a store with a clock of its own tells the time that is left by that.
    rig.clock.advance(Milliseconds{3'590'000});
    CHECK(rig.mirror.find(subject) != nullptr);
    rig.clock.advance(Milliseconds{20'000});
    CHECK(rig.mirror.find(subject) == nullptr);
    CHECK(rig.mirror.blocks().empty());
    put(rig, block_of(BlockType::email, "joe@example.com"));
    CHECK(rig.mirror.find(subject) != nullptr);
  });
}

TEST_CASE("store: changes of one block asked for side by side take effect in their order") {
  on_every_store([](StoreRig& rig) {
    const Block block = block_of(BlockType::email, "joe@example.com");
    for (int round = 0; round < 20; ++round) {
      Task<Result<void>> first = rig.store->put_block(block);
      Task<Result<bool>> second = rig.store->remove_block(block.target);
      Task<Result<void>> third = rig.store->put_block(block);
      Task<Result<bool>> fourth = rig.store->remove_block(block.target);
      first.start(), second.start(), third.start(), fourth.start();
      rig.loop.turn_until([&] { return first.done() && second.done() && third.done() && fourth.done(); });
      CHECK(rig.mirror.block_count() == 0);
    }
    rig.restart();
    CHECK(rig.mirror.block_count() == 0);
  });
}

TEST_CASE("store: settings are put, merged and removed key by key") {
  on_every_store([](StoreRig& rig) {
    for (const std::string account : {"joe@example.com", "example.com", "default", "a{b}c:d e=f\n\xc3\xa4"}) {
      CAPTURE(account);
      const uint64_t version = rig.mirror.settings_version();
      set(rig, account, "messages", "60/1m, 500/1h");
      set(rig, account, "on_limit", "hold");
      set(rig, account, "messages", "70/1m");
      CHECK(rig.mirror.settings_version() > version);
      CHECK(settings_of(rig, account) == Fields{{"messages", "70/1m"}, {"on_limit", "hold"}});
      CHECK(unset(rig, account, "messages"));
      CHECK_FALSE(unset(rig, account, "messages"));
      CHECK_FALSE(unset(rig, account, "bytes"));
      CHECK(settings_of(rig, account) == Fields{{"on_limit", "hold"}});
      CHECK(unset(rig, account, "on_limit"));
      CHECK(rig.mirror.settings(account) == nullptr);
    }
    CHECK_FALSE(unset(rig, "nobody", "messages"));
    CHECK(rig.mirror.all_settings().empty());
  });
}

TEST_CASE("store: no limit is a setting too") {
  on_every_store([](StoreRig& rig) {
    set(rig, "joe", "messages", "none");
    const AccountSettings* settings = rig.mirror.settings("joe");
    REQUIRE(settings != nullptr);
    REQUIRE(settings->messages.has_value());
    CHECK(settings->messages->empty());
  });
}

TEST_CASE("store: blocks and settings outlive the store, where it is durable") {
  on_every_store([](StoreRig& rig) {
    Block lasting = block_of(BlockType::email, "joe@example.com"), brief = block_of(BlockType::account, "ann");
    lasting.description = "abnormal volume";
    brief.expires = rig.clock.wall() + Milliseconds{3'600'000};
    put(rig, lasting);
    put(rig, brief);
    put(rig, block_of(BlockType::domain, "example.com"));
    CHECK(remove(rig, {BlockType::domain, "example.com"}));
    set(rig, "joe", "messages", "60/1m");
    rig.restart();
    if (!rig.kind.durable) {
      CHECK(rig.mirror.block_count() == 0);
      CHECK(rig.mirror.all_settings().empty());
      return;
    }
    CHECK(rig.mirror.block_count() == 2);
    REQUIRE(rig.mirror.find(lasting.target) != nullptr);
    CHECK(rig.mirror.find(lasting.target)->description == "abnormal volume");
    CHECK(settings_of(rig, "joe") == Fields{{"messages", "60/1m"}});
    rig.clock.advance(Milliseconds{3'610'000});
    CHECK(rig.mirror.find(brief.target) == nullptr);
  });
}

}  // namespace
}  // namespace policyd
