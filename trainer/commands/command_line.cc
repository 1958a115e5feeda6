// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/command_line.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/unknown_option.h"
#include "trainer/commands/data_commands.h"
#include "trainer/commands/model_commands.h"
#include "trainer/protocol/protocol_loop.h"
#include "trainer/training/torch_session.h"

namespace entente::trainer {
namespace {

constexpr int kFailed = 1;
constexpr int kBadInput = 2;

int ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return 0;
  const bool bad_input = absl::IsInvalidArgument(status) || absl::IsNotFound(status) ||
                         absl::IsDataLoss(status) || absl::IsFailedPrecondition(status);
  return bad_input ? kBadInput : kFailed;
}

absl::Status SpeakProtocol(const CommandContext& context) {
  TorchSession session(context.files, context.clock);
  return RunProtocol(context.in, context.out, session,
                     {.trainer = absl::StrCat("entente-trainer ", context.version),
                      .libtorch = LibTorchVersion()});
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv, const CommandContext& context) {
  CLI::App app(
      "Trains and evaluates models on one member's data with LibTorch. Without a subcommand it "
      "speaks the "
      "trainer protocol with its worker on standard input and output (docs/trainer-protocol.md).",
      "entente-trainer");
  app.footer("Exit codes: 0 done, 1 failed, 2 bad usage or input.");
  app.set_version_flag("--version", absl::StrCat("entente-trainer ", context.version, " (LibTorch ",
                                                 LibTorchVersion(), ")"));
  app.allow_extras();  // So that what is unknown is ours to explain; subcommands inherit it.
  std::string log_format = "text";
  app.add_option("--log-format", log_format, "How logs on standard error look: text or json")
      ->check(CLI::IsMember({"text", "json"}));
  bool check_only = false;
  app.add_flag("--check-config", check_only,
               "Check that LibTorch loads, and exit: all settings come with the task");
  app.require_subcommand(0, 1);
  InitCommand init(app);
  InspectCommand inspect(app);
  EvaluateCommand evaluate(app);
  SplitCommand split(app);
  TrainCommand train(app);
  std::optional<std::string> mistake;
  try {
    app.parse(argc, argv);
    mistake = UnknownWordSentence(app);
  } catch (const CLI::Success& success) {  // --help and --version.
    return app.exit(success, context.out, context.error) == 0 ? 0 : kBadInput;
  } catch (const CLI::ParseError& error) {
    mistake = UnknownWordSentence(app).value_or(
        absl::StrCat(error.what(), "; see \"entente-trainer --help\""));
  }
  if (mistake.has_value()) {
    context.error << "entente-trainer: " << *mistake << "\n";
    return kBadInput;
  }

  log::Configure(log_format == "json" ? log::Format::kJson : log::Format::kText, log::Level::kInfo);
  if (check_only) {
    context.out << "entente-trainer is fine: LibTorch " << LibTorchVersion() << "\n";
    return 0;
  }
  absl::Status status;
  if (init.chosen()) {
    status = init.Run(context);
  } else if (inspect.chosen()) {
    status = inspect.Run(context);
  } else if (evaluate.chosen()) {
    status = evaluate.Run(context);
  } else if (split.chosen()) {
    status = split.Run(context);
  } else if (train.chosen()) {
    status = train.Run(context);
  } else {
    status = SpeakProtocol(context);
  }
  if (!status.ok()) context.error << "entente-trainer: " << status.message() << "\n";
  return ExitCodeOf(status);
}

}  // namespace entente::trainer
