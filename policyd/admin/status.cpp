// The admin API's status: this node, its store, the nodes that share it, the DNS, and what was decided since the start.
#include <unistd.h>

#include "policyd/admin/resources.h"
#include "policyd/checks/check.h"

namespace policyd {

namespace {

int64_t seconds(Milliseconds duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

Json store_json(const StoreStatus& store) {
  return {{"url", store.url},
          {"available", store.available},
          {"detail", store.detail},
          {"pending_merge", store.pending_merge},
          {"uncounted", store.uncounted}};
}

// An embedded store knows nothing of the node that it is in; a shared one has been told.
NodeInfo named(NodeInfo node, const AdminContext& context) {
  if (!node.name.empty()) return node;
  node.name = context.node;
  node.version = POLICYD_VERSION;
  node.uptime_seconds = seconds(context.clock.wall() - context.started);
  node.requests = static_cast<int64_t>(context.engine.statistics().requests);
  return node;
}

Json node_json(const NodeInfo& node) {
  return {{"name", node.name},         {"id", node.id},
          {"version", node.version},   {"uptime", node.uptime_seconds},
          {"requests", node.requests}, {"seen", format_time(node.seen)}};
}

Json verdicts_json(const EngineStatistics& statistics) {
  Json verdicts = Json::object();
  for (const Direction direction : {Direction::incoming, Direction::outgoing}) {
    Json& actions = verdicts[std::string(direction_name(direction))];
    for (size_t action = 0; action < kActions; ++action) {
      actions[std::string(action_name(static_cast<Action>(action)))] =
          statistics.verdicts[static_cast<size_t>(direction)][action];
    }
  }
  return verdicts;
}

Json causes_json(const EngineStatistics& statistics) {
  Json causes = Json::object();
  for (size_t cause = 0; cause < kCauses; ++cause) {
    causes[std::string(cause_name(static_cast<Cause>(cause)))] = statistics.causes[cause];
  }
  return causes;
}

Json checks_json(const EngineStatistics& statistics) {
  Json checks = Json::object();
  const auto& table = check_table();
  for (size_t i = 0; i < table.size() && i < statistics.checks.size(); ++i) {
    checks[std::string(table[i].spec.name)] = {{"hits", statistics.checks[i].hits},
                                               {"errors", statistics.checks[i].errors}};
  }
  return checks;
}

// `lookups` is what was asked: answered by the cache, by a query that was under way, or by one of its own.
Json dns_json(const ResolverStatus& status) {
  const DnsStatistics& counts = status.counts;
  Json servers = Json::array();
  for (const auto& [server, of] : status.servers) {
    servers.push_back({{"server", server}, {"tries", of.tries}, {"answers", of.answers}, {"failures", of.failures}});
  }
  return {{"lookups", counts.hits + counts.joins + counts.queries + counts.refused},
          {"hits", counts.hits},
          {"joins", counts.joins},
          {"queries", counts.queries},
          {"timed_out", counts.timed_out},
          {"failures", counts.failures},
          {"refused", counts.refused},
          {"in_flight", counts.in_flight},
          {"cached", counts.cached},
          {"cached_octets", counts.cached_octets},
          {"servers", std::move(servers)}};
}

Json journal_json(const JournalStatus& journal) {
  return {{"enabled", journal.enabled},
          {"written", journal.written},
          {"waiting", journal.waiting},
          {"lost", journal.lost},
          {"trouble", journal.trouble}};
}

Json zones_json(const Zones& zones) {
  Json list = Json::array();
  for (const ZoneStatus& zone : zones.status()) {
    list.push_back({{"check", zone.kind == ZoneKind::names ? "rhsbl" : "dnsbl"},
                    {"zone", zone.zone},
                    {"label", zone.label},
                    {"state", zone.suspended ? "suspended" : zone.tested ? "good" : "untested"},
                    {"detail", zone.detail},
                    {"since", zone.suspended || zone.tested ? Json(format_time(zone.since)) : Json()},
                    {"test_points", zone.test_points},
                    {"lookups", zone.lookups},
                    {"listings", zone.listings},
                    {"errors", zone.errors}});
  }
  return list;
}

}  // namespace

Task<ApiAnswer> get_status(const AdminContext& context, const ApiRequest&) {
  const auto asking = context.store.nodes();
  const Result<std::vector<NodeInfo>> nodes = co_await asking;
  const EngineStatistics& statistics = context.engine.statistics();
  const ListenerStatistics listeners = context.listeners();

  Json body = Json::object();
  body["node"] = context.node;
  body["version"] = POLICYD_VERSION;
  body["pid"] = getpid();
  body["started"] = format_time(context.started);
  body["uptime"] = seconds(context.clock.wall() - context.started);
  body["store"] = store_json(context.store.status());
  body["nodes"] = Json::array();
  if (nodes) {
    for (const NodeInfo& node : *nodes) body["nodes"].push_back(node_json(named(node, context)));
  } else {
    body["nodes_error"] = nodes.error().message;
  }
  body["requests"] = statistics.requests;
  body["verdicts"] = verdicts_json(statistics);
  body["causes"] = causes_json(statistics);
  body["checks"] = checks_json(statistics);
  body["dns"] = dns_json(context.dns());
  body["journal"] = journal_json(context.journal.status());
  body["zones"] = zones_json(context.engine.zones());
  body["connections"] = listeners.connections;
  body["bad_requests"] = listeners.bad_requests;
  body["blocks"] = context.mirror.block_count();
  body["locks"] = context.mirror.lock_count();
  Json& admin = body["admin"] = Json::array();
  for (const Endpoint& endpoint : context.engine.config().admin.listen)
    admin.push_back(endpoint.to_string());
  co_return answer(std::move(body));
}

}  // namespace policyd
