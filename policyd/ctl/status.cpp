// policyctl status: this node, its store, the nodes that share it, the DNS, and what was decided since the start.
#include <algorithm>

#include "policyd/ctl/command.h"
#include "policyd/ctl/table.h"
#include "shared/duration.h"

namespace policyd {

namespace {

std::string describe_seconds(int64_t seconds) {
  return describe_duration(std::chrono::seconds(seconds));
}

std::string store_line(const Json& store) {
  const bool available = member_of(store, "available") == true;
  const std::string detail = text_of(store, "detail");
  const int64_t pending = number_of(store, "pending_merge");
  std::string line = text_of(store, "url") + (available ? ", available" : ", AWAY");
  if (!detail.empty()) line += ": " + detail;
  if (pending > 0)
    line += "; " + std::to_string(pending) + " charges counted here are still to be merged";
  if (const int64_t uncounted = number_of(store, "uncounted"); uncounted > 0)
    line += "; " + std::to_string(uncounted) + " charges it could not count";
  return line;
}

// "1200 look-ups, 87% from the cache (345 names, 120 KiB); 3 not answered in time, 1 failed".
std::string dns_line(const Json& dns) {
  const int64_t lookups = number_of(dns, "lookups");
  std::string line = std::to_string(lookups) + " look-ups";
  if (lookups > 0) line += ", " + std::to_string(100 * number_of(dns, "hits") / lookups) + "% from the cache";
  line += " (" + std::to_string(number_of(dns, "cached")) + " names, " +
          std::to_string((number_of(dns, "cached_octets") + 1023) / 1024) + " KiB); " +
          std::to_string(number_of(dns, "timed_out")) + " not answered in time, " +
          std::to_string(number_of(dns, "failures")) + " failed";
  if (const int64_t refused = number_of(dns, "refused"); refused > 0)
    line += ", " + std::to_string(refused) + " not asked as too many were under way";
  return line;
}

// "1200 entries written"; then what is wrong.
std::string journal_line(const Json& journal) {
  if (member_of(journal, "enabled") == false) return "off";
  std::string line = std::to_string(number_of(journal, "written")) + " entries written";
  if (const int64_t waiting = number_of(journal, "waiting"); waiting > 0)
    line += ", " + std::to_string(waiting) + " waiting";
  if (const int64_t lost = number_of(journal, "lost"); lost > 0)
    line += "; " + std::to_string(lost) + " were too many to wait, and are lost";
  const std::string trouble = text_of(journal, "trouble");
  return trouble.empty() ? line : line + "; CANNOT BE WRITTEN: " + trouble;
}

std::string facts(const Json& status) {
  const std::string connections = std::to_string(number_of(status, "connections")) + " open, " +
                                  std::to_string(number_of(status, "bad_requests")) +
                                  " ended for what they sent";
  return render_facts({{"node", text_of(status, "node")},
                       {"version", text_of(status, "version")},
                       {"up", describe_seconds(number_of(status, "uptime")) + ", since " +
                                  text_of(status, "started")},
                       {"store", store_line(member_of(status, "store"))},
                       {"nodes", text_of(status, "nodes_error")},
                       {"requests", std::to_string(number_of(status, "requests"))},
                       {"connections", connections},
                       {"journal", journal_line(member_of(status, "journal"))},
                       {"dns", dns_line(member_of(status, "dns"))},
                       {"blocks", std::to_string(number_of(status, "blocks"))},
                       {"locks", std::to_string(number_of(status, "locks"))}});
}

std::string verdicts_table(const Json& verdicts) {
  std::vector<Column> columns = {{"VERDICTS"}};
  for (const auto& [action, count] : member_of(verdicts, "incoming").items())
    columns.push_back({action, Align::right});
  Table table(columns);
  for (const auto& [direction, actions] : verdicts.items()) {
    std::vector<std::string> row = {direction};
    for (const auto& [action, count] : actions.items()) row.push_back(count.dump());
    if (row.size() == columns.size()) table.add(std::move(row));
  }
  return table.empty() ? "" : "\n" + table.render(terminal_width());
}

std::string checks_table(const Json& checks) {
  Table table({{"CHECK"}, {"HITS", Align::right}, {"ERRORS", Align::right}});
  for (const auto& [name, counts] : checks.items()) {
    table.add({name, std::to_string(number_of(counts, "hits")),
               std::to_string(number_of(counts, "errors"))});
  }
  return table.empty() ? "" : "\n" + table.render(terminal_width());
}

std::string servers_table(const Json& servers) {
  Table table({{"DNS SERVER"},
               {"TRIES", Align::right},
               {"ANSWERS", Align::right},
               {"SILENT", Align::right},
               {"FAILED", Align::right}});
  for (const auto& [index, server] : servers.items()) {
    const int64_t tries = number_of(server, "tries"), answers = number_of(server, "answers");
    const int64_t silent = std::max<int64_t>(tries - answers, 0);
    table.add({text_of(server, "server"), std::to_string(tries), std::to_string(answers), std::to_string(silent),
               std::to_string(number_of(server, "failures"))});
  }
  return table.empty() ? "" : "\n" + table.render(terminal_width());
}

std::string zones_table(const Json& zones) {
  Table table({{"LIST"},
               {"STATE"},
               {"SINCE"},
               {"LOOKUPS", Align::right},
               {"LISTED", Align::right},
               {"ERRORS", Align::right},
               {"DETAIL"}});
  for (const auto& [index, zone] : zones.items()) {
    const bool bare = text_of(zone, "state") == "good" && member_of(zone, "test_points") == false;
    table.add({text_of(zone, "zone"), text_of(zone, "state"), text_of(zone, "since"),
               std::to_string(number_of(zone, "lookups")), std::to_string(number_of(zone, "listings")),
               std::to_string(number_of(zone, "errors")), bare ? "no test points" : text_of(zone, "detail")});
  }
  return table.empty() ? "" : "\n" + table.render(terminal_width());
}

std::string nodes_table(const Json& nodes) {
  Table table({{"NODE"}, {"VERSION"}, {"UP"}, {"REQUESTS", Align::right}, {"SEEN"}});
  for (const auto& [index, node] : nodes.items()) {
    table.add({text_of(node, "name"), text_of(node, "version"),
               describe_seconds(number_of(node, "uptime")),
               std::to_string(number_of(node, "requests")), text_of(node, "seen")});
  }
  return table.empty() ? "" : "\n" + table.render(terminal_width());
}

std::string render(const Json& status) {
  return facts(status) + verdicts_table(member_of(status, "verdicts")) +
         checks_table(member_of(status, "checks")) + servers_table(member_of(member_of(status, "dns"), "servers")) +
         zones_table(member_of(status, "zones")) + nodes_table(member_of(status, "nodes"));
}

CommandAction declare_status(Arguments&) {
  return [](Session& session) { return session.show(session.get("/v1/status"), render); };
}

constexpr Command kCommands[] = {
    {"", "status", "nodes, store, uptime, requests, verdicts", declare_status},
};

}  // namespace

std::span<const Command> status_commands() {
  return kCommands;
}

}  // namespace policyd
