// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/verb.h"

#include <CLI/CLI.hpp>

namespace entente::cli {

void Verb::Option(const std::string& name, std::string& value, const std::string& description) {
  app_.add_option(name, value, description);
}

void Verb::Required(const std::string& name, std::string& value, const std::string& description) {
  app_.add_option(name, value, description)->required();
}

void Verb::Option(const std::string& name, std::vector<std::string>& values,
                  const std::string& description) {
  app_.add_option(name, values, description);
}

void Verb::NotEmpty(const std::string& name, std::string& value, const std::string& description) {
  app_.add_option(name, value, description)->check([](const std::string& given) {
    return given.empty() ? std::string("it is empty") : std::string();
  });
}

void Verb::Number(const std::string& name, int& value, int min, int max,
                  const std::string& description) {
  app_.add_option(name, value, description)->check(CLI::Range(min, max));
}

void Verb::Flag(const std::string& name, bool& value, const std::string& description) {
  app_.add_flag(name, value, description);
}

}  // namespace entente::cli
