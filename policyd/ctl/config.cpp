// policyctl config: checks a configuration file, with the policyd that would run it; shows the
// configuration in force.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>

#include "policyd/ctl/command.h"
#include "policyd/ctl/table.h"
#include "shared/text.h"

namespace policyd {

namespace {

namespace fs = std::filesystem;

constexpr int kBadConfiguration = 78;  // how policyd --check-config ends where there are errors

// Beside this program as in a build tree, in the sbin beside its bin as installed, or on the PATH.
std::vector<fs::path> candidates() {
  std::vector<fs::path> paths;
  std::error_code failure;
  const fs::path here = fs::read_symlink("/proc/self/exe", failure).parent_path();
  if (!failure) paths = {here / "policyd", here.parent_path() / "sbin" / "policyd"};
  const char* variable = std::getenv("PATH");
  std::string_view path = variable ? variable : "";
  while (!path.empty()) {
    const size_t end = std::min(path.find(':'), path.size());
    if (end > 0) paths.push_back(fs::path(path.substr(0, end)) / "policyd");
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return paths;
}

std::string find_policyd() {
  for (const fs::path& path : candidates()) {
    std::error_code failure;
    if (access(path.c_str(), X_OK) == 0 && fs::is_regular_file(path, failure)) return path;
  }
  return {};
}

struct Run {
  int code = -1;       // -1: could not be run, or was killed
  std::string output;  // of both streams
};

// Replaces the child by `policyd --check-config -c file`, both outputs into `output`.
[[noreturn]] void become_policyd(const std::string& program, const std::string& file, int output) {
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execl(program.c_str(), program.c_str(), "--check-config", "-c", file.c_str(), nullptr);
  _exit(127);
}

Run run_check(const std::string& program, const std::string& file) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  const pid_t child = fork();
  if (child == 0) become_policyd(program, file, ends[1]);
  close(ends[1]);
  Run run;
  char part[4096];
  ssize_t got = 0;
  while (child > 0 &&
         ((got = read(ends[0], part, sizeof part)) > 0 || (got < 0 && errno == EINTR))) {
    if (got > 0) run.output.append(part, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status))
    run.code = WEXITSTATUS(status);
  return run;
}

Json lines_of(std::string_view text) {
  Json lines = Json::array();
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.push_back(std::string(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string one_line(std::string_view text) { return replaced(std::string(trim(text)), "\n", "; "); }

int check_config(const Session& session, const std::string& file) {
  const std::string program = find_policyd();
  if (program.empty()) {
    return session.fail(
        kRefused,
        "cannot find the program policyd, which checks the file: it is neither beside "
        "policyctl nor in ../sbin nor in PATH; install it");
  }
  const Run run = run_check(program, file);
  const bool good = run.code == 0;
  if (!good && run.code != kBadConfiguration) {
    return session.fail(kRefused, program + " could not check " + file +
                                      ": it ended with exit code " + std::to_string(run.code) +
                                      (run.output.empty() ? "" : ": " + one_line(run.output)));
  }
  Json json = {{"file", file}, {"ok", good}};
  json["errors"] = good ? Json::array() : lines_of(run.output);
  const int shown = session.show(json, run.output.empty() && good ? file + ": correct\n" : run.output);
  return good ? shown : kRefused;
}

CommandAction declare_check(Arguments& takes) {
  const auto file = std::make_shared<std::string>();
  takes.text("FILE", *file, "in place of the file that -c names").not_empty();
  return [file](Session& session) {
    return check_config(session, file->empty() ? session.options().config : *file);
  };
}

CommandAction declare_show(Arguments&) {
  return [](Session& session) {
    return session.show(session.get("/v1/config"),
                        [](const Json& answer) { return text_of(answer, "toml"); });
  };
}

constexpr Command kCommands[] = {
    {"config", "check", "checks a file, without a running policyd", declare_check},
    {"config", "show", "the configuration in force, with defaults", declare_show},
};

}  // namespace

std::span<const Command> config_commands() {
  return kCommands;
}

}  // namespace policyd
