#include "policyd/async/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace policyd {

namespace {

// Whatever a library has opened without O_CLOEXEC is not the program's. A descriptor that another thread opens from now
// on is opened with it: policyd's own are.
void keep_descriptors_to_ourselves() {
#ifdef SYS_close_range
  constexpr unsigned kCloseOnExec = 1U << 2;  // CLOSE_RANGE_CLOEXEC
  if (syscall(SYS_close_range, STDERR_FILENO + 1U, ~0U, kCloseOnExec) == 0) return;
#endif
  const long most = sysconf(_SC_OPEN_MAX);  // a kernel before 5.11
  for (int fd = STDERR_FILENO + 1; fd < std::min(most, 65536L); ++fd) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags >= 0) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
  }
}

template <class Handle>
uv_handle_t* as_handle(Handle& handle) {
  return reinterpret_cast<uv_handle_t*>(&handle);
}

}  // namespace

// Freed when the last of the three is closed. `owner` is null once nobody wants to know any more; the process is
// watched to its end all the same, so that it leaves no zombie.
struct Process::Handles {
  uv_process_t process{};
  uv_pipe_t input{}, errors{};
  uv_write_t writing{};
  std::string to_write;
  Process* owner = nullptr;
  int open = 0;
  std::array<char, 4096> buffer{};

  static Handles* of(void* data) { return static_cast<Handles*>(data); }
  uv_stream_t* stream(uv_pipe_t& pipe) { return reinterpret_cast<uv_stream_t*>(&pipe); }

  void close(uv_handle_t* handle) {
    if (uv_is_closing(handle) != 0) return;
    uv_close(handle, [](uv_handle_t* closed) {
      Handles* const self = of(closed->data);
      if (--self->open == 0) delete self;
    });
  }
  void close_all() {
    close(as_handle(input));
    close(as_handle(errors));
    close(as_handle(process));
  }
  // Writes the input, and keeps what comes back.
  void talk() {
    const uv_buf_t whole = uv_buf_init(to_write.data(), static_cast<unsigned>(to_write.size()));
    const auto written = [](uv_write_t* request, int) {
      Handles* const self = of(request->data);
      self->close(as_handle(self->input));
    };
    if (uv_write(&writing, stream(input), &whole, 1, written) != 0) close(as_handle(input));
    uv_read_start(
        stream(errors),
        [](uv_handle_t* pipe, size_t, uv_buf_t* into) {
          Handles* const self = of(pipe->data);
          *into = uv_buf_init(self->buffer.data(), static_cast<unsigned>(self->buffer.size()));
        },
        [](uv_stream_t* pipe, ssize_t count, const uv_buf_t* octets) {
          Handles* const self = of(pipe->data);
          if (count < 0) {
            uv_read_stop(pipe);
          } else if (self->owner) {
            self->owner->keep(octets->base, static_cast<size_t>(count));
          }
        });
  }
  // The program and all that it has started.
  void kill_group(int signal) const {
    if (process.pid > 0) kill(-process.pid, signal);
  }
};

Process::Process(uv_loop_t* loop, const std::vector<std::string>& command, std::string input, Milliseconds limit)
    : handles_(new Handles), input_(std::move(input)), limit_(limit), timer_(loop, [this] {
        if (asked_) return handles_->kill_group(SIGKILL);
        end_.timed_out = true;
        terminate();
      }) {
  start(loop, command);
}

Process::~Process() {
  if (!handles_) return;
  handles_->owner = nullptr;
  handles_->kill_group(SIGKILL);
  uv_ref(as_handle(handles_->process));  // its end is near, and is waited for
}

// What libuv still has of it goes by itself.
void Process::let_go() {
  handles_->owner = nullptr;
  handles_->close_all();
  handles_ = nullptr;
  over_ = true;
}

void Process::start(uv_loop_t* loop, const std::vector<std::string>& command) {
  Handles& h = *handles_;
  h.owner = this;
  h.to_write = std::move(input_);
  for (uv_pipe_t* pipe : {&h.input, &h.errors}) uv_pipe_init(loop, pipe, 0);
  h.process.data = h.input.data = h.errors.data = h.writing.data = &h;
  h.open = 3;

  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  uv_stdio_container_t standard[3] = {};
  standard[0].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_READABLE_PIPE);
  standard[0].data.stream = h.stream(h.input);
  standard[1].flags = UV_IGNORE;
  standard[2].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
  standard[2].data.stream = h.stream(h.errors);
  uv_process_options_t options{};
  options.file = arguments[0];
  options.args = arguments.data();
  options.stdio = standard;
  options.stdio_count = 3;
  options.flags = UV_PROCESS_DETACHED;
  options.exit_cb = [](uv_process_t* process, int64_t status, int signal) {
    Handles* const self = Handles::of(process->data);
    Process* const owner = self->owner;
    if (owner) return owner->exited(status, signal);
    self->close_all();
  };
  keep_descriptors_to_ourselves();
  if (const int failed = uv_spawn(loop, &h.process, &options); failed != 0) {
    end_.trouble = uv_strerror(failed);
    return let_go();
  }
  for (uv_handle_t* const handle : {as_handle(h.process), as_handle(h.input), as_handle(h.errors)}) uv_unref(handle);
  timer_.once(limit_);
  h.talk();
}

void Process::keep(const char* octets, size_t count) {
  stderr_.append(octets, std::min(count, kLongestSaid - stderr_.size()));
}

void Process::end() {
  if (over_ || asked_) return;
  end_.ended_early = true;
  terminate();
}

void Process::terminate() {
  asked_ = true;
  handles_->kill_group(SIGTERM);
  timer_.once(kGrace);
}

// What it said last may still be in the pipe, which others that it has started may hold open.
void Process::exited(int64_t status, int signal) {
  timer_.stop();
  if (asked_) handles_->kill_group(SIGKILL);  // those of its group that stay
  uv_os_fd_t fd = -1;
  if (uv_fileno(as_handle(handles_->errors), &fd) == 0) {
    ssize_t count = 0;
    while (stderr_.size() < kLongestSaid && (count = read(fd, handles_->buffer.data(), handles_->buffer.size())) > 0) {
      keep(handles_->buffer.data(), static_cast<size_t>(count));
    }
  }
  end_.exit_status = status;
  end_.signal = signal;
  end_.said = stderr_.substr(0, stderr_.find('\n'));
  let_go();
  if (const auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();  // may free this
}

}  // namespace policyd
