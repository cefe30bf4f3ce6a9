// policyctl top: the busiest accounts and how much of each limit they have used; live on a terminal.
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <memory>

#include "policyd/ctl/command.h"
#include "policyd/ctl/screen.h"
#include "policyd/ctl/usage_text.h"
#include "shared/admin_api.h"

namespace policyd {

namespace {

constexpr size_t kHeading = 2;  // lines above the table, and one is the table's own

std::string path_of(int limit) { return "/v1/top?limit=" + std::to_string(limit); }

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
}

std::string heading(const Json& answer) {
  const size_t accounts = member_of(answer, "accounts").size();
  return fmt::format("{}  the busiest accounts of {}: {}  (q ends)\n\n", time_of_day(),
                     displayable(text_of(answer, "node")), accounts);
}

std::string page(const Answer& answer, const ScreenSize& size) {
  if (!answer.ok()) return time_of_day() + "  " + displayable(answer.error) + "\n\nq ends\n";
  const size_t rows = size.rows > kHeading + 1 ? size.rows - kHeading - 1 : 1;
  return heading(answer.json) + render_top(member_of(answer.json, "accounts"), size.columns, rows, wants_colours());
}

// While policyd cannot be reached that is what is shown: it may come back. The screen is taken once there is something
// to be shown; from then on a key or a signal ends an answer's waiting, and what is shown stays.
int watch(Session& session, int limit, Milliseconds period) {
  using Steady = std::chrono::steady_clock;
  Answer answer = session.get(path_of(limit));
  const Screen screen;
  session.give_up_when(Screen::called);
  Steady::time_point due = Steady::now() + period;
  for (;;) {
    if (!Screen::draw(page(answer, Screen::size()))) return kRefused;
    const auto left = std::chrono::duration_cast<Milliseconds>(due - Steady::now());
    char key = 0;
    const Screen::Why why = screen.wait(std::max(left, Milliseconds{0}), key);
    if (why == Screen::Why::ended || (why == Screen::Why::key && (key == 'q' || key == 'Q'))) return kDone;
    if (why == Screen::Why::resized || (why == Screen::Why::key && key != ' ')) continue;
    Answer next = session.get(path_of(limit));
    if (next.given_up) continue;
    answer = std::move(next);
    due = Steady::now() + period;
  }
}

CommandAction declare_top(Arguments& takes) {
  struct Given {
    int limit = 100;
    double every = 2;
    bool once = false;
  };
  const auto given = std::make_shared<Given>();
  takes.number("--limit", given->limit, {1, kMostListed}, "at most so many accounts").shows_default();
  takes.number("--every", given->every, {0.1, 3600.0}, "seconds between two looks").shows_default();
  takes.flag("--once", given->once, "show it once and end, as without a terminal");
  return [given](Session& session) {
    if (!given->once && !session.options().json && Screen::possible()) {
      return watch(session, given->limit, Milliseconds{static_cast<int64_t>(given->every * 1000)});
    }
    return session.show(session.get(path_of(given->limit)), [](const Json& answer) {
      return render_top(member_of(answer, "accounts"), terminal_width(), 0, wants_colours());
    });
  };
}

constexpr Command kCommands[] = {
    {"", "top", "the busiest accounts, live: those nearest to a limit first", declare_top},
};

}  // namespace

std::span<const Command> top_commands() {
  return kCommands;
}

}  // namespace policyd
