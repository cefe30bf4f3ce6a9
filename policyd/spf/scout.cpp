#include "policyd/spf/scout.h"

#include <algorithm>

#include "policyd/spf/spf.h"

namespace policyd {

void SpfScout::survey(std::span<const SpfDirective> directives, std::string_view redirect, std::string_view domain,
                      int most) {
  most_ = most;
  look_at(directives, redirect, domain);
}

void SpfScout::look_at(std::span<const SpfDirective> directives, std::string_view redirect, std::string_view domain) {
  for (const SpfDirective& directive : directives) {
    if (directive.matches_at_once(values_.client)) return;
    if (!directive.asks_dns()) continue;
    if (terms_++ >= most_) return;
    visit(directive, domain);
  }
  if (redirect.empty() || uses_macro(redirect, 'p') || terms_++ >= most_) return;
  values_.domain = domain;
  if (auto target = target_name(redirect, values_)) keep(read_record(std::move(*target)));
}

void SpfScout::visit(const SpfDirective& directive, std::string_view domain) {
  if (directive.mechanism == SpfMechanism::ptr) return keep(ask_hosts(reverse_name(values_.client), DnsType::ptr));
  // What %{p} stands for takes look-ups of its own.
  if (uses_macro(directive.domain_spec, 'p')) return;
  values_.domain = domain;
  auto target = target_name(directive.domain_spec, values_);
  if (!target) return;
  switch (directive.mechanism) {
    case SpfMechanism::a: return ask_address(*target);
    case SpfMechanism::exists: return ask(*target, DnsType::a);
    case SpfMechanism::mx: return keep(ask_hosts(std::move(*target), DnsType::mx));
    case SpfMechanism::include: return keep(read_record(std::move(*target)));
    default: return;
  }
}

// A query that is on its way stays there when the look-up is dropped.
void SpfScout::ask(const std::string& name, DnsType type) { const DnsLookup dropped = resolver_.query(name, type); }

void SpfScout::ask_address(const std::string& host) {
  if (!host.empty()) ask(host, values_.client.v6 ? DnsType::aaaa : DnsType::a);
}

Task<void> SpfScout::ask_hosts(std::string name, DnsType type) {
  auto lookup = resolver_.query(name, type);
  const DnsAnswerPtr answer = co_await lookup;
  // More exchangers are an error that needs no address; more names of a client are ignored.
  if (answer->exchangers.size() > kSpfMostNames) co_return;
  for (const MailExchanger& exchanger : answer->exchangers) ask_address(exchanger.host);
  if (type != DnsType::ptr) co_return;
  for (size_t i = 0; i < std::min(answer->texts.size(), kSpfMostNames); ++i) ask_address(answer->texts[i]);
}

Task<void> SpfScout::read_record(std::string domain) {
  auto lookup = resolver_.query(domain, DnsType::txt);
  const DnsAnswerPtr answer = co_await lookup;
  const SpfSelection selected = select_spf_record(answer->texts);
  if (selected.count != 1) co_return;
  if (const auto record = parse_spf_record(selected.text)) look_at(record->directives, record->redirect, domain);
}

void SpfScout::keep(Task<void> task) {
  task.start();
  if (!task.done()) waiting_.push_back(std::move(task));
}

}  // namespace policyd
