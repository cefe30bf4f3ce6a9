// What a command takes: its arguments ("FILE") and options ("--limit"), each with the variable that it is read into,
// which outlives the parsing.
//
// The only user of CLI11 but for main.cpp, which hands out the Arguments of each command. What is given wrongly ends
// the parsing with a sentence; no command sees it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace policyd {

// One that was declared, and what more there is to say of it.
class Argument {
 public:
  explicit Argument(CLI::Option* option) : option_(option) {}

  Argument required() const;
  // What names something: an empty one, as from a variable that is not set, is a usage error.
  Argument not_empty() const;
  Argument one_of(std::vector<std::string> choices) const;
  // Help names the value that the variable has now.
  Argument shows_default() const;

 private:
  CLI::Option* option_;
};

// From `least` to `most`, both included.
template <class T>
struct Range {
  T least;
  T most;
};

class Arguments {
 public:
  // `app` outlives it.
  explicit Arguments(CLI::App& app) : app_(app) {}

  Argument text(const char* name, std::string& into, std::string help);
  // One that is left out can be told from an empty one.
  Argument text(const char* name, std::optional<std::string>& into, std::string help);
  Argument number(const char* name, int& into, Range<int> range, std::string help);
  Argument number(const char* name, int64_t& into, Range<int64_t> range, std::string help);
  Argument number(const char* name, double& into, Range<double> range, std::string help);
  void flag(const char* name, bool& into, std::string help);

 private:
  CLI::App& app_;
};

}  // namespace policyd
