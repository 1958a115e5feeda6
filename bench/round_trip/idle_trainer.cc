// SPDX-License-Identifier: Apache-2.0
// A trainer that does no work, so that a round is nothing but the data plane: it answers every
// `train` with the same update, made once, different from worker to worker. Speaks
// docs/trainer-protocol.md.
//
//   entente-bench-trainer                                        the protocol, on stdin and stdout
//   entente-bench-trainer model PARAMETERS FILE                  writes a model of that size
//   entente-bench-trainer init --recipe R --output F --initial-weights W   for `entente job submit`

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/file_system.h"
#include "common/base/status_macros.h"
#include "common/tensor/safetensors.h"

namespace entente::bench {
namespace {

// Tensors of the size that a large model's have.
constexpr uint64_t kTensorElementsMax = uint64_t{4} << 20;
constexpr size_t kPieceElements = size_t{256} << 10;

// A number that looks as little like its neighbours as a real update's: small, of either sign. A
// linear congruential generator is enough, for nobody draws conclusions from the values.
class Noise {
 public:
  explicit Noise(uint32_t seed) : state_(seed) {}
  float Next() {
    state_ = state_ * 1'664'525U + 1'013'904'223U;
    return (static_cast<float>(state_ >> 8) / static_cast<float>(1 << 24) - 0.5F) * 0.02F;
  }

 private:
  uint32_t state_;
};

// Calls `tensor_written` after each tensor.
absl::Status WriteNoise(FileSystem& files, const std::string& path, const Layout& layout,
                        uint32_t seed, const std::function<void(size_t)>& tensor_written) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsWriter> writer,
                           SafetensorsWriter::Create(files, path, layout));
  Noise noise(seed);
  std::vector<float> piece;
  for (size_t i = 0; i < layout.tensors().size(); ++i) {
    const uint64_t count = layout.tensors()[i].ElementCount();
    for (uint64_t first = 0; first < count; first += piece.size()) {
      piece.resize(std::min<uint64_t>(kPieceElements, count - first));
      std::generate(piece.begin(), piece.end(), [&noise] { return noise.Next(); });
      ENTENTE_RETURN_IF_ERROR(
          writer->WriteAt(i, first * sizeof(float),
                          absl::string_view(reinterpret_cast<const char*>(piece.data()),
                                            piece.size() * sizeof(float))));
    }
    tensor_written(i);
  }
  return writer->Finish();
}

absl::Status MakeModel(FileSystem& files, uint64_t parameters, const std::string& path) {
  std::vector<TensorSpec> tensors;
  for (uint64_t left = parameters; left > 0;) {
    const uint64_t size = std::min(left, kTensorElementsMax);
    tensors.push_back({.name = absl::StrCat("layer.", tensors.size()), .shape = {size}});
    left -= size;
  }
  ENTENTE_ASSIGN_OR_RETURN(const Layout layout, Layout::Create(std::move(tensors)));
  return WriteNoise(files, path, layout, 0, [](size_t) {});
}

// The lines of the protocol. The update is made at the first `train` and linked into place ever
// after.
class Conversation {
 public:
  void Run() {
    Say({{"type", "hello"}, {"protocol", 1}, {"trainer", "entente-bench-trainer"}});
    for (std::string line; std::getline(std::cin, line);) {
      const nlohmann::json request = nlohmann::json::parse(line);
      const std::string type = request.at("type");
      if (type == "stop") return;
      const absl::Status status = Answer(type, request);
      if (!status.ok()) Say({{"type", "error"}, {"message", std::string(status.message())}});
    }
  }

 private:
  static void Say(const nlohmann::json& message) { std::cout << message.dump() << std::endl; }

  absl::Status Answer(const std::string& type, const nlohmann::json& request) {
    if (type == "prepare") return Prepare(request);
    if (type == "train") return Train(request);
    return absl::UnimplementedError("this trainer only trains; set evaluation.everyRounds: 0");
  }

  // The data set is one file with this worker's number, which makes its update its own.
  absl::Status Prepare(const nlohmann::json& request) {
    const std::string folder = request.at("dataset").at("directory");
    std::ifstream number(folder + "/train.csv");
    if (!(number >> seed_)) return absl::InvalidArgumentError("train.csv holds no number");
    Say({{"type", "prepared"}, {"examples", 100}, {"held_out_examples", 0}, {"device", "cpu"}});
    return absl::OkStatus();
  }

  absl::Status Train(const nlohmann::json& request) {
    const std::string output = request.at("output");
    if (made_.empty()) {
      ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> base,
                               SafetensorsReader::Open(files_, request.at("base_model")));
      const std::string path =
          absl::StrCat(std::filesystem::path(output).parent_path().string(), "/made");
      const Layout layout = base->layout().UpdateLayout(Dtype::kF32);
      ENTENTE_RETURN_IF_ERROR(WriteNoise(files_, path, layout, seed_, [&](size_t tensor_index) {
        Say({{"type", "progress"},
             {"task", request.at("task")},
             {"step", tensor_index},
             {"step_count", layout.tensors().size()}});
      }));
      made_ = path;
    }
    if (link(made_.c_str(), output.c_str()) != 0) return absl::UnavailableError("cannot link");
    Say({{"type", "update"},
         {"task", request.at("task")},
         {"output", output},
         {"examples", 100},
         {"training_loss", 1.0},
         {"steps", 1},
         {"seconds", 0.0}});
    return absl::OkStatus();
  }

  PosixFileSystem files_;
  uint32_t seed_ = 0;
  std::string made_;
};

absl::Status Run(const std::vector<std::string>& arguments) {
  PosixFileSystem files;
  if (arguments.empty()) {
    Conversation().Run();
    return absl::OkStatus();
  }
  if (arguments[0] == "model" && arguments.size() == 3) {
    uint64_t parameters = 0;
    const std::string& text = arguments[1];
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), parameters);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || parameters == 0) {
      return absl::InvalidArgumentError("PARAMETERS must be a number from 1");
    }
    return MakeModel(files, parameters, arguments[2]);
  }
  if (arguments[0] == "init" && arguments.size() == 7) {
    std::filesystem::create_symlink(std::filesystem::absolute(arguments[6]), arguments[4]);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "see the comment at the head of bench/round_trip/idle_trainer.cc");
}

}  // namespace
}  // namespace entente::bench

int main(int argc, char** argv) {
  const absl::Status status = entente::bench::Run(std::vector<std::string>(argv + 1, argv + argc));
  if (status.ok()) return 0;
  std::cerr << "entente-bench-trainer: " << status.message() << "\n";
  return 2;
}
