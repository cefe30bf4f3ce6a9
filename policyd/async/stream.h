// Connected streams (TCP or unix) as a coroutine sees them, over libuv.
//
// Reading is a push: octets go to the sink that the owner gave, and `co_await readable()` waits until some have come or
// the stream ended. What is ready in one turn of the loop is dealt with in groups of some streams: all are read, then
// their readers go on, then what they have sent is written, one write for each stream. So the code of each step, which
// is more than the processor's first cache holds, is fetched once a group; and the peers are not woken one by one while
// there is still work, which on a busy server costs more than the work itself. All streams of a loop read into one
// shared buffer, so an idle connection costs no buffer. A libuv handle is freed in its close callback only.
#pragma once

#include <uv.h>

#include <coroutine>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/async/turn.h"
#include "shared/result.h"

namespace policyd {

class Stream;

// What the streams of one loop share; outlives them.
class Streams {
 public:
  explicit Streams(uv_loop_t* loop) : loop_(loop), end_of_turn_(loop, [this] { go_on(); }) {}

 private:
  friend class Stream;
  static constexpr size_t kBufferSize = 64 * 1024;
  static constexpr size_t kGroup = 24;
  void go_on();
  void wake_all();
  void send_all();

  uv_loop_t* loop_;
  std::unique_ptr<char[]> buffer_ = std::make_unique<char[]>(kBufferSize);
  std::vector<Stream*> to_wake_;  // have octets for their readers; null: gone meanwhile
  std::vector<Stream*> to_send_;  // have something to send; null: gone meanwhile
  EachTurn end_of_turn_;
};

class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void received(std::string_view octets) = 0;
};

class Stream {
 public:
  // Both outlive the stream.
  Stream(Streams& streams, StreamSink& sink) : streams_(streams), sink_(sink) {}
  ~Stream();  // sends what is still to be sent, as far as the kernel takes it
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Takes the next connection of a listening TCP or pipe handle. The Error is libuv's reason.
  Result<void> accept(uv_stream_t* server);

  // Starts reading. Octets and the end are told from the loop, never from within this call.
  Result<void> start();
  // Stops and goes on: for a peer that sends more than its due.
  void pause();
  void resume();

  // Ends the stream as seen by the reader: a waiting readable() wakes and yields false.
  void end();

  // The same, once the sink has been given what the peer had sent until now.
  void end_after_arrived();

  // True: octets have come since the last call. False: the stream has ended (the peer closed, an error, end()).
  struct Readable {
    Stream& stream;
    bool await_ready() const noexcept { return stream.fresh_ || stream.ended_; }
    void await_suspend(std::coroutine_handle<> reader) const noexcept { stream.reader_ = reader; }
    bool await_resume() const noexcept {
      const bool fresh = stream.fresh_;
      stream.fresh_ = false;
      return fresh;
    }
  };
  Readable readable() { return Readable{*this}; }

  // Sends all of `octets` by the end of this turn: in one write where the kernel takes it, else in the background in
  // order. A stream that is broken ends.
  void send(std::string_view octets);
  // "192.0.2.1:4711", "[2001:db8::1]:4711", or "a unix socket".
  [[nodiscard]] std::string peer() const;
  // Octets sent that the kernel has not taken yet.
  [[nodiscard]] size_t unsent() const;

 private:
  static void on_allocate(uv_handle_t* handle, size_t suggested, uv_buf_t* into);
  static void on_read(uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer);
  void wake();
  bool write();

  friend class Streams;
  Streams& streams_;
  StreamSink& sink_;
  uv_any_handle* handle_ = nullptr;  // owned by libuv until its close callback
  std::coroutine_handle<> reader_;
  std::string out_;  // to be sent at the end of this turn
  bool fresh_ = false;
  bool ended_ = false;
};

}  // namespace policyd
