#include "policyd/session.h"

#include "policyd/reply.h"
#include "shared/log_line.h"

namespace policyd {

namespace {

// More than Postfix can ever have in the air on one connection: it sends one request at a time.
constexpr size_t kMostUnread = 2 * kMaximumRequest;
constexpr size_t kMostUnsent = 64 * 1024;
constexpr size_t kMostSpare = 64;

bool wants_line(const Config::Log& log, const Verdict& verdict) {
  if (log.verdicts == "all") return true;
  return log.verdicts == "refused" && verdict.action != Action::dunno && verdict.action != Action::prepend;
}

// `line` is scratch: kept from one verdict to the next.
void log_verdict(const Config& config, const Request& request, const Verdict& verdict, std::string& line) {
  if (!wants_line(config.log, verdict) || !logs(LogLevel::info)) return;
  line.clear();
  append_log_line(line, request, verdict);
  log_line(LogLevel::info, line);
}

}  // namespace

Session::Session(SessionContext& context, const std::string& listener)
    : context_(context), listener_(listener), stream_(context.streams, *this) {
  ++context_.statistics.connections;
  ++context_.statistics.accepted;
}

Session::~Session() { --context_.statistics.connections; }

void Session::start() {
  if (!stream_.start()) return context_.ended(*this);
  spawn(run());
}

Task<void> Session::run() {
  for (;;) {
    const auto step = request_ ? reader_.next(*request_) : RequestReader::Step::incomplete;
    if (!step) {
      bad_input(step.error().message);
      break;
    }
    if (*step == RequestReader::Step::complete) {
      half_since_.reset();
      deciding_ = true;
      const auto deciding = context_.engine.decide(*request_, &transaction_);
      const Verdict verdict = co_await deciding;
      deciding_ = false;
      if (!answer(verdict)) break;
      continue;
    }
    if (draining_) break;
    prepare_to_wait();
    auto readable = stream_.readable();
    if (!co_await readable) {
      end_of_stream();
      // A session that ends for reasons of its own says nothing of the message: Postfix asks on, wherever it can.
      if (!draining_) context_.engine.end(transaction_);
      break;
    }
  }
  context_.ended(*this);
}

// False: the peer does not deserve to be heard any more.
bool Session::answer(const Verdict& verdict) {
  log_verdict(context_.engine.config(), *request_, verdict, context_.line);
  stream_.send(reply_to(verdict));
  if (stream_.unsent() <= kMostUnsent) return true;
  bad_input("sends requests but does not read the replies");
  return false;
}

void Session::prepare_to_wait() {
  if (reader_.pending() == 0) {
    half_since_.reset();
    release_request();
  } else if (!half_since_) {
    half_since_ = context_.clock.steady();
  }
  if (std::exchange(paused_, false)) stream_.resume();
}

void Session::end_of_stream() {
  if (!half_since_ || draining_) return;
  const bool given_up = context_.clock.steady() - *half_since_ >= kHalfRequestTimeout;
  bad_input((given_up ? "half a request for a minute, " : "ended within a request, after ") +
            std::to_string(reader_.pending()) + " octets of it");
}

void Session::release_request() {
  if (!request_) return;
  reader_.give_back(*request_);
  request_->clear();
  if (context_.spare.size() < kMostSpare) context_.spare.push_back(std::move(request_));
  request_ = nullptr;
}

void Session::received(std::string_view octets) {
  if (!request_) {
    if (context_.spare.empty()) context_.spare.push_back(std::make_unique<Request>());
    request_ = std::move(context_.spare.back());
    context_.spare.pop_back();
    reader_.borrow(*request_);
  }
  reader_.feed(octets);
  if (deciding_ && reader_.pending() > kMostUnread) {
    paused_ = true;
    stream_.pause();
  }
}

void Session::drain() {
  draining_ = true;
  if (!deciding_) stream_.end_after_arrived();
}

void Session::give_up_half_request(SteadyTime now) {
  if (half_since_ && now - *half_since_ >= kHalfRequestTimeout) stream_.end();
}

void Session::bad_input(const std::string& reason) {
  ++context_.statistics.bad_requests;
  log_warning("{}: connection from {} closed: {}", listener_, stream_.peer(), reason);
}

}  // namespace policyd
