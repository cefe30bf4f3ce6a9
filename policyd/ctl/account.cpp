// policyctl account: how much accounts have sent of what they may, and the settings that say so.
#include <fmt/format.h>

#include <memory>

#include "policyd/ctl/account_lock.h"
#include "policyd/ctl/account_path.h"
#include "policyd/ctl/command.h"
#include "policyd/ctl/table.h"
#include "policyd/ctl/usage_text.h"
#include "shared/admin_api.h"
#include "shared/limits.h"
#include "shared/percent_encoding.h"

namespace policyd {

namespace {

std::string setting_path(const std::string& account, const std::string& key) {
  return account_path(account, "/settings/" + percent_encode(key));
}

// --- list

// The account's tightest limit: what it is nearest to.
const Json& tightest(const Json& limits) {
  const Json* found = nullptr;
  for (const Json& limit : limits) {
    if (!found || percent(limit) > percent(*found)) found = &limit;
  }
  static const Json kNothing;
  return found ? *found : kNothing;
}

std::string render_list(const Json& answer) {
  Table table({{"ACCOUNT"}, {"NEAREST LIMIT"}, {"USED", Align::right}, {"FULL", Align::right}});
  for (const Json& account : member_of(answer, "accounts")) {
    const Json& limit = tightest(member_of(account, "limits"));
    if (limit.is_null()) {
      table.add({name_of(account, "account"), "no limit", "", ""});
      continue;
    }
    table.add({name_of(account, "account"), text_of(limit, "meter") + " " + text_of(limit, "limit"),
               amount(limit, "used"), std::to_string(percent(limit)) + "%"});
  }
  if (table.empty()) return "no account has sent anything within its windows\n";
  const bool more = member_of(answer, "more") == true;
  return table.render(terminal_width()) +
         (more ? "\nThere are more accounts; --limit N shows up to N of them.\n" : "");
}

CommandAction declare_list(Arguments& takes) {
  const auto limit = std::make_shared<int>(100);
  takes.number("--limit", *limit, {1, kMostListed}, "at most so many accounts").shows_default();
  const auto locked = std::make_shared<bool>(false);
  takes.flag("--locked", *locked, "those that are locked, and why");
  return [limit, locked](Session& session) {
    if (*locked) return session.show(session.get("/v1/locks"), render_locks);
    return session.show(session.get("/v1/accounts?limit=" + std::to_string(*limit)), render_list);
  };
}

// --- show

std::string render_settings(const Json& settings) {
  Table table({{"SETTING"}, {"VALUE"}, {"FROM"}});
  for (const auto& [key, setting] : settings.items()) {
    const bool override = text_of(setting, "source") == "store";
    table.add({key, text_of(setting, "value"),
               text_of(setting, "from") + (override ? " (override)" : " (file)")});
  }
  return table.empty() ? "" : "\n" + table.render(terminal_width());
}

std::string block_names(const Json& blocks) {
  std::string names;
  for (const Json& block : blocks) {
    names.append(names.empty() ? "" : ", ")
        .append(text_of(block, "type") + ":" + name_of(block, "target"));
  }
  return names;
}

// Nothing where it is charged itself.
std::string charged_line(const Json& account) {
  const Json& charged = member_of(account, "charged");
  if (!charged.is_object() || text_of(charged, "account") == text_of(account, "account")) return {};
  if (text_of(charged, "account").empty()) return "the client's network";
  const std::string lock = lock_with_end(member_of(charged, "lock"));
  return name_of(charged, "account") + (lock.empty() ? "" : ", which is locked: " + lock);
}

std::string render_account(const Json& account) {
  return render_facts({{"account", name_of(account, "account")},
                       {"mail is charged to", charged_line(account)},
                       {"over a limit", text_of(account, "on_limit")},
                       {"blocked by", block_names(member_of(account, "blocks"))},
                       {"locked", lock_with_end(member_of(account, "lock"))}}) +
         "\n" + render_limits(member_of(account, "limits"), terminal_width(), wants_colours()) +
         render_settings(member_of(account, "settings")) + render_lock_history(member_of(account, "lock_history"));
}

std::shared_ptr<std::string> account_argument(Arguments& takes, const char* what) {
  auto account = std::make_shared<std::string>();
  takes.text("ACCOUNT", *account, what).required().not_empty();
  return account;
}

CommandAction declare_show(Arguments& takes) {
  return [account = account_argument(takes, "a login, or the address of a client without one")](
             Session& session) {
    return session.show(session.get(account_path(*account)), render_account);
  };
}

// --- set, unset, reset

constexpr const char* kWhose = "an account, a domain, or default";

std::string keys_help() {
  std::string help;
  for (const SettingRow& row : setting_rows()) {
    help.append(help.empty() ? "" : ", ")
        .append(row.key)
        .append(" (")
        .append(row.takes)
        .append(")");
  }
  return help;
}

std::shared_ptr<std::string> key_argument(Arguments& takes) {
  auto key = std::make_shared<std::string>();
  takes.text("KEY", *key, keys_help()).required().not_empty();
  return key;
}

CommandAction declare_set(Arguments& takes) {
  const auto account = account_argument(takes, kWhose);
  const auto key = key_argument(takes);
  const auto value = std::make_shared<std::string>();
  takes.text("VALUE", *value, "several limits are separated by commas; none is no limit").required();
  return [=](Session& session) {
    AccountSettings settings;
    if (const auto set = settings.set(*key, *value); !set)
      return session.fail(kUsage, set.error().message);
    const Json body = {{"value", *value}};
    return session.show(session.ask("PUT", setting_path(*account, *key), body),
                        [](const Json& done) {
                          return name_of(done, "account") + ": " + text_of(done, "key") +
                                 " is now " + text_of(done, "value") + "\n";
                        });
  };
}

CommandAction declare_unset(Arguments& takes) {
  const auto account = account_argument(takes, kWhose);
  const auto key = key_argument(takes);
  return [=](Session& session) {
    return session.show(session.ask("DELETE", setting_path(*account, *key)), [](const Json& done) {
      return name_of(done, "account") + ": " + text_of(done, "key") + " is no longer overridden\n";
    });
  };
}

CommandAction declare_reset(Arguments& takes) {
  return [account = account_argument(takes, "a login, or the address of a client without one")](
             Session& session) {
    return session.show(session.ask("POST", account_path(*account, "/reset")), [](const Json& done) {
      return "forgot what " + name_of(done, "account") + " has sent\n";
    });
  };
}

constexpr Command kCommands[] = {
    {"account", "list", "accounts that have sent something, those nearest to a limit first",
     declare_list},
    {"account", "show", "usage against limits, and where settings come from", declare_show},
    {"account", "set", "overrides a setting of the file, on every node", declare_set},
    {"account", "unset", "takes an override back", declare_unset},
    {"account", "reset", "forgets what an account has sent", declare_reset},
};

}  // namespace

std::span<const Command> account_commands() {
  return kCommands;
}

}  // namespace policyd
