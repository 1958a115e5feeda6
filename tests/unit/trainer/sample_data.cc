// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/trainer/sample_data.h"

#include <zlib.h>

#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/file_system.h"
#include "common/tensor/safetensors.h"
#include "trainer/data/portable_random.h"

namespace entente::trainer {
namespace {

constexpr int64_t kSide = 4;
constexpr int64_t kClasses = 3;

}  // namespace

nlohmann::json SampleRecipe() {
  return nlohmann::json::parse(R"({
    "apiVersion": "entente/v1", "kind": "Recipe", "name": "sample", "purpose": "tests", "dataset": "rows",
    "model": {"builtin": {"architecture": "mlp", "inputShape": [1, 4, 4], "outputs": 3, "hidden": [8]}},
    "task": "classification",
    "training": {"epochs": 1, "batchSize": 8, "optimizer": "sgd", "learningRate": 0.1, "momentum": 0.9,
                 "weightDecay": 0, "proximalMu": 0, "seed": "7"}})");
}

nlohmann::json SampleCnnRecipe() {
  nlohmann::json recipe = SampleRecipe();
  recipe["model"]["builtin"]["architecture"] = "cnn";
  recipe["model"]["builtin"]["channels"] = {4, 8};
  return recipe;
}

nlohmann::json SampleTorchScriptRecipe() {
  nlohmann::json recipe = SampleRecipe();
  recipe["model"] = {{"torchscript", {{"digest", std::string(64, 'a')}}}};
  return recipe;
}

IdxArray SampleImages(int64_t count) {
  PortableRandom random(3);
  IdxArray images{.shape = {count, kSide, kSide}, .elements = {}};
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t row = 0; row < kSide; ++row) {
      for (int64_t column = 0; column < kSide; ++column) {
        const uint64_t noise = random.Below(80);
        images.elements.push_back(static_cast<uint8_t>(row == i % kClasses ? 255 - noise : noise));
      }
    }
  }
  return images;
}

IdxArray SampleLabels(int64_t count) {
  IdxArray labels{.shape = {count}, .elements = {}};
  for (int64_t i = 0; i < count; ++i) labels.elements.push_back(static_cast<uint8_t>(i % kClasses));
  return labels;
}

std::string IdxBytes(const IdxArray& array) {
  std::string bytes = {0, 0, 8, static_cast<char>(array.shape.size())};
  for (const int64_t side : array.shape) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(side >> shift & 0xff));
  }
  return bytes + std::string(array.elements.begin(), array.elements.end());
}

std::string Gzip(absl::string_view text) {
  z_stream stream{};
  ENTENTE_CHECK(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ENTENTE_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string WriteSampleFolder(const TempFolder& folder, absl::string_view name, int64_t count) {
  struct Part {
    absl::string_view prefix;
    int64_t count;
  };
  for (const Part& part :
       {Part{"train", count}, Part{"held-out", count / 2}, Part{"t10k", count / 2}}) {
    const std::string prefix = absl::StrCat(name, "/", part.prefix);
    folder.Write(prefix + "-images-idx3-ubyte", IdxBytes(SampleImages(part.count)));
    folder.Write(prefix + "-labels-idx1-ubyte", IdxBytes(SampleLabels(part.count)));
  }
  return folder.File(name);
}

std::string WriteRegressionFolder(const TempFolder& folder, absl::string_view name, int64_t count) {
  PosixFileSystem files;
  PortableRandom random(5);
  std::vector<float> inputs;
  std::vector<float> targets;
  for (int64_t i = 0; i < count; ++i) {
    const auto a = static_cast<float>(random.Unit());
    const auto b = static_cast<float>(random.Unit());
    inputs.insert(inputs.end(), {a, b});
    targets.push_back(2 * a - b + 1);
  }
  folder.Write(absl::StrCat(name, "/.keep"), "");
  const auto rows = static_cast<uint64_t>(count);
  for (const absl::string_view part : {"train", "held-out"}) {
    auto layout = Layout::Create({{.name = "inputs", .dtype = Dtype::kF32, .shape = {rows, 2}},
                                  {.name = "targets", .dtype = Dtype::kF32, .shape = {rows, 1}}});
    ENTENTE_CHECK(layout.ok());
    auto writer = SafetensorsWriter::Create(
        files, folder.File(absl::StrCat(name, "/", part, ".safetensors")), *layout);
    ENTENTE_CHECK(writer.ok());
    const auto bytes = [](const std::vector<float>& values) {
      return absl::string_view(reinterpret_cast<const char*>(values.data()),
                               values.size() * sizeof(float));
    };
    ENTENTE_CHECK((*writer)->WriteAt(0, 0, bytes(inputs)).ok());
    ENTENTE_CHECK((*writer)->WriteAt(1, 0, bytes(targets)).ok());
    ENTENTE_CHECK((*writer)->Finish().ok());
  }
  return folder.File(name);
}

std::string FileText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

}  // namespace entente::trainer
