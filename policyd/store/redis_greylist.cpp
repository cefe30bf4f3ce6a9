#include "policyd/store/redis_greylist.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "policyd/store/redis_scripts.h"
#include "shared/log_line.h"
#include "shared/text.h"

namespace policyd {

namespace {

using Outcome = GreylistResult::Outcome;

// As the script says them.
constexpr std::array<std::pair<std::string_view, Outcome>, 5> kOutcomes = {{
    {"first", Outcome::first},
    {"early", Outcome::early},
    {"passed", Outcome::passed},
    {"known", Outcome::known},
    {"allowed", Outcome::allowed},
}};

std::string number(int64_t value) { return std::to_string(value); }

// {outcome, ms to wait, 1 if repeated, when it began}; what is not there is 0.
GreylistResult result_of(const RedisReply& reply) {
  const auto integer = [&reply](size_t at) { return at < reply.elements.size() ? reply.elements[at].integer : 0; };
  GreylistResult result;
  for (const auto& [name, outcome] : kOutcomes) {
    if (!reply.elements.empty() && reply.elements.front().text == name) result.outcome = outcome;
  }
  result.wait = Milliseconds(integer(1));
  result.repeated = integer(2) != 0;
  result.begun = WallTime(Milliseconds(integer(3)));
  return result;
}

}  // namespace

Task<GreylistResult> RedisGreylist::ask(const GreylistAttempt& attempt) {
  const auto running = run_script(attempt);
  const auto reply = co_await running;
  if (!reply) co_return GreylistResult{};  // the connection is gone, and has said so
  note(*reply);
  co_return reply->is_error() ? GreylistResult{} : result_of(*reply);
}

// One line where the trouble begins and one where it ends.
void RedisGreylist::note(const RedisReply& reply) {
  const bool failed_before = std::exchange(failing_, reply.is_error());
  if (failing_ && !failed_before) {
    log_error("store {}: the greylist cannot be asked, and mail passes without: {}; further ones are not logged",
              store_, reply.text);
  } else if (failed_before && !failing_) {
    log_info("store {}: the greylist is asked again", store_);
  }
}

Task<Result<RedisReply>> RedisGreylist::run_script(const GreylistAttempt& attempt) {
  const std::string client = keys_.grey_client(attempt.client),
                    triplet = keys_.grey(attempt.client, attempt.sender, attempt.recipient);
  const std::string block = number(attempt.block.count()), pass = number(attempt.pass.count());
  const std::string record = number(attempt.record.count()), auto_allow = number(attempt.auto_allow);
  const std::string message = attempt.instance.empty() ? "" : fmt::format("{:016x}", stable_hash(attempt.instance));
  for (bool again = false; connection_; again = true) {
    if (sha_.empty()) {
      const auto loading = load_script();
      if (auto loaded = co_await loading; !loaded) co_return loaded.error();
      if (!connection_) break;
    }
    auto call = connection_->send(
        {"EVALSHA", sha_, "2", client, triplet, block, pass, record, auto_allow, message, attempt.dry_run ? "1" : "0"});
    auto reply = co_await call;
    if (!reply || reply->error_word() != "NOSCRIPT" || again) co_return reply;
    sha_.clear();
  }
  co_return Error{"the connection is gone"};
}

Task<Result<void>> RedisGreylist::load_script() {
  auto call = connection_->send({"SCRIPT", "LOAD", kGreylistScript});
  auto reply = co_await call;
  if (!reply) co_return reply.error();
  if (reply->is_error()) co_return Error{reply->text};
  sha_ = reply->text;
  co_return Result<void>();
}

}  // namespace policyd
