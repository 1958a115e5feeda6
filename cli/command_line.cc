// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "cli/commands/commands.h"
#include "cli/contexts_check.h"
#include "common/base/closest_word.h"
#include "common/base/status_macros.h"
#include "common/config/duration_text.h"
#include "common/config/quoted.h"

namespace entente::cli {
namespace {

constexpr char kDescription[] =
    "entente: one model, many countries, no data shared.\n"
    "Submits and follows training jobs, fetches models, makes certificates.";

void AddGlobalOptions(CLI::App& app, GlobalOptions& options) {
  ConnectionOptions& connection = options.connection;
  app.add_option("-o,--format", options.format, "table (the default), json or yaml");
  app.add_option("--context", connection.context, "Context to use instead of the current one");
  app.add_option("--config", connection.config_file,
                 "File of contexts; default $ENTENTE_CONFIG, else "
                 "$XDG_CONFIG_HOME/entente/config.yaml, else ~/.config/entente/config.yaml");
  app.add_option("--coordinator", connection.coordinator, "HOST:PORT instead of the context's");
  app.add_option("--certificate", connection.certificate, "Our certificate, PEM");
  app.add_option("--private-key", connection.private_key, "Its private key, PEM");
  app.add_option("--authority", connection.authority, "The alliance's authority, PEM");
  app.add_option("--timeout", options.timeout, "Longest wait for one answer; default 20s");
  app.add_flag("--check-config", options.check_config,
               "Check the file of contexts and the files it names, and exit");
  app.add_flag("--no-color", options.no_color, "No colours; NO_COLOR does the same");
}

CLI::App& AddNoun(CLI::App& app, const std::string& name, const std::string& description) {
  CLI::App* noun = app.add_subcommand(name, description);
  noun->require_subcommand(0, 1);
  return *noun;
}

void AddCommands(CLI::App& app, Invocation& invocation) {
  CLI::App& job = AddNoun(app, "job", "Training jobs");
  AddJobSubmit(job, invocation);
  AddJobList(job, invocation);
  AddJobShow(job, invocation);
  AddJobWatch(job, invocation);
  AddJobPause(job, invocation);
  AddJobResume(job, invocation);
  AddJobCancel(job, invocation);
  CLI::App& round = AddNoun(app, "round", "Rounds of a job");
  AddRoundList(round, invocation);
  AddRoundShow(round, invocation);
  CLI::App& model = AddNoun(app, "model", "Models that jobs made");
  AddModelList(model, invocation);
  AddModelPull(model, invocation);
  AddModelInspect(model, invocation);
  CLI::App& member = AddNoun(app, "member", "Members of the federation and their workers");
  AddMemberList(member, invocation);
  AddMemberShow(member, invocation);
  CLI::App& pki = AddNoun(app, "pki", "Certificates; works offline");
  AddPkiInit(pki, invocation);
  AddPkiIssue(pki, invocation);
  AddPkiShow(pki, invocation);
  CLI::App& context = AddNoun(app, "context", "Which coordinator, and as whom");
  AddContextList(context, invocation);
  AddContextUse(context, invocation);
  AddContextSet(context, invocation);
  AddContextShow(context, invocation);
  CLI::App& admin = AddNoun(app, "admin", "The coordinator itself; for operators");
  AddAdminBackup(admin, invocation);
  AddTop(app, invocation);
  AddDoctor(app, invocation);
  AddVersion(app, invocation);
}

// The commands that were recognized, outermost first, without the program itself.
std::vector<const CLI::App*> Recognized(const CLI::App& app) {
  std::vector<const CLI::App*> chain;
  const CLI::App* innermost = &app;
  while (!innermost->get_subcommands().empty()) {
    innermost = innermost->get_subcommands().front();
    chain.push_back(innermost);
  }
  return chain;
}

// "job submit"; empty for the program itself.
std::string CommandName(const std::vector<const CLI::App*>& chain) {
  return absl::StrJoin(chain, " ", [](std::string* out, const CLI::App* command) {
    absl::StrAppend(out, command->get_name());
  });
}

std::string SeeHelp(const std::vector<const CLI::App*>& chain) {
  const std::string name = CommandName(chain);
  return absl::StrCat("see \"entente ", name, name.empty() ? "" : " ", "--help\"");
}

std::vector<std::string> VerbNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

void AppendOptionNames(const CLI::App& app, std::vector<std::string>* names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names->push_back("--" + name);
  }
}

absl::Status UnknownOption(const CLI::App& app, const std::vector<const CLI::App*>& chain,
                           const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : chain) AppendOptionNames(*command, &names);
  AppendOptionNames(app, &names);
  const std::string option = word.substr(0, word.find('='));
  const std::optional<std::string> closest = ClosestWord(option, names);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown option ", Quoted(option), "; ",
                   closest ? absl::StrCat("did you mean \"", *closest, "\"?") : SeeHelp(chain)));
}

absl::Status UnknownWord(const CLI::App& app, const std::vector<const CLI::App*>& chain,
                         const std::string& word) {
  const CLI::App& innermost = chain.empty() ? app : *chain.back();
  const std::vector<std::string> names = VerbNames(innermost);
  if (names.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(word), " is one word too many for \"",
                                                   CommandName(chain), "\"; ", SeeHelp(chain)));
  }
  const std::optional<std::string> closest = ClosestWord(word, names);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown command ", Quoted(word), "; ",
                   closest ? absl::StrCat("did you mean \"", *closest, "\"?")
                           : absl::StrCat("there ", names.size() == 1 ? "is " : "are ",
                                          absl::StrJoin(names, ", "))));
}

// OK if every word was recognized.
absl::Status CheckNothingUnknown(const CLI::App& app) {
  const std::vector<const CLI::App*> chain = Recognized(app);
  const std::vector<std::string> remaining = app.remaining(/*recurse=*/true);
  // An unknown option first: the words after it may have been meant as its value.
  for (const std::string& word : remaining) {
    if (word.size() > 1 && word[0] == '-' && word != "--") return UnknownOption(app, chain, word);
  }
  for (const std::string& word : remaining) {
    if (word != "--") return UnknownWord(app, chain, word);
  }
  return absl::OkStatus();
}

absl::Status CheckCommandIsComplete(const CLI::App& app, const Invocation& invocation) {
  if (invocation.action != nullptr || invocation.options.check_config) return absl::OkStatus();
  const std::vector<const CLI::App*> chain = Recognized(app);
  const CLI::App& innermost = chain.empty() ? app : *chain.back();
  return absl::InvalidArgumentError(
      absl::StrCat("\"entente", chain.empty() ? "" : " ", CommandName(chain), "\" wants one of ",
                   absl::StrJoin(VerbNames(innermost), ", "), " after it; ", SeeHelp(chain)));
}

absl::Status ReadGlobalOptions(Invocation& invocation) {
  ENTENTE_ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(invocation.options.format));
  invocation.output().set_format(format);
  const absl::StatusOr<absl::Duration> timeout = ParseDurationText(invocation.options.timeout);
  if (!timeout.ok() || *timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--timeout is ", Quoted(invocation.options.timeout),
                     "; it must be a duration such as 500ms, 20s or 2m"));
  }
  invocation.timeout = *timeout;
  return absl::OkStatus();
}

// The format to report a wrong command line in: what -o says, as far as one can tell.
void GuessFormat(const std::vector<std::string>& arguments, Output& output) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const absl::string_view word = arguments[i];
    absl::string_view value;
    if (word == "-o" || word == "--format") {
      if (i + 1 < arguments.size()) value = arguments[i + 1];
    } else if (absl::StartsWith(word, "--format=")) {
      value = absl::StripPrefix(word, "--format=");
    } else if (absl::StartsWith(word, "-o")) {
      value = absl::StripPrefix(word, "-o");
    }
    const absl::StatusOr<OutputFormat> format = ParseOutputFormat(value);
    if (format.ok()) output.set_format(*format);
  }
}

// Parses the words; `printed` is set if they asked for help or the version alone.
absl::Status Parse(const std::vector<std::string>& arguments, CLI::App& app, Output& output,
                   bool* printed) {
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    output.PrintText(absl::StrCat(absl::StripTrailingAsciiWhitespace(app.help()), "\n"));
    *printed = true;
  } catch (const CLI::CallForVersion& version) {
    output.PrintText(absl::StrCat(version.what(), "\n"));
    *printed = true;
  } catch (const CLI::ParseError& error) {
    ENTENTE_RETURN_IF_ERROR(CheckNothingUnknown(app));
    return absl::InvalidArgumentError(absl::StrCat(error.what(), "; ", SeeHelp(Recognized(app))));
  }
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> ParseAndRun(const std::vector<std::string>& arguments,
                                     Invocation& invocation) {
  CLI::App app(kDescription, "entente");
  app.set_version_flag("--version", "entente " + invocation.surroundings.version);
  app.require_subcommand(0, 1);
  app.allow_extras();  // So that what is unknown is ours to explain.
  app.fallthrough();   // Global options may stand anywhere.
  app.footer("Options that every command has: see \"entente --help\".");
  AddGlobalOptions(app, invocation.options);
  AddCommands(app, invocation);
  app.footer(ExitCodesHelp());
  bool printed = false;
  ENTENTE_RETURN_IF_ERROR(Parse(arguments, app, invocation.output(), &printed));
  if (printed) return ExitCode::kOk;
  ENTENTE_RETURN_IF_ERROR(CheckNothingUnknown(app));
  ENTENTE_RETURN_IF_ERROR(CheckCommandIsComplete(app, invocation));
  ENTENTE_RETURN_IF_ERROR(ReadGlobalOptions(invocation));
  return invocation.options.check_config ? CheckContexts(invocation) : invocation.action();
}

}  // namespace

ExitCode RunCommandLine(const std::vector<std::string>& arguments,
                        const Surroundings& surroundings) {
  Invocation invocation;
  invocation.surroundings = surroundings;
  GuessFormat(arguments, *surroundings.output);
  const absl::StatusOr<ExitCode> result = ParseAndRun(arguments, invocation);
  if (result.ok()) return *result;
  const ExitCode code = ExitCodeOf(result.status());
  surroundings.output->Error(result.status(), code);
  return code;
}

}  // namespace entente::cli
