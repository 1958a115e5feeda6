// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_COMMANDS_VERB_H_
#define CLI_COMMANDS_VERB_H_

// The options and arguments of one command. A wall in front of CLI11, whose templates cost more
// compile time in each source that sees them than all the rest of it.

#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace entente::cli {

// A handle; copies mean the same command. Whatever a value is read into must outlive the parsing.
class Verb {
 public:
  explicit Verb(CLI::App* app) : app_(*app) {}

  // A name without dashes is an argument that is known by its place, e.g. "JOB".
  void Option(const std::string& name, std::string& value, const std::string& description);
  void Required(const std::string& name, std::string& value, const std::string& description);
  // May be given several times.
  void Option(const std::string& name, std::vector<std::string>& values,
              const std::string& description);
  // As Option, but an empty value is bad usage: the value has a meaning of its own when the option
  // is not given.
  void NotEmpty(const std::string& name, std::string& value, const std::string& description);
  // A whole number from `min` to `max`; anything else is bad usage.
  void Number(const std::string& name, int& value, int min, int max,
              const std::string& description);
  void Flag(const std::string& name, bool& value, const std::string& description);

 private:
  CLI::App& app_;
};

}  // namespace entente::cli

#endif  // CLI_COMMANDS_VERB_H_
