#include "policyd/ctl/journal_text.h"

#include <algorithm>

#include "policyd/ctl/table.h"
#include "policyd/ctl/verdict_text.h"

namespace policyd {

namespace {

std::string in_brackets(const std::string& address) { return "<" + address + ">"; }

// The text without the id at its end, which stands elsewhere.
std::string text_without_id(const Json& entry) {
  std::string text = text_of(entry, "text");
  const std::string end = " (" + text_of(entry, "id") + ")";
  if (text.ends_with(end)) text.resize(text.size() - end.size());
  return text;
}

void add_new(std::vector<std::string>& list, const std::string& text) {
  if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

// "score 12: client has no reverse DNS name", "limit messages 60/1m".
std::string reason_of(const Json& entry) {
  const std::string cause = text_of(entry, "cause"), limit = text_of(entry, "limit");
  if (cause == "limit") return limit.empty() ? cause : "limit " + limit;
  std::string reason = cause == "score" ? "score " + std::to_string(number_of(entry, "score")) : cause;
  std::string_view separator = ": ";
  for (const auto& [index, finding] : member_of(entry, "findings").items()) {
    if (member_of(finding, "counted") != true || number_of(finding, "score") <= 0) continue;
    reason.append(std::exchange(separator, ", ")).append(text_of(finding, "check"));
    reason.append(".").append(text_of(finding, "outcome"));
  }
  return reason;
}

Json list_of(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back(text);
  return list;
}

std::string joined(const Json& list, std::string_view separator) {
  std::string all;
  for (const auto& [index, one] : list.items()) {
    if (!one.is_string()) continue;
    all.append(all.empty() ? "" : separator).append(one.get<std::string>());
  }
  return all;
}

}  // namespace

std::string entry_text(const Json& entry, size_t width) {
  const Json& request = member_of(entry, "request");
  std::vector<Fact> facts;
  for (const char* key : {"id", "time", "node"}) facts.push_back({key, text_of(entry, key)});
  for (Fact& fact : verdict_facts(entry)) facts.push_back(std::move(fact));
  if (member_of(entry, "store_away") == true) facts.push_back({"store", "was away: decided by this node alone"});
  std::string out = render_facts(facts) + verdict_tables(entry, width);
  std::vector<Fact> attributes;
  for (const auto& [name, value] : request.items()) {
    const std::string text = text_of(request, name.c_str());
    attributes.push_back({name, text.empty() && name == "sender" ? "<>" : text});
  }
  return attributes.empty() ? out : out + "\n" + render_facts(attributes);
}

std::string entry_line(const Json& entry) {
  const Json& request = member_of(entry, "request");
  std::string line = text_of(entry, "time") + " " + text_of(entry, "id") + " " + text_of(entry, "node") + " " +
                     text_of(entry, "action") + " " + text_of(entry, "cause");
  if (const auto account = name_of(entry, "account"); !account.empty()) line += " account=" + account;
  for (const auto& part : {text_of(request, "client_address"), in_brackets(text_of(request, "sender")),
                           in_brackets(text_of(request, "recipient")), text_without_id(entry)}) {
    if (!part.empty()) line += " " + part;
  }
  return displayable(line) + "\n";
}

void HeldMessages::add(const Json& entry) {
  const Json& queued = member_of(entry, "queued");
  if (queued.is_object()) {
    const Key key{text_of(entry, "node"), text_of(queued, "instance")};
    const auto message = messages_.find(key);
    (message == messages_.end() ? queue_ids_[key] : message->second.queue_id) = text_of(queued, "queue_id");
    return;
  }
  const Json& request = member_of(entry, "request");
  const std::string instance = text_of(request, "instance");
  const Key key{text_of(entry, "node"), instance.empty() ? text_of(entry, "id") : instance};
  const auto [at, is_new] = messages_.try_emplace(key);
  Message& message = at->second;
  if (is_new) {
    message.time = text_of(entry, "time");
    message.sender = text_of(request, "sender");
    message.account = text_of(entry, "account");
    if (const auto known = queue_ids_.find(key); known != queue_ids_.end()) message.queue_id = known->second;
    order_.push_back(key);
  }
  if (message.queue_id.empty()) message.queue_id = text_of(request, "queue_id");
  add_new(message.ids, text_of(entry, "id"));
  add_new(message.recipients, text_of(request, "recipient"));
  add_new(message.reasons, reason_of(entry));
}

Json HeldMessages::to_json() const {
  Json held = Json::array();
  for (const Key& key : order_) {
    const Message& message = messages_.at(key);
    held.push_back({{"queue_id", message.queue_id.empty() ? Json() : Json(message.queue_id)},
                    {"time", message.time},
                    {"node", key.first},
                    {"account", message.account.empty() ? Json() : Json(message.account)},
                    {"sender", message.sender},
                    {"recipients", list_of(message.recipients)},
                    {"reasons", list_of(message.reasons)},
                    {"ids", list_of(message.ids)}});
  }
  return {{"held", std::move(held)}};
}

std::string held_text(const Json& answer, size_t width) {
  Table table({{"QUEUE ID"}, {"TIME"}, {"NODE"}, {"WHY"}, {"SENDER"}, {"RECIPIENTS"}, {"REASON"}});
  for (const auto& [index, message] : member_of(answer, "held").items()) {
    const Json& recipients = member_of(message, "recipients");
    const std::string more = recipients.size() > 1 ? " and " + std::to_string(recipients.size() - 1) + " more" : "";
    const Json first = recipients.empty() ? Json::array() : Json::array({recipients[0]});
    const std::string queue_id = text_of(message, "queue_id");
    const Json& ids = member_of(message, "ids");
    table.add({queue_id.empty() ? "-" : queue_id, text_of(message, "time"), text_of(message, "node"),
               ids.empty() ? "" : joined(Json::array({ids[0]}), ""), in_brackets(text_of(message, "sender")),
               in_brackets(joined(first, "")) + more, joined(member_of(message, "reasons"), "; ")});
  }
  if (table.empty()) return "nothing was held\n";
  return table.render(width) +
         "\nOn the node, `postcat -q QUEUE_ID` shows a message, `postsuper -H QUEUE_ID` releases it,\n"
         "`postsuper -d QUEUE_ID` deletes it; `postqueue -p` marks with ! what is still held.\n";
}

}  // namespace policyd
