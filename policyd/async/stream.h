// One connected stream (TCP or unix) as a coroutine sees it, over libuv.
//
// Reading is a push: octets go to the sink that the owner gave, and `co_await readable()` waits until some have come or the stream ended.
// All streams of a loop read into one shared buffer, so an idle connection costs no buffer. The libuv handle is freed in its
// close callback only, wherever the Stream itself has gone by then.
#pragma once

#include <uv.h>

#include <coroutine>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "shared/result.h"

namespace policyd {

// The read buffer shared by all streams of one loop; outlives them.
struct ReadBuffer {
  std::unique_ptr<char[]> octets = std::make_unique<char[]>(kSize);
  static constexpr size_t kSize = 64 * 1024;
};

class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void received(std::string_view octets) = 0;
};

class Stream {
 public:
  // `sink` and `buffer` outlive the stream.
  Stream(uv_loop_t* loop, StreamSink& sink, ReadBuffer& buffer) : loop_(loop), sink_(sink), buffer_(buffer) {}
  ~Stream();
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

  // Sends all of `octets`, in one write where the kernel takes it, else in the background in order. False: the stream is broken.
  bool write(std::string_view octets);
  // "192.0.2.1:4711", "[2001:db8::1]:4711", or "a unix socket".
  [[nodiscard]] std::string peer() const;
  // Octets that the peer has not taken yet.
  [[nodiscard]] size_t unsent() const;

 private:
  static void on_allocate(uv_handle_t* handle, size_t suggested, uv_buf_t* into);
  static void on_read(uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer);
  void wake();

  uv_loop_t* loop_;
  StreamSink& sink_;
  ReadBuffer& buffer_;
  uv_any_handle* handle_ = nullptr;  // owned by libuv until its close callback
  std::coroutine_handle<> reader_;
  bool fresh_ = false;
  bool ended_ = false;
};

}  // namespace policyd
