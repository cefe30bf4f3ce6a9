#include "policyd/ctl/arguments.h"

#include <CLI/CLI.hpp>
#include <utility>

namespace policyd {

namespace {

template <class T>
CLI::Option* add_number(CLI::App& app, const char* name, T& into, Range<T> range, std::string help) {
  return app.add_option(name, into, std::move(help))->check(CLI::Range(range.least, range.most));
}

}  // namespace

Argument Argument::required() const {
  return Argument(option_->required());
}

Argument Argument::not_empty() const {
  const auto complaint = [](std::string& text) { return std::string(text.empty() ? "is empty" : ""); };
  return Argument(option_->check(CLI::Validator(complaint, "")));
}

Argument Argument::one_of(std::vector<std::string> choices) const {
  return Argument(option_->check(CLI::IsMember(std::move(choices))));
}

Argument Argument::shows_default() const {
  return Argument(option_->capture_default_str());
}

Argument Arguments::text(const char* name, std::string& into, std::string help) {
  return Argument(app_.add_option(name, into, std::move(help)));
}

Argument Arguments::text(const char* name, std::optional<std::string>& into, std::string help) {
  const auto take = [&into](const std::string& text) { into = text; };
  return Argument(app_.add_option_function<std::string>(name, take, std::move(help)));
}

Argument Arguments::number(const char* name, int& into, Range<int> range, std::string help) {
  return Argument(add_number(app_, name, into, range, std::move(help)));
}

Argument Arguments::number(const char* name, int64_t& into, Range<int64_t> range, std::string help) {
  return Argument(add_number(app_, name, into, range, std::move(help)));
}

Argument Arguments::number(const char* name, double& into, Range<double> range, std::string help) {
  return Argument(add_number(app_, name, into, range, std::move(help)));
}

void Arguments::flag(const char* name, bool& into, std::string help) {
  app_.add_flag(name, into, std::move(help));
}

}  // namespace policyd
