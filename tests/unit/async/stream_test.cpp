// A connected stream on a real unix socket: what comes in, what goes out, and how it ends.
#include "policyd/async/stream.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "policyd/async/task.h"
#include "tests/support/unix_peers.h"

using namespace policyd;
using test::turn_until;

namespace {

// A stream that is read to its end by a task, and the peer at its other side.
struct Rig final : StreamSink {
  Rig() {
    peer = std::make_unique<test::Peer>(server.path());
    turn_until(loop, [this] { return stream != nullptr; });
  }
  ~Rig() override { stream.reset(); }

  void accept(uv_stream_t* from) {
    stream = std::make_unique<Stream>(streams, *this);
    REQUIRE(stream->accept(from).ok());
    REQUIRE(stream->start().ok());
    reading.emplace(read());
    reading->start();
  }
  Task<void> read() {
    bool more = true;
    while (more) {
      auto readable = stream->readable();
      more = co_await readable;
      wakes.push_back(more);
      if (on_wake) on_wake();
      if (!stream) co_return;
    }
  }
  void received(std::string_view octets) override { in += octets; }
  [[nodiscard]] bool ended() const { return reading->done(); }

  test::TestLoop loop;
  Streams streams{loop};
  std::optional<Task<void>> reading;
  std::unique_ptr<Stream> stream;
  std::string in;
  std::vector<bool> wakes;  // what readable() yielded
  std::function<void()> on_wake;
  test::UnixServer server{loop, [this](uv_stream_t* from) { accept(from); }};
  std::unique_ptr<test::Peer> peer;
};

// Different at every place, so that nothing can be lost, doubled or swapped unseen.
std::string pattern(size_t size) {
  std::string text;
  for (uint32_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ",";
  text.resize(size);
  return text;
}

}  // namespace

TEST_CASE("stream: octets come in whatever pieces they are sent") {
  Rig rig;
  std::string sent;
  for (const char* piece : {"protocol_", "s", "tate=RCPT\n", "\n", "request"}) {
    rig.peer->send(piece);
    sent += piece;
    turn_until(rig.loop, [&] { return rig.in.size() == sent.size(); });
    CHECK(rig.in == sent);
  }
  CHECK_FALSE(rig.ended());
}

TEST_CASE("stream: far more octets than one read takes come whole and in order") {
  Rig rig;
  const std::string sent = pattern(1'000'000);
  rig.peer->send(sent);
  turn_until(rig.loop, [&] { return rig.ended() || (rig.peer->flush() && rig.in.size() >= sent.size()); });
  CHECK((rig.in == sent));
}

TEST_CASE("stream: what is sent goes out in order, in the same turn") {
  Rig rig;
  rig.on_wake = [&] {
    rig.stream->send("action=");
    rig.stream->send("DUNNO\n\n");
  };
  rig.peer->send("?");
  turn_until(rig.loop, [&] { return !rig.peer->received().empty(); });
  CHECK(rig.peer->received() == "action=DUNNO\n\n");
  CHECK(rig.stream->unsent() == 0);
}

TEST_CASE("stream: a peer that does not read gets all of it later, and in order") {
  Rig rig;
  const std::string much = pattern(3'000'000);
  for (size_t at = 0; at < much.size(); at += 100'000) rig.stream->send(std::string_view(much).substr(at, 100'000));
  rig.stream->send("and ");
  rig.stream->send("the end");
  test::settle(rig.loop);
  CHECK(rig.stream->unsent() > 1'000'000);
  CHECK_FALSE(rig.ended());
  turn_until(rig.loop, [&] { return rig.peer->received().size() >= much.size() + 11; });
  CHECK((rig.peer->received() == much + "and the end"));
  turn_until(rig.loop, [&] { return rig.stream->unsent() == 0; });
}

TEST_CASE("stream: octets of a peer that then closes are read first, then the end") {
  Rig rig;
  rig.peer->send("last words");
  rig.peer->close();
  turn_until(rig.loop, [&] { return rig.ended(); });
  CHECK(rig.in == "last words");
  CHECK(rig.wakes == std::vector<bool>{true, false});
}

TEST_CASE("stream: a peer that closes without a word ends it") {
  Rig rig;
  rig.peer->close();
  turn_until(rig.loop, [&] { return rig.ended(); });
  CHECK(rig.wakes == std::vector<bool>{false});
}

TEST_CASE("stream: a peer that only ended its side still reads what is sent") {
  Rig rig;
  rig.on_wake = [&] {
    if (rig.wakes.back()) rig.stream->send("answer");
  };
  rig.peer->send("question");
  rig.peer->end_of_sending();
  turn_until(rig.loop, [&] { return rig.ended() && !rig.peer->received().empty(); });
  CHECK(rig.peer->received() == "answer");
}

TEST_CASE("stream: sending to a peer that is gone ends it") {
  Rig rig;
  rig.stream->pause();  // so that only the writing can notice
  rig.peer->close();
  rig.stream->send("into the void");
  turn_until(rig.loop, [&] { return rig.ended(); });
  CHECK(rig.wakes == std::vector<bool>{false});
}

TEST_CASE("stream: a peer that leaves while much is still to be sent ends it") {
  Rig rig;
  rig.stream->send(pattern(3'000'000));
  test::settle(rig.loop);
  CHECK(rig.stream->unsent() > 0);
  rig.peer->close();
  turn_until(rig.loop, [&] { return rig.ended(); });
}

TEST_CASE("stream: paused it takes nothing, resumed all that has come meanwhile") {
  Rig rig;
  rig.stream->pause();
  rig.peer->send("patience");
  test::settle(rig.loop);
  CHECK(rig.in.empty());
  rig.stream->resume();
  turn_until(rig.loop, [&] { return !rig.in.empty(); });
  CHECK(rig.in == "patience");
  CHECK_FALSE(rig.ended());
}

TEST_CASE("stream: end() wakes the reader, and nothing is read any more") {
  Rig rig;
  rig.stream->end();
  CHECK(rig.ended());
  CHECK(rig.wakes == std::vector<bool>{false});
  rig.stream->end();
  rig.stream->resume();
  rig.peer->send("too late");
  test::settle(rig.loop);
  CHECK(rig.in.empty());
}

TEST_CASE("stream: destroyed, it first sends what it was given in this turn") {
  Rig rig;
  rig.stream->send("goodbye");
  rig.reading.reset();
  rig.stream.reset();
  CHECK(rig.peer->received() == "goodbye");
  CHECK(rig.peer->ended());
}

TEST_CASE("stream: its reader may destroy it") {
  for (const bool by_peer : {false, true}) {
    CAPTURE(by_peer);
    Rig rig;
    rig.on_wake = [&] {
      rig.stream->send("goodbye");
      rig.stream.reset();
    };
    if (by_peer) {
      rig.peer->send("go");
      turn_until(rig.loop, [&] { return rig.stream == nullptr; });
    } else {
      rig.stream->end();
    }
    CHECK(rig.peer->received() == "goodbye");
    CHECK(rig.peer->ended());
    CHECK(rig.ended());
  }
}

TEST_CASE("stream: destroyed while the kernel has not taken all, it leaves nothing behind") {
  Rig rig;  // fails if a handle or a request is left on the loop
  rig.stream->send(pattern(3'000'000));
  test::settle(rig.loop);
  CHECK(rig.stream->unsent() > 0);
  rig.reading.reset();
  rig.stream.reset();
}

TEST_CASE("stream: one of several of a turn may end the others") {
  Rig rig;
  std::vector<std::unique_ptr<Stream>> others;
  test::UnixServer server{rig.loop, [&](uv_stream_t* from) {
                            others.push_back(std::make_unique<Stream>(rig.streams, rig));
                            REQUIRE(others.back()->accept(from).ok());
                            REQUIRE(others.back()->start().ok());
                          }};
  test::Peer one(server.path()), another(server.path());
  turn_until(rig.loop, [&] { return others.size() == 2; });
  for (auto& other : others) other->send("hello");
  rig.on_wake = [&] { others.clear(); };
  rig.peer->send("stop them");
  one.send("x");
  another.send("x");
  turn_until(rig.loop, [&] { return others.empty(); });
  CHECK(one.received() == "hello");
  CHECK(another.received() == "hello");
  CHECK(one.ended());
  CHECK(another.ended());
}

TEST_CASE("stream: a unix socket has no address to name its peer by") {
  Rig rig;
  CHECK(rig.stream->peer() == "a unix socket");
}
