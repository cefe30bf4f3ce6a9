#include "policyd/ctl/session.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

#include "policyd/ctl/table.h"
#include "shared/config_admin.h"

namespace policyd {

// The default file is nobody's promise: it may not exist, or hold a password and be unreadable for
// the operator.
Result<std::vector<Endpoint>> Session::find_sockets() const {
  if (!options_.socket.empty()) {
    const bool path = options_.socket.starts_with('/');
    auto endpoint = Endpoint::parse(path ? "unix:" + options_.socket : options_.socket);
    if (!endpoint) return Error{"--socket: " + endpoint.error().message};
    if (endpoint->kind != Endpoint::Kind::unix_socket) {
      return Error{"--socket: " + options_.socket +
                   " is no unix socket; expected e.g. /run/policyd/admin.sock"};
    }
    return std::vector{std::move(*endpoint)};
  }
  if (!options_.config_given && access(options_.config.c_str(), R_OK) != 0)
    return default_admin_listen();
  return load_admin_listen(options_.config);
}

Answer Session::connect() {
  if (client_) return {};
  auto sockets = find_sockets();
  if (!sockets)
    return {options_.socket.empty() ? kRefused : kUsage, sockets.error().message, {}, false};
  client_ = std::make_unique<Client>(std::move(*sockets));
  client_->give_up_when(give_up_);
  return {};
}

Answer Session::ask(const char* method, const std::string& path, const Json& body) {
  Answer connected = connect();
  return connected.ok() ? client_->ask(method, path, body) : connected;
}

Answer Session::ask_text(const char* method, const std::string& path, const std::string& body) {
  Answer connected = connect();
  return connected.ok() ? client_->ask_text(method, path, body) : connected;
}

void Session::give_up_when(std::function<bool()> wanted) {
  give_up_ = std::move(wanted);
  if (client_) client_->give_up_when(give_up_);
}

int Session::show(const Answer& answer,
                  const std::function<std::string(const Json&)>& render) const {
  if (!answer.ok()) return fail(answer);
  return print(options_.json ? to_document(answer.json) : render(answer.json));
}

int Session::show(const Json& json, const std::string& text) const {
  return print(options_.json ? to_document(json) : text);
}

int Session::print(const std::string& lines) const {
  const std::string text = displayable_lines(lines);
  const bool taken = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (taken && std::fflush(stdout) == 0) return kDone;
  return fail(kRefused, std::string("cannot write to standard output: ") + std::strerror(errno));
}

int Session::fail(ExitCode code, const std::string& sentence) const {
  const Json json = {{"error", sentence}};
  const std::string text = options_.json ? to_document(json) : "policyctl: " + displayable(sentence) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
  return code;
}

Result<std::string> read_input(const std::string& path) {
  const bool standard = path == "-";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      standard ? stdin : std::fopen(path.c_str(), "re"),
      [](std::FILE* opened) { return opened == stdin ? 0 : std::fclose(opened); });
  const auto failed = [&] { return Error{"cannot read " + path + ": " + std::strerror(errno)}; };
  if (!file) return failed();
  std::string text;
  char part[16 * 1024];
  while (const size_t got = std::fread(part, 1, sizeof part, file.get())) text.append(part, got);
  if (std::ferror(file.get()) != 0) return failed();
  return text;
}

}  // namespace policyd
